package main

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"cordon/cmd/cordon/explain"
)

// TestTheExampleTellsTheStoryOf2023 asks the example, as `cordon explain` does, what the clients of several governments got on which day.
func TestTheExampleTellsTheStoryOf2023(t *testing.T) {
	const (
		phone     = "10.10.7.42"
		phoneSix  = "2001:db8:10:7::42"
		colleague = "10.10.7.43"
		eupen     = "10.10.7.200"
		byod      = "10.12.3.4"
		flemish   = "10.30.1.1"
		brussels  = "10.20.1.1"
		forests   = "10.20.6.70"
		visitor   = "10.20.6.130"
		walloon   = "10.40.1.1"
		private   = "10.40.201.1"
		noData    = "10.40.250.9"
		community = "10.50.1.1"
		stranger  = "192.0.2.1"
	)
	type want struct{ verdict, policy, exception string }
	refuse := func(policy string) want { return want{"refuse", policy, ""} }
	const nsc, pass = "nsc-2023-03-10", "pass"
	for _, test := range []struct {
		client, at string
		name       string // "": www.tiktok.com
		want       want
	}{
		{phone, "2023-03-09T23:59", "", want{verdict: pass}}, // not yet in force
		{phone, "2023-03-10", "", refuse(nsc)},
		{phone, "2023-03-12", "", refuse(nsc)}, // the exception is not yet approved
		{phone, "2023-03-13", "", want{"except", nsc, "harbours-press-phone"}},
		{phoneSix, "2023-03-13", "", want{"except", nsc, "harbours-press-phone"}},
		{phone, "2023-03-14", "m.tiktok.com", want{"except", nsc, "harbours-press-phone"}},
		{phone, "2023-03-14", "www.example.com", want{verdict: pass}},
		{phone, "2023-09-10T23:59", "", want{"except", nsc, "harbours-press-phone"}},
		{phone, "2023-09-11", "", refuse(nsc)}, // the ban was prolonged, the exception was not extended
		{phone, "2024-03-11", "", want{verdict: pass}},

		{colleague, "2023-03-09", "", want{verdict: pass}},
		{colleague, "2023-03-14", "", refuse(nsc)},
		{colleague, "2023-09-11", "", refuse(nsc)},
		{colleague, "2024-03-10T23:59", "", refuse(nsc)},
		{colleague, "2024-03-11", "", want{verdict: pass}}, // nothing later was found
		{eupen, "2023-03-14", "", refuse(nsc)},

		{byod, "2023-03-09", "", want{verdict: pass}},
		{byod, "2023-03-14", "", want{"observe", "nsc-2023-03-10-private", ""}},
		{byod, "2024-03-11", "", want{verdict: pass}},

		{flemish, "2023-03-08T23:59", "", want{verdict: pass}},
		{flemish, "2023-03-09", "", refuse("flanders-2023-03-09")},
		{flemish, "2026-01-01", "", refuse("flanders-2023-03-09")},

		{brussels, "2023-03-16", "", want{verdict: pass}},
		{brussels, "2023-03-17", "", refuse("brussels-2023-03-17")},
		{brussels, "2023-10-12T23:59", "", refuse("brussels-2023-03-17")},
		{brussels, "2023-10-13", "", refuse("brussels-2023-10-13")},
		{brussels, "2023-04-04T10:00", "lookalike.example", want{verdict: pass}},
		{forests, "2023-04-04T08:59", "lookalike.example", want{verdict: pass}},
		{forests, "2023-04-04T09:00", "lookalike.example", refuse("parks-2023-04")},
		{forests, "2023-04-04T09:00", "", refuse("brussels-2023-03-17")},
		{visitor, "2023-04-04T09:00", "", want{"observe", "brussels-2023-03-17", ""}},

		{walloon, "2023-03-15", "", want{verdict: pass}},
		{walloon, "2023-03-16", "", refuse("wallonia-2023-03")},
		{private, "2023-09-16", "", refuse("wallonia-2023-03")},
		{walloon, "2023-12-31T23:59", "", refuse("wallonia-2023-03")},
		{walloon, "2024-01-01", "", want{verdict: pass}},
		{noData, "2023-03-16", "", want{"except", "wallonia-2023-03", "wallonia-devices-without-data"}},

		{community, "2023-03-15", "", want{verdict: pass}},
		{community, "2023-09-16T23:59", "", refuse("fwb-2023-03-16")},
		{community, "2023-09-17", "", want{verdict: pass}},

		{stranger, "2023-03-14", "", want{verdict: "prohibited", policy: nsc}},
	} {
		name := test.name
		if name == "" {
			name = "www.tiktok.com"
		}
		t.Run(test.client+" "+test.at+" "+name, func(t *testing.T) {
			var said bytes.Buffer
			args := []string{"explain", name, "--config", "../../config/examples/belgium", "--client", test.client, "--at", test.at, "--json"}
			if status := run(t.Context(), args, &said, os.Stderr); status != 0 {
				t.Fatalf("exit status %d", status)
			}
			var e explain.Explained
			if err := json.Unmarshal(said.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			got := want{verdict: e.Verdict}
			if e.Policy != nil {
				got.policy = e.Policy.Name
			}
			if e.Exception != nil {
				got.exception = e.Exception.Name
			}
			if got != test.want {
				t.Errorf("found %+v, want %+v", got, test.want)
			}
		})
	}
}

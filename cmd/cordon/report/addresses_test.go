package report_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/report"
)

// When addresses of clients were logged is told, with who approved it: over a restart, and without its beginning or its end too.
func TestAddressesThatWereLogged(t *testing.T) {
	p := mustPeriod(t, "2026-03-02", "2026-03-03", time.UTC)
	made := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	at := func(text string) time.Time {
		moment, err := time.Parse("2006-01-02 15:04", "2026-03-"+text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	began := func(from, until string) audit.Entry {
		return audit.Entry{
			Kind: audit.IncidentBegan, Time: at(from), Until: at(until), What: "all queries of all clients in 192.0.2.7", Reason: "botnet",
			ApprovedBy: "the head", Ticket: "C-1",
		}
	}
	ended := func(from, until string) audit.Entry {
		return audit.Entry{Kind: audit.IncidentEnded, Time: at(until), From: at(from), Until: at(until), Reason: "botnet (by request)", ApprovedBy: "the head"}
	}
	elsewhere := began("02 10:00", "02 12:00")
	elsewhere.Agency = "press"
	for name, test := range map[string]struct {
		log  []audit.Entry
		want []string // "from until seconds"
	}{
		"ended before its time": {[]audit.Entry{began("02 10:00", "02 12:00"), ended("02 10:00", "02 11:00")}, []string{"02 10:00 02 11:00 3600"}},
		"over a restart": {
			[]audit.Entry{
				began("02 10:00", "02 12:00"),
				{Kind: audit.Stop, Time: at("02 10:30")},
				{Kind: audit.Start, Time: at("02 10:40")},
				ended("02 10:00", "02 12:00"),
			},
			[]string{"02 10:00 02 12:00 7200"},
		},
		"an end that nobody wrote":     {[]audit.Entry{began("02 10:00", "02 12:00")}, []string{"02 10:00 02 12:00 7200"}},
		"an end that was written late": {[]audit.Entry{began("02 10:00", "02 12:00"), ended("02 10:00", "03 01:00")}, []string{"02 10:00 02 12:00 7200"}},
		"a beginning that is gone":     {[]audit.Entry{ended("01 23:00", "02 01:00")}, []string{"01 23:00 02 01:00 3600"}},
		"one that goes on":             {[]audit.Entry{began("03 11:00", "03 13:00")}, []string{"03 11:00 - 3600"}},
		"one after another": {
			[]audit.Entry{began("02 10:00", "02 12:00"), began("02 11:00", "02 12:00"), ended("02 11:00", "02 12:00")},
			[]string{"02 10:00 02 11:00 3600", "02 11:00 02 12:00 3600"},
		},
		"before the period": {[]audit.Entry{began("01 10:00", "01 12:00"), ended("01 10:00", "01 11:00")}, nil},
		"another's agency":  {[]audit.Entry{elsewhere}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			facts := sampleFacts(time.UTC)
			facts.Made, facts.Only = made, "defence"
			r := report.New(facts, p, report.Log{Name: "audit", Entries: entries(test.log...)})
			var got []string
			for _, l := range r.Addresses {
				until := "-"
				if !l.Until.IsZero() {
					until = l.Until.Format("02 15:04")
				}
				got = append(got, fmt.Sprintf("%s %s %d", l.From.Format("02 15:04"), until, l.Seconds))
				if l.ApprovedBy != "the head" || strings.Contains(l.What, "192.0.2.7") {
					t.Errorf("found %+v", l)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}

func TestAddressesThatWereLoggedAreToldInEachLanguage(t *testing.T) {
	p := mustPeriod(t, "2026-03-02", "2026-03-03", time.UTC)
	facts := sampleFacts(time.UTC)
	facts.Made = p.End
	began := audit.Entry{
		Kind: audit.IncidentBegan, Time: p.From, Until: p.From.Add(time.Hour), What: "all queries of all clients", Reason: "botnet", ApprovedBy: "the head",
	}
	r := report.New(facts, p, report.Log{Name: "audit", Entries: entries(began)})
	for lang, want := range map[string]string{"en": "Approved by the head", "fr": "Adresses de clients", "nl": "Adressen van clients", "de": "Adressen von Clients"} {
		var text bytes.Buffer
		if err := r.Write(&text, "md", lang); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{want, "all queries of all clients", "botnet", "the head"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: no %q in\n%s", lang, want, &text)
			}
		}
	}
}

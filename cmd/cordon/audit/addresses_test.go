package audit

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWithoutAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"client 10.10.7.42 is outside":            "client [address] is outside",
		"10.10.7.42/32, 10.10.7.43.":              "[address], [address].",
		"10.10.7.0/24 is that of two":             "10.10.7.0/24 is that of two",
		"2001:db8::1 and 2001:db8:10::/48":        "[address] and 2001:db8:10::/48",
		"2001:db8::1/128: a single address":       "[address]: a single address",
		"client 2001:db8::1: outside":             "client [address]: outside",
		"::ffff:10.10.7.42":                       "[address]:[address]",
		"192.0.2.53:53 is this server":            "[address]:53 is this server",
		"policy/all.yaml:3:5: policies: unknown":  "policy/all.yaml:3:5: policies: unknown",
		"until 2000-01-01T00:10:00Z, at 12:30:00": "until 2000-01-01T00:10:00Z, at 12:30:00",
		"999.1.1.1 is none":                       "999.1.1.1 is none",
		"":                                        "",
	} {
		if got := WithoutAddresses(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
		if again := WithoutAddresses(want); again != want {
			t.Errorf("%q becomes %q", want, again)
		}
	}
}

func TestNoAddressGetsIntoTheLog(t *testing.T) {
	dir := t.TempDir()
	const bad = "client 10.10.7.42 is outside"
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir})
		e := Entry{Kind: Snapshot, Reason: bad, Effect: []string{bad}, Holds: []Hold{{What: "f", Reason: bad}}}
		r.Append(e)
		r.add(Stop)
		if e.Effect[0] != bad || e.Holds[0].Reason != bad {
			t.Error("what the caller has was changed")
		}
		const want = "client [address] is outside"
		for e, err := range Read(dir, time.Time{}, time.Time{}) {
			if err != nil || e.Kind == Snapshot && (e.Reason != want || e.Effect[0] != want || e.Holds[0].Reason != want) {
				t.Errorf("%+v, %v", e, err)
			}
		}
	})
}

package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/config"
)

// exception parses a policy in that timezone whose one exception ends at until.
func exception(t *testing.T, zone, until string) (*config.Exception, config.Faults) {
	t.Helper()
	set, faults := config.LoadPolicy([]config.File{config.NewFile("p.yaml", []byte(`
timezone: `+zone+`
lists: [{name: l, names: [tiktok.com]}]
policies: [{name: p, lists: [l]}]
exceptions:
  - {name: e, agency: default, names: [tiktok.com], reason: r, approved_by: a, until: `+until+`}
`))}, options())
	if len(set.Exceptions) != 1 {
		t.Fatalf("no exception was read:\n%s", faults.Render())
	}
	return set.Exceptions[0], faults.Errors()
}

func TestUntilIsTheEndOfTheDayInTheTimezone(t *testing.T) {
	tests := []struct{ zone, until, want string }{
		{"Europe/Brussels", "2027-09-10", "2027-09-10T22:00:00Z"},            // summer time, UTC+2
		{"Europe/Brussels", "2026-12-31", "2026-12-31T23:00:00Z"},            // UTC+1
		{"Europe/Brussels", "2027-03-28", "2027-03-28T22:00:00Z"},            // a day of 23 hours
		{"UTC", "2027-09-10", "2027-09-11T00:00:00Z"},                        //
		{"America/Santiago", "2027-09-04", "2027-09-05T04:00:00Z"},           // the clocks skip midnight: the day begins at 01:00
		{"Europe/Brussels", "2027-09-11T09:00", "2027-09-11T07:00:00Z"},      //
		{"Europe/Brussels", "'2027-09-11 09:00:30'", "2027-09-11T07:00:30Z"}, //
		{"Europe/Brussels", "2027-09-11T09:00:00-04:00", "2027-09-11T13:00:00Z"},
		{"Europe/Brussels", "2027-03-28T01:59", "2027-03-28T00:59:00Z"}, // just before the clocks go forward
		{"Europe/Brussels", "2027-03-28T03:00", "2027-03-28T01:00:00Z"}, // just after
		{"Europe/Brussels", "2027-10-31T01:59", "2027-10-30T23:59:00Z"}, // just before the hour that is there twice
		{"Europe/Brussels", "2027-10-31T03:00", "2027-10-31T02:00:00Z"}, // just after
		{"Australia/Lord_Howe", "2027-04-04T01:20", "2027-04-03T14:20:00Z"},
	}
	for _, test := range tests {
		t.Run(test.zone+" "+test.until, func(t *testing.T) {
			e, faults := exception(t, test.zone, test.until)
			wantNoFaults(t, faults)
			if got := e.Until.UTC().Format(time.RFC3339); got != test.want {
				t.Errorf("ends at %s, want %s", got, test.want)
			}
		})
	}
}

// TestDaysOfAnotherLength: a policy of one day has the hours of that day, and `until` ends at the midnight that follows it.
func TestDaysOfAnotherLength(t *testing.T) {
	for _, test := range []struct {
		from, until      string
		hours            float64
		begins, untilUTC string
	}{
		{"2023-03-25", "2023-03-25", 24, "2023-03-24T23:00:00Z", "2023-03-25T23:00:00Z"},
		{"2023-03-26", "2023-03-26", 23, "2023-03-25T23:00:00Z", "2023-03-26T22:00:00Z"},
		{"2023-03-27", "2023-03-27", 24, "2023-03-26T22:00:00Z", "2023-03-27T22:00:00Z"},
		{"2023-10-28", "2023-10-28", 24, "2023-10-27T22:00:00Z", "2023-10-28T22:00:00Z"},
		{"2023-10-29", "2023-10-29", 25, "2023-10-28T22:00:00Z", "2023-10-29T23:00:00Z"},
		{"2023-10-30", "2023-10-30", 24, "2023-10-29T23:00:00Z", "2023-10-30T23:00:00Z"},
		{"2023-03-10", "2023-09-10", 185*24 - 1, "2023-03-09T23:00:00Z", "2023-09-10T22:00:00Z"},
		{"2023-03-26T01:59", "2023-03-26T03:00", 1. / 60, "2023-03-26T00:59:00Z", "2023-03-26T01:00:00Z"},
		{"2023-10-29T01:59", "2023-10-29T03:00", 2 + 1./60, "2023-10-28T23:59:00Z", "2023-10-29T02:00:00Z"},
		{"2023-10-29T02:30:00+02:00", "2023-10-29T02:30:00+01:00", 1, "2023-10-29T00:30:00Z", "2023-10-29T01:30:00Z"},
	} {
		set, faults := config.LoadPolicy([]config.File{config.NewFile("p.yaml", []byte(`
timezone: Europe/Brussels
lists: [{name: l, names: [tiktok.com]}]
policies: [{name: p, lists: [l], from: `+test.from+`, until: `+test.until+`}]
`))}, options())
		wantNoFaults(t, faults.Errors())
		p := set.Policies[0]
		begins, until := p.From.UTC().Format(time.RFC3339), p.Until.UTC().Format(time.RFC3339)
		if begins != test.begins || until != test.untilUTC || p.Until.Sub(p.From).Hours() != test.hours {
			t.Errorf("from %s to %s is %s to %s, %s long", test.from, test.until, begins, until, p.Until.Sub(p.From))
		}
	}
}

func TestParseTimeIsThatOfTheFiles(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2023-10-29":                "2023-10-28T22:00:00Z", // the beginning of the day
		"2023-10-29T03:00":          "2023-10-29T02:00:00Z",
		"2023-10-29T02:30:00+01:00": "2023-10-29T01:30:00Z",
	} {
		if got, err := config.ParseTime(text, zone); err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s is %s (%v), want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"2023-10-29T02:30": "want 2023-10-29T02:30:00+02:00 or 2023-10-29T02:30:00+01:00",
		"2023-03-26T02:30": "does not exist in Europe/Brussels",
		"2027-06-31":       `found "2027-06-31", but there is no such day`,
		"2027-13-01T09:00": "there is no such day",
		"tomorrow":         `found "tomorrow", want a date`,
		"":                 "want a date",
	} {
		if got, err := config.ParseTime(text, zone); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %s (%v), want an error with %q", text, got, err, want)
		}
	}
}

func TestATimeThatTheClocksSkipOrShowTwiceIsAFault(t *testing.T) {
	for _, until := range []string{
		"2023-03-26T02:00", "2023-03-26T02:30", "2023-10-29T02:00", "2023-10-29T02:30", "'2023-10-29 02:59:59'",
		"2027-03-28T02:00", "2027-03-28T02:59:59", "2027-10-31T02:00", "2027-10-31T02:59",
	} {
		if _, faults := exception(t, "Europe/Brussels", until); len(faults) != 1 {
			t.Errorf("%s has the faults %v, want one", until, faults)
		}
	}
}

func TestOtherTimesBeginWithTheirDay(t *testing.T) {
	set, faults := config.LoadPolicy([]config.File{config.NewFile("p.yaml", []byte(`
timezone: Europe/Brussels
lists: [{name: l, names: [tiktok.com, "*.Example."]}]
policies: [{name: p, lists: [l], from: 2027-03-10, until: 2027-03-10, decided: 2023-03-10}]
exceptions:
  - {name: e, agency: default, names: [tiktok.com], reason: r, approved_by: a, approved: 2027-03-10, until: 2027-03-10}
`))}, options())
	wantNoFaults(t, faults)
	p, e := set.Policies[0], set.Exceptions[0]
	if got := p.From.UTC().Format(time.RFC3339); got != "2027-03-09T23:00:00Z" {
		t.Errorf("the policy begins at %s", got)
	}
	if day := p.Until.Sub(p.From); day != 24*time.Hour {
		t.Errorf("a policy of one day lasts %s", day)
	}
	if !e.Start().Equal(e.Approved) {
		t.Errorf("the exception begins at %s, want when it was approved", e.Start())
	}
	if p.Strength != "ban" || p.Answer != "nxdomain" || set.Lists[0].Format != "auto" {
		t.Errorf("defaults: strength %s, answer %s, format %s", p.Strength, p.Answer, set.Lists[0].Format)
	}
	if got := set.Lists[0].Names; !slices.Equal(got, []string{"tiktok.com", "*.example"}) {
		t.Errorf("the list has %q, want canonical names", got)
	}
	if got := e.At("until").String(); got != "p.yaml:6" {
		t.Errorf("until is at %s", got)
	}
}

func TestTheShippedFilesHaveNoFaultsAndNoWarnings(t *testing.T) {
	set, faults := config.LoadPolicy(config.DefaultPolicy(), options())
	wantNoFaults(t, faults)
	if len(set.Policies) != 1 || !set.Policies[0].Until.IsZero() {
		t.Errorf("the shipped policy lapses: %+v", set.Policies)
	}
	if len(set.Lists) != 2 || len(set.Agencies) != 1 || set.Agencies[0].Name != config.DefaultAgency {
		t.Errorf("the shipped policy has %d lists and %d agencies", len(set.Lists), len(set.Agencies))
	}
}

// What `cordon init` writes says what happens without it.
func TestTheShippedServiceFileIsTheDefault(t *testing.T) {
	text, err := fs.ReadFile(config.Default(), "cordon.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := config.ParseService(nil, nil)
	for name, text := range map[string]string{"as it is": string(text), "with every key": uncomment(string(text))} {
		t.Run(name, func(t *testing.T) {
			file := config.NewFile("cordon.yaml", []byte(text))
			s, faults := config.ParseService(&file, nil)
			wantNoFaults(t, faults)
			if s.Listen.Admin != plain.Listen.Admin || !slices.Equal(s.Listen.DNS, plain.Listen.DNS) ||
				!slices.Equal(s.AllowClients, plain.AllowClients) || s.ResolvConf != plain.ResolvConf {
				t.Errorf("it is not the default: %+v", s)
			}
			for _, place := range []*config.Place{&s.Cache.Place, &s.Limits.Place, &s.Canaries.Place, &s.Log.Place} {
				*place = config.Place{}
			}
			if cache, limits := s.Cache, s.Limits; cache.MaxBytes != plain.Cache.MaxBytes ||
				cache.MaxStale != plain.Cache.MaxStale ||
				cache.ServeStale != plain.Cache.ServeStale ||
				limits.WaitingPerClient != plain.Limits.WaitingPerClient || limits.WaitingTotal != plain.Limits.WaitingTotal ||
				limits.TCPConnections != plain.Limits.TCPConnections || limits.TCPIdle != plain.Limits.TCPIdle ||
				limits.TCPConnectionsPerClient != plain.Limits.TCPConnectionsPerClient || limits.QueryTimeout != plain.Limits.QueryTimeout {
				t.Errorf("it is not the default: %+v %+v", cache, limits)
			}
			if s.Audit.Keep != plain.Audit.Keep || s.Audit.MaxFile != plain.Audit.MaxFile || s.StructuredErrors.Option != plain.StructuredErrors.Option {
				t.Errorf("it is not the default: %+v %+v", s.Audit, s.StructuredErrors)
			}
			if s.Log.Level != plain.Log.Level || s.Log.Format != plain.Log.Format || s.Log.MaxPerSecond != plain.Log.MaxPerSecond {
				t.Errorf("it is not the default: %+v", s.Log)
			}
			if s.Local.TTL != plain.Local.TTL {
				t.Errorf("it is not the default: %+v", s.Local)
			}
			if s.PolicyDir != "policy" {
				t.Errorf("policy_dir is %q", s.PolicyDir)
			}
		})
	}
}

// uncomment takes the # from the lines that are keys.
func uncomment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		bare, ok := strings.CutPrefix(line, "# ")
		key, _, _ := strings.Cut(strings.TrimLeft(bare, " -{"), ":")
		if ok && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz_") == "" && key != "trusted" {
			line = bare
		}
		b.WriteString(line)
	}
	return b.String()
}

// belgium is the example, as it is checked on a day.
func belgium(t *testing.T, day string) (*config.PolicySet, config.Faults) {
	t.Helper()
	file := config.ReadFile("examples/belgium/cordon.yaml")
	s, faults := config.ParseService(&file, nil)
	wantNoFaults(t, faults)
	files, err := config.ReadPolicyDir(s.PolicyDir)
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	if o.Now, err = time.Parse(time.DateOnly, day); err != nil {
		t.Fatal(err)
	}
	return config.LoadPolicy(files, o)
}

func TestTheExampleHasNoFaultsAndInItsTimeNoWarnings(t *testing.T) {
	set, faults := belgium(t, "2023-03-20")
	wantNoFaults(t, faults)
	if len(set.Agencies) != 14 || len(set.Exceptions) != 2 || len(set.Policies) != 8 || len(set.Lists) != 3 {
		t.Errorf("the example has %d agencies, %d exceptions, %d policies and %d lists",
			len(set.Agencies), len(set.Exceptions), len(set.Policies), len(set.Lists))
	}
	for _, l := range set.Lists {
		if path, ok := strings.CutPrefix(l.Source, "file:"); ok {
			if _, err := os.Stat(filepath.Join(l.Dir, path)); err != nil {
				t.Errorf("list %s: %v", l.Name, err)
			}
		}
	}
}

func TestLaterTheExampleWarnsOfWhatIsOver(t *testing.T) {
	_, faults := belgium(t, "2026-01-01")
	if faults.Bad() {
		t.Errorf("it has faults:\n%s", faults.Errors().Render())
	}
	for _, w := range faults.Warnings() {
		if !strings.Contains(w.Message, " has been over since ") {
			t.Errorf("it warns of something else: %s", w.Message)
		}
	}
	if n := len(faults.Warnings()); n != 7 {
		t.Errorf("%d warnings, want one for each of the 5 policies and 2 exceptions that are over", n)
	}
}

func TestAnExampleThatThereIsNotIsNamedWithThoseThatThereAre(t *testing.T) {
	if _, err := config.Example("belgum"); err == nil || !strings.Contains(err.Error(), "belgium") {
		t.Errorf("found %v", err)
	}
	if _, err := config.Example("../default"); err == nil {
		t.Error("an example outside the examples was found")
	}
}

func TestTheHashIsThatOfTheFilesWhereverTheyLie(t *testing.T) {
	hash := func(path, text string) string {
		set, _ := config.ParsePolicy([]config.File{config.NewFile(path, []byte(text))})
		return set.Hash
	}
	if hash("/a/p.yaml", "x: 1") != hash("/b/p.yaml", "x: 1") {
		t.Error("the same file in another directory has another hash")
	}
	if hash("p.yaml", "x: 1") == hash("p.yaml", "x: 2") || hash("p.yaml", "x: 1") == hash("q.yaml", "x: 1") {
		t.Error("another text or name has the same hash")
	}
}

package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/report"
	"cordon/config"
)

// happened are the events of an exception, "kind day".
func happened(x report.Exception) string {
	var all []string
	for _, e := range x.Events {
		all = append(all, string(e.Kind)+" "+e.On.Format(time.DateOnly))
	}
	return strings.Join(all, ", ")
}

func TestWhatHappenedToExceptionsOfTheFiles(t *testing.T) {
	zone := brussels(t)
	on := func(text string) time.Time { return day(zone, text) }
	base := config.Exception{Name: "x", Agency: "a", Reason: "r", ApprovedBy: "b", Approved: on("2026-01-10"), From: on("2026-01-10"), Until: on("2026-12-01")}
	with := func(change func(*config.Exception)) *config.Exception {
		e := base
		change(&e)
		return &e
	}
	for name, test := range map[string]struct {
		e       *config.Exception
		inForce bool
		want    string // "-": it is not in the report
	}{
		"granted before, still in force": {&base, true, ""},
		"granted on the first day":       {with(func(e *config.Exception) { e.Approved, e.From = on("2026-04-01"), on("2026-04-01") }), true, "granted 2026-04-01"},
		"granted on the last day, begins later": {
			with(func(e *config.Exception) { e.Approved, e.From = on("2026-06-30"), on("2026-07-15") }), false, "granted 2026-06-30",
		},
		"granted after the period": {with(func(e *config.Exception) { e.Approved, e.From = on("2026-07-01"), on("2026-07-01") }), false, "-"},
		"lapsed on the day before": {with(func(e *config.Exception) { e.Until = on("2026-04-01") }), false, "-"},
		"lapsed on the first day":  {with(func(e *config.Exception) { e.Until = on("2026-04-02") }), true, "lapsed 2026-04-02"},
		"lapsed with the last day": {with(func(e *config.Exception) { e.Until = on("2026-07-01") }), true, "lapsed 2026-07-01"},
		"lapsed on the day after":  {with(func(e *config.Exception) { e.Until = on("2026-07-02") }), true, ""},
		"lapses after the report":  {with(func(e *config.Exception) { e.Until = on("2026-06-29") }), true, ""},
		"revoked": {
			with(func(e *config.Exception) { e.Revoked, e.RevokedBy = on("2026-05-01"), "c" }), true, "revoked 2026-05-01",
		},
		"revoked after it had lapsed": {
			with(func(e *config.Exception) { e.Until, e.Revoked = on("2026-05-01"), on("2026-05-02") }), true, "lapsed 2026-05-01",
		},
		"revoked before it began": {
			with(func(e *config.Exception) { e.From, e.Revoked = on("2026-06-01"), on("2026-05-02") }), false, "revoked 2026-05-02",
		},
		"extended": {
			with(func(e *config.Exception) {
				e.Extended = []config.Prolonged{{On: on("2026-02-01"), Until: on("2026-06-01")}, {On: on("2026-05-30"), Until: on("2026-12-01")}}
			}), true, "extended 2026-05-30",
		},
		"extended on the day of the approval": {
			with(func(e *config.Exception) {
				e.Approved, e.From = on("2026-04-01"), on("2026-04-01")
				e.Extended = []config.Prolonged{{On: on("2026-04-01"), Until: on("2026-06-01")}, {On: on("2026-04-01"), Until: on("2026-12-01")}}
			}), true, "granted 2026-04-01, extended 2026-04-01",
		},
		"the first end is no extension": {
			with(func(e *config.Exception) {
				e.Approved, e.From = on("2026-04-01"), on("2026-04-01")
				e.Extended = []config.Prolonged{{On: on("2026-04-01"), Until: on("2026-06-01")}, {On: on("2026-08-01"), Until: on("2026-12-01")}}
			}), true, "granted 2026-04-01",
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := on("2026-08-01")
			if strings.Contains(name, "after the report") {
				made = on("2026-06-15")
			}
			r := report.New(report.Facts{Zone: zone, Made: made, Exceptions: []*config.Exception{test.e}}, mustPeriod(t, "2026-04-01", "2026-06-30", zone))
			got, inForce := "-", false
			if len(r.Exceptions) > 0 {
				got, inForce = happened(r.Exceptions[0]), r.Exceptions[0].InForce
			}
			if got != test.want || inForce != test.inForce {
				t.Errorf("%q, in force %t; want %q, %t", got, inForce, test.want, test.inForce)
			}
		})
	}
}

// What the files don't have any more is told from the logs, once, however many servers tell it.
func TestExceptionsOfTheLogsAlone(t *testing.T) {
	p := mustPeriod(t, "2026-03-01", "2026-03-31", time.UTC)
	at := func(day int) time.Time { return time.Date(2026, 3, day, 9, 0, 0, 0, time.UTC) }
	log := func() report.Log {
		return report.Log{Entries: entries(
			audit.Entry{Kind: audit.ExceptionAdded, Time: at(2), Exception: "x", Agency: "a", Class: "oversight", Reason: "at 10.1.2.3", ApprovedBy: "b", From: at(2), Until: at(20)},
			audit.Entry{Kind: audit.ExceptionUsed, Time: at(3), Exception: "x"},
			audit.Entry{Kind: audit.ExceptionUsed, Time: at(3), Exception: "x"},
			audit.Entry{Kind: audit.ExceptionExtended, Time: at(4), Exception: "x", Until: at(25)},
			audit.Entry{Kind: audit.ExceptionUsed, Time: at(10).Add(-9 * time.Hour), Since: at(10).Add(-10 * time.Hour), Exception: "x"}, // on the 9th
			audit.Entry{Kind: audit.ExceptionRevoked, Time: at(11), Exception: "x", ApprovedBy: "c", Until: at(10)},
		)}
	}
	r := report.New(report.Facts{Zone: time.UTC, Made: p.End}, p, log(), log())
	if len(r.Exceptions) != 1 {
		t.Fatalf("%d exceptions, want one", len(r.Exceptions))
	}
	x := r.Exceptions[0]
	if got, want := happened(x), "granted 2026-03-02, extended 2026-03-04, revoked 2026-03-10"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	got := fmt.Sprintln(x.Written, x.Agency, x.Class, x.Reason, x.ApprovedBy, x.Until.Day(), x.UsedDays, x.FirstUse, x.LastUse, x.InForce)
	if want := "false a oversight at [address] b 10 2 2026-03-03 2026-03-09 true\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// An earlier end is neither an extension nor a lapse.
func TestAnEarlierEndIsNoExtension(t *testing.T) {
	p := mustPeriod(t, "2026-03-01", "2026-03-31", time.UTC)
	at := func(day int) time.Time { return time.Date(2026, 3, day, 9, 0, 0, 0, time.UTC) }
	r := report.New(report.Facts{Zone: time.UTC, Made: at(12)}, p, report.Log{Entries: entries(
		audit.Entry{Kind: audit.ExceptionAdded, Time: at(2), Exception: "x", Agency: "a", ApprovedBy: "b", From: at(2), Until: at(20)},
		audit.Entry{Kind: audit.ExceptionShortened, Time: at(4), Exception: "x", Until: at(15)},
	)})
	if x := r.Exceptions[0]; happened(x) != "granted 2026-03-02" || x.Until.Day() != 15 {
		t.Errorf("%q until day %d, want it granted, until day 15", happened(x), x.Until.Day())
	}
}

// The clients and the names of an exception are counted, never told.
func TestClientsOfExceptionsAreCounted(t *testing.T) {
	zone := brussels(t)
	r := report.New(sampleFacts(zone), mustPeriod(t, "2026-01-01", "2026-06-30", zone))
	var all strings.Builder
	for _, format := range report.Formats() {
		if err := r.Write(&all, format, "en"); err != nil {
			t.Fatal(err)
		}
	}
	for _, address := range []string{"10.10.7.42", "10.10.16.0", "2001:db8"} {
		if strings.Contains(all.String(), address) {
			t.Errorf("the report has %s", address)
		}
	}
	for _, want := range []string{"for 1 address", "for 1 address, for 1 network", "for the whole agency and those below it", "for 2 names"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("the report does not have %q", want)
		}
	}
}

func TestIncidents(t *testing.T) {
	p := mustPeriod(t, "2026-03-02", "2026-03-03", time.UTC)
	at := func(text string) time.Time {
		moment, err := time.Parse("2006-01-02 15:04", "2026-03-"+text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for name, test := range map[string]struct {
		log  []audit.Entry
		want []string // "kind what from until seconds times"
	}{
		"a file that is mended": {
			[]audit.Entry{
				{Kind: audit.Rejected, Time: at("02 10:00"), What: "a.yaml", Reason: "r"},
				{Kind: audit.Rejected, Time: at("02 10:05"), What: "a.yaml", Reason: "s"},
				{Kind: audit.Released, Time: at("02 10:10"), What: "a.yaml"},
			},
			[]string{"file-held a.yaml 02 10:00 02 10:10 600 2"},
		},
		"a list that somebody believes": {
			[]audit.Entry{{Kind: audit.Held, Time: at("01 10:00"), What: "list l"}, {Kind: audit.Accepted, Time: at("02 01:00"), What: "list l"}},
			[]string{"list-held l 01 10:00 02 01:00 3600 1"},
		},
		"a list that is still held": {
			[]audit.Entry{{Kind: audit.Held, Time: at("03 23:00"), What: "list l"}},
			[]string{"list-held l 03 23:00 - 3600 1"},
		},
		"what was over before the period": {
			[]audit.Entry{{Kind: audit.Held, Time: at("01 10:00"), What: "list l"}, {Kind: audit.Released, Time: at("01 11:00"), What: "list l"}},
			nil,
		},
		"what began after the period": {[]audit.Entry{{Kind: audit.Held, Time: at("04 00:00"), What: "list l"}}, nil},
		"upstreams of two routes": {
			[]audit.Entry{
				{Kind: audit.UpstreamsLost, Time: at("02 10:01"), From: at("02 10:00"), What: "."},
				{Kind: audit.UpstreamsLost, Time: at("02 10:02"), What: "ad.example"},
				{Kind: audit.UpstreamsBack, Time: at("02 10:05"), Until: at("02 10:04"), What: "."},
				{Kind: audit.UpstreamsBack, Time: at("02 10:06"), What: "ad.example"},
			},
			[]string{"no-upstream . 02 10:00 02 10:04 240 1", "no-upstream ad.example 02 10:02 02 10:06 240 1"},
		},
		"a stop and a start": {
			[]audit.Entry{{Kind: audit.Start, Time: at("01 00:00")}, {Kind: audit.Stop, Time: at("02 10:00")}, {Kind: audit.Start, Time: at("02 10:30")}},
			[]string{"not-running  02 10:00 02 10:30 1800 1"},
		},
		"a stop for good": {
			[]audit.Entry{{Kind: audit.Start, Time: at("01 00:00")}, {Kind: audit.Stop, Time: at("03 12:00")}},
			[]string{"not-running  03 12:00 - 43200 1"},
		},
		"a crash, in which a hold ends that is seen again": {
			[]audit.Entry{
				{Kind: audit.Start, Time: at("01 00:00")},
				{Kind: audit.Held, Time: at("02 09:00"), What: "list l"},
				{Kind: audit.UpstreamsLost, Time: at("02 09:50"), What: "."},
				{Kind: audit.Start, Time: at("02 10:30")},
				{Kind: audit.Snapshot, Time: at("02 10:30"), Holds: []audit.Hold{{What: "list l", Reason: "r"}}},
				{Kind: audit.Snapshot, Time: at("02 11:00")},
			},
			[]string{
				"list-held l 02 09:00 02 09:50 3000 1", "crashed  02 09:50 02 10:30 2400 1", "no-upstream . 02 09:50 02 09:50 0 1",
				"list-held l 02 10:30 02 11:00 1800 1",
			},
		},
		"numbers that are missing": {
			[]audit.Entry{{Sequence: 7, Kind: audit.Snapshot, Time: at("02 10:00")}, {Sequence: 10, Kind: audit.Snapshot, Time: at("02 11:00")}},
			[]string{"log-gap  02 10:00 02 11:00 3600 2"},
		},
		"entries that the disk refused": {
			[]audit.Entry{{Kind: audit.Gap, Time: at("02 12:00"), From: at("02 10:00"), Until: at("02 11:00"), Missing: 5}},
			[]string{"log-gap  02 10:00 02 11:00 3600 5"},
		},
		"what a later version says": {[]audit.Entry{{Kind: "eclipse", Time: at("02 00:00"), What: "moon"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := report.New(report.Facts{Zone: time.UTC, Made: p.End.AddDate(0, 1, 0)}, p, report.Log{Entries: entries(test.log...)})
			var got []string
			for _, i := range r.Incidents.All {
				until := "-"
				if !i.Until.IsZero() {
					until = i.Until.Format("02 15:04")
				}
				got = append(got, fmt.Sprintf("%s %s %s %s %d %d", i.Kind, i.What, i.From.Format("02 15:04"), until, i.Seconds, i.Times))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// The snapshot with which a start begins is no change, whatever the log says before it.
func TestChangesOfThePolicyAreCounted(t *testing.T) {
	p := mustPeriod(t, "2026-03-02", "2026-03-03", time.UTC)
	r := report.New(report.Facts{Zone: time.UTC, Made: p.End}, p, report.Log{Entries: entries(
		audit.Entry{Kind: audit.Start, Time: p.From}, audit.Entry{Kind: audit.PolicyBegan, Time: p.From}, audit.Entry{Kind: audit.Snapshot, Time: p.From},
		audit.Entry{Kind: audit.Snapshot, Time: p.From.Add(time.Hour)}, audit.Entry{Kind: audit.Stop, Time: p.From.Add(2 * time.Hour)},
		audit.Entry{Kind: audit.Start, Time: p.From.Add(3 * time.Hour)}, audit.Entry{Kind: audit.Snapshot, Time: p.From.Add(3 * time.Hour)},
	)})
	if n := r.Incidents; n.Changes != 1 || n.Starts != 2 || n.Stops != 1 {
		t.Errorf("%d changes, %d starts, %d stops; want 1, 2 and 1", n.Changes, n.Starts, n.Stops)
	}
}

// However many incidents and exceptions a log has, the report has a bound.
func TestIncidentsAndExceptionsHaveABound(t *testing.T) {
	p := mustPeriod(t, "2026-03-02", "2026-03-03", time.UTC)
	r := report.New(report.Facts{Zone: time.UTC, Made: p.End}, p, report.Log{Entries: func(yield func(audit.Entry, error) bool) {
		for i := range 30000 {
			if !yield(audit.Entry{Sequence: uint64(2*i + 1), Kind: audit.ExceptionAdded, Time: p.From, Exception: fmt.Sprint(i), Until: p.End}, nil) ||
				!yield(audit.Entry{Sequence: uint64(2*i + 2), Kind: audit.Gap, Time: p.From.Add(time.Hour), Missing: 1}, nil) {
				return
			}
		}
	}})
	if len(r.Incidents.All) != 1000 || r.LeftOut.Incidents != 29000 || len(r.Exceptions) != 20000 || r.LeftOut.Exceptions != 10000 {
		t.Errorf("%d incidents and %d left out, %d exceptions and %d left out",
			len(r.Incidents.All), r.LeftOut.Incidents, len(r.Exceptions), r.LeftOut.Exceptions)
	}
}

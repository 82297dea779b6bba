package report_test

import (
	"errors"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/report"
	"cordon/resolver/policy"
)

// entries are a log of those entries, numbered if they are not.
func entries(all ...audit.Entry) iter.Seq2[audit.Entry, error] {
	return func(yield func(audit.Entry, error) bool) {
		for i, e := range all {
			if e.Sequence == 0 {
				e.Sequence = uint64(i + 1)
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// hour are the counts of the hour from t.
func hour(t time.Time, counts ...audit.Count) audit.Entry {
	return audit.Entry{Kind: audit.Counted, Since: t, Time: t.Add(time.Hour), Counts: counts}
}

func TestZeroIsSaidOnlyOfTimesThatALogCovers(t *testing.T) {
	zone := brussels(t)
	p := mustPeriod(t, "2026-03-01", "2026-03-03", zone)
	refused := audit.Count{Agency: "a", Policy: "p", List: "l", Refused: 5}
	var log []audit.Entry
	for h := range 24 { // the first day, without any count; of the second, one hour; nothing of the third
		log = append(log, hour(p.From.Add(time.Duration(h)*time.Hour)))
	}
	log = append(log, hour(p.From.Add(24*time.Hour), refused))
	r := report.New(report.Facts{Zone: zone, Made: p.End}, p, report.Log{Entries: entries(log...)})
	want := []*report.Tally{{}, {Refused: 5}, nil}
	for i, s := range r.Steps {
		if !reflect.DeepEqual(s.Tally, want[i]) {
			t.Errorf("%s: %v, want %v", s.From, s.Tally, want[i])
		}
	}
	if covered := []int64{r.Steps[0].Covered, r.Steps[1].Covered, r.Steps[2].Covered}; !slices.Equal(covered, []int64{24 * 3600, 3600, 0}) {
		t.Errorf("covered are %v seconds", covered)
	}
	if row := r.ByAgency[0]; !reflect.DeepEqual(row.Steps, want) || *row.Total != *want[1] {
		t.Errorf("the row of the agency is %v, in all %v", row.Steps, row.Total)
	}
}

func TestWithoutALogThereAreNoData(t *testing.T) {
	p := mustPeriod(t, "2026-03-01", "2026-03-31", time.UTC)
	facts := report.Facts{Zone: time.UTC, Agencies: []report.AgencyFacts{{Agency: &policy.Agency{Name: "a", Mode: policy.Enforce}}}}
	r := report.New(facts, p)
	if r.Total != nil || len(r.ByAgency) != 1 || r.ByAgency[0].Total != nil || r.Steps[0].Tally != nil {
		t.Errorf("in all %v, by agency %v, in the first step %v: want no data", r.Total, r.ByAgency, r.Steps[0].Tally)
	}
}

// Hours without any count are not in the log, and still covered if the process went on. What is lost by a crash or a gap is not.
func TestWhatALogCovers(t *testing.T) {
	p := mustPeriod(t, "2026-03-02", "2026-03-02", time.UTC)
	at := func(h int) time.Time { return p.From.Add(time.Duration(h) * time.Hour) }
	for name, test := range map[string]struct {
		log   []audit.Entry
		hours float64
	}{
		"quiet hours between counts":  {[]audit.Entry{{Kind: audit.Start, Time: at(0)}, hour(at(1)), hour(at(9))}, 10},
		"quiet hours before a stop":   {[]audit.Entry{{Kind: audit.Start, Time: at(2)}, {Kind: audit.Stop, Time: at(8)}}, 6},
		"quiet hours before anything": {[]audit.Entry{{Kind: audit.Start, Time: at(2)}, {Kind: audit.Snapshot, Time: at(8).Add(time.Minute)}}, 5},
		"a stop":                      {[]audit.Entry{hour(at(0)), {Kind: audit.Stop, Time: at(2)}, {Kind: audit.Start, Time: at(5)}, hour(at(5))}, 3},
		"a crash":                     {[]audit.Entry{hour(at(0)), hour(at(1)), {Kind: audit.Start, Time: at(5)}, hour(at(5))}, 3},
		"a crash after something":     {[]audit.Entry{hour(at(0)), {Kind: audit.Snapshot, Time: at(3).Add(time.Minute)}, {Kind: audit.Start, Time: at(5)}}, 2},
		"a gap that is told":          {[]audit.Entry{hour(at(0)), {Kind: audit.Gap, Time: at(6), From: at(2), Until: at(5), Missing: 3}, hour(at(6))}, 4},
		"a gap that is not":           {[]audit.Entry{{Sequence: 3, Kind: audit.Counted, Since: at(0), Time: at(1)}, {Sequence: 9, Kind: audit.Counted, Since: at(7), Time: at(8)}}, 2},
		"a clock that steps back":     {[]audit.Entry{hour(at(4)), hour(at(3)), hour(at(4)), hour(at(5))}, 2},
		"from before to after":        {[]audit.Entry{{Kind: audit.Start, Time: at(-5)}, hour(at(30))}, 24},
	} {
		t.Run(name, func(t *testing.T) {
			r := report.New(report.Facts{Zone: time.UTC, Made: p.End}, p, report.Log{Entries: entries(test.log...)})
			if got := float64(r.Logs[0].Covered) / 3600; got != test.hours {
				t.Errorf("%v hours are covered, want %v", got, test.hours)
			}
		})
	}
}

// A count belongs to the step in which its hour begins, in the time zone of the report; what begins before or after the period is not in it.
func TestCountsBelongToTheDayOnWhichTheirHourBegins(t *testing.T) {
	zone := brussels(t)
	p := mustPeriod(t, "2026-03-29", "2026-03-30", zone) // the first has 23 hours
	one := audit.Count{Agency: "a", Policy: "p", List: "l", Refused: 1}
	var log []audit.Entry
	for at := p.From.Add(-2 * time.Hour); at.Before(p.End.Add(2 * time.Hour)); at = at.Add(time.Hour) {
		log = append(log, hour(at, one))
	}
	r := report.New(report.Facts{Zone: zone}, p, report.Log{Entries: entries(log...)})
	if a, b := r.Steps[0], r.Steps[1]; a.Tally.Refused != 23 || b.Tally.Refused != 24 || a.Covered != 23*3600 || a.Seconds != a.Covered {
		t.Errorf("%d and %d refused, %d of %d seconds covered", a.Tally.Refused, b.Tally.Refused, a.Covered, a.Seconds)
	}
}

func TestSeveralLogsAreAdded(t *testing.T) {
	p := mustPeriod(t, "2026-03-01", "2026-03-02", time.UTC)
	var one, two []audit.Entry
	for h := range 24 {
		at := p.From.Add(time.Duration(h) * time.Hour)
		one = append(one, hour(at, audit.Count{Agency: "a", Policy: "p", List: "l", Refused: 2}))
		two = append(two, hour(at.Add(24*time.Hour), audit.Count{Agency: "a", Policy: "p", List: "l", Refused: 3}))
	}
	all := append(slices.Clone(one), two...)
	r := report.New(report.Facts{Zone: time.UTC, Made: p.End}, p,
		report.Log{Name: "ns1", Entries: entries(all...)}, report.Log{Name: "ns2", Entries: entries(two...)})
	if a, b := r.Steps[0], r.Steps[1]; a.Tally.Refused != 48 || b.Tally.Refused != 144 || a.Covered != 12*3600 || b.Covered != 24*3600 {
		t.Errorf("%d and %d refused, %d and %d seconds covered", a.Tally.Refused, b.Tally.Refused, a.Covered, b.Covered)
	}
	if a, b := r.Logs[0], r.Logs[1]; a.Covered != 48*3600 || b.Covered != 24*3600 || a.Seconds != 48*3600 {
		t.Errorf("the logs cover %d and %d of %d seconds", a.Covered, b.Covered, a.Seconds)
	}
}

func TestCountsThatCannotBe(t *testing.T) {
	p := mustPeriod(t, "2026-03-01", "2026-03-01", time.UTC)
	huge := audit.Count{Agency: "a", Policy: "p", List: "l", Refused: math.MaxUint64}
	r := report.New(report.Facts{Zone: time.UTC}, p, report.Log{Entries: entries(
		audit.Entry{Kind: audit.Counted, Time: p.From, Counts: []audit.Count{huge}},                               // no beginning
		audit.Entry{Kind: audit.Counted, Since: p.From.Add(time.Hour), Time: p.From, Counts: []audit.Count{huge}}, // it ends before
		hour(p.From, huge), hour(p.From, huge), // the same hour twice, and more than there are numbers
	)})
	if r.LeftOut.Unusable != 2 || r.Total.Refused != math.MaxUint64 || r.Steps[0].Covered != 3600 {
		t.Errorf("%d unusable, %d refused, %d seconds covered", r.LeftOut.Unusable, r.Total.Refused, r.Steps[0].Covered)
	}
}

// Lines that can't be read are told, and what is after them counts.
func TestUnreadableLinesAreTold(t *testing.T) {
	p := mustPeriod(t, "2026-03-01", "2026-03-01", time.UTC)
	r := report.New(report.Facts{Zone: time.UTC}, p, report.Log{Entries: func(yield func(audit.Entry, error) bool) {
		_ = yield(audit.Entry{}, errors.New("audit-1.jsonl:1: not an entry, of 10.1.2.3")) &&
			yield(hour(p.From, audit.Count{Agency: "a", Refused: 1}), nil)
	}})
	if g := r.Logs[0]; g.Unreadable != 1 || g.FirstUnreadable != "audit-1.jsonl:1: not an entry, of [address]" || r.Total.Refused != 1 {
		t.Errorf("%d unreadable, %q, then %d refused", g.Unreadable, g.FirstUnreadable, r.Total.Refused)
	}
}

// The sums are those that one gets by going through all entries for each number anew.
func TestCountsAgreeWithASlowOracle(t *testing.T) {
	zone := brussels(t)
	r := rand.New(rand.NewPCG(4, 2))
	for _, days := range []int{3, 60, 500} {
		from := day(zone, "2025-10-10")
		p := report.Period{From: from, End: from.AddDate(0, 0, days)}
		var log []audit.Entry
		for range 2000 {
			e := hour(from.Add(time.Duration(r.IntN(days*24*70)-days*24*2) * time.Minute))
			for range r.IntN(4) {
				e.Counts = append(e.Counts, audit.Count{
					Agency: pick(r, "a", "b", "c"), Policy: pick(r, "p", "q"), List: pick(r, "l", "m", "n"),
					Refused: uint64(r.IntN(9)), Observed: uint64(r.IntN(3)), Excepted: uint64(r.IntN(2)),
				})
			}
			log = append(log, e)
		}
		slices.SortStableFunc(log, func(a, b audit.Entry) int { return a.Time.Compare(b.Time) })
		facts := report.Facts{Zone: zone, Lists: []report.List{{Name: "m", Source: "builtin:service/capcut"}}}
		compare(t, report.New(facts, p, report.Log{Entries: entries(log...)}), log, zone)
	}
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func compare(t *testing.T, r *report.Report, log []audit.Entry, zone *time.Location) {
	t.Helper()
	for i, s := range r.Steps {
		want := map[string]report.Tally{}
		var all report.Tally
		for _, e := range log {
			on := e.Since.In(zone).Format(time.DateOnly)
			if on < s.From || on > s.To {
				continue
			}
			for _, c := range e.Counts {
				for _, key := range []string{"agency " + c.Agency, "list " + c.List} {
					sum := want[key]
					sum.Refused, sum.Observed, sum.Excepted = sum.Refused+c.Refused, sum.Observed+c.Observed, sum.Excepted+c.Excepted
					want[key] = sum
				}
				all.Refused, all.Observed, all.Excepted = all.Refused+c.Refused, all.Observed+c.Observed, all.Excepted+c.Excepted
			}
		}
		got := map[string]report.Tally{}
		for _, row := range r.ByAgency {
			got["agency "+row.Name] = tallyOf(row.Steps[i])
		}
		for _, row := range r.ByService {
			got["list "+map[string]string{"capcut": "m"}[row.Name]+map[string]string{"l": "l", "n": "n"}[row.Name]] = tallyOf(row.Steps[i])
		}
		maps.DeleteFunc(got, func(_ string, tally report.Tally) bool { return tally == report.Tally{} })
		maps.DeleteFunc(want, func(_ string, tally report.Tally) bool { return tally == report.Tally{} })
		if !maps.Equal(got, want) || tallyOf(s.Tally) != all {
			t.Errorf("%s: %v, in all %v; want %v, in all %v", s.From, got, s.Tally, want, all)
		}
	}
}

func tallyOf(t *report.Tally) report.Tally {
	if t == nil {
		return report.Tally{}
	}
	return *t
}

// A report on an agency has it and those below it, and nothing of others.
func TestOneAgency(t *testing.T) {
	zone := brussels(t)
	facts := sampleFacts(zone)
	facts.Only = "defence"
	p := mustPeriod(t, "2026-01-01", "2026-06-30", zone)
	r := report.New(facts, p, report.Log{Entries: sampleLog(day(zone, "2026-01-01"), day(zone, "2026-03-01"), 1)})
	var told []string
	for _, a := range r.Agencies {
		told = append(told, a.Name)
	}
	for _, row := range r.ByAgency {
		told = append(told, row.Name)
	}
	for _, x := range r.Exceptions {
		told = append(told, x.Name)
	}
	for _, b := range r.Bans {
		told = append(told, b.Name)
	}
	for _, l := range r.Lists {
		told = append(told, l.Name)
	}
	want := []string{
		"defence", "defence-academy", "defence", "defence-academy", "press-phone", "nsc-2023-03-10", "defence-2026",
		"tiktok", "bytedance-networks", "defence-extra",
	}
	if !slices.Equal(told, want) {
		t.Errorf("the report tells of %q, want %q", told, want)
	}
	for _, c := range r.Counts {
		if c.Agency != "defence" && c.Agency != "defence-academy" {
			t.Errorf("it has counts of %s", c.Agency)
		}
	}
}

// An exception of an agency above, if it is for those below, belongs to them too.
func TestOneAgencyHasTheExceptionsFromAbove(t *testing.T) {
	zone := brussels(t)
	facts := sampleFacts(zone)
	facts.Only = "health-lab"
	r := report.New(facts, mustPeriod(t, "2026-01-01", "2026-06-30", zone))
	if len(r.Exceptions) != 1 || r.Exceptions[0].Name != "misinformation-study" {
		t.Errorf("the exceptions are %v, want misinformation-study", r.Exceptions)
	}
}

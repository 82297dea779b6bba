package report_test

import (
	"strings"
	"testing"
	"time"

	"cordon/cmd/cordon/report"
)

func TestPeriodIsOfWholeDaysInItsZone(t *testing.T) {
	zone := brussels(t)
	for name, test := range map[string]struct {
		from, to string
		hours    int
	}{
		"a day":                           {"2026-01-01", "2026-01-01", 24},
		"the day that has 23 hours":       {"2026-03-29", "2026-03-29", 23},
		"the day that has 25 hours":       {"2026-10-25", "2026-10-25", 25},
		"the month that has an hour less": {"2026-03-01", "2026-03-31", 31*24 - 1},
		"the month that has an hour more": {"2026-10-01", "2026-10-31", 31*24 + 1},
		"a leap day":                      {"2028-02-29", "2028-02-29", 24},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustPeriod(t, test.from, test.to, zone)
			if got := int(p.End.Sub(p.From).Hours()); got != test.hours || p.Last().Format(time.DateOnly) != test.to {
				t.Errorf("%d hours to %s, want %d to %s", got, p.Last().Format(time.DateOnly), test.hours, test.to)
			}
		})
	}
}

func TestPeriodThatCannotBe(t *testing.T) {
	for _, test := range []struct{ from, to, want string }{
		{"2026-02-30", "2026-03-01", `"2026-02-30" is not a day`},
		{"2026-01-01", "tomorrow", `"tomorrow" is not a day`},
		{"2026-01-02", "2026-01-01", "ends before it begins"},
		{"2016-01-01", "2026-01-01", "longer than 10 years"},
	} {
		if _, err := report.NewPeriod(test.from, test.to, time.UTC); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s to %s: %v, want %q", test.from, test.to, err, test.want)
		}
	}
	if _, err := report.NewPeriod("2016-01-01", "2025-12-31", time.UTC); err != nil {
		t.Errorf("ten years: %v", err)
	}
}

func TestLastQuarter(t *testing.T) {
	zone := brussels(t)
	for now, want := range map[string]string{
		"2026-01-01": "2025-10-01 2025-12-31",
		"2026-03-31": "2025-10-01 2025-12-31",
		"2026-04-01": "2026-01-01 2026-03-31",
		"2026-12-31": "2026-07-01 2026-09-30",
	} {
		p := report.LastQuarter(day(zone, now).Add(13 * time.Hour))
		if got := p.From.Format(time.DateOnly) + " " + p.Last().Format(time.DateOnly); got != want {
			t.Errorf("on %s: %s, want %s", now, got, want)
		}
	}
}

// The steps cover the period without a gap, each is one unit but for the ends, and their seconds are those of the clock.
func TestSteps(t *testing.T) {
	zone := brussels(t)
	for name, test := range map[string]struct {
		from, to    string
		unit        report.Unit
		steps       int
		first, last string // "from to"
	}{
		"a day":       {"2026-03-05", "2026-03-05", report.Day, 1, "2026-03-05 2026-03-05", "2026-03-05 2026-03-05"},
		"a month":     {"2026-03-01", "2026-03-31", report.Day, 31, "2026-03-01 2026-03-01", "2026-03-31 2026-03-31"},
		"a quarter":   {"2026-01-01", "2026-03-31", report.Week, 14, "2026-01-01 2026-01-04", "2026-03-30 2026-03-31"},
		"half a year": {"2026-01-01", "2026-06-30", report.Week, 27, "2026-01-01 2026-01-04", "2026-06-29 2026-06-30"},
		"from Monday": {"2026-01-05", "2026-03-01", report.Week, 8, "2026-01-05 2026-01-11", "2026-02-23 2026-03-01"},
		"a year":      {"2026-01-15", "2027-01-14", report.Month, 13, "2026-01-15 2026-01-31", "2027-01-01 2027-01-14"},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustPeriod(t, test.from, test.to, zone)
			r := report.New(report.Facts{Zone: zone}, p)
			if r.Unit != test.unit || len(r.Steps) != test.steps {
				t.Fatalf("%d steps by %s, want %d by %s", len(r.Steps), r.Unit, test.steps, test.unit)
			}
			end, seconds := p.From, int64(0)
			for _, s := range r.Steps {
				if s.From != end.Format(time.DateOnly) {
					t.Errorf("a step begins on %s, want %s", s.From, end.Format(time.DateOnly))
				}
				end, seconds = day(zone, s.To).AddDate(0, 0, 1), seconds+s.Seconds
			}
			if want := int64(p.End.Sub(p.From).Seconds()); seconds != want || !end.Equal(p.End) {
				t.Errorf("the steps have %d seconds to %s, want %d to %s", seconds, end, want, p.End)
			}
			first, last := r.Steps[0], r.Steps[len(r.Steps)-1]
			if first.From+" "+first.To != test.first || last.From+" "+last.To != test.last {
				t.Errorf("the first is %s %s, the last %s %s", first.From, first.To, last.From, last.To)
			}
		})
	}
}

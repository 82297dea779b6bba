package wording

import (
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	brussels, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2023, 3, 10, 0, 0, 0, 0, brussels)
	changed := time.Date(2023, 10, 30, 0, 0, 0, 0, brussels) // the day before had 25 hours
	noon := time.Date(2023, 9, 10, 12, 0, 0, 0, brussels)
	for _, c := range [][2]string{
		{Count(0, "list"), "0 lists"},
		{Count(1, "agency"), "1 agency"},
		{Count(2, "agency"), "2 agencies"},
		{Count(2, "list"), "2 lists"},
		{After("a", ", ", "b"), "a, b"},
		{After("", ", ", "b"), "b"},
		{After("a", ", ", ""), "a"},
		{Moment("from ", time.Time{}), ""},
		{Moment("from ", day), "from 2023-03-10"},
		{Moment("from ", day.UTC()), "from 2023-03-09 23:00 UTC"},
		{Moment("from ", noon), "from 2023-09-10 12:00 CEST"},
		{End(time.Time{}), ""},
		{End(changed), "to the end of 2023-10-29"},
		{End(noon), "until 2023-09-10 12:00 CEST"},
		{Span(day, changed), "from 2023-03-10 to the end of 2023-10-29"},
		{Span(time.Time{}, noon), "until 2023-09-10 12:00 CEST"},
		{Span(day, time.Time{}), "from 2023-03-10"},
		{Span(time.Time{}, time.Time{}), "always"},
		{Day("on ", noon), "on 2023-09-10"},
		{Day("on ", time.Time{}), ""},
		{Roughly(-time.Second), "0s"},
		{Roughly(90 * time.Second), "90s"},
		{Roughly(119 * time.Minute), "119m"},
		{Roughly(47 * time.Hour), "47h"},
		{Roughly(12 * 24 * time.Hour), "12d"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}

package status

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
)

// UPDATE=1 in the environment writes the golden text anew.
func TestTheTextIsAsItWas(t *testing.T) {
	const golden = "testdata/status.txt"
	var text bytes.Buffer
	if err := Write(&text, sample()); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("found:\n%s\nwant:\n%s", &text, want)
	}
}

// A terminal obeys what it is sent: a policy file must not get that far.
func TestTheTextHasNoControls(t *testing.T) {
	s := sample()
	const evil = "\x1b]0;title\x07\u009b31m\r\n\t\u202e"
	s.Held[0].Reason, s.Held[0].What, s.Exceptions[0].Name, s.Tests[1].Reason = evil, evil, evil, evil
	s.Host, s.Snapshot.From, s.Next[0].What = evil, evil, evil
	var text bytes.Buffer
	if err := Write(&text, s); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(text.String(), func(r rune) bool { return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
		t.Errorf("a control: %q", text.String()[max(0, i-20):i+10])
	}
}

func TestTheTextIsBounded(t *testing.T) {
	var text bytes.Buffer
	if err := Write(&text, crowd(10_000)); err != nil {
		t.Fatal(err)
	}
	const most = 40_000
	if text.Len() > most {
		t.Errorf("%d octets, want at most %d", text.Len(), most)
	}
	if want := "and 9980 more: cordon exception list\n"; !strings.Contains(text.String(), want) {
		t.Errorf("%q is not there", want)
	}
}

func TestWhatIsWrong(t *testing.T) {
	well := sample()
	well.Held, well.Tests, well.Limits, well.Lists, well.Routes = nil, nil, nil, nil, nil
	if wrong := well.Wrong(); wrong != nil {
		t.Errorf("found %q, want nothing", wrong)
	}
	well.NotReady = "it is deaf"
	if got := strings.Join(well.Wrong(), ", "); got != "not ready: it is deaf" {
		t.Errorf("of one that is not ready: %q", got)
	}
	got := strings.Join(sample().Wrong(), ", ")
	want := "1 self-test failed, 2 faults held, 1 zone of which no upstream answers, 2 upstreams failing, 1 list too old, " +
		"1 fault of the program itself, see the log"
	if got != want {
		t.Errorf("found %q,\nwant %q", got, want)
	}
	if got := strings.Join(new(Status).Wrong(), ", "); got != "no policy is in force" {
		t.Errorf("of nothing: %q", got)
	}
}

func TestShares(t *testing.T) {
	for _, test := range []struct {
		part, all uint64
		want      string
	}{
		{0, 7, "0.0 %"}, {7, 7, "100.0 %"}, {1, 3, "33.3 %"}, {1, 1_000_000, "less than 0.1 %"}, {999_999, 1_000_000, "more than 99.9 %"},
	} {
		if got := share(test.part, test.all); got != test.want {
			t.Errorf("%d of %d: %q, want %q", test.part, test.all, got, test.want)
		}
	}
}

func TestNumbersAreGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1\u202f000", 1234567: "1\u202f234\u202f567"} {
		if got := grouped(n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLastDays(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	for until, want := range map[time.Time]string{
		{}: "", time.Date(2027, 3, 1, 0, 0, 0, 0, zone): "2027-02-28", time.Date(2027, 3, 1, 9, 0, 0, 0, zone): "2027-03-01 09:00 CET",
	} {
		if got := lastDay(until); got != want {
			t.Errorf("%v: %q, want %q", until, got, want)
		}
	}
}

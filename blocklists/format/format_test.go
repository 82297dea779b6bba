package format_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"cordon/blocklists/format"
)

// show is what reading gave, a line for each step: "3 subtree tiktok.com", "4 fault: …", or the error that ended it.
func show(f format.Format, r io.Reader) []string {
	var steps []string
	for rule, err := range format.Read(f, r) {
		fault, skipped := errors.AsType[*format.LineError](err)
		switch {
		case skipped:
			steps = append(steps, fmt.Sprintf("%d fault %s: %s", fault.Line, fault.Text, fault.Reason))
		case err != nil:
			steps = append(steps, "error "+err.Error())
		case rule.Prefix.IsValid():
			steps = append(steps, fmt.Sprintf("%d%s %s", rule.Line, actionWord(rule.Action), rule.Prefix))
		default:
			steps = append(steps, fmt.Sprintf("%d%s %s %s", rule.Line, actionWord(rule.Action), rule.Match, rule.Name))
		}
	}
	return steps
}

// actionWord is nothing for what most rules do.
func actionWord(action format.Action) string {
	if action == format.Block {
		return ""
	}
	return " " + action.String()
}

// formats are all formats.
func formats() []format.Format {
	return []format.Format{
		format.Auto, format.Names, format.Hosts, format.Networks, format.Adblock, format.Dnsmasq, format.Unbound, format.RPZ,
	}
}

type lineTest struct {
	line string
	want []string // for each step the beginning, and after a "…" a part of the rest
}

func testLines(t *testing.T, f format.Format, tests []lineTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			t.Parallel()
			got := show(f, strings.NewReader(test.line))
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			for i, want := range test.want {
				start, part, _ := strings.Cut(want, "…")
				rest, ok := strings.CutPrefix(got[i], start)
				if !ok || !strings.Contains(rest, part) || part == "" && rest != "" {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
		})
	}
}

// TestNamesAreReadAlike holds every format to what package domain says of names.
func TestNamesAreReadAlike(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 64)
	tests := []struct{ text, want string }{
		{"TikTok.com", "tiktok.com"},
		{"tiktok.com.", "tiktok.com"},
		{"m\u00fcnchen.example", "xn--mnchen-3ya.example"},
		{"\u6296\u97f3\u3002example", "xn--pruv10j.example"},
		{"XN--mnchen-3ya.example", "xn--mnchen-3ya.example"},
		{"_dns.r3---sn.example", "_dns.r3---sn.example"},
		{label[1:] + ".example", label[1:] + ".example"},
		{label + ".example", "…a label of 64 octets"},
		{strings.Repeat(label[1:]+".", 4), "…octets long"},
		{"\xff.example", "…neither ASCII nor UTF-8"},
		{"a..example", "…two dots"},
		{`a\046b.example`, `…found a "\"`},
		{`a\300.example`, `…found a "\"`},
		{"tik*.example", "…first label"},
		{"example.123", "…the last label is a number"},
	}
	for f, pattern := range map[format.Format]string{
		format.Names: "%s", format.Hosts: "0.0.0.0 %s", format.Adblock: "||%s^", format.Dnsmasq: "local=/%s/",
		format.Unbound: "local-zone: %s static", format.RPZ: "%s CNAME .",
	} {
		for _, test := range tests {
			want := test.want
			if f == format.RPZ { // a final dot and escapes have a meaning there
				switch test.text {
				case "tiktok.com.":
					want = "…want $ORIGIN"
				case `a\046b.example`:
					want = `a\.b.example`
				case `a\300.example`:
					want = "…begins no escape"
				}
			}
			got := show(f, strings.NewReader(fmt.Sprintf(pattern, test.text)))
			part, fails := strings.CutPrefix(want, "…")
			if len(got) != 1 || strings.Contains(got[0], " fault ") != fails || !strings.Contains(got[0], part) ||
				!fails && !strings.HasSuffix(got[0], " "+want) {
				t.Errorf("%s: %q gives %q, want %q", f, test.text, got, want)
			}
		}
	}
}

func TestLongLineIsSkipped(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	longest := "a.example #" + strings.Repeat("x", limit-len("a.example #\n")) + "\n"
	for _, end := range []string{"\n", "\r\n"} {
		text := longest + strings.Repeat("b", 3*limit) + end + "c.example" + end + strings.Repeat("d", limit+1)
		got := show(format.Names, strings.NewReader(text))
		want := []string{
			"1 subtree a.example",
			"2 fault " + strings.Repeat("b", 77) + "...: the line is longer than 65536 octets, want one rule a line",
			"3 subtree c.example",
			"4 fault " + strings.Repeat("d", 77) + "...: the line is longer than 65536 octets, want one rule a line",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestReadErrorEndsTheList(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tests := []struct {
		about, text string
		want        []string
	}{
		{"in the head", "a.example\n", []string{"error read list: broken"}},
		{
			"in a line", strings.Repeat("a.example\n", 8000) + "b.exam",
			[]string{"8000 subtree a.example", "error read list: line 8001: broken"},
		},
		{
			"in a line that is too long", "a.example\n" + strings.Repeat("b", 200000),
			[]string{"1 subtree a.example", "error read list: line 2: broken"},
		},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			t.Parallel()
			got := show(format.Names, io.MultiReader(strings.NewReader(test.text), iotest.ErrReader(broken)))
			if got = got[max(0, len(got)-len(test.want)):]; fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestReadInSmallPieces(t *testing.T) {
	t.Parallel()
	text := "\xef\xbb\xbf# list\r\na.example\r\n\r\nb.example"
	want := fmt.Sprint([]string{"2 subtree a.example", "4 subtree b.example"})
	for _, r := range []io.Reader{
		iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text)),
	} {
		if got := fmt.Sprint(show(format.Auto, r)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestReadStopsWithItsConsumer(t *testing.T) {
	t.Parallel()
	for _, f := range []format.Format{format.Names, format.Hosts, format.Networks} {
		steps := 0
		for _, text := range []string{"0.0.0.0 a.example b.example\n192.0.2.1\n192.0.2.2\na\nb\n", "<html>"} {
			for rule, err := range format.Read(f, strings.NewReader(text)) {
				t.Log(rule, err)
				steps++
				break
			}
		}
		if steps != 2 {
			t.Errorf("%s: %d steps, want 2", f, steps)
		}
	}
}

func TestReadRefusesWhatIsNoList(t *testing.T) {
	t.Parallel()
	for _, f := range formats() {
		got := show(f, strings.NewReader("<!DOCTYPE html>\n<p>\nnginx\n"))
		if len(got) != 1 || !strings.HasPrefix(got[0], "error ") || !strings.Contains(got[0], "HTML") {
			t.Errorf("%s: got %q, want an error about HTML", f, got)
		}
	}
	if got := show(format.Format(200), strings.NewReader("a.example\n")); len(got) != 1 || !strings.HasPrefix(got[0], "error ") {
		t.Errorf("a format that there is not: got %q, want an error", got)
	}
}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	for _, f := range formats() {
		if got, err := format.ParseFormat(f.String()); got != f || err != nil {
			t.Errorf("ParseFormat(%q) = %s, %v", f.String(), got, err)
		}
	}
	if got, err := format.ParseFormat(""); got != format.Auto || err != nil {
		t.Errorf("no format: %s, %v, want auto", got, err)
	}
	_, err := format.ParseFormat("csv")
	if err == nil || !strings.Contains(err.Error(), "auto, names, hosts, networks, adblock, dnsmasq, unbound, rpz") {
		t.Errorf("a format that there is not: %v, want an error with those that there are", err)
	}
}

func TestLineErrorIsPrintable(t *testing.T) {
	t.Parallel()
	got := show(format.Names, strings.NewReader("a \"\x1b[31m\xff\u202e b"))
	want := `1 fault a \"\x1b[31m\xff\u202e b: more than one word`
	if len(got) != 1 || !strings.HasPrefix(got[0], want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for rule, err := range format.Read(format.Names, strings.NewReader(strings.Repeat("\xff", 100))) {
		fault, ok := errors.AsType[*format.LineError](err)
		if !ok || len(fault.Text) > 80 || !strings.HasSuffix(fault.Text, `\xff...`) {
			t.Errorf("got %v, %v, want a fault with 80 octets of text at most", rule, err)
		}
	}
}

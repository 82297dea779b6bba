package domain_test

import (
	"errors"
	"strings"
	"testing"

	"cordon/blocklists/domain"
)

func TestParse(t *testing.T) {
	t.Parallel()
	label63, label61 := strings.Repeat("a", 63), strings.Repeat("b", 61)
	tests := []struct {
		text string
		want string
	}{
		{"tiktok.com", "\x06tiktok\x03com\x00"},
		{"tiktok.com.", "\x06tiktok\x03com\x00"},
		{"WWW.TikTok.COM", "\x03www\x06tiktok\x03com\x00"},
		{"com", "\x03com\x00"},
		{".", "\x00"},
		{"_dns.resolver.arpa", "\x04_dns\x08resolver\x04arpa\x00"},
		{"-a_b-.example", "\x05-a_b-\x07example\x00"},
		{"*.example.com", "\x01*\x07example\x03com\x00"},
		{"xn--mnchen-3ya.example", "\x0exn--mnchen-3ya\x07example\x00"},
		{"r3---sn.example", "\x07r3---sn\x07example\x00"},
		{`a\.b.example`, "\x03a.b\x07example\x00"},
		{`a\\b.example`, "\x03a\\b\x07example\x00"},
		{`a\000\255.example`, "\x03a\x00\xff\x07example\x00"},
		{`\065\B.example`, "\x02ab\x07example\x00"},
		{`0\04725.example`, "\x040/25\x07example\x00"},
		{"München.example", "\x0exn--mnchen-3ya\x07example\x00"},
		{"stra\u00dfe.example", "\x0dxn--strae-oqa\x07example\x00"},
		{"_ünder.example", "\x0dxn--_nder-kva\x07example\x00"},
		{"ＴＩＫＴＯＫ．ＣＯＭ", "\x06tiktok\x03com\x00"},
		{"抖音.中国。", "\x0bxn--pruv10j\x0axn--fiqs8s\x00"},
		{label63 + ".example", "\x3f" + label63 + "\x07example\x00"},
		{
			strings.Repeat(label63+".", 3) + label61,
			strings.Repeat("\x3f"+label63, 3) + "\x3d" + label61 + "\x00",
		},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			got, err := domain.Parse(test.text)
			if err != nil || string(got) != test.want {
				t.Errorf("Parse(%q) = %q, %v, want %q", test.text, string(got), err, test.want)
			}
			if got, err = domain.ParseBytes([]byte(test.text)); err != nil || string(got) != test.want {
				t.Errorf("ParseBytes(%q) = %q, %v, want %q", test.text, string(got), err, test.want)
			}
			for _, buf := range [][]byte{nil, make([]byte, 0, 300), make([]byte, 5)} {
				if wire, err := domain.ParseTo(buf, []byte(test.text)); err != nil || string(wire) != test.want {
					t.Errorf("ParseTo(%q) = %q, %v, want %q", test.text, string(wire), err, test.want)
				}
			}
		})
	}
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text   string
		reason string // part of it
	}{
		{"", "empty"},
		{"..", "begins with a dot"},
		{".example.com", "begins with a dot"},
		{"a..example", "nothing between"},
		{"example.com..", "nothing between"},
		{strings.Repeat("a", 64) + ".example", "a label of 64 octets, at most 63"},
		{strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 62), "256 octets long, at most 255"},
		{strings.Repeat("a.", 127) + "b", "257 octets long"},
		{strings.Repeat("ü", 4000), "the text has 8000 octets"},
		{"tik tok.example", `found ' '`},
		{" example.com", `found ' '`},
		{"https://www.example.com/", `found ':'`},
		{"||example.com^", `found '|'`},
		{"example.com\x00", `found '\x00'`},
		{"example.com\n", `found '\n'`},
		{`a\`, "begins no escape"},
		{`a\25.example`, "begins no escape"},
		{`a\256.example`, "begins no escape"},
		{`a\0x1.example`, "begins no escape"},
		{"a\\\n.example", "begins no escape"},
		{`\046 a`, `found ' '`},
		{"\xff.example", "neither ASCII nor UTF-8"},
		{`ü\.example`, "write the name in punycode"},
		{"\u2100.example", `found '/'`},          // maps to "a/c"
		{"\u0623a.example", "internationalised"}, // both directions in a label
		{"a\u200db.example", "internationalised"},
		{"\u00ad.example", "begins with a dot"}, // a soft hyphen vanishes
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			got, err := domain.Parse(test.text)
			fault, ok := errors.AsType[*domain.ParseError](err)
			if !ok || got != "" || !strings.Contains(fault.Reason, test.reason) {
				t.Errorf("Parse(%q) = %q, %v, want an error with %q", test.text, string(got), err, test.reason)
			}
			if ok && len(fault.Text) > 80 {
				t.Errorf("the error carries %d octets of the text, want at most 80", len(fault.Text))
			}
			if _, again := domain.ParseBytes([]byte(test.text)); again == nil || again.Error() != err.Error() {
				t.Errorf("ParseBytes(%q): %v, Parse: %v", test.text, again, err)
			}
		})
	}
}

func TestMustParsePanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic for a name that is none")
		}
	}()
	domain.MustParse("a..b")
}

// FuzzParse compares with an oracle that knows only ASCII, and checks that every name comes back from its text.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", ".", "tiktok.com.", "a..b", `\065\.b\\c.\300`, `\999`, "ü.example", "a b", strings.Repeat("a.", 128), strings.Repeat("a", 64),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := domain.Parse(text)
		if (err == nil) != (name != "") {
			t.Fatalf("Parse(%q) = %q, %v: want a name or an error", text, string(name), err)
		}
		if ascii(text) {
			if want := oracleParse(text); string(name) != want {
				t.Fatalf("Parse(%q) = %q, %v, want %q", text, string(name), err, want)
			}
		}
		if err != nil {
			return
		}
		if copied, ok := domain.FromWire([]byte(name)); !ok || copied != name {
			t.Fatalf("Parse(%q) = %q: not in canonical wire form", text, string(name))
		}
		if again, err := domain.Parse(name.String()); again != name {
			t.Fatalf("%q is %q as text and comes back as %q, %v", string(name), name, string(again), err)
		}
	})
}

// oracleParse turns text into tokens, one an octet or a dot, before it looks at labels. "" is no name.
func oracleParse(text string) string {
	if text == "." {
		return "\x00"
	}
	const dot = 256
	var tokens []int
	for text != "" {
		token, size := oracleToken(text)
		if size == 0 {
			return ""
		}
		tokens, text = append(tokens, token), text[size:]
	}
	if len(tokens) > 1 && tokens[len(tokens)-1] == dot {
		tokens = tokens[:len(tokens)-1]
	}
	labels := []string{""}
	for _, token := range tokens {
		if token == dot {
			labels = append(labels, "")
		} else {
			labels[len(labels)-1] += string([]byte{byte(token)})
		}
	}
	var wire strings.Builder
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return ""
		}
		wire.WriteString(string([]byte{byte(len(label))}) + string(lowerOctets([]byte(label))))
	}
	if wire.WriteString("\x00"); len(wire.String()) > 255 {
		return ""
	}
	return wire.String()
}

func oracleToken(text string) (token, size int) {
	const raw = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*"
	switch c := text[0]; {
	case c == '.':
		return 256, 1
	case strings.IndexByte(raw, c) >= 0:
		return int(c), 1
	case c != '\\' || len(text) < 2:
		return 0, 0
	}
	if strings.IndexByte("0123456789", text[1]) < 0 {
		if text[1] > ' ' && text[1] < 0x7f {
			return int(text[1]), 2
		}
		return 0, 0
	}
	for value := range 256 {
		digits := string([]byte{'0' + byte(value/100), '0' + byte(value/10%10), '0' + byte(value%10)})
		if strings.HasPrefix(text[1:], digits) {
			return value, 4
		}
	}
	return 0, 0
}

func ascii(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 0x7f }) < 0
}

func lowerOctets(octets []byte) []byte {
	for i, c := range octets {
		if at := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZ", c); at >= 0 {
			octets[i] = "abcdefghijklmnopqrstuvwxyz"[at]
		}
	}
	return octets
}

func BenchmarkParseBytes(b *testing.B) {
	text := []byte("v16-webapp-prime.tiktok.com")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := domain.ParseBytes(text); err != nil {
			b.Fatal(err)
		}
	}
}

package wire_test

import (
	"bytes"
	"testing"

	"cordon/resolver/wire"
)

func TestNames(t *testing.T) {
	msg := join(make([]byte, wire.HeaderLen), "\x03CoM\x00", "\x07eXample\xc0\x0c", "\x03wWw\xc0\x11")
	const www = 12 + 5 + 10
	name, next, ok := wire.ExpandName([]byte("x"), msg, www)
	if !ok || next != len(msg) || string(name) != "x\x03www\x07example\x03com\x00" {
		t.Errorf("expanded %q, %d, %t", name, next, ok)
	}
	name, next, ok = wire.CopyName(nil, msg, www)
	if !ok || next != len(msg) || string(name) != "\x03wWw\x07eXample\x03CoM\x00" {
		t.Errorf("copied %q, %d, %t", name, next, ok)
	}
	for _, off := range []int{len(msg), len(msg) + 1, len(msg) - 1, 4} {
		if name, _, ok := wire.ExpandName([]byte("X"), msg[:len(msg)-1], off); ok && off != 4 || string(name) != "X" && off != 4 {
			t.Errorf("a name %q at %d", name, off)
		}
	}
	for text, want := range map[string]bool{
		"www.example.com.": true, "example.com.": false, "www.example.net.": false, "a.www.example.com.": false, ".": false,
	} {
		if got := wire.EqualName(msg, www, wireName(text)); got != want {
			t.Errorf("equal to %s: %t", text, got)
		}
	}
}

func TestNextName(t *testing.T) {
	names := join(wireName("a.example."), wireName("."), wireName("b."))
	var got []string
	for name, rest := wire.NextName(names); name != nil; name, rest = wire.NextName(rest) {
		got = append(got, text(t, name))
	}
	if !equal(got, []string{"a.example.", ".", "b."}) {
		t.Errorf("names %q", got)
	}
	if name, rest := wire.NextName([]byte("\x03ww")); name != nil || rest != nil {
		t.Errorf("a cut name gave %q, %q", name, rest)
	}
}

func TestSuffixAt(t *testing.T) {
	for _, c := range []struct {
		name, suffix string
		want         int
	}{
		{"www.example.com.", "www.example.com.", 0},
		{"www.example.com.", "example.com.", 4},
		{"www.example.com.", ".", 16},
		{"wexample.com.", "example.com.", -1},
		{"example.com.", "www.example.com.", -1},
		{".", ".", 0},
		{"a\\003com.", "com.", -1}, // the octets of the suffix, but not on a label border
	} {
		if got := wire.SuffixAt(wireName(c.name), wireName(c.suffix)); got != c.want {
			t.Errorf("%s within %s: %d, want %d", c.name, c.suffix, got, c.want)
		}
	}
}

func TestLowerIsASCII(t *testing.T) {
	name := []byte("\x04A\xc4Z[\x00")
	wire.Lower(name)
	if !bytes.Equal(name, []byte("\x04a\xc4z[\x00")) {
		t.Errorf("%q", name)
	}
	if !wire.EqualFold([]byte("\x01A\x00"), []byte("\x01a\x00")) || wire.EqualFold([]byte("\x01["), []byte("\x01{")) {
		t.Error("fold")
	}
}

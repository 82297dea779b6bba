package domain_test

import (
	"slices"
	"strings"
	"testing"

	"cordon/blocklists/domain"
)

func TestFromWire(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("\x3f"+strings.Repeat("A", 63), 3) + "\x3d" + strings.Repeat("b", 61) + "\x00" // 255 octets
	tests := []struct {
		about, wire, want string
	}{
		{"letters are folded", "\x03WwW\x06TikTok\x03com\x00", "\x03www\x06tiktok\x03com\x00"},
		{"length octets are not", "\x41", ""},
		{"a label of 41 octets keeps its length", "\x29" + strings.Repeat("Z", 41) + "\x00", "\x29" + strings.Repeat("z", 41) + "\x00"},
		{"any octets", "\x04\x00\xff.\xc3\x00", "\x04\x00\xff.\xc3\x00"},
		{"root", "\x00", "\x00"},
		{"longest", full, strings.ToLower(full)},
		{"empty", "", ""},
		{"no root label", "\x03com", ""},
		{"label cut short", "\x03co", ""},
		{"more after it", "\x03com\x00\x00", ""},
		{"compressed", "\x03www\xc0\x0c", ""},
		{"label type 01", "\x40" + strings.Repeat("a", 64) + "\x00", ""},
		{"too long", "\x01a" + full, ""},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			t.Parallel()
			got, ok := domain.FromWire([]byte(test.wire))
			if string(got) != test.want || ok != (test.want != "") {
				t.Errorf("FromWire(%q) = %q, %v, want %q", test.wire, string(got), ok, test.want)
			}
		})
	}
}

func TestFromWireCopies(t *testing.T) {
	t.Parallel()
	wire := []byte("\x03COM\x00")
	name, _ := domain.FromWire(wire)
	if string(wire) != "\x03COM\x00" {
		t.Errorf("the buffer became %q", wire)
	}
	wire[1] = 'x'
	if name != "\x03com\x00" {
		t.Errorf("the name changed with the buffer: %q", string(name))
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	tests := []struct{ wire, want string }{
		{"", ""},
		{"\x00", "."},
		{"\x03com\x00", "com"},
		{"\x04_dns\x01*\x07exa-mpl\x00", "_dns.*.exa-mpl"},
		{"\x05a.b\\c\x00", `a\.b\\c`},
		{"\x06\x00 \"$\x7f\xff\x00", `\000\032\034\036\127\255`},
	}
	for _, test := range tests {
		if got := domain.Name(test.wire).String(); got != test.want {
			t.Errorf("%q as text is %q, want %q", test.wire, got, test.want)
		}
	}
}

func TestAppendText(t *testing.T) {
	t.Parallel()
	tests := []struct{ wire, want string }{
		{"", ">"},
		{"\x03WWW\x03com\x00 and more", ">WWW.com"},
		{"\x00\x03com", ">."},
		{"\x03com", ">com"},
		{"\x03com\x09cut", ">com.cut"},
		{"\xff", ">"},
	}
	for _, test := range tests {
		if got := string(domain.AppendText([]byte(">"), []byte(test.wire))); got != test.want {
			t.Errorf("AppendText of %q: %q, want %q", test.wire, got, test.want)
		}
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, ancestor domain.Name
		want           bool
	}{
		{domain.MustParse("www.tiktok.com"), domain.MustParse("tiktok.com"), true},
		{domain.MustParse("tiktok.com"), domain.MustParse("tiktok.com"), true},
		{domain.MustParse("xtiktok.com"), domain.MustParse("tiktok.com"), false},
		{domain.MustParse("com"), domain.MustParse("tiktok.com"), false},
		{domain.MustParse("tiktok.com.example.org"), domain.MustParse("tiktok.com"), false},
		{domain.MustParse("tiktok.com"), domain.Root, true},
		{domain.Root, domain.Root, true},
		{domain.Root, domain.MustParse("com"), false},
		// The octets of "com" end a label here: not a border.
		{domain.MustParse(`a\003com`), domain.MustParse("com"), false},
		{"", "", false},
		{"", domain.Root, false},
		{domain.MustParse("com"), "", false},
	}
	for _, test := range tests {
		if got := test.name.Within(test.ancestor); got != test.want {
			t.Errorf("%q within %q: %v, want %v", test.name, test.ancestor, got, test.want)
		}
	}
}

func TestAncestry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   domain.Name
		labels int
		want   []string
	}{
		{domain.MustParse("www.tiktok.com"), 3, []string{"www.tiktok.com", "tiktok.com", "com"}},
		{domain.MustParse("com"), 1, []string{"com"}},
		{domain.Root, 0, nil},
		{"", 0, nil},
		{"\x09cut", 0, nil}, // no name, but no panic either
	}
	for _, test := range tests {
		var got []string
		for name := range test.name.Ancestry() {
			got = append(got, name.String())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("ancestry of %q: %q, want %q", test.name, got, test.want)
		}
		if got := test.name.Labels(); got != test.labels {
			t.Errorf("%q has %d labels, want %d", test.name, got, test.labels)
		}
	}
}

func TestParent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want domain.Name
	}{
		{domain.MustParse("www.tiktok.com"), domain.MustParse("tiktok.com")},
		{domain.MustParse("com"), domain.Root},
		{domain.Root, ""},
		{"", ""},
	}
	for _, test := range tests {
		if got, ok := test.name.Parent(); got != test.want || ok != (test.want != "") {
			t.Errorf("parent of %q: %q, %v, want %q", test.name, got, ok, test.want)
		}
	}
}

//nolint:paralleltest // AllocsPerRun counts the allocations of the whole process
func TestAllocations(t *testing.T) {
	name, zone := domain.MustParse("a.b.c.www.tiktok.com"), domain.MustParse("com")
	wire, text := []byte(name), []byte("a.b.c.www.TikTok.com")
	buf := make([]byte, 0, 4*domain.MaxWire)
	labels := 0
	budgets := []struct {
		about string
		want  float64
		run   func()
	}{
		{"Within", 0, func() { _ = name.Within(zone) }},
		{"Ancestry", 0, func() {
			for range name.Ancestry() {
				labels++
			}
		}},
		{"AppendText", 0, func() { buf = domain.AppendText(buf[:0], wire) }},
		{"FromWire", 1, func() { _, _ = domain.FromWire(wire) }},
		{"ParseBytes", 1, func() { _, _ = domain.ParseBytes(text) }},
	}
	for _, budget := range budgets {
		if got := testing.AllocsPerRun(100, budget.run); got > budget.want {
			t.Errorf("%s allocates %v times, want at most %v", budget.about, got, budget.want)
		}
	}
}

// FuzzFromWire compares with an oracle that splits into labels first.
func FuzzFromWire(f *testing.F) {
	for _, seed := range []string{"", "\x00", "\x03www\x06TikTok\x03com\x00", "\x03com", "\x40", "\xc0\x0c", "\x01.\x00\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		labels, want := oracleLabels(string(wire))
		name, ok := domain.FromWire(wire)
		if ok != want {
			t.Fatalf("FromWire(%q) = %q, %v, want %v", wire, string(name), ok, want)
		}
		_ = domain.AppendText(nil, wire)
		_ = domain.Name(wire).Labels()
		_ = domain.Name(wire).Within(name)
		if !ok {
			return
		}
		if got := name.Labels(); got != len(labels) {
			t.Fatalf("%q has %d labels, want %d", wire, got, len(labels))
		}
		if again, err := domain.Parse(name.String()); again != name {
			t.Fatalf("%q is %q as text and comes back as %q, %v", string(name), name, string(again), err)
		}
		i := 0
		for ancestor := range name.Ancestry() {
			if want := oracleJoin(labels[i:]); string(ancestor) != want {
				t.Fatalf("ancestor %d of %q is %q, want %q", i, wire, string(ancestor), want)
			}
			if !name.Within(ancestor) || ancestor.Within(name) != (i == 0) {
				t.Fatalf("%q and its ancestor %q: Within is wrong", name, ancestor)
			}
			i++
		}
	})
}

func oracleLabels(wire string) (labels []string, ok bool) {
	if len(wire) > 255 {
		return nil, false
	}
	for wire != "" && wire[0] != 0 {
		if wire[0] > 63 || len(wire) < 1+int(wire[0]) {
			return nil, false
		}
		labels = append(labels, wire[1:1+int(wire[0])])
		wire = wire[1+int(wire[0]):]
	}
	return labels, wire == "\x00"
}

func oracleJoin(labels []string) string {
	var wire strings.Builder
	for _, label := range labels {
		wire.WriteString(string([]byte{byte(len(label))}) + string(lowerOctets([]byte(label))))
	}
	return wire.String() + "\x00"
}

package blocklists_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

func encode(tb testing.TB, l *blocklists.List) []byte {
	tb.Helper()
	var out bytes.Buffer
	n, err := l.WriteTo(&out)
	if err != nil || n != int64(out.Len()) {
		tb.Fatalf("wrote %d octets of %d: %v", n, out.Len(), err)
	}
	return out.Bytes()
}

func decode(form []byte) (*blocklists.List, error) {
	return blocklists.ReadList(bytes.NewReader(form), "again", "file:again.txt")
}

// mixed is a list with something of everything.
func mixed(tb testing.TB) *blocklists.List {
	tb.Helper()
	return gather(tb, "tiktok.com", "allow www.tiktok.com", "*.capcut.com", "=a.b.c.example.org", "x.example.net", "cancel example.net",
		"com", "192.0.2.0/24", "allow 192.0.2.128/25", "2001:db8::/32")
}

func TestCompiledFormIsTheSameList(t *testing.T) {
	t.Parallel()
	l := mixed(t)
	again, err := decode(encode(t, l))
	if err != nil {
		t.Fatal(err)
	}
	if again.Name() != "again" || again.Source() != "file:again.txt" {
		t.Errorf("it is called %s, from %s at %s", again.Name(), again.Source(), again.Path())
	}
	counts := func(l *blocklists.List) string {
		return fmt.Sprint(l.Len(), l.Networks(), l.Allowed(), l.Canceled(), l.Rejected(), l.Hash(), l.Loaded().UnixNano(), l.Faults(),
			slices.Collect(l.NameRules()), slices.Collect(l.NetworkRules()))
	}
	if got, want := counts(again), counts(l); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !bytes.Equal(encode(t, again), encode(t, l)) {
		t.Error("its compiled form is another one")
	}
}

func TestCompiledFormOfManyNames(t *testing.T) {
	t.Parallel()
	l := parseText(t, strings.Join(randomNames(100_000, 3), "\n"))
	form := encode(t, l)
	again, err := blocklists.ReadList(iotest.HalfReader(bytes.NewReader(form)), "again", "")
	if err != nil || again.Len() != l.Len() {
		t.Fatalf("%v: %v", again, err)
	}
	s := compile(t, again)
	for _, name := range randomNames(100_000, 3) {
		if got := s.Match(nil, []byte(domain.MustParse("www."+name))); len(got) != 1 {
			t.Fatalf("%s: %v", name, got)
		}
	}
}

func TestDamagedCompiledForms(t *testing.T) {
	t.Parallel()
	form := encode(t, mixed(t))
	for n := range form {
		if _, err := decode(form[:n]); err == nil {
			t.Fatalf("cut to %d of %d octets, it is read", n, len(form))
		}
	}
	for i := range form {
		for bit := range 8 {
			flipped := bytes.Clone(form)
			flipped[i] ^= 1 << bit
			if _, err := decode(flipped); err == nil {
				t.Fatalf("with bit %d of octet %d flipped, it is read", bit, i)
			}
		}
	}
	_, err := decode(append(bytes.Clone(form), 0))
	wantError(t, "one octet more", err, "read compiled list again", "more follows")
	_, err = decode([]byte("cordon list, compiled, 0\n and more"))
	wantError(t, "another version", err, "not the compiled form of this version")
	broken := errors.New("broken")
	_, err = blocklists.ReadList(iotest.ErrReader(broken), "again", "")
	if !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
}

func TestWriteToPassesErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := mixed(t).WriteTo(failing{broken})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestUpperCaseIsFoundWhereverItStands(t *testing.T) {
	t.Parallel()
	for size := 1; size <= 40; size++ {
		name := []byte(domain.MustParse(strings.Repeat("z", size) + ".x"))
		if got := blocklists.CheckName(name); got != len(name) {
			t.Errorf("%q: got length %d, want %d", name, got, len(name))
		}
		for at := 1; at <= size; at++ {
			for _, upper := range "AZ" {
				changed := bytes.Clone(name)
				changed[at] = byte(upper)
				if got := blocklists.CheckName(changed); got != 0 {
					t.Errorf("%q is taken for a name of %d octets", changed, got)
				}
			}
		}
	}
}

// FuzzReadList gives every input the right sum, so that what lies behind it is reached: a list that is read serves.
func FuzzReadList(f *testing.F) {
	for _, l := range []*blocklists.List{mixed(f), gather(f, "tiktok.com"), parse(f, format.Networks, "192.0.2.0/24")} {
		form := encode(f, l)
		f.Add(form[:len(form)-sha256.Size])
	}
	f.Fuzz(func(t *testing.T, form []byte) {
		sum := sha256.Sum256(form)
		form = append(bytes.Clone(form), sum[:]...)
		l, err := decode(form)
		if err != nil {
			return
		}
		if !bytes.Equal(encode(t, l), form) {
			t.Error("it is written otherwise than it was read")
		}
		s := compile(t, l, l)
		names := 0
		for r := range l.NameRules() {
			names++
			if _, ok := domain.FromWire([]byte(r.Name)); !ok {
				t.Fatalf("%q is no name", string(r.Name))
			}
			if got := s.Match(nil, []byte(r.Name)); r.Self == blocklists.Blocks && l.Holds(r.Name)[0] != (len(got) == 2) {
				t.Errorf("%s: %v", r.Name, got)
			}
		}
		for r := range l.NetworkRules() {
			s.MatchAddr(nil, r.Prefix.Addr())
		}
		if l.Len() > names {
			t.Errorf("%d of %d names", names, l.Len())
		}
	})
}

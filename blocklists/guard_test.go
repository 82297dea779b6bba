package blocklists_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/signature"
)

// numbered is a list of n names.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "name%d.example.org\n", i)
	}
	return b.String()
}

func domains(texts ...string) []domain.Name {
	names := make([]domain.Name, len(texts))
	for i, text := range texts {
		names[i] = domain.MustParse(text)
	}
	return names
}

// TestGuards has, for each guard, what it holds and what just passes.
func TestGuards(t *testing.T) {
	t.Parallel()
	marked := func(n int) string { return numbered(n) + fmt.Sprintf("# end of list: %d entries\n", n) }
	tests := []struct {
		about         string
		before, fresh string // before is "" for a new list
		guards        func(g *blocklists.Guards)
		want          string // in the error; "" if it is believed
	}{
		{about: "half is lost", before: numbered(100), fresh: numbered(50)},
		{about: "more than half is lost", before: numbered(100), fresh: numbered(49), want: "it shrank from 100 to 49 entries"},
		{about: "ten of eleven are lost", before: numbered(11), fresh: numbered(1), want: "from 11 to 1"},
		{about: "five of ten are lost", before: numbered(10), fresh: numbered(5), guards: func(g *blocklists.Guards) { g.MaxShrink = 0 }},
		{about: "it grows without an end", before: numbered(10), fresh: numbered(50_000), want: "it grew from 10 to more than"},
		{about: "eleven of twelve are lost", before: numbered(12), fresh: numbered(1), want: "from 12 to 1"},
		{
			about: "more than a tenth is lost where that is the bar", before: numbered(1000), fresh: numbered(899), want: "from 1000 to 899",
			guards: func(g *blocklists.Guards) { g.MaxShrink = 10 },
		},
		{about: "all but one may be lost", before: numbered(1000), fresh: numbered(1), guards: func(g *blocklists.Guards) { g.MaxShrink = 100 }},
		{about: "a marked list lost nearly all", before: numbered(1000), fresh: marked(1)},
		{about: "a thousand are gained", before: numbered(10), fresh: numbered(1010)},
		{about: "more than four times as many are gained", before: numbered(300), fresh: numbered(1501), want: "it grew from 300 to 1501"},
		{about: "four times as many are gained", before: numbered(300), fresh: numbered(1500)},
		{about: "any growth passes", before: numbered(1), fresh: numbered(5000), guards: func(g *blocklists.Guards) { g.MaxGrowth = 0 }},
		{about: "a new list has no size to hold to", fresh: numbered(5000)},
		{
			about: "what it must hold is missing", fresh: "tiktok.com\n", want: "it does not hold capcut.com (must_contain)",
			guards: func(g *blocklists.Guards) { g.MustContain = domains("www.tiktok.com", "capcut.com") },
		},
		{
			about: "what it must not hold is there", fresh: "example.org\ntiktok.com\n", want: "it holds www.example.org (must_not_contain)",
			guards: func(g *blocklists.Guards) { g.MustNotContain = domains("www.example.org", "example.net") },
		},
		{
			about: "the marker is missing", fresh: numbered(3), want: `want a last line "# end of list: 3 entries"`,
			guards: func(g *blocklists.Guards) { g.EndMarker = true },
		},
		{about: "the marker is there", fresh: marked(3), guards: func(g *blocklists.Guards) { g.EndMarker = true }},
		{about: "the marker says another number", fresh: numbered(3) + "# end of list: 4 entries\n", want: "says 4 entries, found 3"},
		{about: "the marker is gone", before: marked(100), fresh: numbered(99), want: "it had an end marker"},
		{about: "a third is bad where that is allowed", fresh: numbered(20) + strings.Repeat("two words\n", 10), guards: func(g *blocklists.Guards) {
			g.MaxRejected = 34
		}},
	}
	for _, tt := range tests {
		t.Run(tt.about, func(t *testing.T) {
			t.Parallel()
			src := from(t.TempDir(), "file:list.txt")
			if tt.guards != nil {
				tt.guards(&src.Guards)
			}
			path := filepath.Join(src.Dir, "list.txt")
			var before *blocklists.List
			if tt.before != "" {
				writeFile(t, path, tt.before)
				before = mustLoad(t, src, nil)
			}
			writeFile(t, path, tt.fresh)
			_, err := blocklists.Load(t.Context(), src, before)
			if tt.want == "" && err != nil {
				t.Error(err)
			} else if tt.want != "" {
				wantError(t, tt.about, err, "list extra", path, tt.want)
			}
		})
	}
}

// Somebody who has looked at a held list has that one believed, and no other; what can't be read can't be accepted.
func TestAcceptedListIsBelievedOnce(t *testing.T) {
	t.Parallel()
	src := from(t.TempDir(), "file:list.txt")
	path := writeFile(t, filepath.Join(src.Dir, "list.txt"), numbered(100))
	before := mustLoad(t, src, nil)
	writeFile(t, path, numbered(2))
	_, err := blocklists.Load(t.Context(), src, before)
	guard, ok := errors.AsType[*blocklists.GuardError](err)
	if !ok {
		t.Fatalf("got %v, want a GuardError", err)
	}
	if src.Accept, err = blocklists.ParseContent(guard.Content.String() + "\n"); err != nil {
		t.Fatal(err)
	}
	if l := mustLoad(t, src, before); l.Len() != 2 {
		t.Errorf("%d names, want 2", l.Len())
	}
	writeFile(t, path, numbered(3))
	_, err = blocklists.Load(t.Context(), src, before)
	wantError(t, "another version", err, "it shrank from 100 to 3")
	writeFile(t, path, "<html>")
	_, err = blocklists.Load(t.Context(), src, before)
	if _, ok := errors.AsType[*blocklists.GuardError](err); err == nil || ok {
		t.Errorf("a page: got %v, want an error that nobody can overrule", err)
	}
}

func TestContentText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "12", strings.Repeat("0", 63), strings.Repeat("x", 64), strings.Repeat("0", 66)} {
		if c, err := blocklists.ParseContent(text); err == nil || c != (blocklists.Content{}) {
			t.Errorf("%q is read as %s", text, c)
		}
	}
}

// No list holds the organisation's own zones, what holds them, or a name in them; that is said by line.
func TestOwnZonesStayOut(t *testing.T) {
	t.Parallel()
	src := from(t.TempDir(), "file:list.txt")
	src.OwnZones = domains("ministry.example.org")
	writeFile(t, filepath.Join(src.Dir, "list.txt"),
		"tiktok.com\nministry.example.org\nexample.org\n*.example.org\n=www.ministry.example.org\n=example.org\nxministry.example.org\n")
	l := mustLoad(t, src, nil)
	if l.Len() != 3 || l.Rejected() != 4 {
		t.Errorf("%d names, %d rejected, want 3, 4: %v", l.Len(), l.Rejected(), l.Faults())
	}
	for _, f := range l.Faults() {
		if f.Line < 2 || f.Line > 5 || !strings.Contains(f.Reason, "ministry.example.org is one of our own zones") {
			t.Errorf("%v", &f)
		}
	}
}

// TestSignedLists uses what the tests of package signature were signed with.
func TestSignedLists(t *testing.T) {
	t.Parallel()
	const fixtures = "signature/testdata/"
	read := func(name string) string {
		text, err := os.ReadFile(fixtures + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	key, err := signature.ParseKey(read("publisher.pub"))
	if err != nil {
		t.Fatal(err)
	}
	src := from(t.TempDir(), "file:list.txt")
	src.Guards.Key = &key
	path := writeFile(t, filepath.Join(src.Dir, "list.txt"), read("list.txt"))
	_, err = blocklists.Load(t.Context(), src, nil)
	wantError(t, "unsigned", err, path+".minisig", "does not exist", "signed_by")
	writeFile(t, path+".minisig", read("other.minisig"))
	_, err = blocklists.Load(t.Context(), src, nil)
	wantError(t, "signed by another", err, "key")
	writeFile(t, path+".minisig", read("hashed.minisig"))
	signed := mustLoad(t, src, nil)
	if again := mustLoad(t, src, signed); again != signed {
		t.Error("an unchanged signed list was read again")
	}
	writeFile(t, path, read("list.txt")+"capcut.com\n")
	_, err = blocklists.Load(t.Context(), src, signed)
	wantError(t, "changed after it was signed", err, path)
	if _, ok := errors.AsType[*blocklists.GuardError](err); ok {
		t.Error("a wrong signature can be overruled")
	}
	later := blocklists.WithSigned(blocklists.WithContent(signed, blocklists.Content{1}), time.Now())
	writeFile(t, path, read("list.txt"))
	_, err = blocklists.Load(t.Context(), src, later)
	wantError(t, "an older version", err, "older version")
	copied := src
	copied.Source, copied.Copy, copied.Signature = "https://lists.example/list.txt", path, []byte(read("hashed.minisig"))
	if l := mustLoad(t, copied, nil); l.Source() != copied.Source || l.Len() != signed.Len() {
		t.Errorf("the copy: %v", l)
	}
	copied.Signature = nil
	_, err = blocklists.Load(t.Context(), copied, nil)
	wantError(t, "a copy without a signature", err, "no signature")
}

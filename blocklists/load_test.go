package blocklists_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"cordon/blocklists"
	"cordon/blocklists/builtin"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

// wantError fails the test unless err says all the parts.
func wantError(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want one that says %q", what, parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: error %q, want one that says %q", what, err, part)
		}
	}
}

func writeFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	content := "# names\ntiktok.com\n\nnot a name\n*.capcut.com\ntiktok.com\n"
	path := writeFile(t, filepath.Join(dir, "extra.txt"), content)
	for _, source := range []string{"file:extra.txt", "file:" + path} {
		var kept bytes.Buffer
		l, err := blocklists.Load(t.Context(), blocklists.Source{Name: "extra", Source: source}, dir, &kept)
		if err != nil {
			t.Fatal(err)
		}
		if l.Name() != "extra" || l.Source() != source || l.Path() != path || l.Loaded().IsZero() {
			t.Errorf("it is called %s, from %s at %s, loaded %v", l.Name(), l.Source(), l.Path(), l.Loaded())
		}
		if l.Len() != 2 || l.Networks() != 0 || l.Skipped() != 1 {
			t.Errorf("%d names, %d networks, %d skipped, want 2, 0, 1", l.Len(), l.Networks(), l.Skipped())
		}
		if faults := l.Faults(); len(faults) != 1 || faults[0].Line != 4 {
			t.Errorf("faults %v, want one on line 4", faults)
		}
		if kept.String() != content {
			t.Errorf("kept %q, want the file", kept.String())
		}
		again, err := blocklists.Parse(blocklists.Source{Name: "extra", Source: source}, "last-good.txt", &kept)
		if err != nil || again.Hash() != l.Hash() || again.Path() != "last-good.txt" {
			t.Errorf("the copy: %v, %v", again, err)
		}
	}
}

func TestLoadFileFaults(t *testing.T) {
	dir := t.TempDir()
	good := strings.Repeat("tiktok.com\ncapcut.com\n", 20)
	bad := func(n int) string { return good + strings.Repeat("two words\n", n) }
	tests := []struct {
		name, content string
		source        blocklists.Source
		want          []string // parts of the error; none: it loads
	}{
		{"good", good, blocklists.Source{}, nil},
		{"empty", "", blocklists.Source{}, []string{"empty"}},
		{"empty-named", "", blocklists.Source{Format: format.Names}, []string{"empty", "want at least one"}},
		{"comments", "# nothing\n\n# yet\n", blocklists.Source{Format: format.Hosts}, []string{"empty"}},
		{"page.html", "<!DOCTYPE html>\n<html><body>404</body></html>\n", blocklists.Source{}, []string{"an HTML page"}},
		{"page-as-names", "<!DOCTYPE html>\n<html>", blocklists.Source{Format: format.Names}, []string{"an HTML page"}},
		{"list.json", `{"names": ["tiktok.com"]}`, blocklists.Source{}, []string{"JSON"}},
		{"binary", "tiktok.com\n\x00\x01", blocklists.Source{Format: format.Names}, []string{"binary"}},
		{"few", good, blocklists.Source{MinEntries: 3}, []string{"has 2 entries, want at least 3"}},
		{"enough", good, blocklists.Source{MinEntries: 2}, nil},
		{"four bad lines", bad(4), blocklists.Source{}, nil},
		{"five of few", "tiktok.com\n" + strings.Repeat("two words\n", 5), blocklists.Source{Format: format.Names}, nil},
		{"seven bad lines", bad(7), blocklists.Source{}, []string{"7 of 47", "line 41", "line 43", "two words"}},
		{"bad line", "two words\n", blocklists.Source{Format: format.Names}, []string{"nothing in it can be used", "line 1"}},
		{"only protected", "com\nco.uk\n", blocklists.Source{}, []string{"nothing in it can be used", "top-level domain"}},
	}
	for _, tt := range tests {
		path := writeFile(t, filepath.Join(dir, tt.name), tt.content)
		tt.source.Name, tt.source.Source = "extra", "file:"+tt.name
		_, err := blocklists.Load(t.Context(), tt.source, dir, nil)
		if len(tt.want) > 0 {
			wantError(t, tt.name, err, append(tt.want, "list extra", path)...)
		} else if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestLoadFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	load := func(path string) error {
		_, err := blocklists.Load(t.Context(), blocklists.Source{Name: "extra", Source: "file:" + path}, dir, nil)
		return err
	}
	wantError(t, "missing", load("none.txt"), filepath.Join(dir, "none.txt"), "does not exist", "create it")
	wantError(t, "directory", load("."), "is a directory", "name one file")
	wantError(t, "no path", load(""), "want file:PATH")
	if runtime.GOOS != "windows" {
		wantError(t, "device", load(os.DevNull), "want a regular file")
	}
	large := writeFile(t, filepath.Join(dir, "large.txt"), "tiktok.com\n")
	if err := os.Truncate(large, blocklists.MaxSize+1); err != nil {
		t.Fatal(err)
	}
	wantError(t, "large", load("large.txt"), "536870913 octets", "at most 536870912")
	secret := writeFile(t, filepath.Join(dir, "secret.txt"), "tiktok.com\n")
	if err := os.Chmod(secret, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(secret); err == nil {
		_ = f.Close()
		t.Skip("this user may read every file")
	}
	wantError(t, "secret", load("secret.txt"), "may not be read")
}

// writerFunc is a function as an [io.Writer].
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestLoadFileThatChangesMeanwhile(t *testing.T) {
	dir := t.TempDir()
	path := writeFile(t, filepath.Join(dir, "extra.txt"), "tiktok.com\n")
	meanwhile := writerFunc(func(p []byte) (int, error) {
		if len(p) > 0 {
			writeFile(t, path, "tiktok.com\ncapcut.com\n")
		}
		return len(p), nil
	})
	_, err := blocklists.Load(t.Context(), blocklists.Source{Name: "extra", Source: "file:extra.txt"}, dir, meanwhile)
	wantError(t, "a file written into", err, "changed while it was read")
}

func TestLoadDropsErrorsOfTheCopy(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "extra.txt"), "tiktok.com\n")
	full := writerFunc(func([]byte) (int, error) { return 0, errors.New("disk full") })
	if _, err := blocklists.Load(t.Context(), blocklists.Source{Source: "file:extra.txt"}, dir, full); err != nil {
		t.Error(err)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "extra.txt"), "tiktok.com\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := blocklists.Load(ctx, blocklists.Source{Source: "file:extra.txt"}, dir, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestParseBrokenReader(t *testing.T) {
	names := strings.Repeat("tiktok.com\n", 10_000)
	broken := errors.New("input/output error")
	r := io.MultiReader(strings.NewReader(names), iotest.ErrReader(broken))
	_, err := blocklists.Parse(blocklists.Source{Name: "extra"}, "x.txt", r)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	wantError(t, "reader that breaks", err, "list extra", "x.txt")
}

// endless repeats a line for ever. It fills a buffer the first time and then leaves it as it is: half a gigabyte is cheap.
type endless struct {
	line   string
	filled bool
}

func (e *endless) Read(p []byte) (int, error) {
	for n := 0; !e.filled && n < len(p); {
		n += copy(p[n:], e.line)
	}
	e.filled = true
	return len(p), nil
}

func TestParseEndlessReader(t *testing.T) {
	comments := &endless{line: "# " + strings.Repeat("x", 1<<10-3) + "\n"}
	_, err := blocklists.Parse(blocklists.Source{Format: format.Names}, "x.txt", comments)
	wantError(t, "endless list", err, "more than 536870912 octets")
}

func TestLoadInline(t *testing.T) {
	load := func(lines ...string) (*blocklists.List, error) {
		return blocklists.Load(t.Context(), blocklists.Source{Name: "extra", Inline: lines}, "", nil)
	}
	l, err := load("tiktok.com", "*.capcut.com", "=www.example.org")
	if err != nil || l.Len() != 3 || l.Source() != "inline" || l.Path() != "" {
		t.Errorf("got %v, %v", l, err)
	}
	l, err = load("192.0.2.0/24", "2001:db8::/32")
	if err != nil || l.Networks() != 2 {
		t.Errorf("networks: got %v, %v", l, err)
	}
	_, err = load()
	wantError(t, "nothing", err, "list extra", "neither a source nor names")
	_, err = load("tiktok.com", "cap cut.com", "capcut.com")
	wantError(t, "a bad entry", err, "1 of 3 entries", "line 2", "cap cut.com")
	_, err = load("tiktok.com", "com")
	wantError(t, "a protected entry", err, "com is a top-level domain")
	_, err = load("tiktok.com\ncapcut.com")
	wantError(t, "two lines in one entry", err, "entry 1", "one name an entry")
}

func TestLoadUnknownSource(t *testing.T) {
	for source, want := range map[string]string{
		"https://example.org/list.txt": "want builtin:NAME, file:PATH",
		"extra.txt":                    "want builtin:NAME, file:PATH",
		"builtin:tiktak":               `"tiktak"`,
	} {
		_, err := blocklists.Load(t.Context(), blocklists.Source{Name: "extra", Source: source}, "", nil)
		wantError(t, source, err, "list extra", want)
	}
}

func TestBuiltinListsLoadWhole(t *testing.T) {
	for _, name := range builtin.Names() {
		l, err := blocklists.Load(t.Context(), blocklists.Source{Name: name, Source: "builtin:" + name}, "", nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if l.Skipped() > 0 {
			t.Errorf("%s: skipped %v", name, l.Faults())
		}
	}
}

func TestBuiltinTikTok(t *testing.T) {
	l, err := blocklists.Load(t.Context(), blocklists.Source{Name: "tiktok", Source: "builtin:tiktok"}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := compile(t, l)
	for name, want := range map[string]bool{
		"www.tiktok.com":                 true,
		"tiktok.com.edgesuite.net":       true,
		"www.tiktok.com.c.footprint.net": true,
		"v16.tiktokcdn.com":              true,
		"tiktok.com.example.org":         false,
		"nottiktok.com":                  false,
		"www.example.com":                false,
		"e1.akamai.net":                  false,
	} {
		if got := s.Match(nil, []byte(domain.MustParse(name))); (len(got) == 1) != want {
			t.Errorf("%s: got %v, want a match: %t", name, got, want)
		}
	}
}

func TestProtectedNamesStayOut(t *testing.T) {
	lines := []string{
		"com", "co.uk", "akamai.net", "github.io", "*.edgesuite.net", "=akamai.net", "x.akamai.net", "tiktok.com", "example",
	}
	l := parse(t, format.Names, lines...)
	if l.Len() != 3 || l.Skipped() != 6 {
		t.Errorf("%d names, %d skipped, want 3, 6: %v", l.Len(), l.Skipped(), l.Faults())
	}
	s := compile(t, l)
	for name, want := range map[string]bool{
		"example.com": false, "example.co.uk": false, "a.akamai.net": false, "a.edgesuite.net": false, "a.example": false,
		"akamai.net": true, "a.x.akamai.net": true, "www.tiktok.com": true,
	} {
		if got := s.Match(nil, []byte(domain.MustParse(name))); (len(got) == 1) != want {
			t.Errorf("%s: got %v, want a match: %t", name, got, want)
		}
	}
}

func TestProtected(t *testing.T) {
	for name, want := range map[string]string{
		".":                        "root",
		"com":                      "com is a top-level domain",
		"example":                  "example is a top-level domain",
		"co.uk":                    "co.uk is a public suffix",
		"github.io":                "github.io is a public suffix",
		"foo.ck":                   "foo.ck is a public suffix",
		"akamai.net":               "akamai.net is shared (Akamai)",
		"edgesuite.net":            "edgesuite.net is shared (Akamai)",
		"www.ck":                   "",
		"tiktok.com":               "",
		"a.akamai.net":             "",
		"example.github.io":        "",
		"bytedance.map.fastly.net": "",
	} {
		why, yes := blocklists.Protected(domain.MustParse(name))
		if yes != (want != "") || !strings.HasPrefix(why, want) && !strings.Contains(why, want) {
			t.Errorf("%s: got %q, %t, want %q", name, why, yes, want)
		}
	}
}

func TestWideNetworksStayOut(t *testing.T) {
	l := parse(t, format.Networks, "192.0.2.0/24", "128.0.0.0/1", "10.0.0.0/8", "2000::/3", "2001::/16")
	if l.Networks() != 3 || l.Skipped() != 2 {
		t.Errorf("%d networks, %d skipped, want 3, 2: %v", l.Networks(), l.Skipped(), l.Faults())
	}
}

func TestHashTellsWhatMatters(t *testing.T) {
	hash := func(lines ...string) [32]byte { return parse(t, format.Names, lines...).Hash() }
	base := hash("tiktok.com", "*.capcut.com")
	for name, other := range map[string][32]byte{
		"final dot, case, blanks, comment": hash("TikTok.com. # the site", " *.capcut.com "),
		"a rule twice":                     hash("tiktok.com", "*.capcut.com", "tiktok.com"),
		"a comment at the end":             hash("tiktok.com", "*.capcut.com", "# end"),
	} {
		if other != base {
			t.Errorf("%s: another hash", name)
		}
	}
	for name, other := range map[string][32]byte{
		"another name":   hash("tiktok.org", "*.capcut.com"),
		"another match":  hash("tiktok.com", "capcut.com"),
		"another line":   hash("# new", "tiktok.com", "*.capcut.com"),
		"one more name":  hash("tiktok.com", "*.capcut.com", "lemon8-app.com"),
		"one name fewer": hash("tiktok.com"),
	} {
		if other == base {
			t.Errorf("%s: the same hash", name)
		}
	}
	if parse(t, format.Networks, "192.0.2.0/24").Hash() == parse(t, format.Networks, "192.0.2.0/25").Hash() {
		t.Error("another network: the same hash")
	}
}

func TestFaultsAreBounded(t *testing.T) {
	const bad = blocklists.MaxFaults + 5
	lines := make([]string, 12*bad)
	for i := range lines {
		lines[i] = fmt.Sprintf("name%d.example.org", i)
	}
	for i := range bad {
		lines[12*i] = "two words"
	}
	l := parse(t, format.Names, lines...)
	if l.Skipped() != bad || len(l.Faults()) != blocklists.MaxFaults {
		t.Errorf("%d skipped, %d faults, want %d, %d", l.Skipped(), len(l.Faults()), bad, blocklists.MaxFaults)
	}
	l.Faults()[0].Line = 99
	if l.Faults()[0].Line != 1 {
		t.Error("a caller changed the list")
	}
}

func TestShrunkTooFar(t *testing.T) {
	size := func(n int) *blocklists.List {
		lines := make([]string, n)
		for i := range lines {
			lines[i] = fmt.Sprintf("name%d.example.org", i)
		}
		return parse(t, format.Names, lines...)
	}
	tests := []struct {
		old, fresh int
		want       bool
	}{
		{100, 100, false}, {100, 200, false}, {100, 50, false}, {100, 49, true}, {11, 1, false}, {12, 1, true}, {30, 19, false},
	}
	for _, tt := range tests {
		err := blocklists.ShrunkTooFar(size(tt.old), size(tt.fresh))
		if tt.want {
			wantError(t, fmt.Sprint(tt), err, "list test", fmt.Sprintf("from %d to %d", tt.old, tt.fresh))
		} else if err != nil {
			t.Errorf("%v: %v", tt, err)
		}
	}
	if err := blocklists.ShrunkTooFar(nil, size(1)); err != nil {
		t.Errorf("no list before: %v", err)
	}
}

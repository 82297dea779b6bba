package blocklists_test

import (
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

// from is a source with the default guards, relative to dir.
func from(dir, source string) blocklists.Source {
	return blocklists.Source{Name: "extra", Source: source, Dir: dir, Guards: blocklists.DefaultGuards()}
}

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	content := "# names\ntiktok.com\n\nnot a name\n*.capcut.com\ntiktok.com\n"
	path := writeFile(t, filepath.Join(dir, "extra.txt"), content)
	for _, source := range []string{"file:extra.txt", "file:" + path} {
		l, err := blocklists.Load(t.Context(), from(dir, source), nil)
		if err != nil {
			t.Fatal(err)
		}
		if l.Name() != "extra" || l.Source() != source || l.Path() != path || l.Loaded().IsZero() || l.Format() != format.Names {
			t.Errorf("it is called %s, from %s at %s, loaded %v, format %s", l.Name(), l.Source(), l.Path(), l.Loaded(), l.Format())
		}
		if l.Len() != 2 || l.Networks() != 0 || l.Rejected() != 1 {
			t.Errorf("%d names, %d networks, %d rejected, want 2, 0, 1", l.Len(), l.Networks(), l.Rejected())
		}
		if faults := l.Faults(); len(faults) != 1 || faults[0].Line != 4 {
			t.Errorf("faults %v, want one on line 4", faults)
		}
	}
}

// What did not change is not read again: the very list comes back. What is believed of it, and where it lies, is part of what it is.
func TestLoadUnchanged(t *testing.T) {
	dir := t.TempDir()
	path := writeFile(t, filepath.Join(dir, "extra.txt"), "tiktok.com\n")
	first := mustLoad(t, from(dir, "file:extra.txt"), nil)
	if again := mustLoad(t, from(dir, "file:extra.txt"), first); again != first {
		t.Error("an unchanged file was read again")
	}
	writeFile(t, path, "tiktok.com\n")
	if again := mustLoad(t, from(dir, "file:extra.txt"), first); again != first {
		t.Error("a file written with the same content was read again")
	}
	others := map[string]func(*blocklists.Source){
		"another name":   func(src *blocklists.Source) { src.Name = "other" },
		"another source": func(src *blocklists.Source) { src.Source = "file:" + path },
		"another format": func(src *blocklists.Source) { src.Format = format.Hosts },
		"own zones":      func(src *blocklists.Source) { src.OwnZones = []domain.Name{domain.MustParse("example.org")} },
	}
	writeFile(t, path, "0.0.0.0 tiktok.com\n")
	first = mustLoad(t, from(dir, "file:extra.txt"), first)
	for name, change := range others {
		src := from(dir, "file:extra.txt")
		change(&src)
		if again := mustLoad(t, src, first); again == first {
			t.Errorf("%s: it was not read again", name)
		}
	}
}

func mustLoad(t *testing.T, src blocklists.Source, before *blocklists.List) *blocklists.List {
	t.Helper()
	l, err := blocklists.Load(t.Context(), src, before)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The lines of all files of a pattern are those of one list.
func TestLoadPattern(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "b.txt"), "# b\ncapcut.com\ntwo words\nexample.com\n")
	writeFile(t, filepath.Join(dir, "a.txt"), "0.0.0.0 tiktok.com\n\n0.0.0.0 lemon8-app.com\n")
	writeFile(t, filepath.Join(dir, "c.other"), "example.org\n")
	l := mustLoad(t, from(dir, "file:*.txt"), nil)
	if l.Len() != 4 || l.Rejected() != 1 {
		t.Errorf("%d names, %d rejected, want 4, 1", l.Len(), l.Rejected())
	}
	places := map[string]string{}
	for r := range l.NameRules() {
		path, line := l.Place(r.Line)
		places[r.Name.String()] = fmt.Sprintf("%s:%d", filepath.Base(path), line)
	}
	for name, want := range map[string]string{"tiktok.com": "a.txt:1", "lemon8-app.com": "a.txt:3", "capcut.com": "b.txt:2"} {
		if places[name] != want {
			t.Errorf("%s is at %s, want %s", name, places[name], want)
		}
	}
	if path, line := l.Place(l.Faults()[0].Line); filepath.Base(path) != "b.txt" || line != 3 {
		t.Errorf("the rejected line is at %s:%d, want b.txt:3", path, line)
	}
	if again := mustLoad(t, from(dir, "file:*.txt"), l); again != l {
		t.Error("unchanged files were read again")
	}
	writeFile(t, filepath.Join(dir, "d.txt"), "example.net\n")
	if again := mustLoad(t, from(dir, "file:*.txt"), l); again.Len() != 5 {
		t.Errorf("with a file more it has %d names, want 5", again.Len())
	}
	_, err := blocklists.Load(t.Context(), from(dir, "file:*.none"), nil)
	wantError(t, "a pattern without files", err, "no file matches "+filepath.Join(dir, "*.none"))
}

func TestLoadFileFaults(t *testing.T) {
	dir := t.TempDir()
	good := strings.Repeat("tiktok.com\ncapcut.com\n", 20)
	bad := func(n int) string { return good + strings.Repeat("two words\n", n) }
	tests := []struct {
		name, content string
		format        format.Format
		min           int
		want          []string // parts of the error; none: it loads
	}{
		{"good", good, format.Auto, 0, nil},
		{"empty", "", format.Auto, 0, []string{"empty"}},
		{"empty-named", "", format.Names, 0, []string{"empty", "want at least one"}},
		{"comments", "# nothing\n\n# yet\n", format.Hosts, 0, []string{"empty"}},
		{"page.html", "<!DOCTYPE html>\n<html><body>404</body></html>\n", format.Auto, 0, []string{"an HTML page"}},
		{"page-as-names", "<!DOCTYPE html>\n<html>", format.Names, 0, []string{"an HTML page"}},
		{"list.json", `{"names": ["tiktok.com"]}`, format.Auto, 0, []string{"JSON"}},
		{"binary", "tiktok.com\n\x00\x01", format.Names, 0, []string{"binary"}},
		{"few", good, format.Auto, 3, []string{"has 2 entries, want at least 3"}},
		{"enough", good, format.Auto, 2, nil},
		{"four bad lines", bad(4), format.Auto, 0, nil},
		{"five of few", "tiktok.com\n" + strings.Repeat("two words\n", 5), format.Names, 0, nil},
		{"seven bad lines", bad(7), format.Auto, 0, []string{"7 of 47", "line 41", "line 43", "two words"}},
		{"bad line", "two words\n", format.Names, 0, []string{"nothing in it can be used", "line 1"}},
		{"only protected", "com\nco.uk\n", format.Auto, 0, []string{"nothing in it can be used", "top-level domain"}},
	}
	for _, tt := range tests {
		path := writeFile(t, filepath.Join(dir, tt.name), tt.content)
		src := from(dir, "file:"+tt.name)
		src.Format, src.Guards.MinEntries = tt.format, tt.min
		_, err := blocklists.Load(t.Context(), src, nil)
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
		_, err := blocklists.Load(t.Context(), from(dir, "file:"+path), nil)
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

// Somebody else than the one who runs the server may be able to make a link, or to name a path.
func TestLoadFileWithinADirectory(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "agency")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	secret := writeFile(t, filepath.Join(top, "secret.txt"), "secret.example\n")
	inside := writeFile(t, filepath.Join(dir, "list.txt"), "tiktok.com\n")
	for link, target := range map[string]string{"out.txt": "../secret.txt", "in.txt": "list.txt", "absolute.txt": secret} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	for path, fault := range map[string]string{
		"list.txt": "", "in.txt": "", inside: "", "out.txt": "no link on its way may leave that", "absolute.txt": "no link on its way may leave that",
		"../secret.txt": "it must lie in", "*.txt": "no link on its way may leave that", "none.txt": "does not exist",
	} {
		_, err := blocklists.Load(t.Context(), blocklists.Source{Name: "l", Source: "file:" + path, Dir: dir, Within: dir}, nil)
		if fault == "" && err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if fault != "" {
			wantError(t, path, err, fault)
		}
	}
}

func TestLoadFileWithinADirectoryIsSmall(t *testing.T) {
	dir := t.TempDir()
	half := "tiktok.com\n" + strings.Repeat("# comment\n", (512<<10-100)/20)
	writeFile(t, filepath.Join(dir, "a.txt"), half)
	writeFile(t, filepath.Join(dir, "b.txt"), half)
	writeFile(t, filepath.Join(dir, "c"), half+half+half)
	for source, within := range map[string]string{"file:*.txt": "", "file:c": dir} {
		_, err := blocklists.Load(t.Context(), blocklists.Source{Name: "l", Source: source, Dir: dir}, nil)
		if err != nil {
			t.Errorf("%s: %v", source, err)
		}
		_, err = blocklists.Load(t.Context(), blocklists.Source{Name: "l", Source: source, Dir: dir, Within: dir}, nil)
		if within != "" {
			wantError(t, source, err, "want at most 524288")
		} else if err != nil {
			t.Errorf("%s within a directory: %v", source, err)
		}
	}
}

// The directory itself may be theirs too: once a list of it was believed, it can become a link.
func TestLoadFileOfADirectoryThatIsALinkOutOfWhereItMustLie(t *testing.T) {
	top := t.TempDir()
	policy := filepath.Join(top, "policy")
	for _, dir := range []string{policy, filepath.Join(policy, "real"), filepath.Join(top, "secrets")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(policy, "real", "list.txt"), "tiktok.com\n")
	writeFile(t, filepath.Join(top, "secrets", "list.txt"), "secret.example\n")
	for link, target := range map[string]string{"in": "real", "out": "../secrets", "real/out": "../../secrets"} {
		if err := os.Symlink(target, filepath.Join(policy, link)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	load := func(dir, path string) error {
		_, err := blocklists.Load(t.Context(), blocklists.Source{
			Name: "l", Source: "file:" + path, Dir: filepath.Join(policy, dir), Within: policy,
		}, nil)
		return err
	}
	for _, path := range []string{"list.txt", "*.txt", "l*/../list.txt"} {
		wantError(t, path, load("out", path), "no link on its way may leave that")
	}
	for _, path := range []string{"list.txt", "*.txt"} {
		if err := load("in", path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	wantError(t, "a pattern through a link", load("real", "*/*.txt"), "no file matches")
}

func TestLoadFileThatChangesMeanwhile(t *testing.T) {
	dir := t.TempDir()
	whole := strings.Repeat("tiktok.com\n", 20_000) // several readings
	for about, content := range map[string]string{
		"longer": whole + "capcut.com\n", "shorter": whole[:len(whole)-11], "other": strings.Repeat("capcut.com\n", 20_000),
	} {
		path := writeFile(t, filepath.Join(dir, "extra.txt"), whole)
		src := from(dir, "file:extra.txt")
		src.Progress = func(read, size int64) {
			if read < size {
				writeFile(t, path, content)
			}
		}
		_, err := blocklists.Load(t.Context(), src, nil)
		wantError(t, about, err, "changed while it was read", "rename that")
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "extra.txt"), "tiktok.com\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := blocklists.Load(ctx, from(dir, "file:extra.txt"), nil)
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

func TestLoadInline(t *testing.T) {
	load := func(lines ...string) (*blocklists.List, error) {
		return blocklists.Load(t.Context(), blocklists.Source{Name: "extra", Inline: lines}, nil)
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
		"https://example.org/list.txt": "there is no copy of it yet",
		"extra.txt":                    "there is no copy of it yet",
		"builtin:tiktak":               `"tiktak"`,
	} {
		_, err := blocklists.Load(t.Context(), blocklists.Source{Name: "extra", Source: source}, nil)
		wantError(t, source, err, "list extra", want)
	}
}

func TestBuiltinListsLoadWhole(t *testing.T) {
	for _, name := range builtin.Names() {
		l, err := blocklists.Load(t.Context(), blocklists.Source{Name: name, Source: "builtin:" + name}, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if l.Rejected() > 0 {
			t.Errorf("%s: skipped %v", name, l.Faults())
		}
	}
}

func TestBuiltinTikTok(t *testing.T) {
	l, err := blocklists.Load(t.Context(), blocklists.Source{Name: "tiktok", Source: "builtin:tiktok"}, nil)
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
	if l.Len() != 3 || l.Rejected() != 6 {
		t.Errorf("%d names, %d skipped, want 3, 6: %v", l.Len(), l.Rejected(), l.Faults())
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
	if l.Networks() != 3 || l.Rejected() != 2 {
		t.Errorf("%d networks, %d skipped, want 3, 2: %v", l.Networks(), l.Rejected(), l.Faults())
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
	if l.Rejected() != bad || len(l.Faults()) != blocklists.MaxFaults {
		t.Errorf("%d skipped, %d faults, want %d, %d", l.Rejected(), len(l.Faults()), bad, blocklists.MaxFaults)
	}
	l.Faults()[0].Line = 99
	if l.Faults()[0].Line != 1 {
		t.Error("a caller changed the list")
	}
}

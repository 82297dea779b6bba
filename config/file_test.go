package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cordon/config"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, elements ...string) string {
	t.Helper()
	dir := filepath.Join(elements...)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// read is the names and texts of the policy files in dir.
func read(t *testing.T, dir string) []string {
	t.Helper()
	files, err := config.ReadPolicyDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		text := string(f.Data)
		if f.Err != nil {
			text = "error " + f.Err.Error()
		}
		all = append(all, filepath.Base(f.Path)+"="+text)
	}
	return all
}

func TestPolicyFilesAreTheYAMLFilesOfTheDirectory(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.yaml", "a.yml", ".hidden.yaml", ".#b.yaml", "b.yaml~", "readme.txt", "yaml"} {
		write(t, filepath.Join(dir, name), name)
	}
	mkdir(t, dir, "c.yaml")
	write(t, filepath.Join(mkdir(t, dir, "sub"), "d.yaml"), "d")
	if got, want := read(t, dir), []string{"a.yml=a.yml", "b.yaml=b.yaml"}; !slices.Equal(got, want) {
		t.Errorf("have %q, want %q", got, want)
	}
}

func TestPolicyFilesMayBeSymbolicLinks(t *testing.T) {
	dir := t.TempDir()
	data := mkdir(t, dir, "..2026_11_22")
	write(t, filepath.Join(data, "a.yaml"), "one")
	symlink(t, "..2026_11_22", filepath.Join(dir, "..data"))
	symlink(t, "..data/a.yaml", filepath.Join(dir, "a.yaml"))
	symlink(t, "nowhere.yaml", filepath.Join(dir, "b.yaml"))
	symlink(t, "..data", filepath.Join(dir, "c.yaml"))
	if got, want := read(t, dir), []string{"a.yaml=one", "b.yaml=error no such file or directory"}; !slices.Equal(got, want) {
		t.Errorf("have %q, want %q", got, want)
	}
}

func TestAMissingPolicyDirectoryIsAnError(t *testing.T) {
	if _, err := config.ReadPolicyDir(filepath.Join(t.TempDir(), "policy")); err == nil {
		t.Error("there is no error")
	}
}

func TestAnEmptyPolicyDirectoryIsAFault(t *testing.T) {
	_, faults := config.LoadPolicy(nil, options())
	if !faults.Bad() {
		t.Error("a policy without files is valid")
	}
}

func TestAFileThatIsTooLargeIsAFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	write(t, path, "lists: []\n"+strings.Repeat("# "+strings.Repeat("x", 1022)+"\n", 17<<10))
	_, faults := config.ParsePolicy([]config.File{config.ReadFile(path)})
	if len(faults) != 1 || !strings.Contains(faults[0].Message, "larger than 1 MiB") {
		t.Errorf("have %v", faults)
	}
}

func TestTextThatIsNotUTF8IsAFaultWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"lists: []\nx: \"\xff\"\n":     "p.yaml:2:5: the octet 0xff is not UTF-8: want UTF-8 text",
		"l\x00i\x00s\x00t\x00":         "p.yaml:1:2: a NUL octet (is this UTF-16 or a binary file?): want UTF-8 text",
		"\xff\xfel\x00i\x00s\x00t\x00": "p.yaml:1:1: the file is UTF-16: want UTF-8 text",
	} {
		_, faults := config.ParsePolicy([]config.File{config.NewFile("p.yaml", []byte(text))})
		if len(faults) != 1 || faults[0].String() != want {
			t.Errorf("%q: have %v, want %s", text, faults, want)
		}
	}
}

func TestTooManyPolicyFilesAreAnError(t *testing.T) {
	dir := t.TempDir()
	for i := range 1025 {
		write(t, filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), "")
	}
	if _, err := config.ReadPolicyDir(dir); err == nil {
		t.Error("there is no error")
	}
}

func TestIncludedFilesAreReadWithTheirOwners(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(t.TempDir(), "secret.yaml")
	write(t, out, "secret")
	sub := mkdir(t, dir, "agencies")
	mkdir(t, sub, "deep")
	var main strings.Builder
	main.WriteString("include:\n")
	for _, name := range []string{
		"agencies/defence.yaml", "health.yaml", "../x.yaml", "agencies/nowhere.yaml", "agencies/link.yaml", "agencies/inside.yaml",
		"agencies/up.yaml", "agencies", "agencies/deep",
	} {
		main.WriteString("  - {file: " + name + ", owner: x}\n")
	}
	write(t, filepath.Join(dir, "main.yaml"), main.String())
	write(t, filepath.Join(sub, "defence.yaml"), "d")
	write(t, filepath.Join(sub, "nobody.yaml"), "n")
	write(t, filepath.Join(dir, "health.yaml"), "h")
	symlink(t, out, filepath.Join(sub, "link.yaml"))
	symlink(t, "../health.yaml", filepath.Join(sub, "inside.yaml"))
	symlink(t, "../../"+filepath.Base(filepath.Dir(out))+"/secret.yaml", filepath.Join(sub, "up.yaml"))
	const leadsOut = "a symbolic link on its way leads out of the policy directory, or is absolute"
	want := []string{
		"health.yaml=h", "main.yaml=" + main.String(), "defence.yaml=d", "nowhere.yaml=error no such file or directory",
		"link.yaml=error " + leadsOut, "inside.yaml=h", "up.yaml=error " + leadsOut,
		"deep=error is a directory",
	}
	if got := read(t, dir); !slices.Equal(got, want) {
		t.Errorf("have %q, want %q", got, want)
	}
}

func TestIncludedFilesMayBeLinksOfKubernetes(t *testing.T) {
	dir := t.TempDir()
	data := mkdir(t, dir, "..2026_11_22")
	write(t, filepath.Join(data, "m.yaml"), "include: [{file: agencies/o.yaml, owner: x}]")
	write(t, filepath.Join(mkdir(t, data, "agencies"), "o.yaml"), "o")
	symlink(t, "..2026_11_22", filepath.Join(dir, "..data"))
	symlink(t, "..data/m.yaml", filepath.Join(dir, "m.yaml"))
	symlink(t, "..data/agencies", filepath.Join(dir, "agencies"))
	files, err := config.ReadPolicyDir(dir)
	if err != nil || len(files) != 2 || files[1].Owner != "x" || string(files[1].Data) != "o" {
		t.Errorf("have %v, %v", files, err)
	}
}

// There may be 1024 files together, and 64 MiB.
func TestOwnedFilesForWhichThereIsNoRoomStopNobodyElse(t *testing.T) {
	for name, test := range map[string]struct{ files, size, want int }{
		"too many":  {1024, 0, 1},
		"too large": {68, 1 << 20, 5},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			owned := mkdir(t, dir, "o")
			var b strings.Builder
			b.WriteString("include:\n")
			for i := range test.files {
				fmt.Fprintf(&b, "  - {file: o/%d.yaml, owner: x}\n", i)
				write(t, filepath.Join(owned, fmt.Sprintf("%d.yaml", i)), strings.Repeat("#", test.size))
			}
			write(t, filepath.Join(dir, "m.yaml"), b.String())
			files, err := config.ReadPolicyDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var wrong int
			for i, f := range files {
				if f.Err != nil {
					wrong++
				} else if wrong > 0 {
					t.Errorf("file %d is read, after one that is not", i)
				}
			}
			if wrong != test.want {
				t.Errorf("there is no room for %d files, want %d", wrong, test.want)
			}
		})
	}
}

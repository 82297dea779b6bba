//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cordon/config"
)

// As a package delivers it, the server answers this host alone, on a port that nobody else has, and keeps its state where the unit lets it
// write. .ci/package makes that file as this test does.
func TestThePackageIsSafeAsItIsDelivered(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(repository, ".ci", "package"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\tlocal file=\S+ line='(.+)'$`).FindSubmatch(script)
	if len(m) != 2 {
		t.Fatal(".ci/package does not say which line of cordon.yaml it takes the # from")
	}
	line, text := string(m[1]), defaultFile("cordon.yaml")+"\n"
	if n := strings.Count(text, "\n# "+line+"\n"); n != 1 {
		t.Fatalf("config/default/cordon.yaml has the line %q %d times, want it once", "# "+line, n)
	}
	file := config.NewFile("/etc/cordon/cordon.yaml", []byte(strings.Replace(text, "\n# "+line+"\n", "\n"+line+"\n", 1)))
	s, faults := config.ParseService(&file, nil)
	if len(faults) > 0 {
		t.Fatal(faults.Render())
	}
	for _, address := range s.Listen.DNS {
		if !address.Addr().IsLoopback() || address.Port() < 1024 {
			t.Errorf("it listens on %s", address)
		}
	}
	if !s.Listen.Admin.IsPrivate() {
		t.Errorf("others reach its admin listener, %s", s.Listen.Admin)
	}
	unit, err := os.ReadFile(filepath.Join("package", "cordon.service"))
	if err != nil {
		t.Fatal(err)
	}
	directory := regexp.MustCompile(`(?m)^StateDirectory=(.+)$`).FindSubmatch(unit)
	if len(directory) != 2 || s.StateDir != "/var/lib/"+string(directory[1]) {
		t.Errorf("it keeps its state in %s, and the unit lets it write %q in /var/lib", s.StateDir, directory)
	}
	if want := "/etc/cordon/policy"; s.PolicyDir != want {
		t.Errorf("its policy is in %s, want %s", s.PolicyDir, want)
	}
}

// What systemd makes for the service is what a purge takes away.
func TestAPurgeLeavesNothing(t *testing.T) {
	unit, err := os.ReadFile(filepath.Join("package", "cordon.service"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join("package", "deb", "postrm"))
	if err != nil {
		t.Fatal(err)
	}
	removed := strings.Fields(regexp.MustCompile(`(?m)^\trm -rf (.+)$`).FindString(string(script)))
	kept := regexp.MustCompile(`(?m)^(State|Logs)Directory=(.+)$`).FindAllStringSubmatch(string(unit), -1)
	if len(kept) != 2 {
		t.Fatalf("the unit keeps %q, want state and logs", kept)
	}
	for _, m := range kept {
		if path := map[string]string{"State": "/var/lib/", "Logs": "/var/log/"}[m[1]] + m[2]; !slices.Contains(removed, path) {
			t.Errorf("a purge leaves %s: %q", path, removed)
		}
	}
}

// Where the pages say that a package has a file, .ci/package puts it.
func TestThePagesKnowWhatThePackageHas(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(repository, ".ci", "package"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "shared=$root/usr/share/cordon\n"; !strings.Contains(string(script), want) {
		t.Errorf(".ci/package has no %q", want)
	}
	pages := map[string]string{
		filepath.Join("config", "README.md"): "$schema=/usr/share/cordon/policy.schema.json\n", "RUNBOOK.md": "\ncd /usr/share/doc/cordon ",
	}
	for page, want := range pages {
		text, err := os.ReadFile(filepath.Join(repository, page))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q", page, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(repository, "RUNBOOK.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile(`local shown=\((.+)\) one`).FindStringSubmatch(string(script))
	if len(shown) != 2 {
		t.Fatal(".ci/package does not say which directories it shows")
	}
	for _, m := range regexp.MustCompile(`(?m)^install .*$`).FindAllString(string(text), -1) {
		for path := range strings.FieldsSeq(m) {
			if strings.HasPrefix(path, "cmd/") && !slices.Contains(strings.Fields(shown[1]), filepath.ToSlash(filepath.Dir(path))) {
				t.Errorf("RUNBOOK.md: the package has no %s", path)
			}
		}
	}
}

// What systemd can't do at the moment keeps nobody from installing or removing a package; a purge takes what the server has written, and
// nothing else. The scripts see a root of their own.
func TestThePackageIsRemovedWhateverSystemdSays(t *testing.T) {
	root, programs := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"systemctl": "exit 1", "deb-systemd-invoke": "exit 1", "deb-systemd-helper": "exit 0", "systemd-sysusers": "exit 0",
	} {
		if err := os.WriteFile(filepath.Join(programs, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"run/systemd/system", "etc/cordon", "var/lib/cordon/audit", "var/log/cordon", "var/lib/other", "var/log/other"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	absolute := regexp.MustCompile(`/(run|etc|var)/`)
	for _, run := range [][2]string{
		{"deb/postinst", "configure"},
		{"deb/prerm", "upgrade"},
		{"deb/prerm", "remove"},
		{"deb/postrm", "remove"},
		{"deb/postrm", "purge"},
		{"rpm/post", "1"},
		{"rpm/post", "2"},
		{"rpm/preun", "1"},
		{"rpm/preun", "0"},
		{"rpm/postun", "1"},
		{"rpm/postun", "0"},
	} {
		text, err := os.ReadFile(filepath.Join("package", run[0]))
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", absolute.ReplaceAllString(string(text), root+"$0"), run[0], run[1])
		cmd.Env = []string{"PATH=" + programs + ":/usr/bin:/bin"}
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s %s: %v: %s", run[0], run[1], err, said)
		}
	}
	settings, _ := filepath.Glob(filepath.Join(root, "etc", "*")) // an error only of a pattern that is none
	written, _ := filepath.Glob(filepath.Join(root, "var", "*", "*"))
	left := strings.ReplaceAll(strings.Join(append(settings, written...), " "), root, "")
	if want := "/etc/cordon /var/lib/other /var/log/other"; left != want {
		t.Errorf("a purge leaves %s, want %s", left, want)
	}
}

//go:build unix

package main

import (
	"os"
	"path/filepath"
	"regexp"
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

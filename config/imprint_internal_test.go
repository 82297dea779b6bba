package config

import (
	"os"
	"path/filepath"
	"testing"
)

// A second change within one step of the file system's clock leaves no trace in the stat: just after a change it is the contents that count.
func TestAChangeWithoutATraceIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.txt")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one.example\n")
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	unchanged := func(string) (os.FileInfo, error) { return info, nil }
	open := func() (*os.File, error) { return os.Open(path) }
	before := take(path, unchanged, open, nil)
	write("two.example\n")
	if now := take(path, unchanged, open, imprints{path: before}); now.lack != "" || now.hash == before.hash {
		t.Errorf("the change was not noticed: %+v", now)
	}
}

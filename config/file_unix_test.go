//go:build unix

package config_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cordon/config"
)

func TestAPipeAmongThePolicyFilesHoldsNobodyUp(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "a.yaml"), 0o600); err != nil {
		t.Skip(err)
	}
	if got := read(t, dir); len(got) != 1 || !strings.Contains(got[0], "not a regular file") {
		t.Errorf("have %q", got)
	}
	files, _ := config.ReadPolicyDir(dir)
	if _, faults := config.ParsePolicy(files); !faults.Bad() {
		t.Error("a file that can't be read is no fault")
	}
}

// It was a regular file when it was looked at.
func TestAFileThatBecomesAPipeHoldsNobodyUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	write(t, path+".regular", "text")
	if f, err := config.OpenRegular(os.OpenFile, path); err == nil || !strings.Contains(err.Error(), "no longer a regular file") {
		t.Errorf("the pipe is opened: %v, %v", f, err)
	}
	f, err := config.OpenRegular(os.OpenFile, path+".regular")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "text" {
		t.Errorf("the file has %q, %v", text, err)
	}
}

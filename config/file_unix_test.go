//go:build unix

package config_test

import (
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

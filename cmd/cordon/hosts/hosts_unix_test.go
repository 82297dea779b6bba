//go:build unix

package hosts_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cordon/cmd/cordon/hosts"
)

func TestPipesAndDevicesAreNotRead(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, "/dev/zero"} {
		if _, err := new(hosts.Files).Read([]string{path}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

//go:build linux

package endtoend

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// law is the ministry's policy under another name, so that every refusal says which edition is in force.
func law(name string) string { return strings.ReplaceAll(ministry, "ban", name) }

// refusedBy is the policy that a refusal of plain.example names, "" if it is answered otherwise.
func (c *cordon) refusedBy() string {
	c.t.Helper()
	r := c.dig("plain.example")
	if r.status != "NXDOMAIN" || len(r.ede) != 1 {
		return ""
	}
	return between(r.ede[0], "policy ", ")")
}

// enact puts another edition of the policy in force.
func (c *cordon) enact(name string) {
	c.t.Helper()
	c.write(law(name), "policy/ministry.yaml")
	until(c.t, 2*time.Second, name+" is in force", func() bool { return c.refusedBy() == name })
}

// breakWhileDown kills the server, makes its policy unreadable, and starts it: it has to go by its state.
func (c *cordon) breakWhileDown() {
	c.t.Helper()
	c.kill()
	c.write("policies: [\n", "policy/ministry.yaml")
	c.start()
}

// A full disk stops neither answers nor changes. What was saved last stays whole, and there is a new last good state when there is room.
func TestE2EFullDisk(t *testing.T) {
	endToEnd(t, "dig", "ip")
	if !apart(t) {
		return
	}
	c := newMinistry(t, "127.0.0.1:9")
	mount(t, c.path("state"), "512k")
	c.start()
	c.enact("first")
	ballast := filepath.Join(c.path("state"), "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	c.enact("second")
	c.logs(0, "level=ERROR", "the last good state was not saved", "no space left")
	if errs, free := c.metric("cordon_state_save_errors_total"), c.metric("cordon_audit_disk_free_bytes"); errs == "0" || errs == "" || free != "0" {
		t.Errorf("%q attempts to save failed, and the audit log has %q octets free: want some, and 0", errs, free)
	}

	c.breakWhileDown()
	if got := c.refusedBy(); got != "first" {
		t.Errorf("in force after a start with a broken file is %q, want what was saved before the disk was full", got)
	}
	remove(t, ballast)
	c.enact("third")
	c.breakWhileDown()
	if got := c.refusedBy(); got != "third" {
		t.Errorf("in force after there was room again is %q, want third", got)
	}
	c.signal(syscall.SIGTERM)
	if status := c.wait(4 * time.Second); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}

// A state directory that becomes read-only, as after a fault of the disk, stops neither answers, nor changes, nor a restart.
func TestE2EReadOnlyStateDirectory(t *testing.T) {
	endToEnd(t, "dig", "ip")
	if !apart(t) {
		return
	}
	c := newMinistry(t, "127.0.0.1:9")
	c.start()
	c.enact("first")
	state := c.path("state")
	for _, flags := range []uintptr{syscall.MS_BIND, syscall.MS_BIND | syscall.MS_REMOUNT | syscall.MS_RDONLY} {
		if err := syscall.Mount(state, state, "", flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = syscall.Unmount(state, syscall.MNT_DETACH) })
	c.enact("second")
	c.logs(0, "level=ERROR", "the last good state was not saved", "read-only file system")
	c.kill()
	c.start()
	if got := c.refusedBy(); got != "second" {
		t.Errorf("in force after a restart is %q, want second", got)
	}
	c.logs(0, "level=ERROR", "read-only file system")
	c.breakWhileDown()
	if got := c.refusedBy(); got != "first" {
		t.Errorf("in force after a start with a broken file is %q, want what was saved last", got)
	}
	c.signal(syscall.SIGTERM)
	if status := c.wait(4 * time.Second); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}

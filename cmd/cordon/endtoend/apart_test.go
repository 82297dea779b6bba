//go:build linux

package endtoend

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// Tests that cut networks or fill disks do that apart: in a process of their own, whose network has nothing in it but loopback, and
// whose mounts nobody else sees. All of it goes when that process ends.

// apartName, in the environment, is the test that runs apart.
const apartName = "CORDON_E2E_APART"

// apart runs t once more, apart, and says whether this is that run. The first run, which returns false, has nothing left to do.
func apart(t *testing.T) bool {
	t.Helper()
	if os.Getenv(apartName) == t.Name() {
		command(t, "ip", "link", "set", "lo", "up")
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("a network and mounts of its own are for root")
	}
	cmd := exec.Command(ownFile(t), "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=3m")
	cmd.Env = append(os.Environ(), apartName+"="+t.Name(), programName+"="+programFile(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	t.Logf("apart:\n%s", out)
	if err != nil {
		t.Errorf("apart: %v", err)
	}
	return false
}

// command runs a command that must succeed.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := findTool(name)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// host is another machine: a process that does nothing, in a network of its own.
type host struct {
	*child
	t   *testing.T
	own []string // nsenter's flags for what is its own
}

func startHost(t *testing.T) *host {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	h := &host{t: t, own: []string{"--net"}, child: startWith(t, "host", cmd, syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET})}
	h.command("ip", "link", "set", "lo", "up")
	return h
}

// command runs a command that must succeed on that machine.
func (h *host) command(args ...string) {
	h.t.Helper()
	command(h.t, "nsenter", h.within(args...)...)
}

// within are the arguments of nsenter for a command on that machine.
func (h *host) within(args ...string) []string {
	return slices.Concat(h.own, []string{"--target", strconv.Itoa(h.cmd.Process.Pid), "--"}, args)
}

// mount mounts a disk of so many octets, such as "256k", in a new directory. It is for tests that run apart.
func mount(t *testing.T, dir, size string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

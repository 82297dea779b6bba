//go:build linux

package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// machine is a host that has files of its own too: what is written to /etc, /run, /usr/local and /var is there for its programs, over
// what this system has, and for nobody else. When its first process ends, all others end, and its networks and files are gone.
type machine struct {
	*host
	name     string
	programs []*child
}

// machines are those of a test. They end together: each takes the system some time.
type machines struct {
	t   *testing.T
	all []*machine
}

// newMachines are none so far. Whoever calls it defers end.
func newMachines(t *testing.T) *machines {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("networks and mounts of its own are for root")
	}
	return &machines{t: t}
}

// end ends all of them. Their programs have parents here, which must not be stopped: a first process ends when they know.
func (ms *machines) end() {
	for _, m := range ms.all {
		for _, c := range append(m.programs, m.child) {
			c.signal(syscall.SIGKILL)
		}
	}
}

// furnish makes the files of a machine. networkd takes it for a machine without udev by a /sys that can't be written.
const furnish = `set -e
mount -t tmpfs -o mode=0755 own "$1"
for dir in etc usr/local var; do
	mkdir -p "$1/$dir" "$1/work/$dir"
	mount -t overlay -o "lowerdir=/$dir,upperdir=$1/$dir,workdir=$1/work/$dir" own "/$dir"
done
mount -t tmpfs -o mode=0755 own /run
mount -t proc own /proc
mount -t sysfs -o ro own /sys
echo "$2" >/proc/sys/kernel/hostname
sysctl -qw net.ipv6.conf.all.dad_transmits=0 net.ipv6.conf.default.dad_transmits=0 net.ipv6.conf.all.accept_dad=0 \
	net.ipv6.conf.default.accept_dad=0
ip link set lo up
touch /run/furnished
exec sleep 600
`

func (ms *machines) add(name string) *machine {
	t := ms.t
	t.Helper()
	attr := syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS, // nobody else sees its mounts
	}
	m := &machine{name: name, host: &host{t: t, own: []string{"--net", "--mount", "--pid", "--uts"}}}
	m.child = startWith(t, name, exec.Command("sh", "-c", furnish, "sh", t.TempDir(), name), attr)
	ms.all = append(ms.all, m)
	until(t, 10*time.Second, name+" is there", func() bool {
		if !m.running() {
			t.Fatalf("%s can't be made", name)
		}
		_, err := os.Stat(m.path("/run/furnished"))
		return err == nil
	})
	return m
}

// seldom is condition, waiting before each answer: for conditions that start processes.
func seldom(t *testing.T, condition func() bool) func() bool {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	t.Cleanup(tick.Stop)
	return func() bool {
		<-tick.C
		return condition()
	}
}

// path is where this process finds a file of the machine's.
func (m *machine) path(path string) string {
	return fmt.Sprintf("/proc/%d/root%s", m.cmd.Process.Pid, path)
}

// write writes a file of the machine's.
func (m *machine) write(text, path string) {
	m.t.Helper()
	writeFile(m.t, text, m.path(path))
}

// install copies a file to the machine, with its mode.
func (m *machine) install(file, path string) {
	m.t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		m.t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(string(text), path)
	if err := os.Chmod(m.path(path), info.Mode().Perm()); err != nil {
		m.t.Fatal(err)
	}
}

// read is a file of the machine's, "" if it is not there.
func (m *machine) read(path string) string {
	text, err := os.ReadFile(m.path(path))
	if err != nil {
		return ""
	}
	return string(text)
}

// addUser adds a user with a group of the same name and number.
func (m *machine) addUser(name string, id int) {
	m.t.Helper()
	m.write(m.read("/etc/passwd")+fmt.Sprintf("%[1]s:x:%[2]d:%[2]d::/:/usr/sbin/nologin\n", name, id), "/etc/passwd")
	m.write(m.read("/etc/group")+fmt.Sprintf("%s:x:%d:\n", name, id), "/etc/group")
}

// start starts a program on the machine.
func (m *machine) start(args ...string) *child {
	m.t.Helper()
	c := start(m.t, m.name+": "+filepath.Base(args[0]), m.cmdOf(args...))
	m.programs = append(m.programs, c)
	return c
}

// says runs a program on the machine, and returns what it wrote.
func (m *machine) says(args ...string) string {
	out, _ := m.cmdOf(args...).CombinedOutput()
	return strings.TrimSpace(string(out))
}

func (m *machine) cmdOf(args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", m.within(args...)...)
	cmd.Env = append(os.Environ(), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	return cmd
}

// address gives the machine's interface addresses with their prefix lengths.
func (m *machine) address(device string, addresses ...string) {
	m.t.Helper()
	for _, a := range addresses {
		m.command("ip", "address", "add", a, "dev", device)
	}
}

// routes gives the machine its default routes.
func (m *machine) routes(ipv4, ipv6 string) {
	m.t.Helper()
	m.command("ip", "route", "add", "default", "via", ipv4)
	m.command("ip", "-6", "route", "add", "default", "via", ipv6)
}

// bridge gives the machine an interface that is a switch, with addresses.
func (m *machine) bridge(device string, addresses ...string) {
	m.t.Helper()
	m.command("ip", "link", "add", device, "type", "bridge", "mcast_snooping", "0")
	m.command("ip", "link", "set", device, "up")
	m.address(device, addresses...)
}

var cables atomic.Int64

// plug connects the machine's interface device, with that hardware address, to the bridge of another; both ends are up.
func (m *machine) plug(device, hardware string, other *machine, bridge string) {
	m.t.Helper()
	port := fmt.Sprintf("port%d", cables.Add(1))
	command(m.t, "nsenter", "--net", "--target", strconv.Itoa(m.cmd.Process.Pid), "--", "ip", "link", "add", device, "address", hardware,
		"type", "veth", "peer", "name", port, "netns", strconv.Itoa(other.cmd.Process.Pid))
	other.command("ip", "link", "set", port, "master", bridge, "up")
	m.command("ip", "link", "set", device, "up")
}

//go:build linux

package endtoend

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The tests of this file run the program as package/cordon.service does, as far as that goes without systemd: by another user, with the
// capabilities, the system calls and the address families of the unit and no others, with sockets that are bound already, and with
// somebody who listens to what it tells its manager.

const nobody = 65534 // the user and the group

// unitFile is the text of a file of package.
func unitFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../package", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// settings are the values of a key of a unit, in their order.
func settings(unit, key string) (values []string) {
	for _, m := range regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(unit, -1) {
		values = append(values, m[1])
	}
	return values
}

// newService is newCordon with all that it needs where nobody can reach it, its state directory his.
func newService(t *testing.T, upstreams []string, more string) *cordon {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test becomes another user, which needs root")
	}
	dir, err := os.MkdirTemp("", "cordon") //nolint:usetesting // one that other users reach
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := &cordon{t: t, dir: dir, port: freePort(t), admin: "unix:" + filepath.Join(dir, "run", "admin.sock")}
	for _, own := range []string{"state", "run"} {
		if err := os.Mkdir(c.path(own), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(c.path(own), nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"cordon": programFile(t), "confined": ownFile(t)} {
		if out, err := exec.Command("cp", file, c.path(name)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	c.service(upstreams, "state_dir: state\n"+more)
	return c
}

// asService is `cordon serve` by nobody, with the capabilities (such as "net_bind_service") and no others, for good.
func (c *cordon) asService(capabilities ...string) *exec.Cmd {
	set := strings.Join(append([]string{"-all"}, capabilities...), ",+")
	cmd := cordonCommand(c.t, c.env)
	program := []string{c.path("cordon")}
	if isConfined(c.env) {
		program = []string{c.path("confined"), c.path("cordon")}
	}
	// The number of the process, for which the sockets are, is known only when it is there; setpriv keeps it.
	cmd.Path, cmd.Args = "/bin/sh", slices.Concat([]string{
		"sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh", "setpriv", "--reuid", fmt.Sprint(nobody), "--regid", fmt.Sprint(nobody), "--clear-groups",
		"--inh-caps=" + set, "--ambient-caps=" + set, "--bounding-set=" + set, "--no-new-privs",
	}, program, []string{"serve"}, c.args)
	cmd.Dir = c.dir
	return cmd
}

// status is a line of /proc/PID/status.
func (c *child) status(key string) string {
	c.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); name == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// serviceManager hears what the program tells.
type serviceManager struct {
	t    *testing.T
	conn *net.UnixConn
}

// manage makes the environment of c name a manager.
func (c *cordon) manage() *serviceManager {
	c.t.Helper()
	path := c.path("notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	if err := os.Chmod(path, 0o777); err != nil {
		c.t.Fatal(err)
	}
	c.env = append(c.env, "NOTIFY_SOCKET="+path)
	return &serviceManager{c.t, conn}
}

// hears waits for a message that matches want, and passes over others only if they match one of between.
func (m *serviceManager) hears(want string, between ...string) {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		m.t.Fatal(err)
	}
	expected := regexp.MustCompile("^(" + strings.Join(append(between, want), "|") + ")\n$")
	for {
		var buf [4096]byte
		n, err := m.conn.Read(buf[:])
		if err != nil {
			m.t.Fatalf("%s is not told: %v", want, err)
		}
		if !expected.Match(buf[:n]) {
			m.t.Fatalf("told %q, want %s", buf[:n], want)
		}
		if regexp.MustCompile("^" + want + "\n$").Match(buf[:n]) {
			return
		}
	}
}

// boundSockets are those of cordon.socket, at another address: two for UDP on the same port, one for TCP.
func boundSockets(t *testing.T, address string) []*os.File {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return joinErrors(c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}), err)
	}}
	var all []*os.File
	keep := func(socket interface{ File() (*os.File, error) }) {
		file, err := socket.File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		all = append(all, file)
	}
	for range 2 {
		conn, err := config.ListenPacket(t.Context(), "udp4", address)
		if err != nil {
			t.Fatal(err)
		}
		keep(conn.(*net.UDPConn))
		_ = conn.Close()
	}
	listener, err := config.Listen(t.Context(), "tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	keep(listener.(*net.TCPListener))
	_ = listener.Close()
	return all
}

func joinErrors(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

const privilegedPort = 53

// ownLoopback is an address for which this test alone has the ports.
func ownLoopback() string {
	return fmt.Sprintf("127.53.%d.%d", os.Getpid()>>8&0xff, os.Getpid()&0xff)
}

// hasDatagram says whether something waits to be read in a UDP socket.
func hasDatagram(socket *os.File) bool {
	poll := []unix.PollFd{{Fd: int32(socket.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n == 1
}

// With sockets that were bound for it, the server needs no capability at all, and none of the system calls that the unit forbids.
func TestE2EServiceWithoutAnyCapability(t *testing.T) {
	endToEnd(t, "nsd", "dig", "setpriv", "systemd-analyze", "scmp_sys_resolver")
	c := newService(t, []string{startNSD(t).address}, "policy_dir: policy\nlimits: {tcp_idle: 1s}\n")
	c.write(federal(), "policy/federal.yaml")
	manager := c.manage()
	const pings = "WATCHDOG=1"
	c.env = append(c.env, "WATCHDOG_USEC=2000000", "LISTEN_FDS=3", "LISTEN_FDNAMES=dns:dns:dns", confined+"="+allowedCalls(t))
	ip := ownLoopback()
	cmd := c.asService()
	cmd.ExtraFiles = boundSockets(t, fmt.Sprintf("%s:%d", ip, privilegedPort))
	c.child = start(t, "cordon", cmd)
	c.port = privilegedPort
	manager.hears(`READY=1\nSTATUS=policy [0-9a-f]{8}; in force: ban with 2 exceptions`, pings)
	for key, want := range map[string]string{
		"CapEff": "0000000000000000", "CapBnd": "0000000000000000", "CapAmb": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2",
		"Uid": strings.TrimSpace(strings.Repeat("65534\t", 4)),
	} {
		if got := c.status(key); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	ask := func() {
		t.Helper()
		for range 8 { // by several of its sockets
			c.wants([2]string{"@" + ip + " www.tiktok.com", listedByNSC})
		}
		c.wants(
			[2]string{"@" + ip + " www.tiktok.com +tcp", listedByNSC},
			[2]string{"@" + ip + " www.example", "NOERROR A 192.0.2.80"}, [2]string{"@" + ip + " www.example +tcp", "NOERROR A 192.0.2.80"},
		)
	}
	ask()
	manager.hears(pings)
	c.write(strings.ReplaceAll(federal(), "The press office", "Everybody in the press office"), "policy/federal.yaml")
	c.logs(0, "policy in force")
	manager.hears(`STATUS=policy [0-9a-f]{8}; in force: ban with 2 exceptions`, pings)
	c.signal(syscall.SIGHUP)
	manager.hears(`RELOADING=1\nMONOTONIC_USEC=[0-9]+`, pings)
	manager.hears(`READY=1\nSTATUS=policy [0-9a-f]{8}; in force: ban with 2 exceptions`, pings)
	c.write("policies: [", "policy/federal.yaml")
	manager.hears(`STATUS=1 fault held: see cordon status; policy [0-9a-f]{8}; in force: ban with 2 exceptions`, pings)
	if status, text := c.run("healthcheck"); status != 0 {
		t.Errorf("healthcheck: exit status %d: %s", status, text)
	}
	if status, text := c.run("lists"); status != 0 || !strings.Contains(text, "builtin:bytedance") {
		t.Errorf("lists: exit status %d: %s", status, text)
	}
	ask()
	c.saysAll(c.log(), "udp_sockets=2", "listen.dns is not used")
	c.signal(syscall.SIGTERM)
	manager.hears(`STOPPING=1`, pings)
	if status := c.wait(10 * time.Second); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	if _, err := os.Lstat(c.path("run/admin.sock")); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}

	if strings.Contains(c.log(), "needs a restart") {
		t.Error("the addresses of the sockets count as a change of listen.dns")
	}

	// What is asked while no server runs waits in the sockets for the next.
	got := make(chan reply, 1)
	go func() { got <- c.dig("@"+ip, "www.example") }()
	sockets := cmd.ExtraFiles
	until(t, 5*time.Second, "the question is in a socket", func() bool { return slices.ContainsFunc(sockets[:2], hasDatagram) })
	cmd = c.asService()
	cmd.ExtraFiles = sockets
	c.child = start(t, "cordon", cmd)
	if r := <-got; r.String() != "NOERROR A 192.0.2.80" {
		t.Errorf("what was asked between two servers got %v", r)
	}
}

// A server whose sockets are one of its upstreams would ask itself for ever.
func TestE2EServiceThatWouldAskItself(t *testing.T) {
	endToEnd(t, "setpriv")
	c := newService(t, nil, "")
	address := fmt.Sprintf("%s:%d", ownLoopback(), c.port)
	c.service([]string{address}, "")
	c.env = []string{"LISTEN_FDS=3"}
	cmd := c.asService()
	cmd.ExtraFiles = boundSockets(t, address)
	c.child = start(t, "cordon", cmd)
	if status := c.wait(10 * time.Second); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	c.saysAll(c.log(), "upstream "+address+" is this server itself")
}

// Without sockets the one capability is enough, and needed.
func TestE2EServiceWithOneCapability(t *testing.T) {
	endToEnd(t, "nsd", "dig", "setpriv", "systemd-analyze", "scmp_sys_resolver")
	unit := unitFile(t, "cordon.service")
	capabilities := settings(unit, "AmbientCapabilities")
	if bounding := settings(unit, "CapabilityBoundingSet"); len(capabilities) != 1 || len(bounding) != 1 || capabilities[0] != bounding[0] {
		t.Fatalf("the unit has the capabilities %q of %q", capabilities, bounding)
	}
	c := newService(t, []string{startNSD(t).address}, "")
	ip := ownLoopback()
	c.args = []string{"--listen", fmt.Sprintf("%s:%d", ip, privilegedPort)}
	manager := c.manage()
	c.env = append(c.env, confined+"="+allowedCalls(t))
	c.child = start(t, "cordon", c.asService(strings.ToLower(strings.TrimPrefix(capabilities[0], "CAP_"))))
	manager.hears(`READY=1\nSTATUS=policy [0-9a-f]{8}; in force: tiktok-ban`)
	if got := c.status("CapEff"); got != "0000000000000400" {
		t.Errorf("its capabilities are %s, want CAP_NET_BIND_SERVICE alone", got)
	}
	c.port = privilegedPort
	c.wants([2]string{"@" + ip + " www.tiktok.com", listedByNSC}, [2]string{"@" + ip + " www.example +tcp", "NOERROR A 192.0.2.80"})
	c.signal(syscall.SIGTERM)
	c.wait(10 * time.Second)

	first, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(first)) == "0" {
		t.Log("here every user may bind every port")
		return
	}
	c.child = start(t, "cordon", c.asService())
	if status := c.wait(10 * time.Second); status != 1 {
		t.Errorf("without it: exit status %d, want 1", status)
	}
	c.saysAll(c.log(), "a port below 1024 needs CAP_NET_BIND_SERVICE")
}

// An admin listener that was handed over needs no directory, and asks for a token if others reach it.
func TestE2EServiceAdminSocketHandedOver(t *testing.T) {
	endToEnd(t, "setpriv")
	c := newService(t, []string{"192.0.2.53"}, "")
	address := fmt.Sprintf("0.0.0.0:%d", freePort(t))
	c.env = []string{"LISTEN_FDS=4", "LISTEN_FDNAMES=dns:dns:dns:admin"}
	launch := func() {
		listener, err := net.Listen("tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		file, err := listener.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		cmd := c.asService()
		cmd.ExtraFiles = append(boundSockets(t, fmt.Sprintf("%s:%d", ownLoopback(), c.port)), file)
		c.child = start(t, "cordon", cmd)
	}
	launch()
	if status := c.wait(10 * time.Second); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	c.saysAll(c.log(), "other hosts reach "+address, "token")

	writeFile(t, strings.Repeat("t", 32), c.path("token"))
	c.env = append(c.env, "CORDON_LISTEN_ADMIN="+address, "CORDON_ADMIN_TOKEN_FILE="+c.path("token"))
	launch()
	until(t, 10*time.Second, "it serves", func() bool { return strings.Contains(c.log(), "  try ") })
	c.saysAll(c.log(), "can be read by every user of this host")
	if status, text := c.run("lists"); status != 0 {
		t.Errorf("lists: exit status %d: %s", status, text)
	}
	c.admin = address
	if status, _ := c.get("/metrics"); status != 401 {
		t.Errorf("a stranger gets %d", status)
	}
}

// systemd reads the units without a word, and finds that little is left open.
func TestE2EServiceUnits(t *testing.T) {
	endToEnd(t, "systemd-analyze")
	dir := t.TempDir()
	for _, name := range []string{"cordon.service", "cordon.socket"} {
		text := strings.ReplaceAll(unitFile(t, name), "/usr/bin/cordon", programFile(t))
		writeFile(t, text, dir, name)
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", filepath.Join(dir, "cordon.service"),
		filepath.Join(dir, "cordon.socket")).CombinedOutput()
	if err != nil || strings.Contains(string(out), dir) {
		t.Errorf("systemd-analyze verify: %v:\n%s", err, out)
	}
	sockets := writeFile(t, regexp.MustCompile(`(?m)^((CapabilityBoundingSet|AmbientCapabilities)=).*$`).
		ReplaceAllString(unitFile(t, "cordon.service"), "$1"), dir, "with-sockets.service")
	for path, most := range map[string]string{filepath.Join(dir, "cordon.service"): "16", sockets: "14"} { // in tenths; less is better
		out, err = exec.Command("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold="+most, path).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v, more than %s tenths:\n%s", filepath.Base(path), err, most, out)
		}
		t.Log(lastLines(string(out), 1))
	}
}

// --- the system calls of the unit

// allowedCalls are the numbers of the system calls that the unit allows.
func allowedCalls(t *testing.T) string {
	t.Helper()
	groups := systemCallGroups(t)
	allowed := map[string]bool{}
	var set func(name string, value bool)
	set = func(name string, value bool) {
		if name[0] != '@' {
			allowed[name] = value
			return
		}
		if len(groups[name]) == 0 {
			t.Fatalf("there is no group %s of system calls", name)
		}
		for _, member := range groups[name] {
			set(member, value)
		}
	}
	set("@default", true)
	for _, line := range settings(unitFile(t, "cordon.service"), "SystemCallFilter") {
		line, forbids := strings.CutPrefix(line, "~")
		for name := range strings.FieldsSeq(line) {
			set(name, !forbids)
		}
	}
	var numbers []string
	for name, yes := range allowed {
		if !yes {
			continue
		}
		out, err := exec.Command("scmp_sys_resolver", name).Output()
		if number := strings.TrimSpace(string(out)); err == nil && number != "" && number[0] != '-' { // else this machine has none
			numbers = append(numbers, number)
		}
	}
	if len(numbers) < 100 {
		t.Fatalf("only %d system calls are allowed", len(numbers))
	}
	return strings.Join(numbers, ",")
}

// systemCallGroups are those that systemd knows, with what is in them.
func systemCallGroups(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("systemd-analyze", "--no-pager", "syscall-filter").Output()
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string][]string{}
	group := ""
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		line := lines.Text()
		name := strings.TrimSpace(line)
		switch {
		case name == "" || name[0] == '#':
		case line[0] == ' ' && group != "":
			groups[group] = append(groups[group], name)
		default:
			if group = ""; name[0] == '@' {
				group = name
			}
		}
	}
	return groups
}

//go:build unix

package systemd

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// manager is a socket that hears what the process tells, and the Notifier for it.
func manager(t *testing.T, address string) (*net.UnixConn, *Notifier) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", address)
	return conn, NewNotifier()
}

func hear(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	buf := make([]byte, 4096)
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestTheManagerIsTold(t *testing.T) {
	addresses := []string{filepath.Join(t.TempDir(), "notify")}
	if monotonic() > 0 { // Linux: a name that is in no directory
		addresses = append(addresses, fmt.Sprintf("@cordon-test-%d", os.Getpid()))
	}
	for _, address := range addresses {
		conn, n := manager(t, address)
		for _, step := range []struct {
			tell func() error
			want string
		}{
			{func() error { return n.Ready("2 policies\nREADY=0") }, `^READY=1\nSTATUS=2 policies READY=0\n$`},
			{n.Reloading, `^RELOADING=1\n(MONOTONIC_USEC=[1-9]\d*\n)?$`},
			{func() error { return n.Status("held: a.yaml") }, `^STATUS=held: a.yaml\n$`},
			{func() error { return n.Status(strings.Repeat("é", 100_000)) }, `^STATUS=é{150} …\n$`},
			{n.Alive, `^WATCHDOG=1\n$`},
			{n.Stopping, `^STOPPING=1\n$`},
		} {
			if err := step.tell(); err != nil {
				t.Fatal(err)
			}
			if heard := hear(t, conn); !regexp.MustCompile(step.want).MatchString(heard) {
				t.Errorf("heard %q, want %s", heard, step.want)
			}
		}
	}
}

func TestWithoutAManagerNobodyIsTold(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := NewNotifier().Ready("up"); err != nil {
		t.Error(err)
	}
	var none *Notifier
	if err := none.Alive(); err != nil {
		t.Error(err)
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	if err := NewNotifier().Ready("up"); err == nil {
		t.Error("a manager that is gone was told")
	}
}

func TestTheWatchdogIsForThisProcess(t *testing.T) {
	me := strconv.Itoa(os.Getpid())
	for _, test := range []struct {
		pid, micros string
		want        time.Duration
	}{
		{me, "30000000", 30 * time.Second},
		{"", "1500000", 1500 * time.Millisecond},
		{"1", "30000000", 0},
		{me, "", 0},
		{me, "-1", 0},
		{me, "soon", 0},
		{me, "9223372036854775807", 0},
	} {
		t.Setenv("WATCHDOG_PID", test.pid)
		t.Setenv("WATCHDOG_USEC", test.micros)
		if got := Watchdog(); got != test.want {
			t.Errorf("PID %q, %q µs: %v, want %v", test.pid, test.micros, got, test.want)
		}
	}
}

// inChild, in the environment, makes TestHandedOver the process to which the sockets are handed.
const inChild = "CORDON_TEST_SOCKETS"

// What is handed over is found once, by the process that it is for.
func TestHandedOver(t *testing.T) {
	if os.Getenv(inChild) != "" {
		tellSockets()
		return
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	dir, err := os.MkdirTemp("", "cordon") //nolint:usetesting // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	unix, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	gram, err := net.ListenPacket("unixgram", filepath.Join(dir, "g"))
	if err != nil {
		t.Fatal(err)
	}
	defer gram.Close()
	sockets := fmt.Sprintf("dns udp %s\ndns tcp %s\nadmin unix %s\n", udp.LocalAddr(), tcp.Addr(), unix.Addr())
	type filer interface{ File() (*os.File, error) }
	good := []filer{udp.(filer), tcp.(filer), unix.(filer)}
	for name, test := range map[string]struct {
		sockets []filer
		env     string
		want    string
	}{
		"three":              {good, "LISTEN_PID=$$ LISTEN_FDS=3 LISTEN_FDNAMES=dns:dns:admin", sockets + "then 0\n"},
		"without names":      {good[:1], "LISTEN_PID=$$ LISTEN_FDS=1", " udp " + udp.LocalAddr().String() + "\nthen 0\n"},
		"none":               {nil, "LISTEN_PID=$$ LISTEN_FDS=0", "then 0\n"},
		"no manager":         {nil, "", "then 0\n"},
		"for another":        {good, "LISTEN_PID=1 LISTEN_FDS=3", "then 0\n"},
		"more than there is": {good[:1], "LISTEN_PID=$$ LISTEN_FDS=20", "error: socket 4, \"\": the descriptor is no socket\n"},
		"not a number":       {good[:1], "LISTEN_PID=$$ LISTEN_FDS=x", `error: LISTEN_FDS is "x", want a number of sockets`},
		"too many":           {good[:1], "LISTEN_PID=$$ LISTEN_FDS=4000000000", "error: LISTEN_FDS"},
		"a strange socket":   {[]filer{gram.(filer)}, "LISTEN_PID=$$ LISTEN_FDS=1", "error: socket 3"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("/bin/sh", "-c", "exec env "+test.env+` "$0" -test.run='^TestHandedOver$'`, os.Args[0])
			cmd.Env = append(os.Environ(), inChild+"=1")
			for _, s := range test.sockets {
				file, err := s.File()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = file.Close() })
				cmd.ExtraFiles = append(cmd.ExtraFiles, file)
			}
			out, err := cmd.Output()
			if err != nil || !strings.HasPrefix(string(out), test.want) {
				t.Errorf("%v, found %q, want %q", err, out, test.want)
			}
		})
	}
}

func tellSockets() {
	all, err := Sockets()
	if err != nil {
		fmt.Fprintf(os.Stdout, "error: %v\n", err)
		return
	}
	for _, s := range all {
		fmt.Fprintf(os.Stdout, "%s %s %s\n", s.Name, s.Addr().Network(), s.Addr())
	}
	again, _ := Sockets()
	fmt.Fprintf(os.Stdout, "then %d\n", len(again))
}

//go:build linux

package endtoend

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The end-to-end tests run the program among real servers and clients (Debian's unbound, nsd, named, dig, kdig and dnsperf), over
// the loopback interface and on free ports:
//
//	dig, kdig, dnsperf ─▶ cordon ─▶ unbound ─▶ nsd, which has the zones in testdata/zones
//	                         └────────────────▶ nsd
//
// They need those servers, and some seconds, so they run only if CORDON_E2E is 1; then a missing server is a failure. Every
// process is killed at the end of its test, and by the kernel if the test itself dies.

// endToEnd skips t unless end-to-end tests are asked for, and fails it if one of the tools is missing.
func endToEnd(t *testing.T, tools ...string) {
	t.Helper()
	if os.Getenv("CORDON_E2E") != "1" {
		t.Skip("CORDON_E2E is not 1")
	}
	for _, tool := range tools {
		if _, err := findTool(tool); err != nil {
			t.Fatalf("%v: .ci/run names the packages in which Debian has it", err)
		}
	}
}

// findTool is where a program is. Servers are in sbin, which is not in everybody's PATH.
func findTool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", name))
}

// cordonCommand is the program with args. Of the environment it has nothing that would configure it but what is in env.
func cordonCommand(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	args = append([]string{programFile(t)}, args...)
	if isConfined(env) {
		args = append([]string{ownFile(t)}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	// The race detector, if it is in, would end the program a second late.
	cmd.Env = append([]string{"GORACE=atexit_sleep_ms=0"}, env...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "CORDON_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	return cmd
}

// child is a server that the test runs.
type child struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	output output // standard output and error
	exited chan struct{}
}

// output is what a process wrote so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start starts cmd, to be killed at the end of the test with all its children.
func start(t *testing.T, name string, cmd *exec.Cmd) *child {
	t.Helper()
	return startWith(t, name, cmd, syscall.SysProcAttr{})
}

// startWith is start with more that is asked of the system.
func startWith(t *testing.T, name string, cmd *exec.Cmd, attr syscall.SysProcAttr) *child {
	t.Helper()
	c := &child{t: t, name: name, cmd: cmd, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &c.output, &c.output
	attr.Setpgid, attr.Pdeathsig = true, syscall.SIGKILL
	cmd.SysProcAttr = &attr
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		_ = cmd.Wait() // what it said is in cmd.ProcessState
		close(c.exited)
	}()
	t.Cleanup(func() {
		c.kill()
		if strings.Contains(c.output.String(), "DATA RACE") || strings.Contains(c.output.String(), "panic") {
			t.Errorf("%s wrote of a fault in itself", name)
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", name, lastLines(c.output.String(), 40))
		}
	})
	return c
}

// signal sends sig to the process and all its children.
func (c *child) signal(sig syscall.Signal) { _ = syscall.Kill(-c.cmd.Process.Pid, sig) }

// kill ends the process at once.
func (c *child) kill() {
	c.signal(syscall.SIGKILL)
	<-c.exited
}

// wait waits for the end of the process and returns its exit status.
func (c *child) wait(limit time.Duration) int {
	c.t.Helper()
	select {
	case <-c.exited:
	case <-time.After(limit):
		c.t.Fatalf("%s still runs after %v", c.name, limit)
	}
	return c.cmd.ProcessState.ExitCode()
}

func (c *child) running() bool {
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// until waits for condition. It fails the test if that takes longer than limit, and returns how long it took.
func until(t *testing.T, limit time.Duration, what string, condition func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Since(begun) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		<-tick.C
	}
	return time.Since(begun)
}

// freePort is a port that nobody has, on any loopback address and for UDP and TCP, and that it has not returned before: who got it may
// not have bound it yet. It is below those that the system gives to clients.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		if _, twice := givenPorts.LoadOrStore(port, true); !twice && isFree(port) {
			return port
		}
	}
	t.Fatal("no free port found")
	return 0
}

var givenPorts sync.Map // by number

func isFree(port int) bool {
	for _, host := range []string{"0.0.0.0", "[::]"} {
		address := fmt.Sprintf("%s:%d", host, port)
		udp, err := net.ListenPacket("udp", address)
		if err != nil {
			return false
		}
		_ = udp.Close()
		tcp, err := net.Listen("tcp", address)
		if err != nil {
			return false
		}
		_ = tcp.Close()
	}
	return true
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// writeFile writes text to the file at the elements of path, with the directories that it needs, and returns its path.
func writeFile(t *testing.T, text string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

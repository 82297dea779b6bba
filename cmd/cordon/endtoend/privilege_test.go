//go:build linux

package endtoend

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the server writes is for its user and group, whatever the umask of who starts it.
func TestE2EStateIsForNobodyElse(t *testing.T) {
	endToEnd(t)
	for _, umask := range []string{"000", "022", "077"} {
		t.Run("umask "+umask, func(t *testing.T) {
			c := newCordon(t, []string{"192.0.2.53"}, "state_dir: var/state\npolicy_dir: policy\n")
			c.write("lists: [{name: mine, source: \"file:../list.txt\"}]\npolicies: [{name: ban, lists: [mine]}]\n", "policy/all.yaml")
			c.write("tiktok.com\ncapcut.com\n", "list.txt")
			cmd := cordonCommand(t, c.env)
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", "umask " + umask + `; exec "$0" serve`, cmd.Path}
			cmd.Dir = c.dir
			c.child = start(t, "cordon", cmd)
			until(t, 10*time.Second, "cordon serves", func() bool {
				return strings.Contains(c.log(), "  try ") && c.metric("cordon_audit_entries_total ") >= "1"
			})
			c.write("tiktok.com\n", "list.txt") // so that something is written while it runs
			c.logs(0, "policy in force")
			c.signal(syscall.SIGTERM)
			c.wait(5 * time.Second)
			found := 0
			err := filepath.WalkDir(c.path("var/state"), func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				info, err := d.Info()
				if err != nil {
					return err
				}
				found++
				most := fs.FileMode(0o640)
				if d.IsDir() {
					most = 0o750
				}
				if mode := info.Mode().Perm(); mode&^most != 0 || mode&0o600 != 0o600 {
					t.Errorf("%s has the mode %o, want at most %o", path, mode, most)
				}
				return nil
			})
			if err != nil || found < 8 {
				t.Errorf("%v; found only %d files and directories", err, found)
			}
		})
	}
}

// Two servers in one state directory would write over each other. What only reads goes on.
func TestE2EStateIsForOneServer(t *testing.T) {
	endToEnd(t)
	const state = "state_dir: state\n"
	first := newCordon(t, []string{"192.0.2.53"}, state)
	first.start()
	second := newCordon(t, []string{"192.0.2.53"}, "state_dir: "+first.path("state")+"\n")
	begun := time.Now()
	second.refuses("another process (process "+fmt.Sprint(first.cmd.Process.Pid)+") has the lock of "+first.path("state"),
		"has not ended within 5s", "stop it, or give this server a state_dir of its own", "waiting for its end")
	if took := time.Since(begun); took < 5*time.Second {
		t.Errorf("it gave up after %v", took)
	}
	for _, args := range [][]string{{"check"}, {"explain", "www.tiktok.com"}, {"lists"}, {"audit", "verify"}, {"healthcheck"}} {
		if status, text := first.run(args...); status != 0 {
			t.Errorf("cordon %v beside a server: exit status %d: %s", args, status, text)
		}
	}
	// One that is started while another ends comes after it, on the same ports.
	third := newCordon(t, nil, "")
	third.port, third.admin = first.port, first.admin
	third.service([]string{"192.0.2.53"}, "state_dir: "+first.path("state")+"\n")
	third.launch()
	third.logs(0, "another server uses the state directory: waiting")
	first.signal(syscall.SIGTERM)
	first.wait(5 * time.Second)
	until(t, 10*time.Second, "the next one serves", func() bool { return strings.Contains(third.log(), "  try ") })
	third.signal(syscall.SIGKILL) // which leaves no lock
	third.wait(5 * time.Second)
	first.start()
}

// The socket is for the server's user and group, is taken over after a crash, and goes with the server.
func TestE2EAdminOnAUnixSocket(t *testing.T) {
	endToEnd(t)
	c := newCordon(t, []string{"192.0.2.53"}, "")
	dir, err := os.MkdirTemp("", "cordon") //nolint:usetesting // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "admin.sock")
	c.admin = "unix:" + path
	c.service([]string{"192.0.2.53"}, "")
	serving := func() {
		until(t, 10*time.Second, "cordon serves", func() bool { return strings.Contains(c.log(), "  try ") })
	}
	c.launch()
	serving()
	c.saysAll(c.log(), "metrics    http://localhost/metrics by the socket "+path)
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v, want mode 0660", err, info)
	}
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	for resource, want := range map[string]int{"/metrics": 200, "/healthz": 200, "/debug/pprof/": 404} {
		response, err := client.Get("http://localhost" + resource)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", resource, response.StatusCode, want)
		}
	}
	for _, args := range [][]string{{"healthcheck"}, {"lists"}} {
		if status, text := c.run(args...); status != 0 {
			t.Errorf("cordon %v: exit status %d: %s", args, status, text)
		}
	}
	second := newCordon(t, []string{"192.0.2.53"}, "")
	second.args = []string{"--admin", "unix:" + path}
	second.refuses("another server listens on it", "--admin")
	c.kill() // which leaves the socket
	if status, text := c.run("healthcheck"); status != 1 || !strings.Contains(text, "nothing listens on unix:"+path) {
		t.Errorf("healthcheck of nobody: exit status %d: %s", status, text)
	}
	c.launch()
	serving()
	c.signal(syscall.SIGTERM)
	c.wait(5 * time.Second)
	if status, text := c.run("healthcheck"); status != 1 || !strings.Contains(text, "nothing listens on unix:"+path) {
		t.Errorf("healthcheck without a socket: exit status %d: %s", status, text)
	}
}

// Prometheus' own tools and curl get in by a token, and by a certificate.
func TestE2EAdminForOtherHosts(t *testing.T) {
	endToEnd(t, "curl", "openssl")
	c := newCordon(t, []string{"192.0.2.53"}, "")
	openssl := func(args ...string) {
		cmd := exec.Command("openssl", args...)
		cmd.Dir = c.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v: %s", args, err, out)
		}
	}
	for _, name := range []string{"admin", "monitoring"} {
		openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN="+name,
			"-addext", "subjectAltName=IP:127.0.0.1", "-keyout", name+".key", "-out", name+".pem")
	}
	openssl("rand", "-hex", "-out", "token", "32")
	for _, secret := range []string{"token", "admin.key"} {
		if err := os.Chmod(c.path(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	token, err := os.ReadFile(c.path("token"))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(c.admin)
	c.admin = "0.0.0.0:" + port
	c.service([]string{"192.0.2.53"}, "admin: {token_file: token, certificate: admin.pem, key: admin.key, client_ca: monitoring.pem}\n")
	c.launch()
	until(t, 10*time.Second, "cordon serves", func() bool { return strings.Contains(c.log(), "  try ") })
	base := []string{"--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "5", "--cacert", c.path("admin.pem")}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a stranger":            {[]string{"/metrics"}, "401"},
		"health":                {[]string{"/readyz"}, "200"},
		"a token":               {[]string{"/metrics", "--header", "Authorization: Bearer " + strings.TrimSpace(string(token))}, "200"},
		"a certificate":         {[]string{"/metrics", "--cert", c.path("monitoring.pem"), "--key", c.path("monitoring.key")}, "200"},
		"a stranger's":          {[]string{"/metrics", "--cert", c.path("admin.pem"), "--key", c.path("admin.key")}, "000"},
		"no profiles":           {[]string{"/debug/pprof/", "--cert", c.path("monitoring.pem"), "--key", c.path("monitoring.key")}, "404"},
		"no profile of the CPU": {[]string{"/debug/pprof/profile", "--header", "Authorization: Bearer " + strings.TrimSpace(string(token))}, "404"},
	} {
		out, _ := exec.Command("curl", append(base, append(test.args[1:], "https://127.0.0.1:"+port+test.args[0])...)...).Output()
		if string(out) != test.want {
			t.Errorf("%s: %s, want %s", name, out, test.want)
		}
	}
	for _, args := range [][]string{{"healthcheck"}, {"lists"}, {"check"}} {
		if status, text := c.run(args...); status != 0 {
			t.Errorf("cordon %v: exit status %d: %s", args, status, text)
		}
	}
	if strings.Contains(c.log(), strings.TrimSpace(string(token))) {
		t.Error("the log has the token")
	}
	c.args = []string{"--admin", "0.0.0.0:" + port}
	c.signal(syscall.SIGTERM)
	c.wait(5 * time.Second)
	c.service([]string{"192.0.2.53"}, "")
	c.refuses("--admin: admin: other hosts reach 0.0.0.0:" + port)
}

//go:build linux

package endtoend

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// cordon is the program as it runs, or ran, with its files. Its working directory is dir.
type cordon struct {
	*child
	t     *testing.T
	dir   string
	port  int    // for DNS
	admin string // address
	args  []string
	env   []string
	wrap  []string // a command that becomes the program, which is named behind it; nil for none
}

// newCordon makes a directory for the program, with a cordon.yaml that listens on free ports of 127.0.0.1 and [::1] and has
// the upstreams, and what more says, which begins at the left margin. It does not start it.
func newCordon(t *testing.T, upstreams []string, more string) *cordon {
	t.Helper()
	c := &cordon{t: t, dir: t.TempDir(), port: freePort(t), admin: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	c.service(upstreams, more)
	return c
}

// service writes cordon.yaml anew.
func (c *cordon) service(upstreams []string, more string) {
	c.t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "listen: {dns: [\"127.0.0.1:%[1]d\", \"[::1]:%[1]d\"], admin: %[2]q}\n", c.port, c.admin)
	if len(upstreams) > 0 {
		text.WriteString("upstreams:\n")
	}
	for _, u := range upstreams {
		fmt.Fprintf(&text, "  - {address: %q}\n", u)
	}
	c.write(text.String()+more, "cordon.yaml")
}

// write writes a file of the program's and then renames it into place.
func (c *cordon) write(text, path string) {
	c.t.Helper()
	file := writeFile(c.t, text, c.dir, path+".new")
	if err := os.Rename(file, c.path(path)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cordon) path(path string) string { return filepath.Join(c.dir, path) }

// launch starts `cordon serve`.
func (c *cordon) launch() {
	c.t.Helper()
	cmd := cordonCommand(c.t, c.env, append([]string{"serve"}, c.args...)...)
	if c.wrap != nil {
		args := append(slices.Clone(c.wrap), cmd.Args...)
		wrapped := exec.Command(args[0], args[1:]...)
		wrapped.Env, cmd = cmd.Env, wrapped
	}
	cmd.Dir = c.dir
	c.child = start(c.t, "cordon", cmd)
}

// start starts `cordon serve` and waits until it serves.
func (c *cordon) start() {
	c.t.Helper()
	c.launch()
	until(c.t, 10*time.Second, "cordon serves", func() bool {
		if !c.running() {
			c.t.Fatalf("cordon does not start:\n%s", c.log())
		}
		status, _ := c.get("/readyz")
		return status == http.StatusOK && strings.Contains(c.log(), "  try ")
	})
}

// refuses runs `cordon serve`, which must not serve but say words, and exit 1.
func (c *cordon) refuses(words ...string) {
	c.t.Helper()
	c.launch()
	if status := c.wait(10 * time.Second); status != 1 {
		c.t.Errorf("exit status %d, want 1", status)
	}
	c.saysAll(c.log(), words...)
}

// run runs another command of the program and returns its exit status and what it said.
func (c *cordon) run(args ...string) (status int, text string) {
	c.t.Helper()
	cmd := cordonCommand(c.t, c.env, args...)
	cmd.Dir = c.dir
	out, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(out)
}

func (c *cordon) log() string { return c.output.String() }

// logs waits until all of words were logged after the first skip octets of the log.
func (c *cordon) logs(skip int, words ...string) {
	c.t.Helper()
	until(c.t, 3*time.Second, fmt.Sprintf("the log says %q", words), func() bool {
		for _, w := range words {
			if !strings.Contains(c.log()[skip:], w) {
				return false
			}
		}
		return true
	})
}

func (c *cordon) saysAll(text string, words ...string) {
	c.t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			c.t.Errorf("%q is not said in:\n%s", w, text)
		}
	}
}

// get asks the admin listener; the status is 0 if there is none.
func (c *cordon) get(path string) (status int, text string) {
	client := http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://" + c.admin + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// metric is the value of the first metric whose line begins with name, "" if there is none.
func (c *cordon) metric(name string) string {
	_, text := c.get("/metrics")
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok && !strings.HasPrefix(line, "#") {
			return strings.TrimSpace(rest[strings.LastIndexByte(rest, ' ')+1:])
		}
	}
	return ""
}

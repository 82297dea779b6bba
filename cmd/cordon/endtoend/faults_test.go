//go:build linux

package endtoend

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ministry is a policy that bans what is on a list file of its own.
const ministry = `
timezone: UTC
lists:
  - {name: extra, source: "file:lists/extra.txt"}
policies:
  - {name: ban, lists: [extra]}
agencies:
  - {name: default, policies: [ban]}
`

const extra = "# what the ministry added\nplain.example\nother.example\n"

// newMinistry is the program with that policy, not started. It keeps its state.
func newMinistry(t *testing.T, upstream string) *cordon {
	t.Helper()
	c := newCordon(t, []string{upstream}, "policy_dir: policy\nstate_dir: state\n")
	c.write(ministry, "policy/ministry.yaml")
	writeFile(t, extra, c.dir, "policy/lists/extra.txt")
	return c
}

// wrongEdits are what goes wrong when a file is changed: how the file of a path becomes it, and what the log says.
var wrongEdits = []struct {
	name, path, text string
	deleted          bool
	says             []string
}{
	{
		name: "an unknown key", path: "policy/ministry.yaml",
		text: strings.Replace(ministry, "lists: [extra]}", "list: [extra]}", 1),
		says: []string{"ministry.yaml:6:", "lists"},
	},
	{
		name: "not YAML", path: "policy/ministry.yaml",
		text: ministry + "  - {name: [\n",
		says: []string{"ministry.yaml:", "not YAML"},
	},
	{
		name: "an empty policy", path: "policy/ministry.yaml",
		text: "",
		says: []string{"ministry.yaml:1:1", "empty"},
	},
	{
		name: "an unknown list", path: "policy/ministry.yaml",
		text: strings.Replace(ministry, "[extra]", "[extras]", 1),
		says: []string{"ministry.yaml:6:", "extras"},
	},
	{
		name: "the only policy deleted", path: "policy/ministry.yaml",
		deleted: true,
		says:    []string{"policy", "held"},
	},
	{
		name: "a list that is a web page", path: "policy/lists/extra.txt",
		text: "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
		says: []string{"extra.txt", "HTML"},
	},
	{
		name: "an empty list", path: "policy/lists/extra.txt",
		text: "",
		says: []string{"extra.txt", "empty"},
	},
	{
		name: "a list of comments", path: "policy/lists/extra.txt",
		text: "# nothing\n",
		says: []string{"extra.txt"},
	},
	{
		name: "a binary list", path: "policy/lists/extra.txt",
		text: "\x7fELF\x00\x01",
		says: []string{"extra.txt"},
	},
	{
		name: "a deleted list", path: "policy/lists/extra.txt",
		deleted: true,
		says:    []string{"extra.txt", "no such file"},
	},
	{
		name: "a service file with a fault", path: "cordon.yaml",
		text: "listen: {dns: 5}\nupstreams: [{address: nowhere}]\n",
		says: []string{"cordon.yaml:1:"},
	},
}

func TestE2EWrongEdit(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	c := newMinistry(t, startNSD(t).address)
	c.start()
	asBefore := [][2]string{
		{"plain.example", "NXDOMAIN ede=15 soa=plain.example."},
		{"other.example", "NXDOMAIN ede=15 soa=other.example."},
		{"www.example", "NOERROR A 192.0.2.80"},
	}
	c.wants(asBefore...)
	hash := policyHashOf(c)
	for _, edit := range wrongEdits {
		t.Run(edit.name, func(t *testing.T) {
			c.t, c.child.t = t, t
			good, err := os.ReadFile(c.path(edit.path))
			if err != nil {
				t.Fatal(err)
			}
			skip := len(c.log())
			if edit.deleted {
				remove(t, c.path(edit.path))
			} else {
				c.write(edit.text, edit.path)
			}
			c.logs(skip, edit.says...)
			until(t, time.Second, "it is held", func() bool { return c.metric("cordon_held_since_timestamp_seconds{") != "" })
			c.wants(asBefore...)
			if got := policyHashOf(c); got != hash {
				t.Errorf("policy hash %s, want %s as before", got, hash)
			}
			c.write(string(good), edit.path)
			until(t, 2*time.Second, "it is no longer held", func() bool {
				return c.metric("cordon_held_since_timestamp_seconds{") == ""
			})
			c.wants(asBefore...)
		})
	}
}

func policyHashOf(c *cordon) string {
	_, text := c.get("/metrics")
	return between(text, `cordon_policy_info{hash="`, `"`)
}

// A file that is cut in the middle of a line, which may still be valid, is replaced by the whole one.
func TestE2ETruncatedListIsHeld(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	c := newMinistry(t, startNSD(t).address)
	var long strings.Builder
	for i := range 100 {
		long.WriteString("name" + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + ".example\n")
	}
	long.WriteString("plain.example\n")
	writeFile(t, long.String(), c.path("policy/lists/extra.txt"))
	c.start()
	skip := len(c.log())
	c.write(long.String()[:300], "policy/lists/extra.txt")
	c.logs(skip, "list extra", "held")
	c.wants([2]string{"plain.example", "NXDOMAIN ede=15 soa=plain.example."})
}

// A file that breaks while nobody looks: the next start serves what was in force, and says so.
func TestE2ERestartWithFault(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	nsd := startNSD(t)
	for _, edit := range wrongEdits {
		t.Run(edit.name, func(t *testing.T) {
			c := newMinistry(t, nsd.address)
			c.env = []string{"CORDON_STATE_DIR=" + c.path("state")} // for the service file that can't say where it is
			c.start()
			c.signal(syscall.SIGTERM)
			if status := c.wait(4 * time.Second); status != 0 {
				t.Fatalf("exit status %d, want 0", status)
			}
			if edit.deleted {
				remove(t, c.path(edit.path))
			} else {
				c.write(edit.text, edit.path)
			}
			c.start()
			c.logs(0, append([]string{"level=ERROR", "last good"}, edit.says[0])...)
			c.wants(
				[2]string{"plain.example", "NXDOMAIN ede=15 soa=plain.example."},
				[2]string{"www.example", "NOERROR A 192.0.2.80"},
			)
			if c.metric("cordon_held_since_timestamp_seconds{") == "" {
				t.Error("the metrics don't say that something is held")
			}
			if policyHashOf(c) == "" {
				t.Error("the metrics don't say which policy is in force")
			}
		})
	}
}

// Held files stay held over any number of restarts, and through changes of others.
func TestE2ESecondRestartWithFault(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	c := newMinistry(t, startNSD(t).address)
	c.env = []string{"CORDON_STATE_DIR=" + c.path("state")}
	c.start()
	c.write("listen: {dns: 5}\n", "cordon.yaml")
	until(t, time.Second, "it is held", func() bool { return c.metric(`cordon_held_since_timestamp_seconds{`) != "" })
	c.write(extra+"later.example\n", "policy/lists/extra.txt") // the state is saved again
	until(t, 2*time.Second, "the list is in force", func() bool { return c.dig("later.example").status == "NXDOMAIN" })
	for range 2 {
		c.kill()
		c.start()
		c.logs(0, "cordon.yaml:1:", "last good")
		c.wants([2]string{"later.example", "NXDOMAIN ede=15 soa=later.example."}, [2]string{"www.example", "NOERROR A 192.0.2.80"})
	}
}

// Without a last good state, a start with a fault serves nothing.
func TestE2EStartWithFault(t *testing.T) {
	endToEnd(t, "dig")
	for _, edit := range wrongEdits {
		t.Run(edit.name, func(t *testing.T) {
			c := newMinistry(t, "127.0.0.1:9")
			c.service([]string{"127.0.0.1:9"}, "policy_dir: policy\n")
			if edit.deleted {
				remove(t, c.path(edit.path))
			} else {
				c.write(edit.text, edit.path)
			}
			c.refuses(filepath.Base(strings.Split(edit.says[0], ":")[0]))
			if r := c.dig("plain.example", "+timeout=1"); r.status != "none" {
				t.Errorf("answered %v", r)
			}
		})
	}
}

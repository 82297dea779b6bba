//go:build linux

package endtoend

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A backup is a copy of the files, made while the server runs. A server that is started from it has the policy, the lists, even where their
// sources are gone, and the audit log, which goes on.
func TestE2EBackupIsFiles(t *testing.T) {
	endToEnd(t, "tar")
	c := newMinistry(t, "127.0.0.1:9")
	c.start()
	wantsRefused(t, c, "plain.example")
	c.write(strings.ReplaceAll(ministry, "ban", "law"), "policy/ministry.yaml")
	c.logs(0, "event=snapshot seq=6")
	until(t, 3*time.Second, "the log is written", func() bool { return c.metric("cordon_audit_entries_total") == "6" })
	_, metrics := c.get("/metrics")
	head := between(metrics, `cordon_audit_head_info{hash="`, `"`)
	elsewhere := t.TempDir()
	if out, err := exec.Command("sh", "-c", `tar -C "$1" -czf - . | tar -C "$2" -xzf -`, "sh", c.dir, elsewhere).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c.kill()
	if err := os.RemoveAll(c.dir); err != nil {
		t.Fatal(err)
	}

	c.dir = elsewhere
	remove(t, c.path("policy/lists/extra.txt"))
	if status, text := c.run("audit", "verify", "--head", head); status != 0 {
		t.Errorf("the copy: exit status %d: %s", status, text)
	}
	c.start()
	wantsRefused(t, c, "plain.example")
	if status, text := c.run("audit", "verify", "--head", head); status != 0 {
		t.Errorf("the restored server: exit status %d: %s", status, text)
	}
	_, text := c.run("audit", "show", "--kind", "start")
	if strings.Count(text, "\n") != 2 {
		t.Errorf("the log does not go on:\n%s", text)
	}
}

//go:build linux

package endtoend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// wantsRefused asks for a name and wants NXDOMAIN.
func wantsRefused(t *testing.T, c *cordon, name string) {
	t.Helper()
	query := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
	answer, err := dns.Exchange(query, fmt.Sprintf("127.0.0.1:%d", c.port))
	if err != nil || answer.Rcode != dns.RcodeNameError {
		t.Errorf("%s: %v, %v; want NXDOMAIN", name, answer, err)
	}
}

// A server that is killed, and one that stops, leave a log that is intact; the head that the metrics have is in it.
func TestE2EAuditLog(t *testing.T) {
	endToEnd(t)
	c := newMinistry(t, "127.0.0.1:9")
	c.start()
	wantsRefused(t, c, "plain.example")
	until(t, 3*time.Second, "the start is written", func() bool { return c.metric("cordon_audit_entries_total") == "3" })
	c.kill()
	c.start()
	c.write(strings.ReplaceAll(ministry, "ban", "law"), "policy/ministry.yaml")
	c.logs(0, "event=policy-began seq=6", "event=policy-ended seq=7", "event=snapshot seq=8")
	head := between(func() string { _, text := c.get("/metrics"); return text }(), `cordon_audit_head_info{hash="`, `"`)
	c.signal(syscall.SIGTERM)
	if status := c.wait(4 * time.Second); status != 0 {
		t.Fatalf("exit status %d, want 0", status)
	}
	if !strings.Contains(c.log(), head) {
		t.Errorf("the head %s is not in the log", head)
	}
	status, text := c.run("audit", "verify", "--head", head)
	if status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	c.saysAll(text, "intact:", "without a stop before it", "the head that was asked for")
	_, text = c.run("audit", "show", "--kind", "counts")
	if strings.Contains(text, "refused") {
		t.Errorf("the counts of the killed server are there: %s", text)
	}
	file := c.path("state/audit/audit-000000000001.jsonl")
	log, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"127.0.0.1", "plain.example"} {
		if strings.Contains(string(log), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	writeFile(t, strings.Replace(string(log), `"entries":2`, `"entries":3`, 1), file)
	status, text = c.run("audit", "verify")
	if status != 1 || !strings.Contains(text, "audit-000000000001.jsonl:3: altered") {
		t.Errorf("exit status %d, %s: want 1 and the third line", status, text)
	}
}

// A disk without room: queries are answered, changes take effect, and when there is room again, everything is written.
func TestE2EAuditLogOnAFullDisk(t *testing.T) {
	endToEnd(t)
	c := newMinistry(t, "127.0.0.1:9")
	dir := c.path("disk")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); errors.Is(err, syscall.EPERM) {
		t.Skip("mounting is for root")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	c.service([]string{"127.0.0.1:9"}, "policy_dir: policy\nstate_dir: state\naudit: {dir: disk/audit}\n")
	c.start()
	until(t, 3*time.Second, "the start is written", func() bool { return c.metric("cordon_audit_entries_total") != "0" })
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	skip := len(c.log())
	for i := range 20 {
		c.write(strings.ReplaceAll(ministry, "ban", fmt.Sprintf("law%d", i))+"# "+strings.Repeat("x", 100), "policy/ministry.yaml")
		c.logs(skip, "policy in force")
		skip = len(c.log())
		wantsRefused(t, c, "plain.example")
	}
	until(t, 3*time.Second, "the errors are counted", func() bool { return c.metric("cordon_audit_write_errors_total") > "0" })
	c.saysAll(c.log(), "no space left", "audit log: it can't be written")
	status, text := c.run("incident", "start", "--for", "1h", "--reason", "botnet", "--approved-by", "the head")
	if status != 1 || !strings.Contains(text, "the server refuses: the audit log, which is to say so, can't be written") {
		t.Errorf("exit status %d, %s: want that no incident begins without a word in the audit log", status, text)
	}
	remove(t, ballast)
	until(t, 90*time.Second, "it is written again", func() bool { return strings.Contains(c.log(), "written again") })
	c.signal(syscall.SIGTERM)
	c.wait(4 * time.Second)
	status, text = c.run("audit", "show", "--kind", "policy-began")
	if status != 0 || strings.Count(text, "\n") != 21 {
		t.Errorf("exit status %d, want 21 entries, none of them lost:\n%s", status, text)
	}
	if status, text := c.run("audit", "verify"); status != 0 || !strings.Contains(text, "intact") {
		t.Errorf("exit status %d: %s", status, text)
	}
}

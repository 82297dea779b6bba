//go:build linux

package endtoend

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A server that is killed, in the middle of a reload or after it, answers again within a second, by what is written, and from its first
// answer on. Its audit log is intact, and so is the state that it would go by if the files were broken.
func TestE2EKilledAtAnyMoment(t *testing.T) {
	endToEnd(t, "dig")
	c := newMinistry(t, "127.0.0.1:9")
	c.start()
	for i := range 6 {
		name := fmt.Sprintf("law%d", i)
		if i%2 == 0 {
			c.enact(name)
		} else {
			c.write(law(name), "policy/ministry.yaml") // it is read, compiled, saved or audited when the end comes
		}
		c.kill()
		c.launch()
		begun := time.Now()
		first := c.firstAnswer("plain.example")
		took := time.Since(begun)
		t.Logf("answers %v after the start", took.Round(time.Millisecond))
		if first.Rcode != dns.RcodeNameError {
			t.Errorf("the first answer was %s, want NXDOMAIN", dns.RcodeToString[first.Rcode])
		}
		if took > time.Second {
			t.Errorf("it took %v until the first answer, want at most 1 s", took)
		}
		if got := c.refusedBy(); got != name {
			t.Errorf("in force is %q, want %q as it is written", got, name)
		}
		until(t, 3*time.Second, "it serves", func() bool { status, _ := c.get("/readyz"); return status == 200 })
	}
	c.breakWhileDown()
	if got := c.refusedBy(); got != "law5" {
		t.Errorf("in force after a start with a broken file is %q, want law5", got)
	}
	c.signal(syscall.SIGTERM)
	if status := c.wait(4 * time.Second); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	if status, text := c.run("audit", "verify"); status != 0 || !strings.Contains(text, "intact") {
		t.Errorf("exit status %d: %s", status, text)
	}
}

// firstAnswer asks for name again and again, until there is an answer.
func (c *cordon) firstAnswer(name string) (first *dns.Msg) {
	c.t.Helper()
	client := dns.Client{Timeout: 50 * time.Millisecond}
	until(c.t, 10*time.Second, "an answer", func() bool {
		answer, _, err := client.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA), fmt.Sprintf("127.0.0.1:%d", c.port))
		first = answer
		return err == nil
	})
	return first
}

// A server that starts with a clock that is behind what it has seen before opens nothing: what was banned then is, and an exception that
// had ended has ended. (That the clock was two days later is told by the state directory; the clock of the machine is not touched.)
func TestE2EStartWithAClockThatIsBehind(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	c := newMinistry(t, startNSD(t).address)
	now := time.Now().UTC()
	c.write(ministry+strings.NewReplacer(
		"TOMORROW", now.Add(24*time.Hour).Format("2006-01-02T15:04"), "YESTERDAY", now.Add(-24*time.Hour).Format(time.DateOnly),
	).Replace(`
exceptions:
  - {name: press, agency: default, names: [plain.example], from: YESTERDAY, until: TOMORROW, reason: "It is needed", approved_by: "Head"}
`), "policy/ministry.yaml")
	stop := func() {
		c.signal(syscall.SIGTERM)
		if status := c.wait(4 * time.Second); status != 0 {
			t.Fatalf("exit status %d, want 0", status)
		}
	}
	c.start()
	excepted := [2]string{"plain.example", "NOERROR A 192.0.2.81"}
	c.wants(excepted, [2]string{"other.example", "NODATA ede=15 soa=other.example."})
	stop()
	index := c.path("state/last-good.json")
	seen := now.Add(48 * time.Hour)
	if err := os.Chtimes(index, seen, seen); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and the next start knows it too
		c.start()
		c.wants([2]string{"plain.example", "NXDOMAIN ede=15 soa=plain.example."}, [2]string{"other.example", "NXDOMAIN ede=15 soa=other.example."})
		c.logs(0, "level=ERROR", "the clock is behind what was seen before")
		stop()
	}
	if err := os.Chtimes(index, now, now); err != nil { // as the log says, if the clock is right
		t.Fatal(err)
	}
	c.start()
	c.wants(excepted)
}

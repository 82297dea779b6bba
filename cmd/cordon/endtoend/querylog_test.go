//go:build linux

package endtoend

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// logged starts the ministry's program with a query log.
func logged(t *testing.T, querylog string) *cordon {
	t.Helper()
	c := newMinistry(t, "127.0.0.1:9")
	c.service([]string{"127.0.0.1:9"}, "policy_dir: policy\nstate_dir: state\n"+querylog)
	c.start()
	return c
}

// text is what is in the files that match pattern.
func (c *cordon) text(pattern string) string {
	c.t.Helper()
	paths, err := filepath.Glob(c.path(pattern))
	if err != nil {
		c.t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			c.t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// The frames that Debian's reader captures are those of what was asked, with pseudonyms, over a unix socket and over TCP.
func TestE2EDnstap(t *testing.T) {
	endToEnd(t, "fstrm_capture", "dnstap-ldns")
	port := strconv.Itoa(freePort(t))
	for _, test := range []struct {
		address string
		listen  []string
	}{
		{"unix:dnstap.sock", []string{"-u", "dnstap.sock"}},
		{"tcp:127.0.0.1:" + port, []string{"-a", "127.0.0.1", "-p", port}},
	} {
		c := newMinistry(t, "127.0.0.1:9")
		tool, err := findTool("fstrm_capture")
		if err != nil {
			t.Fatal(err)
		}
		capture := exec.Command(tool, append([]string{"-t", "protobuf:dnstap.Dnstap", "-w", "captured.fstrm"}, test.listen...)...)
		capture.Dir = c.dir
		reader := start(t, "fstrm_capture", capture)
		until(t, 3*time.Second, "the reader has opened its file", func() bool { return strings.Contains(reader.output.String(), "captured.fstrm") })
		c.service([]string{"127.0.0.1:9"}, fmt.Sprintf("policy_dir: policy\nstate_dir: state\nquery_log: {dnstap: {address: %q}}\n", test.address))
		c.start()
		wantsRefused(t, c, "plain.example")
		wantsRefused(t, c, `a\000b\".plain.example`)
		until(t, 5*time.Second, "both are sent", func() bool { return c.metric(`cordon_querylog_events_total{output="dnstap"}`) == "2" })
		c.signal(syscall.SIGTERM)
		c.wait(4 * time.Second)
		reader.signal(syscall.SIGTERM)
		reader.wait(4 * time.Second)
		tool, err = findTool("dnstap-ldns")
		if err != nil {
			t.Fatal(err)
		}
		read := exec.Command(tool, "-r", "captured.fstrm", "-y")
		read.Dir = c.dir
		text, err := read.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", test.address, err, text)
		}
		c.saysAll(string(text), "type: CLIENT_RESPONSE", "socket_protocol: UDP", ";plain.example.", `a\000b`, "rcode: NXDOMAIN")
		pseudonyms := regexp.MustCompile(`query_address: "?(100::[0-9a-f:]+)`).FindAllStringSubmatch(string(text), -1)
		if len(pseudonyms) != 2 || pseudonyms[0][1] != pseudonyms[1][1] || strings.Contains(string(text), "127.0.0.1") {
			t.Errorf("%s: the client is %q:\n%s", test.address, pseudonyms, text)
		}
	}
}

// A syslog daemon understands every message, by each of its ways, and a change of the way needs no restart.
func TestE2ESyslog(t *testing.T) {
	endToEnd(t, "rsyslogd")
	dir, udp, tcp := t.TempDir(), freePort(t), freePort(t)
	socket, file := filepath.Join(dir, "log.sock"), filepath.Join(dir, "messages")
	conf := writeFile(t, fmt.Sprintf(`global(workDirectory=%[1]q)
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket=%[2]q UseSpecialParser="off" ParseHostname="on" RateLimit.Interval="0")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="%[3]d")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="%[4]d")
template(name="all" type="string" string="%%inputname%% %%pri%% %%app-name%% %%msgid%% %%msg%%\n")
action(type="omfile" file=%[5]q template="all")
`, dir, socket, udp, tcp, file), dir, "rsyslog.conf")
	tool, err := findTool("rsyslogd")
	if err != nil {
		t.Fatal(err)
	}
	start(t, "rsyslogd", exec.Command(tool, "-n", "-f", conf, "-i", filepath.Join(dir, "pid")))
	until(t, 5*time.Second, "rsyslogd listens", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", tcp))
		if err == nil {
			_ = conn.Close()
		}
		_, socketErr := os.Stat(socket)
		return err == nil && socketErr == nil
	})
	c := logged(t, "")
	for input, address := range map[string]string{
		"imuxsock": "unix:" + socket, "imudp": fmt.Sprintf("udp:127.0.0.1:%d", udp), "imtcp": fmt.Sprintf("tcp:127.0.0.1:%d", tcp),
	} {
		c.service([]string{"127.0.0.1:9"}, fmt.Sprintf(
			"policy_dir: policy\nstate_dir: state\nquery_log: {clients: truncated, syslog: {address: %q, facility: local3}}\n", address))
		heard := regexp.MustCompile(`(?m)^` + input + ` 158 cordon refuse (\{.*\})$`)
		var found []string
		until(t, 10*time.Second, input+" is told", func() bool {
			wantsRefused(t, c, "plain.example")
			text, _ := os.ReadFile(file) // it is there with the first message
			found = heard.FindStringSubmatch(string(text))
			return found != nil
		})
		var event map[string]string
		if err := json.Unmarshal([]byte(found[1]), &event); err != nil || event["name"] != "plain.example" || event["client"] != "127.0.0.0/24" {
			t.Errorf("%s: %v, %v", input, event, err)
		}
	}
}

// A reader that takes no frames holds no answer up: each query is answered, until some are dropped, and beyond; a file beside it has all.
func TestE2EAReaderOfDnstapThatNeverReads(t *testing.T) {
	endToEnd(t)
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go neverReads(listener)
	c := logged(t, fmt.Sprintf("query_log: {dnstap: {address: %q}, file: {path: queries.jsonl}}\n", "unix:"+socket))
	conn, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", c.port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	long := strings.Repeat(strings.Repeat("x", 60)+".", 3) + "plain.example."
	query, err := new(dns.Msg).SetQuestion(long, dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	ask := func() {
		t.Helper()
		for range 500 {
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := conn.Write(query); err != nil {
				t.Fatal(err)
			}
			var answer [512]byte
			if _, err := conn.Read(answer[:]); err != nil || answer[3]&0xF != dns.RcodeNameError {
				t.Fatalf("query %d: %v, RCODE %d", asked, err, answer[3]&0xF)
			}
			asked++
		}
	}
	dropped := func() bool {
		n := c.metric(`cordon_querylog_dropped_events_total{output="dnstap"}`)
		return n != "0" && n != ""
	}
	for !dropped() {
		if asked > 100_000 {
			t.Fatalf("nothing is dropped of %d events", asked)
		}
		ask()
	}
	ask()
	until(t, 5*time.Second, "the file has all", func() bool {
		return c.metric(`cordon_querylog_events_total{output="file"}`) == strconv.Itoa(asked)
	})
	if n := strings.Count(c.text("queries.jsonl"), "\n"); n != asked {
		t.Errorf("the file has %d lines of %d", n, asked)
	}
	c.signal(syscall.SIGTERM)
	if status := c.wait(6 * time.Second); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}

// neverReads takes connections, says in frame streams that frames are welcome, and takes none.
func neverReads(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		var head [8]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		_, _ = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[4:])))
		_, _ = conn.Write([]byte("\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x01")) // ACCEPT
	}
}

// On a full disk queries are answered, lines stay whole, and when there is room again, the log goes on with what waited.
func TestE2EQueryLogOnAFullDisk(t *testing.T) {
	endToEnd(t)
	c := newMinistry(t, "127.0.0.1:9")
	dir := c.path("disk")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=128k"); errors.Is(err, syscall.EPERM) {
		t.Skip("mounting is for root")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	c.service([]string{"127.0.0.1:9"}, "policy_dir: policy\nstate_dir: state\nquery_log: {file: {path: disk/q.jsonl}}\n")
	c.start()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 112<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	const asked = 300
	for range asked {
		wantsRefused(t, c, "plain.example")
	}
	until(t, 5*time.Second, "the error is counted", func() bool {
		n := c.metric(`cordon_querylog_errors_total{output="file"}`)
		return n != "" && n != "0"
	})
	c.saysAll(c.log(), "query log: it can't be written", "no space left")
	if text := c.text("disk/q.jsonl"); text != "" && !strings.HasSuffix(text, "}\n") {
		t.Errorf("the last line is not whole: %q", text[max(0, len(text)-100):])
	}
	remove(t, ballast)
	until(t, 40*time.Second, "it goes on", func() bool {
		return c.metric(`cordon_querylog_events_total{output="file"}`) == strconv.Itoa(asked)
	})
	c.logs(0, "query log: it is written again")
	if n := strings.Count(c.text("disk/q.jsonl"), "\n"); n != asked {
		t.Errorf("%d lines, want %d", n, asked)
	}
	if strings.Contains(c.log(), "plain.example") {
		t.Error("the server's log has a name that was asked")
	}
}

// An incident has addresses in its own file, is in the audit log, and goes on over a restart to the same end.
func TestE2EIncident(t *testing.T) {
	endToEnd(t)
	c := logged(t, "query_log: {file: {path: queries.jsonl}}\n")
	wantsRefused(t, c, "plain.example")
	status, text := c.run("incident", "start", "--for", "25h", "--reason", "botnet", "--approved-by", "the head")
	if status != 1 || !strings.Contains(text, "the server refuses: it is to last 25h0m0s") {
		t.Errorf("exit status %d, %s: want that it is too long", status, text)
	}
	status, text = c.run("incident", "start", "--for", "2h", "--reason", "botnet at 192.0.2.66", "--approved-by", "the head")
	if status != 0 || !strings.Contains(text, "all queries of all clients") {
		t.Fatalf("exit status %d, %s", status, text)
	}
	_, before := c.run("incident", "status")
	until(t, 3*time.Second, "the address is logged", func() bool {
		wantsRefused(t, c, "plain.example")
		return strings.Contains(c.text("state/incident/*.jsonl"), `"client":"127.0.0.1"`)
	})
	if c.metric("cordon_querylog_incident_until_timestamp_seconds") == "0" {
		t.Error("the metric says that there is none")
	}
	c.kill()
	c.start()
	c.logs(0, "incident mode: queries are logged with the addresses of clients")
	if _, after := c.run("incident", "status"); after != before || !strings.Contains(after, "incident until") {
		t.Errorf("before the restart:\n%s\nafter:\n%s", before, after)
	}
	lines := strings.Count(c.text("state/incident/*.jsonl"), "\n")
	until(t, 3*time.Second, "more is logged", func() bool {
		wantsRefused(t, c, "plain.example")
		return strings.Count(c.text("state/incident/*.jsonl"), "\n") > lines
	})
	if status, text = c.run("incident", "stop"); status != 0 || !strings.Contains(text, "there is no incident") {
		t.Errorf("exit status %d, %s", status, text)
	}
	wantsRefused(t, c, "other.example")
	until(t, 3*time.Second, "the log goes on", func() bool { return strings.Contains(c.text("queries.jsonl"), "other.example") })
	if strings.Contains(c.text("state/incident/*.jsonl"), "other.example") || strings.Contains(c.text("queries.jsonl"), "127.0.0.1") {
		t.Error("an address is logged outside of the incident")
	}
	until(t, 5*time.Second, "the audit log has both ends of it", func() bool {
		_, began := c.run("audit", "show", "--kind", "incident-began")
		_, ended := c.run("audit", "show", "--kind", "incident-ended")
		return strings.Count(began, "\n") == 1 && strings.Contains(began, "signed for by the head") && strings.Contains(began, "botnet at [address]") &&
			strings.Count(ended, "\n") == 1 && strings.Contains(ended, "ended by request")
	})
	if status, text := c.run("audit", "verify"); status != 0 {
		t.Errorf("exit status %d: %s", status, text)
	}
	if strings.Contains(c.log(), "plain.example") || strings.Contains(c.log(), "192.0.2.66") {
		t.Error("the server's log has a name or an address")
	}
}

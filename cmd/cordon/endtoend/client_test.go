//go:build linux

package endtoend

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reply is what dig shows of an answer. The answer section and the authority section are lines with one blank between words.
type reply struct {
	status            string
	flags             string // " qr rd ra"
	ede               []string
	answer, authority []string
	text              string // all that dig said
	took              time.Duration
}

// dig asks the program, by 127.0.0.1 unless one of args is another @server.
func (c *cordon) dig(args ...string) reply {
	c.t.Helper()
	if !strings.Contains(strings.Join(args, " "), "@") {
		args = append(args, "@127.0.0.1")
	}
	return dig(c.t, append(args, "-p", strconv.Itoa(c.port))...)
}

// dig runs dig. An answer that does not come has the status "none".
func dig(t *testing.T, args ...string) reply {
	t.Helper()
	cmd := exec.Command("dig", append([]string{"+tries=1", "+timeout=8"}, args...)...)
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	r := reply{status: "none", text: string(out), took: time.Since(begun)}
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	var section *[]string
	for line := range strings.Lines(r.text) {
		line = strings.Join(strings.Fields(line), " ")
		switch {
		case strings.HasPrefix(line, ";; ->>HEADER<<-"):
			r.status = between(line, "status: ", ",")
		case strings.HasPrefix(line, ";; flags:"):
			r.flags = between(line, "flags:", ";")
		case strings.HasPrefix(line, "; EDE: "):
			r.ede = append(r.ede, strings.TrimPrefix(line, "; EDE: "))
		case line == ";; ANSWER SECTION:":
			section = &r.answer
		case line == ";; AUTHORITY SECTION:":
			section = &r.authority
		case line == "" || line[0] == ';':
			section = nil
		case section != nil:
			*section = append(*section, line)
		}
	}
	return r
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// String is the reply in a line: the status, "NODATA" for a success without an answer; the codes of EDE; the owner of the
// SOA if there is nothing else; the types and data of the answer.
func (r reply) String() string {
	words := []string{r.status}
	if r.status == "NOERROR" && len(r.answer) == 0 {
		words[0] = "NODATA"
	}
	for _, ede := range r.ede {
		words = append(words, "ede="+strings.Fields(ede)[0])
	}
	for _, line := range r.authority {
		if f := strings.Fields(line); len(r.answer) == 0 && f[3] == "SOA" {
			words = append(words, "soa="+f[0])
		}
	}
	for _, line := range r.answer {
		words = append(words, strings.Join(strings.Fields(line)[3:], " "))
	}
	return strings.Join(words, " ")
}

// ttl is the TTL of the first record of the answer, else of the authority section, -1 if there is none.
func (r reply) ttl() int {
	records := slices.Concat(r.answer, r.authority)
	if len(records) == 0 {
		return -1
	}
	ttl, err := strconv.Atoi(strings.Fields(records[0])[1])
	if err != nil {
		return -1
	}
	return ttl
}

// wants checks the reply to each question, which is dig's arguments.
func (c *cordon) wants(cases ...[2]string) {
	c.t.Helper()
	for _, one := range cases {
		if got := c.dig(strings.Fields(one[0])...); got.String() != one[1] {
			c.t.Errorf("dig %s:\n got %s\nwant %s", one[0], got, one[1])
		}
	}
}

// perf is a dnsperf under way.
type perf struct {
	*child
	sent     int // with those that were under way when it was stopped
	answered int
	lost     int
	rcode    map[string]int
}

// load lets dnsperf ask the program so many queries a second, of a file with lines "name type", until it is stopped.
func (c *cordon) load(file string, perSecond int) *perf {
	c.t.Helper()
	cmd := exec.Command("dnsperf", "-s", "127.0.0.1", "-p", strconv.Itoa(c.port), "-d", file, "-l", "600", "-c", "4",
		"-Q", strconv.Itoa(perSecond), "-t", "5")
	p := &perf{child: start(c.t, "dnsperf", cmd), rcode: map[string]int{}}
	return p
}

var (
	perfCount = regexp.MustCompile(`Queries (sent|completed|lost): +(\d+)`)
	perfRcode = regexp.MustCompile(`([A-Z]+) (\d+) \(`)
)

// stop ends the load and reads what dnsperf counted.
func (p *perf) stop() {
	p.t.Helper()
	p.signal(syscall.SIGINT)
	p.wait(10 * time.Second)
	counts := map[string]int{}
	for _, m := range perfCount.FindAllStringSubmatch(p.output.String(), -1) {
		counts[m[1]], _ = strconv.Atoi(m[2])
	}
	p.sent, p.answered, p.lost = counts["sent"], counts["completed"], counts["lost"]
	for _, m := range perfRcode.FindAllStringSubmatch(between(p.output.String(), "Response codes:", "\n"), -1) {
		p.rcode[m[1]], _ = strconv.Atoi(m[2])
	}
	if p.sent == 0 {
		p.t.Fatalf("dnsperf counted nothing:\n%s", p.output.String())
	}
}

func (p *perf) String() string { return fmt.Sprintf("%d sent, %d lost, %v", p.sent, p.lost, p.rcode) }

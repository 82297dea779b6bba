//go:build linux

package endtoend

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// soakClient is one of those who ask.
type soakClient struct {
	kind    string
	address net.IP
}

// soakClientAt is the i-th of them.
func soakClientAt(i int) soakClient {
	kinds := []soakClient{
		{"ministry", net.IPv4(127, 0, 1, byte(1+i))},
		{"press", net.IPv4(127, 0, 1, 42)},
		{"observed", net.IPv4(127, 0, 2, byte(1+i))},
		{"lab", net.IPv4(127, 0, 3, byte(1+i))},
		{"nobody", net.IPv4(127, 0, 9, byte(1+i))},
	}
	return kinds[i%len(kinds)]
}

// soakName is a name to ask for, of which kind, and which of the flips decides about it.
func soakName(serial int) (name, kind string, flip int) {
	flip = rand.IntN(8)
	switch n := rand.IntN(100); {
	case n < 20:
		return fmt.Sprintf("a%d.banned.example.", rand.IntN(50)), "banned", 0
	case n < 35:
		return fmt.Sprintf("flip%d.soak.example.", flip), "flip", flip
	case n < 50:
		return fmt.Sprintf("chain%d.open.example.", flip), "chain", flip
	case n < 80:
		return fmt.Sprintf("hit%d.open.example.", rand.IntN(200)), "open", 0
	case n < 90:
		return fmt.Sprintf("brief%d.open.example.", rand.IntN(50)), "open", 0
	default:
		return fmt.Sprintf("miss%d-%d.open.example.", serial, rand.Uint32()), "open", 0
	}
}

// soakAddress is the only right address of a name.
func soakAddress(name string) string {
	hash := fnv.New32a()
	hash.Write([]byte(strings.ToLower(name)))
	sum := hash.Sum32()
	return net.IPv4(198, 18+byte(sum>>16&1), byte(sum>>8), byte(sum)).String()
}

// soakTarget is the name that name is an alias of, else name itself.
func soakTarget(name string) string {
	if k, ok := strings.CutPrefix(name, "chain"); ok {
		return "flip" + k[:1] + ".soak.example."
	}
	return name
}

// soakCounts is what became of the queries.
type soakCounts struct {
	mu    *sync.Mutex
	kinds map[string]int
	wrong []string // the first of them
}

func newSoakCounts() soakCounts { return soakCounts{mu: new(sync.Mutex), kinds: map[string]int{}} }

func (c *soakCounts) count(kind, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kinds[kind]++
	if kind == "WRONG" && len(c.wrong) < 20 {
		c.wrong = append(c.wrong, detail)
	}
}

func (c *soakCounts) report(t *testing.T) {
	t.Helper()
	all := 0
	for _, n := range c.kinds {
		all += n
	}
	t.Logf("%d queries: %v", all, c.kinds)
	for _, detail := range c.wrong {
		t.Errorf("wrong: %s", detail)
	}
	if n := c.kinds["WRONG"] + c.kinds["lost"]; n > 0 {
		t.Errorf("%d answers were wrong and %d were lost, want none", c.kinds["WRONG"], c.kinds["lost"])
	}
	if n := c.kinds["SERVFAIL though an upstream was well"]; n*1000 > all {
		t.Errorf("%d of %d were SERVFAIL though an upstream was well, want at most one in a thousand", n, all)
	}
	for _, kind := range []string{"refused", "passed", "alias refused", "stale", "SERVFAIL"} {
		if c.kinds[kind] == 0 {
			t.Errorf("nothing was %s: that was not tested", kind)
		}
	}
}

// judge says what became of a query: what it is counted as.
func (s *soak) judge(c soakClient, name, kind string, flip int, answer *dns.Msg, begun, ended time.Time) string {
	may := func(refused bool) bool {
		switch {
		case c.kind == "observed" || c.kind == "lab" || kind == "open":
			return !refused
		case kind == "banned" && c.kind == "press":
			return s.press.could(!refused, begun, ended)
		case kind == "banned":
			return refused
		default:
			return s.flips[flip].could(refused, begun, ended)
		}
	}
	code := uint16(0xffff) // none
	if opt := answer.IsEdns0(); opt != nil {
		for _, option := range opt.Option {
			if ede, ok := option.(*dns.EDNS0_EDE); ok {
				code = ede.InfoCode
			}
		}
	}
	nothing := len(answer.Answer) == 0
	switch {
	case answer.Rcode == dns.RcodeServerFailure && nothing && s.trouble.could(true, begun, ended):
		return "SERVFAIL"
	case answer.Rcode == dns.RcodeServerFailure && nothing:
		return "SERVFAIL though an upstream was well"
	case nothing && code == dns.ExtendedErrorCodeBlocked && may(true) && kind == "chain":
		return "alias refused"
	case nothing && code == dns.ExtendedErrorCodeBlocked && may(true):
		return "refused"
	case answer.Rcode != dns.RcodeSuccess || !soakRight(name, answer.Answer) || !may(false):
		return "WRONG"
	case code == dns.ExtendedErrorCodeStaleAnswer:
		return "stale"
	default:
		return "passed"
	}
}

// soakRight says whether records are all that there is at name, and nothing else.
func soakRight(name string, records []dns.RR) bool {
	var text []string
	for _, r := range records {
		switch r := r.(type) {
		case *dns.CNAME:
			text = append(text, r.Hdr.Name+" CNAME "+r.Target)
		case *dns.A:
			text = append(text, r.Hdr.Name+" A "+r.A.String())
		default:
			return false
		}
	}
	want := []string{name + " A " + soakAddress(name)}
	if target := soakTarget(name); target != name {
		want = []string{name + " CNAME " + target, target + " A " + soakAddress(target)}
	}
	return slices.Equal(text, want)
}

// ask asks one question over conn.
func (s *soak) ask(c soakClient, conn *dns.Conn, serial int) (alive bool) {
	name, kind, flip := soakName(serial)
	query := new(dns.Msg).SetQuestion(name, dns.TypeA).SetEdns0(1232, false)
	client := dns.Client{Timeout: 8 * time.Second}
	begun := time.Now()
	answer, _, err := client.ExchangeWithConn(query, conn)
	ended := time.Now()
	if err != nil {
		s.counts.count("lost", "")
		s.t.Logf("%s asked for %s: %v after %v", c.kind, name, err, ended.Sub(begun))
		return false
	}
	outcome := s.judge(c, name, kind, flip, answer, begun, ended)
	s.counts.count(outcome, fmt.Sprintf("%s (%s) at %v for %v:\n%v", c.kind, c.address, begun.Format(time.TimeOnly), ended.Sub(begun), answer))
	return true
}

// askMany asks n questions over conn, one after the other, or fewer if one is lost.
func (s *soak) askMany(c soakClient, conn *dns.Conn, serial, n int) {
	for range n {
		if !s.pause(soakPace) || !s.ask(c, conn, serial) {
			return
		}
	}
}

const soakPace = 15 * time.Millisecond

func (s *soak) address() string { return fmt.Sprintf("127.0.0.1:%d", s.cordon.port) }

// askUDP is the i-th client, over UDP. It takes another port now and then.
func (s *soak) askUDP(i int) {
	c := soakClientAt(i)
	for !s.ended() {
		dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: c.address}}
		socket, err := dialer.Dial("udp", s.address())
		if err != nil {
			s.t.Error(err)
			return
		}
		conn := &dns.Conn{Conn: socket, UDPSize: 1232}
		s.askMany(c, conn, i, 500)
		_ = conn.Close()
	}
}

// askTCP is the i-th client, over TCP. One connection in ten ends in the middle of a message.
func (s *soak) askTCP(i int) {
	c := soakClientAt(i)
	for s.pause(soakPace) {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: c.address}, Timeout: 8 * time.Second}
		socket, err := dialer.Dial("tcp", s.address())
		if err != nil {
			s.counts.count("lost", "")
			s.t.Log(err)
			continue
		}
		conn := &dns.Conn{Conn: socket}
		s.askMany(c, conn, 100+i, 1+i*4)
		if rand.IntN(10) == 0 {
			_, _ = socket.Write([]byte{0, 40, 1})
		}
		_ = conn.Close()
	}
}

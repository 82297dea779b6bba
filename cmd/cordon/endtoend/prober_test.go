//go:build linux

package endtoend

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// probed are the names that a prober asks for in turn.
var probed = []string{"x.y.flip.example.", "plain.example.", "other.example."}

// prober asks all the time and judges every answer: it is that of the edition before or of the one that is written, and
// nothing of the one before comes after anything of the other.
type prober struct {
	c      *cordon
	conn   *dns.Conn
	ended  chan struct{}
	all    sync.WaitGroup
	probes int // that were answered; to be read after stop

	mu       sync.Mutex
	old, new edition
	seen     int // answers in a row that only the new edition gives
	first    time.Time
}

func newProber(c *cordon, e edition) *prober {
	c.t.Helper()
	conn, err := dns.DialTimeout("udp", fmt.Sprintf("127.0.0.1:%d", c.port), time.Second)
	if err != nil {
		c.t.Fatal(err)
	}
	p := &prober{c: c, conn: conn, ended: make(chan struct{}), old: e, new: e}
	p.all.Go(p.run)
	c.t.Cleanup(p.stop)
	return p
}

// expect makes e the edition that is about to be written.
func (p *prober) expect(e edition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.old, p.new, p.seen = p.new, e, 0
}

// turned waits until the new edition rules, and for some more answers, and returns when the first one of it was there.
func (p *prober) turned() time.Time {
	p.c.t.Helper()
	until(p.c.t, 10*time.Second, "the new edition rules", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.seen > 20
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first
}

func (p *prober) stop() {
	select {
	case <-p.ended:
	default:
		close(p.ended)
	}
	p.all.Wait()
}

func (p *prober) run() {
	defer p.conn.Close()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-tick.C:
		}
		for _, name := range probed {
			if p.c.t.Failed() {
				return
			}
			answer, err := p.ask(name)
			if err != nil {
				p.c.t.Errorf("probe of %s: %v", name, err)
				return
			}
			p.judge(name, answer)
			p.probes++
		}
	}
}

// judge checks one answer.
func (p *prober) judge(name, answer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, is := p.old.says(name), p.new.says(name)
	switch {
	case answer != was && answer != is:
		p.c.t.Errorf("%s: %q, want %q or %q", name, answer, was, is)
	case was == is:
	case answer == is:
		if p.seen == 0 {
			p.first = time.Now()
		}
		p.seen++
	case p.seen > 0:
		p.c.t.Errorf("%s: %q of the edition before, after %d answers of the new one", name, answer, p.seen)
	}
}

// ask returns an answer in a line: the RCODE, the text of EDE, the owner of the SOA, addresses.
func (p *prober) ask(name string) (string, error) {
	m := new(dns.Msg).SetQuestion(name, dns.TypeA).SetEdns0(1232, false)
	_ = p.conn.SetDeadline(time.Now().Add(5 * time.Second))
	if err := p.conn.WriteMsg(m); err != nil {
		return "", err
	}
	reply, err := p.conn.ReadMsg()
	if err != nil {
		return "", err
	}
	if reply.Id != m.Id || len(reply.Question) != 1 || reply.Question[0].Name != name {
		return "", fmt.Errorf("an answer to something else: %v", reply)
	}
	words := []string{dns.RcodeToString[reply.Rcode]}
	if opt := reply.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if ede, ok := o.(*dns.EDNS0_EDE); ok {
				words = append(words, ede.ExtraText)
			}
		}
	}
	for _, rr := range reply.Answer {
		if a, ok := rr.(*dns.A); ok {
			words = append(words, a.A.String())
		}
	}
	for _, rr := range reply.Ns {
		words = append(words, rr.Header().Name)
	}
	return strings.Join(words, " "), nil
}

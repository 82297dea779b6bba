package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// fakeNet is the network behind the server: every address has a resolver that does as the script says.
type fakeNet struct {
	x *scenario

	mu      sync.Mutex
	manners map[netip.Addr]manner // the zero address: of those that have none of their own
	told    map[fact][]*saying
	asked   []asked
}

// fact is what a saying is about; the zero address is every server.
type fact struct {
	server netip.Addr
	name   string // lower case, with the final dot
}

// saying is what servers say of one name and type.
type saying struct {
	rtype   uint16 // 0: every type
	records []dns.RR
	rcode   int
	soa     *dns.SOA
	ttl     int // seconds
	signed  bool
	bogus   bool
}

// asked is a query that a server got.
type asked struct {
	server  netip.Addr
	network string
	name    string
}

// manner is how a server answers.
type manner struct {
	silent  bool // not at all
	closed  bool // its port is closed
	noTCP   bool // that of TCP is
	hangUp  bool // TCP ends within the answer
	slow    time.Duration
	rcode   int  // with this code and nothing else
	noEDNS  bool // FORMERR for a query with OPT
	cut     bool // TC in every datagram
	garbage bool // the last octets are missing
	bare    bool // no CNAME beside a DNAME
	ad      bool // AD for who sets AD or DO
	changes []func(r *dns.Msg)
}

// changes are what a server can do to an otherwise right answer, by the word of the manner. The question of r is there.
func changes() map[string]func(r *dns.Msg) {
	return map[string]func(r *dns.Msg){
		"wrong-id":       func(r *dns.Msg) { r.Id++ },
		"wrong-question": func(r *dns.Msg) { r.Question[0].Name = "other.example." },
		"wrong-type":     func(r *dns.Msg) { r.Question[0].Qtype++ },
		"wrong-class":    func(r *dns.Msg) { r.Question[0].Qclass = dns.ClassCHAOS },
		"no-question":    func(r *dns.Msg) { r.Question = nil },
		"two-questions":  func(r *dns.Msg) { r.Question = append(r.Question, r.Question[0]) },
		"no-response":    func(r *dns.Msg) { r.Response = false },
		"update":         func(r *dns.Msg) { r.Opcode = dns.OpcodeUpdate },
		"reversed":       func(r *dns.Msg) { slices.Reverse(r.Answer) },
		"junk":           addJunk,
		"referral": func(r *dns.Msg) {
			r.Answer = nil
			addDelegation(r)
		},
		"options": func(r *dns.Msg) {
			opt := r.IsEdns0()
			for range 10_000 {
				opt.Option = append(opt.Option, &dns.EDNS0_LOCAL{Code: dns.EDNS0LOCALSTART})
			}
		},
	}
}

// addJunk adds what nobody asked for to every section.
func addJunk(r *dns.Msg) {
	for i, section := range []*[]dns.RR{&r.Answer, &r.Ns, &r.Extra} {
		*section = append([]dns.RR{mustRR(fmt.Sprintf("junk.example. 300 IN A 203.0.113.%d", i))}, *section...)
	}
	addDelegation(r)
	r.Ns = append(r.Ns, mustRR("example. 300 IN DNAME evil.test."))
}

// addDelegation says who is responsible for all names of example.
func addDelegation(r *dns.Msg) {
	r.Ns = append(r.Ns, mustRR("example. 300 IN NS ns.evil.example."))
	r.Extra = append(r.Extra, mustRR("ns.evil.example. 300 IN A 203.0.113.66"))
}

func mustRR(text string) dns.RR {
	rr, err := dns.NewRR(text)
	if err != nil {
		panic(err)
	}
	return rr
}

func newFakeNet(x *scenario) *fakeNet {
	return &fakeNet{x: x, manners: map[netip.Addr]manner{}, told: map[fact][]*saying{}}
}

// script reads an upstream line.
func (n *fakeNet) script(args []string) error {
	var server netip.Addr
	if len(args) > 0 {
		if addr, err := netip.ParseAddr(args[0]); err == nil {
			server, args = addr, args[1:]
		}
	}
	if len(args) == 0 {
		return errUsage
	}
	if len(args) >= 3 && args[0] != "slow" {
		if _, ok := typeNamed(args[1]); ok || args[1] == "*" {
			return n.tell(server, args)
		}
	}
	m, err := newManner(args)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.manners[server] = m
	return err
}

func newManner(words []string) (m manner, err error) {
	for i := 0; i < len(words); i++ {
		if words[i] == "slow" && i+1 < len(words) {
			i++
			m.slow, err = time.ParseDuration(words[i])
			if err != nil {
				return m, err
			}
			continue
		}
		if rcode, ok := dns.StringToRcode[words[i]]; ok {
			m.rcode = rcode
			continue
		}
		if change, ok := changes()[words[i]]; ok {
			m.changes = append(m.changes, change)
			continue
		}
		flag := map[string]*bool{
			"ok": new(bool), "silent": &m.silent, "closed": &m.closed, "no-tcp": &m.noTCP, "hang-up": &m.hangUp, "noedns": &m.noEDNS,
			"truncate": &m.cut, "garbage": &m.garbage, "bare-dname": &m.bare, "ad": &m.ad,
		}[words[i]]
		if flag == nil {
			return m, fmt.Errorf("no manner %q", words[i])
		}
		*flag = true
	}
	return m, nil
}

// tell reads what servers say from now on: NAME TYPE and what of it.
func (n *fakeNet) tell(server netip.Addr, args []string) error {
	about := fact{server, strings.ToLower(dns.Fqdn(args[0]))}
	rtype, _ := typeNamed(args[1])
	s := &saying{rtype: rtype, ttl: 300}
	minimum := 300
	zone := ""
	var words []string
	var err error
	for _, word := range args[2:] {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case err != nil:
		case key == "ttl":
			s.ttl, err = strconv.Atoi(value)
		case key == "minimum":
			minimum, err = strconv.Atoi(value)
		case key == "soa":
			zone = dns.Fqdn(value)
		case key == "signed":
			s.signed = true
		case key == "bogus":
			s.bogus = true
		default:
			words = append(words, word)
		}
	}
	if err != nil || len(words) == 0 {
		return errors.Join(errUsage, err)
	}
	if zone != "" {
		s.soa = &dns.SOA{
			Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: uint32(s.ttl)},
			Ns:  "ns." + zone, Mbox: "hostmaster." + zone, Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400,
			Minttl: uint32(minimum),
		}
	}
	if err := s.say(about.name, args[1], words); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told[about] = append(slices.DeleteFunc(n.told[about], func(old *saying) bool { return old.rtype == s.rtype }), s)
	return nil
}

// say reads what is in the place of the records. words is not empty.
func (s *saying) say(owner, rtype string, words []string) error {
	rcode, isRcode := dns.StringToRcode[words[0]]
	key, value, _ := strings.Cut(words[0], "=")
	switch {
	case words[0] == "NODATA":
		return nil
	case isRcode:
		s.rcode = rcode
		return nil
	case key == "many":
		return s.many(owner, value)
	case key == "chain" && len(words) == 2:
		return s.chain(owner, rtype, value, words[1])
	case rtype == "A" || rtype == "AAAA":
		for _, address := range words {
			if err := s.record(owner, rtype, address); err != nil {
				return err
			}
		}
		return nil
	}
	for data := range strings.SplitSeq(strings.Join(words, " "), " / ") {
		if err := s.record(owner, rtype, data); err != nil {
			return err
		}
	}
	return nil
}

func (s *saying) record(owner, rtype, data string) error {
	rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", owner, s.ttl, rtype, data))
	if err == nil {
		s.records = append(s.records, rr)
	}
	return err
}

func (s *saying) many(owner, count string) error {
	many, err := strconv.Atoi(count)
	for i := range many {
		err = errors.Join(err, s.record(owner, "A", fmt.Sprintf("198.51.100.%d", i)))
	}
	return err
}

func (s *saying) chain(owner, rtype, count, end string) error {
	length, err := strconv.Atoi(count)
	name := owner
	for i := range length {
		alias := fmt.Sprintf("alias%d.%s", i+1, owner)
		err = errors.Join(err, s.record(name, "CNAME", alias))
		name = alias
	}
	return errors.Join(err, s.record(name, rtype, end))
}

func (n *fakeNet) manner(server netip.Addr) manner {
	n.mu.Lock()
	defer n.mu.Unlock()
	if m, ok := n.manners[server]; ok {
		return m
	}
	return n.manners[netip.Addr{}]
}

// settle waits until nothing happens any more before the next timer.
func (x *scenario) settle() { synctest.Wait() }

func (x *scenario) wantAsked(args []string) error {
	x.settle()
	network := ""
	if len(args) > 1 && args[len(args)-1] == "tcp" {
		network, args = "tcp", args[:len(args)-1]
	}
	if len(args) == 0 || len(args) > 2 {
		return errUsage
	}
	want, err := strconv.Atoi(args[len(args)-1])
	got := 0
	x.net.mu.Lock()
	defer x.net.mu.Unlock()
	for _, a := range x.net.asked {
		about := len(args) == 1 || a.server.String() == args[0] || a.name == dns.Fqdn(args[0])
		if about && (network == "" || a.network == network) {
			got++
		}
	}
	if err == nil && got != want {
		x.errorf("upstreams were asked %d times, want %d", got, want)
	}
	return err
}

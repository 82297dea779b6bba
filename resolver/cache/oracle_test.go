package cache_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cordon/resolver/cache"
	"cordon/resolver/wire"
)

// oracle says in the slowest and plainest way what is to be kept of m for k, TTLs aside; ok is false if m is to be refused.
type oracle struct {
	m      *dns.Msg
	k      cache.Key
	answer []string
	leads  map[string]bool
	found  bool
}

// plain is a record without its TTL, in lower case.
func plain(rr dns.RR) string {
	c := dns.Copy(rr)
	c.Header().Ttl = 0
	return strings.ToLower(c.String())
}

func (o *oracle) matching(name string, rtype uint16) (out []dns.RR) {
	for _, rr := range o.m.Answer {
		h := rr.Header()
		if h.Class == o.k.Class && h.Rrtype == rtype && strings.EqualFold(h.Name, name) {
			out = append(out, rr)
		}
	}
	return out
}

func (o *oracle) keep(rrs []dns.RR) {
	if len(rrs) == 0 {
		return
	}
	for _, rr := range rrs {
		o.answer = append(o.answer, plain(rr))
		switch rr := rr.(type) {
		case *dns.CNAME:
			o.leads[strings.ToLower(rr.Target)] = true
		case *dns.DNAME:
			o.leads[strings.ToLower(rr.Hdr.Name)] = true
			o.leads[strings.ToLower(rr.Target)] = true
		case *dns.SVCB:
			o.leads[strings.ToLower(rr.Target)] = true
		case *dns.HTTPS:
			o.leads[strings.ToLower(rr.Target)] = true
		}
	}
	if !o.k.DO {
		return
	}
	for _, rr := range o.matching(rrs[0].Header().Name, dns.TypeRRSIG) {
		if sig, ok := rr.(*dns.RRSIG); ok && sig.TypeCovered == rrs[0].Header().Rrtype {
			o.answer = append(o.answer, plain(rr))
		}
	}
}

// dname is the first DNAME record above name.
func (o *oracle) dname(name string) *dns.DNAME {
	for _, rr := range o.m.Answer {
		d, ok := rr.(*dns.DNAME)
		if ok && d.Hdr.Class == o.k.Class && !strings.EqualFold(d.Hdr.Name, name) && dns.IsSubDomain(d.Hdr.Name, name) {
			return d
		}
	}
	return nil
}

// substitute puts to in place of from at the end of name.
func substitute(name, from, to string) string {
	labels := dns.SplitDomainName(name)
	kept := strings.Join(labels[:len(labels)-dns.CountLabel(from)], ".") + "."
	if to == "." {
		return kept
	}
	return kept + to
}

func (o *oracle) follow(name string) bool {
	kept := map[*dns.DNAME]bool{}
	for range 13 {
		data, alias, dname := o.matching(name, o.k.Type), o.matching(name, dns.TypeCNAME), o.dname(name)
		if dname != nil && !kept[dname] {
			kept[dname] = true
			o.keep([]dns.RR{dname})
		}
		switch {
		case len(data) > 0:
			if o.k.Type == dns.TypeCNAME || o.k.Type == dns.TypeDNAME {
				data = data[:1]
			}
			o.keep(data)
			o.found = true
			if len(alias) > 0 { // not kept, but judged
				o.leads[strings.ToLower(alias[0].(*dns.CNAME).Target)] = true
			}
			return len(data) <= 100
		case len(alias) > 0:
			o.keep(alias[:1])
			name = alias[0].(*dns.CNAME).Target
		case dname != nil:
			name = substitute(name, dname.Hdr.Name, dname.Target)
			if _, ok := dns.IsDomainName(name); !ok {
				return false
			}
			o.leads[strings.ToLower(name)] = true
		default:
			return true
		}
	}
	return false
}

// compareWithOracle keeps msg and checks the answer section and the names it leads to.
func compareWithOracle(t *testing.T, k cache.Key, msg []byte, m *dns.Msg) {
	t.Helper()
	o := &oracle{m: m, k: k, leads: map[string]bool{}}
	name := m.Question[0].Name
	sound := o.follow(name) && !m.Truncated && (m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError && !o.found)
	e, err := cache.Keep(k, msg, start, false)
	if err != nil {
		if sound && len(o.answer) > 0 {
			t.Fatalf("%v, but the oracle keeps %q of\n%s", err, o.answer, m)
		}
		return
	}
	if !sound {
		t.Fatalf("kept, but the oracle refuses\n%s", m)
	}
	q := query(t, name, k.Type, func(q *dns.Msg) { q.Question[0].Qclass = k.Class; q.SetEdns0(1232, k.DO) })
	q.Stream = true
	got := ask(t, e, q, cache.Options{Now: start, EDE: none})
	var answer []string
	for _, rr := range got.Answer {
		answer = append(answer, plain(rr))
	}
	if !slices.Equal(answer, o.answer) {
		t.Fatalf("answer\n%s\nwant\n%s\nof\n%s", strings.Join(answer, "\n"), strings.Join(o.answer, "\n"), m)
	}
	delete(o.leads, ".")
	delete(o.leads, strings.ToLower(name))
	leads := names(e)
	if len(leads) != len(o.leads) {
		t.Fatalf("leads to %q, want %v", leads, o.leads)
	}
	for _, name := range leads {
		if !o.leads[strings.ToLower(name)] {
			t.Fatalf("leads to %q, want %v", leads, o.leads)
		}
	}
}

// randomMessage has names of a small world, so that chains, loops and strangers all come up.
func randomMessage(random *rand.Rand) (*dns.Msg, cache.Key) {
	names := []string{"a.Example.", "b.example.", "c.a.example.", "d.b.example.", "example.", "x.c.A.example.", "net.", "e.net.", "C.e.net.", "."}
	name := func() string { return names[random.IntN(len(names))] }
	types := []uint16{dns.TypeA, dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeDNAME, dns.TypeMX, dns.TypeHTTPS, dns.TypeRRSIG}
	m := new(dns.Msg).SetQuestion(name(), types[random.IntN(len(types))])
	m.Response, m.Compress = true, random.IntN(2) == 0
	m.Rcode = []int{dns.RcodeSuccess, dns.RcodeSuccess, dns.RcodeNameError}[random.IntN(3)]
	for range random.IntN(9) {
		m.Answer = append(m.Answer, randomRecord(random, name))
	}
	for range random.IntN(3) {
		m.Ns = append(m.Ns, randomRecord(random, name))
	}
	k := keyOf(m.Question[0].Name, m.Question[0].Qtype)
	k.DO = random.IntN(2) == 0
	return m, k
}

func randomRecord(random *rand.Rand, name func() string) dns.RR {
	forms := [...]string{
		"A 192.0.2.#", "AAAA 2001:db8::#", "CNAME @", "CNAME @", "DNAME @", "MX # @", "HTTPS # @ alpn=h2", "SRV 1 2 # @",
		"SOA @ @ 1 2 3 4 5", "NS @", "NSEC @ A",
		"RRSIG A 13 2 300 20300101000000 20200101000000 # @ c2ln", "RRSIG CNAME 13 2 300 20300101000000 20200101000000 # @ c2ln",
	}
	class := "IN"
	if random.IntN(12) == 0 {
		class = "CH"
	}
	number := fmt.Sprint(1 + random.IntN(99))
	data := strings.NewReplacer("#", number, "@", name()).Replace(forms[random.IntN(len(forms))])
	rr, err := dns.NewRR(fmt.Sprintf("%s 300 %s %s", name(), class, data))
	if err != nil {
		panic(err)
	}
	return rr
}

func TestKeepAgainstOracle(t *testing.T) {
	for seed := range uint64(4000) {
		m, k := randomMessage(rand.New(rand.NewPCG(seed, 1)))
		msg, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		compareWithOracle(t, k, msg, m)
	}
}

// checked are the types whose data the wire package knows to the last octet; of others the oracle may think differently.
var checked = map[uint16]bool{
	dns.TypeA: true, dns.TypeAAAA: true, dns.TypeCNAME: true, dns.TypeNS: true, dns.TypeSOA: true, dns.TypePTR: true, dns.TypeMX: true,
	dns.TypeTXT: true, dns.TypeSRV: true, dns.TypeDNAME: true, dns.TypeNAPTR: true, dns.TypeHINFO: true, dns.TypeRP: true, dns.TypeNSEC: true,
}

func FuzzKeep(f *testing.F) {
	for seed := range uint64(40) {
		m, _ := randomMessage(rand.New(rand.NewPCG(seed, 2)))
		if msg, err := m.Pack(); err == nil {
			f.Add(msg, seed%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, msg []byte, do bool) {
		m, err := wire.ReadMessage(msg)
		if err != nil {
			return
		}
		name, _, _ := wire.ExpandName(nil, msg, wire.HeaderLen)
		k := cache.Key{Name: name, Type: m.Type, Class: m.Class, DO: do}
		if o := new(dns.Msg); o.Unpack(msg) == nil && !do && checked[k.Type] {
			compareWithOracle(t, k, msg, o)
		}
		e, err := cache.Keep(k, msg, start, true)
		if err != nil {
			return
		}
		checkEntry(t, e, k)
	})
}

// checkEntry answers a query out of e and reads the answer with two parsers.
func checkEntry(t *testing.T, e *cache.Entry, k cache.Key) {
	t.Helper()
	raw := []byte{0xAB, 0xCD, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for _, c := range k.Name {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		raw = append(raw, c)
	}
	raw = append(raw, byte(k.Type>>8), byte(k.Type), byte(k.Class>>8), byte(k.Class))
	q := &wire.Query{Stream: true}
	if p := q.Parse(raw); p != wire.None {
		t.Fatalf("problem %d", p)
	}
	answer := e.Append(nil, q, cache.Options{Now: start, EDE: none})
	again, err := wire.ReadMessage(answer)
	if err != nil {
		t.Fatalf("%v in % x", err, answer)
	}
	if again.ID != 0xABCD || !slices.Equal(answer[wire.HeaderLen:len(raw)], raw[wire.HeaderLen:]) {
		t.Fatalf("id or question of % x", answer)
	}
	for r := range again.Records() {
		if r.TTL > cache.MaxTTL || int64(r.TTL) < int64(e.Lifetime().Seconds()) && !e.Incomplete() && e.Lifetime() > 0 {
			t.Fatalf("TTL %d, lifetime %s", r.TTL, e.Lifetime())
		}
	}
	if err := new(dns.Msg).Unpack(answer); err != nil && checked[k.Type] && !k.DO {
		t.Fatalf("%v in % x", err, answer)
	}
	if _, err := cache.Keep(k, answer, start, true); err != nil {
		t.Fatalf("what was kept is not kept again: %v", err)
	}
}

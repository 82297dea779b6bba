//go:build linux

package endtoend

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// probe is one query of the differential test.
type probe struct {
	msg  []byte
	tcp  bool
	m    *dns.Msg // what msg was made of
	edns string   // which of the EDNS variants
}

func (p probe) String() string {
	var words []string
	for _, q := range p.m.Question {
		words = append(words, fmt.Sprintf("%s %s %s", q.Name, dns.Class(q.Qclass), dns.Type(q.Qtype)))
	}
	for name, set := range map[string]bool{
		"aa": p.m.Authoritative, "tc": p.m.Truncated, "rd": p.m.RecursionDesired, "ra": p.m.RecursionAvailable,
		"z": p.m.Zero, "ad": p.m.AuthenticatedData, "cd": p.m.CheckingDisabled, "tcp": p.tcp,
	} {
		if set {
			words = append(words, "+"+name)
		}
	}
	return fmt.Sprintf("%s opcode=%d edns=%s", strings.Join(words, " "), p.m.Opcode, p.edns)
}

// question is the first question of p, the zero one if there is none.
func (p probe) question() dns.Question {
	if len(p.m.Question) == 0 {
		return dns.Question{}
	}
	return p.m.Question[0]
}

// mix is n probes, the same for the same seed.
func mix(t *testing.T, seed uint64, n int) []probe {
	t.Helper()
	d := dice{rand.New(rand.NewPCG(seed, 0))}
	probes := make([]probe, n)
	for i := range probes {
		p := d.probe()
		var err error
		if p.msg, err = p.m.Pack(); err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		probes[i] = p
	}
	return probes
}

// dice make the choices.
type dice struct{ *rand.Rand }

// rarely is true in so many of a thousand cases.
func (d dice) rarely(perMille int) bool { return d.IntN(1000) < perMille }

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

// probe is one query: most of them are what clients send, with one or two things that few clients do.
func (d dice) probe() probe {
	m := &dns.Msg{MsgHdr: dns.MsgHdr{
		Id:                 uint16(d.IntN(1 << 16)),
		RecursionDesired:   !d.rarely(50),
		AuthenticatedData:  d.rarely(300),
		CheckingDisabled:   d.rarely(200),
		Zero:               d.rarely(40),
		Authoritative:      d.rarely(30),
		Truncated:          d.rarely(30),
		RecursionAvailable: d.rarely(20),
	}}
	m.Question = []dns.Question{d.question()}
	if d.rarely(20) {
		m.Opcode = pick(d, []int{dns.OpcodeIQuery, dns.OpcodeStatus, 3, dns.OpcodeNotify, dns.OpcodeUpdate, 6, 15})
	}
	if d.rarely(10) {
		m.Question = pick(d, [][]dns.Question{nil, {d.question(), d.question()}})
	}
	variant := pick(d, ednsVariants)
	m.Extra = variant.records(d)
	return probe{m: m, tcp: d.rarely(150), edns: variant.name}
}

func (d dice) question() dns.Question {
	q := dns.Question{Name: d.name(), Qtype: dns.TypeA, Qclass: dns.ClassINET}
	switch {
	case d.rarely(400):
	case d.rarely(250):
		q.Qtype = dns.TypeAAAA
	default:
		q.Qtype = pick(d, probedTypes)
	}
	if strings.HasSuffix(strings.ToLower(q.Name), "lame.example.") {
		q.Qtype = dns.TypeA // other types have answers only if a referral happens to be in a cache
	}
	if d.rarely(30) {
		q.Qclass = pick(d, []uint16{dns.ClassCHAOS, dns.ClassHESIOD, dns.ClassNONE, dns.ClassANY, 0, 65280})
	}
	return q
}

var probedTypes = []uint16{
	dns.TypeA, dns.TypeNS, dns.TypeCNAME, dns.TypeSOA, dns.TypePTR, dns.TypeHINFO, dns.TypeMX, dns.TypeTXT, dns.TypeRP, dns.TypeAAAA,
	dns.TypeLOC, dns.TypeSRV, dns.TypeNAPTR, dns.TypeDNAME, dns.TypeDS, dns.TypeSSHFP, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeDNSKEY,
	dns.TypeNSEC3, dns.TypeNSEC3PARAM, dns.TypeTLSA, dns.TypeCDS, dns.TypeCDNSKEY, dns.TypeSVCB, dns.TypeHTTPS, dns.TypeCAA,
	dns.TypeURI, dns.TypeANY, 65280, 65281, 999, dns.TypeMAILA, dns.TypeMAILB, dns.TypeAXFR, dns.TypeIXFR, dns.TypeTKEY, dns.TypeTSIG,
	dns.TypeOPT, dns.TypeNone, dns.TypeTXT, dns.TypeMX, dns.TypeDS, dns.TypeDNSKEY, dns.TypeSOA, dns.TypeNS, dns.TypeHTTPS,
}

// name is a name that is there, or is made of one, in any spelling.
func (d dice) name() string {
	name := pick(d, probedNames)
	switch {
	case d.rarely(150):
		name = pick(d, []string{"x", "a.b", "www", "*", "_25._tcp", `zero\000`, `dot\.dot`, "nothing"}) + "." + strings.TrimPrefix(name, ".")
	case d.rarely(50):
		name = name[strings.IndexByte(name, '.')+1:]
	case d.rarely(100):
		name = fmt.Sprintf("n%d.%s", d.IntN(50), pick(d, []string{
			"wild.example.", "wild.example.net.", "wild.example.org.", "wild.example.com.", "wildalias.example.", "wildmail.example.",
			"wild.signed.example.", "tree.example.", "netree.example.", "example.", "example.net.", "example.org.", "example.com.",
		}))
	}
	if name == "" || name[0] == '.' || len(name) > 250 {
		name = "."
	}
	if d.rarely(200) {
		return d.spell(name)
	}
	return name
}

// spell writes some letters of name as capitals. What stands behind a backslash is no letter.
func (d dice) spell(name string) string {
	spelled := []byte(name)
	for i, c := range spelled {
		if 'a' <= c && c <= 'z' && d.rarely(500) {
			spelled[i] = c - 'a' + 'A'
		}
	}
	return string(spelled)
}

var probedNames = func() []string {
	under := map[string]string{
		"example.": `www mail two capitals types types types _443._tcp.www wild there.wild any.wild wildalias wildmail x.wildmail empty of.empty
			bottom.of.empty alias alias2 alias3 alias5 alias9 alias10 alias11 alias12 alias12 towild tonothing toempty tonet toorg tocom tosigned
			tounsigned tobogus tonetnothing circle circle1 self tree there.tree netree www.netree nothing.netree under www.under undertree
			www.undertree totree long x.long xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.long zero\000octet a\.dot
			bl\032ank high\255\128 back\\slash _under._score ttl0 week ever a27 a28 a29 a30 a31 a72 a73 a74 a75 a76 large huge
			signed www.signed nothing.signed any.wild.signed alias.signed unsigned www.unsigned nothing.unsigned bogus www.bogus
			lame www.lame nothing ns`,
		"example.net.": `www mail wild any.wild empty of.empty bottom.of.empty alias toexample tree www.tree signed www.signed nothing.signed
			unsigned www.unsigned nothing large`,
		"example.org.": `www wild any.wild alias toexample signed www.signed unsigned www.unsigned empty of.empty under.of.empty
			www.under.of.empty nothing`,
		"example.com.": `www mail wild any.wild empty bottom.of.empty alias toexample tonothing tree www.tree nothing`,
	}
	names := []string{
		".", "example.", "example.", "example.", "example.net.", "example.org.", "example.com.", "net.", "com.", "nothing.", "a.nothing.",
		strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 52) + ".example.",
		strings.Repeat("x", 63) + "." + strings.Repeat("x", 63) + ".wild.example.",
		strings.Repeat("y.", 100) + "example.",
	}
	for _, zone := range []string{"example.", "example.net.", "example.org.", "example.com."} {
		for name := range strings.FieldsSeq(under[zone]) {
			names = append(names, name+"."+zone)
		}
	}
	return names
}()

// ednsVariant is a way in which clients use EDNS, or misuse it.
type ednsVariant struct {
	name string
	make func(d dice, opt *dns.OPT)
	n    int // OPT records
}

func (v ednsVariant) records(d dice) []dns.RR {
	var records []dns.RR
	for range v.n {
		opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
		opt.SetUDPSize(pick(d, []uint16{0, 512, 512, 1232, 1232, 1232, 4096, 4096, 65535}))
		if d.rarely(500) {
			opt.SetDo()
		}
		if v.make != nil {
			v.make(d, opt)
		}
		records = append(records, opt)
	}
	return records
}

var ednsVariants = func() []ednsVariant {
	option := func(o dns.EDNS0) func(dice, *dns.OPT) {
		return func(_ dice, opt *dns.OPT) { opt.Option = append(opt.Option, o) }
	}
	plain := ednsVariant{name: "plain", n: 1}
	variants := []ednsVariant{
		{name: "none"},
		{name: "none"},
		{name: "none"},
		{name: "cookie", n: 1, make: option(&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"})},
		{name: "cookie-short", n: 1, make: option(&dns.EDNS0_LOCAL{Code: dns.EDNS0COOKIE, Data: []byte{1, 2, 3}})},
		{name: "ecs", n: 1, make: option(&dns.EDNS0_SUBNET{
			Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: []byte{192, 0, 2, 0},
		})},
		{name: "padding", n: 1, make: option(&dns.EDNS0_PADDING{Padding: make([]byte, 64)})},
		{name: "nsid", n: 1, make: option(&dns.EDNS0_NSID{Code: dns.EDNS0NSID})},
		{name: "keepalive", n: 1, make: option(&dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE})},
		{name: "unknown", n: 1, make: option(&dns.EDNS0_LOCAL{Code: 65001, Data: []byte("unknown")})},
		{name: "version1", n: 1, make: func(_ dice, opt *dns.OPT) { opt.SetVersion(1) }},
		{name: "flags", n: 1, make: func(d dice, opt *dns.OPT) { opt.Hdr.Ttl |= uint32(1 << d.IntN(14)) }},
		{name: "twice", n: 2},
	}
	for range 16 {
		variants = append(variants, plain)
	}
	return variants
}()

package cache_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/cache"
	"cordon/resolver/wire"
)

const (
	soa      = "example.com. 600 IN SOA ns.example.com. root.example.com. 1 3600 600 86400 120"
	soaKept  = "example.com. 120 SOA ns.example.com. root.example.com. 1 3600 600 86400 120"
	sig      = " 300 IN RRSIG %s 13 2 300 20300101000000 20200101000000 1 %s c2lnbmF0dXJl"
	nsec     = "example.com. 60 IN NSEC z.example.com. A RRSIG NSEC"
	hashed   = "abcdefghijklmnopqrstuvabcdefghij.example.com."
	nsec3    = hashed + " 60 IN NSEC3 1 0 0 - 0123456789abcdefghijklmnopqrstuv A"
	question = "www.example.com."
)

func signature(owner, covered string) string {
	return owner + fmt.Sprintf(sig, covered, "example.com.")
}

// keptSig is signature as it is kept with another TTL.
func keptSig(owner, covered string, ttl int) string {
	return strings.Replace(strings.Replace(signature(owner, covered), " IN ", " ", 1), " 300 RRSIG", fmt.Sprintf(" %d RRSIG", ttl), 1)
}

// kept is what a case wants to be kept.
type kept struct {
	answer, authority []string
	lifetime          time.Duration
	names             []string
	addrs             []string
	incomplete        bool
}

func check(t *testing.T, e *cache.Entry, q *wire.Query, want kept) {
	t.Helper()
	m := ask(t, e, q, cache.Options{Now: start, EDE: none})
	for _, c := range []struct {
		what      string
		got, want []string
	}{
		{"answer", lines(m.Answer), want.answer},
		{"authority", lines(m.Ns), want.authority},
		{"additional", lines(m.Extra), nil},
		{"names", names(e), want.names},
		{"addresses", addrs(e), want.addrs},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.what, strings.Join(c.got, "\n     "), strings.Join(c.want, "\n     "))
		}
	}
	if e.Lifetime() != want.lifetime {
		t.Errorf("lifetime %s, want %s", e.Lifetime(), want.lifetime)
	}
	if e.Incomplete() != want.incomplete {
		t.Errorf("incomplete %t", e.Incomplete())
	}
}

func names(e *cache.Entry) (out []string) {
	for name, rest := wire.NextName(e.Names()); name != nil; name, rest = wire.NextName(rest) {
		s, _, err := dns.UnpackDomainName(name, 0)
		if err != nil {
			s = err.Error()
		}
		out = append(out, s)
	}
	return out
}

func addrs(e *cache.Entry) (out []string) {
	for _, a := range e.Addrs(nil) {
		out = append(out, a.String())
	}
	return out
}

func TestKeep(t *testing.T) {
	for name, c := range map[string]struct {
		rtype uint16
		do    bool
		reply reply
		want  kept
	}{
		"one address": {
			reply: reply{answer: []string{"www.example.com. 300 IN A 192.0.2.1"}},
			want: kept{
				answer: []string{"www.example.com. 300 A 192.0.2.1"}, lifetime: 300 * time.Second, addrs: []string{"192.0.2.1"},
			},
		},
		"nothing beside the answer": {
			reply: reply{
				answer: []string{
					"other.example.com. 5 IN A 192.0.2.66", "www.example.com. 300 IN A 192.0.2.1", "www.example.com. 5 IN TXT hi",
					"www.example.com. 5 IN RRSIG A 13 2 300 20300101000000 20200101000000 1 example.com. c2ln",
					"www.example.com. 5 CH A 192.0.2.67",
				},
				authority:  []string{"example.com. 5 IN NS ns.example.com.", soa, nsec},
				additional: []string{"ns.example.com. 5 IN A 192.0.2.53", "www.example.com. 5 IN A 192.0.2.68"},
			},
			want: kept{
				answer: []string{"www.example.com. 300 A 192.0.2.1"}, lifetime: 300 * time.Second, addrs: []string{"192.0.2.1"},
			},
		},
		"a set has its lowest TTL": {
			reply: reply{answer: []string{"www.example.com. 300 IN A 192.0.2.1", "www.example.com. 60 IN A 192.0.2.2"}},
			want: kept{
				answer:   []string{"www.example.com. 60 A 192.0.2.1", "www.example.com. 60 A 192.0.2.2"},
				lifetime: time.Minute, addrs: []string{"192.0.2.1", "192.0.2.2"},
			},
		},
		"TTL 0": {
			reply: reply{answer: []string{"www.example.com. 0 IN A 192.0.2.1"}},
			want:  kept{answer: []string{"www.example.com. 0 A 192.0.2.1"}, addrs: []string{"192.0.2.1"}},
		},
		"TTL with its highest bit": {
			reply: reply{answer: []string{"www.example.com. 2147483648 IN A 192.0.2.1"}},
			want:  kept{answer: []string{"www.example.com. 0 A 192.0.2.1"}, addrs: []string{"192.0.2.1"}},
		},
		"TTL above a day": {
			reply: reply{answer: []string{"www.example.com. 2147483647 IN A 192.0.2.1"}},
			want: kept{
				answer: []string{"www.example.com. 86400 A 192.0.2.1"}, lifetime: 24 * time.Hour, addrs: []string{"192.0.2.1"},
			},
		},
		"chain in disorder": {
			reply: reply{answer: []string{
				"b.example.net. 20 IN A 192.0.2.1", "A.example.net. 200 IN CNAME B.Example.net.", "www.example.com. 300 IN CNAME a.example.net.",
			}},
			want: kept{
				answer: []string{
					"www.example.com. 300 CNAME a.example.net.", "A.example.net. 200 CNAME B.Example.net.", "b.example.net. 20 A 192.0.2.1",
				},
				lifetime: 20 * time.Second, names: []string{"a.example.net.", "b.example.net."}, addrs: []string{"192.0.2.1"},
			},
		},
		"the first of two aliases counts": {
			reply: reply{answer: []string{
				"www.example.com. 300 IN CNAME a.example.net.", "www.example.com. 300 IN CNAME b.example.net.",
				"b.example.net. 20 IN A 192.0.2.2", "a.example.net. 20 IN A 192.0.2.1",
			}},
			want: kept{
				answer:   []string{"www.example.com. 300 CNAME a.example.net.", "a.example.net. 20 A 192.0.2.1"},
				lifetime: 20 * time.Second, names: []string{"a.example.net."}, addrs: []string{"192.0.2.1"},
			},
		},
		"an alias that is asked for is not followed": {
			rtype: dns.TypeCNAME,
			reply: reply{answer: []string{"www.example.com. 300 IN CNAME a.example.net.", "a.example.net. 20 IN CNAME b.example.net."}},
			want: kept{
				answer:   []string{"www.example.com. 300 CNAME a.example.net."},
				lifetime: 300 * time.Second, names: []string{"a.example.net."},
			},
		},
		"DNAME with its CNAME": {
			reply: reply{answer: []string{
				"www.example.com. 300 IN CNAME www.example.net.", "example.com. 300 IN DNAME example.net.", "www.example.net. 20 IN A 192.0.2.1",
			}},
			want: kept{
				answer: []string{
					"example.com. 300 DNAME example.net.", "www.example.com. 300 CNAME www.example.net.", "www.example.net. 20 A 192.0.2.1",
				},
				lifetime: 20 * time.Second, names: []string{"example.com.", "example.net.", "www.example.net."}, addrs: []string{"192.0.2.1"},
			},
		},
		"DNAME without its CNAME": {
			reply: reply{answer: []string{"www.example.net. 20 IN A 192.0.2.1", "Example.com. 300 IN DNAME example.net."}},
			want: kept{
				answer:   []string{"example.com. 300 DNAME example.net.", "www.example.net. 20 A 192.0.2.1"},
				lifetime: 20 * time.Second, names: []string{"example.com.", "example.net.", "www.example.net."}, addrs: []string{"192.0.2.1"},
			},
		},
		"DNAME twice on the way is kept once": {
			reply: reply{answer: []string{
				"example.com. 300 IN DNAME example.net.", "www.example.com. 300 IN CNAME www.example.net.",
				"www.example.net. 300 IN CNAME x.example.com.", "x.example.com. 300 IN CNAME x.example.net.", "x.example.net. 20 IN A 192.0.2.1",
			}},
			want: kept{
				answer: []string{
					"example.com. 300 DNAME example.net.", "www.example.com. 300 CNAME www.example.net.",
					"www.example.net. 300 CNAME x.example.com.", "x.example.com. 300 CNAME x.example.net.", "x.example.net. 20 A 192.0.2.1",
				},
				lifetime: 20 * time.Second, addrs: []string{"192.0.2.1"},
				names: []string{"example.com.", "example.net.", "www.example.net.", "x.example.com.", "x.example.net."},
			},
		},
		"DNAME at the name itself does not move it": {
			reply: reply{answer: []string{"www.example.com. 300 IN DNAME example.net."}, authority: []string{soa}},
			want:  kept{authority: []string{soaKept}, lifetime: 2 * time.Minute},
		},
		"HTTPS": {
			rtype: dns.TypeHTTPS,
			reply: reply{answer: []string{
				"www.example.com. 60 IN HTTPS 1 Cdn.example.net. alpn=h2 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1",
				"www.example.com. 60 IN HTTPS 2 . alpn=h3",
			}},
			want: kept{
				answer: []string{
					`www.example.com. 60 HTTPS 1 Cdn.example.net. alpn="h2" ipv4hint="192.0.2.1,192.0.2.2" ipv6hint="2001:db8::1"`,
					`www.example.com. 60 HTTPS 2 . alpn="h3"`,
				},
				lifetime: time.Minute, names: []string{"cdn.example.net."}, addrs: []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"},
			},
		},
		"AAAA with an IPv4 address in it": {
			rtype: dns.TypeAAAA,
			reply: reply{answer: []string{"www.example.com. 60 IN AAAA 2001:db8::1", "www.example.com. 60 IN AAAA ::ffff:192.0.2.1"}},
			want: kept{
				answer:   []string{"www.example.com. 60 AAAA 2001:db8::1", "www.example.com. 60 AAAA ::ffff:192.0.2.1"},
				lifetime: time.Minute, addrs: []string{"192.0.2.1", "2001:db8::1"},
			},
		},
		"names of MX, SRV, NS and PTR lead nowhere": {
			rtype: dns.TypeMX,
			reply: reply{answer: []string{"www.example.com. 60 IN MX 10 Mail.example.com."}},
			want:  kept{answer: []string{"www.example.com. 60 MX 10 Mail.example.com."}, lifetime: time.Minute},
		},
		"no data": {
			reply: reply{authority: []string{"example.com. 5 IN NS ns.example.com.", soa, nsec, signature("example.com.", "SOA")}},
			want:  kept{authority: []string{soaKept}, lifetime: 2 * time.Minute},
		},
		"no such name": {
			reply: reply{rcode: dns.RcodeNameError, authority: []string{soa}},
			want:  kept{authority: []string{soaKept}, lifetime: 2 * time.Minute},
		},
		"a negative answer lives 15 minutes at most": {
			reply: reply{rcode: dns.RcodeNameError, authority: []string{strings.ReplaceAll(strings.ReplaceAll(soa, " 600 IN", " 7200 IN"), " 120", " 3600")}},
			want: kept{
				authority: []string{"example.com. 900 SOA ns.example.com. root.example.com. 1 3600 600 86400 3600"}, lifetime: 15 * time.Minute,
			},
		},
		"a negative answer lives no longer than its SOA": {
			reply: reply{authority: []string{strings.Replace(soa, " 600 IN", " 7 IN", 1)}},
			want:  kept{authority: []string{strings.Replace(soaKept, " 120 SOA", " 7 SOA", 1)}, lifetime: 7 * time.Second},
		},
		"no such name at the end of a chain": {
			reply: reply{
				rcode: dns.RcodeNameError, answer: []string{"www.example.com. 50 IN CNAME a.example.com."}, authority: []string{soa},
			},
			want: kept{
				answer: []string{"www.example.com. 50 CNAME a.example.com."}, authority: []string{soaKept},
				lifetime: 50 * time.Second, names: []string{"a.example.com."},
			},
		},
		"SOA of a stranger": {
			reply: reply{rcode: dns.RcodeNameError, authority: []string{"example.net. 600 IN SOA a. b. 1 2 3 4 500"}},
			want:  kept{},
		},
		"no such name, no SOA": {reply: reply{rcode: dns.RcodeNameError}, want: kept{}},
		"nothing at all":       {want: kept{incomplete: true}},
		"the chain ends nowhere": {
			reply: reply{answer: []string{"www.example.com. 300 IN CNAME a.example.net."}, authority: []string{"example.net. 5 IN NS ns.example.net."}},
			want: kept{
				answer:   []string{"www.example.com. 300 CNAME a.example.net."},
				lifetime: 30 * time.Second, names: []string{"a.example.net."}, incomplete: true,
			},
		},
		"signatures": {
			do: true,
			reply: reply{
				answer: []string{
					signature(question, "A"), signature(question, "TXT"), "www.example.com. 200 IN A 192.0.2.1", signature("other.example.com.", "A"),
				},
				authority: []string{"example.com. 5 IN NS ns.example.com.", signature("example.com.", "NS")},
			},
			want: kept{
				answer:   []string{"www.example.com. 200 A 192.0.2.1", keptSig(question, "A", 200)},
				lifetime: 200 * time.Second, addrs: []string{"192.0.2.1"},
			},
		},
		"signed alias": {
			do: true,
			reply: reply{answer: []string{
				"www.example.com. 100 IN CNAME a.example.com.", signature(question, "CNAME"),
				"a.example.com. 300 IN A 192.0.2.1", signature("a.example.com.", "A"),
			}},
			want: kept{
				answer: []string{
					"www.example.com. 100 CNAME a.example.com.", keptSig(question, "CNAME", 100),
					"a.example.com. 300 A 192.0.2.1", keptSig("a.example.com.", "A", 300),
				},
				lifetime: 100 * time.Second, names: []string{"a.example.com."}, addrs: []string{"192.0.2.1"},
			},
		},
		"wildcard with its proof": {
			do: true,
			reply: reply{
				answer:    []string{"www.example.com. 200 IN A 192.0.2.1", signature(question, "A")},
				authority: []string{nsec, signature("example.com.", "NSEC"), soa, signature("example.com.", "SOA")},
			},
			want: kept{
				answer:    []string{"www.example.com. 200 A 192.0.2.1", keptSig(question, "A", 200)},
				authority: []string{strings.Replace(nsec, " IN", "", 1), keptSig("example.com.", "NSEC", 60)},
				lifetime:  time.Minute, addrs: []string{"192.0.2.1"},
			},
		},
		"signed no such name": {
			do: true,
			reply: reply{
				rcode:     dns.RcodeNameError,
				authority: []string{nsec3, signature(hashed, "NSEC3"), signature("example.com.", "SOA"), soa},
			},
			want: kept{
				authority: []string{
					strings.Replace(soaKept, " 120 SOA", " 60 SOA", 1), keptSig("example.com.", "SOA", 60),
					hashed + " 60 NSEC3 1 0 0 - 0123456789ABCDEFGHIJKLMNOPQRSTUV A",
					keptSig(hashed, "NSEC3", 60),
				},
				lifetime: time.Minute,
			},
		},
		"a type that we do not know": {
			rtype: 65280,
			reply: reply{answer: []string{`www.example.com. 60 IN TYPE65280 \# 4 c00cc00c`}},
			want:  kept{answer: []string{`www.example.com. 60 CLASS1 TYPE65280 \# 4 c00cc00c`}, lifetime: time.Minute},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rtype := c.rtype
			if rtype == 0 {
				rtype = dns.TypeA
			}
			k := keyOf(question, rtype)
			k.DO = c.do
			e := mustKeep(t, k, message(t, question, rtype, c.reply), start)
			if int(e.Rcode()) != c.reply.rcode {
				t.Errorf("rcode %d", e.Rcode())
			}
			check(t, e, query(t, question, rtype, func(m *dns.Msg) { m.SetEdns0(1232, c.do) }), c.want)
		})
	}
}

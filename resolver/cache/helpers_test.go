package cache_test

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/cache"
	"cordon/resolver/wire"
)

var none = wire.EDE{Code: wire.EDENone}

// start is a moment for entries whose age a test sets itself.
var start = time.Date(2023, 3, 10, 12, 0, 0, 0, time.UTC)

func newCache(t testing.TB, maxBytes int64) *cache.Cache {
	t.Helper()
	c, err := cache.New(cache.Config{MaxBytes: maxBytes, Stale: cache.MaxStale})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wireName is a name in canonical wire form.
func wireName(name string) []byte {
	buf := make([]byte, wire.MaxName)
	n, err := dns.PackDomainName(strings.ToLower(name), buf, 0, nil, false)
	if err != nil {
		panic(err)
	}
	return buf[:n]
}

func keyOf(name string, rtype uint16) cache.Key {
	return cache.Key{Name: wireName(name), Type: rtype, Class: wire.ClassINET}
}

// reply is an upstream's answer in the words of zone files.
type reply struct {
	answer, authority, additional []string
	rcode                         int
	edit                          func(*dns.Msg)
}

func message(t testing.TB, name string, rtype uint16, r reply) []byte {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, rtype)
	m.Response, m.RecursionAvailable, m.Compress, m.Rcode = true, true, true, r.rcode
	m.Answer, m.Ns, m.Extra = records(t, r.answer), records(t, r.authority), records(t, r.additional)
	if r.edit != nil {
		r.edit(m)
	}
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func records(t testing.TB, lines []string) (rrs []dns.RR) {
	t.Helper()
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		rrs = append(rrs, rr)
	}
	return rrs
}

func mustKeep(t testing.TB, k cache.Key, msg []byte, now time.Time) *cache.Entry {
	t.Helper()
	e, err := cache.Keep(k, msg, now, false)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func withOPT(size uint16) func(*dns.Msg) {
	return func(m *dns.Msg) { m.SetEdns0(size, false) }
}

func query(t testing.TB, name string, rtype uint16, edit func(*dns.Msg)) *wire.Query {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, rtype)
	if edit != nil {
		edit(m)
	}
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	q := new(wire.Query)
	if p := q.Parse(msg); p != wire.None {
		t.Fatalf("query of the test has problem %d", p)
	}
	return q
}

// ask appends e's answer to q and reads it with another parser.
func ask(t testing.TB, e *cache.Entry, q *wire.Query, o cache.Options) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(e.Append(nil, q, o)); err != nil {
		t.Fatalf("the answer does not parse: %v", err)
	}
	return m
}

// lines are records as "name ttl type data", without the class.
func lines(rrs []dns.RR) []string {
	var out []string
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeOPT {
			continue
		}
		out = append(out, strings.Replace(strings.ReplaceAll(rr.String(), "\t", " "), " IN ", " ", 1))
	}
	return out
}

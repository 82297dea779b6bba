package cache_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cordon/resolver/cache"
	"cordon/resolver/wire"
)

// aliases is a chain of n steps from www.example.com. to an address.
func aliases(n int) []string {
	out, from := []string(nil), question
	for i := range n {
		to := fmt.Sprintf("a%d.example.com.", i)
		out, from = append(out, from+" 300 IN CNAME "+to), to
	}
	return append(out, from+" 300 IN A 192.0.2.1")
}

func addresses(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("www.example.com. 300 IN A 10.0.%d.%d", i/256, i%256))
	}
	return out
}

func TestKeepRefuses(t *testing.T) {
	hints := "www.example.com. 300 IN HTTPS 1 . ipv4hint=192.0.2.1" + strings.Repeat(",192.0.2.1", 256)
	long := strings.Repeat(strings.Repeat("a", 60)+".", 3)
	var strangers []string
	for i := range 256 {
		strangers = append(strangers, fmt.Sprintf("h%d.example.com. 300 IN A 192.0.2.1", i))
	}
	for name, c := range map[string]struct {
		rtype uint16
		reply reply
		want  error
	}{
		"other name":     {reply: reply{edit: func(m *dns.Msg) { m.Question[0].Name = "w.example.com." }}, want: cache.ErrQuestion},
		"other type":     {reply: reply{edit: func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }}, want: cache.ErrQuestion},
		"other class":    {reply: reply{edit: func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }}, want: cache.ErrQuestion},
		"truncated":      {reply: reply{edit: func(m *dns.Msg) { m.Truncated = true }}, want: cache.ErrTruncated},
		"referral":       {reply: reply{authority: []string{"example.com. 5 IN NS ns.example.com."}}, want: cache.ErrReferral},
		"13 aliases":     {reply: reply{answer: aliases(13)}, want: cache.ErrChain},
		"alias to self":  {reply: reply{answer: []string{"www.example.com. 3 IN CNAME www.example.com."}}, want: cache.ErrChain},
		"loop of two":    {reply: reply{answer: []string{"www.example.com. 3 IN CNAME a.", "a. 3 IN CNAME www.example.com."}}, want: cache.ErrChain},
		"growing DNAME":  {reply: reply{answer: []string{"example.com. 3 IN DNAME x.example.com."}}, want: cache.ErrChain},
		"DNAME too long": {reply: reply{answer: []string{"com. 3 IN DNAME " + long + long[:59] + "."}}, want: cache.ErrChain},
		"101 records":    {reply: reply{answer: addresses(101)}, want: cache.ErrTooLarge},
		"257 records":    {reply: reply{answer: append(addresses(1), strangers...)}, want: cache.ErrTooLarge},
		"257 authority":  {reply: reply{answer: addresses(1), authority: append(addresses(1), strangers...)}, want: cache.ErrTooLarge},
		"256 records":    {reply: reply{answer: append(addresses(1), strangers[1:]...)}},
		"257 hints":      {rtype: dns.TypeHTTPS, reply: reply{answer: []string{hints}}, want: cache.ErrTooLarge},
		"no such name, but data": {
			reply: reply{rcode: dns.RcodeNameError, answer: []string{"www.example.com. 300 IN A 192.0.2.1"}}, want: cache.ErrContradiction,
		},
		"12 aliases":  {reply: reply{answer: aliases(12)}},
		"100 records": {reply: reply{answer: addresses(100)}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.rtype == 0 {
				c.rtype = dns.TypeA
			}
			_, err := cache.Keep(keyOf(question, c.rtype), message(t, question, c.rtype, c.reply), start, false)
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

// A stream takes every answer that is kept, with the longest name and an OPT record.
func TestKeepRefusesMoreThanAStreamTakes(t *testing.T) {
	set := func(octets int) []byte {
		var lines []string
		for i := range 100 {
			lines = append(lines, fmt.Sprintf("%s 300 IN TYPE65280 \\# %d %s", question, octets, strings.Repeat(fmt.Sprintf("%02x", i), octets)))
		}
		return message(t, question, 65280, reply{answer: lines})
	}
	k := keyOf(question, 65280)
	if _, err := cache.Keep(k, set(640), start, false); err != nil {
		t.Error(err)
	}
	if _, err := cache.Keep(k, set(641), start, false); !errors.Is(err, cache.ErrTooLarge) {
		t.Error(err)
	}
}

func TestKeepRcodes(t *testing.T) {
	for _, rcode := range []int{dns.RcodeFormatError, dns.RcodeServerFailure, dns.RcodeNotImplemented, dns.RcodeRefused, dns.RcodeYXDomain, dns.RcodeBadVers} {
		msg := message(t, question, dns.TypeA, reply{rcode: rcode, edit: withOPT(1232)})
		_, err := cache.Keep(keyOf(question, dns.TypeA), msg, start, false)
		var got *cache.RcodeError
		if !errors.As(err, &got) || int(got.Rcode) != rcode {
			t.Errorf("rcode %d: %v", rcode, err)
		}
	}
	_, err := cache.Keep(keyOf(question, dns.TypeA), []byte("garbage"), start, false)
	if _, ok := errors.AsType[*wire.MalformedError](err); !ok {
		t.Errorf("garbage: %v", err)
	}
}

func TestKeepCopiesTheMessage(t *testing.T) {
	msg := message(t, question, dns.TypeA, reply{answer: chainOfThree})
	k := keyOf(question, dns.TypeA)
	e := mustKeep(t, k, msg, start)
	want := lines(ask(t, e, query(t, question, dns.TypeA, nil), cache.Options{Now: start, EDE: none}).Answer)
	clear(msg)
	clear(k.Name)
	mustKeep(t, keyOf("other.example.", dns.TypeA), message(t, "other.example.", dns.TypeA,
		reply{answer: []string{"other.example. 1 IN A 192.0.2.99"}}), start)
	got := lines(ask(t, e, query(t, question, dns.TypeA, nil), cache.Options{Now: start, EDE: none}).Answer)
	if len(got) != 5 || !slices.Equal(got, want) {
		t.Errorf("the entry changed with the message:\n%s", strings.Join(got, "\n"))
	}
	if !slices.Equal(e.Addrs(nil), []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}) {
		t.Errorf("addresses %v", e.Addrs(nil))
	}
	if got := e.Key(); string(got.Name) != string(wireName(question)) || got.Type != dns.TypeA || got.Class != dns.ClassINET {
		t.Errorf("key %+v", got)
	}
}

// What is stored should be no larger than what a good upstream sends.
func TestKeepCompresses(t *testing.T) {
	msg := message(t, question, dns.TypeA, reply{answer: chainOfThree})
	e := mustKeep(t, keyOf(question, dns.TypeA), msg, start)
	if got := len(e.Append(nil, query(t, question, dns.TypeA, nil), cache.Options{Now: start, EDE: none})); got > len(msg) {
		t.Errorf("the answer has %d octets, the upstream's %d", got, len(msg))
	}
}

// A compression pointer has 14 bits: names that stand further on are not pointed at.
func TestKeepPointsNoFurtherThanItCan(t *testing.T) {
	var text []string
	for i := range 100 {
		text = append(text, fmt.Sprintf(`www.example.com. 300 IN TXT "%d" "%s"`, i, strings.Repeat("x", 200)))
	}
	const wildcard = "z.example.net."
	k := keyOf(question, dns.TypeTXT)
	k.DO = true
	e := mustKeep(t, k, message(t, question, dns.TypeTXT, reply{
		answer: text, authority: []string{wildcard + " 300 IN NSEC a.example.net. A", signature(wildcard, "NSEC")},
	}), start)
	q := query(t, question, dns.TypeTXT, func(m *dns.Msg) { m.SetEdns0(1232, true) })
	q.Stream = true
	m := ask(t, e, q, cache.Options{Now: start, EDE: none})
	if len(m.Answer) != 100 || len(m.Ns) != 2 || m.Ns[0].Header().Name != wildcard || m.Ns[1].Header().Name != wildcard {
		t.Errorf("%d records, then %v", len(m.Answer), m.Ns)
	}
}

// RFC 3597, section 4: names in the data of types younger than RFC 1035 are sent in full.
func TestKeepWritesYoungNamesInFull(t *testing.T) {
	for line, wantLength := range map[string]int{
		"SRV 1 2 3 www.example.com.": 6 + 17, "MX 1 www.example.com.": 2 + 2, "DNAME www.example.com.": 17, "PTR www.example.com.": 2,
		"HTTPS 1 www.example.com.": 2 + 17, "RP www.example.com. .": 17 + 1, "KX 1 www.example.com.": 2 + 17,
	} {
		rtype := records(t, []string{question + " 300 IN " + line})[0].Header().Rrtype
		e := mustKeep(t, keyOf(question, rtype), message(t, question, rtype, reply{answer: []string{question + " 300 IN " + line}}), start)
		m, err := wire.ReadMessage(e.Append(nil, query(t, question, rtype, nil), cache.Options{Now: start, EDE: none}))
		if err != nil {
			t.Fatal(err)
		}
		for r := range m.Records() {
			if got := r.End - r.Data; got != wantLength {
				t.Errorf("%s: %d octets of data, want %d", line, got, wantLength)
			}
		}
	}
}

package main

import (
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// wireQuery is what the source makes for name.
func wireQuery(t *testing.T, name string, o *options) []byte {
	t.Helper()
	var q questions
	if err := q.append(name, o); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(q.next())
}

func TestQueriesAreQueries(t *testing.T) {
	for _, edns := range []bool{false, true} {
		query := wireQuery(t, "Www.example.net.", &options{qtype: dns.TypeAAAA, edns: edns})
		var m dns.Msg
		if err := m.Unpack(query); err != nil {
			t.Fatal(err)
		}
		want := dns.Question{Name: "Www.example.net.", Qtype: dns.TypeAAAA, Qclass: dns.ClassINET}
		if len(m.Question) != 1 || m.Question[0] != want || !m.RecursionDesired || (m.IsEdns0() != nil) != edns {
			t.Errorf("EDNS %v: found %v", edns, &m)
		}
		if edns && m.IsEdns0().UDPSize() != 1232 {
			t.Errorf("UDP size %d, want 1232", m.IsEdns0().UDPSize())
		}
	}
}

func TestCheck(t *testing.T) {
	o := &options{qtype: dns.TypeA, refusedRcode: dns.RcodeNameError}
	answer := func(edit func(m *dns.Msg)) []byte {
		m := new(dns.Msg).SetQuestion("www.example.net.", dns.TypeA)
		m.Response = true
		m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: "www.example.net.", Rrtype: dns.TypeA, Class: dns.ClassINET}, A: []byte{192, 0, 2, 1}}}
		edit(m)
		packed, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return packed
	}
	tests := []struct {
		name  string
		class class
		edit  func(m *dns.Msg)
		want  verdict
	}{
		{"a hit", hit, func(*dns.Msg) {}, right},
		{"a refusal", refused, func(m *dns.Msg) { m.Rcode, m.Answer = dns.RcodeNameError, nil }, right},
		{"a refusal that is none", refused, func(*dns.Msg) {}, rcode},
		{"a failure", hit, func(m *dns.Msg) { m.Rcode, m.Answer = dns.RcodeServerFailure, nil }, rcode},
		{"no data", miss, func(m *dns.Msg) { m.Answer = nil }, records},
		{"a chain that is too short", chain, func(*dns.Msg) {}, records},
		{"truncated", hit, func(m *dns.Msg) { m.Truncated = true }, truncated},
		{"another name", hit, func(m *dns.Msg) { m.Question[0].Name = "wwx.example.net." }, question},
		{"the same name spelled otherwise", hit, func(m *dns.Msg) { m.Question[0].Name = "WWW.example.net." }, question},
		{"another type", hit, func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }, question},
		{"no question", hit, func(m *dns.Msg) { m.Question = nil }, question},
		{"a query", hit, func(m *dns.Msg) { m.Response = false }, malformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, edns := range []bool{false, true} {
				query := wireQuery(t, "www.example.net", &options{qtype: o.qtype, edns: edns})
				if got := expectations(o)[test.class].check(query, answer(test.edit)); got != test.want {
					t.Errorf("EDNS %v: found %q, want %q", edns, verdictNames[got], verdictNames[test.want])
				}
			}
		})
	}
	if got := expectations(o)[hit].check(wireQuery(t, "www.example.net", o), make([]byte, 11)); got != malformed {
		t.Errorf("11 octets: found %q, want %q", verdictNames[got], verdictNames[malformed])
	}
}

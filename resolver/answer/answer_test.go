package answer_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cordon/resolver/answer"
	"cordon/resolver/wire"
)

// query is a parsed query for name and rtype, with OPT if edns.
func query(t testing.TB, name string, rtype uint16, edns bool) *wire.Query {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(name, rtype)
	if edns {
		m.SetEdns0(1232, true)
	}
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	q := new(wire.Query)
	if p := q.Parse(packed); p != wire.None {
		t.Fatalf("query for %s: problem %d", name, p)
	}
	return q
}

func unpack(t testing.TB, q *wire.Query, b []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil {
		t.Fatalf("unpack: %v", err)
	}
	if m.Id != q.ID || !m.Response || m.Authoritative || !m.RecursionAvailable || m.AuthenticatedData || m.Truncated {
		t.Errorf("header: %v", m.MsgHdr)
	}
	if opt := m.IsEdns0(); (opt != nil) != q.OPT {
		t.Errorf("OPT in answer: %v, in query: %v", opt != nil, q.OPT)
	}
	return m
}

func ede(m *dns.Msg) string {
	opt := m.IsEdns0()
	if opt == nil {
		return ""
	}
	for _, o := range opt.Option {
		if e, ok := o.(*dns.EDNS0_EDE); ok {
			return dns.ExtendedErrorCodeToString[e.InfoCode] + ": " + e.ExtraText
		}
	}
	return ""
}

func TestRefusalLooksAsItsModeSays(t *testing.T) {
	blocked := wire.EDE{Code: wire.EDEBlocked, Text: "policy example-ban"}
	tests := []struct {
		name  string
		mode  answer.Mode
		rtype uint16
		owner int
		rcode int
		want  string // the one record
	}{
		{"nxdomain at the listed suffix", answer.NXDomain, dns.TypeA, 4, dns.RcodeNameError, "example.com.\t30\tIN\tSOA\tlocalhost. nobody.invalid. 1 3600 1200 604800 30"},
		{"nxdomain for every type", answer.NXDomain, dns.TypeHTTPS, 4, dns.RcodeNameError, "example.com.\t30\tIN\tSOA\tlocalhost. nobody.invalid. 1 3600 1200 604800 30"},
		{"nodata at the question's name", answer.NoData, dns.TypeA, 4, dns.RcodeSuccess, "www.example.com.\t30\tIN\tSOA\tlocalhost. nobody.invalid. 1 3600 1200 604800 30"},
		{"refused", answer.Refused, dns.TypeA, 0, dns.RcodeRefused, ""},
		{"null address", answer.NullIP, dns.TypeA, 0, dns.RcodeSuccess, "www.example.com.\t30\tIN\tA\t0.0.0.0"},
		{"null IPv6 address", answer.NullIP, dns.TypeAAAA, 0, dns.RcodeSuccess, "www.example.com.\t30\tIN\tAAAA\t::"},
		{"null address, another type", answer.NullIP, dns.TypeTXT, 0, dns.RcodeSuccess, "www.example.com.\t30\tIN\tSOA\tlocalhost. nobody.invalid. 1 3600 1200 604800 30"},
	}
	for _, test := range tests {
		for _, edns := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				q := query(t, "wWw.example.com.", test.rtype, edns)
				m := unpack(t, q, answer.AppendRefusal(nil, q, answer.Refusal{Mode: test.mode, Owner: test.owner, TTL: 30, EDE: &blocked}))
				if m.Rcode != test.rcode {
					t.Errorf("rcode %s, want %s", dns.RcodeToString[m.Rcode], dns.RcodeToString[test.rcode])
				}
				if m.Question[0].Name != "wWw.example.com." {
					t.Errorf("question %q is not the client's", m.Question[0].Name)
				}
				var got strings.Builder
				for _, rr := range append(m.Answer, m.Ns...) {
					got.WriteString(strings.ReplaceAll(rr.String(), "wWw", "www"))
				}
				if got.String() != test.want {
					t.Errorf("records %q, want %q", got.String(), test.want)
				}
				if want := "Blocked: policy example-ban"; edns && ede(m) != want {
					t.Errorf("EDE %q, want %q", ede(m), want)
				}
			})
		}
	}
}

func TestWhatIsNoLookUpInTheTree(t *testing.T) {
	set := func(edit func(*dns.Msg)) *wire.Query {
		m := new(dns.Msg)
		m.SetQuestion("www.example.com.", dns.TypeA)
		edit(m)
		packed, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		q := new(wire.Query)
		q.Parse(packed)
		return q
	}
	tests := []struct {
		name  string
		edit  func(*dns.Msg)
		rcode int // -1: it is a look-up
		rr    string
	}{
		{"an address", func(*dns.Msg) {}, -1, ""},
		{"an unknown type", func(m *dns.Msg) { m.Question[0].Qtype = 65400 }, -1, ""},
		{"class CHAOS", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, dns.RcodeRefused, ""},
		{"class ANY", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassANY }, dns.RcodeRefused, ""},
		{"type ANY", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeANY }, dns.RcodeSuccess, "www.example.com.\t3600\tIN\tHINFO\t\"RFC8482\" \"\""},
		{"a zone transfer", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAXFR }, dns.RcodeRefused, ""},
		{"an incremental one", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeIXFR }, dns.RcodeRefused, ""},
		{"type OPT", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeOPT }, dns.RcodeFormatError, ""},
		{"type TSIG", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeTSIG }, dns.RcodeFormatError, ""},
		{"type MAILB", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeMAILB }, dns.RcodeNotImplemented, ""},
		{"no recursion wanted", func(m *dns.Msg) { m.RecursionDesired = false }, dns.RcodeRefused, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q := set(test.edit)
			b, meta := answer.AppendMeta(nil, q)
			if meta != (test.rcode >= 0) {
				t.Fatalf("answered here: %v", meta)
			}
			if !meta {
				return
			}
			m := unpack(t, q, b)
			var rr strings.Builder
			for _, r := range m.Answer {
				rr.WriteString(r.String())
			}
			if m.Rcode != test.rcode || rr.String() != test.rr {
				t.Errorf("%s %q, want %s %q", dns.RcodeToString[m.Rcode], rr.String(), dns.RcodeToString[test.rcode], test.rr)
			}
		})
	}
}

func TestErrorsRepeatWhatWasReadable(t *testing.T) {
	header := func(flags1, flags2 byte, counts ...byte) []byte {
		b := []byte{0xAB, 0xCD, flags1, flags2, 0, 0, 0, 0, 0, 0, 0, 0}
		for i, c := range counts {
			b[5+2*i] = c
		}
		return b
	}
	question := "\x01x\x07example\x00\x00\x01\x00\x01"
	tests := []struct {
		name  string
		msg   []byte
		rcode int
		qd    int
	}{
		{"an opcode", append(header(0x28, 0, 1), question...), dns.RcodeNotImplemented, 0},
		{"no question", header(1, 0), dns.RcodeFormatError, 0},
		{"two questions", append(header(1, 0, 2), question+question...), dns.RcodeFormatError, 0},
		{"a cut question", append(header(1, 0, 1), question[:6]...), dns.RcodeFormatError, 0},
		{"a compressed question", append(header(1, 0, 1), "\xc0\x0c\x00\x01\x00\x01"...), dns.RcodeFormatError, 0},
		{"octets behind the question", append(header(1, 0, 1), question+"!"...), dns.RcodeFormatError, 1},
		{"two OPT records", append(header(1, 0, 1, 0, 0, 2), question+"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"+
			"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"...), dns.RcodeFormatError, 1},
		{"EDNS version 1", append(header(1, 0, 1, 0, 0, 1), question+"\x00\x00\x29\x04\xd0\x00\x01\x00\x00\x00\x00"...), dns.RcodeBadVers, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q := new(wire.Query)
			if p := q.Parse(test.msg); p == wire.None || p == wire.Drop {
				t.Fatalf("problem %d", p)
			}
			m := unpack(t, q, answer.AppendProblem(nil, q))
			if m.Rcode != test.rcode || len(m.Question) != test.qd {
				t.Errorf("%s with %d questions, want %s with %d",
					dns.RcodeToString[m.Rcode], len(m.Question), dns.RcodeToString[test.rcode], test.qd)
			}
		})
	}
}

func TestWhatGetsNoAnswer(t *testing.T) {
	for _, msg := range [][]byte{nil, make([]byte, 11), {0, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0}} {
		if p := new(wire.Query).Parse(msg); p != wire.Drop {
			t.Errorf("%x: problem %d, want Drop", msg, p)
		}
	}
}

func TestLocalNames(t *testing.T) {
	all := answer.NewLocal(answer.LocalConfig{Firefox: true, ICloud: true})
	tests := []struct {
		name  string
		rtype uint16
		want  string // RCODE and records, "" for: asks upstream
	}{
		{"localhost.", dns.TypeA, "NOERROR 127.0.0.1"},
		{"db.localhost.", dns.TypeAAAA, "NOERROR ::1"},
		{"localhost.", dns.TypeMX, "NOERROR soa localhost."},
		{"localhost.example.", dns.TypeA, ""},
		{"example.invalid.", dns.TypeA, "NXDOMAIN soa invalid."},
		{"invalid.", dns.TypeA, "NXDOMAIN soa invalid."},
		{"a.b.test.", dns.TypeA, "NXDOMAIN soa test."},
		{"example.onion.", dns.TypeA, "NXDOMAIN soa onion."},
		{"printer.local.", dns.TypeA, "NXDOMAIN soa local."},
		{"example.alt.", dns.TypeA, "NXDOMAIN soa alt."},
		{"db.internal.", dns.TypeA, "NXDOMAIN soa internal."},
		{"home.arpa.", dns.TypeA, "NOERROR soa home.arpa."},
		{"tv.home.arpa.", dns.TypeA, "NXDOMAIN soa home.arpa."},
		{"arpa.", dns.TypeNS, ""},
		{"_dns.resolver.arpa.", dns.TypeSVCB, "NOERROR soa resolver.arpa."},
		{"resolver.arpa.", dns.TypeSVCB, "NOERROR soa resolver.arpa."},
		{"ipv4only.arpa.", dns.TypeA, "NOERROR 192.0.0.170 192.0.0.171"},
		{"ipv4only.arpa.", dns.TypeAAAA, "NOERROR soa ipv4only.arpa."},
		{"1.0.0.127.in-addr.arpa.", dns.TypePTR, "NOERROR localhost."},
		{"9.0.0.127.in-addr.arpa.", dns.TypePTR, "NXDOMAIN soa 127.in-addr.arpa."},
		{"1.2.3.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN soa 10.in-addr.arpa."},
		{"1.2.31.172.in-addr.arpa.", dns.TypePTR, "NXDOMAIN soa 31.172.in-addr.arpa."},
		{"1.2.32.172.in-addr.arpa.", dns.TypePTR, ""},
		{"1.2.64.100.in-addr.arpa.", dns.TypePTR, "NXDOMAIN soa 64.100.in-addr.arpa."},
		{"1.8.8.8.in-addr.arpa.", dns.TypePTR, ""},
		{"1." + strings.Repeat("0.", 31) + "ip6.arpa.", dns.TypePTR, "NOERROR localhost."},
		{"1.0.0.0.d.f.ip6.arpa.", dns.TypePTR, "NXDOMAIN soa d.f.ip6.arpa."},
		{"use-application-dns.net.", dns.TypeA, "NXDOMAIN soa use-application-dns.net."},
		{"www.use-application-dns.net.", dns.TypeA, ""},
		{"mask.icloud.com.", dns.TypeA, "NXDOMAIN soa mask.icloud.com."},
		{"mask-h2.icloud.com.", dns.TypeAAAA, "NXDOMAIN soa mask-h2.icloud.com."},
		{"www.icloud.com.", dns.TypeA, ""},
		{".", dns.TypeNS, ""},
	}
	for _, test := range tests {
		t.Run(test.name+dns.TypeToString[test.rtype], func(t *testing.T) {
			q := query(t, test.name, test.rtype, true)
			b, here := all.Append(nil, q)
			if got := outcome(t, q, b, here); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func outcome(t *testing.T, q *wire.Query, b []byte, here bool) string {
	t.Helper()
	if !here {
		return ""
	}
	m := unpack(t, q, b)
	var got strings.Builder
	got.WriteString(dns.RcodeToString[m.Rcode])
	for _, rr := range append(m.Answer, m.Ns...) {
		switch rr := rr.(type) {
		case *dns.A:
			got.WriteString(" " + rr.A.String())
		case *dns.AAAA:
			got.WriteString(" " + rr.AAAA.String())
		case *dns.PTR:
			got.WriteString(" " + rr.Ptr)
		case *dns.SOA:
			got.WriteString(" soa " + rr.Hdr.Name)
		}
	}
	return got.String()
}

func TestLocalZonesGiveWayToForwardZones(t *testing.T) {
	some := answer.NewLocal(answer.LocalConfig{Forwarded: [][]byte{
		[]byte("\x04corp\x08internal\x00"),            // below one of ours
		[]byte("\x0210\x07in-addr\x04arpa\x00"),       // at one of ours
		[]byte("\x04home\x07in-addr\x04arpa\x00"),     // beside ours
		[]byte("\x04arpa\x00"), []byte("\x03com\x00"), // above some of ours
	}})
	for name, want := range map[string]string{
		"db.corp.internal.": "", "corp.internal.": "",
		"internal.": "NOERROR soa internal.", "db.internal.": "NXDOMAIN soa internal.",
		"1.0.0.10.in-addr.arpa.": "", "1.1.168.192.in-addr.arpa.": "NXDOMAIN soa 168.192.in-addr.arpa.",
		"8.in-addr.arpa.": "", "a.invalid.": "NXDOMAIN soa invalid.",
		"use-application-dns.net.": "", "mask.icloud.com.": "", // switched off
	} {
		q := query(t, name, dns.TypeA, true)
		b, here := some.Append(nil, q)
		if got := outcome(t, q, b, here); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

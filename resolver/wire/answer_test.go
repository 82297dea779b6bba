package wire_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cordon/resolver/wire"
)

func parse(t testing.TB, m *dns.Msg) *wire.Query {
	t.Helper()
	q := new(wire.Query)
	if p := q.Parse(pack(t, m)); p == wire.Drop {
		t.Fatal("the test's query is dropped")
	}
	return q
}

// answer writes n records of TXT with 100 octets of data into the answer section.
func answer(t testing.TB, q *wire.Query, n int, ede wire.EDE) *dns.Msg {
	t.Helper()
	before := []byte("before")
	dst := wire.Begin(before, q, wire.Success, wire.FlagAA)
	owner, data := []byte{0xC0, wire.HeaderLen}, append([]byte{99}, strings.Repeat("x", 99)...)
	for range n {
		dst = wire.AppendRR(dst, owner, wire.TypeTXT, wire.ClassINET, 30, data)
	}
	dst = wire.Finish(dst, len(before), q, wire.Success, wire.Sections{Answer: uint16(n)}, &ede)
	if string(dst[:len(before)]) != "before" {
		t.Fatalf("what stood before the answer changed: %q", dst[:len(before)])
	}
	if got := len(dst) - len(before); got > q.Limit() {
		t.Fatalf("%d octets, the client takes %d", got, q.Limit())
	}
	m := new(dns.Msg)
	if err := m.Unpack(dst[len(before):]); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAnswer(t *testing.T) {
	const name = "wWw.example.com."
	blocked := wire.EDE{Code: wire.EDEBlocked, Text: "policy tiktok"}
	long := wire.EDE{Code: wire.EDEBlocked, Text: strings.Repeat("x", 300)}
	parts := wire.EDE{Code: wire.EDEBlocked, Lead: "lead, ", Text: strings.Repeat("x", 294), Short: "short"}
	for _, c := range []struct {
		name     string
		edit     func(*dns.Msg)
		stream   bool
		records  int
		ede      wire.EDE
		wantTC   bool
		wantN    int
		wantEDE  bool
		wantText string
	}{
		{name: "no OPT", records: 1, ede: blocked, wantN: 1},
		{name: "OPT without EDE", edit: withOPT(1232, true), records: 1, ede: none, wantN: 1},
		{name: "EDE", edit: withOPT(1232, false), records: 1, ede: blocked, wantN: 1, wantEDE: true, wantText: "policy tiktok"},
		{name: "512 without OPT", records: 5, ede: none, wantTC: true},
		{name: "text goes before records", edit: withOPT(512, false), records: 3, ede: long, wantN: 3, wantEDE: true},
		{name: "text of two parts", edit: withOPT(1232, false), ede: parts, wantEDE: true, wantText: parts.Lead + parts.Text},
		{
			name: "text that just fits", edit: withOPT(686, false), records: 3, ede: parts,
			wantN: 3, wantEDE: true, wantText: parts.Lead + parts.Text,
		},
		{name: "short text where the long one does not fit", edit: withOPT(685, false), records: 3, ede: parts, wantN: 3, wantEDE: true, wantText: "short"},
		{name: "no text where the short one does not fit either", edit: withOPT(614, false), records: 5, ede: parts, wantN: 5, wantEDE: true},
		{name: "EDE goes before records", edit: withOPT(606, false), records: 5, ede: long, wantN: 5},
		{name: "UDP size below 512 counts as 512", edit: withOPT(1, false), records: 4, ede: none, wantN: 4},
		{name: "UDP size above 1232 counts as 1232", edit: withOPT(65000, false), records: 11, ede: none, wantTC: true},
		{name: "EDE beside TC", edit: withOPT(512, false), records: 5, ede: blocked, wantTC: true, wantEDE: true, wantText: "policy tiktok"},
		{name: "stream", stream: true, records: 100, ede: none, wantN: 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			edit := c.edit
			if edit == nil {
				edit = func(*dns.Msg) {}
			}
			q := parse(t, question(name, dns.TypeTXT, edit))
			q.Stream = c.stream
			m := answer(t, q, c.records, c.ede)
			if m.Truncated != c.wantTC || len(m.Answer) != c.wantN {
				t.Errorf("TC %t with %d records, want %t with %d", m.Truncated, len(m.Answer), c.wantTC, c.wantN)
			}
			if m.Question[0].Name != name || m.Id != q.ID || !m.Response || !m.RecursionAvailable || !m.RecursionDesired || !m.Authoritative {
				t.Errorf("header or question: %s", m)
			}
			checkOPT(t, m, q, c.wantEDE, c.wantText)
		})
	}
}

func checkOPT(t *testing.T, m *dns.Msg, q *wire.Query, wantEDE bool, wantText string) {
	t.Helper()
	o := m.IsEdns0()
	if (o != nil) != q.OPT {
		t.Fatalf("OPT %v, the query has it: %t", o, q.OPT)
	}
	if o == nil {
		return
	}
	if o.UDPSize() != wire.MaxUDP || o.Do() != q.DO {
		t.Errorf("OPT %s", o)
	}
	if !wantEDE {
		if len(o.Option) != 0 {
			t.Errorf("options %v, want none", o.Option)
		}
		return
	}
	if len(o.Option) != 1 {
		t.Fatalf("options %v, want one EDE", o.Option)
	}
	if ede, ok := o.Option[0].(*dns.EDNS0_EDE); !ok || ede.InfoCode != uint16(wire.EDEBlocked) || ede.ExtraText != wantText {
		t.Errorf("EDE %v, want text %q", o.Option[0], wantText)
	}
}

func TestTruncatedWithoutOPTHasNoAdditional(t *testing.T) {
	q := parse(t, question("www.example.com.", dns.TypeTXT))
	dst := wire.Begin(nil, q, wire.Success, 0)
	for range 6 {
		dst = wire.AppendRR(dst, []byte{0xC0, wire.HeaderLen}, wire.TypeTXT, wire.ClassINET, 30, make([]byte, 100))
	}
	dst = wire.Finish(dst, 0, q, wire.Success, wire.Sections{Additional: 6}, &none)
	if dst[2]&2 == 0 || dst[11] != 0 {
		t.Errorf("header % x: want TC and no additional record", dst[:wire.HeaderLen])
	}
}

func TestHighRcode(t *testing.T) {
	q := parse(t, question("www.example.com.", dns.TypeA, withOPT(1232, false), func(m *dns.Msg) { m.IsEdns0().SetVersion(3) }))
	if q.Problem != wire.BadVersion {
		t.Fatalf("problem %d", q.Problem)
	}
	m := new(dns.Msg)
	if err := m.Unpack(wire.Finish(wire.Begin(nil, q, wire.BadVers, 0), 0, q, wire.BadVers, wire.Sections{}, &none)); err != nil {
		t.Fatal(err)
	}
	if m.Rcode != dns.RcodeBadVers || m.IsEdns0().Version() != 0 {
		t.Errorf("rcode %d, version %d", m.Rcode, m.IsEdns0().Version())
	}
}

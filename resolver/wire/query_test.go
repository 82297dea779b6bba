package wire_test

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cordon/resolver/wire"
)

// header of a query with RD, one question and the given counts of the other sections.
func header(answer, authority, additional int) []byte {
	return []byte{0x12, 0x34, 1, 0, 0, 1, 0, byte(answer), 0, byte(authority), 0, byte(additional)}
}

const (
	wwwA = "\x03wWw\x07exAmple\x03com\x00\x00\x01\x00\x01"
	opt  = "\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00"
)

func TestParse(t *testing.T) {
	label := func(n int) string { return string(rune(n)) + strings.Repeat("a", n) }
	longest := label(63) + label(63) + label(63) + label(61) // and the root: 255 octets
	for name, c := range map[string]struct {
		msg  []byte
		want wire.Problem
	}{
		"plain":                   {join(header(0, 0, 0), wwwA), wire.None},
		"with OPT":                {join(header(0, 0, 1), wwwA, opt), wire.None},
		"name of 255 octets":      {join(header(0, 0, 0), longest, "\x00\x00\x01\x00\x01"), wire.None},
		"records before the OPT":  {join(header(1, 1, 1), wwwA, strings.Repeat("\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00", 2), opt), wire.None},
		"nothing":                 {nil, wire.Drop},
		"eleven octets":           {header(0, 0, 0)[:11], wire.Drop},
		"response":                {join("\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00", wwwA), wire.Drop},
		"opcode NOTIFY":           {join("\x12\x34\x20\x00\x00\x01\x00\x00\x00\x00\x00\x00", wwwA), wire.NotImplemented},
		"opcode 15, no question":  {join("\x12\x34\x78\x00\x00\x00\x00\x00\x00\x00\x00\x00"), wire.NotImplemented},
		"no question":             {join("\x12\x34\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), wire.FormatError},
		"two questions":           {join("\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00", wwwA, wwwA), wire.FormatError},
		"name cut":                {join(header(0, 0, 0), "\x03ww"), wire.FormatError},
		"name without root":       {join(header(0, 0, 0), "\x03www"), wire.FormatError},
		"class cut":               {join(header(0, 0, 0), wwwA[:len(wwwA)-1]), wire.FormatError},
		"pointer in the question": {join(header(0, 0, 0), "\xc0\x0c\x00\x01\x00\x01"), wire.FormatError},
		"label of 64 octets":      {join(header(0, 0, 0), label(64), "\x00\x00\x01\x00\x01"), wire.FormatError},
		"name of 256 octets":      {join(header(0, 0, 0), label(1), label(63), label(63), label(63), label(60), "\x00\x00\x01\x00\x01"), wire.FormatError},
		"octets behind":           {join(header(0, 0, 0), wwwA, 0), wire.FormatError},
		"count without record":    {join(header(0, 0, 1), wwwA), wire.FormatError},
		"two OPT":                 {join(header(0, 0, 2), wwwA, opt, opt), wire.FormatError},
		"OPT in authority":        {join(header(0, 1, 0), wwwA, opt), wire.FormatError},
		"OPT with an owner":       {join(header(0, 0, 1), wwwA, "\xc0\x0c", opt[1:]), wire.FormatError},
		"OPT data cut":            {join(header(0, 0, 1), wwwA, opt[:len(opt)-1], 4, 0, 10), wire.FormatError},
		"OPT option cut":          {join(header(0, 0, 1), wwwA, opt[:len(opt)-1], 5, 0, 10, 0, 2, 0), wire.FormatError},
		"OPT with options":        {join(header(0, 0, 1), wwwA, opt[:len(opt)-1], 6, 0, 10, 0, 2, 0, 0), wire.None},
		"EDNS version 1":          {join(header(0, 0, 1), wwwA, opt[:6], 1, opt[7:]), wire.BadVersion},
		"EDNS version 1, options of its own": {
			join(header(0, 0, 1), wwwA, opt[:6], 1, opt[7:len(opt)-1], 1, 0xFF), wire.BadVersion,
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := new(wire.Query)
			if got := q.Parse(c.msg); got != c.want || q.Problem != c.want {
				t.Errorf("problem %d, want %d", got, c.want)
			}
		})
	}
}

func TestParseFillsIn(t *testing.T) {
	q := new(wire.Query)
	q.Parse(join(header(0, 0, 1), wwwA, opt))
	if string(q.Name) != "\x03www\x07example\x03com\x00" || q.Type != wire.TypeA || q.Class != wire.ClassINET {
		t.Errorf("question %q %d %d", q.Name, q.Type, q.Class)
	}
	if q.ID != 0x1234 || !q.RD() || q.AD() || q.CD() || !q.OPT || !q.DO || q.UDPSize != 1232 {
		t.Errorf("id %x flags %x OPT %t DO %t size %d", q.ID, q.Flags, q.OPT, q.DO, q.UDPSize)
	}
	if string(q.RawQuestion()) != wwwA {
		t.Errorf("raw question %q", q.RawQuestion())
	}
	if q.Parse([]byte{1, 2, 3}); q.ID != 0 || q.Flags != 0 || q.Name != nil || q.OPT || q.DO || q.RawQuestion() != nil {
		t.Errorf("a dropped query kept something of the one before: %+v", q)
	}
}

// An error without OPT would say that this server knows no EDNS.
func TestOPTIsFoundInWhatAsksNoOneQuestion(t *testing.T) {
	status, update := "\x12\x34\x10\x00", "\x12\x34\x28\x00"
	for name, c := range map[string]struct {
		msg  []byte
		want bool
	}{
		"another opcode":              {join(status, "\x00\x01\x00\x00\x00\x00\x00\x01", wwwA, opt), true},
		"another opcode with more":    {join(update, "\x00\x01\x00\x00\x00\x01\x00\x01", wwwA, wwwA, "\x00\x00\x00\x00\x00\x00", opt), true},
		"another opcode, no question": {join(status, "\x00\x00\x00\x00\x00\x00\x00\x01", opt), true},
		"no question":                 {join("\x12\x34\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01", opt), true},
		"two questions":               {join("\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x01", wwwA, wwwA, opt), true},
		"two questions without OPT":   {join("\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00", wwwA, wwwA), false},
		"another form":                {join(status, "\xff\xff\xff\xff\xff\xff\xff\xff", wwwA, opt), false},
	} {
		t.Run(name, func(t *testing.T) {
			q := new(wire.Query)
			if q.Parse(c.msg); q.OPT != c.want || q.RawQuestion() != nil || q.Name != nil {
				t.Errorf("problem %d, OPT %t, name %q; want OPT %t and no name", q.Problem, q.OPT, q.Name, c.want)
			}
			checkAnswerable(t, q)
		})
	}
}

func TestCloneSharesNothing(t *testing.T) {
	msg := join(header(0, 0, 1), wwwA, opt)
	q := &wire.Query{Client: netip.MustParseAddrPort("192.0.2.7:53")}
	q.Parse(msg)
	c := q.Clone()
	clear(msg)
	q.Parse(join(header(0, 0, 0), "\x01x\x00\x00\x10\x00\x03"))
	if string(c.Name) != "\x03www\x07example\x03com\x00" || string(c.RawQuestion()) != wwwA || c.ID != 0x1234 || !c.DO {
		t.Errorf("the clone changed: %q %q", c.Name, c.RawQuestion())
	}
	if c.Client != q.Client {
		t.Errorf("client %s", c.Client)
	}
	short := new(wire.Query)
	short.Parse([]byte{1})
	if c := short.Clone(); c.Problem != wire.Drop || c.Name != nil {
		t.Errorf("clone of a dropped query: %+v", c)
	}
}

func TestSignalsAreOptionsWithoutData(t *testing.T) {
	options := func(all ...dns.EDNS0) func(*dns.Msg) {
		return func(m *dns.Msg) { m.IsEdns0().Option = all }
	}
	empty := func(code uint16) dns.EDNS0 { return &dns.EDNS0_LOCAL{Code: code} }
	many := make([]dns.EDNS0, 8)
	for i := range many {
		many[i] = empty(uint16(65100 + i))
	}
	for name, c := range map[string]struct {
		options []dns.EDNS0
		want    bool
	}{
		"none":              {nil, false},
		"the one":           {[]dns.EDNS0{empty(65001)}, true},
		"with data":         {[]dns.EDNS0{&dns.EDNS0_LOCAL{Code: 65001, Data: []byte{0}}}, false},
		"another":           {[]dns.EDNS0{empty(65002)}, false},
		"behind another":    {[]dns.EDNS0{&dns.EDNS0_LOCAL{Code: 10, Data: make([]byte, 8)}, empty(3), empty(65001)}, true},
		"with and without":  {[]dns.EDNS0{&dns.EDNS0_LOCAL{Code: 65001, Data: []byte{0}}, empty(65001)}, true},
		"the eighth":        {append(many[:7:7], empty(65001)), true},
		"behind eight more": {append(many[:8:8], empty(65001)), false},
	} {
		t.Run(name, func(t *testing.T) {
			q := parse(t, question("www.example.com.", dns.TypeA, withOPT(1232, false), options(c.options...)))
			clone := q.Clone()
			if q.Problem != wire.None || q.Signals(65001) != c.want || clone.Signals(65001) != c.want {
				t.Errorf("problem %d, signals %t, its clone %t; want %t", q.Problem, q.Signals(65001), clone.Signals(65001), c.want)
			}
			if q.Parse(join(header(0, 0, 1), wwwA, opt)); q.Signals(65001) {
				t.Error("the next query has the signals of the one before")
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(join(header(0, 0, 0), wwwA))
	f.Add(join(header(0, 0, 1), wwwA, opt))
	f.Add(join(header(1, 0, 1), wwwA, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0\x00\x02\x01", opt))
	f.Add(pack(f, question("a\\.b\\000c.example.", dns.TypeHTTPS, withOPT(4096, true))))
	f.Add(join(header(0, 0, 1), wwwA, opt[:len(opt)-1], 13, "\xfd\xe9\x00\x00\x00\x0a\x00\x01\x00\xfd\xea\x00\x00"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		q := new(wire.Query)
		problem := q.Parse(msg)
		checkAnswerable(t, q)
		if problem != wire.None {
			return
		}
		m := new(dns.Msg)
		if name, _, err := dns.UnpackDomainName(msg, wire.HeaderLen); err != nil || strings.ToLower(name) != text(t, q.Name) {
			t.Fatalf("name %q, the oracle has %q: %v", q.Name, name, err)
		}
		if err := m.Unpack(msg); err != nil {
			return // the oracle looks into the data of records that are nothing to us
		}
		compareQuery(t, q, m)
	})
}

// checkAnswerable writes an answer to q, whatever its problem, and reads it by the oracle.
func checkAnswerable(t *testing.T, q *wire.Query) {
	t.Helper()
	if q.Problem == wire.Drop {
		return
	}
	answer := wire.Finish(wire.Begin(nil, q, wire.ServFail, 0), 0, q, wire.ServFail, wire.Sections{}, &none)
	m := new(dns.Msg)
	if err := m.Unpack(answer); err != nil {
		t.Fatalf("answer % x: %v", answer, err)
	}
	if m.Id != q.ID || !m.Response || (m.IsEdns0() != nil) != q.OPT {
		t.Fatalf("answer %s to %+v", m, q)
	}
	if raw := q.RawQuestion(); raw != nil && !bytes.Contains(answer, raw) {
		t.Fatal("the answer does not repeat the question")
	}
}

func compareQuery(t *testing.T, q *wire.Query, m *dns.Msg) {
	t.Helper()
	if m.Id != q.ID || m.RecursionDesired != q.RD() || m.AuthenticatedData != q.AD() || m.CheckingDisabled != q.CD() {
		t.Fatalf("header %+v, the oracle has %+v", q, m.MsgHdr)
	}
	if len(m.Question) != 1 || m.Question[0].Qtype != q.Type || m.Question[0].Qclass != q.Class {
		t.Fatalf("question %d %d, the oracle has %v", q.Type, q.Class, m.Question)
	}
	o := m.IsEdns0()
	if (o != nil) != q.OPT || o != nil && (o.Do() != q.DO || o.UDPSize() != q.UDPSize || o.Version() != 0) {
		t.Fatalf("OPT %t %t %d, the oracle has %v", q.OPT, q.DO, q.UDPSize, o)
	}
	if o != nil {
		compareSignals(t, q, o)
	}
}

// compareSignals looks at queries whose options are all such that the oracle leaves them as they are.
func compareSignals(t *testing.T, q *wire.Query, o *dns.OPT) {
	t.Helper()
	var empty []uint16
	for _, option := range o.Option {
		local, ok := option.(*dns.EDNS0_LOCAL)
		if !ok {
			return
		}
		if len(local.Data) == 0 && len(empty) < 8 {
			empty = append(empty, local.Code)
		}
	}
	for _, option := range o.Option {
		if code := option.Option(); q.Signals(code) != slices.Contains(empty, code) {
			t.Fatalf("signals %d: %t, the oracle has %v", code, q.Signals(code), o)
		}
	}
}

func TestParseLowersEveryOctet(t *testing.T) {
	for c := range 256 {
		for place := range 20 { // in whole words and behind them
			label := bytes.Repeat([]byte{byte(c)}, 20)
			label[place] = byte(c + 1) // no carry from its neighbours
			msg := append(make([]byte, 12), 20)
			msg = append(append(msg, label...), 0, 0, 1, 0, 1)
			msg[5] = 1
			var q wire.Query
			if q.Parse(msg) != wire.None {
				t.Fatalf("%x does not parse", msg)
			}
			want := append([]byte{20}, label...)
			for i, c := range want {
				if 'A' <= c && c <= 'Z' {
					want[i] = c + 'a' - 'A'
				}
			}
			if got := q.Name[:21]; !bytes.Equal(got, want) {
				t.Fatalf("%x is %x in lower case, want %x", label, got, want)
			}
		}
	}
}

// A copy that is made again has nothing of the query before.
func TestCloneTo(t *testing.T) {
	var long, short, c wire.Query
	msg := join(header(0, 0, 1), wwwA, opt)
	long.Parse(msg)
	short.Parse(join(header(0, 0, 0), "\x01x\x00\x00\x10\x00\x03"))
	for range 2 {
		for _, q := range []*wire.Query{&long, &short, {}} {
			q.CloneTo(&c)
			if !bytes.Equal(c.Name, q.Name) || !bytes.Equal(c.RawQuestion(), q.RawQuestion()) || c.ID != q.ID || (c.Name == nil) != (q.Name == nil) {
				t.Errorf("got %q %d, want %q %d", c.Name, c.ID, q.Name, q.ID)
			}
		}
	}
	long.CloneTo(&c)
	if n := testing.AllocsPerRun(100, func() { long.CloneTo(&c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	clear(msg)
	if string(c.Name) != "\x03www\x07example\x03com\x00" || string(c.RawQuestion()) != wwwA {
		t.Errorf("the copy changed: %q %q", c.Name, c.RawQuestion())
	}
}

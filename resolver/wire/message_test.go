package wire_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/wire"
)

// reply is a response with one question and records as octets behind it.
func reply(answer, authority, additional int, records ...any) []byte {
	h := header(answer, authority, additional)
	h[2] |= 0x80
	return join(h, wwwA, join(records...))
}

// rr is a record of class IN with a pointer to the question for an owner.
func rr(rtype int, data ...any) []byte { return owned("\xc0\x0c", rtype, data...) }

func owned(owner string, rtype int, data ...any) []byte {
	d := join(data...)
	return join(owner, rtype>>8, rtype, 0, 1, 0, 0, 0, 60, len(d)>>8, len(d), d)
}

const atRecords = wire.HeaderLen + len(wwwA) // where the first record begins

func TestReadMessageTakes(t *testing.T) {
	for name, msg := range map[string][]byte{
		"no record":              reply(0, 0, 0),
		"A":                      reply(1, 0, 0, rr(wire.TypeA, 192, 0, 2, 1)),
		"AAAA":                   reply(1, 0, 0, rr(wire.TypeAAAA, make([]byte, 16))),
		"CNAME by pointer":       reply(1, 0, 0, rr(wire.TypeCNAME, "\x01a\xc0\x10")),
		"SOA":                    reply(0, 1, 0, rr(wire.TypeSOA, "\xc0\x10\x01r\xc0\x0c", make([]byte, 20))),
		"MX":                     reply(1, 0, 0, rr(wire.TypeMX, 0, 1, "\xc0\x0c")),
		"SRV":                    reply(1, 0, 0, rr(wire.TypeSRV, make([]byte, 6), "\xc0\x0c")),
		"NAPTR":                  reply(1, 0, 0, rr(35, make([]byte, 4), "\x01s\x00\x02xx", "\x00")),
		"TXT":                    reply(1, 0, 0, rr(wire.TypeTXT, "\x00\x02ab")),
		"HTTPS with hints":       reply(1, 0, 0, rr(wire.TypeHTTPS, 0, 1, 0, "\x00\x04\x00\x04\xc0\x00\x02\x01\x00\x06\x00\x10", make([]byte, 16))),
		"RRSIG":                  reply(1, 0, 0, rr(wire.TypeRRSIG, make([]byte, 18), "\x03com\x00", "signature")),
		"NSEC":                   reply(0, 1, 0, rr(wire.TypeNSEC, "\x03com\x00", "\x00\x01\x40")),
		"NSEC3":                  reply(0, 1, 0, rr(wire.TypeNSEC3, make([]byte, 4), "\x00\x02hh", "\x00\x01\x40")),
		"unknown type, any data": reply(1, 0, 0, rr(65280, "\xff\xff")),
		"unknown type, no data":  reply(1, 0, 0, rr(65280)),
		"OPT":                    reply(0, 0, 1, opt),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := wire.ReadMessage(msg); err != nil {
				t.Error(err)
			}
			if err := new(dns.Msg).Unpack(msg); err != nil {
				t.Errorf("the test is wrong, says the oracle: %v", err)
			}
		})
	}
}

func TestReadMessageRefuses(t *testing.T) {
	owner := "\x3f" + strings.Repeat("a", 63)
	for name, c := range map[string]struct {
		msg []byte
		at  int
	}{
		"nothing":                    {nil, 0},
		"too long":                   {make([]byte, 65536), 65536},
		"a query":                    {join(header(0, 0, 0), wwwA), 2},
		"another opcode":             {join("\x12\x34\xa8\x00\x00\x01\x00\x00\x00\x00\x00\x00", wwwA), 2},
		"no question":                {join("\x12\x34\x81\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 4},
		"two questions":              {join("\x12\x34\x81\x00\x00\x02\x00\x00\x00\x00\x00\x00", wwwA, wwwA), 4},
		"question cut":               {reply(0, 0, 0)[:atRecords-1], wire.HeaderLen},
		"question is a pointer":      {join("\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00", "\xc0\x0c\x00\x01\x00\x01"), wire.HeaderLen},
		"fewer records than counted": {reply(2, 0, 0, rr(wire.TypeA, 192, 0, 2, 1)), atRecords + 16},
		"more records than counted":  {reply(0, 0, 0, rr(wire.TypeA, 192, 0, 2, 1)), atRecords},
		"RDLENGTH beyond the end":    {reply(1, 0, 0, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x05\xc0\x00\x02\x01"), atRecords},
		"owner points at itself":     {reply(1, 0, 0, owned("\xc0"+string(rune(atRecords)), wire.TypeA, 192, 0, 2, 1)), atRecords},
		"owner points forward":       {reply(1, 0, 0, owned("\xc0\x40", wire.TypeA, 192, 0, 2, 1)), atRecords},
		"owner points to a name ahead": {
			reply(2, 0, 0, owned("\xc0"+string(rune(atRecords+16)), wire.TypeA, 192, 0, 2, 1), owned("\x01b\x00", wire.TypeA, 192, 0, 2, 1)), atRecords,
		},
		"owner points into the header":  {reply(1, 0, 0, owned("\xc0\x0b", wire.TypeA, 192, 0, 2, 1)), atRecords},
		"owner loops over two pointers": {reply(1, 0, 0, owned("\x01a\xc0"+string(rune(atRecords)), wire.TypeA, 192, 0, 2, 1)), atRecords},
		"owner of 64 octets a label":    {reply(1, 0, 0, owned("\x40"+strings.Repeat("a", 64)+"\x00", wire.TypeA, 192, 0, 2, 1)), atRecords},
		"owner of more than 255 octets": {reply(1, 0, 0, owned(strings.Repeat(owner, 4)+"\x00", wire.TypeA, 192, 0, 2, 1)), atRecords},
		"owner too long by its pointer": {reply(1, 0, 0, owned(strings.Repeat(owner, 3)+"\x2e"+strings.Repeat("a", 46)+"\xc0\x0c", wire.TypeA, 192, 0, 2, 1)), atRecords},
		"A of 3 octets":                 {reply(1, 0, 0, rr(wire.TypeA, 192, 0, 2)), atRecords + 12},
		"A of 5 octets":                 {reply(1, 0, 0, rr(wire.TypeA, 192, 0, 2, 1, 1)), atRecords + 12},
		"A of none":                     {reply(1, 0, 0, rr(wire.TypeA)), atRecords + 12},
		"AAAA of 4 octets":              {reply(1, 0, 0, rr(wire.TypeAAAA, 192, 0, 2, 1)), atRecords + 12},
		"CNAME of none":                 {reply(1, 0, 0, rr(wire.TypeCNAME)), atRecords + 12},
		"CNAME with octets behind":      {reply(1, 0, 0, rr(wire.TypeCNAME, "\xc0\x0c\x00")), atRecords + 12},
		"CNAME runs into what follows":  {reply(2, 0, 0, rr(wire.TypeCNAME, "\x03ab"), owned("\x00", wire.TypeTXT, "\x00")), atRecords + 12},
		"CNAME ends in what follows":    {reply(2, 0, 0, rr(wire.TypeCNAME, "\x02ab"), owned("\x00", wire.TypeTXT, "\x00")), atRecords + 12},
		"CNAME points at itself":        {reply(1, 0, 0, rr(wire.TypeCNAME, "\xc0"+string(rune(atRecords+12)))), atRecords + 12},
		"SOA without timers":            {reply(1, 0, 0, rr(wire.TypeSOA, "\x00\x00")), atRecords + 12},
		"MX without a name":             {reply(1, 0, 0, rr(wire.TypeMX, 0, 1)), atRecords + 12},
		"SRV cut in its numbers":        {reply(1, 0, 0, rr(wire.TypeSRV, 0, 1)), atRecords + 12},
		"NAPTR string beyond the end":   {reply(1, 0, 0, rr(35, make([]byte, 4), "\xff\x00\x00\x00")), atRecords + 12},
		"TXT of none":                   {reply(1, 0, 0, rr(wire.TypeTXT)), atRecords + 12},
		"TXT beyond the end":            {reply(1, 0, 0, rr(wire.TypeTXT, "\x05abc")), atRecords + 12},
		"HINFO of one string":           {reply(1, 0, 0, rr(wire.TypeHINFO, "\x01a")), atRecords + 12},
		"RRSIG signer cut":              {reply(1, 0, 0, rr(wire.TypeRRSIG, make([]byte, 18), "\x03co")), atRecords + 12},
		"NSEC window of none":           {reply(1, 0, 0, rr(wire.TypeNSEC, 0, "\x00\x00")), atRecords + 12},
		"NSEC windows in disorder":      {reply(1, 0, 0, rr(wire.TypeNSEC, 0, "\x01\x01\x40\x00\x01\x40")), atRecords + 12},
		"NSEC3 salt beyond the end":     {reply(1, 0, 0, rr(wire.TypeNSEC3, make([]byte, 4), "\x09")), atRecords + 12},
		"SVCB parameter cut":            {reply(1, 0, 0, rr(wire.TypeSVCB, 0, 1, 0, "\x00\x03\x00\x09")), atRecords + 12},
		"SVCB keys in disorder":         {reply(1, 0, 0, rr(wire.TypeSVCB, 0, 1, 0, "\x00\x03\x00\x00\x00\x01\x00\x00")), atRecords + 12},
		"SVCB key twice":                {reply(1, 0, 0, rr(wire.TypeSVCB, 0, 1, 0, "\x00\x09\x00\x00\x00\x09\x00\x00")), atRecords + 12},
		"SVCB hint of 3 octets":         {reply(1, 0, 0, rr(wire.TypeHTTPS, 0, 1, 0, "\x00\x04\x00\x03abc")), atRecords + 12},
		"SVCB hint of none":             {reply(1, 0, 0, rr(wire.TypeHTTPS, 0, 1, 0, "\x00\x06\x00\x00")), atRecords + 12},
		"OPT in the answer section":     {reply(1, 0, 0, opt), atRecords + 11},
		"OPT twice":                     {reply(0, 0, 2, opt, opt), atRecords + 22},
		"OPT with an owner":             {reply(0, 0, 1, "\xc0\x0c", opt[1:]), atRecords + 12},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.ReadMessage(c.msg)
			var malformed *wire.MalformedError
			if !errors.As(err, &malformed) {
				t.Fatalf("error %v", err)
			}
			if malformed.Offset != c.at {
				t.Errorf("%v; want it at %d", err, c.at)
			}
		})
	}
}

// A name of many pointers takes time with every record that uses it, so their number is bounded.
func TestReadMessageBoundsPointers(t *testing.T) {
	chain := func(n int) []byte {
		data := []byte("\xc0\x0c")
		for i := 1; i < n; i++ {
			to := atRecords + 12 + 2*(i-1)
			data = append(data, 0xC0|byte(to>>8), byte(to))
		}
		to := atRecords + 12 + len(data) - 2
		return reply(2, 0, 0, rr(65280, data), owned("\xc0\x0c", wire.TypeCNAME, 0xC0|to>>8, to))
	}
	if _, err := wire.ReadMessage(chain(126)); err != nil {
		t.Error(err)
	}
	if _, err := wire.ReadMessage(chain(127)); err == nil {
		t.Error("a name of 128 pointers was taken")
	}
}

func TestReadMessageIsLinear(t *testing.T) {
	// As many records as fit, each with the most costly owner: 121 labels behind pointers.
	name := strings.Repeat("\x01a", 118)
	records := owned("\x00", 65280, name, "\xc0\x0c")
	at := atRecords + 11
	n := 1
	for ; atRecords+len(records)+12 < wire.MaxMessage; n++ {
		records = append(records, owned(string([]byte{0xC0 | byte(at>>8), byte(at)}), 65280)...)
	}
	msg := reply(0, 0, 0, records)
	msg[6], msg[7] = byte(n>>8), byte(n)
	began := time.Now()
	m, err := wire.ReadMessage(msg)
	if err != nil {
		t.Fatal(err)
	}
	if got := int(m.Counts().Answer); got != n {
		t.Errorf("%d records, want %d", got, n)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s", took)
	}
}

func TestRecords(t *testing.T) {
	msg := reply(1, 1, 2,
		rr(wire.TypeCNAME, "\x01B\xc0\x10"),
		owned("\x01B\xc0\x10", wire.TypeTXT, "\x02hi"),
		rr(wire.TypeA, 192, 0, 2, 1),
		opt[:5], "\x01", opt[6:])
	m, err := wire.ReadMessage(msg)
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != 0x1234 || !m.OPT || m.Rcode != 16 || m.Type != wire.TypeA || m.Class != wire.ClassINET {
		t.Errorf("message %+v", m)
	}
	var types []uint16
	var sections []wire.Section
	for r := range m.Records() {
		types, sections = append(types, r.Type), append(sections, r.Section)
		if r.Type == wire.TypeTXT {
			name, _, ok := wire.ExpandName(nil, m.Msg, r.Owner)
			if !ok || !bytes.Equal(name, wireName("b.example.com.")) || string(m.Msg[r.Data:r.End]) != "\x02hi" || r.TTL != 60 {
				t.Errorf("owner %q, record %+v", name, r)
			}
		}
		if at, n, compress := m.DataNames(r); r.Type == wire.TypeCNAME && (at != r.Data || n != 1 || !compress) {
			t.Errorf("names of CNAME data: %d at %d, compress %t", n, at, compress)
		} else if r.Type == wire.TypeA && n != 0 {
			t.Errorf("%d names in the data of A", n)
		}
	}
	if want := []uint16{wire.TypeCNAME, wire.TypeTXT, wire.TypeA, wire.TypeOPT}; !equal(types, want) {
		t.Errorf("types %v, want %v", types, want)
	}
	if want := []wire.Section{wire.Answer, wire.Authority, wire.Additional, wire.Additional}; !equal(sections, want) {
		t.Errorf("sections %v, want %v", sections, want)
	}
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func FuzzReadMessage(f *testing.F) {
	f.Add(reply(1, 0, 0, rr(wire.TypeA, 192, 0, 2, 1)))
	f.Add(reply(1, 1, 1, rr(wire.TypeCNAME, "\x01a\xc0\x10"), rr(wire.TypeSOA, "\xc0\x10\x01r\xc0\x0c", make([]byte, 20)), opt))
	f.Add(reply(1, 0, 0, rr(wire.TypeHTTPS, 0, 1, 0, "\x00\x04\x00\x04\xc0\x00\x02\x01")))
	f.Add(reply(2, 0, 0, rr(wire.TypeSRV, make([]byte, 6), "\xc0\x0c"), rr(wire.TypeMX, 0, 1, "\x01b\xc0\x0c")))
	f.Fuzz(func(t *testing.T, msg []byte) {
		m, err := wire.ReadMessage(msg)
		if err != nil {
			return
		}
		oracle := new(dns.Msg)
		if oracle.Unpack(msg) != nil {
			oracle = nil // it looks into types that are octets to us
		}
		i := 0
		for r := range m.Records() {
			name, next, ok := wire.ExpandName(nil, m.Msg, r.Owner)
			if !ok || next+10 != r.Data || !wire.EqualName(m.Msg, r.Owner, name) {
				t.Fatalf("owner %q of %+v", name, r)
			}
			at, n, _ := m.DataNames(r)
			for range n {
				if _, at, ok = wire.CopyName(nil, m.Msg, at); !ok || at > r.End {
					t.Fatalf("name in the data of %+v", r)
				}
			}
			if oracle != nil {
				compareRecord(t, oracle, i, name, r)
			}
			i++
		}
		if c := m.Counts(); i != int(c.Answer)+int(c.Authority)+int(c.Additional) {
			t.Fatalf("%d records of %+v", i, c)
		}
	})
}

func compareRecord(t *testing.T, oracle *dns.Msg, i int, name []byte, r wire.Record) {
	t.Helper()
	all := append(append(append([]dns.RR(nil), oracle.Answer...), oracle.Ns...), oracle.Extra...)
	if i >= len(all) {
		t.Fatalf("record %d, the oracle has %d", i, len(all))
	}
	h := all[i].Header()
	if h.Rrtype != r.Type || h.Class != r.Class || strings.ToLower(h.Name) != text(t, name) {
		t.Fatalf("%q %+v, the oracle has %s", name, r, h)
	}
	if h.Ttl != r.TTL && r.Type != wire.TypeOPT {
		t.Fatalf("TTL %d, the oracle has %d", r.TTL, h.Ttl)
	}
}

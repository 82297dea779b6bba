package transfer_test

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/blocklists/transfer"
)

// notifies knows rpz.example from 192.0.2.1, 2001:db8::1 and 192.0.2.9 with a key, and other.example from 192.0.2.2 without one.
func notifies(tb testing.TB, secretPath string, require bool) *transfer.Notifies {
	tb.Helper()
	first, err := transfer.New(transfer.Config{
		Zone: domain.MustParse(zoneName), Primaries: []netip.AddrPort{addrPort("192.0.2.1:53"), addrPort("[2001:db8::1]:53")},
		NotifyFrom: []netip.Addr{netip.MustParseAddr("192.0.2.9")}, TSIG: &transfer.Key{Name: keyName, SecretFile: secretPath}, RequireTSIG: require,
	})
	if err != nil {
		tb.Fatal(err)
	}
	second, err := transfer.New(transfer.Config{Zone: domain.MustParse("other.example"), Primaries: []netip.AddrPort{addrPort("192.0.2.2:53")}})
	if err != nil {
		tb.Fatal(err)
	}
	var n transfer.Notifies
	n.Set([]*transfer.Zone{first, second})
	return &n
}

// notifyMessage is a NOTIFY, signed if secret is not "".
func notifyMessage(tb testing.TB, secret string, change func(m *dns.Msg)) (octets []byte, mac string) {
	tb.Helper()
	m := new(dns.Msg).SetNotify("RPZ.example.")
	m.Answer = []dns.RR{rr(soaRecord(9))}
	if secret != "" {
		m.SetTsig(keyName, dns.HmacSHA256, 300, time.Now().Unix())
	}
	if change != nil {
		change(m)
	}
	var err error
	if m.IsTsig() != nil {
		octets, mac, err = dns.TsigGenerate(m, secret, "", false)
	} else {
		octets, err = m.Pack()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return octets, mac
}

func tsigOf(m *dns.Msg) *dns.TSIG { return m.Extra[len(m.Extra)-1].(*dns.TSIG) }

func TestNotify(t *testing.T) {
	t.Parallel()
	const other = "YW5vdGhlciBzZWNyZXQgYWx0b2dldGhlcg=="
	for name, test := range map[string]struct {
		from    string // 192.0.2.1 if ""
		secret  string
		require bool
		change  func(m *dns.Msg)
		cut     int // octets
		ok      bool
		poke    bool
		rcode   int
		tsig    int // error, -1 for no TSIG
	}{
		"plain":                   {ok: true, poke: true, tsig: -1},
		"without a SOA record":    {change: func(m *dns.Msg) { m.Answer = nil }, ok: true, poke: true, tsig: -1},
		"with EDNS":               {change: func(m *dns.Msg) { m.SetEdns0(1232, false) }, ok: true, poke: true, tsig: -1},
		"by IPv6":                 {from: "2001:db8::1", ok: true, poke: true, tsig: -1},
		"from a mapped address":   {from: "::ffff:192.0.2.1", ok: true, poke: true, tsig: -1},
		"from a further address":  {from: "192.0.2.9", ok: true, poke: true, tsig: -1},
		"signed":                  {secret: secret, ok: true, poke: true},
		"signed, as it must be":   {secret: secret, require: true, ok: true, poke: true},
		"not signed, but must be": {require: true, ok: true, rcode: dns.RcodeRefused, tsig: -1},
		"another secret":          {secret: other, ok: true, rcode: dns.RcodeNotAuth, tsig: dns.RcodeBadSig},
		"another key":             {secret: secret, change: func(m *dns.Msg) { tsigOf(m).Hdr.Name = "other.example." }, ok: true, rcode: dns.RcodeNotAuth, tsig: dns.RcodeBadKey},
		"another algorithm":       {secret: secret, change: func(m *dns.Msg) { tsigOf(m).Algorithm = dns.HmacSHA512 }, ok: true, rcode: dns.RcodeNotAuth, tsig: dns.RcodeBadKey},
		"long ago":                {secret: secret, change: func(m *dns.Msg) { tsigOf(m).TimeSigned -= 3600 }, ok: true, rcode: dns.RcodeNotAuth, tsig: dns.RcodeBadTime},
		"from a stranger":         {from: "192.0.2.3"},
		"from another's primary":  {from: "192.0.2.2"},
		"signed, without a key":   {from: "192.0.2.2", secret: secret, change: func(m *dns.Msg) { m.Question[0].Name = "other.example." }, ok: true, rcode: dns.RcodeNotAuth, tsig: dns.RcodeBadKey},
		"about another zone":      {change: func(m *dns.Msg) { m.Question[0].Name = "example." }},
		"about a name below":      {change: func(m *dns.Msg) { m.Question[0].Name = "a.rpz.example." }},
		"of another type":         {change: func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeNS }},
		"of another class":        {change: func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }},
		"an answer":               {change: func(m *dns.Msg) { m.Response = true }},
		"a query":                 {change: func(m *dns.Msg) { m.Opcode = dns.OpcodeQuery }},
		"no question":             {change: func(m *dns.Msg) { m.Question = nil }},
		"two questions":           {change: func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }},
		"many records": {change: func(m *dns.Msg) {
			m.Ns = append(m.Ns, rr(bad), rr(bad), rr(bad), rr(bad), rr(bad), rr(bad), rr(bad), rr(bad))
		}},
		"long": {change: func(m *dns.Msg) {
			m.Ns = []dns.RR{rr("a.example. 1 IN TYPE65400 \\# 1300 " + strings.Repeat("00", 1300))}
		}},
		"cut":                       {cut: 1},
		"cut in the header":         {cut: 60},
		"TSIG is not the last":      {secret: "", change: func(m *dns.Msg) { m.Extra = []dns.RR{tsigRecord(), rr(bad)} }},
		"TSIG is no additional one": {secret: "", change: func(m *dns.Msg) { m.Ns = []dns.RR{tsigRecord()} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := notifies(t, secretFile(t, secret), test.require)
			query, mac := notifyMessage(t, test.secret, test.change)
			from := test.from
			if from == "" {
				from = "192.0.2.1"
			}
			answer, zone, ok := n.Handle(netip.MustParseAddr(from), query[:max(0, len(query)-test.cut)])
			if ok != test.ok || (zone != "") != test.poke || ok != (answer != nil) {
				t.Fatalf("answer %x, zone %q, ok %v", answer, zone, ok)
			}
			if !ok {
				return
			}
			checkNotifyAnswer(t, answer, test.rcode, test.tsig, mac)
		})
	}
}

func tsigRecord() *dns.TSIG {
	return &dns.TSIG{Hdr: dns.RR_Header{Name: keyName, Rrtype: dns.TypeTSIG, Class: dns.ClassANY}, Algorithm: dns.HmacSHA256, MACSize: 1, MAC: "00"}
}

// checkNotifyAnswer has miekg/dns for its oracle.
func checkNotifyAnswer(t *testing.T, answer []byte, rcode, tsig int, mac string) {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(answer); err != nil {
		t.Fatal(err)
	}
	if !m.Response || m.Opcode != dns.OpcodeNotify || m.Rcode != rcode || len(m.Question) != 1 || m.Question[0].Qtype != dns.TypeSOA {
		t.Errorf("answer %v", m)
	}
	ts := m.IsTsig()
	if (ts != nil) != (tsig >= 0) {
		t.Fatalf("TSIG %v, want %d", ts, tsig)
	}
	if ts == nil {
		return
	}
	if int(ts.Error) != tsig {
		t.Errorf("TSIG error %d, want %d", ts.Error, tsig)
	}
	switch tsig {
	case 0:
		if err := dns.TsigVerify(answer, secret, mac, false); err != nil {
			t.Errorf("the answer is not signed well: %v", err)
		}
	case dns.RcodeBadTime:
		answer[3] &^= 0xf // miekg/dns does not look at the signature of NOTAUTH
		answer[3] |= byte(rcode)
		if ts.MACSize != 32 || len(ts.OtherData) != 12 {
			t.Errorf("TSIG %v, want a MAC and our time", ts)
		}
	default:
		if ts.MACSize != 0 {
			t.Errorf("TSIG %v, want no MAC", ts)
		}
	}
}

func TestNotifyBeforeSet(t *testing.T) {
	t.Parallel()
	query, _ := notifyMessage(t, "", nil)
	if _, _, ok := new(transfer.Notifies).Handle(netip.MustParseAddr("192.0.2.1"), query); ok {
		t.Error("answered")
	}
}

//nolint:paralleltest // AllocsPerRun counts the allocations of the whole process
func TestStrangersNotifyCostsNothing(t *testing.T) {
	n := notifies(t, secretFile(t, secret), false)
	query, _ := notifyMessage(t, "", nil)
	from := netip.MustParseAddr("192.0.2.77")
	if allocs := testing.AllocsPerRun(100, func() { n.Handle(from, query) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// FuzzNotify: what is answered, miekg/dns reads; what pokes is a NOTIFY of the zone by its book too.
func FuzzNotify(f *testing.F) {
	plain, _ := notifyMessage(f, "", nil)
	f.Add(plain)
	signed, _ := notifyMessage(f, secret, nil)
	f.Add(signed)
	f.Add(signed[:len(signed)-1])
	long, err := hex.DecodeString("12342000000100000000000003")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(long)
	path := f.TempDir() + "/none"
	n := notifies(f, path, false)
	f.Fuzz(func(t *testing.T, query []byte) {
		input := append([]byte(nil), query...)
		answer, zone, ok := n.Handle(netip.MustParseAddr("192.0.2.1"), query)
		if !ok {
			return
		}
		m := new(dns.Msg)
		if err := m.Unpack(answer); err != nil || len(m.Question) != 1 || m.Id != uint16(input[0])<<8|uint16(input[1]) {
			t.Fatalf("answer %x: %v", answer, err)
		}
		if zone != "" && (zone != "rpz.example" || input[2]&0xF8 != 0x20) {
			t.Fatalf("%x pokes %q", input, zone)
		}
	})
}

package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/blocklists/mirror"
	"cordon/blocklists/transfer"
)

const (
	apexNS = "rpz.example. 300 IN NS localhost."
	bad    = "bad.example.org.rpz.example. 60 IN CNAME ."
	star   = "*.bad.example.org.rpz.example. 60 IN CNAME ."
	worse  = "worse.example.com.rpz.example. 60 IN CNAME *."
	pass   = "good.example.com.rpz.example. 60 IN CNAME rpz-passthru."
	local  = "local.example.com.rpz.example. 60 IN A 192.0.2.80"
)

func TestCopyIsAZoneFile(t *testing.T) {
	t.Parallel()
	f := &fake{soa: soaRecord(7), axfr: [][]string{
		{
			soaRecord(7), bad, "RPZ.Example. 300 IN NS LocalHost.", worse, worse,
			"txt.rpz.example. 60 IN TXT \"two\" \"a \\\"quoted\\\" ; word\"", "a\\.b\\000\\001.rpz.example. 60 IN AAAA 2001:db8::1",
		},
		{
			"32.1.2.0.192.rpz-ip.rpz.example. 60 IN CNAME .", "_dns.rpz.example. 60 IN SVCB 1 . alpn=h2",
			"odd.rpz.example. 60 IN TYPE65400 \\# 2 beef", "mail.rpz.example. 60 IN MX 10 MX.Example.", star, pass,
		},
		{soaRecord(7)},
	}}
	got := fetch(t, newZone(t, config(t, f)), nil)
	if got.err != nil {
		t.Fatal(got.err)
	}
	want := strings.Join([]string{
		"rpz.example.\t300\tIN\tSOA\tns.example. admin.example. 7 3600 600 86400 60",
		"rpz.example.\t300\tIN\tNS\tlocalhost.",
		"_dns.rpz.example.\t60\tIN\tSVCB\t1 . alpn=\"h2\"",
		"a\\.b\\000\\001.rpz.example.\t60\tIN\tAAAA\t2001:db8::1",
		"good.example.com.rpz.example.\t60\tIN\tCNAME\trpz-passthru.",
		"worse.example.com.rpz.example.\t60\tIN\tCNAME\t*.",
		"mail.rpz.example.\t60\tIN\tMX\t10 mx.example.",
		"odd.rpz.example.\t60\tIN\tTYPE65400\t\\# 2 beef",
		"bad.example.org.rpz.example.\t60\tIN\tCNAME\t.",
		"*.bad.example.org.rpz.example.\t60\tIN\tCNAME\t.",
		"32.1.2.0.192.rpz-ip.rpz.example.\t60\tIN\tCNAME\t.",
		"txt.rpz.example.\t60\tIN\tTXT\t\"two\" \"a \\\"quoted\\\" ; word\"",
		"; end of list: 12 entries\n",
	}, "\n")
	if got.text != want {
		t.Errorf("got\n%s\nwant\n%s", got.text, want)
	}
	if want := (mirror.Outcome{Version: "7", Refresh: time.Hour, Retry: 10 * time.Minute, Expire: 24 * time.Hour}); !same(got.outcome, want) {
		t.Errorf("outcome %+v, want %+v", got.outcome, want)
	}
}

func same(a, b mirror.Outcome) bool {
	return a.Version == b.Version && a.Refresh == b.Refresh && a.Retry == b.Retry && a.Expire == b.Expire
}

// A copy at serial 7 is behind a primary at 9 in all of these, unless they say otherwise.
func TestFetchBehindACopy(t *testing.T) {
	t.Parallel()
	old := zoneText(7, apexNS, worse, bad, star)
	newText := zoneText(9, apexNS, local, bad)
	whole := [][]string{{soaRecord(9), apexNS, local, bad, soaRecord(9)}}
	steps := [][]string{{
		soaRecord(9),
		soaRecord(7), star, soaRecord(8), pass,
		soaRecord(8), pass, worse, soaRecord(9), local,
		soaRecord(9),
	}}
	var single [][]string // a record a message
	for _, r := range steps[0] {
		single = append(single, []string{r})
	}
	ixfr := func(records ...string) [][]string { return [][]string{records} }
	const both = "udp SOA,tcp IXFR,tcp AXFR"
	for name, test := range map[string]struct {
		have, version string // old and "7" if ""
		soa           uint32 // 9 if 0
		ixfr          [][]string
		asked         string // both if ""
		unchanged     bool
	}{
		"differences":                          {ixfr: steps, asked: "udp SOA,tcp IXFR"},
		"a record a message":                   {ixfr: single, asked: "udp SOA,tcp IXFR"},
		"AXFR as the answer to IXFR":           {ixfr: whole, asked: "udp SOA,tcp IXFR"},
		"one difference over all":              {ixfr: ixfr(soaRecord(9), soaRecord(7), star, worse, soaRecord(9), local, soaRecord(9)), asked: "udp SOA,tcp IXFR"},
		"IXFR is refused":                      {},
		"the newest":                           {soa: 7, asked: "udp SOA", unchanged: true},
		"the newest, says IXFR":                {ixfr: ixfr(soaRecord(7)), asked: "udp SOA,tcp IXFR", unchanged: true},
		"a gap":                                {ixfr: ixfr(soaRecord(9), soaRecord(7), star, soaRecord(8), pass, soaRecord(9), soaRecord(9))},
		"a difference backwards":               {ixfr: ixfr(soaRecord(9), soaRecord(7), star, soaRecord(6), soaRecord(6), soaRecord(9), soaRecord(9))},
		"not from our serial":                  {ixfr: ixfr(soaRecord(9), soaRecord(8), worse, soaRecord(9), local, soaRecord(9))},
		"it removes what is not there":         {ixfr: ixfr(soaRecord(9), soaRecord(7), pass, soaRecord(9), local, soaRecord(9))},
		"it removes twice":                     {ixfr: ixfr(soaRecord(9), soaRecord(7), star, star, soaRecord(9), local, soaRecord(9))},
		"it adds what is there":                {ixfr: ixfr(soaRecord(9), soaRecord(7), star, soaRecord(9), worse, soaRecord(9))},
		"it ends with another SOA record":      {ixfr: ixfr(soaRecord(9), soaRecord(7), star, soaRecord(9), local, soaRecord(8))},
		"it ends with another refresh":         {ixfr: ixfr(soaRecord(9), soaRecord(7), star, soaRecord(9), local, strings.Replace(soaRecord(9), "3600", "3601", 1))},
		"it does not end":                      {ixfr: ixfr(soaRecord(9), soaRecord(7), star, soaRecord(9), local)},
		"SOA alone of a newer version":         {ixfr: ixfr(soaRecord(9))},
		"a foreign record":                     {ixfr: ixfr(soaRecord(9), soaRecord(7), star, soaRecord(9), "a.example.net. 60 IN A 192.0.2.1", soaRecord(9))},
		"records behind the end":               {ixfr: ixfr(append(slices.Clone(steps[0]), local)...)},
		"the primary goes back with IXFR":      {ixfr: ixfr(soaRecord(6))},
		"a copy that was changed":              {have: strings.Replace(old, "worse", "worst", 1), asked: "udp SOA,tcp AXFR"},
		"a copy without its end":               {have: old[:len(old)-20], asked: "udp SOA,tcp AXFR"},
		"a copy that counts wrongly":           {have: strings.Replace(old, "5 entries", "6 entries", 1), asked: "udp SOA,tcp AXFR"},
		"a copy out of order":                  {have: zoneText(7, apexNS, bad, worse, star), asked: "udp SOA,tcp AXFR"},
		"a copy of another serial":             {have: zoneText(6, apexNS), asked: "udp SOA,tcp AXFR"},
		"a copy with something behind its end": {have: old + "x\n", asked: "udp SOA,tcp AXFR"},
		"an empty copy":                        {have: "\n", asked: "udp SOA,tcp AXFR"},
		"a copy without a serial":              {version: "tag", asked: "udp SOA,tcp AXFR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			or := func(a, b string) string {
				if a == "" {
					return b
				}
				return a
			}
			if test.soa == 0 {
				test.soa = 9
			}
			f := &fake{soa: soaRecord(test.soa), axfr: whole, ixfr: test.ixfr}
			have := copyOf(t, or(test.have, old), or(test.version, "7"))
			if name == "a copy that was changed" {
				have.SHA256 = copyOf(t, old, "7").SHA256
			}
			got := fetch(t, newZone(t, config(t, f)), have)
			if asked := f.wasAsked(); asked != or(test.asked, both) {
				t.Errorf("asked %s, want %s", asked, or(test.asked, both))
			}
			if test.unchanged {
				if !errors.Is(got.err, mirror.ErrUnchanged) || got.text != "" || got.outcome.Version != "7" || got.outcome.Refresh != time.Hour {
					t.Errorf("got %+v, want unchanged", got)
				}
				return
			}
			if got.err != nil || got.text != newText || got.outcome.Version != "9" {
				t.Errorf("got %+v, want\n%s", got, newText)
			}
		})
	}
}

// What is wrong with an AXFR, or with what is said before it, is an error, and nothing is written.
func TestHostilePrimary(t *testing.T) {
	t.Parallel()
	whole := [][]string{{soaRecord(9), apexNS, bad}, {star, local}, {soaRecord(9)}}
	many := [][]string{{soaRecord(9), apexNS}}
	for i := range 300 {
		many = append(many, []string{fmt.Sprintf("h%d.rpz.example. 60 IN CNAME .", i)})
	}
	set := func(records ...string) [][]string { return [][]string{records} }
	for name, test := range map[string]struct {
		f      *fake
		adjust func(c *transfer.Config)
		have   uint32 // serial of the copy
		want   string
	}{
		"a cut stream":         {f: &fake{axfr: whole[:2]}, want: "closed the connection before the end"},
		"a cut message":        {f: &fake{axfr: whole, wire: func(i int, m []byte) []byte { return m[:len(m)-i] }}, want: "malformed"},
		"more than a message":  {f: &fake{axfr: whole, wire: func(_ int, m []byte) []byte { return append(m, 0) }}, want: "malformed"},
		"no answers":           {f: &fake{axfr: [][]string{{}}}, want: "has no records"},
		"no answers later":     {f: &fake{axfr: [][]string{whole[0], {}, whole[2]}}, want: "has no records"},
		"no SOA in front":      {f: &fake{axfr: set(apexNS, soaRecord(9))}, want: "want the SOA record"},
		"another SOA at end":   {f: &fake{axfr: set(soaRecord(9), apexNS, soaRecord(8))}, want: "closing SOA record"},
		"records behind SOA":   {f: &fake{axfr: set(soaRecord(9), apexNS, soaRecord(9), bad)}, want: "records follow"},
		"a SOA below":          {f: &fake{axfr: set(soaRecord(9), strings.Replace(soaRecord(9), zoneName, "sub."+zoneName, 1), soaRecord(9))}, want: "not the apex"},
		"another zone":         {f: &fake{axfr: set(soaRecord(9), "www.example.net. 60 IN A 192.0.2.1", soaRecord(9))}, want: "www.example.net is not in the zone"},
		"a name that ends so":  {f: &fake{axfr: set(soaRecord(9), "xrpz.example. 60 IN A 192.0.2.1", soaRecord(9))}, want: "xrpz.example is not in the zone"},
		"another class":        {f: &fake{axfr: set(soaRecord(9), "a.rpz.example. 60 CH A 192.0.2.1", soaRecord(9))}, want: "class 3"},
		"a meta type":          {f: &fake{axfr: set(soaRecord(9), "a.rpz.example. 60 IN TYPE252 \\# 1 00", soaRecord(9))}, want: "no zone can have"},
		"the reserved type":    {f: &fake{axfr: set(soaRecord(9), "a.rpz.example. 60 IN TYPE65535 \\# 1 00", soaRecord(9))}, want: "no zone can have"},
		"no data":              {f: &fake{axfr: set(soaRecord(9), "a.rpz.example. 60 IN TXT \\# 0", soaRecord(9))}, want: "malformed"},
		"another ID":           {f: &fake{axfr: whole, change: func(i int, m *dns.Msg) { m.Id += uint16(i) }}, want: "something else than the answer"},
		"another question":     {f: &fake{axfr: whole, change: func(_ int, m *dns.Msg) { m.Question[0].Name = "example." }}, want: "something else than the answer"},
		"a query":              {f: &fake{axfr: whole, change: func(_ int, m *dns.Msg) { m.Response = false }}, want: "something else than the answer"},
		"a late failure":       {f: &fake{axfr: whole, change: func(i int, m *dns.Msg) { m.Rcode = i }}, want: "FORMERR"},
		"refused":              {f: &fake{}, want: "REFUSED: it must have the zone, and allow transfers"},
		"too many records":     {f: &fake{axfr: many}, adjust: func(c *transfer.Config) { c.MaxRecords = 100 }, want: "more than 100 records: raise max_records"},
		"too many octets":      {f: &fake{axfr: many}, adjust: func(c *transfer.Config) { c.MaxSize = 2000 }, want: "more than 2000 octets: raise max_size"},
		"too much text":        {f: &fake{axfr: whole}, adjust: func(c *transfer.Config) { c.MaxSize = 230 }, want: "octets of text"},
		"not signed":           {f: &fake{axfr: whole}, adjust: withKey(t, secret), want: "not signed"},
		"another secret":       {f: &fake{axfr: whole, key: secret}, adjust: withKey(t, "YW5vdGhlciBzZWNyZXQgYWx0b2dldGhlcg=="), want: "another secret for the key transfer.example (BADSIG)"},
		"a wrong clock":        {f: &fake{axfr: whole, key: secret, clock: -time.Hour}, want: "signed 3600 s before our time"},
		"a clock before ours":  {f: &fake{axfr: whole, key: secret, clock: time.Hour}, want: "signed -3600 s before our time"},
		"a wrong second":       {f: &fake{axfr: whole, key: secret, wire: flipAt(1)}, want: "the signature with the key transfer.example is wrong"},
		"a wrong last":         {f: &fake{axfr: whole, key: secret, wire: flipAt(2)}, want: "the signature with the key transfer.example is wrong"},
		"a wrong unsigned one": {f: &fake{axfr: whole, key: secret, signEvery: 2, wire: flipAt(1)}, want: "the signature with the key transfer.example is wrong"},
		"too many unsigned":    {f: &fake{axfr: append(many, whole[2]), key: secret, signEvery: 101}, want: "not signed"},
		"unsigned to the end":  {f: &fake{axfr: whole, key: secret, signEvery: 9, wire: cutTSIG(2)}, want: "last message of the answer is not signed"},
		"backwards":            {f: &fake{axfr: whole}, have: 10, want: "the serial went backwards: the primary has 9, the copy that stays in use has 10, which is newer"},
		"round and backwards":  {f: &fake{axfr: whole}, have: 9 + 1<<30, want: "went backwards"},
		"neither is newer":     {f: &fake{axfr: whole}, have: 9 + 1<<31, want: "2^31 apart"},
		"no digest":            {f: &fake{axfr: whole}, adjust: func(c *transfer.Config) { c.Digest = transfer.DigestRequired }, want: "no ZONEMD record of scheme SIMPLE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.f.soa = soaRecord(9)
			c := config(t, test.f)
			if test.adjust != nil {
				test.adjust(&c)
			}
			var have *mirror.Copy
			if test.have != 0 {
				have = copyOf(t, zoneText(test.have), fmt.Sprint(test.have))
			}
			got := fetch(t, newZone(t, c), have)
			if got.err == nil || !strings.Contains(got.err.Error(), test.want) || got.text != "" {
				t.Errorf("got %q and\n%v\nwant an error with %q", got.text, got.err, test.want)
			}
			if got.err != nil && strings.Contains(got.err.Error(), secret) {
				t.Errorf("the secret is in the error: %v", got.err)
			}
		})
	}
}

func withKey(t *testing.T, secret string) func(*transfer.Config) {
	t.Helper()
	path := secretFile(t, secret)
	return func(c *transfer.Config) { c.TSIG = &transfer.Key{Name: keyName, SecretFile: path} }
}

// flipAt changes the TTL of the first record of a message after it was signed.
func flipAt(at int) func(int, []byte) []byte {
	return func(i int, m []byte) []byte {
		if i == at {
			m[bytes.Index(m[12:], []byte{0, 252, 0, 1})+12+4+2+2+2+3] ^= 1
		}
		return m
	}
}

// cutTSIG takes the TSIG record off a message.
func cutTSIG(at int) func(int, []byte) []byte {
	return func(i int, packed []byte) []byte {
		if i != at {
			return packed
		}
		m := new(dns.Msg)
		if err := m.Unpack(packed); err != nil {
			panic(err)
		}
		m.Extra = nil
		packed, _ = m.Pack()
		return packed
	}
}

func TestSignedTransfer(t *testing.T) {
	t.Parallel()
	whole := [][]string{{soaRecord(9), apexNS}}
	for i := range 300 {
		whole = append(whole, []string{fmt.Sprintf("h%03d.rpz.example. 60 IN CNAME .", i)})
	}
	whole = append(whole, []string{soaRecord(9)})
	for _, every := range []int{1, 2, 96, 100} {
		t.Run(fmt.Sprintf("every %d", every), func(t *testing.T) {
			t.Parallel()
			f := &fake{soa: soaRecord(9), axfr: whole, key: secret, signEvery: every}
			got := fetch(t, newZone(t, config(t, f)), nil)
			if got.err != nil || !strings.HasSuffix(got.text, "; end of list: 302 entries\n") {
				t.Errorf("got %v", got.err)
			}
		})
	}
}

func TestSerialsGoRound(t *testing.T) {
	t.Parallel()
	f := &fake{soa: soaRecord(3), axfr: [][]string{{soaRecord(3), apexNS, soaRecord(3)}}}
	got := fetch(t, newZone(t, config(t, f)), copyOf(t, zoneText(4294967290, apexNS), "4294967290"))
	if got.err != nil || got.outcome.Version != "3" {
		t.Errorf("got %+v, want version 3", got)
	}
}

func TestNextPrimary(t *testing.T) {
	t.Parallel()
	good := func() *fake { return &fake{soa: soaRecord(9), axfr: [][]string{{soaRecord(9), apexNS, soaRecord(9)}}} }
	for name, first := range map[string]*fake{
		"dead":            nil,
		"without a zone":  {soa: "www.rpz.example. 60 IN A 192.0.2.1"},
		"refuses":         {soa: soaRecord(9)},
		"older":           {soa: soaRecord(7)},
		"cut":             {soa: soaRecord(9), axfr: [][]string{{soaRecord(9)}}},
		"no UDP, and cut": {soa: soaRecord(9), axfr: [][]string{{soaRecord(9)}}, noUDP: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := fetch(t, newZone(t, config(t, first, good())), copyOf(t, zoneText(8, apexNS), "8"))
				if got.err != nil || got.text != zoneText(9, apexNS) {
					t.Errorf("got %+v", got)
				}
				got = fetch(t, newZone(t, config(t, first, nil)), copyOf(t, zoneText(8, apexNS), "8"))
				if got.err == nil || !strings.Contains(got.err.Error(), "192.0.2.1:53: ") || !strings.Contains(got.err.Error(), "192.0.2.2:53: ") {
					t.Errorf("got %v, want both primaries' faults", got.err)
				}
			})
		})
	}
}

func TestTimersAreBounded(t *testing.T) {
	t.Parallel()
	for numbers, want := range map[string]mirror.Outcome{
		"1 1 1 1":                            {Refresh: time.Minute, Retry: 30 * time.Second, Expire: time.Hour},
		"4294967295 4294967295 4294967295 1": {Refresh: 24 * time.Hour, Retry: time.Hour, Expire: 30 * 24 * time.Hour},
	} {
		record := zoneName + " 300 IN SOA . . 5 " + numbers
		got := fetch(t, newZone(t, config(t, &fake{soa: record, axfr: [][]string{{record, record}}})), nil)
		if want.Version = "5"; got.err != nil || !same(got.outcome, want) {
			t.Errorf("%s: got %+v, want %+v", numbers, got, want)
		}
	}
}

func TestSilentPrimary(t *testing.T) {
	t.Parallel()
	half := [][]string{{soaRecord(9), apexNS}}
	for name, f := range map[string]*fake{
		"no answer to SOA": {noUDP: true, soa: soaRecord(9), stay: true},
		"half an answer":   {soa: soaRecord(9), axfr: half, stay: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := config(t, f)
				begun := time.Now()
				got := fetch(t, newZone(t, c), nil)
				if took := time.Since(begun); got.err == nil || took > 15*time.Second {
					t.Errorf("%v after %v", got.err, took)
				}
			})
		})
	}
}

// An endless transfer ends when its time is over, and with its context.
func TestEndlessTransfer(t *testing.T) {
	t.Parallel()
	endless := func() *fake {
		f := &fake{soa: soaRecord(9), axfr: make([][]string, 1_000_000)}
		f.axfr[0] = []string{soaRecord(9)}
		f.change = func(i int, m *dns.Msg) {
			if i > 0 {
				m.Answer = []dns.RR{rr(fmt.Sprintf("h%d.rpz.example. 60 IN CNAME .", i))}
			}
			time.Sleep(time.Second)
		}
		return f
	}
	t.Run("time", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			z := newZone(t, config(t, endless()))
			begun := time.Now()
			_, err := z.Fetch(t.Context(), nil, new(bytes.Buffer))
			if took := time.Since(begun); err == nil || !strings.Contains(err.Error(), "not finished within 15m0s") || took != transfer.DefaultMaxTime {
				t.Errorf("%v after %v", err, took)
			}
			time.Sleep(2 * time.Second) // the primary finds that nobody listens
		})
	})
	t.Run("context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			z := newZone(t, config(t, endless()))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(3500*time.Millisecond, cancel)
			begun := time.Now()
			_, err := z.Fetch(ctx, nil, new(bytes.Buffer))
			if took := time.Since(begun); !errors.Is(err, context.Canceled) || took != 3500*time.Millisecond {
				t.Errorf("%v after %v", err, took)
			}
			time.Sleep(2 * time.Second) // the primary finds that nobody listens
		})
	})
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	addrs, _ := fakes(nil, nil)
	good := transfer.Config{Zone: domain.MustParse(zoneName), Primaries: addrs}
	for want, change := range map[string]func(c *transfer.Config){
		"has no name": func(c *transfer.Config) { c.Zone = "" },
		"0 primaries": func(c *transfer.Config) { c.Primaries = nil },
		"there twice": func(c *transfer.Config) { c.Primaries = append(slices.Clone(addrs), addrs[0]) },
		"want an address and a port": func(c *transfer.Config) {
			c.Primaries = append(slices.Clone(addrs), addrs[0])[2:]
			c.Primaries[0] = addrPort("192.0.2.1:0")
		},
		"negative":                func(c *transfer.Config) { c.MaxSize = -1 },
		"digest policy 9":         func(c *transfer.Config) { c.Digest = 9 },
		"there is no key":         func(c *transfer.Config) { c.RequireTSIG = true },
		"no SecretFile":           func(c *transfer.Config) { c.TSIG = &transfer.Key{Name: "k"} },
		"hmac-sha1 is too weak":   func(c *transfer.Config) { c.TSIG = &transfer.Key{Name: "k", SecretFile: "f", Algorithm: "hmac-sha1"} },
		"HMAC-MD5. is too weak":   func(c *transfer.Config) { c.TSIG = &transfer.Key{Name: "k", SecretFile: "f", Algorithm: "HMAC-MD5."} },
		`algorithm "rot13"`:       func(c *transfer.Config) { c.TSIG = &transfer.Key{Name: "k", SecretFile: "f", Algorithm: "rot13"} },
		"two dots with nothing":   func(c *transfer.Config) { c.TSIG = &transfer.Key{Name: "a..b", SecretFile: "f"} },
		"may send NOTIFY is none": func(c *transfer.Config) { c.NotifyFrom = append(c.NotifyFrom, addrPort("[::]:0").Addr(), noAddr()) },
	} {
		c := good
		change(&c)
		if _, err := transfer.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := transfer.New(good); err != nil {
		t.Error(err)
	}
}

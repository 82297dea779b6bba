package names_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/resolver/names"
	"cordon/resolver/wire"
)

const ttl = 5 * time.Minute

// table is that of records and of one hosts file.
func table(t testing.TB, hosts string, records ...string) *names.Table {
	t.Helper()
	c := config(t, hosts, records...)
	made, faults := names.New(c)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return made
}

func config(t testing.TB, hosts string, records ...string) names.Config {
	t.Helper()
	c := names.Config{TTL: ttl}
	for i, text := range records {
		r, err := names.ParseRecord(text, ttl)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		r.At = names.Place{File: "cordon.yaml", Line: i + 1}
		c.Records = append(c.Records, r)
	}
	if hosts != "" {
		h, err := names.ParseHosts("hosts", []byte(hosts))
		if err != nil {
			t.Fatal(err)
		}
		c.Hosts = append(c.Hosts, h)
	}
	return c
}

// ask is the answer of made to a question: its records, NODATA, "away END", or "" if the name is not there.
func ask(t testing.TB, made *names.Table, name, rtype string) string {
	t.Helper()
	q := query(t, name, dns.StringToType[rtype])
	found := made.Look(q.Name, q.Type)
	switch found.Where {
	case names.Nowhere:
		return ""
	case names.Away:
		end, _ := domain.FromWire(found.End())
		return "away " + end.String()
	case names.Here:
	}
	m := new(dns.Msg)
	if err := m.Unpack(found.Append(nil, q, 0)); err != nil {
		t.Fatalf("%s %s: %v", name, rtype, err)
	}
	var said []string
	for _, rr := range m.Answer {
		said = append(said, strings.Join(strings.Fields(rr.String()), " "))
	}
	if len(m.Ns) > 0 {
		said = append(said, "NODATA "+m.Ns[0].Header().Name)
	}
	return strings.Join(said, ", ")
}

func query(t testing.TB, name string, rtype uint16) *wire.Query {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), rtype)
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	q := &wire.Query{Stream: true}
	if q.Parse(packed) != wire.None {
		t.Fatalf("%s: %v", name, q.Problem)
	}
	return q
}

func TestRecordsAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		"a.example A 192.0.2.1":                          "a.example. 300 IN A 192.0.2.1",
		"A.Example. 60 IN A 192.0.2.1":                   "a.example. 60 IN A 192.0.2.1",
		"a.example IN 1h A 192.0.2.1 ; the house":        "a.example. 3600 IN A 192.0.2.1",
		"a.example\tAAAA\t2001:db8::1":                   "a.example. 300 IN AAAA 2001:db8::1",
		"a.example CNAME B.Example":                      "a.example. 300 IN CNAME b.example.",
		"a.example MX 10 Mail.example":                   "a.example. 300 IN MX 10 Mail.example.",
		"a.example TXT one \"two words\"":                `a.example. 300 IN TXT "one" "two words"`,
		"_s._tcp.a.example SRV 1 2 53 b.example":         "_s._tcp.a.example. 300 IN SRV 1 2 53 b.example.",
		"a.example HTTPS 1 B.example alpn=h2":            `a.example. 300 IN HTTPS 1 b.example. alpn="h2"`,
		"a.example CAA 0 issue \"ca.example\"":           `a.example. 300 IN CAA 0 issue "ca.example"`,
		"1.2.0.192.in-addr.arpa PTR a.example":           "1.2.0.192.in-addr.arpa. 300 IN PTR a.example.",
		"a.example NS ns.example":                        "a.example. 300 IN NS ns.example.",
		`a.example TYPE65280 \# 3 abcdef`:                `a.example. 300 CLASS1 TYPE65280 \# 3 abcdef`,
		"a.example SSHFP 1 1 " + strings.Repeat("0", 40): "a.example. 300 IN SSHFP 1 1 " + strings.Repeat("0", 40),
	} {
		r, err := names.ParseRecord(text, ttl)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		msg := append([]byte(r.Name), byte(r.Type>>8), byte(r.Type), 0, 1, byte(r.TTL>>24), byte(r.TTL>>16), byte(r.TTL>>8), byte(r.TTL),
			byte(len(r.Data)>>8), byte(len(r.Data)))
		rr, _, err := dns.UnpackRR(append(msg, r.Data...), 0)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := strings.Join(strings.Fields(rr.String()), " "); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// Records of one name and type have one TTL, the shortest (RFC 2181, section 5.2).
func TestTheShortestTTLIsThatOfAll(t *testing.T) {
	made := table(t, "", "a.example 300 A 192.0.2.1", "a.example 60 A 192.0.2.2", "a.example 600 A 192.0.2.3")
	q := query(t, "a.example", wire.TypeA)
	found := made.Look(q.Name, q.Type)
	var m dns.Msg
	if err := m.Unpack(found.Append(nil, q, 0)); err != nil || len(m.Answer) != 3 {
		t.Fatal(err, m.Answer)
	}
	for _, rr := range m.Answer {
		if rr.Header().Ttl != 60 {
			t.Errorf("found %s, want 60 s", rr)
		}
	}
}

func TestRecordsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "there is no record",
		"A":                             "there is no record",
		"; a comment":                   "there is no record",
		"a.example":                     "",
		"a.example A":                   "",
		"a.example A 192.0.2.300":       "bad A A",
		"a.example A 2001:db8::1":       "bad A",
		"a.example B 192.0.2.1":         "",
		"a.example CH TXT x":            "want IN",
		"a.example A 192.0.2.1 x":       "",
		"a..example A 192.0.2.1":        "bad owner name",
		"$ORIGIN example":               "directives",
		"$INCLUDE /etc/passwd":          "directives",
		"$GENERATE 1-99 a$ A 192.0.2.1": "directives",
		"a.example A 192.0.2.1\nb.example A 192.0.2.2":  "one record, on one line",
		"a.example 700000 A 192.0.2.1":                  "a week",
		"bücher.example A 192.0.2.1":                    "punycode",
		"a.example DNAME b.example":                     "DNAME is of no use here",
		"a.example SOA a. b. 1 2 3 4 5":                 "SOA is of no use here",
		"a.example DS 1 8 2 " + strings.Repeat("0", 64): "DS is of no use here",
		"* A 192.0.2.1":                                 "every name there is",
		`a.example ANY \# 0`:                            "",
		`a.example TYPE64 \# 1 00`:                      "overflow",
		`a.example TYPE64 \# 2 0001`:                    "not that of the type SVCB",
		`a.example TYPE5 \# 1 40`:                       "",
		`a.example A \# 0`:                              "",
		"a.example TYPE65280 \\# 0":                     "nothing behind the type",
	} {
		r, err := names.ParseRecord(text, ttl)
		switch {
		case err == nil:
			t.Errorf("%q is a record: %+v", text, r)
		case !strings.Contains(err.Error(), want):
			t.Errorf("%q: got %q, want %q", text, err, want)
		case strings.Contains(err.Error(), "dns: ") || strings.Contains(err.Error(), "line: 1"):
			t.Errorf("%q: the error speaks of the parser: %q", text, err)
		}
	}
}

func TestWhatATableCanNotHave(t *testing.T) {
	long := make([]string, 0, 9)
	for i := range 9 {
		long = append(long, fmt.Sprintf("c%d.example CNAME c%d.example", i, i+1))
	}
	many := make([]string, 0, 101)
	for i := range 101 {
		many = append(many, fmt.Sprintf("many.example A 192.0.2.%d", i))
	}
	for name, test := range map[string]struct {
		records []string
		index   int
		want    string
	}{
		"an alias with other records": {[]string{"a.example A 192.0.2.1", "a.example CNAME b.example"}, 1, "an alias stands alone"},
		"two aliases":                 {[]string{"a.example CNAME b.example", "a.example CNAME c.example"}, 1, "an alias stands alone"},
		"a loop":                      {[]string{"a.example CNAME b.example", "b.example CNAME a.example"}, 0, "round and round"},
		"a loop of one":               {[]string{"x.example A 192.0.2.1", "a.example CNAME a.example"}, 1, "round and round"},
		"a loop by a wildcard":        {[]string{"*.a.example CNAME b.a.example"}, 0, "round and round"},
		"too long a chain":            {long, 0, "over more than 7 others"},
		"too many":                    {many, 100, "more than 100 records"},
		"too large": {[]string{
			"a.example TXT " + strings.Repeat(`"`+strings.Repeat("a", 250)+`" `, 70), "a.example TXT " + strings.Repeat(`"`+strings.Repeat("b", 250)+`" `, 70),
		}, 1, "more than 32 KiB"},
	} {
		made, faults := names.New(config(t, "", test.records...))
		if made != nil || len(faults) == 0 || faults[0].Record != test.index || !strings.Contains(faults[0].Message, test.want) {
			t.Errorf("%s: got %v, want %d: %s", name, faults, test.index, test.want)
		}
	}
}

func TestHostsFiles(t *testing.T) {
	made := table(t, "\xef\xbb\xbf192.0.2.1\tA.example  b\r\n#c\n\n 2001:DB8::1 a.example # x\n::ffff:192.0.2.2 a.example\n0.0.0.0 sink.example\n",
		"b.example A 192.0.2.9")
	for question, want := range map[string]string{
		"a.example A":                "a.example. 300 IN A 192.0.2.1, a.example. 300 IN A 192.0.2.2",
		"a.example AAAA":             "a.example. 300 IN AAAA 2001:db8::1",
		"b A":                        "b. 300 IN A 192.0.2.1",
		"sink.example A":             "sink.example. 300 IN A 0.0.0.0",
		"sink.example AAAA":          "NODATA sink.example.",
		"1.2.0.192.in-addr.arpa PTR": "1.2.0.192.in-addr.arpa. 300 IN PTR a.example.",
		"0.0.0.0.in-addr.arpa PTR":   "",
		"example A":                  "",
		"x.a.example A":              "",
	} {
		name, rtype, _ := strings.Cut(question, " ")
		if got := ask(t, made, name, rtype); got != want {
			t.Errorf("%s: got %q, want %q", question, got, want)
		}
	}
	if at, ok := made.Origin(domain.MustParse("a.example"), dns.TypeAAAA); !ok || at.String() != "hosts:4" {
		t.Errorf("a.example AAAA is from %s", at)
	}
}

func TestLinesOfHostsFilesThatAreSkipped(t *testing.T) {
	h, err := names.ParseHosts("hosts", []byte(strings.Join([]string{
		"127.0.0.1 localhost localhost.localdomain",
		"::1 localhost ip6-localhost ip6-loopback",
		"ff02::1 ip6-allnodes",
		"192.0.2.1 good.example",
		"127.0.1.1 this.example",
		"192.0.2.999 bad.example",
		"  <html>",
		"192.0.2.2",
		"192.0.2.3 a..b *.example . good2.example",
		"192.0.2.4 " + strings.Repeat("a", 70000),
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"5:11 this.example 127.0.1.1 is every client's own machine", "6:1 192.0.2.999 not an address", "7:3 <html> not an address",
		"8:1 192.0.2.2 there is no name", "9:11 a..b two dots", "9:16 *.example want the name of a host", "9:26 . want the name of a host",
		"10:1 192.0.2.4 the line is longer than 65536 octets",
	}
	if h.Rejects != len(want) || len(h.Skipped) != len(want) || h.Names() != 2 {
		t.Fatalf("got %d skipped, %d names: %+v", h.Rejects, h.Names(), h.Skipped)
	}
	for i, s := range h.Skipped {
		if got := fmt.Sprintf("%d:%d %s %s", s.Line, s.Column, s.Text, s.Reason); !strings.HasPrefix(got, want[i]) {
			t.Errorf("got %q, want %q", got, want[i])
		}
	}
}

func TestWhatIsNoHostsFile(t *testing.T) {
	for text, want := range map[string]string{
		"<html>\n<body>":              "no line of it can be used; the first: line 1: not an address",
		"192.0.2.1 a.example\x00":     "NUL octet",
		"a.example 192.0.2.1":         "no line of it can be used",
		"1\x002\x007\x00.\x00":        "NUL octet",
		strings.Repeat("#", 64<<20+1): "more than 64 MiB",
	} {
		if _, err := names.ParseHosts("hosts", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"", "# nothing yet\n", "127.0.0.1 localhost\n"} {
		if h, err := names.ParseHosts("hosts", []byte(text)); err != nil || h.Names() != 0 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAHostsFileOfTooManyNamesIsNotRead(t *testing.T) {
	if raceEnabled {
		t.Skip("there is one goroutine, and it would take long")
	}
	text := []byte(strings.Repeat("192.0.2.1"+strings.Repeat(" a", 1000)+"\n", 1001))
	if _, err := names.ParseHosts("hosts", text); err == nil || !strings.Contains(err.Error(), "more than 1000000 names") {
		t.Errorf("got %v", err)
	}
}

// So with files that are small enough one by one, before all they say is put in order.
func TestHostsFilesOfTooManyNamesMakeNoTable(t *testing.T) {
	var text strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&text, "192.0.2.1 h%d.example\n", i)
	}
	h, err := names.ParseHosts("hosts", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	made, faults := names.New(names.Config{Hosts: slices.Repeat([]*names.Hosts{h}, 51), TTL: ttl})
	want := "the hosts files have 2040000 names, want 2000000 at most"
	if made != nil || len(faults) != 1 || faults[0].Message != want {
		t.Errorf("found %v, want %q", faults, want)
	}
}

func TestANilTableIsEmpty(t *testing.T) {
	var none *names.Table
	name := []byte(domain.MustParse("a.example"))
	if none.Len() != 0 || none.LeadsAway() || none.Exists(name) || none.Look(name, dns.TypeA).Where != names.Nowhere {
		t.Error("a nil table has something")
	}
	if _, ok := none.Origin(domain.MustParse("a.example"), dns.TypeA); ok {
		t.Error("a nil table knows a place")
	}
	if made := table(t, "127.0.0.1 localhost"); made != nil {
		t.Errorf("a table of nothing is %+v", made)
	}
}

// oracle says by RFC 4592 which name of all answers for name: itself, a wildcard or none; and whether name exists.
func oracle(all map[string]bool, name string) (owner string, exists bool) {
	there := func(n string) bool {
		for have := range all {
			if have == n || strings.HasSuffix(have, "."+n) {
				return true
			}
		}
		return false
	}
	if exists = there(name); exists {
		if all[name] {
			return name, true
		}
		return "", true
	}
	for rest := name; ; {
		_, parent, more := strings.Cut(rest, ".")
		if !more {
			return "", false
		}
		if there(parent) {
			if all["*."+parent] {
				return "*." + parent, false
			}
			return "", false
		}
		rest = parent
	}
}

func TestNamesAndWildcardsAgainstAnOracle(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	labels := []string{"a", "b", "ab", "*", "c", "x"}
	random := func() string {
		parts := make([]string, 1+dice.IntN(4))
		for i := range parts {
			parts[i] = labels[dice.IntN(len(labels))]
		}
		return strings.Join(parts, ".")
	}
	for range 300 {
		all := map[string]bool{}
		var records []string
		for range 1 + dice.IntN(12) {
			name := random()
			if name == "*" {
				continue
			}
			all[name] = true
			records = append(records, name+" TXT "+name)
		}
		made := table(t, "", records...)
		for range 100 {
			name := random()
			owner, exists := oracle(all, name)
			want := ""
			if owner != "" {
				want = fmt.Sprintf("%s. 300 IN TXT %q", name, owner)
			}
			if got := ask(t, made, name, "TXT"); got != want {
				t.Fatalf("%v: %s: got %q, want %q", records, name, got, want)
			}
			if got := made.Exists([]byte(domain.MustParse(name))); got != exists {
				t.Fatalf("%v: %s exists: %t, want %t", records, name, got, exists)
			}
		}
	}
}

func TestWhatAnAnswerLeadsTo(t *testing.T) {
	made := table(t, "192.0.2.1 host.example\n2001:db8::1 host.example",
		"www.example CNAME host.example", "svc.example HTTPS 1 Host.example ipv4hint=192.0.2.7 ipv6hint=2001:db8::7", "own.example HTTPS 1 . alpn=h2",
		"mx.example MX 1 host.example", "away.example CNAME Else.example", "mapped.example AAAA ::ffff:192.0.2.8")
	for question, want := range map[string]string{
		"www.example A":       "[host.example] [192.0.2.1]",
		"www.example AAAA":    "[host.example] [2001:db8::1]",
		"svc.example HTTPS":   "[host.example] [192.0.2.7 2001:db8::7]",
		"own.example HTTPS":   "[] []",
		"mx.example MX":       "[] []",
		"away.example A":      "[else.example] []",
		"mapped.example AAAA": "[] [192.0.2.8]",
	} {
		name, rtype, _ := strings.Cut(question, " ")
		found := made.Look([]byte(domain.MustParse(name)), dns.StringToType[rtype])
		wires, addrs := found.Leads(nil, nil)
		got := []string{}
		for _, w := range wires {
			got = append(got, string(domain.AppendText(nil, w)))
		}
		if text := fmt.Sprint(got, " ", addrs); text != want {
			t.Errorf("%s leads to %s, want %s", question, text, want)
		}
	}
}

func TestALargeSetIsCutToWhatTheClientTakes(t *testing.T) {
	var hosts strings.Builder
	for i := range 150 {
		fmt.Fprintf(&hosts, "2001:db8::%x many.example\n", i)
	}
	made := table(t, hosts.String())
	q := query(t, "many.example", dns.TypeAAAA)
	q.Stream = false
	found := made.Look(q.Name, q.Type)
	m := new(dns.Msg)
	if err := m.Unpack(found.Append(nil, q, 0)); err != nil || !m.Truncated || len(m.Answer) != 0 {
		t.Errorf("over UDP: %v, %s", err, m)
	}
	if got := strings.Count(ask(t, made, "many.example", "AAAA"), "AAAA"); got != 100 {
		t.Errorf("over TCP there are %d addresses, want the first 100", got)
	}
}

// large is a hosts file of n names.
func large(n int) string {
	var hosts strings.Builder
	for i := range n {
		fmt.Fprintf(&hosts, "10.%d.%d.%d host-%d.site-%d.corp.example\n", i>>16, i>>8&255, i&255, i, i%97)
	}
	return hosts.String()
}

func TestLookingAllocatesNothing(t *testing.T) {
	made := table(t, large(1000), "www.example CNAME host-5.site-5.corp.example", "*.apps.example A 192.0.2.1")
	buffer := make([]byte, 0, wire.MaxMessage)
	for _, name := range []string{"host-7.site-7.corp.example", "www.example", "x.apps.example", "other.example"} {
		q := query(t, name, dns.TypeA)
		var wires [8][]byte
		var addrs [8]netip.Addr
		if n := testing.AllocsPerRun(100, func() {
			found := made.Look(q.Name, q.Type)
			if found.Where == names.Here {
				found.Leads(wires[:0], addrs[:0])
				found.Append(buffer, q, 30)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

// A hundred thousand hosts must not take more than what a small machine has to spare.
func TestMemoryOfAHundredThousandHosts(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory of its own")
	}
	text := []byte(large(100_000))
	before := heap()
	h, err := names.ParseHosts("hosts", text)
	if err != nil {
		t.Fatal(err)
	}
	made, _ := names.New(names.Config{Hosts: []*names.Hosts{h}, TTL: ttl})
	taken := heap() - before
	runtime.KeepAlive(text)
	if made.Len() != 200_000 {
		t.Fatalf("got %d names, want 200,000", made.Len())
	}
	if perHost := taken / 100_000; perHost > 250 {
		t.Errorf("a host takes %d octets, want at most 250", perHost)
	} else {
		t.Logf("a host takes %d octets", perHost)
	}
	runtime.KeepAlive(made)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkLook(b *testing.B) {
	made := table(b, large(100_000), "*.apps.example A 192.0.2.1")
	buffer := make([]byte, 0, wire.MaxMessage)
	for _, name := range []string{"host-70000.site-63.corp.example", "www.other.example", "x.apps.example"} {
		q := query(b, name, dns.TypeA)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if found := made.Look(q.Name, q.Type); found.Where == names.Here {
					found.Append(buffer, q, 0)
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	text := []byte(large(100_000))
	for b.Loop() {
		h, err := names.ParseHosts("hosts", text)
		if err != nil {
			b.Fatal(err)
		}
		names.New(names.Config{Hosts: []*names.Hosts{h}, TTL: ttl})
	}
}

func TestJoin(t *testing.T) {
	made := table(t, "", "www.example 60 CNAME step.example", "step.example 90 CNAME end.elsewhere.example")
	reply := new(dns.Msg)
	reply.SetQuestion("end.elsewhere.example.", dns.TypeMX)
	reply.Response, reply.AuthenticatedData, reply.Compress = true, true, true
	for _, text := range []string{
		"end.elsewhere.example. 300 IN CNAME mail.elsewhere.example.", "mail.elsewhere.example. 300 IN MX 10 a.mail.elsewhere.example.",
		"mail.elsewhere.example. 300 IN RRSIG MX 8 3 300 20300101000000 20200101000000 1 elsewhere.example. AAAA",
	} {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		reply.Answer = append(reply.Answer, rr)
	}
	soa, _ := dns.NewRR("elsewhere.example. 300 IN SOA a.elsewhere.example. b.elsewhere.example. 1 2 3 4 5")
	reply.Ns = append(reply.Ns, soa)
	reply.SetEdns0(1232, true)
	packed, err := reply.Pack()
	if err != nil {
		t.Fatal(err)
	}
	name := []byte(domain.MustParse("www.example"))
	found := made.Look(name, dns.TypeMX)
	joined, err := found.Join(name, packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wire.ReadMessage(joined); err != nil {
		t.Errorf("what was joined is not sound: %v", err)
	}
	m := new(dns.Msg)
	if err := m.Unpack(joined); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, rr := range slices.Concat(m.Answer, m.Ns) {
		got = append(got, strings.Join(strings.Fields(rr.String()), " "))
	}
	want := []string{
		"www.example. 60 IN CNAME step.example.", "step.example. 90 IN CNAME end.elsewhere.example.",
		"end.elsewhere.example. 300 IN CNAME mail.elsewhere.example.", "mail.elsewhere.example. 300 IN MX 10 a.mail.elsewhere.example.",
		"mail.elsewhere.example. 300 IN RRSIG MX 8 3 300 20300101000000 20200101000000 1 elsewhere.example. AAAA",
		"elsewhere.example. 300 IN SOA a.elsewhere.example. b.elsewhere.example. 1 2 3 4 5",
	}
	if !slices.Equal(got, want) || m.AuthenticatedData || len(m.Extra) != 0 || m.Question[0].Name != "www.example." {
		t.Errorf("got %s", m)
	}
	if _, err := found.Join(name, packed[:20]); err == nil {
		t.Error("half a message was joined")
	}
}

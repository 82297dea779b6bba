//go:build linux

package endtoend

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A validator is an unbound or a named that believes nothing but the root's key:
//
//	client ─▶ validator ─▶ cordon ─▶ nsd │ an unbound that forwards to it ─▶ nsd

// validated are questions and what a validator makes of them: the response code, "secure" for AD, and the data.
var validated = [][2]string{
	{"www.example A", "NOERROR secure 192.0.2.80"},
	{"types.example HTTPS", `NOERROR secure 1 . alpn="h2,h3" ipv4hint="192.0.2.80" ipv6hint="2001:db8::80"`},
	{"types.example TYPE65280", `NOERROR secure \# 4 01020304`},
	{". SOA", "NOERROR secure ns.example. hostmaster.example. 1 3600 1200 604800 3600"},
	{`zero\000octet.example A`, "NOERROR secure 192.0.2.90"},
	{"wWw.ExAmPlE AAAA", "NOERROR secure 2001:db8::80"},
	// What there is not.
	{"nothing.example A", "NXDOMAIN secure"},
	{"a.nothing.example A", "NXDOMAIN secure"},
	{"nothing A", "NXDOMAIN secure"},
	{"www.example MX", "NOERROR secure"},
	{"of.empty.example A", "NOERROR secure"},
	{"nothing.example.net A", "NXDOMAIN secure"},
	{"www.example.net MX", "NOERROR secure"},
	{"of.empty.example.net A", "NOERROR secure"},
	{"www.example.org MX", "NOERROR secure"},
	// Wildcards.
	{"any.wild.example A", "NOERROR secure 192.0.2.85"},
	{"a.b.wild.example TXT", `NOERROR secure "wild"`},
	{"any.wild.example MX", "NOERROR secure"},
	{"there.wild.example TXT", "NOERROR secure"},
	{"x.wildalias.example A", "NOERROR secure www.example. 192.0.2.80"},
	{"any.wild.example.net A", "NOERROR secure 192.0.2.111"},
	{"any.wild.example.net MX", "NOERROR secure"},
	{"any.wild.signed.example A", "NOERROR secure 192.0.2.142"},
	// Aliases and DNAME, into other zones too.
	{"alias9.example A", "NOERROR secure alias8.example. alias7.example. alias6.example. alias5.example. alias4.example. " +
		"alias3.example. alias2.example. alias.example. www.example. 192.0.2.80"},
	{"tonet.example A", "NOERROR secure www.example.net. 192.0.2.110"},
	{"tosigned.example A", "NOERROR secure www.signed.example. 192.0.2.141"},
	{"towild.example A", "NOERROR secure any.wild.example. 192.0.2.85"},
	{"tonothing.example A", "NXDOMAIN secure nothing.example."},
	{"tonetnothing.example A", "NXDOMAIN secure nothing.example.net."},
	{"toempty.example A", "NOERROR secure empty.example."},
	{"www.netree.example A", "NOERROR secure example.net. www.example.net. 192.0.2.110"},
	{"www.undertree.example A", "NOERROR secure under.example. www.under.example. 192.0.2.88"},
	{"totree.example A", "NOERROR secure www.undertree.example. under.example. www.under.example. 192.0.2.88"},
	{"www.tree.example.net A", "NOERROR secure example. www.example. 192.0.2.80"},
	{"any.tree.example A", "NOERROR secure wild.example. any.wild.example. 192.0.2.85"},
	{"nothing.netree.example A", "NXDOMAIN secure example.net. nothing.example.net."},
	// Delegations: signed, not signed, and with NSEC3 that leaves out those that are not signed.
	{"www.signed.example A", "NOERROR secure 192.0.2.141"},
	{"nothing.signed.example A", "NXDOMAIN secure"},
	{"www.unsigned.example A", "NOERROR insecure 192.0.2.141"},
	{"nothing.unsigned.example A", "NXDOMAIN insecure"},
	{"unsigned.example DS", "NOERROR secure"},
	{"www.signed.example.net A", "NOERROR secure 192.0.2.141"},
	{"www.unsigned.example.net A", "NOERROR insecure 192.0.2.141"},
	{"unsigned.example.net DS", "NOERROR secure"},
	{"www.signed.example.org A", "NOERROR secure 192.0.2.141"},
	{"www.unsigned.example.org A", "NOERROR insecure 192.0.2.141"},
	{"unsigned.example.org DS", "NOERROR insecure"},
	{"www.under.of.empty.example.org A", "NOERROR insecure 192.0.2.141"},
	{"nothing.example.org A", "NXDOMAIN insecure"},
	{"any.wild.example.org A", "NOERROR insecure 192.0.2.121"},
	{"tounsigned.example A", "NOERROR insecure www.unsigned.example. 192.0.2.141"},
	{"tocom.example A", "NOERROR insecure www.example.com. 192.0.2.130"},
	{"www.example.com A", "NOERROR insecure 192.0.2.130"},
	{"nothing.example.com A", "NXDOMAIN insecure"},
	// What was changed after it was signed.
	{"www.bogus.example A", "SERVFAIL insecure"},
	{"tobogus.example A", "SERVFAIL insecure"},
}

// What is larger than a datagram.
var validatedLarge = map[string]int{"large.example": 20, "huge.example": 80, "large.example.net": 20}

func TestE2EValidatingClient(t *testing.T) {
	endToEnd(t, "nsd", "unbound", "named", "dnssec-keygen", "dnssec-signzone")
	tree := plantTree(t)
	for name, upstream := range map[string]*dnsServer{"nsd": tree.authority, "unbound": startPlainUnbound(t, tree.authority)} {
		for kind, start := range validators {
			t.Run(kind+" behind cordon behind "+name, func(t *testing.T) {
				c := newCordon(t, []string{upstream.address}, "")
				c.start()
				validatesThrough(t, c, func(size int) validator { return start(t, c, tree, size, nil) })
			})
		}
	}
}

// validatesThrough asks validators that are started one after the other: each of them begins with an empty cache, c only once.
func validatesThrough(t *testing.T, c *cordon, start func(size int) validator) {
	t.Helper()
	for _, round := range []struct {
		cache   string
		size    int     // what the validator takes over UDP, in octets
		streams float64 // how many answers are larger than that, at least
	}{{"empty", 1232, 3}, {"full", 1232, 3}, {"full", 512, 15}} {
		missed, streams := c.count(t, missedMetric), c.count(t, streamsMetric)
		v := start(round.size)
		for _, one := range validated {
			v.wants(t, one[0], one[1])
		}
		for name, records := range validatedLarge {
			v.wantsRecords(t, name, records)
		}
		missed, streams = c.count(t, missedMetric)-missed, c.count(t, streamsMetric)-streams
		t.Logf("cache %s, %d octets: %v questions went to the upstream, %v came over TCP", round.cache, round.size, missed, streams)
		if (missed > 0) != (round.cache == "empty") {
			t.Errorf("%v questions were not in the cache, which was %s", missed, round.cache)
		}
		if streams < round.streams {
			t.Errorf("%v questions came over TCP, want at least %v: nothing was cut", streams, round.streams)
		}
	}
}

// A refusal is not signed, so a validator that knows that the zone above is signed takes it for forged, unless it is told not to
// validate that name.
func TestE2ERefusalBehindAValidator(t *testing.T) {
	endToEnd(t, "nsd", "unbound", "named", "dnssec-keygen", "dnssec-signzone")
	tree := plantTree(t)
	for kind, start := range validators {
		t.Run(kind, func(t *testing.T) {
			c := newCordon(t, []string{tree.authority.address}, "")
			c.start()
			strict := start(t, c, tree, 1232, nil)
			strict.wants(t, "www.tiktok.com A", "SERVFAIL insecure")
			strict.wants(t, "tiktok.com HTTPS", "SERVFAIL insecure")
			strict.wants(t, "www.example A", "NOERROR secure 192.0.2.80")
			told := start(t, c, tree, 1232, []string{"tiktok.com"})
			told.wants(t, "www.tiktok.com A", "NXDOMAIN insecure")
			told.wants(t, "tiktok.com HTTPS", "NXDOMAIN insecure")
			told.wants(t, "www.example A", "NOERROR secure 192.0.2.80")
		})
	}
}

// What tells whether Cordon answered from its cache, and whether it had to cut.
const (
	missedMetric  = `cordon_cache_requests_total{result="miss"}`
	streamsMetric = `cordon_dns_requests_total{family="ipv4",transport="tcp"}`
)

func (c *cordon) count(t *testing.T, metric string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(c.metric(metric), 64)
	if err != nil {
		t.Fatalf("%s: %v", metric, err)
	}
	return n
}

type validator struct{ *dnsServer }

// validators start one that asks c and takes size octets over UDP. What is below the names in except it does not validate.
var validators = map[string]func(t *testing.T, c *cordon, tree *signedTree, size int, except []string) validator{
	"unbound": startValidatingUnbound,
	"named":   startValidatingNamed,
}

func startValidatingUnbound(t *testing.T, c *cordon, tree *signedTree, size int, except []string) validator {
	t.Helper()
	var insecure strings.Builder
	for _, name := range except {
		fmt.Fprintf(&insecure, "domain-insecure: %q\n", name)
	}
	settings := fmt.Sprintf(`
  val-log-level: 2
  module-config: "validator iterator"
  trust-anchor: %q
  edns-buffer-size: %d
  %s`, strings.ReplaceAll(tree.anchor.String(), "\t", " "), size, insecure.String())
	return validator{startUnboundWith(t, fmt.Sprintf("127.0.0.1:%d", c.port), settings, "")}
}

func startValidatingNamed(t *testing.T, c *cordon, tree *signedTree, size int, except []string) validator {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	var insecure strings.Builder
	for _, name := range except {
		fmt.Fprintf(&insecure, "%q;", name)
	}
	conf := fmt.Sprintf(`
options {
	directory %q;
	pid-file none;
	session-keyfile %q;
	listen-on port %d { 127.0.0.1; };
	listen-on-v6 { none; };
	recursion yes;
	dnssec-validation yes;
	validate-except { %s };
	forward only;
	forwarders { 127.0.0.1 port %d; };
	edns-udp-size %d;
};
controls { };
trust-anchors { . static-key %d %d %d %q; };
`, dir, filepath.Join(dir, "session.key"), port, insecure.String(), c.port, size,
		tree.anchor.Flags, tree.anchor.Protocol, tree.anchor.Algorithm, tree.anchor.PublicKey)
	return validator{startServer(t, "named", port, "-4", "-g", "-n", "1", "-c", writeFile(t, conf, dir, "named.conf"))}
}

// ask asks "name type" over TCP, so that whatever is cut is cut between the validator and Cordon.
func (v validator) ask(t *testing.T, question string) *dns.Msg {
	t.Helper()
	name, text, _ := strings.Cut(question, " ")
	rtype, ok := questionType(text)
	if !ok {
		t.Fatalf("%s: no such type", question)
	}
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), rtype)
	m.AuthenticatedData = true
	client := dns.Client{Net: "tcp", Timeout: 10 * time.Second}
	reply, _, err := client.Exchange(m, v.address)
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return reply
}

// questionType is the number of a type by its name, or by its number behind TYPE.
func questionType(text string) (uint16, bool) {
	if t, ok := dns.StringToType[text]; ok {
		return t, true
	}
	number, ok := strings.CutPrefix(text, "TYPE")
	t, err := strconv.ParseUint(number, 10, 16)
	return uint16(t), ok && err == nil
}

// wants checks response code, security and data of the answer to question.
func (v validator) wants(t *testing.T, question, want string) {
	t.Helper()
	reply := v.ask(t, question)
	words := []string{dns.RcodeToString[reply.Rcode], "insecure"}
	if reply.AuthenticatedData {
		words[1] = "secure"
	}
	for _, rr := range reply.Answer {
		words = append(words, recordData(rr))
	}
	if got := strings.Join(words, " "); got != want {
		t.Errorf("%s behind a validator:\n got %s\nwant %s", question, got, want)
	}
}

// recordData is a record without owner, TTL, class and type.
func recordData(rr dns.RR) string {
	fields := strings.SplitN(rr.String(), "\t", 5)
	return fields[len(fields)-1]
}

func (v validator) wantsRecords(t *testing.T, name string, n int) {
	t.Helper()
	if reply := v.ask(t, name+" TXT"); len(reply.Answer) != n || !reply.AuthenticatedData {
		t.Errorf("%s TXT behind a validator: %d records, AD %t; want %d that are secure", name, len(reply.Answer),
			reply.AuthenticatedData, n)
	}
}

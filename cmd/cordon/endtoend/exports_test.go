//go:build linux

package endtoend

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists"
	"cordon/blocklists/domain"
)

// exportPolicy has a policy for each answer that a zone can say, and rules of every form. Its lists overlap.
const exportPolicy = `
timezone: Europe/Brussels
lists:
  - {name: bytedance, source: "builtin:bytedance"}
  - {name: nodata, names: ["=www.tiktok.com", "*.only-below.example", "a.b.tiktokcdn.com", "listed.example"]}
  - {name: nulled, names: ["c.b.tiktokcdn.com", "=only-this.example", "deep.below.listed.example", "other.example"]}
  - {name: networks, source: "file:../networks.txt"}
policies:
  - {name: none, from: 2023-03-10, lists: [nodata], answer: nodata}
  - {name: zero, from: 2023-03-10, lists: [nulled], answer: null-ip}
  - {name: ban, from: 2023-03-10, lists: [bytedance, networks]}
`

var exportNetworks = []string{"192.0.2.128/25", "192.0.2.7", "198.51.100.0/24", "2001:db8:1::/48", "2001:db8:2::1"}

// TestE2EAnotherServerWithTheZone asks some 2000 names on the lists and near them.
func TestE2EAnotherServerWithTheZone(t *testing.T) {
	endToEnd(t, "named", "named-checkzone", "unbound")
	lists := map[string]string{"networks.txt": strings.Join(exportNetworks, "\n")}
	least := map[string]int{"NXDOMAIN": 500, "NODATA": 20, "0.0.0.0": 5, "192.0.2.1": 300}
	askServersWithTheZone(t, exportPolicy, lists, exportQuestions(t), least)
}

// dicePolicy has a list for each answer that a zone can say.
const dicePolicy = `
timezone: Europe/Brussels
lists:
  - {name: nodata, source: "file:../nodata.zone", format: rpz}
  - {name: nulled, source: "file:../nulled.zone", format: rpz}
  - {name: refused, source: "file:../refused.zone", format: rpz}
policies:
  - {name: zero, from: 2023-03-10, lists: [nulled], answer: null-ip}
  - {name: none, from: 2023-03-10, lists: [nodata], answer: nodata}
  - {name: ban, from: 2023-03-10, lists: [refused]}
`

// TestE2EAServerReadsTheZoneAsMeant lets the dice make rules, some of which allow, far down in each other.
func TestE2EAServerReadsTheZoneAsMeant(t *testing.T) {
	endToEnd(t, "named", "named-checkzone", "unbound")
	dice := rand.New(rand.NewPCG(6, 6))
	lists := map[string]string{"nodata.zone": diceList(dice), "nulled.zone": diceList(dice), "refused.zone": diceList(dice)}
	var questions []dns.Question
	for range 1500 {
		questions = append(questions, askFor(diceName(dice), dns.TypeA))
	}
	askServersWithTheZone(t, dicePolicy, lists, questions, map[string]int{"NXDOMAIN": 100, "NODATA": 100, "0.0.0.0": 20, "192.0.2.1": 500})
}

// diceList is a list of 50 rules, as a zone. Each is for a name, for what is below it or for both, and every fourth allows.
func diceList(dice *rand.Rand) string {
	var text strings.Builder
	said := map[domain.Name]bool{}
	for len(said) < 50 {
		name := diceName(dice)
		if said[name] {
			continue
		}
		said[name] = true
		action := []string{".", ".", ".", "rpz-passthru."}[dice.IntN(4)]
		shape := 1 + dice.IntN(3)
		if shape&1 != 0 {
			fmt.Fprintf(&text, "%s CNAME %s\n", name, action)
		}
		if shape&2 != 0 {
			fmt.Fprintf(&text, "*.%s CNAME %s\n", name, action)
		}
	}
	return text.String()
}

// diceName is a name of two to five labels in front of example. Some have octets that a zone file escapes.
func diceName(dice *rand.Rand) domain.Name {
	labels := []domain.Name{"\x01a", "\x01b", "\x02bb", "\x03com", "\x02\x80.", "\x01\x80", "\x03a b"}
	name := domain.MustParse("example")
	for range 2 + dice.IntN(4) {
		name = labels[dice.IntN(len(labels))] + name
	}
	return name
}

// askServersWithTheZone asks Cordon, and two servers that have the zone it exports, and wants the same answers, of each kind at least so
// many.
func askServersWithTheZone(t *testing.T, policy string, lists map[string]string, questions []dns.Question, least map[string]int) {
	t.Helper()
	upstream := startEverything(t)
	c := newCordon(t, []string{upstream}, "policy_dir: policy\n")
	for path, text := range lists {
		writeFile(t, text, c.dir, path)
	}
	writeFile(t, policy, c.dir, "policy", "all.yaml")
	c.start()
	status, text := c.run("export", "rpz", "--config", "cordon.yaml")
	if status != 0 {
		t.Fatalf("cordon export rpz: exit status %d\n%s", status, text)
	}
	zone := writeFile(t, text, c.dir, "rpz.zone")
	want := map[dns.Question]string{}
	for _, q := range questions {
		want[q] = outcome(t, fmt.Sprintf("127.0.0.1:%d", c.port), q)
	}
	for name, server := range map[string]*dnsServer{
		"named": startNamed(t, zone, upstream), "unbound": startUnboundWithZone(t, zone, upstream),
	} {
		t.Run(name, func(t *testing.T) {
			kinds := map[string]int{}
			for _, q := range questions {
				got := outcome(t, server.address, q)
				noHost := want[q] == "0.0.0.0" && got == "NODATA" && strings.Contains(q.Name, `\`) // no server takes an address for it
				if got != want[q] && !noHost {
					t.Errorf("%s %s: %s gives %s, Cordon %s", q.Name, dns.Type(q.Qtype), name, got, want[q])
				}
				kinds[got]++
			}
			for kind, n := range least {
				if kinds[kind] < n {
					t.Errorf("%d answers of %d are %s, want at least %d", kinds[kind], len(questions), kind, n)
				}
			}
			if wrong := server.output.String(); strings.Contains(wrong, "not canonical") || strings.Contains(wrong, "invalid rpz") {
				t.Errorf("%s wants the zone in another form:\n%s", name, lastLines(wrong, 40))
			}
		})
	}
}

// startEverything starts a server that has an address for every name: 192.0.2.1 and 2001:db8::1, or that in the name's first label.
func startEverything(t *testing.T) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		_ = w.WriteMsg(everythingAnswer(q)) // who asked asks again
	})}
	go server.ActivateAndServe() //nolint:errcheck // it ends with the test
	t.Cleanup(func() { _ = server.Shutdown() })
	return conn.LocalAddr().String()
}

func everythingAnswer(q *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	question := q.Question[0]
	header := dns.RR_Header{Name: question.Name, Rrtype: question.Qtype, Class: dns.ClassINET, Ttl: 60}
	first, _, _ := strings.Cut(question.Name, ".")
	address, err := netip.ParseAddr(strings.ReplaceAll(strings.ReplaceAll(first, "-", "."), "_", ":"))
	switch {
	case question.Qtype == dns.TypeA && err == nil && address.Is4():
		m.Answer = []dns.RR{&dns.A{Hdr: header, A: address.AsSlice()}}
	case question.Qtype == dns.TypeA:
		m.Answer = []dns.RR{&dns.A{Hdr: header, A: net.IPv4(192, 0, 2, 1)}}
	case question.Qtype == dns.TypeAAAA && err == nil && address.Is6():
		m.Answer = []dns.RR{&dns.AAAA{Hdr: header, AAAA: address.AsSlice()}}
	case question.Qtype == dns.TypeAAAA:
		m.Answer = []dns.RR{&dns.AAAA{Hdr: header, AAAA: net.ParseIP("2001:db8::1")}}
	default:
		header.Name, header.Rrtype = ".", dns.TypeSOA
		m.Ns = []dns.RR{&dns.SOA{Hdr: header, Ns: "localhost.", Mbox: "nobody.invalid.", Serial: 1, Refresh: 60, Retry: 60, Expire: 60, Minttl: 60}}
	}
	return m
}

// exportQuestions are some 2000 names on the lists of exportPolicy and near them, and names that lead to addresses in and beside its
// networks. What Cordon refuses because a CDN carries it is not among them: a zone can't say that.
func exportQuestions(t *testing.T) []dns.Question {
	t.Helper()
	set := compiled(t,
		blocklists.Source{Name: "bytedance", Source: "builtin:bytedance"},
		blocklists.Source{Name: "other", Inline: []string{
			"www.tiktok.com", "only-below.example", "a.b.tiktokcdn.com", "c.b.tiktokcdn.com", "only-this.example",
			"deep.below.listed.example", "listed.example", "other.example",
		}})
	names := relatives(set)
	dice := rand.New(rand.NewPCG(5, 5))
	dice.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var questions []dns.Question
	for _, name := range names {
		carried := slices.ContainsFunc(set.Match(nil, []byte(name)), func(m blocklists.Match) bool { return m.CDN })
		switch text := name.String(); {
		case carried:
		case strings.HasSuffix(text, "listed.example"), strings.HasSuffix(text, "b.tiktokcdn.com"), strings.HasSuffix(text, "r.example"):
			questions = append(questions, askFor(name, dns.TypeA))
		case len(questions) < 2000:
			questions = append(questions, askFor(name, []uint16{dns.TypeA, dns.TypeA, dns.TypeAAAA, dns.TypeTXT}[dice.IntN(4)]))
		}
	}
	for _, first := range []string{"192-0-2-127", "192-0-2-128", "192-0-2-255", "192-0-2-6", "192-0-2-7", "192-0-2-8", "198-51-100-77"} {
		questions = append(questions, askFor(domain.MustParse(first+".address.example"), dns.TypeA))
	}
	for _, first := range []string{"2001_db8_1__", "2001_db8_1_ffff__1", "2001_db8_2__1", "2001_db8_2__2", "2001_db8_2__"} {
		questions = append(questions, askFor(domain.MustParse(first+".address.example"), dns.TypeAAAA))
	}
	return questions
}

// compiled are lists of names, in place of those of a policy directory.
func compiled(t *testing.T, sources ...blocklists.Source) *blocklists.Set {
	t.Helper()
	var lists []*blocklists.List
	for _, src := range sources {
		l, err := blocklists.Load(t.Context(), src, nil)
		if err != nil {
			t.Fatal(err)
		}
		lists = append(lists, l)
	}
	set, err := blocklists.Compile(lists, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// relatives are the names on the lists of set and others near them, in their order.
func relatives(set *blocklists.Set) []domain.Name {
	all := map[domain.Name]bool{}
	for _, l := range set.Lists() {
		for rule := range l.NameRules() {
			name := rule.Name
			above, _ := name.Parent()
			for _, n := range []domain.Name{
				name, above, "\x03www" + name, "\x01a\x01b" + name, "\x01x" + above,
				domain.Name([]byte{name[0] + 1, 'x'}) + name[1:], name[:len(name)-1] + "\x07example\x00",
			} {
				if n, ok := domain.FromWire([]byte(n)); ok && n != domain.Root {
					all[n] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func askFor(name domain.Name, rtype uint16) dns.Question {
	return dns.Question{Name: dns.Fqdn(name.String()), Qtype: rtype, Qclass: dns.ClassINET}
}

// outcome is what the server at address answers: an address, NODATA, or an RCODE.
func outcome(t *testing.T, address string, q dns.Question) string {
	t.Helper()
	m := new(dns.Msg)
	m.Id, m.RecursionDesired, m.Question = dns.Id(), true, []dns.Question{q}
	client := dns.Client{Timeout: 5 * time.Second}
	reply, _, err := client.Exchange(m, address)
	if err != nil {
		t.Fatalf("%s %s: %v", q.Name, dns.Type(q.Qtype), err)
	}
	i := slices.IndexFunc(reply.Answer, func(rr dns.RR) bool { return rr.Header().Rrtype == q.Qtype })
	switch {
	case reply.Rcode != dns.RcodeSuccess:
		return dns.RcodeToString[reply.Rcode]
	case i < 0:
		return "NODATA"
	default:
		return strings.TrimPrefix(reply.Answer[i].String(), reply.Answer[i].Header().String())
	}
}

func startNamed(t *testing.T, zone, upstream string) *dnsServer {
	t.Helper()
	if path, err := findTool("named-checkzone"); err != nil {
		t.Fatal(err)
	} else if out, err := exec.Command(path, "rpz.cordon.invalid", zone).CombinedOutput(); err != nil {
		t.Fatalf("named-checkzone: %v\n%s", err, out)
	}
	dir, port := t.TempDir(), freePort(t)
	host, upstreamPort, _ := strings.Cut(upstream, ":")
	conf := fmt.Sprintf(`
options {
	directory %q;
	pid-file none;
	session-keyfile %q;
	listen-on port %d { 127.0.0.1; };
	listen-on-v6 { none; };
	recursion yes;
	dnssec-validation no;
	empty-zones-enable no;
	forward only;
	forwarders { %s port %s; };
	response-policy { zone "rpz.cordon.invalid"; } qname-wait-recurse no;
};
controls { };
zone "rpz.cordon.invalid" { type primary; file %q; };
`, dir, filepath.Join(dir, "session.key"), port, host, upstreamPort, zone)
	return startServer(t, "named", port, "-4", "-g", "-n", "1", "-c", writeFile(t, conf, dir, "named.conf"))
}

func startUnboundWithZone(t *testing.T, zone, upstream string) *dnsServer {
	t.Helper()
	return startUnboundWith(t, upstream, `module-config: "respip iterator"`, fmt.Sprintf("rpz:\n  name: rpz.cordon.invalid\n  zonefile: %q", zone))
}

// TestE2EFirewallTakesTheSets loads the script in a network of its own, once and then twice, as it is and with the rules in it.
func TestE2EFirewallTakesTheSets(t *testing.T) {
	endToEnd(t, "nft")
	out, err := cordonCommand(t, nil, "export", "nftables").Output()
	if err != nil {
		t.Fatalf("cordon export nftables: %v", err)
	}
	script := string(out)
	once := firewall(t, script, 1)
	for _, want := range []string{"table inet cordon", "161.117.93.65", "103.136.220.0/23", "2404:9dc0:c002::/48"} {
		if !strings.Contains(once, want) {
			t.Errorf("%q is not in\n%s", want, once)
		}
	}
	if twice := firewall(t, script, 2); twice != once {
		t.Errorf("loaded twice it is\n%s\nnot\n%s", twice, once)
	}
	rules := strings.NewReplacer("#add ", "add ", "#flush ", "flush ").Replace(script)
	once = firewall(t, rules, 1)
	if found := strings.Count(once, "reject"); found != 5 {
		t.Errorf("%d rules refuse, want 5:\n%s", found, once)
	}
	if twice := firewall(t, rules, 2); twice != once {
		t.Errorf("loaded twice with the rules it is\n%s\nnot\n%s", twice, once)
	}
}

// firewall checks the script and loads it so many times in a new network, and returns what is in force there then.
func firewall(t *testing.T, script string, times int) (ruleset string) {
	t.Helper()
	nft, err := findTool("nft")
	if err != nil {
		t.Fatal(err)
	}
	const commands = `"$1" -c -f "$2" && for i in $(seq "$3"); do "$1" -f "$2" || exit; done && "$1" list ruleset`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", commands, "sh", nft, writeFile(t, script, t.TempDir(), "cordon.nft"), strconv.Itoa(times))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("nft: %v\n%s", err, lastLines(string(out), 30))
	}
	return string(out)
}

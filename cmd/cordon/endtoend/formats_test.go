//go:build linux

package endtoend

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

// The tests of this file hold the reading of a format to the server that the format is of: the same file gives the same verdict for
// thousands of names. Behind the servers is one that knows every name, so that NXDOMAIN means the list.

// sample is a list at random, whose names lie above and below each other.
type sample struct {
	chance  *rand.Rand
	blocked []string
	allowed []string
}

func newSample(seed uint64) *sample {
	s := &sample{chance: rand.New(rand.NewPCG(seed, 3))}
	for len(s.blocked) < 400 {
		s.blocked = append(s.blocked, s.name(2, 4))
	}
	for range 120 {
		s.allowed = append(s.allowed, s.name(2, 5))
	}
	slices.Sort(s.blocked)
	slices.Sort(s.allowed)
	s.blocked, s.allowed = slices.Compact(s.blocked), slices.Compact(s.allowed)
	s.blocked = slices.DeleteFunc(s.blocked, func(n string) bool { return slices.Contains(s.allowed, n) })
	return s
}

// name is a name below example of that many labels at the least and at the most.
func (s *sample) name(least, most int) string {
	name := "example"
	for range least + s.chance.IntN(most-least+1) - 1 {
		name = string(rune('a'+s.chance.IntN(12))) + "." + name
	}
	return name
}

// questions are names on the list, around it and anywhere.
func (s *sample) questions() []string {
	var all []string
	for _, n := range slices.Concat(s.blocked, s.allowed) {
		_, parent, _ := strings.Cut(n, ".")
		all = append(all, n, "x."+n, "y.x."+n, "x"+n, strings.ToUpper(n), "x."+parent)
	}
	for len(all) < 5000 {
		all = append(all, s.name(2, 6))
	}
	return all
}

// file is a file with a line for each name, made by one of the two functions.
func (s *sample) file(head string, block, allow func(name string) string) string {
	var b strings.Builder
	b.WriteString(head)
	for _, n := range s.blocked {
		b.WriteString(block(n) + "\n")
	}
	for _, n := range s.allowed {
		b.WriteString(allow(n) + "\n")
	}
	return b.String()
}

// sameVerdicts asks the server, and the list in file as Cordon reads it. skip names what can't be compared.
func sameVerdicts(t *testing.T, s *sample, server *dnsServer, file string, want format.Format, skip func(name string) bool) {
	t.Helper()
	src := blocklists.Source{Name: "sample", Source: "file:" + file, Guards: blocklists.DefaultGuards()}
	list, err := blocklists.Load(t.Context(), src, nil)
	if err != nil {
		t.Fatal(err)
	}
	if list.Format() != want || list.Rejected() > 0 {
		t.Fatalf("it is read as %s with %d entries rejected, want %s and none: %v", list.Format(), list.Rejected(), want, list.Faults())
	}
	set, err := blocklists.Compile([]*blocklists.List{list}, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused, asked, wrong := 0, 0, 0
	client := dns.Client{Timeout: 3 * time.Second}
	for _, name := range s.questions() {
		if skip != nil && skip(strings.ToLower(name)) {
			continue
		}
		reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA), server.address)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		theirs := reply.Rcode == dns.RcodeNameError
		ours := len(set.Match(nil, []byte(domain.MustParse(name)))) > 0
		asked++
		if ours {
			refused++
		}
		if ours != theirs {
			if wrong++; wrong <= 5 {
				t.Errorf("%s: refused by Cordon: %t, by the server: %t", name, ours, theirs)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d verdicts differ", wrong, asked)
	}
	if asked < 3000 || refused < asked/10 || refused > asked*9/10 {
		t.Errorf("of %d names %d are refused: the sample shows little", asked, refused)
	}
	t.Logf("%d names, %d refused by both", asked, refused)
}

func TestE2EUnboundReadsTheSameList(t *testing.T) {
	endToEnd(t, "unbound")
	s := newSample(1)
	dir, port, upstream := t.TempDir(), freePort(t), startEverything(t)
	list := writeFile(t, s.file("server:\n",
		func(n string) string { return fmt.Sprintf("local-zone: %q always_nxdomain", n+".") },
		func(n string) string { return fmt.Sprintf("local-zone: %q always_transparent", n+".") }), dir, "list.conf")
	conf := writeFile(t, fmt.Sprintf("server:\n  interface: 127.0.0.1@%d\n  do-daemonize: no\n  num-threads: 1\n  username: \"\"\n  chroot: \"\"\n"+
		"  directory: %q\n  pidfile: \"\"\n  use-syslog: no\n  module-config: \"iterator\"\n  do-not-query-localhost: no\ninclude: %q\n"+
		"remote-control:\n  control-enable: no\nforward-zone:\n  name: \".\"\n  forward-addr: %s\n",
		port, dir, list, strings.Replace(upstream, ":", "@", 1)), dir, "unbound.conf")
	sameVerdicts(t, s, startServer(t, "unbound", port, "-d", "-c", conf), list, format.Unbound, nil)
}

func TestE2EDnsmasqReadsTheSameList(t *testing.T) {
	endToEnd(t, "dnsmasq")
	s := newSample(2)
	dir, port, upstream := t.TempDir(), freePort(t), startEverything(t)
	even := false
	list := writeFile(t, s.file("# a list\n",
		func(n string) string {
			even = !even
			return map[bool]string{true: "address=/" + n + "/", false: "local=/" + n + "/"}[even]
		},
		func(n string) string { return "server=/" + n + "/#" }), dir, "list.conf")
	server := startServer(t, "dnsmasq", port, "--keep-in-foreground", "--no-hosts", "--no-resolv", "--conf-file="+list, "--pid-file=",
		"--listen-address=127.0.0.1", "--bind-interfaces", fmt.Sprintf("--port=%d", port), "--user=root", "--cache-size=0",
		"--server="+strings.Replace(upstream, ":", "#", 1))
	sameVerdicts(t, s, server, list, format.Dnsmasq, nil)
}

const bindWithPolicy = `
options {
    directory %[1]q;
    listen-on port %[2]d { 127.0.0.1; };
    listen-on-v6 { none; };
    pid-file none;
    session-keyfile none;
    recursion yes;
    allow-query { any; };
    forward only;
    forwarders { 127.0.0.1 port %[3]s; };
    dnssec-validation no;
    qname-minimization off;
    empty-zones-enable no;
    response-policy { zone "rpz.example"; } qname-wait-recurse no;
};
controls { };
zone "rpz.example" { type primary; file "list.zone"; };
`

func TestE2EBindReadsTheSameList(t *testing.T) {
	endToEnd(t, "named")
	s := newSample(3)
	dir, port, upstream := t.TempDir(), freePort(t), startEverything(t)
	both := func(target string) func(string) string {
		return func(n string) string { return fmt.Sprintf("%s CNAME %s\n*.%s CNAME %s", n, target, n, target) }
	}
	head := "$ORIGIN rpz.example.\n$TTL 60\n@ IN SOA ns.example. nobody.invalid. (\n  1 3600 600 86400 60 ) ; one\n@ IN NS ns.example.\n"
	list := writeFile(t, s.file(head, both("."), both("rpz-passthru.")), dir, "list.zone")
	_, upstreamPort, _ := strings.Cut(upstream, ":")
	conf := writeFile(t, fmt.Sprintf(bindWithPolicy, dir, port, upstreamPort), dir, "named.conf")
	server := startServer(t, "named", port, "-g", "-n", "1", "-c", conf)
	sameVerdicts(t, s, server, list, format.RPZ, holes(slices.Concat(s.blocked, s.allowed)))
}

// holes are the names for which a DNS server does not look at a wildcard above, because a name between exists only for the sake of
// names below it (RFC 4592, section 2.2.2). Cordon has no such holes.
func holes(names []string) func(name string) bool {
	listed, between := map[string]bool{}, map[string]bool{}
	for _, n := range names {
		listed[n] = true
		for _, above, ok := strings.Cut(n, "."); ok; _, above, ok = strings.Cut(above, ".") {
			between[above] = true
		}
	}
	return func(name string) bool {
		for above := name; above != ""; _, above, _ = strings.Cut(above, ".") {
			if listed[above] {
				return false
			}
			if between[above] {
				return true
			}
		}
		return false
	}
}

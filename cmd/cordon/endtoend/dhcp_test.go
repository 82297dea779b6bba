//go:build linux

package endtoend

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// dhcpNetwork is a small government. The router has an nsd, which is the world behind Cordon, and runs dnsmasq; kea is a server in the
// network of the ministry of finance. Their files are those of package/dhcp, as they are.
//
//	node1 10.0.0.53, 2001:db8::53 ────── router ── defence  10.10.7.0/24,   2001:db8:10:7::/64    dnsmasq: DHCPv4, DHCPv6, advertisements
//	node2 10.0.1.53, 2001:db8:0:1::53 ──────┤└──── visitors 10.10.200.0/22, 2001:db8:10:200::/64  dnsmasq: DHCPv4, advertisements
//	                                        └───── finance  10.10.1.0/24,   2001:db8:10:1::/64    Kea: DHCPv4, DHCPv6; radvd
type dhcpNetwork struct {
	*machines
	router, kea *machine
	nodes       []*node
}

func agencyPolicy(until time.Time) string {
	return strings.ReplaceAll(`timezone: UTC
lists: [{name: bytedance, source: "builtin:bytedance"}]
policies: [{name: ban, lists: [bytedance]}]
agencies:
  - {name: finance, networks: [10.10.1.0/24, "2001:db8:10:1::/64"], policies: [ban]}
  - {name: defence, networks: [10.10.7.0/24, "2001:db8:10:7::/64"], policies: [ban]}
  - {name: visitors, networks: [10.10.200.0/22, "2001:db8:10:200::/64"], policies: [ban], mode: observe}
exceptions:
  - name: press-desk
    agency: finance
    clients: [10.10.1.42, "2001:db8:10:1::42"]
    reason: "the ministry's own channel"
    approved_by: "head of security"
    until: DATE
  - name: press-phone
    agency: defence
    clients: [10.10.7.42, "2001:db8:10:7::42"]
    reason: "the ministry's own channel"
    approved_by: "head of security"
    until: DATE
`, "DATE", until.Format(time.DateOnly))
}

func newDHCPNetwork(t *testing.T) *dhcpNetwork {
	t.Helper()
	n := &dhcpNetwork{machines: newMachines(t)}
	n.router, n.kea = n.add("router"), n.add("kea")
	n.router.command("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	n.router.bridge("servers1", "10.0.0.1/24", "2001:db8::1/64")
	n.router.bridge("servers2", "10.0.1.1/24", "2001:db8:0:1::1/64")
	n.router.bridge("finance", "10.10.1.1/24", "2001:db8:10:1::1/64")
	n.router.bridge("defence", "10.10.7.1/24", "2001:db8:10:7::1/64")
	n.router.bridge("visitors", "10.10.200.1/22", "2001:db8:10:200::1/64")

	n.router.start("nsd", "-d", "-c", configureNSD(t, testZones(t), 5300, "10.0.0.1"))
	for i, addresses := range [][2]string{{"10.0.0.53/24", "2001:db8::53/64"}, {"10.0.1.53/24", "2001:db8:0:1::53/64"}} {
		node := newNode(n.machines, fmt.Sprintf("node%d", i+1), "10.0.0.1:5300", agencyPolicy(time.Now().AddDate(0, 1, 0)))
		node.plug("eth0", fmt.Sprintf("00:00:5e:00:53:f%d", i+1), n.router, fmt.Sprintf("servers%d", i+1))
		node.address("eth0", addresses[:]...)
		node.routes(fmt.Sprintf("10.0.%d.1", i), strings.Replace(addresses[1], "53/64", "1", 1))
		n.nodes = append(n.nodes, node)
	}
	for _, node := range n.nodes {
		node.serve()
	}

	n.router.install(shipped("dhcp/dnsmasq.conf"), "/etc/dnsmasq.conf")
	n.router.start("dnsmasq", "--keep-in-foreground", "--user=root", "--log-facility=-", "--log-dhcp")
	n.router.install(shipped("dhcp/radvd.conf"), "/etc/radvd.conf")
	n.router.start("radvd", "--nodaemon", "--logmethod=stderr")
	n.kea.plug("finance", "00:00:5e:00:53:12", n.router, "finance")
	n.kea.address("finance", "10.10.1.2/24", "2001:db8:10:1::2/64")
	n.kea.command("mkdir", "-p", "/run/kea", "/var/lib/kea")
	for _, program := range []string{"kea-dhcp4", "kea-dhcp6"} {
		n.kea.install(shipped("dhcp/"+program+".conf"), "/etc/kea/"+program+".conf")
		n.kea.start(program, "-c", "/etc/kea/"+program+".conf")
	}
	return n
}

// stubs are three programs that resolve names for the others of their system. Each client has one of them, and is configured by the
// program that goes with it.
type stubs struct {
	glibc, musl string // a program that asks the stub of its C library, as testdata/resolve.c does
	resolved    string // systemd-resolved, when fetch has ended
	fetch       *child
}

// newStubs builds two of them and begins to fetch the third: systemd-resolved, installed, would take over this system's own resolv.conf.
func newStubs(t *testing.T) *stubs {
	t.Helper()
	dir := t.TempDir()
	s := &stubs{
		glibc: filepath.Join(dir, "resolve-glibc"), musl: filepath.Join(dir, "resolve-musl"),
		resolved: filepath.Join(dir, "lib/systemd/systemd-resolved"),
	}
	fetch := exec.Command("sh", "-c", "apt-get -qq download systemd-resolved && dpkg-deb -x systemd-resolved_*.deb .")
	fetch.Dir = dir
	s.fetch = start(t, "apt-get download systemd-resolved", fetch)
	command(t, "gcc", "-o", s.glibc, "testdata/resolve.c")
	command(t, "musl-gcc", "-static", "-o", s.musl, "testdata/resolve.c")
	return s
}

// dhcpClient is a client in the network of an agency.
type dhcpClient struct {
	*machine
	agency, stub, by string
	resolve          string   // the program that asks
	conf             string   // the file that names the servers
	servers          []string // those that it must get, and no other
	addresses        []string // those that are reserved for it
	banned           bool     // what it asks for of TikTok is refused
}

// Each of these clients must get this. A phone's and a desk's addresses are reserved, and excepted.
var dhcpClients = []struct {
	name, agency, stub, by, hardware string
	banned                           bool
}{
	{"defence1", "defence", "glibc", "DHCPv4", "00:00:5e:00:53:71", true},
	{"defence2", "defence", "musl", "DHCPv6", "00:00:5e:00:53:72", true},
	{"defence3", "defence", "resolved", "both", "00:00:5e:00:53:73", true},
	{"phone", "defence", "glibc", "both", "00:00:5e:00:53:07", false},
	{"finance1", "finance", "glibc", "DHCPv4", "00:00:5e:00:53:11", true},
	{"finance2", "finance", "musl", "DHCPv6", "00:00:5e:00:53:13", true},
	{"finance3", "finance", "resolved", "both", "00:00:5e:00:53:14", true},
	{"desk", "finance", "resolved", "both", "00:00:5e:00:53:01", false},
	{"visitor1", "visitors", "glibc", "DHCPv4", "00:00:5e:00:53:c1", false},
	{"visitor2", "visitors", "musl", "advertisements", "00:00:5e:00:53:c2", false},
	{"visitor3", "visitors", "resolved", "both", "00:00:5e:00:53:c3", false},
}

var reservedAddresses = map[string][]string{
	"phone": {"10.10.7.42", "2001:db8:10:7::42"},
	"desk":  {"10.10.1.42", "2001:db8:10:1::42"},
}

// newClient connects a client, and starts what asks for its addresses.
func (n *dhcpNetwork) newClient(t *testing.T, i int, s *stubs) *dhcpClient {
	t.Helper()
	one := dhcpClients[i]
	c := &dhcpClient{
		machine: n.add(one.name), agency: one.agency, stub: one.stub, by: one.by, banned: one.banned, resolve: s.glibc,
		conf: "/etc/resolv.conf", addresses: reservedAddresses[one.name],
	}
	if c.stub == "musl" {
		c.resolve = s.musl
	}
	four, six := []string{"10.0.0.53", "10.0.1.53"}, []string{"2001:db8::53", "2001:db8:0:1::53"}
	how := map[string][]string{"DHCPv4": {"--ipv4only"}, "DHCPv6": {"--ipv6only"}, "advertisements": {"--ipv6only"}}[c.by]
	c.servers = slices.Concat(map[bool][]string{true: four}[c.by != "DHCPv6" && c.by != "advertisements"], map[bool][]string{true: six}[c.by != "DHCPv4"])
	c.write("hosts: files dns\n", "/etc/nsswitch.conf")
	c.plug("eth0", one.hardware, n.router, c.agency)
	if c.stub == "resolved" {
		c.startResolved(s.resolved, i)
		return c
	}
	c.write("", c.conf)
	c.start(slices.Concat([]string{"dhcpcd", "--nobackground", "--noarp"}, how, []string{"eth0"})...)
	return c
}

// startResolved starts the two programs that are it on a desktop: systemd-networkd, which gets the addresses, and systemd-resolved, at
// which resolv.conf points.
func (c *dhcpClient) startResolved(resolved string, i int) {
	c.t.Helper()
	c.write(fmt.Sprintf("%032x\n", i+1), "/etc/machine-id")
	c.write("[Match]\nName=eth0\n[Network]\nDHCP=yes\n", "/etc/systemd/network/eth0.network")
	c.write("[Resolve]\nFallbackDNS=\n", "/etc/systemd/resolved.conf")
	c.addUser("systemd-resolve", 990)
	c.write("nameserver 127.0.0.53\noptions edns0 trust-ad\n", c.conf) // stub-resolv.conf
	c.conf = "/run/systemd/resolve/resolv.conf"
	c.command("mkdir", "-p", "/run/systemd")
	c.start("/lib/systemd/systemd-networkd")
	c.start(resolved)
}

// nameservers are those that the client was told.
func (c *dhcpClient) nameservers() (servers []string) {
	for line := range strings.Lines(c.read(c.conf)) {
		if server, found := strings.CutPrefix(strings.TrimSpace(line), "nameserver "); found {
			servers = append(servers, server)
		}
	}
	return servers
}

// global are the addresses that others reach it by.
func (c *dhcpClient) global() (addresses []string) {
	for line := range strings.Lines(c.says("ip", "-oneline", "address", "show", "dev", "eth0", "scope", "global")) {
		address, _, _ := strings.Cut(strings.Fields(line)[3], "/")
		addresses = append(addresses, address)
	}
	return addresses
}

// configured waits until the client has what it must get, and nothing else.
func (c *dhcpClient) configured() {
	c.t.Helper()
	families := 1
	if c.by == "both" {
		families = 2
	}
	until(c.t, 30*time.Second, fmt.Sprintf("%s has addresses, and the servers %v", c.name, c.servers), seldom(c.t, func() bool {
		return len(c.global()) >= families && sameSet(c.nameservers(), c.servers)
	}))
	if got := c.global(); c.addresses != nil && !sameSet(got, c.addresses) {
		c.t.Errorf("%s has the addresses %v, want those that are reserved for it, %v", c.name, got, c.addresses)
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// asks has the client's own stub resolve name, and returns what it says, and how long that took.
func (c *dhcpClient) asks(name string) (answer string, took time.Duration) {
	begun := time.Now()
	return strings.Join(strings.Fields(c.says(c.resolve, name)), " "), time.Since(begun)
}

// each runs f for all clients at the same time.
func each(clients []*dhcpClient, f func(c *dhcpClient)) {
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(func() { f(c) })
	}
	group.Wait()
}

// stubQuestions are those of one moment: other names each time, for stubs keep what they heard.
type stubQuestions struct{ when, passing, passed, listed, lifted string }

var (
	withTwoNodes = stubQuestions{"two nodes", "www.example", "192.0.2.80 2001:db8::80", "www.tiktok.com", "198.51.100.17"}
	withOneNode  = stubQuestions{"one node", "plain.example", "192.0.2.81", "v16.tiktokcdn.com", "198.51.100.16"}
)

// wants checks what the client's stub says of a name that passes everywhere, and of a listed one. It asks for both at the same time.
func (c *dhcpClient) wants(t *testing.T, a stubQuestions) {
	t.Helper()
	answers := map[string]string{a.passing: a.passed, a.listed: a.lifted}
	if c.banned {
		answers[a.listed] = "no such name"
	}
	var group sync.WaitGroup
	for name, want := range answers {
		group.Go(func() {
			got, took := c.asks(name)
			if !sameSet(strings.Fields(got), strings.Fields(want)) {
				t.Errorf("%s, %s: the stub says of %s %q, want %q", a.when, c.name, name, got, want)
			}
			t.Logf("%s: %-8s %-8s %-14s %-17s %-23s %v", a.when, c.name, c.stub, c.by, name, got, took.Round(time.Millisecond))
		})
	}
	group.Wait()
}

// Who is told of Cordon by DHCPv4, DHCPv6 or router advertisements is refused, excepted or observed as its agency says, whatever its
// system asks with. An excepted client is one whose addresses are reserved. When one of two nodes is gone, the clients go on.
func TestE2EDHCP(t *testing.T) {
	endToEnd(t, "nsd", "dig", "curl", "ip", "nsenter", "sysctl", "dnsmasq", "kea-dhcp4", "kea-dhcp6", "radvd", "dhcpcd", "gcc", "musl-gcc",
		"apt-get", "dpkg-deb")
	t.Parallel() // most of it is waiting
	s := newStubs(t)
	n := newDHCPNetwork(t)
	defer n.end()
	if status := s.fetch.wait(time.Minute); status != 0 {
		t.Fatalf("systemd-resolved is not fetched: exit status %d", status)
	}
	var clients []*dhcpClient
	for i := range dhcpClients {
		clients = append(clients, n.newClient(t, i, s))
	}
	for _, c := range clients {
		c.configured()
		t.Logf("%-8s %-8s %-14s has %v, asks %v", c.name, c.stub, c.by, c.global(), c.nameservers())
	}
	each(clients, func(c *dhcpClient) { c.wants(t, withTwoNodes) })
	n.counts(t)
	for _, c := range clients {
		for _, server := range c.servers {
			if c.addresses == nil {
				continue
			}
			if got := c.says("dig", "+short", "+tries=1", "@"+server, withTwoNodes.listed); got != withTwoNodes.lifted {
				t.Errorf("%s asks %s: %s", c.name, server, got)
			}
		}
	}

	n.nodes[0].server.kill()
	n.nodes[0].command("ip", "link", "set", "eth0", "down") // nobody says that it is gone
	each(clients, func(c *dhcpClient) { c.wants(t, withOneNode) })
	each(clients, func(c *dhcpClient) {
		if c.stub == "resolved" { // it remembers who did not answer
			got, took := c.asks("later.example")
			if got != "192.0.2.84" {
				t.Errorf("%s: the stub says of later.example %q", c.name, got)
			}
			t.Logf("one node, later: %s after %v", c.name, took.Round(time.Millisecond))
		}
	})
}

// counts checks what both nodes have counted: each agency's own verdicts, and no others.
func (n *dhcpNetwork) counts(t *testing.T) {
	t.Helper()
	counts := map[string]int{}
	for _, node := range n.nodes {
		node.verdicts(counts)
	}
	t.Logf("counted by both nodes: %v", counts)
	var got []string
	for key := range counts {
		got = append(got, key)
	}
	want := []string{"defence except", "defence refuse", "finance except", "finance refuse", "visitors observe"}
	if !sameSet(got, want) {
		t.Errorf("the nodes counted %v, want %v", got, want)
	}
}

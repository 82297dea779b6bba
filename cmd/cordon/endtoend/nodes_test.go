//go:build linux

package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// node is a machine on which Cordon runs as it is installed: /etc/cordon, /var/lib/cordon, /usr/local/bin/cordon, port 53 of all addresses.
type node struct {
	*machine
	server, keepalived *child
}

// newNode makes a node with that policy, which does not serve yet. All programs of its users are in /usr/local/bin and sbin.
func newNode(ms *machines, name, upstream, policy string) *node {
	t := ms.t
	t.Helper()
	n := &node{machine: ms.add(name)}
	n.write("", "/usr/local/lib/cordon") // where the program was built is for one user alone
	n.command("mount", "--bind", programFile(t), "/usr/local/lib/cordon")
	n.write("#!/bin/sh\nGORACE=atexit_sleep_ms=0 exec /usr/local/lib/cordon \"$@\"\n", "/usr/local/bin/cordon")
	if err := os.Chmod(n.path("/usr/local/bin/cordon"), 0o755); err != nil {
		t.Fatal(err)
	}
	n.write(fmt.Sprintf(`listen: {dns: ["0.0.0.0:53", "[::]:53"], admin: "127.0.0.1:9353"}
upstreams: [{address: %q}]
policy_dir: policy
state_dir: /var/lib/cordon
`, upstream), "/etc/cordon/cordon.yaml")
	n.write(policy, "/etc/cordon/policy/policy.yaml")
	n.addUser("cordon", 991)
	return n
}

// serve starts Cordon and waits until it is ready.
func (n *node) serve() {
	n.t.Helper()
	n.server = n.start("cordon", "serve", "--config", "/etc/cordon/cordon.yaml")
	until(n.t, 10*time.Second, n.name+" is ready", seldom(n.t, func() bool {
		if !n.server.running() {
			n.t.Fatalf("%s does not serve:\n%s", n.name, n.server.output.String())
		}
		return n.says("cordon", "healthcheck", "--config", "/etc/cordon") == ""
	}))
}

// verdicts adds to counts, by "agency verdict", what the node has counted.
func (n *node) verdicts(counts map[string]int) {
	n.t.Helper()
	for line := range strings.Lines(n.says("curl", "--silent", "--show-error", "--max-time", "5", "http://127.0.0.1:9353/metrics")) {
		if !strings.HasPrefix(line, "cordon_policy_verdicts_total{") {
			continue
		}
		var count int
		if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' '):], &count); err != nil {
			n.t.Errorf("%v: %s", err, line)
		}
		if count > 0 {
			counts[between(line, `agency="`, `"`)+" "+between(line, `verdict="`, `"`)] += count
		}
	}
}

// shipped is a file that the package has, for hosts around Cordon.
func shipped(path string) string { return filepath.Join("../package", path) }

// site is a network with two nodes, and clients behind its router. The files of the nodes are those of package/nodes, as they are.
//
//	node1 10.0.0.51, 2001:db8::51 ──┬── 10.0.0.1, 2001:db8::1 router 10.10.7.1, 2001:db8:10:7::1 ── client
//	node2 10.0.0.52, 2001:db8::52 ──┘
type site struct {
	*machines
	router, client *machine
	nodes          []*node
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{machines: newMachines(t)}
	s.router, s.client = s.add("router"), s.add("client")
	s.router.command("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	s.router.bridge("servers", "10.0.0.1/24", "2001:db8::1/64")
	s.router.bridge("clients", "10.10.7.1/24", "2001:db8:10:7::1/64")
	s.router.start("nsd", "-d", "-c", configureNSD(t, testZones(t), 5300, "10.0.0.1"))
	s.client.plug("eth0", "00:00:5e:00:53:71", s.router, "clients")
	s.client.address("eth0", "10.10.7.101/24", "2001:db8:10:7::101/64")
	s.client.routes("10.10.7.1", "2001:db8:10:7::1")
	for i := range 2 {
		n := newNode(s.machines, fmt.Sprintf("node%d", i+1), "10.0.0.1:5300", agencyPolicy(time.Now().AddDate(0, 1, 0)))
		n.plug("eth0", fmt.Sprintf("00:00:5e:00:53:f%d", i+1), s.router, "servers")
		n.address("eth0", fmt.Sprintf("10.0.0.5%d/24", i+1), fmt.Sprintf("2001:db8::5%d/64", i+1))
		n.routes("10.0.0.1", "2001:db8::1")
		n.install(shipped("nodes/cordon-answers"), "/usr/local/sbin/cordon-answers")
		s.nodes = append(s.nodes, n)
	}
	for _, n := range s.nodes {
		n.serve()
	}
	return s
}

// answered says whether the client gets answers from all of servers, over UDP and TCP.
func (s *site) answered(servers ...string) bool {
	for _, server := range servers {
		for _, how := range []string{"+notcp", "+tcp"} {
			if s.client.says("dig", "+short", "+tries=1", "+timeout=1", how, "@"+server, "www.example") != "192.0.2.80" {
				return false
			}
		}
	}
	return true
}

// wants checks what the client gets of servers.
func (s *site) wants(servers ...string) {
	s.t.Helper()
	if !s.answered(servers...) {
		s.t.Errorf("%v do not answer", servers)
	}
	for _, server := range servers {
		if r := s.client.says("dig", "+tries=1", "+timeout=1", "@"+server, "www.tiktok.com"); !strings.Contains(r, "status: NXDOMAIN") {
			s.t.Errorf("www.tiktok.com is not refused: %s", r)
		}
	}
}

// has says whether the machine has an address.
func (m *machine) has(address string) bool {
	return strings.Contains(m.says("ip", "-oneline", "address", "show"), " "+address+"/")
}

// Two servers have one address. It goes to the other server when Cordon is killed, when it hangs, and when the server is gone; and it stays
// there when the first is back.
func TestE2EKeepalived(t *testing.T) {
	endToEnd(t, "nsd", "dig", "ip", "nsenter", "sysctl", "keepalived")
	t.Parallel() // most of it is waiting
	s := newSite(t)
	defer s.end()
	service := []string{"10.0.0.53", "2001:db8::53"}
	for _, n := range s.nodes {
		n.install(shipped("nodes/keepalived.conf"), "/etc/keepalived/keepalived.conf")
		n.keepalived = n.start("keepalived", "--dont-fork", "--log-console", "--log-detail")
	}
	// moved waits until to alone has the addresses, and they answer.
	moved := func(why string, from, to *node) {
		t.Helper()
		took := until(t, 30*time.Second, why+": the addresses go to "+to.name, seldom(t, func() bool {
			for _, address := range service {
				if !to.has(address) || from.has(address) {
					return false
				}
			}
			return s.answered(service...)
		}))
		s.wants(service...)
		t.Logf("%s: %s answers after %v", why, to.name, took.Round(10*time.Millisecond))
	}
	until(t, 30*time.Second, "one server has the addresses", seldom(t, func() bool {
		return s.nodes[0].has(service[0]) || s.nodes[1].has(service[0])
	}))
	first, second := s.nodes[0], s.nodes[1]
	if second.has(service[0]) {
		first, second = second, first
	}
	moved("the start", second, first)

	first.server.kill()
	moved("Cordon is killed", first, second)

	skip := len(first.keepalived.output.String())
	first.serve()
	until(t, 30*time.Second, "the first is back", func() bool {
		return strings.Contains(first.keepalived.output.String()[skip:], "Entering BACKUP STATE")
	})
	moved("the first is back", first, second)

	second.server.signal(syscall.SIGSTOP)
	moved("Cordon hangs", second, first)
	second.server.signal(syscall.SIGCONT)
	until(t, 30*time.Second, "the second is back", seldom(t, func() bool { return second.says("cordon-answers") == "" }))

	first.command("ip", "link", "set", "eth0", "down")
	until(t, 30*time.Second, "the second has them again", seldom(t, func() bool { return second.has(service[0]) && s.answered(service...) }))
	s.wants(service...)
}

// routed are the next hops of the router to an address.
func (s *site) routed(address string) (hops []string) {
	words := strings.Fields(s.router.says("ip", "route", "show", address))
	if strings.Contains(address, ":") {
		words = strings.Fields(s.router.says("ip", "-6", "route", "show", address))
	}
	for i, word := range words[:max(0, len(words)-1)] {
		if word == "via" {
			hops = append(hops, words[i+1])
		}
	}
	return hops
}

// routerBIRD is what the router of a site runs: it takes what the servers announce, and shares queries out among them.
const routerBIRD = `
router id 10.0.0.1;
protocol device {}
protocol bfd {}
protocol kernel { ipv4 { export all; }; merge paths on; }
protocol kernel { ipv6 { export all; }; merge paths on; }
template bgp server { local as 64511; bfd on; }
protocol bgp node1v4 from server { neighbor 10.0.0.51 as 64496; ipv4 { import all; export none; }; }
protocol bgp node2v4 from server { neighbor 10.0.0.52 as 64496; ipv4 { import all; export none; }; }
protocol bgp node1v6 from server { neighbor 2001:db8::51 as 64496; ipv6 { import all; export none; }; }
protocol bgp node2v6 from server { neighbor 2001:db8::52 as 64496; ipv6 { import all; export none; }; }
`

// Two servers announce one address. Who does not answer is not announced: killed, hanging, with its script killed, or gone.
func TestE2EAnycast(t *testing.T) {
	endToEnd(t, "nsd", "dig", "ip", "nsenter", "sysctl", "bird", "setpriv")
	t.Parallel() // most of it is waiting
	s := newSite(t)
	defer s.end()
	service := []string{"192.0.2.53", "2001:db8:53::53"}
	s.router.write(routerBIRD, "/etc/bird/bird.conf")
	s.router.startBIRD()
	announce := map[*node]*child{}
	for _, n := range s.nodes {
		n.install(shipped("nodes/bird.conf"), "/etc/bird/bird.conf")
		n.install(shipped("nodes/cordon-announce"), "/usr/local/sbin/cordon-announce")
		n.startBIRD()
		announce[n] = n.announce()
	}
	hops := [][]string{{"10.0.0.51", "10.0.0.52"}, {"2001:db8::51", "2001:db8::52"}} // of IPv4 and IPv6, by node
	// announced waits until the router knows of these nodes and of no other, and they answer.
	announced := func(why string, nodes ...int) {
		t.Helper()
		took := until(t, 30*time.Second, fmt.Sprintf("%s: announced are %v", why, nodes), seldom(t, func() bool {
			for family, address := range service {
				var want []string
				for _, n := range nodes {
					want = append(want, hops[family][n])
				}
				if !sameSet(s.routed(address), want) {
					return false
				}
			}
			return true
		}))
		t.Logf("%s: the router knows after %v", why, took.Round(10*time.Millisecond))
		if len(nodes) == 0 {
			return
		}
		for range 4 { // by other ports, which the router may send to another server
			s.wants(service...)
		}
	}
	announced("the start", 0, 1)
	s.nodes[0].server.kill()
	announced("Cordon is killed", 1)
	s.nodes[0].serve()
	announced("it is back", 0, 1)
	s.nodes[1].server.signal(syscall.SIGSTOP)
	announced("Cordon hangs", 0)
	s.nodes[1].server.signal(syscall.SIGCONT)
	announced("it goes on", 0, 1)
	announce[s.nodes[0]].kill()
	s.nodes[0].command("cordon-announce", "withdraw") // ExecStopPost=
	announced("the script is killed", 1)
	announce[s.nodes[0]] = s.nodes[0].announce()
	announced("it is started again", 0, 1)
	s.nodes[1].command("ip", "link", "set", "eth0", "down")
	announced("the server is gone", 0)
	announce[s.nodes[0]].signal(syscall.SIGTERM)
	announced("the script is stopped")
}

// announce starts the script as its unit does.
func (n *node) announce() *child {
	unit := unitFile(n.t, "nodes/cordon-announce.service")
	capability := "+" + strings.ToLower(strings.TrimPrefix(strings.Join(settings(unit, "AmbientCapabilities"), ""), "CAP_"))
	user := strings.Join(settings(unit, "User"), "")
	return n.start("setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps=-all,"+capability, "--ambient-caps="+capability,
		"--bounding-set=-all,"+capability, "--no-new-privs", "cordon-announce")
}

// systemd reads the unit without a word.
func TestE2EAnnounceUnit(t *testing.T) {
	endToEnd(t, "systemd-analyze")
	dir := t.TempDir()
	for _, name := range []string{"nodes/cordon-announce.service", "cordon.service"} {
		program := regexp.MustCompile(`(?m)^(Exec[A-Za-z]+)=/usr/(local/s)?bin/cordon[a-z-]*`)
		writeFile(t, program.ReplaceAllString(unitFile(t, name), "$1=/bin/true"), dir, filepath.Base(name))
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", filepath.Join(dir, "cordon-announce.service")).CombinedOutput()
	if err != nil || strings.Contains(string(out), dir) {
		t.Errorf("systemd-analyze verify: %v:\n%s", err, out)
	}
}

func (m *machine) startBIRD() {
	m.command("mkdir", "-p", "/run/bird")
	m.start("bird", "-f", "-c", "/etc/bird/bird.conf")
}

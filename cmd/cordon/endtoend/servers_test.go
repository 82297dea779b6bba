//go:build linux

package endtoend

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// dnsServer is a DNS server of Debian's.
type dnsServer struct {
	*child
	address string
}

// startNSD starts an nsd that is the authority for the zones in testdata/zones.
func startNSD(t *testing.T) *dnsServer {
	t.Helper()
	return startAuthority(t, testZones(t))
}

// testZones are the files of the zones in testdata/zones, by their zones.
func testZones(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/zones/*.zone")
	if err != nil || len(files) == 0 {
		t.Fatalf("no zones: %v", err)
	}
	zones := map[string]string{}
	for _, file := range files {
		if file, err = filepath.Abs(file); err != nil {
			t.Fatal(err)
		}
		zones[strings.TrimSuffix(filepath.Base(file), ".zone")] = file
	}
	return zones
}

// startAuthority starts an nsd that is the authority for zones, whose files are their values.
func startAuthority(t *testing.T, zones map[string]string) *dnsServer {
	t.Helper()
	port := freePort(t)
	return startServer(t, "nsd", port, "-d", "-c", configureNSD(t, zones, port, "127.0.0.1"))
}

// configureNSD writes the configuration of an nsd that is asked for zones at the hosts, and returns its path.
func configureNSD(t *testing.T, zones map[string]string, port int, hosts ...string) string {
	t.Helper()
	dir := t.TempDir()
	var conf strings.Builder
	fmt.Fprintf(&conf, `
server:
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: %q
  pidfile: ""
  xfrdfile: ""
  zonelistfile: %q
  rrl-ratelimit: 0
remote-control:
  control-enable: no
`, dir, filepath.Join(dir, "zones.list"))
	for _, host := range hosts {
		fmt.Fprintf(&conf, "server:\n  ip-address: %s@%d\n", host, port)
	}
	for zone, file := range zones {
		fmt.Fprintf(&conf, "zone:\n  name: %q\n  zonefile: %q\n", zone, file)
	}
	return writeFile(t, conf.String(), dir, "nsd.conf")
}

// startUnbound starts an unbound that asks upstream, and logs what it is asked.
func startUnbound(t *testing.T, upstream *dnsServer) *dnsServer {
	t.Helper()
	return startUnboundWith(t, upstream.address, "module-config: \"iterator\"\nlog-queries: yes", "")
}

// startUnboundWith starts an unbound that asks upstream for everything. settings are lines of its section "server", sections are what
// stands behind that.
func startUnboundWith(t *testing.T, upstream, settings, sections string) *dnsServer {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	conf := fmt.Sprintf(`
server:
  interface: 127.0.0.1@%d
  do-daemonize: no
  num-threads: 1
  username: ""
  chroot: ""
  directory: %q
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
%s
remote-control:
  control-enable: no
%s
forward-zone:
  name: "."
  forward-addr: %s
`, port, dir, settings, sections, strings.Replace(upstream, ":", "@", 1))
	return startServer(t, "unbound", port, "-d", "-c", writeFile(t, conf, dir, "unbound.conf"))
}

func startServer(t *testing.T, name string, port int, args ...string) *dnsServer {
	t.Helper()
	path, err := findTool(name)
	if err != nil {
		t.Fatal(err)
	}
	s := &dnsServer{child: start(t, name, exec.Command(path, args...)), address: fmt.Sprintf("127.0.0.1:%d", port)}
	until(t, 10*time.Second, name+" answers", func() bool {
		if !s.running() {
			t.Fatalf("%s does not start", name)
		}
		return s.answers()
	})
	return s
}

// answers says whether the server answers.
func (s *dnsServer) answers() bool {
	m := new(dns.Msg).SetQuestion("ns.example.", dns.TypeA)
	client := dns.Client{Timeout: 500 * time.Millisecond}
	reply, _, err := client.Exchange(m, s.address)
	return err == nil && reply.Rcode == dns.RcodeSuccess
}

// asked is how often unbound was asked for name.
func (s *dnsServer) asked(name string) int {
	return strings.Count(s.output.String(), " "+name+". ")
}

//go:build linux

package endtoend

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostsFile is one that dnsmasq and this program read alike.
const hostsFile = `# the servers of the house
192.0.2.10  intranet.corp.example intranet
192.0.2.11	files.corp.example   # with a tab
192.0.2.12  files.corp.example
2001:db8::10 intranet.corp.example
2001:db8::11 Files.Corp.Example
10.20.30.40 printer.corp.example printer
not-an-address broken.corp.example
10.20.30.41
`

// dnsmasq is what many networks have their names in. Who moves them over gets the same answers.
func TestE2ENamesAsDnsmasqHasThem(t *testing.T) {
	endToEnd(t, "dnsmasq", "nsd", "dig")
	nsd := startNSD(t)
	c := newCordon(t, []string{nsd.address}, "local: {hosts: [house.hosts], records: [www.corp.example CNAME files.corp.example]}\n")
	hosts := writeFile(t, hostsFile, c.dir, "house.hosts")
	port := freePort(t)
	startServer(t, "dnsmasq", port, "--keep-in-foreground", "--no-hosts", "--addn-hosts="+hosts, "--no-resolv", "--conf-file=/dev/null",
		"--pid-file=", "--listen-address=127.0.0.1", "--bind-interfaces", fmt.Sprintf("--port=%d", port), "--user=root", "--cache-size=1000",
		"--cname=www.corp.example,files.corp.example", "--server="+strings.Replace(nsd.address, ":", "#", 1))
	c.start()
	for _, question := range []string{
		"intranet.corp.example A", "intranet A", "intranet.corp.example AAAA", "files.corp.example A", "FILES.corp.example AAAA", "printer A",
		"printer.corp.example A", "www.corp.example A", "www.corp.example CNAME", "10.2.0.192.in-addr.arpa PTR", "12.2.0.192.in-addr.arpa PTR",
		"40.30.20.10.in-addr.arpa PTR", "www.example A",
	} {
		theirs := dig(t, append(strings.Fields(question), "@127.0.0.1", "-p", fmt.Sprint(port))...)
		ours := c.dig(strings.Fields(question)...)
		if got, want := sortedReply(ours), sortedReply(theirs); got != want || ours.status != "NOERROR" || len(ours.answer) == 0 {
			t.Errorf("%s: got %s, dnsmasq says %s", question, got, want)
		}
	}
	c.wants([][2]string{
		{"printer.corp.example AAAA", "NODATA soa=printer.corp.example."},
		{"intranet.corp.example TXT", "NODATA soa=intranet.corp.example."},
		{"41.30.20.10.in-addr.arpa PTR", "NXDOMAIN soa=10.in-addr.arpa."},
	}...)

	// What a program gets by the functions that it asks with.
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", c.port))
	}}
	names, err := resolver.LookupAddr(t.Context(), "2001:db8::10")
	if err != nil || !slices.Equal(names, []string{"intranet.corp.example."}) {
		t.Errorf("2001:db8::10 is %v: %v", names, err)
	}
	addrs, err := resolver.LookupHost(t.Context(), "www.corp.example.")
	slices.Sort(addrs)
	if err != nil || !slices.Equal(addrs, []string{"192.0.2.11", "192.0.2.12", "2001:db8::11"}) {
		t.Errorf("www.corp.example is %v: %v", addrs, err)
	}

	// The file is followed, and held when it is broken.
	c.write(hostsFile+"192.0.2.99 new.corp.example\n", "house.hosts")
	until(t, 10*time.Second, "the new name is answered", func() bool { return c.dig("new.corp.example").String() == "NOERROR A 192.0.2.99" })
	skip := len(c.log())
	c.write("<!DOCTYPE html>\n", "house.hosts")
	c.logs(skip, "held", "house.hosts", "no line of it can be used")
	c.wants([2]string{"new.corp.example", "NOERROR A 192.0.2.99"})
	if got := c.metric("cordon_local_names"); got != "14" {
		t.Errorf("cordon_local_names is %s, want 14", got)
	}
}

// sortedReply is r without the order of its records, which servers change, and in small letters.
func sortedReply(r reply) string {
	var records []string
	for _, line := range r.answer {
		records = append(records, strings.Join(strings.Fields(strings.ToLower(line))[3:], " "))
	}
	slices.Sort(records)
	return r.status + " " + strings.Join(records, ", ")
}

// An Active Directory: its zones, those of its addresses, and what the host itself adds, with servers that tell who was asked.
func TestE2EForwardADomainWithItsNetworks(t *testing.T) {
	endToEnd(t, "nsd", "dig")
	dir := t.TempDir()
	zone := func(origin, records string) string {
		return writeFile(t, "$ORIGIN "+origin+".\n$TTL 300\n@ SOA ns.example. root.example. 1 2 3 4 5\n@ NS ns.example.\n"+records, dir, origin+".zone")
	}
	controller := startAuthority(t, map[string]string{
		"ad.example":          zone("ad.example", "dc1 A 10.0.0.5\n_ldap._tcp.dc._msdcs SRV 0 100 389 dc1\n"),
		"10.in-addr.arpa":     zone("10.in-addr.arpa", "5.0.0 PTR dc1.ad.example.\n"),
		"17.172.in-addr.arpa": zone("17.172.in-addr.arpa", "1.0 PTR lab.ad.example.\n"),
		"example":             zone("example", "ns A 192.0.2.1\n"),
	})
	everything := startNSD(t)
	c := newCordon(t, []string{everything.address}, fmt.Sprintf(`
forward: [{zone: ad.example, networks: [10.0.0.0/8, 172.16.0.0/12], upstreams: [%q]}]
local: {records: [files.example CNAME dc1.ad.example, 9.0.0.10.in-addr.arpa PTR gateway.example]}
`, controller.address))
	c.start()
	c.wants([][2]string{
		{"_ldap._tcp.dc._msdcs.ad.example SRV", "NOERROR SRV 0 100 389 dc1.ad.example."},
		{"-x 10.0.0.5", "NOERROR PTR dc1.ad.example."},
		{"-x 172.17.0.1", "NOERROR PTR lab.ad.example."},
		{"-x 10.0.0.9", "NOERROR PTR gateway.example."},
		{"-x 192.168.0.1", "NXDOMAIN soa=168.192.in-addr.arpa."},
		{"files.example", "NOERROR CNAME dc1.ad.example. A 10.0.0.5"},
	}...)
}

package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// dnsPort is where the servers of resolv.conf listen; the file has no way to say another.
const dnsPort = 53

// ParseResolvConf reads the servers from a resolv.conf(5) file: those of its nameserver lines, in their order, each once, at
// most MaxServers (the C library stops at three). IPv6 addresses may have a zone. Options, search lists, comments, unknown
// words and addresses that do not parse are passed over, as the C library does; a file without any server is an error. A
// server may be this very process: its caller knows what it listens on.
func ParseResolvConf(r io.Reader) ([]netip.AddrPort, error) {
	var servers []netip.AddrPort
	lines := bufio.NewScanner(r)
	for lines.Scan() && len(servers) < MaxServers {
		if addr, ok := nameserver(lines.Text()); ok && !slices.Contains(servers, addr) {
			servers = append(servers, addr)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading resolv.conf: %w", err)
	}
	if len(servers) == 0 {
		return nil, errors.New("reading resolv.conf: no usable nameserver line, want one such as \"nameserver 192.0.2.53\"")
	}
	return servers, nil
}

// nameserver is the server that a line names, if it does. A comment is a line that begins with # or ;, or what follows the
// address.
func nameserver(line string) (netip.AddrPort, bool) {
	words := strings.Fields(line)
	if len(words) < 2 || words[0] != "nameserver" {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddr(words[1])
	if err != nil || !validZone(addr) {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Unmap(), dnsPort), true
}

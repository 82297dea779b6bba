package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Remote is who is sent something: a unix socket, or an address by UDP or TCP. The zero Remote is nobody.
type Remote struct {
	Network string // "unix", "udp" or "tcp"; "" for nobody
	Address string // the path of the socket, or the address with its port
}

// String is the remote as it stands in a file.
func (r Remote) String() string {
	if r.Network == "" {
		return "off"
	}
	return r.Network + ":" + r.Address
}

// parseRemote reads unix: and a path, which is relative to dir, or udp: or tcp: and an address with its port. A name is not enough: it
// would be asked of this server.
func parseRemote(text, dir string) (Remote, error) {
	network, address, _ := strings.Cut(text, ":")
	switch network {
	case "udp", "tcp":
		addr, err := netip.ParseAddrPort(address)
		if err != nil || addr.Port() == 0 || addr.Addr().IsUnspecified() {
			return Remote{}, fmt.Errorf("found %s, want an address with a port such as %s:192.0.2.7:6514 or %s:[2001:db8::7]:6514",
				quote(text), network, network)
		}
		return Remote{Network: network, Address: netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()).String()}, nil
	case "unix":
		socket, err := parseEndpoint(text, dir)
		return Remote{Network: network, Address: socket.Socket}, err
	default:
		return Remote{}, errors.New("found " + quote(text) + ", want unix: and a path, udp: or tcp: and an address with a port, or off")
	}
}

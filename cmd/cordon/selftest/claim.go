package selftest

import (
	"crypto/subtle"
	"net/netip"
)

const (
	secretLen = 16
	ipv4Len   = 4
	ipv6Len   = 16
)

// claim is what a query of ours says that is to be judged as one of client.
func (t *Tester) claim(client netip.Addr) []byte {
	return append(t.secret[:], client.AsSlice()...)
}

// From says whether client is a socket that we have open. It implements listen.Self.
func (t *Tester) From(client netip.AddrPort) bool {
	is := func(socket *netip.AddrPort) bool { return socket != nil && *socket == client }
	return is(t.socket.Load()) || is(t.pulse.Load())
}

// As is the address that a query of client is to be judged as; it is not valid unless the query is ours. It implements listen.Self.
func (t *Tester) As(client netip.AddrPort, claim []byte) netip.Addr {
	if !t.From(client) {
		return netip.Addr{}
	}
	if n := len(claim) - secretLen; n != ipv4Len && n != ipv6Len {
		return netip.Addr{}
	}
	if subtle.ConstantTimeCompare(claim[:secretLen], t.secret[:]) != 1 {
		return netip.Addr{}
	}
	as, _ := netip.AddrFromSlice(claim[secretLen:])
	return as.Unmap()
}

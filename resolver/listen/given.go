package listen

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// adopt puts sockets that are bound already together by their addresses, in the order of the first of each. Several UDP sockets of one
// address have been bound with SO_REUSEPORT by whoever gave them.
func adopt(given []Given) ([]bound, error) {
	var all []bound
	at := func(local net.Addr) (*bound, error) {
		addr, err := netip.ParseAddrPort(local.String())
		if err != nil {
			return nil, fmt.Errorf("listen: found a socket of %s %s, want UDP and TCP", local.Network(), local)
		}
		addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
		i := slices.IndexFunc(all, func(b bound) bool { return b.addr == addr })
		if i < 0 {
			i, all = len(all), append(all, bound{addr: addr})
		}
		return &all[i], nil
	}
	for _, g := range given {
		if err := g.join(at); err != nil {
			return nil, err
		}
	}
	for i := range all {
		if b := &all[i]; len(b.udp) == 0 || b.tcp == nil {
			return nil, fmt.Errorf("listen: of UDP and TCP only one was handed over for %s, want both: ListenDatagram= and ListenStream=",
				b.addr)
		}
	}
	return all, nil
}

// join adds g to the sockets of its address, which is what at finds.
func (g Given) join(at func(net.Addr) (*bound, error)) error {
	if g.UDP != nil {
		b, err := at(g.UDP.LocalAddr())
		if err != nil {
			return err
		}
		b.udp = append(b.udp, g.UDP)
		return equip(g.UDP, b.addr.Addr())
	}
	b, err := at(g.TCP.Addr())
	if err != nil {
		return err
	}
	if b.tcp != nil {
		return fmt.Errorf("listen: found several TCP sockets for %s, want one", b.addr)
	}
	b.tcp = g.TCP
	return nil
}

// equip sets on a socket that is bound to a what ours have before they are bound.
func equip(conn *net.UDPConn, a netip.Addr) error {
	set := control(a, exclusive)
	if set == nil {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		err = set("", "", raw)
	}
	return err
}

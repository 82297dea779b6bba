package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
)

// InUseError says that another server has an address that we are to listen on. It wraps the system's error.
type InUseError struct {
	Network string // "udp" or "tcp"
	Addr    netip.AddrPort
	Err     error
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("listen on %s %s: another server has it already", e.Network, e.Addr)
}

func (e *InUseError) Unwrap() error { return e.Err }

// bound is one address with its sockets.
type bound struct {
	addr netip.AddrPort // with the port that the system chose, if it was to choose
	udp  []*net.UDPConn
	tcp  net.Listener
}

func (b *bound) close() {
	for _, conn := range b.udp {
		_ = conn.Close()
	}
	if b.tcp != nil {
		_ = b.tcp.Close()
	}
}

// bindAll binds addresses, each with up to workers UDP sockets. An address of a family that this host lacks is logged and
// left out (a zero bound), as long as another one works.
func bindAll(addresses []netip.AddrPort, workers int, log *slog.Logger) ([]bound, error) {
	all := make([]bound, len(addresses))
	var lacking error
	working := 0
	for i, addr := range addresses {
		b, err := bind(addr, workers, log)
		switch {
		case err == nil:
			all[i] = b
			working++
		case lacksFamily(addr.Addr(), err):
			log.Warn("host lacks the family of a listen address, left out", "address", addr, "error", err)
			lacking = err
		default:
			closeAll(all)
			return nil, err
		}
	}
	if working == 0 && lacking != nil {
		return nil, lacking
	}
	return all, nil
}

func closeAll(all []bound) {
	for i := range all {
		all[i].close()
	}
}

// lacksFamily says whether err means that the host has no IPv4 or no IPv6. An address that no interface has is a different
// fault, unless it is one that every host with that family has.
func lacksFamily(a netip.Addr, err error) bool {
	everywhere := a.IsUnspecified() || a.IsLoopback() && a.Is6()
	return errors.Is(err, syscall.EAFNOSUPPORT) || everywhere && errors.Is(err, syscall.EADDRNOTAVAIL)
}

// bind binds addr. A port that the system chooses for UDP can be taken for TCP: then it is to choose again.
func bind(addr netip.AddrPort, workers int, log *slog.Logger) (bound, error) {
	tries := 1
	if addr.Port() == 0 {
		tries = 16
	}
	for {
		b, err := bindOnce(addr, workers, log)
		tries--
		var inUse *InUseError
		if tries == 0 || !errors.As(err, &inUse) {
			return b, err
		}
	}
}

// bindOnce binds the first UDP socket and the TCP listener, both exclusively, then the other UDP sockets beside the first.
func bindOnce(addr netip.AddrPort, workers int, log *slog.Logger) (bound, error) {
	first, err := listenUDP(addr, exclusive)
	if err != nil {
		return bound{}, err
	}
	b := bound{addr: localAddr(first.LocalAddr(), addr), udp: []*net.UDPConn{first}}
	if b.tcp, err = listenTCP(b.addr); err != nil {
		b.close()
		return bound{}, err
	}
	if err := b.widen(workers); err != nil {
		log.Warn("an address has fewer sockets than workers", "address", b.addr, "sockets", len(b.udp), "error", err)
	}
	return b, nil
}

// widen opens the first socket's port to workers sockets in all. An error leaves those that could be had.
func (b *bound) widen(workers int) error {
	if workers == 1 || !canShare {
		return nil
	}
	if err := share(b.udp[0]); err != nil {
		return fmt.Errorf("share udp %s: %w", b.addr, err)
	}
	for len(b.udp) < workers {
		conn, err := listenUDP(b.addr, shared)
		if err != nil {
			return err
		}
		b.udp = append(b.udp, conn)
	}
	return nil
}

// mode says whether a socket admits others of our own on its port.
type mode bool

const (
	exclusive mode = false
	shared    mode = true
)

func listenUDP(addr netip.AddrPort, m mode) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: control(addr.Addr(), m)}
	conn, err := config.ListenPacket(context.Background(), network("udp", addr), addr.String())
	if err != nil {
		return nil, bindError("udp", addr, err)
	}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("listen on udp %s: got a %T", addr, conn), conn.Close())
	}
	return udp, nil
}

func listenTCP(addr netip.AddrPort) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1} // a silent connection is closed long before a probe would be sent
	listener, err := config.Listen(context.Background(), network("tcp", addr), addr.String())
	if err != nil {
		return nil, bindError("tcp", addr, err)
	}
	return listener, nil
}

// network names the one family of addr, so that [::] leaves 0.0.0.0 to others.
func network(transport string, addr netip.AddrPort) string {
	if addr.Addr().Is4() {
		return transport + "4"
	}
	return transport + "6"
}

func bindError(transport string, addr netip.AddrPort, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return &InUseError{Network: transport, Addr: addr, Err: err}
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listen on %s %s: %w; a port below 1024 needs CAP_NET_BIND_SERVICE", transport, addr, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listen on %s %s: %w; no interface has this address", transport, addr, err)
	default:
		return fmt.Errorf("listen on %s %s: %w", transport, addr, err)
	}
}

// localAddr is asked with the port of local.
func localAddr(local net.Addr, asked netip.AddrPort) netip.AddrPort {
	if udp, ok := local.(*net.UDPAddr); ok {
		return netip.AddrPortFrom(asked.Addr(), udp.AddrPort().Port())
	}
	return asked
}

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"

	"cordon/cmd/cordon/systemd"
	"cordon/config"
	"cordon/resolver/listen"
)

// handed are the sockets that a service manager has bound for this process. They take the place of the addresses in the service file: those
// for DNS of all that listen.dns has, the other of listen.admin.
type handed struct {
	dns   []listen.Given
	admin net.Listener // nil for none
}

// adminSocket is the FileDescriptorName= of the socket for the admin listener. All others are for DNS.
const adminSocket = "admin"

// takeSockets is what was handed over, nothing for most processes.
func takeSockets() (handed, error) {
	sockets, err := systemd.Sockets()
	if err != nil {
		return handed{}, fmt.Errorf("sockets of the service manager: %w", err)
	}
	var h handed
	for i := range sockets {
		if err := h.add(&sockets[i]); err != nil {
			for j := range sockets {
				_ = sockets[j].Close()
			}
			return handed{}, fmt.Errorf("sockets of the service manager: %w", err)
		}
	}
	return h, nil
}

// say logs what of the service file is not used.
func (h *handed) say(log *slog.Logger) {
	if len(h.dns) > 0 {
		log.Info("the service manager has bound the sockets for DNS: listen.dns is not used", "sockets", len(h.dns))
	}
	if h.admin != nil {
		log.Info("the service manager has bound the admin listener: the address in listen.admin is for commands", "address", h.admin.Addr())
	}
}

// overrule makes the addresses of the sockets those of s, so that a server that is one of its own upstreams is found.
func (h *handed) overrule(s *config.Service) {
	if len(h.dns) == 0 {
		return
	}
	s.Listen.DNS = nil
	for _, g := range h.dns {
		if g.UDP == nil {
			continue // there is one of UDP for each of TCP
		}
		addr, ok := g.UDP.LocalAddr().(*net.UDPAddr)
		at := netip.AddrPortFrom(addr.AddrPort().Addr().Unmap(), addr.AddrPort().Port())
		if ok && !slices.Contains(s.Listen.DNS, at) {
			s.Listen.DNS = append(s.Listen.DNS, at)
		}
	}
}

func (h *handed) add(s *systemd.Socket) error {
	switch {
	case s.Name != adminSocket && s.UDP != nil:
		h.dns = append(h.dns, listen.Given{UDP: s.UDP})
	case s.Name != adminSocket && s.Addr().Network() == "unix":
		return fmt.Errorf("found the unix socket %s, want FileDescriptorName=%s for the admin listener", s.Addr(), adminSocket)
	case s.Name != adminSocket:
		h.dns = append(h.dns, listen.Given{TCP: s.Stream})
	case s.UDP != nil || h.admin != nil:
		return errors.New("the admin listener is one socket, of a ListenStream=")
	default:
		h.admin = s.Stream
	}
	return nil
}

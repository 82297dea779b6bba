package listen_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cordon/resolver/listen"
)

func deadline() time.Time { return time.Now().Add(10 * time.Second) }

func TestConfig(t *testing.T) {
	h := newHandler()
	tests := []struct {
		name   string
		config listen.Config
		want   string // in the error
	}{
		{name: "no handler", config: listen.Config{Addresses: addrs("127.0.0.1:0")}, want: "no handler"},
		{name: "no address", config: listen.Config{Handler: h}, want: "no address"},
		{
			name: "zero address", want: "not set",
			config: listen.Config{Handler: h, Addresses: []netip.AddrPort{{}}},
		},
		{
			name: "the same twice", want: "127.0.0.1:5353 and 127.0.0.1:5353 overlap",
			config: listen.Config{Handler: h, Addresses: addrs("127.0.0.1:5353", "[::ffff:127.0.0.1]:5353")},
		},
		{
			name: "under a wildcard", want: "0.0.0.0:5353 and 127.0.0.1:5353 overlap",
			config: listen.Config{Handler: h, Addresses: addrs("0.0.0.0:5353", "127.0.0.1:5353")},
		},
		{
			name: "too many workers", want: "257 workers",
			config: listen.Config{Handler: h, Addresses: addrs("127.0.0.1:0"), Workers: 257},
		},
		{
			name: "too long batches", want: "batches of 65 datagrams",
			config: listen.Config{Handler: h, Addresses: addrs("127.0.0.1:0"), Batch: 65},
		},
		{
			name: "idle too long", want: "idle time is 31s",
			config: listen.Config{Handler: h, Addresses: addrs("127.0.0.1:0"), Limits: listen.Limits{Idle: 31 * time.Second}},
		},
		{
			name: "negative connections", want: "connections is -1",
			config: listen.Config{Handler: h, Addresses: addrs("127.0.0.1:0"), Limits: listen.Limits{Connections: -1}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := listen.New(test.config)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q, want %q in it", err, test.want)
			}
		})
	}
}

func TestAddressInUse(t *testing.T) {
	t.Run("by another of us", func(t *testing.T) {
		s, _ := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 4, Handler: newHandler()})
		wantInUse(t, s.Addrs()[0], "udp", s.Addrs()[0])
	})
	t.Run("by one that is not yet running", func(t *testing.T) {
		s, err := listen.New(listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 4, Handler: newHandler()})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		wantInUse(t, s.Addrs()[0], "udp", s.Addrs()[0])
	})
	t.Run("under our wildcard", func(t *testing.T) {
		s, _ := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 4, Handler: newHandler()})
		wild := netip.AddrPortFrom(netip.IPv4Unspecified(), s.Addrs()[0].Port())
		wantInUse(t, wild, "udp", wild)
	})
	t.Run("UDP", func(t *testing.T) {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		addr := netip.MustParseAddrPort(conn.LocalAddr().String())
		wantInUse(t, addr, "udp", addr)
	})
	t.Run("TCP", func(t *testing.T) {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		addr := netip.MustParseAddrPort(listener.Addr().String())
		wantInUse(t, addr, "tcp", addr)
		conn, err := net.ListenPacket("udp4", addr.String())
		if err != nil {
			t.Fatalf("the UDP port is still taken after New failed: %v", err)
		}
		_ = conn.Close()
	})
}

// wantInUse tries to listen on addr.
func wantInUse(t *testing.T, addr netip.AddrPort, network string, named netip.AddrPort) {
	t.Helper()
	s, err := listen.New(listen.Config{Addresses: []netip.AddrPort{addr}, Workers: 4, Handler: newHandler()})
	if err == nil {
		s.Close()
		t.Fatalf("New on %v: no error", addr)
	}
	var inUse *listen.InUseError
	if !errors.As(err, &inUse) {
		t.Fatalf("New on %v: error %v, want an *InUseError", addr, err)
	}
	if inUse.Network != network || inUse.Addr != named || !strings.Contains(err.Error(), named.String()) {
		t.Errorf("error %v, want it to name %s %v", err, network, named)
	}
}

func TestServerRunsOnce(t *testing.T) {
	s, err := listen.New(listen.Config{Addresses: addrs("127.0.0.1:0"), Handler: newHandler()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Errorf("first Run: %v", err)
	}
	if err := s.Run(ctx); err == nil {
		t.Error("second Run: no error")
	}
	again, err := listen.New(listen.Config{Addresses: s.Addrs(), Handler: newHandler()})
	if err != nil {
		t.Fatalf("the address is still taken after Run: %v", err)
	}
	again.Close()
	again.Close()
}

func TestSeveralAddresses(t *testing.T) {
	s, _ := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0", "127.0.0.1:0"), Handler: newHandler()})
	if got := s.Addrs(); len(got) != 2 || got[0] == got[1] {
		t.Fatalf("Addrs() = %v, want two ports", got)
	}
	for _, addr := range s.Addrs() {
		conn := dial(t, "udp", addr)
		send(t, conn, query(1, "www.example"))
		receive(t, conn)
	}
}

// It could be a typing error: that is not a family that the host lacks.
func TestAddressOfNoInterface(t *testing.T) {
	if conn, err := net.ListenPacket("udp4", "203.0.113.1:0"); err == nil {
		_ = conn.Close()
		t.Skip("this host binds to any address")
	}
	s, err := listen.New(listen.Config{Addresses: addrs("127.0.0.1:0", "203.0.113.1:0"), Handler: newHandler()})
	if err == nil {
		s.Close()
		t.Fatal("no error")
	}
	if !strings.Contains(err.Error(), "no interface has this address") {
		t.Errorf("error %q, want it to say that no interface has this address", err)
	}
}

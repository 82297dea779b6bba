//go:build !linux

package listen

import (
	"net"
	"net/netip"
	"syscall"
)

// canShare is false: SO_REUSEPORT means something else on most other systems, or spreads nothing.
const canShare = false

func control(netip.Addr, mode) func(network, address string, c syscall.RawConn) error { return nil }

func share(*net.UDPConn) error { return nil }

func newSocket(conn *net.UDPConn, _ netip.Addr, _ int) socket { return newPlainSocket(conn) }

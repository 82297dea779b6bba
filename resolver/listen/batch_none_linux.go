//go:build !amd64 && !arm64

package listen

import (
	"net"
	"net/netip"
)

// newBatchSocket is never ok here: the layout of the system's structures has been checked on amd64 and arm64 only.
func newBatchSocket(*net.UDPConn, netip.Addr, int) (socket, bool) { return nil, false }

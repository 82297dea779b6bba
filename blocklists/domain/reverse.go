package domain

import (
	"net/netip"
	"strconv"
)

// Reverse are the zones in which the addresses of network have their names, in the order of the addresses (RFC 1035, section 3.5; RFC 3596,
// section 2.5). A zone ends at a whole octet of IPv4 and at four bits of IPv6, so a network whose prefix ends elsewhere has several: up to
// 128 of IPv4, up to 8 of IPv6. An address alone has one, which is its name. There is none for a prefix that is not valid.
//
//	10.0.0.0/8      10.in-addr.arpa
//	172.16.0.0/15   16.172.in-addr.arpa, 17.172.in-addr.arpa
//	2001:db8::/32   8.b.d.0.1.0.0.2.ip6.arpa
func Reverse(network netip.Prefix) []Name {
	if !network.IsValid() {
		return nil
	}
	network = network.Masked()
	step, base, suffix := 8, 10, "\x07in-addr\x04arpa\x00"
	if network.Addr().Is6() {
		step, base, suffix = 4, 16, "\x03ip6\x04arpa\x00"
	}
	labels := (network.Bits() + step - 1) / step
	zones := make([]Name, 1<<(labels*step-network.Bits()))
	for i := range zones {
		var buf [MaxWire]byte
		wire := buf[:0]
		for label := labels - 1; label >= 0; label-- {
			part := partOf(network.Addr(), label, step)
			if label == labels-1 {
				part += i // the bits beyond the prefix are 0
			}
			wire = appendNumber(wire, part, base)
		}
		zones[i] = Name(append(wire, suffix...))
	}
	return zones
}

// partOf is the octet, or with step 4 the half of one, number i of addr.
func partOf(addr netip.Addr, i, step int) int {
	octets := addr.AsSlice()
	if step == 8 {
		return int(octets[i])
	}
	if i%2 == 0 {
		return int(octets[i/2] >> 4)
	}
	return int(octets[i/2] & 0xF)
}

// appendNumber appends a label that is a number.
func appendNumber(wire []byte, n, base int) []byte {
	at := len(wire)
	wire = strconv.AppendInt(append(wire, 0), int64(n), base)
	wire[at] = byte(len(wire) - at - 1)
	return wire
}

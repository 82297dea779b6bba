package answer

import (
	"strconv"
	"strings"
)

// reverseZones are the reverse zones of addresses that mean something else in every network: RFC 6303, section 4, RFC 7793
// (shared address space) and RFC 8880, section 7.1 (the addresses of ipv4only.arpa).
func reverseZones() []string {
	zones := []string{
		"0.in-addr.arpa", "127.in-addr.arpa", "10.in-addr.arpa", "168.192.in-addr.arpa", "254.169.in-addr.arpa",
		"2.0.192.in-addr.arpa", "100.51.198.in-addr.arpa", "113.0.203.in-addr.arpa", "255.255.255.255.in-addr.arpa",
		"170.0.0.192.in-addr.arpa", "171.0.0.192.in-addr.arpa",
		zeros(32) + "ip6.arpa", "1." + zeros(31) + "ip6.arpa",
		"d.f.ip6.arpa", "c.f.ip6.arpa",
		"8.e.f.ip6.arpa", "9.e.f.ip6.arpa", "a.e.f.ip6.arpa", "b.e.f.ip6.arpa",
		"8.b.d.0.1.0.0.2.ip6.arpa",
	}
	for i := 16; i <= 31; i++ {
		zones = append(zones, strconv.Itoa(i)+".172.in-addr.arpa")
	}
	for i := 64; i <= 127; i++ {
		zones = append(zones, strconv.Itoa(i)+".100.in-addr.arpa")
	}
	return zones
}

func zeros(n int) string { return strings.Repeat("0.", n) }

// name is the wire form of a plain name that is written in this package.
func name(text string) []byte {
	var wire []byte
	for label := range strings.SplitSeq(text, ".") {
		wire = append(wire, byte(len(label)))
		wire = append(wire, label...)
	}
	return append(wire, 0)
}

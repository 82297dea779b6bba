package format

import (
	"bytes"
	"fmt"
	"net/netip"
)

// readNetwork reads a line of a networks list: "192.0.2.0/24", or "192.0.2.1" for one address, perhaps with a comment.
func readNetwork(line []byte, out *output) {
	text := line
	if comment := bytes.IndexByte(text, '#'); comment >= 0 {
		text = text[:comment]
	}
	field, rest := cutField(text)
	reason := "more than one word on the line: want a single network, a comment begins with #"
	var prefix netip.Prefix
	if len(rest) == 0 {
		prefix, reason = parseNetwork(string(field))
	}
	if reason != "" {
		out.reject(line, reasonFor(text, Networks, reason))
		return
	}
	out.rule(Rule{Prefix: prefix})
}

// parseNetwork reads a prefix or an address. A fault comes back as its reason.
func parseNetwork(text string) (prefix netip.Prefix, reason string) {
	const want = "want a network such as 192.0.2.0/24 or 2001:db8::/32, or one address"
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, "neither a network nor an address, " + want
		}
		if addr.Zone() != "" {
			return netip.Prefix{}, "an address with a zone means something on one machine only, " + want
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), ""
	}
	if addr := prefix.Addr(); addr.Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, "wider than the IPv4-mapped addresses it begins with, " + want
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	if prefix.Bits() == 0 {
		return netip.Prefix{}, "every address there is: a list cannot hold it"
	}
	if masked := prefix.Masked(); masked != prefix {
		return netip.Prefix{}, fmt.Sprintf("bits are set behind the prefix length, want %s", masked)
	}
	return prefix, ""
}

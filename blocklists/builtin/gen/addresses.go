package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// addresses is the list of fixed addresses, each as a network of one address, in the order of the fact base and in that of the
// addresses within each group. What was left out on purpose is said above them.
func addresses(from *addressFacts) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(notice)
	out.WriteString("# title: Fixed addresses of TikTok and ByteDance\n" +
		"# about: Single addresses that the applications use round the DNS, and the public resolver of ByteDance's cloud.\n" +
		"# collateral: Most are rented from Alibaba Cloud and were seen years ago: another customer may have one today.\n")
	for _, left := range from.LeftOut {
		fmt.Fprintf(&out, "# left out: %s, %s.\n", left.Network, left.Why)
	}
	seen := map[netip.Prefix]bool{}
	for _, group := range from.Groups {
		prefixes, err := group.prefixes()
		if err != nil {
			return nil, fmt.Errorf("addresses of %s: %w", group.Use, err)
		}
		fmt.Fprintf(&out, "\n# %s: %s. Seen %s: %s\n", group.Holder, group.Use, group.Date, group.Source)
		for _, prefix := range prefixes {
			if seen[prefix] {
				return nil, fmt.Errorf("addresses of %s: %s stands twice", group.Use, prefix.Addr())
			}
			seen[prefix] = true
			fmt.Fprintln(&out, prefix)
		}
	}
	return out.Bytes(), nil
}

// prefixes is the addresses in their order, as networks.
func (g *addressGroup) prefixes() ([]netip.Prefix, error) {
	if g.Holder == "" || g.Source == "" || g.Date == "" {
		return nil, errors.New("holder, source or date is missing, want all three")
	}
	prefixes := make([]netip.Prefix, 0, len(g.Addresses))
	for _, text := range g.Addresses {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, netip.PrefixFrom(addr, addr.BitLen()))
	}
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	return prefixes, nil
}

package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
)

// ownNetworks reports whether the networks of an autonomous system serve TikTok and ByteDance alone. The others of
// the fact base are the clouds of Volcano Engine and BytePlus: most of what answers there belongs to their customers.
func ownNetworks(asn int) bool {
	return asn == 138699 || asn == 396986
}

// networks is the networks list: IPv4 first, in the order of the addresses within each autonomous system.
func networks(all []network) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(notice)
	out.WriteString("# title: Networks of TikTok and ByteDance\n" +
		"# about: AS138699 and AS396986 only. AS137718 and AS150436 are clouds with many customers and are left out.\n" +
		"# collateral: Addresses change hands: a network that ByteDance gives back stays banned until this list follows.\n")
	for _, system := range all {
		if !ownNetworks(system.ASN) {
			continue
		}
		prefixes, err := sortedPrefixes(system.Prefixes)
		if err != nil {
			return nil, fmt.Errorf("AS%d: %w", system.ASN, err)
		}
		fmt.Fprintf(&out, "\n# AS%d, %s: %s\n", system.ASN, system.Holder, system.Use)
		for _, prefix := range prefixes {
			fmt.Fprintln(&out, prefix)
		}
	}
	return out.Bytes(), nil
}

func sortedPrefixes(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, prefix)
	}
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	return slices.Compact(prefixes), nil
}

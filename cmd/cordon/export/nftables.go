package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strings"

	"cordon/blocklists"
)

// NFTables is a script for nft(8) with two sets, the IPv4 and the IPv6 networks of lists, in one table of family inet, and with rules to
// choose from as comments. It can be loaded again and again. It is only read.
type NFTables struct {
	// Table is the name of the table, for which [CheckTable] has no error.
	Table string
	// Lists are those with the networks, in the order in which a comment names them. Their names are left out.
	Lists []*blocklists.List
}

// nftName is what nft takes for a name without quotes.
var nftName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}$`)

// CheckTable says what is wrong with name for a table, nil if nft takes it without quotes.
func CheckTable(name string) error {
	if nftName.MatchString(name) {
		return nil
	}
	return errors.New("want a letter, then letters, digits and underscores, at most 32 in all")
}

// Write writes the script. There is an error, and nothing is written, if none of the lists has a network or they don't compile together;
// any other is one of w.
func (t NFTables) Write(w io.Writer) error {
	set, err := blocklists.Compile(t.Lists, nil)
	if err != nil {
		return err
	}
	names := make([]string, len(t.Lists))
	for i, l := range t.Lists {
		names[i] = l.Name()
	}
	lists := strings.Join(names, ", ")
	regions := regionsOf(networksOf(t.Lists), func(a netip.Addr) bool { return len(set.MatchAddr(nil, a)) > 0 })
	if len(regions) == 0 {
		return fmt.Errorf("none of the lists has a network: %s", lists)
	}
	return writeNFT(w, t.Table, lists, regions)
}

// nftRules are the example rules, ready to use but for the first address of each kind and the comment signs. TABLE is the table.
const nftRules = `
# Rules to choose from. Take the # off, and put the addresses of your own servers in place of 192.0.2.53 and 2001:db8::53.
# A reject is better than a drop: applications go on at once.

#add chain inet TABLE forward { type filter hook forward priority filter; }
#flush chain inet TABLE forward

# What the applications reach round the DNS.
#add rule inet TABLE forward ip daddr @bytedance4 counter reject with icmpx admin-prohibited
#add rule inet TABLE forward ip6 daddr @bytedance6 counter reject with icmpx admin-prohibited

# DNS (53) and DNS over TLS or QUIC (853) go out from Cordon alone.
#add rule inet TABLE forward ip saddr 192.0.2.53 meta l4proto { tcp, udp } th dport { 53, 853 } accept
#add rule inet TABLE forward ip6 saddr 2001:db8::53 meta l4proto { tcp, udp } th dport { 53, 853 } accept
#add rule inet TABLE forward meta l4proto { tcp, udp } th dport { 53, 853 } counter reject with icmpx admin-prohibited

# DNS over HTTPS looks like any other HTTPS, so it is refused by address. These are in the applications themselves (dns.google); your
# firewall's vendor has lists of more.
#add rule inet TABLE forward ip daddr { 8.8.8.8, 8.8.4.4 } meta l4proto { tcp, udp } th dport 443 counter reject
#add rule inet TABLE forward ip6 daddr { 2001:4860:4860::8888, 2001:4860:4860::8844 } meta l4proto { tcp, udp } th dport 443 counter reject
`

// writeNFT writes the script. One nft -f is one transaction: there is no moment without the networks.
func writeNFT(to io.Writer, table, lists string, regions []region[bool]) error {
	out := bufio.NewWriter(to)
	fmt.Fprintf(out, "#!/usr/sbin/nft -f\n# Made by cordon export nftables of: %s\n\nadd table inet %s\n",
		commentText(lists), table)
	for _, family := range []struct {
		set, kind string
		bits      int
	}{{"bytedance4", "ipv4_addr", 32}, {"bytedance6", "ipv6_addr", 128}} {
		fmt.Fprintf(out, "\nadd set inet %s %s { type %s; flags interval; auto-merge; }\n", table, family.set, family.kind)
		fmt.Fprintf(out, "flush set inet %s %s\n", table, family.set)
		var elements []string
		for _, r := range regions {
			if r.first.BitLen() == family.bits {
				elements = append(elements, nftRange(r))
			}
		}
		if len(elements) > 0 {
			fmt.Fprintf(out, "add element inet %s %s {\n\t%s\n}\n", table, family.set, strings.Join(elements, ",\n\t"))
		}
	}
	fmt.Fprint(out, strings.ReplaceAll(nftRules, "TABLE", table))
	return out.Flush()
}

// nftRange is r as an element of a set: a network where it is one.
func nftRange(r region[bool]) string {
	switch all := r.prefixes(); {
	case r.first == r.last:
		return r.first.String()
	case len(all) == 1:
		return all[0].String()
	default:
		return r.first.String() + "-" + r.last.String()
	}
}

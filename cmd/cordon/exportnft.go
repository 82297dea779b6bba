package main

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/blocklists"
	"cordon/blocklists/builtin"
)

// nftOptions is what export nftables is asked, as it was typed.
type nftOptions struct {
	config, table string
	lists         []string
}

func exportNFTCommand() *cobra.Command {
	var o nftOptions
	cmd := &cobra.Command{
		Use:   "nftables",
		Short: "Write sets of networks for a firewall",
		Long: "Write a script for `nft -f` to standard output, with a set of IPv4 and one of IPv6 networks, and with rules\n" +
			"to choose from, as comments. It can be loaded again and again. Without --list, it has the networks of all bans\n" +
			"in force, and those of builtin:bytedance-networks and builtin:bytedance-addresses.",
		Example: "  cordon export nftables --config /etc/cordon > /etc/nftables.d/cordon.nft\n" +
			"  cordon export nftables --list builtin:bytedance-networks | nft -f -",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := exportNFT(cmd, o); err != nil {
				return fmt.Errorf("export nftables: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "", "the service `FILE`, or the directory that it or a policy is in")
	cmd.Flags().StringArrayVar(&o.lists, "list", nil, "a list to export, by its `NAME` in the policy, or builtin:NAME")
	cmd.Flags().StringVar(&o.table, "table", "cordon", "the `NAME` of the table, of family inet")
	addSettings(cmd, "policy-dir")
	return cmd
}

// nftName is what nft takes for a name without quotes.
var nftName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}$`)

func exportNFT(cmd *cobra.Command, o nftOptions) error {
	if !nftName.MatchString(o.table) {
		return fmt.Errorf("--table %q: want a letter, then letters, digits and underscores, at most 32 in all", o.table)
	}
	in, err := readForExport(cmd, o.config)
	if err != nil {
		return err
	}
	lists, err := o.choose(cmd, in)
	if err != nil {
		return err
	}
	set, err := blocklists.Compile(lists, nil)
	if err != nil {
		return err
	}
	regions := regionsOf(networksOf(lists), func(a netip.Addr) bool { return len(set.MatchAddr(nil, a)) > 0 })
	if len(regions) == 0 {
		return fmt.Errorf("none of the lists has a network: %s", strings.Join(listNames(lists), ", "))
	}
	return writeNFT(cmd.OutOrStdout(), o.table, listNames(lists), regions)
}

// choose are the lists to export, each once.
func (o *nftOptions) choose(cmd *cobra.Command, in *inputs) ([]*blocklists.List, error) {
	wanted, policies := o.lists, in.generation.snapshot
	if len(wanted) == 0 {
		wanted = []string{"builtin:bytedance-networks", "builtin:bytedance-addresses"}
		chosen, err := choosePolicies(policies, nil, time.Now())
		if err == nil { // without a ban in force, these two are all
			for _, p := range chosen {
				wanted = append(wanted, p.Lists...)
			}
		}
	}
	var lists []*blocklists.List
	for _, name := range slices.Compact(slices.Sorted(slices.Values(wanted))) {
		l, err := findList(cmd, in, name)
		if err != nil {
			return nil, err
		}
		if len(o.lists) > 0 || l.Networks() > 0 {
			lists = append(lists, l)
		}
	}
	return lists, nil
}

// findList is the list called name: one of the policy, or one inside the program.
func findList(cmd *cobra.Command, in *inputs, name string) (*blocklists.List, error) {
	all := in.generation.lists
	if i := slices.IndexFunc(all, func(l *blocklists.List) bool { return l.Name() == name }); i >= 0 {
		return all[i], nil
	}
	if _, inside := strings.CutPrefix(name, builtin.Path("")); inside {
		return blocklists.Load(cmd.Context(), blocklists.Source{Name: name, Source: name}, nil)
	}
	return nil, fmt.Errorf("--list %q: there is no such list, want builtin:NAME or one of: %s", name, strings.Join(listNames(all), ", "))
}

func listNames(lists []*blocklists.List) []string {
	names := make([]string, len(lists))
	for i, l := range lists {
		names[i] = l.Name()
	}
	return names
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
func writeNFT(to io.Writer, table string, lists []string, regions []region[bool]) error {
	out := bufio.NewWriter(to)
	fmt.Fprintf(out, "#!/usr/sbin/nft -f\n# Made by cordon export nftables of: %s\n\nadd table inet %s\n",
		commentText(strings.Join(lists, ", ")), table)
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

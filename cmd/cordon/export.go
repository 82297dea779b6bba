package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cordon/blocklists/domain"
	"cordon/cmd/cordon/export"
)

func exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the bans in a form that other programs read",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return fmt.Errorf("export: found %q, want rpz or nftables; `%s --help` has more", args[0], cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(exportRPZCommand(), exportNFTCommand())
	return cmd
}

// rpzOptions is what export rpz is asked, as it was typed.
type rpzOptions struct {
	config, zone string
	policies     []string
	ttl          time.Duration
	serial       uint32
	networks     bool
}

func exportRPZCommand() *cobra.Command {
	var o rpzOptions
	cmd := &cobra.Command{
		Use:   "rpz",
		Short: "Write a response policy zone (RPZ) for another server",
		Long: "Write the bans as a response policy zone to standard output, for BIND, unbound and others. It refuses the names\n" +
			"that Cordon refuses to a client without exceptions, and no others; comments at its top have what it can't say.",
		Example: "  cordon export rpz --config /etc/cordon > rpz.zone\n" +
			"  cordon export rpz --policy nsc-2023-03-10 --zone rpz.ict.example --ttl 1m",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := exportRPZ(cmd, o); err != nil {
				return fmt.Errorf("export rpz: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "", "the service `FILE`, or the directory that it or a policy is in")
	cmd.Flags().StringArrayVar(&o.policies, "policy", nil, "the `NAME` of a policy to export, in force or not (default every ban in force)")
	cmd.Flags().StringVar(&o.zone, "zone", "rpz.cordon.invalid", "the `NAME` of the zone")
	cmd.Flags().DurationVar(&o.ttl, "ttl", 30*time.Second, "how `LONG` clients may keep a refusal")
	cmd.Flags().Uint32Var(&o.serial, "serial", 0, "the `SERIAL` of the zone (default the time of the newest file or boundary, in seconds)")
	cmd.Flags().BoolVar(&o.networks, "networks", true, "also refuse answers with addresses in listed networks")
	addSettings(cmd, "policy-dir")
	return cmd
}

func exportRPZ(cmd *cobra.Command, o rpzOptions) error {
	origin, err := o.origin()
	if err != nil {
		return err
	}
	in, err := readForExport(cmd, o.config)
	if err != nil {
		return err
	}
	snapshot, now := in.generation.snapshot, time.Now()
	chosen, err := choosePolicies(snapshot, o.policies, now)
	if err != nil {
		return err
	}
	if o.serial == 0 {
		o.serial = in.serial(now)
	}
	zone := export.RPZ{
		Origin: origin, TTL: o.ttl, Serial: o.serial,
		Policies: chosen, Lists: in.generation.lists, Networks: o.networks,
		Exceptions: len(snapshot.Exceptions()),
	}
	return zone.Write(cmd.OutOrStdout())
}

// origin is the name of the zone. It checks the TTL too.
func (o *rpzOptions) origin() (domain.Name, error) {
	const longest = 24 * time.Hour
	if o.ttl < time.Second || o.ttl > longest || o.ttl%time.Second != 0 {
		return "", fmt.Errorf("--ttl %v: want whole seconds, from 1s to %v", o.ttl, longest)
	}
	origin, err := domain.Parse(o.zone)
	if err == nil && origin == domain.Root {
		err = errors.New("the root is no name for it, want one such as rpz.ict.example")
	}
	if err != nil {
		return "", fmt.Errorf("--zone: %w", err)
	}
	return origin, nil
}

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

func exportNFT(cmd *cobra.Command, o nftOptions) error {
	if err := export.CheckTable(o.table); err != nil {
		return fmt.Errorf("--table %q: %w", o.table, err)
	}
	in, err := readForExport(cmd, o.config)
	if err != nil {
		return err
	}
	lists, err := chooseLists(cmd, in, o.lists)
	if err != nil {
		return err
	}
	return export.NFTables{Table: o.table, Lists: lists}.Write(cmd.OutOrStdout())
}

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

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
	b, err := newBans(in.generation.lists, chosen)
	if err != nil {
		return err
	}
	if o.serial == 0 {
		o.serial = in.serial(now)
	}
	z := &rpzZone{bans: b, origin: origin, options: o, exceptions: len(snapshot.Exceptions())}
	return z.write(cmd.OutOrStdout())
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

// serial is the Unix time, in seconds, of the newest thing that the bans are made of: the program with its lists, the policy files and
// their directory, list files, and the last moment when a policy began or ended. So it rises with every change.
func (in *inputs) serial(now time.Time) uint32 {
	newest := time.Unix(1, 0)
	note := func(t time.Time) {
		if t.After(newest) && !t.After(now) {
			newest = t
		}
	}
	for _, path := range in.sources() {
		if info, err := os.Stat(path); err == nil { // what has gone since, or is no file, has no time
			note(info.ModTime())
		}
	}
	for _, p := range in.generation.snapshot.Policies() {
		note(p.From)
		note(p.Until)
	}
	return uint32(min(newest.Unix(), math.MaxUint32))
}

// sources are the files that the bans are made of.
func (in *inputs) sources() []string {
	var paths []string
	if program, err := os.Executable(); err == nil {
		paths = append(paths, program)
	}
	if in.service.PolicyDir != "" {
		paths = append(paths, in.service.PolicyDir)
		for _, f := range in.files {
			paths = append(paths, f.Path)
		}
	}
	for i, l := range in.generation.lists {
		paths = append(paths, l.Path())
		if declared := in.generation.set.Lists[i]; declared.Remote() {
			if copied := in.mirrored(declared); copied != nil {
				paths = append(paths, copied.Path)
			}
		}
	}
	return paths
}

// rpzZone is a response policy zone on its way out.
type rpzZone struct {
	bans       *bans
	origin     domain.Name
	options    rpzOptions
	exceptions int
}

func (z *rpzZone) write(to io.Writer) error {
	paths, probe, skipped := listedPaths(z.origin, z.bans.names())
	out := bufio.NewWriterSize(to, 64<<10)
	z.writeHead(out, skipped)
	record := func(owner string, a rpzAction) {
		for _, data := range a.data() {
			fmt.Fprintf(out, "%s\t%s\n", owner, data)
		}
	}
	judge := func(name []byte) rpzAction { return z.bans.ofName(name).action() }
	(&rpzNames{zone: z.origin, judge: judge, write: record, probe: probe}).writeAll(paths)
	if z.options.networks {
		writeNetworks(z.bans, record)
	}
	return out.Flush()
}

// writeHead writes what the zone is and what it leaves out, and the records that every zone has.
func (z *rpzZone) writeHead(out io.Writer, skipped int) {
	say := func(format string, args ...any) { fmt.Fprintf(out, "; "+format+"\n", args...) }
	say("Response policy zone, made by cordon export rpz.")
	for _, p := range z.bans.policies {
		say("Policy %s, in force %s, answer %s", commentText(p.Name), spanText(p.From, p.Until), p.Answer)
		if p.Answer == policy.Refused {
			say("  REFUSED can't be said here: it is NXDOMAIN, or NODATA where that would deny names that pass.")
		}
	}
	say("It holds for everybody who asks the server that loads it. Not in it, because RPZ has no words for it:")
	say("- agencies, and %s", count(z.exceptions, "exception"))
	say("- names in front of a suffix that the customers of a CDN share, such as www.tiktok.com.edgesuite.net: only those that are listed")
	say("- what the HTTPS and SVCB records of an answer lead to")
	if skipped > 0 {
		say("- %s that can't stand in it: too long, with a label *, or below a label that begins with rpz-", count(skipped, "listed name"))
	}
	if !z.options.networks {
		say("- networks: they were not wanted")
	}
	ttl := int(z.options.ttl / time.Second)
	fmt.Fprintf(out, "$TTL %d\n$ORIGIN %s.\n", ttl, z.origin)
	fmt.Fprintf(out, "@\tSOA\tlocalhost. nobody.invalid. %d 300 60 604800 %d\n@\tNS\tlocalhost.\n", z.options.serial, ttl)
}

// writeNetworks calls write for every network that a zone needs to say what b says of addresses in answers. What is refused for its
// answer gets NODATA where a name gets NXDOMAIN, as from Cordon: the name is there.
func writeNetworks(b *bans, write func(owner string, a rpzAction)) {
	networks := networksOf(b.lists)
	for _, r := range regionsOf(networks, func(a netip.Addr) rpzAction { return b.ofAddress(a).action() }) {
		if r.says == rpzNXDomain {
			r.says = rpzNoData
		}
		for _, p := range r.prefixes() {
			write(rpzIP(p), r.says)
		}
	}
}

// networksOf are the networks that lists have rules about.
func networksOf(lists []*blocklists.List) []netip.Prefix {
	var all []netip.Prefix
	for _, l := range lists {
		for rule := range l.NetworkRules() {
			all = append(all, rule.Prefix)
		}
	}
	return all
}

// rpzIP is the owner of the trigger for answers with addresses in p: its length, then the address from its end, where zz stands for the
// first of the longest runs of two zeros or more. BIND takes no other form.
func rpzIP(p netip.Prefix) string {
	words := []string{strconv.Itoa(p.Bits())}
	if octets := p.Addr().AsSlice(); p.Addr().Is4() {
		for _, o := range slices.Backward(octets) {
			words = append(words, strconv.Itoa(int(o)))
		}
	} else {
		words = append(words, rpzIPv6Words(octets)...)
	}
	return strings.Join(append(words, "rpz-ip"), ".")
}

func rpzIPv6Words(octets []byte) []string {
	var words []string
	for i := len(octets) - 2; i >= 0; i -= 2 {
		words = append(words, strconv.FormatUint(uint64(octets[i])<<8|uint64(octets[i+1]), 16))
	}
	begin, longest := 0, 1
	for i := range words {
		zeros := 0
		for i+zeros < len(words) && words[i+zeros] == "0" {
			zeros++
		}
		if zeros > longest {
			begin, longest = i, zeros
		}
	}
	if longest < 2 {
		return words
	}
	return slices.Replace(words, begin, begin+longest, "zz")
}

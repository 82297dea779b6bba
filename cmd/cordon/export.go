package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/resolver/policy"
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

// readForExport is readAll, without faults.
func readForExport(cmd *cobra.Command, path string) (*inputs, error) {
	in, err := readAll(cmd, path)
	if err != nil {
		return nil, err
	}
	if in.generation == nil {
		sayFaults(cmd.ErrOrStderr(), in.faults.Errors())
		return nil, errors.New("the configuration has faults, so nothing is exported")
	}
	for what, h := range in.generation.holds {
		if h.absent {
			return nil, fmt.Errorf("nothing is exported, for a part of it would be missing: %s: %s", what, h.reason)
		}
	}
	in.sayHeld(cmd.ErrOrStderr())
	return in, nil
}

// bans are some policies of a snapshot without agencies and exceptions: what becomes of everybody's names and addresses by them.
type bans struct {
	policies []*policy.Policy   // in the order of the files
	lists    []*blocklists.List // theirs, in the order of the files
	set      *blocklists.Set    // of lists
	first    []int              // by list: index of the first policy that has it
}

// newBans are the bans of chosen policies.
func newBans(all []*blocklists.List, chosen []*policy.Policy) (*bans, error) {
	b := &bans{policies: chosen}
	for _, l := range all {
		i := slices.IndexFunc(chosen, func(p *policy.Policy) bool { return slices.Contains(p.Lists, l.Name()) })
		if i >= 0 {
			b.lists, b.first = append(b.lists, l), append(b.first, i)
		}
	}
	var err error
	b.set, err = blocklists.Compile(b.lists, nil)
	return b, err
}

// names are those that a rule of the lists is about.
func (b *bans) names() map[domain.Name]struct{} {
	names := map[domain.Name]struct{}{}
	for _, l := range b.lists {
		for rule := range l.NameRules() {
			names[rule.Name] = struct{}{}
		}
	}
	return names
}

// choosePolicies are the policies called names; without any, the bans that are in force at now.
func choosePolicies(s *policy.Snapshot, names []string, now time.Time) ([]*policy.Policy, error) {
	var chosen []*policy.Policy
	for _, p := range s.Policies() {
		phase, _ := p.Phase(policy.Instant{Now: now})
		if slices.Contains(names, p.Name) || len(names) == 0 && phase == policy.InForce && !p.Recommendation {
			chosen = append(chosen, p)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(chosen, func(p *policy.Policy) bool { return p.Name == name }) {
			return nil, fmt.Errorf("there is no policy %q, want one of: %s", name, strings.Join(policyNames(s.Policies()), ", "))
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("no ban is in force: name the policy to export with --policy")
	}
	return chosen, nil
}

func policyNames(policies []*policy.Policy) []string {
	names := make([]string, len(policies))
	for i, p := range policies {
		names[i] = p.Name
	}
	return names
}

// ruling is what the bans say of a name or an address.
type ruling struct {
	refused bool
	exact   bool        // the rule is for this one name
	answer  policy.Mode // how it is refused
}

// ofName is the ruling on a name in canonical wire form by rules 1 and 2 of package blocklists: what a CDN carries, rule 3, is
// another name here.
func (b *bans) ofName(name []byte) ruling {
	var buf [8]blocklists.Match
	return b.of(slices.DeleteFunc(b.set.Match(buf[:0], name), func(m blocklists.Match) bool { return m.CDN }))
}

// ofAddress is the ruling on an address in an answer.
func (b *bans) ofAddress(a netip.Addr) ruling {
	var buf [8]blocklists.Match
	return b.of(b.set.MatchAddr(buf[:0], a))
}

// of weighs matches as package policy does: the first policy of the files, by its longest suffix, of the first list.
func (b *bans) of(matches []blocklists.Match) ruling {
	if len(matches) == 0 {
		return ruling{}
	}
	m := slices.MinFunc(matches, func(a, c blocklists.Match) int {
		return cmp.Or(cmp.Compare(b.first[a.List], b.first[c.List]), cmp.Compare(a.Start, c.Start), cmp.Compare(a.List, c.List))
	})
	return ruling{refused: true, exact: m.Exact, answer: b.policies[b.first[m.List]].Answer}
}

// commentText is text as a comment may hold it: one line.
func commentText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

package export

import (
	"cmp"
	"net/netip"
	"slices"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

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

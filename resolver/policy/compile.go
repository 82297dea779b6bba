package policy

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"cordon/blocklists"
)

// Compile makes a Snapshot of c. The error names the first thing that doesn't hold together: a name that is missing, that
// stands twice or that nobody has, a cycle of parents, a network of two agencies or with host bits, a policy without lists, one of
// an agency outside of its Within, an exception without an end, or times in the wrong order. Compile keeps the slices and maps
// inside of c's elements, so they must not change afterwards. It takes no lock and starts nothing.
func Compile(c Config) (*Snapshot, error) {
	set, err := blocklists.Compile(c.Lists, c.Set)
	if err != nil {
		return nil, fmt.Errorf("compiling the lists: %w", err)
	}
	b := builder{Snapshot: &Snapshot{id: c.ID, hash: c.Hash, lists: c.Lists, set: set}}
	for _, step := range []func(Config) error{b.addLists, b.addPolicies, b.addAgencies, b.addExceptions, b.addNetworks} {
		if err := step(c); err != nil {
			return nil, err
		}
	}
	b.changes = schedule(b.Snapshot)
	return b.Snapshot, nil
}

// builder is a Snapshot in the making, with indexes by name.
type builder struct {
	*Snapshot
	listNames, policyNames, agencyNames index
}

func (b *builder) addLists(c Config) error {
	if c.ID == 0 {
		return errors.New("compiling a policy: found snapshot ID 0, want 1 or more")
	}
	b.listNames = newIndex("list")
	for i, l := range c.Lists {
		if err := b.listNames.add(l.Name(), i); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) addPolicies(c Config) error {
	b.policyNames = newIndex("policy")
	for i, p := range c.Policies {
		if err := b.policyNames.add(p.Name, i); err != nil {
			return err
		}
		if err := b.completePolicy(&p, i); err != nil {
			return fmt.Errorf("policy %q: %w", p.Name, err)
		}
		b.policies = append(b.policies, &p)
	}
	return nil
}

func (b *builder) completePolicy(p *Policy, i int) (err error) {
	p.Index = i
	if len(p.Lists) == 0 {
		return errors.New("found no lists, want at least one to ban")
	}
	if p.lists, err = b.listNames.choose(p.Lists); err != nil {
		return err
	}
	if p.Answer > NullIP {
		return fmt.Errorf("found answer mode %d, want one of nxdomain, nodata, refused and null-ip", p.Answer)
	}
	if p.EDE == 0 {
		p.EDE = defaultEDE(p.Answer)
	}
	return checkOrder(p.From, p.Until)
}

// defaultEDE returns Blocked, or Forged Answer where an answer is given all the same (RFC 8914, sections 4.16 and 4.5).
func defaultEDE(m Mode) uint16 {
	if m == NullIP {
		return 4
	}
	return 15
}

func checkOrder(from, until time.Time) error {
	if !until.IsZero() && !from.Before(until) {
		return fmt.Errorf("found the end %s not after the start %s, want it later",
			until.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return nil
}

func (b *builder) addExceptions(c Config) error {
	names := newIndex("exception")
	for i, e := range c.Exceptions {
		if err := names.add(e.Name, i); err != nil {
			return err
		}
		if err := b.completeException(&e, i); err != nil {
			return fmt.Errorf("exception %q: %w", e.Name, err)
		}
		b.exceptions = append(b.exceptions, &e)
	}
	return nil
}

func (b *builder) completeException(e *Exception, i int) (err error) {
	e.Index = i
	owner, err := b.agencyNames.find(e.Agency)
	if err != nil {
		return err
	}
	e.owner = b.agencies[owner]
	if e.policies, err = b.policyNames.choose(e.Policies); err != nil {
		return err
	}
	if e.lists, err = b.listNames.choose(e.Lists); err != nil {
		return err
	}
	if e.Until.IsZero() {
		return errors.New("found no end, want until")
	}
	if len(e.Names) > 0 {
		e.names = make(map[string]struct{}, len(e.Names))
	}
	for _, n := range e.Names {
		if len(n) < 2 {
			return fmt.Errorf("found the name %q, want a name below the root", n.String())
		}
		labels := string(n[:len(n)-1])
		e.names[labels] = struct{}{}
		e.longest = max(e.longest, len(labels))
	}
	return checkOrder(e.From, e.Until)
}

// index finds the place of a name in a slice of the Config.
type index struct {
	what   string
	places map[string]int
}

func newIndex(what string) index { return index{what: what, places: map[string]int{}} }

func (x index) add(name string, place int) error {
	if name == "" {
		return fmt.Errorf("found %s number %d without a name, want one", x.what, place+1)
	}
	if _, twice := x.places[name]; twice {
		return fmt.Errorf("found %s %q twice, want each name once", x.what, name)
	}
	x.places[name] = place
	return nil
}

func (x index) find(name string) (int, error) {
	place, ok := x.places[name]
	if !ok {
		return 0, fmt.Errorf("found %s %q, which there is not, want the name of one", x.what, name)
	}
	return place, nil
}

// choose returns the selection of names; of all that there are or will be if names is empty.
func (x index) choose(names []string) (selection, error) {
	var s selection
	for _, name := range names {
		place, err := x.find(name)
		if err != nil {
			return nil, err
		}
		s = s.with(place)
	}
	return s, nil
}

// selection is a set of places, one bit each; nil is all of them.
type selection []uint64

const wordBits = 64

func (s selection) has(place int) bool {
	if s == nil {
		return true
	}
	w := place / wordBits
	return w < len(s) && s[w]>>(place%wordBits)&1 != 0
}

// with returns s with one more place; the first makes a selection of that one from nil.
func (s selection) with(place int) selection {
	for w := place / wordBits; len(s) <= w; {
		s = append(s, 0)
	}
	s[place/wordBits] |= 1 << (place % wordBits)
	return s
}

// byIndex puts exceptions in the order of the files.
func byIndex(a, b *Exception) int { return cmp.Compare(a.Index, b.Index) }

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// maxDepth is how many agencies can stand above one another.
const maxDepth = 16

// Check finds what is wrong with a whole policy: what needs all of its files to be seen, and what needs Options. A fault is
// Spanning if several files are in it. It does not say again what [ParsePolicy] has found, and draws no conclusions from
// what is missing because of that.
func Check(s *PolicySet, o Options) Faults {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	c := &checker{set: s, options: o}
	c.index()
	c.contents()
	c.sources()
	c.references()
	c.parents()
	c.assignNetworks()
	c.clients()
	c.includes()
	c.delegation()
	c.limits()
	c.warn()
	c.spareOwnerless()
	return c.faults.sorted().bounded().excerpted(texts(s.Files))
}

// checker is one Check.
type checker struct {
	set     *PolicySet
	options Options
	faults  Faults

	files      map[string]*File // by path
	lists      map[string]*List
	policies   map[string]*Policy
	agencies   map[string]*Agency
	exceptions map[string]*Exception
	networks   networkIndex
	granted    networkIndex        // the networks that main files say
	included   map[string]*Include // by path: the first include of each file
	ownerless  map[string]bool     // by path: files whose owner is no agency of a main file
	children   map[string][]*Agency
	forward    prefixSet // the forwarders of all agencies
}

// fault notes a fault at a place. The others are where else it comes from.
func (c *checker) fault(at Pos, others []Pos, format string, args ...any) {
	f := faultAt(at, format, args...)
	for _, o := range others {
		if o.File != at.File && !slices.Contains(f.Files, o.File) {
			f.Files = append(f.Files, o.File)
		}
	}
	if f.Files != nil {
		f.Spanning, f.Files = true, append([]string{at.File}, f.Files...)
	}
	c.faults = append(c.faults, f)
}

// missing notes that something is not there, in no file. With several files any of them may be the one that lacks it; but an owned file
// has to follow the others. Where objects are missing because of faults it may be among those, and nothing is said.
func (c *checker) missing(at Pos, format string, args ...any) {
	if c.set.lost {
		return
	}
	f := faultAt(at, format, args...)
	f.Spanning = len(c.set.Files) > 1
	switch {
	case !f.Spanning:
	case c.owner(at) != "":
		f.Files = []string{at.File}
	default:
		for i := range c.set.Files {
			f.Files = append(f.Files, c.set.Files[i].Path)
		}
	}
	c.faults = append(c.faults, f)
}

// owner is the agency in whose file a place is, "" for a main file.
func (c *checker) owner(at Pos) string { return c.set.Owner(at.File) }

// last sorts the two places of a fault: it is that of the file that comes later in the order of the includes.
func (c *checker) last(a, b Pos) (at, other Pos) {
	if c.order(b) > c.order(a) {
		return b, a
	}
	return a, b
}

func (c *checker) order(at Pos) int {
	if f := c.files[at.File]; f != nil {
		return f.Order
	}
	return 0
}

// index finds every object by its name, and names that are there twice. Those of main files come first, then those of owned ones in the
// order of the includes, so that nobody can take a name away.
func (c *checker) index() {
	c.files = make(map[string]*File)
	for i := range c.set.Files {
		c.files[c.set.Files[i].Path] = &c.set.Files[i]
	}
	c.lists = byName(c, slices.Concat(c.set.Lists, c.set.strays), "list", func(l *List) (string, *Place) { return l.Name, &l.Place })
	c.policies = byName(c, c.set.Policies, "policy", func(p *Policy) (string, *Place) { return p.Name, &p.Place })
	c.agencies = byName(c, c.set.Agencies, "agency", func(a *Agency) (string, *Place) { return a.Name, &a.Place })
	c.exceptions = byName(c, c.set.Exceptions, "exception", func(e *Exception) (string, *Place) { return e.Name, &e.Place })
	c.children = make(map[string][]*Agency)
	for _, a := range c.set.Agencies {
		c.children[a.Parent] = append(c.children[a.Parent], a)
	}
}

func byName[T any](c *checker, all []*T, what string, of func(*T) (string, *Place)) map[string]*T {
	found := make(map[string]*T, len(all))
	for _, one := range all {
		name, place := of(one)
		if first, twice := found[name]; twice {
			_, firstPlace := of(first)
			c.fault(place.At("name"), []Pos{firstPlace.Pos}, "the %s %q is there twice, first at %s", what, name, firstPlace.Pos)
			continue
		}
		found[name] = one
	}
	return found
}

// contents finds a policy that would refuse nothing at all.
func (c *checker) contents() {
	at := Pos{File: "policy"}
	if len(c.set.Files) > 0 {
		at.File = c.set.Files[0].Path
	}
	switch {
	case len(c.set.Files) == 0:
		c.missing(at, "the policy directory has no file *.yaml: nothing would be refused")
	case len(c.set.Policies) == 0:
		c.missing(at, "there is no policy in %s: nothing would be refused", c.theFiles())
	case len(c.set.Lists) == 0:
		c.missing(at, "there is no list in %s: nothing would be refused", c.theFiles())
	}
}

func (c *checker) theFiles() string {
	if n := len(c.set.Files); n > 1 {
		return fmt.Sprintf("any of the %d files", n)
	}
	return "the file"
}

// sources finds what package config can't know of lists by itself: names of built-in ones, and keys, that are none.
func (c *checker) sources() {
	for _, l := range c.set.Lists {
		if kind, name := l.Kind(); kind == Builtin && name != "" && c.options.BuiltinKnown != nil {
			if err := c.options.BuiltinKnown(name); err != nil {
				c.fault(l.At("source"), nil, "source: %s", err)
			}
		}
		if l.SignedBy != "" && c.options.SignatureKey != nil {
			if err := c.options.SignatureKey(l.SignedBy); err != nil {
				c.fault(l.At("signed_by"), nil, "signed_by: %s", err)
			}
		}
	}
}

// references finds names of objects that are not there.
func (c *checker) references() {
	lists, policies, agencies := namesIn(c.lists), namesIn(c.policies), namesIn(c.agencies)
	main := namesIn(c.mainAgencies())
	for _, p := range c.set.Policies {
		c.known(&p.Place, "lists", "list", p.Lists, lists)
		c.known(&p.Place, "exceptions_by", "agency", p.ExceptionsBy, main)
	}
	for _, a := range c.set.Agencies {
		c.known(&a.Place, "policies", "policy", a.Policies, policies)
		c.known(&a.Place, "parent", "agency", given(a.Parent), agencies)
	}
	for _, e := range c.set.Exceptions {
		if e.Agency != DefaultAgency { // that is there for exceptions even if it is not written
			c.known(&e.Place, "agency", "agency", given(e.Agency), agencies)
		}
		c.known(&e.Place, "policies", "policy", e.Policies, policies)
		c.known(&e.Place, "lists", "list", e.Lists, lists)
	}
}

// mainAgencies are the agencies that a main file has, by name.
func (c *checker) mainAgencies() map[string]*Agency {
	main := maps.Clone(c.agencies)
	maps.DeleteFunc(main, func(_ string, a *Agency) bool { return c.owner(a.Pos) != "" })
	return main
}

// names are those of all objects of a kind.
type names struct {
	sorted []string
	has    func(name string) bool
}

func namesIn[T any](m map[string]T) names {
	return names{keys(m), func(name string) bool { _, ok := m[name]; return ok }}
}

// known finds the words under a key that are not the name of an object.
func (c *checker) known(place *Place, key, what string, words []string, objects names) {
	for i, word := range words {
		if !objects.has(word) {
			c.missing(place.AtElement(key, i), "%s", c.unknown(key, what, word, objects))
		}
	}
}

// unknown says that a word is not the name of an object, and which one may be meant.
func (c *checker) unknown(key, what, word string, objects names) string {
	hint := ""
	if len(c.faults) < maxFaults { // finding the nearest one looks at all of them
		hint = didYouMean(word, objects.sorted)
	}
	if hint == "" && len(objects.sorted) > 0 && len(objects.sorted) <= 8 {
		hint = ": known are " + enumerate("and", objects.sorted)
	}
	return fmt.Sprintf("%s: there is no %s %s%s", key, what, quote(word), hint)
}

// parents finds agencies that are above themselves, once a circle, and ones with too many above them.
func (c *checker) parents() {
	told := make(map[*Agency]bool)
	for _, a := range c.set.Agencies {
		line := c.lineage(a)
		last := line[len(line)-1]
		above, there := c.agencies[last.Parent]
		switch {
		case !there:
		case len(line) > maxDepth:
			c.fault(a.At("parent"), positions(line), "agency %q has more than %d agencies above it", a.Name, maxDepth)
		case above == a && !told[a]:
			for _, member := range line {
				told[member] = true
			}
			c.fault(c.latest(line).At("parent"), positions(line), "agency %q is above itself: %s", a.Name, circle(line))
		}
	}
}

// latest is the agency whose file comes last in the order of the includes, the first of those.
func (c *checker) latest(agencies []*Agency) *Agency {
	return slices.MaxFunc(agencies, func(a, b *Agency) int { return c.order(a.Pos) - c.order(b.Pos) })
}

// lineage is an agency and those above it, nearest first. It ends before an agency would be there twice, and beyond
// maxDepth.
func (c *checker) lineage(a *Agency) []*Agency {
	line := []*Agency{a}
	for len(line) <= maxDepth {
		above, ok := c.agencies[line[len(line)-1].Parent]
		if !ok || slices.Contains(line, above) {
			break
		}
		line = append(line, above)
	}
	return line
}

// circle shows agencies whose last has the first as its parent.
func circle(line []*Agency) string {
	var b strings.Builder
	for _, a := range line {
		b.WriteString(a.Name + " has the parent ")
	}
	return b.String() + line[0].Name
}

func positions(agencies []*Agency) []Pos {
	all := make([]Pos, 0, len(agencies))
	for _, a := range agencies {
		all = append(all, a.Pos)
	}
	return all
}

func keys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// given is a name that may be left out, as a list.
func given(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

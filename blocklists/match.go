package blocklists

import "slices"

// Match is one list that holds a name or an address.
type Match struct {
	List  int  // index of the list in the slice given to Compile
	Start int  // octet of the looked-up name where the listed name begins; 0 for an address
	End   int  // octet where it ends: that of the root label or, with CDN, of what stands behind it; 0 for an address
	Line  int  // line of the rule in its source, from 1
	CDN   bool // the name is <listed name>.<shared CDN suffix>
	Exact bool // names below the looked-up one may exist and pass: the rule is for it alone, or the list allows some of them

	allows bool // only on the way: the list allows the name by the rule that would be reported
}

// Match appends the lists that block name to dst and returns it: at most one match a list, by the rule with the longest name.
// A rule about name itself comes before one that is by rule 3 of the package comment. They are in the order of the lists.
//
// name is in canonical wire form (see [cordon/blocklists/domain.Name]) and is only read; anything else, however malformed, gets
// matches that mean nothing, or none.
// Nothing is allocated if dst has room. The cost grows with the labels of name and with the matches, not with the number of
// lists or of names.
func (s *Set) Match(dst []Match, name []byte) []Match {
	var starts [maxLabels]uint8
	n := splitName(&starts, name)
	if n == 0 {
		return dst
	}
	m := matcher{set: s, name: name, before: len(dst)}
	dst = m.walk(dst, starts[:n], len(name)-1)
	if m.suffix > 0 {
		m.cdn = true
		dst = m.walkCarried(dst, starts[:m.suffix], int(starts[m.suffix]))
	}
	if m.allows {
		return dropAllows(dst, m.before)
	}
	return dst
}

// dropAllows takes out the lists that allow.
func dropAllows(dst []Match, before int) []Match {
	blocking := slices.DeleteFunc(dst[before:], func(m Match) bool { return m.allows })
	return dst[:before+len(blocking)]
}

// matcher is one lookup on its way. The matches are not in it but handed on, so that they can live on the caller's stack.
type matcher struct {
	set    *Set
	name   []byte
	before int  // so many matches were there before this lookup
	cdn    bool // the name in front of a shared suffix is being judged
	allows bool // some list allows something
	suffix int  // index of the label where the longest shared suffix begins; 0 if there is none, or nothing before it
}

// walkCarried judges the name that a CDN carries in front of its suffix, which is name[:end] and the root label: once as it
// stands and, if the label at its end is an operator's, once without that.
func (m *matcher) walkCarried(dst []Match, starts []uint8, end int) []Match {
	dst = m.walk(dst, starts, end)
	last := len(starts) - 1
	if operator := m.name[starts[last]:end]; last > 0 && isOperatorLabel(operator) {
		dst = m.walk(dst, starts[:last], int(starts[last]))
	}
	return dst
}

// endsAt is how many labels a suffix must have for a walk to end at it: the top level says nothing, it always has names below.
const endsAt = 2

// walk looks up every suffix of the name that is name[:end] and the root label, from the shortest to the longest, until nothing
// below can be listed. starts are the offsets of its labels.
func (m *matcher) walk(dst []Match, starts []uint8, end int) []Match {
	s, n := m.set, len(starts)
	if len(s.filter) == 0 {
		return dst
	}
	h := s.key.start
	for i := n - 1; i >= 0; i-- {
		h = s.key.label(h, m.name, int(starts[i]))
		if n-i < s.fewest {
			continue
		}
		filter := *s.filterWord(h)
		if listed := listedBits(h); filter&listed == listed {
			if slot := s.find(h, m.name[starts[i]:end]); slot != 0 {
				dst = m.collect(dst, slot, i, int(starts[i]), end)
			}
		}
		if below := belowBits(h); n-i >= endsAt && filter&below != below {
			break
		}
	}
	return dst
}

// collect takes in the records that slot leads to. Their name is name[start:end] and the root label; it begins at label
// index.
func (m *matcher) collect(dst []Match, slot uint64, index, start, end int) []Match {
	s := m.set
	for ref, next := s.first(slot); ; {
		switch list, octets := s.record(ref); {
		case list == s.sharedList:
			m.sharedSuffix(index)
		case len(octets) > end-start+trailerLen: // of a chain that was read back, only the first name is compared
			said := readTrailer(octets[end-start+1:])
			dst = m.keep(dst, said, index > 0, Match{List: list, Start: start, End: end, Line: said.line, CDN: m.cdn})
		}
		if next == 0 {
			return dst
		}
		c := &s.chains[next-1]
		ref, next = c.ref, c.next
	}
}

// sharedSuffix notes the longest shared suffix of the whole name; one within the carried name is not followed.
func (m *matcher) sharedSuffix(index int) {
	if !m.cdn {
		m.suffix = index
	}
}

// keep adds what a list says of the looked-up name, or lets it replace what the list says by a shorter name. The looked-up name is
// the rule's own or, if isBelow, lies below it.
func (m *matcher) keep(dst []Match, said ruling, isBelow bool, found Match) []Match {
	says := said.self
	if isBelow {
		says = said.below
	} else {
		found.Exact = said.holed || said.below != Blocks
	}
	found.allows = says == Allows
	m.allows = m.allows || found.allows
	at, kept := m.find(dst, found.List)
	switch {
	case !kept && says != Nothing:
		return slices.Insert(dst, at, found)
	case !kept || dst[at].CDN != found.CDN: // rule 1 before rule 3
	case says == Nothing:
		dst[at].Exact = dst[at].Exact || !isBelow && (said.holed || said.below == Allows)
	case found.Start < dst[at].Start:
		dst[at] = found
	}
	return dst
}

// find returns where in dst the match of a list is, or would be: they are in the order of the lists.
func (m *matcher) find(dst []Match, list int) (at int, kept bool) {
	if n := len(dst); n == m.before || dst[n-1].List < list {
		return n, false
	}
	at, kept = slices.BinarySearchFunc(dst[m.before:], list, func(m Match, list int) int { return m.List - list })
	return m.before + at, kept
}

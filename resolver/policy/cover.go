package policy

import (
	"net/netip"

	"cordon/blocklists"
)

// hit is one list that holds a name or an address.
type hit struct {
	blocklists.Match
	name []byte // nil for an address
	addr netip.Addr
}

// inquiry is the question of an answer, with all lists that hold it. Where the question itself is judged, it is nil.
type inquiry struct {
	name    []byte
	matches []blocklists.Match
}

// covers says whether e covers h, by itself or because it covers the question of which h is in the answer.
func (e *Exception) covers(h *hit, of *inquiry) bool {
	return e.coversHit(h) || of != nil && e.coversQuestion(of)
}

// coversQuestion is rule 4: by names alone an exception covers a question that no list holds, too.
func (e *Exception) coversQuestion(of *inquiry) bool {
	if e.lists == nil && e.hasName(of.name, len(of.name)-1) {
		return true
	}
	for _, m := range of.matches {
		if e.coversHit(&hit{Match: m, name: of.name}) {
			return true
		}
	}
	return false
}

// coversHit is rules 2 and 3: the list of the rule, and the name, as it stands or without what a CDN put behind it.
func (e *Exception) coversHit(h *hit) bool {
	return e.lists.has(h.List) && (e.hasName(h.name, len(h.name)-1) || h.CDN && e.hasName(h.name, h.End))
}

// hasName says whether the name that is name[:end] and the root label, or a parent of it, is one of e's names. An address
// has no name: no exception that has names covers it by them.
func (e *Exception) hasName(name []byte, end int) bool {
	if e.names == nil {
		return true
	}
	for at := 0; at < end; at += 1 + int(name[at]) {
		if end-at > e.longest {
			continue
		}
		if _, ok := e.names[string(name[at:end])]; ok {
			return true
		}
	}
	return false
}

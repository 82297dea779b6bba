package blocklists

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"golang.org/x/net/publicsuffix"

	"cordon/blocklists/builtin"
	"cordon/blocklists/domain"
)

// suffixTables is what package builtin knows about names with many owners, in the forms that are looked up here.
type suffixTables struct {
	arena     arena                  // the shared suffixes as records, for the table of a Set
	names     int                    // how many
	operators map[string]struct{}    // the labels that CDNs' operators put in front of a suffix, with their length octets
	protected map[domain.Name]string // → why it may not be listed whole
	version   string                 // another one may read another list out of the same file
}

// suffixes makes the tables when they are first needed. Nobody changes them.
var suffixes = sync.OnceValue(func() *suffixTables {
	t := &suffixTables{operators: map[string]struct{}{}, protected: map[domain.Name]string{}}
	shared := newCompactor(0)
	for _, s := range builtin.SharedSuffixes() {
		_ = shared.addName(s.Name, ruling{self: Blocks, below: Blocks}) // a hundred names fit
	}
	shared.flush()
	t.arena, t.names = shared.arena, shared.names
	version := sha256.New()
	fmt.Fprintln(version, publicsuffix.List)
	for _, s := range builtin.ProtectedSuffixes() {
		t.protect(s)
		fmt.Fprintln(version, s.Name)
	}
	t.version = hex.EncodeToString(version.Sum(nil))
	for _, label := range builtin.OperatorLabels() {
		t.operators[string(byte(len(label)))+label] = struct{}{}
	}
	return t
})

// protect notes a suffix, and the names it lies below, which hold at least as much.
func (t *suffixTables) protect(s builtin.Suffix) {
	const list = " belong to others: list the ones that are meant"
	t.protected[s.Name] = s.Name.String() + " is shared (" + s.Operator + "), most names below it" + list
	for above, ok := s.Name.Parent(); ok && above != domain.Root; above, ok = above.Parent() {
		if _, known := t.protected[above]; !known && !isPublicSuffix(above) {
			t.protected[above] = above.String() + " holds " + s.Name.String() + " (" + s.Operator + "), most names below it" + list
		}
	}
}

// isOperatorLabel says whether a label, with its length octet, is one that the operators of CDNs put in front of a suffix.
func isOperatorLabel(label []byte) bool {
	_, ok := suffixes().operators[string(label)]
	return ok
}

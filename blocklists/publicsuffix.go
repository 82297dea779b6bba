package blocklists

import (
	_ "embed"
	"math/bits"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"

	"cordon/blocklists/domain"
)

//go:generate go run ./gen

//go:embed public-suffixes.bits
var suffixBits string

// suffixFilter knows of most names that they are no public suffix: a list of a million names asks a million times, and the library
// takes its time over each.
type suffixFilter struct {
	bits string // "" if they were made of another version of the list: then the library is asked about every name
}

// publicSuffixes is the filter of the list's version that is built in.
var publicSuffixes = sync.OnceValue(func() suffixFilter {
	version, set, _ := strings.Cut(suffixBits, "\n")
	if version != publicsuffix.List.String() {
		return suffixFilter{}
	}
	return suffixFilter{set}
})

// isPublicSuffix says whether n, a name of one label or more, is on the Public Suffix List, in its ICANN or its private part.
func isPublicSuffix(n domain.Name) bool {
	if publicSuffixes().excludes(n) {
		return false
	}
	text := n.String()
	suffix, _ := publicsuffix.PublicSuffix(text)
	return suffix == text
}

// excludes says whether n is certainly no public suffix: no rule is for it, and none for all names right below its parent. A name of
// one label always is one.
func (f suffixFilter) excludes(n domain.Name) bool {
	above, ok := n.Parent()
	if !ok || above == domain.Root || f.bits == "" {
		return false
	}
	const wildcard = '*'
	return !f.has(hashSuffix(n[:len(n)-1])) && !f.has(addToHash(hashSuffix(above[:len(above)-1]), wildcard))
}

// has says whether both bits of a hash are set.
func (f suffixFilter) has(hash uint64) bool { return f.bit(hash) && f.bit(hash>>32) }

func (f suffixFilter) bit(hash uint64) bool {
	bit := hash % uint64(8*len(f.bits))
	return f.bits[bit/8]>>(bit%8)&1 != 0
}

// hashSuffix is the hash that the bits were made with: eight octets at a time, and at last the last eight, whatever of them was before. Of
// fewer, zeros follow.
func hashSuffix(name domain.Name) uint64 {
	const group = 8
	hash := uint64(len(name))
	if len(name) < group {
		var few uint64
		for i := range len(name) {
			few |= uint64(name[i]) << (8 * i)
		}
		return addToHash(hash, few)
	}
	hash = addToHash(hash, octets(name[len(name)-group:]))
	for ; len(name) > group; name = name[group:] {
		hash = addToHash(hash, octets(name))
	}
	return hash
}

// octets is the number that the first eight octets are, the lowest first.
func octets(n domain.Name) uint64 {
	_ = n[7]
	return uint64(n[0]) | uint64(n[1])<<8 | uint64(n[2])<<16 | uint64(n[3])<<24 |
		uint64(n[4])<<32 | uint64(n[5])<<40 | uint64(n[6])<<48 | uint64(n[7])<<56
}

func addToHash(hash, group uint64) uint64 {
	const factor = 0x9e3779b97f4a7c15
	high, low := bits.Mul64(hash^group, factor)
	return high ^ low
}

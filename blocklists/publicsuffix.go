package blocklists

import (
	_ "embed"
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
	version, bits, _ := strings.Cut(suffixBits, "\n")
	if version != publicsuffix.List.String() {
		return suffixFilter{}
	}
	return suffixFilter{bits}
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
	return !f.has(hashSuffix(string(n[:len(n)-1]))) && !f.has(addToHash(hashSuffix(string(above[:len(above)-1])), wildcard))
}

func (f suffixFilter) has(hash uint64) bool {
	bit := hash % uint64(8*len(f.bits))
	return f.bits[bit/8]>>(bit%8)&1 != 0
}

// hashSuffix is FNV-1a: the hash that the bits were made with.
func hashSuffix(name string) uint64 {
	const offset = 14695981039346656037
	h := uint64(offset)
	for i := range len(name) {
		h = addToHash(h, name[i])
	}
	return h
}

func addToHash(h uint64, c byte) uint64 {
	const prime = 1099511628211
	return (h ^ uint64(c)) * prime
}

package blocklists

import (
	"iter"
	"slices"
	"time"

	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

// Gather makes a list of rules, as if a file had them.
func Gather(rules ...format.Rule) (*List, error) {
	var all iter.Seq2[format.Rule, error] = func(yield func(format.Rule, error) bool) {
		for _, r := range rules {
			if !yield(r, nil) {
				return
			}
		}
	}
	g := newGathering(&Source{}, nil)
	if err := g.takeAll(all); err != nil {
		return nil, err
	}
	l, err := g.list(&Source{Name: "test"})
	if err != nil {
		return nil, err
	}
	return l, Guards{MaxRejected: 100}.Check(l, nil)
}

// WithFiles returns l as if it came from files.
func WithFiles(l *List, files ...File) *List {
	of := *l
	of.files = files
	return &of
}

// IsPublicSuffix is isPublicSuffix.
func IsPublicSuffix(n domain.Name) bool { return isPublicSuffix(n) }

// CheckName is checkName.
func CheckName(octets []byte) int { return checkName(octets) }

// FiltersSuffixes says whether the filter of public suffixes is in use.
func FiltersSuffixes() bool { return publicSuffixes().bits != "" }

// WithContent returns l as if it had been read from that content, WithSigned as if it had been signed then.
func WithContent(l *List, c Content) *List {
	of := *l
	of.content = c
	return &of
}

func WithSigned(l *List, t time.Time) *List {
	of := *l
	of.signed = t
	return &of
}

// Table is what is written of a set, to be forged.
type Table struct {
	Factor  *uint64
	Fewest  *int
	Filter  []uint64
	Chains  [][2]uint64 // reference, and the index of the next one plus 1
	Buckets []bucket
}

// Forge returns s with the table that change makes of its own.
func Forge(s *Set, change func(*Table)) *Set {
	forged := *s
	t := Table{Factor: &forged.key.factor, Fewest: &forged.fewest, Filter: slices.Clone(s.filter), Buckets: slices.Clone(s.buckets)}
	for _, c := range s.chains {
		t.Chains = append(t.Chains, [2]uint64{c.ref, uint64(c.next)})
	}
	change(&t)
	forged.filter, forged.buckets, forged.chains = t.Filter, t.Buckets, nil
	for _, c := range t.Chains {
		forged.chains = append(forged.chains, chained{ref: c[0], next: uint32(c[1])})
	}
	return &forged
}

// What a slot is made of.
const (
	ManyBit   = manyBit
	ChunkBits = chunkBits
)

// InMoreChunks returns l with the first record in a chunk of its own.
func InMoreChunks(l *List) *List {
	of := *l
	first := firstRecord + len(wireName(l.arena[0][firstRecord:])) + trailerLen
	rest := append([]byte{0}, l.arena[0][first:]...)
	of.arena = append(arena{l.arena[0][:first], rest}, l.arena[1:]...)
	return &of
}

// LenOfChunk is the length of the first chunk of l.
func LenOfChunk(l *List) int { return len(l.arena[0]) }

// LongestRun is how many buckets of s stand one after the other without room for another name: no search looks at more than that and one.
func LongestRun(s *Set) int {
	longest, run := 0, 0
	for range 2 { // the last bucket is followed by the first
		for i := range s.buckets {
			if run++; s.buckets[i][len(bucket{})-1] == 0 {
				run = 0
			}
			longest = max(longest, min(run, len(s.buckets)))
		}
	}
	return longest
}

// Probes is how many suffixes of name are searched for in the buckets of s: those that its filter lets pass.
func Probes(s *Set, name []byte) int {
	probes, labels := 0, 0
	for _, h := range suffixHashes(s.key, name) {
		labels++
		if listed := listedBits(h); labels >= s.fewest && *s.filterWord(h)&listed == listed {
			probes++
		}
		if below := belowBits(h); labels >= endsAt && *s.filterWord(h)&below != below {
			break
		}
	}
	return probes
}

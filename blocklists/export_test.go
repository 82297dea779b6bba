package blocklists

import (
	"iter"
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
	g := newGathering(&Source{})
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

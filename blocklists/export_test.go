package blocklists

import (
	"iter"

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
	return Source{Name: "test"}.gather(all, "")
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

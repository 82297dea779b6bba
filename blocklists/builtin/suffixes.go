package builtin

import (
	"slices"
	"strings"

	"cordon/blocklists/domain"
)

// Suffix is a name below which many parties have theirs.
type Suffix struct {
	Name     domain.Name
	Operator string // whose it is, in the form that fits "shared by the customers of …": "Akamai", "a bank"
}

// SharedSuffixes are the suffixes of CDNs and of traffic management that stand behind a customer's own host name:
// www.tiktok.com.edgesuite.net is www.tiktok.com, carried by Akamai. Some lie below others ("cdn.cloudflare.net" and
// "cloudflare.net"): the longest counts. Sorted by text; the caller owns the result.
func SharedSuffixes() []Suffix { return suffixesFor("shared") }

// ProtectedSuffixes are the suffixes that may not be listed whole, because that would hit many parties that have
// nothing to do with ByteDance. Names below them may be listed. Nearly all shared suffixes are protected, but not
// only they: public lists name banks and search engines by mistake. Sorted by text; the caller owns the result.
func ProtectedSuffixes() []Suffix { return suffixesFor("protected") }

// OperatorLabels are the labels, in lower case, that operators put between a customer's host name and their shared
// suffix: the "c" of tiktok.com.c.footprint.net. Sorted; the caller owns the result.
func OperatorLabels() []string {
	table := rows("operator-labels.txt")
	labels := make([]string, 0, len(table))
	for _, fields := range table {
		labels = append(labels, fields[0])
	}
	return labels
}

func suffixesFor(use string) []Suffix {
	var suffixes []Suffix
	for _, fields := range rows("suffixes.txt") {
		if slices.Contains(strings.Split(fields[1], ","), use) {
			suffixes = append(suffixes, Suffix{domain.MustParse(fields[0]), fields[2]})
		}
	}
	return suffixes
}

// rows is the lines of a table, without comments, split at the tabs.
func rows(name string) [][]string {
	var rows [][]string
	for line := range strings.Lines(embedded(name)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			rows = append(rows, strings.Split(line, "\t"))
		}
	}
	return rows
}

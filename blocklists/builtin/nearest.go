package builtin

import (
	"slices"
	"strings"
)

const (
	maxDistance = 2  // edits between a name and what is taken for a slip of it
	maxNear     = 3  // names that are proposed
	maxName     = 64 // octets of a name that is worth comparing
)

// nearest are the names of lists that name may be a slip of: the same service without "service/", another spelling,
// or a part.
func nearest(name string) []string {
	name = strings.ToLower(strings.TrimPrefix(name, servicePrefix))
	if name == "" || len(name) > maxName {
		return nil
	}
	type candidate struct {
		list  string
		edits int
	}
	var found []candidate
	for _, list := range Names() {
		id := strings.TrimPrefix(list, servicePrefix)
		edits := distance(name, id)
		if edits > maxDistance && len(name) > maxDistance && (strings.Contains(id, name) || strings.Contains(name, id)) {
			edits = maxDistance
		}
		if edits <= maxDistance && edits < len(id) {
			found = append(found, candidate{list, edits})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.edits - b.edits })
	var near []string
	for _, one := range found[:min(len(found), maxNear)] {
		near = append(near, one.list)
	}
	return near
}

// distance counts the octets to insert, delete or replace to make b out of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

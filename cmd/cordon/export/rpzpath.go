package export

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"cordon/blocklists/domain"
)

// A path is a name from the top: its labels with their length octets, the last label first, without the root. The path of a name is
// a prefix of the paths of all names below it, and of no others.

// listedPaths are the paths of names, each once, in canonical order (RFC 4034, section 6.1), without those that can't stand in zone:
// skipped counts them. probe is a label, with its length octet, that none of the names begins with.
func listedPaths(zone domain.Name, names map[domain.Name]struct{}) (paths []string, probe string, skipped int) {
	paths = make([]string, 0, len(names))
	for name := range names {
		if path := pathOf(name); standsIn(zone, path) {
			paths = append(paths, path)
		} else {
			skipped++
		}
	}
	slices.SortFunc(paths, comparePaths)
	return paths, freshLabel(maps.Keys(names)), skipped
}

// standsIn says whether the name at path can be an owner in zone: it is not too long there, no label of it would be read as a wildcard
// (RFC 4592, section 2.1.1), and it is not what a response policy zone has for its other triggers.
func standsIn(zone domain.Name, path string) bool {
	if path == "" || len(path)+len(zone) > domain.MaxWire || strings.HasPrefix(path[1:], "rpz-") {
		return false
	}
	for at := 0; at < len(path); at = nextLabel(path, at) {
		if strings.HasPrefix(path[at:], "\x01*") {
			return false
		}
	}
	return true
}

// freshLabel is a label, with its length octet, that none of names begins with. Names hold no octets beyond ASCII as a rule.
func freshLabel(names iter.Seq[domain.Name]) string {
	taken := map[string]bool{}
	for name := range names {
		if len(name) > 1 && name[1] >= 0x80 {
			taken[string(name[:1+name[0]])] = true
		}
	}
	label := []byte{1, 0x80}
	for taken[string(label)] {
		if last := len(label) - 1; label[last] < 0xff {
			label[last]++
			continue
		}
		label = append(label, 0x80)
		label[0]++
	}
	return string(label)
}

// nextLabel is where the label behind the one at at begins in path, or its end.
func nextLabel(path string, at int) int { return at + 1 + int(path[at]) }

func pathOf(name domain.Name) string {
	path := make([]byte, len(name)-1)
	end := len(path)
	for at := 0; name[at] != 0; at += 1 + int(name[at]) {
		end -= 1 + int(name[at])
		copy(path[end:], name[at:at+1+int(name[at])])
	}
	return string(path)
}

// appendName appends the wire form of the name at path to dst.
func appendName(dst []byte, path string) []byte {
	dst = append(dst, path...) // for its length; each label goes to its place then
	end := len(dst)
	for at := 0; at < len(path); at = nextLabel(path, at) {
		end -= nextLabel(path, at) - at
		copy(dst[end:], path[at:nextLabel(path, at)])
	}
	return append(dst, 0)
}

// comparePaths orders paths label by label, from the top.
func comparePaths(a, b string) int {
	for a != "" && b != "" {
		endA, endB := nextLabel(a, 0), nextLabel(b, 0)
		if a[:endA] != b[:endB] {
			return strings.Compare(a[1:endA], b[1:endB])
		}
		a, b = a[endA:], b[endB:]
	}
	return cmp.Compare(len(a), len(b))
}

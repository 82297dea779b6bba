package config

import "fmt"

// maxSuggest is the longest text, in octets, that is compared with what is known: the cost grows with its square.
const maxSuggest = 64

// didYouMean is the end of a message about an unknown word: the nearest of known, if one is near. It is "" otherwise.
func didYouMean(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf(": did you mean %q?", near)
	}
	return ""
}

// nearest is the one of known with the smallest edit distance to word, the first of equals, if that is at most a third of
// the word's length (and at least one edit).
//
//	nearest("netwroks", ["name", "networks"])  is "networks"
//	nearest("policy", ["policies"])            is "policies"
//	nearest("x", ["name"])                     is ""
func nearest(word string, known []string) string {
	best, limit := "", max(1, (len(word)+1)/3)
	if len(word) > maxSuggest {
		return ""
	}
	for _, k := range known {
		if len(k) > maxSuggest {
			continue
		}
		if d := distance(word, k); d <= limit {
			best, limit = k, d-1
		}
	}
	return best
}

// distance is the number of octets to insert, delete, replace or swap with their neighbour to make b of a (optimal string
// alignment).
func distance(a, b string) int {
	var before []int // the row above the row above
	above := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}

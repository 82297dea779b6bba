package blocklists_test

import (
	"math/bits"
	"strings"
	"testing"

	"cordon/blocklists"
)

// TestLookupsDoNotGrow counts the work of lookups, and takes no time: a listed name is found within a run of buckets that grows
// with the logarithm of the names at the most, and no more of those that are not listed get past the filter of a longer list.
func TestLookupsDoNotGrow(t *testing.T) {
	const most = 0.08 // of three or so looks at the filter, each lets pass one in 40
	others := wireNames("", foreignNames())
	for _, size := range []int{300, 3_000, 30_000, 300_000} {
		s := compile(t, parseText(t, strings.Join(randomNames(size, 1), "\n")))
		if run, want := blocklists.LongestRun(s), 4*bits.Len(uint(size)); run > want {
			t.Errorf("%d names: %d full buckets one after the other, want at most %d", size, run, want)
		}
		past := 0
		for _, name := range others {
			past += blocklists.Probes(s, name)
		}
		if share := float64(past) / float64(len(others)); share > most {
			t.Errorf("%d names: %.3f searches of the buckets for a name that is not listed, want at most %.3f", size, share, most)
		}
	}
}

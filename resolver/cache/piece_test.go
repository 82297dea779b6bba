//go:build !race

package cache

import (
	"runtime"
	"testing"
)

// What an entry is said to take is what the allocator takes for it: else the bound of the cache would not be one. (Under the race
// detector, append takes more.)
func TestSizeOfAnEntry(t *testing.T) {
	for _, n := range []int{0, 1, 48, 49, 80, 81, 112, 113, 160, 161, 224, 225, 320, 321, 1000, 5000, 65535} {
		kept := make([]*Entry, 1+1_000_000/(n+100))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range kept {
			kept[i] = newEntry(n)
		}
		runtime.ReadMemStats(&after)
		took := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(kept))
		if said := float64(kept[0].size()); took < said || took > said*1.02 || // others allocate a little meanwhile
			cap(kept[0].block) < n || len(kept[0].block) != 0 {
			t.Errorf("%d octets: said to take %v, took %v, with room for %d", n, said, took, cap(kept[0].block))
		}
		runtime.KeepAlive(kept)
	}
}

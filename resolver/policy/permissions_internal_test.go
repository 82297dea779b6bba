package policy

import (
	"fmt"
	"testing"

	"cordon/blocklists"
	"cordon/blocklists/domain"
)

// TestWorkDoesNotGrowWithExceptions counts the exceptions that are looked at for one name: those for that name or a parent of it, however
// many there are for others.
func TestWorkDoesNotGrowWithExceptions(t *testing.T) {
	name := domain.MustParse("www.n7.tiktok.com")
	h := &hit{Match: blocklists.Match{Start: 4, End: len(name) - 1}, name: []byte(name)}
	for _, n := range []int{10, 100, 10_000} {
		all := make([]*Exception, n)
		for i := range all {
			labels := string(domain.MustParse(fmt.Sprintf("n%d.tiktok.com", i)))
			labels = labels[:len(labels)-1]
			all[i] = &Exception{Index: i, names: map[string]struct{}{labels: {}}, longest: len(labels)}
		}
		ps, looked := newPermissions(all), 0
		ps.named(h, func(candidates []*Exception) { looked += len(candidates) })
		if looked += len(ps.unnamed); looked != 1 {
			t.Errorf("%d of %d exceptions were looked at, want the one for n7.tiktok.com", looked, n)
		}
	}
}

package upstream

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"cordon/resolver/wire"
)

// bandWidth is how much slower than the fastest a server may be and still be asked as often as it.
const bandWidth = 50 * time.Millisecond

// candidate is a server in one flight.
type candidate struct {
	entry
	rtt     time.Duration // as it was when the flight began: 0 if unknown
	failing bool

	udp, tcp int  // queries sent
	out      bool // it has failed in a way that will not be another one in a second
	kind     Kind // its worst failure, the one that comes last among the kinds; 0: none yet
	rcode    wire.Rcode
}

func (c *candidate) note(k Kind) { c.kind = max(c.kind, k) }

// rank puts the servers of the group in the order in which f asks them:
//
//  1. the fast band: healthy, and not slower than the fastest healthy one by more than bandWidth or its double. A server
//     that has not answered yet is in it. Random order spreads the load.
//  2. the other healthy ones, by response time.
//  3. the failing ones, by response time.
//
// When all are failing they are all in the band: one that is back must be found. One of the servers outside the band is
// probed with the same question if it is due; then probe is it, and its packets are taken from the flight's.
func (f *flight) rank(entries []entry, now time.Time) (probe entry, due bool) {
	f.order = f.candidates[:len(entries)]
	for i, e := range entries {
		f.order[i] = candidate{entry: e, rtt: e.smoothed(), failing: e.failing()}
	}
	slices.SortFunc(f.order, func(a, b candidate) int {
		if a.failing != b.failing {
			if b.failing {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.rtt, b.rtt)
	})
	band := f.order[:bandLen(f.order)]
	swap := func(i, j int) { band[i], band[j] = band[j], band[i] }
	rand.Shuffle(len(band), swap) //nolint:gosec // it spreads load, nobody gains by guessing
	for i := len(band); i < len(f.order); i++ {
		every := probeSlow
		if f.order[i].failing {
			every = probeFailing
		}
		if f.order[i].probeDue(now, every) {
			f.packets -= probePackets
			return f.order[i].entry, true
		}
	}
	return entry{}, false
}

// bandLen is how many of the sorted candidates are in the fast band.
func bandLen(sorted []candidate) int {
	if len(sorted) == 0 || sorted[0].failing {
		return len(sorted)
	}
	var fastest time.Duration
	for i, c := range sorted {
		if c.failing {
			return i
		}
		if fastest == 0 {
			fastest = c.rtt
		}
		if c.rtt > max(fastest+bandWidth, 2*fastest) {
			return i
		}
	}
	return len(sorted)
}

// probe asks e for q on behalf of nobody: what matters is what is remembered of e afterwards.
func (g *Group) probe(e entry, q *question, now time.Time) {
	f := g.newFlight(now.Add(probeWait), probePackets, nil)
	f.question = *q
	f.order = f.candidates[:1]
	f.order[0] = candidate{entry: e}
	f.rest(f.advance(now))
}

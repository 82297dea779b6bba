package export

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// TestRegions asks every address of two small networks, one of each family, whether it is in a region exactly if a network has it.
func TestRegions(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(4, 4))
	for range 500 {
		var networks []netip.Prefix
		for range dice.IntN(8) {
			a := netip.AddrFrom4([4]byte{255, 255, 255, byte(dice.IntN(256))}) // up to the last address that there is
			if dice.IntN(2) == 0 {
				a = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: byte(dice.IntN(256))})
			}
			networks = append(networks, netip.PrefixFrom(a, a.BitLen()-dice.IntN(9)).Masked())
		}
		says := func(a netip.Addr) int { // the longest of the networks
			bits := 0
			for _, n := range networks {
				if n.Contains(a) {
					bits = max(bits, n.Bits())
				}
			}
			return bits
		}
		regions := regionsOf(networks, says)
		for _, start := range []string{"255.255.255.0", "2001:db8::"} {
			for a, i := netip.MustParseAddr(start), 0; i < 256; a, i = a.Next(), i+1 {
				if got := inRegions(t, regions, a); got != says(a) {
					t.Fatalf("%v: %s is in a region that says %d, want %d", networks, a, got, says(a))
				}
			}
		}
	}
}

// inRegions is what the regions say of a, by their bounds and by their prefixes.
func inRegions(t *testing.T, regions []region[int], a netip.Addr) (says int) {
	t.Helper()
	for i, r := range regions {
		if i > 0 && (!regions[i-1].last.Less(r.first) || regions[i-1].last.Next() == r.first && regions[i-1].says == r.says) {
			t.Fatalf("%v and %v are not in order, or one", regions[i-1], r)
		}
		within := r.first.BitLen() == a.BitLen() && !a.Less(r.first) && !r.last.Less(a)
		byPrefix := 0
		for _, p := range r.prefixes() {
			if p.Contains(a) {
				byPrefix++
			}
		}
		if within != (byPrefix == 1) || byPrefix > 1 {
			t.Fatalf("%s: within %v is %v, but %d of %v have it", a, r, within, byPrefix, r.prefixes())
		}
		if within {
			says = r.says
		}
	}
	return says
}

func TestRegionsOfEverything(t *testing.T) {
	t.Parallel()
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/1"), netip.MustParsePrefix("128.0.0.0/1"), netip.MustParsePrefix("::/0")}
	regions := regionsOf(all, func(netip.Addr) bool { return true })
	if len(regions) != 2 || regions[0].prefixes()[0].String() != "0.0.0.0/0" || regions[1].prefixes()[0].String() != "::/0" {
		t.Errorf("got %v, want all of IPv4 and all of IPv6", regions)
	}
	if none := regionsOf(nil, func(netip.Addr) bool { return true }); none != nil {
		t.Errorf("got %v for nothing", none)
	}
}

package agency_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"cordon/resolver/agency"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func table(t testing.TB, entries ...agency.Entry) *agency.Table {
	t.Helper()
	tab, err := agency.NewTable(entries)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestLookup(t *testing.T) {
	tab := table(t,
		agency.Entry{Prefix: prefix("10.10.0.0/16"), ID: 1},
		agency.Entry{Prefix: prefix("10.10.7.0/24"), ID: 2},
		agency.Entry{Prefix: prefix("10.10.7.42/32"), ID: 3},
		agency.Entry{Prefix: prefix("2001:db8:10::/48"), ID: 1},
		agency.Entry{Prefix: prefix("2001:db8:10:7::1/128"), ID: 4},
		agency.Entry{Prefix: prefix("fe80::/64"), ID: 5},
		agency.Entry{Prefix: prefix("::ffff:198.51.100.0/120"), ID: 6},
	)
	for _, c := range []struct {
		addr string
		want agency.ID // -1: none
	}{
		{"10.10.0.0", 1},
		{"10.10.255.255", 1},
		{"10.11.0.0", -1},
		{"10.9.255.255", -1},
		{"10.10.6.255", 1},
		{"10.10.7.0", 2},
		{"10.10.7.255", 2},
		{"10.10.8.0", 1},
		{"10.10.7.41", 2},
		{"10.10.7.42", 3},
		{"10.10.7.43", 2},
		{"::ffff:10.10.7.42", 3},
		{"::ffff:192.0.2.1", -1},
		{"::10.10.7.42", -1},
		{"2001:db8:10::", 1},
		{"2001:db8:10:ffff:ffff:ffff:ffff:ffff", 1},
		{"2001:db8:11::", -1},
		{"2001:db8:10:7::1", 4},
		{"2001:db8:10:7::2", 1},
		{"fe80::1", 5},
		{"fe80::1%eth0", 5},
		{"2001:db8:10:7::1%1", 4},
		{"198.51.100.9", 6},
		{"::ffff:198.51.100.9", 6},
		{"0.0.0.0", -1},
		{"::", -1},
	} {
		id, ok := tab.Lookup(netip.MustParseAddr(c.addr))
		if ok != (c.want >= 0) || ok && id != c.want {
			t.Errorf("Lookup(%s) = %d, %t; want %d", c.addr, id, ok, c.want)
		}
	}
	if tab.Len() != 7 {
		t.Errorf("Len() = %d, want 7", tab.Len())
	}
	if id, ok := tab.Lookup(netip.Addr{}); ok {
		t.Errorf("the zero Addr is in network %d, want none", id)
	}
}

func TestEmptyTable(t *testing.T) {
	for name, tab := range map[string]*agency.Table{"zero": {}, "new": table(t)} {
		if _, ok := tab.Lookup(netip.MustParseAddr("192.0.2.1")); ok || tab.Len() != 0 {
			t.Errorf("%s table: Lookup found a network in %d, want none", name, tab.Len())
		}
	}
}

func TestWholeInternet(t *testing.T) {
	tab := table(t, agency.Entry{Prefix: prefix("0.0.0.0/0"), ID: 0}, agency.Entry{Prefix: prefix("::/0"), ID: 7})
	if id, ok := tab.Lookup(netip.MustParseAddr("192.0.2.1")); !ok || id != 0 {
		t.Errorf("IPv4: %d, %t; want 0", id, ok)
	}
	if id, ok := tab.Lookup(netip.MustParseAddr("2001:db8::1")); !ok || id != 7 {
		t.Errorf("IPv6: %d, %t; want 7", id, ok)
	}
}

func TestNewTableFaults(t *testing.T) {
	for _, c := range []struct {
		name    string
		entries []netip.Prefix
		want    string
	}{
		{"twice", []netip.Prefix{prefix("10.0.0.0/8"), prefix("192.0.2.0/24"), prefix("10.0.0.0/8")}, "10.0.0.0/8 stands twice"},
		{"twice, once mapped", []netip.Prefix{prefix("192.0.2.0/24"), prefix("::ffff:192.0.2.0/120")}, "192.0.2.0/24 stands twice"},
		{"host bits", []netip.Prefix{prefix("192.0.2.1/24")}, "192.0.2.1/24 has host bits set, want the network 192.0.2.0/24"},
		{"host bits of IPv6", []netip.Prefix{prefix("2001:db8::1/64")}, "want the network 2001:db8::/64"},
		{"no prefix", []netip.Prefix{{}}, "is not a network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var entries []agency.Entry
			for i, p := range c.entries {
				entries = append(entries, agency.Entry{Prefix: p, ID: agency.ID(i)})
			}
			_, err := agency.NewTable(entries)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// FuzzLookup compares with the slow and plain way: the longest of all networks that hold the address.
func FuzzLookup(f *testing.F) {
	f.Add(uint64(1), []byte{10, 0, 7, 1})
	f.Add(uint64(2), netip.MustParseAddr("2001:db8::1").AsSlice())
	f.Add(uint64(3), netip.MustParseAddr("::ffff:10.0.0.1").AsSlice())
	f.Fuzz(func(t *testing.T, seed uint64, addr []byte) {
		a, ok := netip.AddrFromSlice(addr)
		if !ok {
			return
		}
		entries := networks(seed, 40, a.Unmap())
		tab := table(t, entries...)
		want, found := agency.ID(0), -1
		for _, e := range entries {
			if e.Prefix.Contains(a.Unmap()) && e.Prefix.Bits() > found {
				want, found = e.ID, e.Prefix.Bits()
			}
		}
		got, ok := tab.Lookup(a)
		if ok != (found >= 0) || got != want {
			t.Errorf("Lookup(%s) = %d, %t; want %d, of length %d", a, got, ok, want, found)
		}
	})
}

// networks makes n different networks; most of them hold near.
func networks(seed uint64, n int, near netip.Addr) []agency.Entry {
	r := rand.New(rand.NewPCG(seed, 0))
	seen := map[netip.Prefix]bool{}
	var entries []agency.Entry
	for i := range n {
		octets := near.AsSlice()
		if r.IntN(3) == 0 {
			octets[r.IntN(len(octets))] ^= 1 << r.IntN(8)
		}
		a, _ := netip.AddrFromSlice(octets)
		p := netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked()
		if c, err := agency.Canonical(p); err != nil || seen[c] {
			continue
		} else {
			seen[c] = true
		}
		entries = append(entries, agency.Entry{Prefix: p, ID: agency.ID(i + 1)})
	}
	return entries
}

// campus makes n /24 networks within 10.0.0.0/8 and beyond, and 1024 addresses in them.
func campus(n int) (entries []agency.Entry, addrs []netip.Addr) {
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		var o [4]byte
		binary.BigEndian.PutUint32(o[:], 10<<24+uint32(i)<<8)
		entries = append(entries, agency.Entry{Prefix: netip.PrefixFrom(netip.AddrFrom4(o), 24), ID: agency.ID(i)})
	}
	for range 1024 {
		o := entries[r.IntN(n)].Prefix.Addr().As4()
		o[3] = byte(r.IntN(256))
		addrs = append(addrs, netip.AddrFrom4(o))
	}
	return entries, addrs
}

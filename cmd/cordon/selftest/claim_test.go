package selftest_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"cordon/cmd/cordon/selftest"
	"cordon/resolver/wire"
)

var (
	own    = netip.MustParseAddrPort("127.0.0.1:40000")
	client = netip.MustParseAddr("192.0.2.1")
)

func TestAClaimIsBelievedOfOurOwnSocketWithTheSecretOnly(t *testing.T) {
	tester, other := selftest.New(selftest.Config{}), selftest.New(selftest.Config{})
	claim := tester.Claim(client)
	if as := tester.As(own, claim); as.IsValid() {
		t.Errorf("believed for %s, though no socket is open", as)
	}
	tester.Open(own)
	other.Open(own)
	changed := slices.Clone(claim)
	changed[15] ^= 1
	for name, c := range map[string]struct {
		from  string
		claim []byte
		want  netip.Addr
	}{
		"ours":                      {"127.0.0.1:40000", claim, client},
		"ours for IPv6":             {"127.0.0.1:40000", tester.Claim(netip.MustParseAddr("2001:db8::1")), netip.MustParseAddr("2001:db8::1")},
		"ours for a mapped address": {"127.0.0.1:40000", tester.Claim(netip.MustParseAddr("::ffff:192.0.2.1")), client},
		"another port":              {"127.0.0.1:40001", claim, netip.Addr{}},
		"another address":           {"127.0.0.2:40000", claim, netip.Addr{}},
		"another secret":            {"127.0.0.1:40000", other.Claim(client), netip.Addr{}},
		"one bit":                   {"127.0.0.1:40000", changed, netip.Addr{}},
		"nothing":                   {"127.0.0.1:40000", nil, netip.Addr{}},
		"no address":                {"127.0.0.1:40000", claim[:16], netip.Addr{}},
		"less than an address":      {"127.0.0.1:40000", claim[:19], netip.Addr{}},
		"more than an address":      {"127.0.0.1:40000", append(slices.Clone(claim), 0), netip.Addr{}},
	} {
		if as := tester.As(netip.MustParseAddrPort(c.from), c.claim); as != c.want {
			t.Errorf("%s: judged as %v, want %v", name, as, c.want)
		}
	}
}

// FuzzClaim sends any claim in a query, as anybody could: it is believed exactly if it is one that the tester makes, from its socket.
func FuzzClaim(f *testing.F) {
	tester := selftest.New(selftest.Config{})
	tester.Open(own)
	f.Add([]byte(nil), uint16(40000), true)
	f.Add(client.AsSlice(), uint16(40000), true)
	f.Add(client.AsSlice(), uint16(40001), true)
	f.Add(tester.Claim(client), uint16(40000), false)
	f.Fuzz(func(t *testing.T, claim []byte, port uint16, secret bool) {
		if secret {
			claim = append(tester.Claim(client)[:16], claim...)
		}
		msg := selftest.Query("www.example", claim)
		var q wire.Query
		q.Client = netip.AddrPortFrom(own.Addr(), port)
		if len(msg) > wire.MaxMessage || q.Parse(msg) != wire.None {
			return // longer than an option can be
		}
		if !bytes.Equal(q.Claim(), claim) || len(claim) == 0 && q.Claim() != nil {
			t.Fatalf("parsed %x, want %x", q.Claim(), claim)
		}
		as := tester.As(q.Client, q.Claim())
		address, ok := netip.AddrFromSlice(claim[min(16, len(claim)):])
		want := ok && port == own.Port() && bytes.Equal(claim[:16], tester.Claim(client)[:16])
		if as.IsValid() != want || want && as != address.Unmap() {
			t.Errorf("%x of port %d is judged as %v, want it believed: %t", claim, port, as, want)
		}
		if clone := q.Clone(); clone.Claim() != nil {
			t.Error("a clone has a claim, which is dead by then")
		}
	})
}

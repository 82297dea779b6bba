package limit_test

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"

	"cordon/resolver/limit"
)

var (
	flooder = netip.MustParseAddr("192.0.2.1")
	polite  = netip.MustParseAddr("192.0.2.2")
)

// each is one address a client.
func each(perSecond, burst int) limit.Rules {
	return limit.Rules{PerSecond: perSecond, Burst: burst, IPv4Bits: 32, IPv6Bits: 64}
}

// taken is how many of n queries at once are within the rate.
func taken(r *limit.Rate, client netip.Addr, n int, now time.Time) (within int) {
	for range n {
		if r.Take(client, now) == 0 {
			within++
		}
	}
	return within
}

func TestRate(t *testing.T) {
	r, now := limit.New(each(100, 20)), time.Now()
	steps := []struct {
		after time.Duration
		asks  int
		want  int
	}{
		{after: 0, asks: 50, want: 20},                    // the burst
		{after: 10 * time.Millisecond, asks: 50, want: 1}, // what has come back since
		{after: 95 * time.Millisecond, asks: 50, want: 9}, // queries that were too many cost nothing
		{after: time.Hour, asks: 50, want: 20},            // no more than a burst is saved up
		{after: -time.Minute, asks: 50, want: 0},          // a moment of the past, from another listener
		{after: 61 * time.Second, asks: 1, want: 1},       // which changes nothing
		{after: 49 * time.Hour * 24 * 365, asks: 21, want: 20},
	}
	for _, s := range steps {
		now = now.Add(s.after)
		if got := taken(r, flooder, s.asks, now); got != s.want {
			t.Errorf("%v later %d of %d queries are within the rate, want %d", s.after, got, s.asks, s.want)
		}
	}
}

func TestTooManySaysHowLongToWait(t *testing.T) {
	r, now := limit.New(each(100, 1)), time.Now()
	if wait := r.Take(flooder, now); wait != 0 {
		t.Fatalf("the first query waits for %v", wait)
	}
	wait := r.Take(flooder, now)
	if wait != 10*time.Millisecond {
		t.Errorf("the second one at once waits for %v, want 10ms", wait)
	}
	if again := r.Take(flooder, now.Add(wait)); again != 0 {
		t.Errorf("having waited it waits for %v again", again)
	}
}

func TestWhoSharesARate(t *testing.T) {
	tests := []struct {
		name    string
		rules   limit.Rules
		a, b    string
		sharing bool
	}{
		{name: "two addresses", rules: each(1, 1), a: "192.0.2.1", b: "192.0.2.2"},
		{name: "one /24", rules: limit.Rules{PerSecond: 1, IPv4Bits: 24}, a: "192.0.2.1", b: "192.0.2.255", sharing: true},
		{name: "two of /25", rules: limit.Rules{PerSecond: 1, IPv4Bits: 25}, a: "192.0.2.1", b: "192.0.2.255"},
		{name: "everybody", rules: limit.Rules{PerSecond: 1}, a: "192.0.2.1", b: "203.0.113.9", sharing: true},
		{name: "one /64", rules: each(1, 1), a: "2001:db8::1", b: "2001:db8::ffff:1", sharing: true},
		{name: "two of /64", rules: each(1, 1), a: "2001:db8::1", b: "2001:db8:0:1::1"},
		{name: "one /61", rules: limit.Rules{PerSecond: 1, IPv6Bits: 61}, a: "2001:db8::1", b: "2001:db8:0:7::1", sharing: true},
		{name: "IPv4 and IPv6", rules: limit.Rules{PerSecond: 1}, a: "192.0.2.1", b: "2001:db8::1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, now := limit.New(test.rules), time.Now()
			r.Take(netip.MustParseAddr(test.a), now)
			if sharing := r.Take(netip.MustParseAddr(test.b), now) != 0; sharing != test.sharing {
				t.Errorf("sharing a rate: %v, want %v", sharing, test.sharing)
			}
		})
	}
}

func TestClient(t *testing.T) {
	for address, client := range map[string]string{
		"192.0.2.7":               "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":    "2001:db8:1:2::",
		"2001:db8:1:2:3:4:5:6%e0": "2001:db8:1:2::",
		"fe80::1%eth0":            "fe80::1%eth0",
		"::1":                     "::",
	} {
		if got := limit.Client(netip.MustParseAddr(address)); got != netip.MustParseAddr(client) {
			t.Errorf("%s counts as %v, want %s", address, got, client)
		}
	}
}

func TestSetIsInForceAtOnce(t *testing.T) {
	r, now := limit.New(limit.Rules{}), time.Now()
	if got := taken(r, flooder, 1000, now); got != 1000 {
		t.Errorf("%d of 1000 without a limit", got)
	}
	r.Set(each(10, 5))
	if got := taken(r, flooder, 1000, now); got != 5 {
		t.Errorf("%d of 1000 with a burst of 5", got)
	}
	unlimited := each(10, 5)
	unlimited.Unlimited = []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("192.0.2.1/32")}
	r.Set(unlimited)
	if got := taken(r, flooder, 1000, now); got != 1000 {
		t.Errorf("%d of 1000 of a client without a limit", got)
	}
	if got := taken(r, polite, 1000, now); got != 5 {
		t.Errorf("%d of 1000 of another one", got)
	}
}

// Who owes hours by a slow rate owes no more than a burst by the next one.
func TestDebtsDoNotOutliveTheirRate(t *testing.T) {
	r, now := limit.New(each(1, 10_000)), time.Now()
	taken(r, flooder, 20_000, now)
	r.Set(each(1000, 10))
	if got := taken(r, flooder, 20_000, now.Add(time.Second)); got != 10 {
		t.Errorf("%d of 20,000 queries are within the rate, want 10", got)
	}
}

// However many addresses ask a little, forged ones too, one that floods stays within its rate, and nobody below it is turned away.
func TestManyClientsHideNoFlood(t *testing.T) {
	r, now := limit.New(each(1000, 100)), time.Now()
	within := 0
	for i := range uint32(1_000_000) {
		now = now.Add(time.Microsecond)
		if i%2 == 0 {
			within += taken(r, flooder, 1, now)
			continue
		}
		forged := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24|i)))
		if r.Take(forged, now) != 0 {
			t.Fatalf("query %d, the first one of %v, is too many", i, forged)
		}
	}
	if within < 1000 || within > 1200 {
		t.Errorf("%d queries of the one that floods were within its rate of 1000 and its burst of 100", within)
	}
}

// However many flood at once, who asks a little pays nobody's debts.
func TestManyFloodersTurnNobodyAway(t *testing.T) {
	r, now := limit.New(each(10, 5)), time.Now()
	for i := range uint32(30_000) {
		taken(r, netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24|i))), 6, now)
	}
	for i := range uint32(1000) {
		client := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 11<<24|i)))
		if wait := r.Take(client, now); wait != 0 {
			t.Fatalf("the first query of client %d waits for %v", i, wait)
		}
	}
}

func TestTakeAtOnceByMany(t *testing.T) {
	r, now := limit.New(each(1, 1000)), time.Now()
	var all sync.WaitGroup
	sums := make([]int, 8)
	for i := range sums {
		all.Go(func() { sums[i] = taken(r, flooder, 1000, now) })
	}
	all.Wait()
	sum := 0
	for _, n := range sums {
		sum += n
	}
	if sum != 1000 {
		t.Errorf("%d queries within a burst of 1000", sum)
	}
}

func TestTakeAllocatesNothing(t *testing.T) {
	r, now := limit.New(each(1, 1)), time.Now()
	if n := testing.AllocsPerRun(100, func() { r.Take(flooder, now) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkTake(b *testing.B) {
	r, now := limit.New(each(10_000, 100)), time.Now()
	client := [4]byte{10}
	for i := 0; b.Loop(); i++ {
		binary.BigEndian.PutUint16(client[2:], uint16(i))
		now = now.Add(time.Microsecond)
		r.Take(netip.AddrFrom4(client), now)
	}
}

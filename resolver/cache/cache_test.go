package cache_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"cordon/resolver/cache"
	"cordon/resolver/wire"
)

func addressEntry(t testing.TB, name, line string, now time.Time) *cache.Entry {
	t.Helper()
	return mustKeep(t, keyOf(name, dns.TypeA), message(t, name, dns.TypeA, reply{answer: []string{name + line}}), now)
}

func want(t *testing.T, c *cache.Cache, k cache.Key, now time.Time, state cache.State, e *cache.Entry) {
	t.Helper()
	got, s := c.Get(k, now)
	if s != state || got != e {
		t.Errorf("state %d with entry %p, want %d with %p", s, got, state, e)
	}
}

func TestNew(t *testing.T) {
	for _, c := range []cache.Config{{}, {MaxBytes: cache.MinBytes - 1}, {MaxBytes: cache.MinBytes, Stale: -1}, {MaxBytes: cache.MinBytes, Stale: 25 * time.Hour}} {
		if _, err := cache.New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

func TestGetStates(t *testing.T) {
	k := keyOf(question, dns.TypeA)
	e := addressEntry(t, question, " 60 IN A 192.0.2.1", start)
	c := newCache(t, 1<<20)
	want(t, c, k, start, cache.Miss, nil)
	c.Put(e)
	want(t, c, k, start, cache.Fresh, e)
	want(t, c, k, start.Add(54*time.Second-1), cache.Fresh, e)
	want(t, c, k, start.Add(54*time.Second), cache.Due, e)
	want(t, c, k, start.Add(time.Minute-1), cache.Due, e)
	want(t, c, k, start.Add(time.Minute), cache.Stale, e)
	want(t, c, k, start.Add(24*time.Hour+time.Minute-1), cache.Stale, e)
	want(t, c, k, start.Add(24*time.Hour+time.Minute), cache.Miss, nil)

	strict, err := cache.New(cache.Config{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	strict.Put(e)
	want(t, strict, k, start.Add(time.Minute-1), cache.Fresh, e)
	want(t, strict, k, start.Add(time.Minute), cache.Miss, nil)
}

// What takes the place of an entry that was asked for has not been asked for itself.
func TestARenewedEntryIsNotDueUnasked(t *testing.T) {
	c, k := newCache(t, 1<<20), keyOf(question, dns.TypeA)
	old := addressEntry(t, question, " 60 IN A 192.0.2.1", start)
	c.Put(old)
	want(t, c, k, start, cache.Fresh, old)
	renewed := addressEntry(t, question, " 60 IN A 192.0.2.2", start)
	c.Put(renewed)
	last := start.Add(59 * time.Second)
	want(t, c, k, last, cache.Fresh, renewed) // the first hit
	want(t, c, k, last, cache.Due, renewed)
}

func TestWhatIsDue(t *testing.T) {
	k := keyOf(question, dns.TypeA)
	alias := mustKeep(t, k, message(t, question, dns.TypeA, reply{answer: []string{question + " 30 IN CNAME nowhere.example."}}), start)
	for name, tt := range map[string]struct {
		e    *cache.Entry
		last time.Duration // of its lifetime
		want cache.State
	}{
		"10 s":             {addressEntry(t, question, " 10 IN A 192.0.2.1", start), 10 * time.Second, cache.Due},
		"9 s":              {addressEntry(t, question, " 9 IN A 192.0.2.1", start), 9 * time.Second, cache.Fresh},
		"a day":            {addressEntry(t, question, " 86400 IN A 192.0.2.1", start), 24 * time.Hour, cache.Due},
		"incomplete":       {alias, 30 * time.Second, cache.Fresh},
		"a failure":        {cache.NewFailure(k, none, 5*time.Second, start), 5 * time.Second, cache.Fresh},
		"no such name, 1h": {mustKeep(t, k, message(t, question, dns.TypeA, reply{rcode: dns.RcodeNameError, authority: []string{soa}}), start), 2 * time.Minute, cache.Due},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t, 1<<20)
			c.Put(tt.e)
			last := start.Add(tt.last - time.Millisecond)
			want(t, c, k, last, cache.Fresh, tt.e) // the first hit
			want(t, c, k, last, tt.want, tt.e)
			if tt.want == cache.Due && (!tt.e.Claim(last) || tt.e.Claim(last)) {
				t.Error("not one may renew it, but none or two")
			}
			want(t, c, k, last, cache.Fresh, tt.e) // it is claimed
		})
	}
}

func TestClaimsArePutOff(t *testing.T) {
	k := keyOf(question, dns.TypeA)
	e := addressEntry(t, question, " 100 IN A 192.0.2.1", start)
	c := newCache(t, 1<<20)
	c.Put(e)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	c.Get(k, at(50))
	if !e.Claim(at(90)) || e.Claim(at(94.9)) {
		t.Error("not claimed at 90 s alone")
	}
	c.Put(cache.NewFailure(k, none, time.Second, at(91))) // would put it off to 92 s
	want(t, c, k, at(94.9), cache.Fresh, e)
	want(t, c, k, at(95), cache.Due, e)
	c.Put(cache.NewFailure(k, none, 5*time.Second, at(94)))
	want(t, c, k, at(98.9), cache.Fresh, e)
	if !e.Claim(at(99.5)) || e.Deferred(at(100)) || e.Claim(at(100)) {
		t.Error("a claim reaches beyond the end of the lifetime")
	}
}

func TestEveryFieldOfTheKeyCounts(t *testing.T) {
	c := newCache(t, 1<<20)
	k := keyOf(question, dns.TypeA)
	e := addressEntry(t, question, " 60 IN A 192.0.2.1", start)
	c.Put(e)
	for name, change := range map[string]func(*cache.Key){
		"name":  func(k *cache.Key) { k.Name = wireName("w.example.com.") },
		"type":  func(k *cache.Key) { k.Type = dns.TypeAAAA },
		"class": func(k *cache.Key) { k.Class = dns.ClassCHAOS },
		"DO":    func(k *cache.Key) { k.DO = true },
		"CD":    func(k *cache.Key) { k.CD = true },
		"route": func(k *cache.Key) { k.Route = 1 },
	} {
		other := k
		change(&other)
		if _, state := c.Get(other, start); state != cache.Miss {
			t.Errorf("another %s finds the entry", name)
		}
		f := cache.NewFailure(other, none, time.Second, start)
		if got := f.Key(); string(got.Name) != string(other.Name) || got.Type != other.Type || got.Class != other.Class ||
			got.DO != other.DO || got.CD != other.CD || got.Route != other.Route {
			t.Errorf("key %+v, want %+v", got, other)
		}
		c.Put(f)
		want(t, c, other, start, cache.Fresh, f)
	}
	want(t, c, k, start, cache.Fresh, e)
}

func TestPutReplaces(t *testing.T) {
	c, k := newCache(t, 1<<20), keyOf(question, dns.TypeA)
	empty := c.Stats()
	c.Put(addressEntry(t, question, " 60 IN A 192.0.2.1", start))
	one := c.Stats()
	newer := addressEntry(t, question, " 60 IN A 192.0.2.2", start.Add(time.Second))
	c.Put(newer)
	want(t, c, k, start.Add(time.Second), cache.Fresh, newer)
	if got := c.Stats(); got != one || got.Entries != 1 || got.Bytes <= empty.Bytes {
		t.Errorf("%+v after a replacement, %+v before", got, one)
	}
	c.Put(addressEntry(t, question, " 0 IN A 192.0.2.3", start.Add(2*time.Second)))
	want(t, c, k, start.Add(2*time.Second), cache.Miss, nil)
	if got := c.Stats(); got != empty {
		t.Errorf("%+v, want %+v again: what does not live outdates what was kept", got, empty)
	}
}

func TestFailureLeavesAUsableAnswer(t *testing.T) {
	k := keyOf(question, dns.TypeA)
	network := wire.EDE{Code: wire.EDENetworkError}
	for _, age := range []time.Duration{time.Second, time.Hour} { // fresh, stale
		c := newCache(t, 1<<20)
		e := addressEntry(t, question, " 60 IN A 192.0.2.1", start)
		c.Put(e)
		now := start.Add(age)
		if e.Deferred(now) {
			t.Error("deferred without a failure")
		}
		c.Put(cache.NewFailure(k, network, 5*time.Second, now))
		got, state := c.Get(k, now)
		if got != e || state == cache.Miss {
			t.Fatalf("after %s the failure took the place of the answer", age)
		}
		if !e.Deferred(now) || !e.Deferred(now.Add(4*time.Second)) || e.Deferred(now.Add(5*time.Second)) {
			t.Errorf("after %s the next attempt is not put off for 5 s", age)
		}
	}
	c := newCache(t, 1<<20)
	c.Put(addressEntry(t, question, " 60 IN A 192.0.2.1", start))
	late := start.Add(25 * time.Hour)
	failure := cache.NewFailure(k, network, 5*time.Second, late)
	c.Put(failure)
	want(t, c, k, late, cache.Fresh, failure)
	want(t, c, k, late.Add(5*time.Second), cache.Miss, nil)

	again := cache.NewFailure(k, network, 5*time.Second, late.Add(time.Second))
	c.Put(again)
	want(t, c, k, late.Add(time.Second), cache.Fresh, again)
	e := addressEntry(t, question, " 60 IN A 192.0.2.1", late)
	c.Put(e)
	want(t, c, k, late, cache.Fresh, e)
}

func TestIncompleteIsNeverStale(t *testing.T) {
	c, k := newCache(t, 1<<20), keyOf(question, dns.TypeA)
	c.Put(mustKeep(t, k, message(t, question, dns.TypeA, reply{answer: []string{"www.example.com. 300 IN CNAME a.example.net."}}), start))
	if e, state := c.Get(k, start.Add(29*time.Second)); state != cache.Fresh || !e.Incomplete() {
		t.Errorf("state %d", state)
	}
	want(t, c, k, start.Add(30*time.Second), cache.Miss, nil)
}

// flood puts n answers for names that nobody asks for again.
func flood(t testing.TB, c *cache.Cache, n int, now time.Time, each func()) {
	template := message(t, "aaaaaaaa.example.com.", dns.TypeA, reply{answer: []string{"aaaaaaaa.example.com. 300 IN A 192.0.2.1"}})
	const digits = "abcdefghijklmnop"
	for i := range n {
		msg := append([]byte(nil), template...)
		for d := range 8 {
			msg[wire.HeaderLen+1+d] = digits[i>>(4*d)&15]
		}
		k := cache.Key{Name: msg[wire.HeaderLen : wire.HeaderLen+22], Type: wire.TypeA, Class: wire.ClassINET}
		e, err := cache.Keep(k, msg, now, false)
		if err != nil {
			t.Fatal(err)
		}
		c.Put(e)
		each()
	}
}

func TestFloodStaysWithinItsBytes(t *testing.T) {
	const bound = 4 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := newCache(t, bound)
	hot := make([]cache.Key, 100)
	for i := range hot {
		name := fmt.Sprintf("hot%d.example.com.", i)
		hot[i] = keyOf(name, dns.TypeA)
		c.Put(addressEntry(t, name, " 300 IN A 192.0.2.1", start))
	}
	n := 0
	flood(t, c, 60000, start, func() {
		c.Get(hot[n%len(hot)], start)
		if s := c.Stats(); s.Bytes > bound {
			t.Fatalf("%d octets, bound %d", s.Bytes, bound)
		}
		n++
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	s := c.Stats()
	if s.Evictions == 0 || s.Entries < 1000 || s.Bytes < bound*7/10 {
		t.Errorf("%+v: the bound was not reached", s)
	}
	if heap := int64(after.HeapAlloc) - int64(before.HeapAlloc); heap > bound*11/10 {
		t.Errorf("the heap has %d octets more, counted are %d", heap, s.Bytes)
	}
	left := 0
	for _, k := range hot {
		if _, state := c.Get(k, start); state == cache.Fresh {
			left++
		}
	}
	if left < 99 {
		t.Errorf("%d of %d names in use survived the flood", left, len(hot))
	}
	runtime.KeepAlive(c)
}

func TestLargeEntriesStayWithinTheBound(t *testing.T) {
	c := newCache(t, cache.MinBytes)
	var text []string
	for i := range 100 {
		text = append(text, fmt.Sprintf(`www.example.com. 300 IN TXT "%d" "%s" "%s"`, i, strings.Repeat("x", 250), strings.Repeat("y", 250)))
	}
	msg := message(t, question, dns.TypeTXT, reply{answer: text})
	for i := range 100 {
		k := keyOf(question, dns.TypeTXT)
		k.Route = uint16(i)
		c.Put(mustKeep(t, k, msg, start))
		if s := c.Stats(); s.Bytes > cache.MinBytes {
			t.Fatalf("%+v", s)
		}
	}
	if s := c.Stats(); s.Entries < 10 {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsOfNoUseGoesFirst(t *testing.T) {
	c := newCache(t, cache.MinBytes)
	flood(t, c, 6000, start.Add(-30*time.Hour), func() {})
	full := c.Stats()
	if full.Evictions == 0 {
		t.Fatalf("%+v: not full", full)
	}
	names := make([]string, 1500)
	for i := range names {
		names[i] = fmt.Sprintf("new%d.example.com.", i)
		c.Put(addressEntry(t, names[i], " 300 IN A 192.0.2.1", start))
	}
	left := 0
	for _, name := range names {
		if _, state := c.Get(keyOf(name, dns.TypeA), start); state == cache.Fresh {
			left++
		}
	}
	if left < len(names)*98/100 {
		t.Errorf("%d of %d new entries are left beside dead ones", left, len(names))
	}
	if got := c.Stats(); got.Bytes > got.MaxBytes || got.Evictions > full.Evictions+uint64(len(names)-left) {
		t.Errorf("%+v: the dead were counted as evicted, before %+v", got, full)
	}
}

// Every entry is used once and never again: the new ones must not be turned away.
func TestWhatIsUsedGoesToo(t *testing.T) {
	c := newCache(t, cache.MinBytes)
	name := func(i int) string { return fmt.Sprintf("h%d.example.com.", i) }
	const all, last = 8000, 500
	for i := range all {
		c.Put(addressEntry(t, name(i), " 300 IN A 192.0.2.1", start))
		c.Get(keyOf(name(i), dns.TypeA), start)
		if s := c.Stats(); s.Bytes > s.MaxBytes {
			t.Fatalf("%+v", s)
		}
	}
	left := 0
	for i := all - last; i < all; i++ {
		if _, state := c.Get(keyOf(name(i), dns.TypeA), start); state == cache.Fresh {
			left++
		}
	}
	if left < last*9/10 {
		t.Errorf("%d of the last %d entries are left", left, last)
	}
}

func TestConcurrentUse(t *testing.T) {
	c := newCache(t, cache.MinBytes)
	const keys = 500
	entries := make([]*cache.Entry, keys)
	for i := range entries {
		name := fmt.Sprintf("h%d.example.com.", i)
		entries[i] = addressEntry(t, name, fmt.Sprintf(" 300 IN A 10.0.%d.%d", i/256, i%256), start)
	}
	queries := make([][]byte, keys)
	for i := range queries {
		m := new(dns.Msg).SetQuestion(fmt.Sprintf("h%d.example.com.", i), dns.TypeA)
		queries[i], _ = m.Pack()
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			q, dst := new(wire.Query), []byte(nil)
			for range 5000 {
				i := random.IntN(keys)
				switch random.IntN(4) {
				case 0:
					c.Put(entries[i])
					continue
				case 1:
					c.Put(cache.NewFailure(entries[i].Key(), none, time.Second, start))
					continue
				}
				q.Parse(queries[i])
				e, state := c.Get(cache.Key{Name: q.Name, Type: q.Type, Class: q.Class}, start)
				if state == cache.Miss {
					continue
				}
				e.MarkClean(uint64(worker))
				dst = e.Append(dst[:0], q, cache.Options{Now: start, EDE: none})
				if e.Failed() {
					continue
				}
				if got := binary.BigEndian.Uint32(dst[len(dst)-4:]); got != 10<<24|uint32(i) {
					t.Errorf("h%d has address %x", i, got)
					return
				}
			}
		})
	}
	wg.Wait()
	if s := c.Stats(); s.Entries < 1 || s.Entries > keys {
		t.Errorf("%+v", s)
	}
}

func TestCollector(t *testing.T) {
	c := newCache(t, 1<<20)
	c.Put(addressEntry(t, question, " 300 IN A 192.0.2.1", start))
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(cache.NewCollector(c))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		got[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	s := c.Stats()
	for name, want := range map[string]float64{
		"cordon_cache_entries": 1, "cordon_cache_bytes": float64(s.Bytes), "cordon_cache_max_bytes": 1 << 20, "cordon_cache_evictions_total": 0,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
}

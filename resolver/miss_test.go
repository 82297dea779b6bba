package resolver_test

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cordon/blocklists/domain"
	"cordon/resolver"
	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

// atOnce answers every question with one address, before Ask returns, and allocates nothing.
type atOnce struct{ buffer [512]byte }

func (a *atOnce) Ask(q upstream.Question, _ time.Time, done func(upstream.Result)) {
	msg := append(a.buffer[:0], 0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0)
	msg = append(msg, q.Name...)
	msg = binary.BigEndian.AppendUint16(msg, q.Type)
	msg = binary.BigEndian.AppendUint16(msg, q.Class)
	msg = append(msg, 0xC0, wire.HeaderLen, 0, wire.TypeA, 0, wire.ClassINET, 0, 0, 1, 44, 0, 4, 198, 51, 100, 7)
	done(upstream.Result{Msg: msg})
}

// misses is a resolver that knows nothing yet, and a query whose name is another one each time.
type misses struct {
	*resolver.Resolver
	q       *wire.Query
	replies int
	reply   func([]byte)
}

func newMisses(t testing.TB) *misses {
	t.Helper()
	b := newBench(t, resolver.Limits{})
	m := &misses{Resolver: b.Resolver, q: b.query("h00000000.www.example.")}
	m.reply = func([]byte) { m.replies++ }
	if err := m.Configure(resolver.Routing{Default: resolver.Route{Zone: domain.Root, Upstreams: new(atOnce)}}); err != nil {
		t.Fatal(err)
	}
	return m
}

// next asks by the second door for a name that nobody has asked for.
func (m *misses) next() {
	for i := wire.HeaderLen + 9; ; i-- {
		if m.q.Msg[i]++; m.q.Msg[i] <= '9' {
			break
		}
		m.q.Msg[i] = '0'
	}
	m.q.Parse(m.q.Msg)
	m.Start(m.q, m.reply)
}

// A miss allocates what the cache keeps, and nothing else.
func TestAMissAllocatesTheEntryOnly(t *testing.T) {
	m := newMisses(t)
	if n := testing.AllocsPerRun(1000, m.next); n > 1 && !raceEnabled {
		t.Errorf("%v allocations a miss, want 1: the entry", n)
	}
	if m.replies != 1001 {
		t.Errorf("%d replies to 1001 queries", m.replies)
	}
}

func BenchmarkMiss(b *testing.B) {
	m := newMisses(b)
	b.ReportAllocs()
	for b.Loop() {
		m.next()
	}
}

// A fault in the way back of one client takes nothing from those who wait for the same, and leaves no place taken.
func TestAPanicTakesNoOtherWaiterWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{Waiting: 3})
		b.set(time.Second, records("www.example. 300 IN A 198.51.100.7"))
		for range 2 {
			var got []string
			reply := func(msg []byte) { got = append(got, text(t, msg)) }
			b.Start(b.query("www.example."), reply)
			b.Start(b.query("www.example."), func([]byte) { panic("as the test wants it") })
			b.Start(b.query("www.example."), reply)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if want := "NOERROR 198.51.100.7 ttl=300"; len(got) != 2 || got[0] != want || got[1] != want {
				t.Errorf("the others got %q, want %q each", got, want)
			}
		}
	})
}

// Who finds no place to wait is counted, and so are look-ups.
func TestTotals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{Waiting: 2})
		b.set(time.Second, records("www.example. 300 IN A 198.51.100.7"))
		for range 3 {
			b.Answer(nil, b.query("www.example."))
			b.Start(b.query("www.example."), func([]byte) {})
		}
		if got, want := b.Totals(), (resolver.Totals{Miss: 3, Waiting: 2, Places: 2, Crowded: 1}); got != want {
			t.Errorf("found %+v, want %+v", got, want)
		}
		if got := gathered(t, b.Resolver)["cordon_dns_waiting_exceeded_total"]; got != 1 {
			t.Errorf("the metric says %v, want 1", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		b.ask("www.example.")
		if got, want := b.Totals(), (resolver.Totals{Hit: 1, Miss: 3, Places: 2, Crowded: 1}); got != want {
			t.Errorf("after the answer %+v, want %+v", got, want)
		}
	})
}

// sometimes answers now, later from another goroutine, or not.
type sometimes struct{ asked atomic.Int64 }

func (s *sometimes) Ask(q upstream.Question, _ time.Time, done func(upstream.Result)) {
	n := s.asked.Add(1)
	now := new(atOnce)
	q.Name = bytes.Clone(q.Name)
	switch n % 4 {
	case 0:
		now.Ask(q, time.Time{}, done)
	case 1:
		done(upstream.Result{Err: &upstream.Error{Kind: upstream.Timeout}})
	default:
		go now.Ask(q, time.Time{}, done)
	}
}

// Many clients at once, over names that come and go: each gets one reply, to its own query.
func TestEachQueryHasOneReply(t *testing.T) {
	b := newBench(t, resolver.Limits{Waiting: 300, WaitingPerClient: 300})
	if err := b.Configure(resolver.Routing{Default: resolver.Route{Zone: domain.Root, Upstreams: new(sometimes)}}); err != nil {
		t.Fatal(err)
	}
	const askers, each = 8, 500
	var replies, wrong atomic.Int64
	var all sync.WaitGroup
	for a := range askers {
		all.Go(func() {
			q := b.query("h0.www.example.")
			for i := range each {
				q.Msg[0], q.Msg[1] = byte(a), byte(i)
				q.Msg[wire.HeaderLen+2] = byte(i / 2)
				q.Parse(q.Msg)
				question := string(q.RawQuestion())
				all.Add(1)
				b.Start(q, func(msg []byte) {
					defer all.Done()
					replies.Add(1)
					if msg[0] != byte(a) || msg[1] != byte(i) || string(msg[wire.HeaderLen:][:len(question)]) != question {
						wrong.Add(1)
					}
				})
			}
		})
	}
	all.Wait()
	if replies.Load() != askers*each || wrong.Load() != 0 {
		t.Errorf("%d replies to %d queries, %d of them wrong", replies.Load(), askers*each, wrong.Load())
	}
	got := gathered(t, b.Resolver)
	if got["cordon_upstream_flights"] != 0 || got["cordon_dns_waiting"] != 0 {
		t.Errorf("something stays: %v", got)
	}
}

// unsteady answers, fails or says nothing before its deadline, at once or later.
type unsteady struct{ asked atomic.Int64 }

func (u *unsteady) Ask(q upstream.Question, deadline time.Time, done func(upstream.Result)) {
	n := u.asked.Add(1)
	now := new(atOnce)
	q.Name = bytes.Clone(q.Name)
	go func() {
		switch time.Sleep(time.Duration(n%7) * 500 * time.Microsecond); n % 5 {
		case 0:
			time.Sleep(time.Until(deadline))
			fallthrough
		case 1:
			done(upstream.Result{Err: &upstream.Error{Kind: upstream.Timeout}})
		default:
			now.Ask(q, time.Time{}, done)
		}
	}()
}

// Clients that get stale data, ask once more for what may be lost, and join what others asked: each gets one reply, to its own query.
func TestEachQueryHasOneReplyWhileUpstreamsAreUnsteady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{StaleAfter: time.Millisecond, QueryTimeout: 20 * time.Millisecond})
		if err := b.Configure(resolver.Routing{Default: resolver.Route{Zone: domain.Root, Upstreams: new(unsteady)}}); err != nil {
			t.Fatal(err)
		}
		const askers, each, names = 8, 400, 20
		var replies, wrong atomic.Int64
		var all sync.WaitGroup
		for a := range askers {
			all.Go(func() {
				q := b.query("h0.www.example.")
				for i := range each {
					if i%100 == 0 {
						time.Sleep(10 * time.Minute) // all that there is has expired
					}
					time.Sleep(time.Duration(i%3) * 500 * time.Microsecond)
					q.Now = time.Now()
					q.Msg[0], q.Msg[1], q.Msg[wire.HeaderLen+2] = byte(a), byte(i), byte('a'+i%names)
					q.Parse(q.Msg)
					question := string(q.RawQuestion())
					all.Add(1)
					b.Start(q, func(msg []byte) {
						defer all.Done()
						replies.Add(1)
						if msg[0] != byte(a) || msg[1] != byte(i) || string(msg[wire.HeaderLen:][:len(question)]) != question {
							wrong.Add(1)
						}
					})
				}
			})
		}
		all.Wait()
		time.Sleep(time.Second)
		if replies.Load() != askers*each || wrong.Load() != 0 {
			t.Errorf("%d replies to %d queries, %d of them wrong", replies.Load(), askers*each, wrong.Load())
		}
		got := gathered(t, b.Resolver)
		if got["cordon_upstream_flights"] != 0 || got["cordon_dns_waiting"] != 0 {
			t.Errorf("something stays: %v", got)
		}
	})
}

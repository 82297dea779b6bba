package resolver_test

import (
	"encoding/binary"
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

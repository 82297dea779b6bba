package main

import (
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// fakeNetwork is a server on a clock that only waiting moves. It answers what it was sent when respond says so.
type fakeNetwork struct {
	now     time.Duration
	respond func(query []byte, at time.Duration) []fakeAnswer
	coming  []fakeAnswer
	sentAt  []time.Duration
	waits   int
	room    int // datagrams that one send takes; 0: all
}

type fakeAnswer struct {
	octets []byte
	at     time.Duration
}

func (f *fakeNetwork) sockets() int { return 1 }

func (f *fakeNetwork) receive(int) ([][]byte, error) {
	var arrived [][]byte
	f.coming = slices.DeleteFunc(f.coming, func(a fakeAnswer) bool {
		if a.at > f.now {
			return false
		}
		arrived = append(arrived, a.octets)
		return true
	})
	return arrived, nil
}

func (f *fakeNetwork) send(_ int, messages [][]byte) (int, error) {
	if f.room > 0 {
		messages = messages[:min(f.room, len(messages))]
	}
	for _, m := range messages {
		f.sentAt = append(f.sentAt, f.now)
		f.coming = append(f.coming, f.respond(slices.Clone(m), f.now)...)
	}
	return len(messages), nil
}

func (f *fakeNetwork) wait(d time.Duration) error {
	f.waits++
	end := f.now + max(d, time.Microsecond)
	for _, a := range f.coming {
		if a.at > f.now {
			end = min(end, a.at)
		}
	}
	f.now = end
	return nil
}

func (f *fakeNetwork) close() {}

// after answers each query as echo does, once, after d.
func after(d time.Duration) func(query []byte, at time.Duration) []fakeAnswer {
	return func(query []byte, at time.Duration) []fakeAnswer {
		query[2] |= 0x80
		return []fakeAnswer{{octets: query, at: at + d}}
	}
}

func runFake(t *testing.T, f *fakeNetwork, p pace, outstanding int) *tally {
	t.Helper()
	m, err := parseMode("echo")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSource(&options{mode: m, qtype: dns.TypeA})
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(f, s, p, outstanding)
	e.clock = func() time.Duration { return f.now }
	if err := e.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &e.tally
}

func TestSteadyRate(t *testing.T) {
	f := &fakeNetwork{respond: after(250 * time.Microsecond)}
	got := runFake(t, f, pace{rate: 1000, seconds: 1, count: 1000, timeout: time.Second}, 64)
	if got.sent != 1000 || got.answers != 1000 || got.lost != 0 {
		t.Fatalf("%d sent, %d answers, %d lost, want 1000, 1000 and 0", got.sent, got.answers, got.lost)
	}
	for i, at := range f.sentAt {
		if due := time.Duration(i) * time.Millisecond; at < due || at > due+10*time.Microsecond {
			t.Fatalf("query %d was sent at %s, want %s", i, at, due)
		}
	}
	if p50 := got.latency.quantile(0.5); p50 < 250*time.Microsecond || p50 > 265*time.Microsecond {
		t.Errorf("p50 %s, want 250us", p50)
	}
}

// A server that stands still for half a second at a steady rate: those who asked meanwhile have waited, all of them.
func TestStandstillIsNotOmitted(t *testing.T) {
	standstill := func(query []byte, at time.Duration) []fakeAnswer {
		query[2] |= 0x80
		return []fakeAnswer{{octets: query, at: max(at, 500*time.Millisecond)}}
	}
	got := runFake(t, &fakeNetwork{respond: standstill}, pace{rate: 1000, seconds: 1, count: maxCount, timeout: time.Second}, 1024)
	p50, p75 := got.latency.quantile(0.5), got.latency.quantile(0.75)
	if p50 > 5*time.Millisecond || p75 < 245*time.Millisecond || p75 > 260*time.Millisecond {
		t.Errorf("half waited up to %s and a quarter more than %s, want about 0 and 250ms", p50, p75)
	}
}

func TestStandstillFillsTheSlotsAndCountsFromWhenDue(t *testing.T) {
	standstill := func(query []byte, at time.Duration) []fakeAnswer {
		query[2] |= 0x80
		return []fakeAnswer{{octets: query, at: max(at, 500*time.Millisecond)}}
	}
	f := &fakeNetwork{respond: standstill}
	got := runFake(t, f, pace{rate: 1000, seconds: 1, count: maxCount, timeout: time.Second}, 16)
	if got.answers < 1000 || got.latency.quantile(0.75) < 245*time.Millisecond {
		t.Errorf("%d answers, a quarter waited more than %s, want 1000 and 250ms", got.answers, got.latency.quantile(0.75))
	}
	if got.behind.most < 400*time.Millisecond {
		t.Errorf("a query was sent at most %s late, want nearly 500ms", got.behind.most)
	}
	if f.waits > 2000 {
		t.Errorf("it waited %d times: it did not sleep while there was no room", f.waits)
	}
}

func TestLostLateAndUnasked(t *testing.T) {
	n := 0
	respond := func(query []byte, at time.Duration) []fakeAnswer {
		query[2] |= 0x80
		n++
		switch n {
		case 1: // never
			return nil
		case 2: // too late
			return []fakeAnswer{{query, at + 150*time.Millisecond}}
		case 3: // twice
			return []fakeAnswer{{query, at}, {query, at}}
		case 4:
			return []fakeAnswer{{query[:1], at}, {query, at}}
		default:
			return []fakeAnswer{{query, at + 10*time.Millisecond}}
		}
	}
	got := runFake(t, &fakeNetwork{respond: respond}, pace{seconds: 10, count: 200, timeout: 100 * time.Millisecond}, 4)
	if got.sent != 200 || got.answers != 198 || got.lost != 2 || got.late != 1 || got.wrong[unasked] != 1 || got.wrong[malformed] != 1 {
		t.Errorf("found %d sent, %d answers, %d lost, %d late, wrong %v", got.sent, got.answers, got.lost, got.late, got.wrong)
	}
}

func TestClosedLoopKeepsSoManyUnderWay(t *testing.T) {
	f := &fakeNetwork{respond: after(10 * time.Millisecond), room: 3}
	got := runFake(t, f, pace{seconds: 1, count: maxCount, timeout: time.Second}, 8)
	if got.sent < 700 || got.sent > 808 || got.answers != got.sent || got.kinds[echo] != got.sent {
		t.Errorf("%d sent, %d answers, %d right, want 8 each 10 ms for a second", got.sent, got.answers, got.kinds[echo])
	}
}

func TestNothingIsAllocated(t *testing.T) {
	m, err := parseMode("echo")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSource(&options{mode: m, qtype: dns.TypeA})
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(&loopNetwork{}, s, pace{seconds: 1, count: maxCount, timeout: time.Second}, 8)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := e.goRound(0, true); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a round, want 0", n)
	}
	if e.tally.answers == 0 {
		t.Error("nothing was answered")
	}
}

// loopNetwork has the answer to each query at once, and allocates nothing.
type loopNetwork struct {
	octets [batchSize][queryRoom]byte
	found  [][]byte
}

func (l *loopNetwork) sockets() int { return 1 }

func (l *loopNetwork) receive(int) ([][]byte, error) { return l.found, nil }

func (l *loopNetwork) send(_ int, messages [][]byte) (int, error) {
	l.found = l.found[:0]
	for i, m := range messages {
		n := copy(l.octets[i][:], m)
		l.octets[i][2] |= 0x80
		l.found = append(l.found, l.octets[i][:n])
	}
	return len(messages), nil
}

func (l *loopNetwork) wait(time.Duration) error { return nil }

func (l *loopNetwork) close() {}

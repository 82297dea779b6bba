//go:build linux

package endtoend

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestSoak runs the program for as long as CORDON_SOAK says, such as 10m:
//
//	clients of five kinds, UDP and TCP ─▶ cordon ─▶ two upstreams that fail in turn, at times both
//	                                        ▲
//	        an edit of its files each second or so: lists flip, an exception comes and goes, what is broken is held
//
// Wrong is an answer that no state of the files and upstreams explains that may have counted while the query was under way. The old state
// of a file may count until the metrics say that the new one is in force, which must be so within 3 s (reloadLate), and upstreams may be
// taken for dead until 4 s after one of them works again (recoveryLate). None may be wrong and none may be lost; one in a thousand may be
// SERVFAIL though an upstream was well.
//
// A leak is a median of the last quarter of the time that is above that of the first quarter, both without the warm-up: goroutines and
// descriptors by a tenth and 20, the Go heap by a fifth and 16 MiB, resident memory by 15 % and 16 MiB. Under the race detector, whose own
// memory grows by some MiB a minute, resident memory is shown and not judged: the run without it does that.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("CORDON_SOAK"))
	if err != nil {
		t.Skip("CORDON_SOAK does not say for how long, such as 10m")
	}
	s := newSoak(t)
	s.cordon.start()
	var all sync.WaitGroup
	stop := sync.OnceFunc(func() { close(s.over) })
	t.Cleanup(func() { // before the program is killed, if the test fails half-way
		stop()
		all.Wait()
	})
	time.AfterFunc(length, stop)
	for i := range 30 {
		all.Go(func() { s.askUDP(i) })
	}
	for i := range 6 {
		all.Go(func() { s.askTCP(i) })
	}
	all.Go(s.failAndRecover)
	var samples []soakSample
	all.Go(func() { samples = s.watch() })
	s.edit()
	all.Wait()
	s.report(samples, length)
	s.cordon.signal(syscall.SIGTERM)
	if status := s.cordon.wait(8 * time.Second); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	if status, text := s.cordon.run("audit", "verify"); status != 0 || !strings.Contains(text, "intact") {
		t.Errorf("audit verify: exit status %d: %s", status, text)
	}
	if strings.Contains(s.cordon.log(), "please report") {
		t.Error("the log has a fault in Cordon")
	}
}

const reloadLate, recoveryLate = 3 * time.Second, 4 * time.Second

// soak is what is true while it runs.
type soak struct {
	t         *testing.T
	cordon    *cordon
	upstreams []*moodyUpstream
	over      chan struct{}

	flips   [8]soakFact // whether flip0.soak.example … is on the list
	press   soakFact    // whether the press office is excepted
	trouble soakFact    // whether no upstream is well

	counts soakCounts
	edits  map[string]int
}

// soakFact is something that changes now and then. It is safe for concurrent use.
type soakFact struct {
	mu      sync.Mutex
	history []soakMoment // the last ones, by time
}

type soakMoment struct {
	from, settled time.Time // value may count from, and alone from settled on
	value         bool
}

// set says that value counts in late at most.
func (f *soakFact) set(value bool, late time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.history = append(f.history, soakMoment{from: now, settled: now.Add(late), value: value})
	if len(f.history) > 40 {
		f.history = slices.Delete(f.history, 0, 20)
	}
}

// settle says that what was set last counts now.
func (f *soakFact) settle() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.history[len(f.history)-1].settled = time.Now()
}

func (f *soakFact) now() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.history) > 0 && f.history[len(f.history)-1].value
}

// could says whether value may have counted at some time from begun to ended. At first it is false.
func (f *soakFact) could(value bool, begun, ended time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := soakMoment{}
	for _, m := range f.history {
		if last.value == value && last.from.Before(ended) && m.settled.After(begun) {
			return true
		}
		last = m
	}
	return last.value == value && last.from.Before(ended)
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{t: t, over: make(chan struct{}), edits: map[string]int{}, counts: newSoakCounts()}
	for range 2 {
		s.upstreams = append(s.upstreams, newMoodyUpstream(t))
	}
	s.cordon = newCordon(t, nil, "")
	s.writeService(0)
	s.writeList()
	s.writePolicy()
	return s
}

func (s *soak) ended() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// pause waits, and says whether it goes on.
func (s *soak) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.over:
		return false
	case <-timer.C:
		return true
	}
}

// writeService writes one of two service files that differ in the order of the upstreams and in a limit.
func (s *soak) writeService(edition int) {
	first, second := s.upstreams[edition%2].address, s.upstreams[(edition+1)%2].address
	s.cordon.service([]string{first, second}, fmt.Sprintf("policy_dir: policy\nstate_dir: state\ncache: {max_bytes: 4MiB}\n"+
		"limits: {waiting_per_client: %d}\n", 1000-edition%2))
}

func (s *soak) writeList() {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "filler%d.example\n", i)
	}
	for k := range s.flips {
		if s.flips[k].now() {
			fmt.Fprintf(&text, "flip%d.soak.example\n", k)
		}
	}
	s.cordon.write(text.String(), "policy/flips.txt")
}

func (s *soak) writePolicy() {
	text := `
timezone: UTC
lists: [{name: banned, names: [banned.example]}, {name: flips, source: "file:flips.txt"}]
policies: [{name: ban, lists: [banned, flips]}]
agencies:
  - {name: default, policies: [ban]}
  - {name: ministry, networks: [127.0.1.0/24], policies: [ban]}
  - {name: observed, networks: [127.0.2.0/24], policies: [ban], mode: observe}
  - {name: lab, networks: [127.0.3.0/24], policies: [ban]}
exceptions:
  - {name: research, agency: lab, reason: "It is studied", approved_by: "Head", until: IN_A_MONTH}
`
	if s.press.now() {
		text += `  - {name: press, agency: ministry, clients: [127.0.1.42], names: [banned.example], reason: "It is needed", approved_by: "Head", until: IN_A_MONTH}`
	}
	s.cordon.write(strings.ReplaceAll(text, "IN_A_MONTH", time.Now().AddDate(0, 1, 0).Format(time.DateOnly)), "policy/all.yaml")
}

// edit changes the files until the end. What is broken is held at once, and the held file is in force no longer when it is whole.
func (s *soak) edit() {
	for n := 1; s.pause(time.Second); n++ {
		switch choice := rand.IntN(10); {
		case choice < 4:
			s.edits["list"]++
			s.change(&s.flips[rand.IntN(len(s.flips))], s.writeList)
		case choice < 6:
			s.edits["exception"]++
			s.change(&s.press, s.writePolicy)
		case choice == 6:
			s.broken("policy", "policies: [\n", "policy/all.yaml", s.writePolicy)
		case choice == 7:
			s.broken("list", "<!DOCTYPE html>\n<html></html>\n", "policy/flips.txt", s.writeList)
		case choice == 8:
			s.broken("service", "listen: {dns: 5}\n", "cordon.yaml", func() { s.writeService(n) })
		default:
			s.edits["SIGHUP"]++
			s.cordon.signal(syscall.SIGHUP)
		}
	}
}

// change turns a fact, writes it, and waits until it is in force.
func (s *soak) change(f *soakFact, write func()) {
	before := policyHashOf(s.cordon)
	f.set(!f.now(), reloadLate)
	write()
	until(s.t, reloadLate, "a change is in force", func() bool {
		hash := policyHashOf(s.cordon)
		return hash != "" && hash != before
	})
	f.settle()
}

// broken writes text, which must be held, and then what is right, which must be in force.
func (s *soak) broken(what, text, path string, mend func()) {
	s.edits["broken "+what]++
	held := func() bool { return s.cordon.metric("cordon_held_since_timestamp_seconds{") != "" }
	s.cordon.write(text, path)
	until(s.t, 10*time.Second, "a broken "+what+" is held", held)
	mend()
	until(s.t, 10*time.Second, "a "+what+" is no longer held", func() bool { return !held() })
}

// failAndRecover changes the mood of the upstreams until the end.
func (s *soak) failAndRecover() {
	for s.pause(3 * time.Second) {
		both := rand.IntN(6) == 0
		if both {
			s.trouble.set(true, 0)
		}
		s.upstreams[0].mood.Store(rand.Int32N(moods))
		other := wellMood
		if both {
			s.upstreams[0].mood.Store(1 + rand.Int32N(badMoods))
			other = 1 + rand.Int32N(badMoods)
		}
		s.upstreams[1].mood.Store(other)
		if rand.IntN(2) == 0 && !both { // the other one's turn
			s.upstreams[1].mood.Store(s.upstreams[0].mood.Swap(wellMood))
		}
		if both {
			going := s.pause(3 * time.Second)
			for _, u := range s.upstreams {
				u.mood.Store(wellMood)
			}
			s.trouble.set(false, recoveryLate)
			if !going || !s.pause(6*time.Second) {
				return
			}
		}
	}
}

// soakSample is what the program had at one time.
type soakSample map[string]float64

var sampled = []struct {
	name       string
	part, more float64 // how much more is no leak: of the median, and beside that
}{
	{"goroutines", 0.10, 20},
	{"descriptors", 0.10, 20},
	{resident, 0.15, 16},
	{"heap MiB", 0.20, 16},
}

const resident = "resident MiB"

// watch takes a sample each second until the end.
func (s *soak) watch() (all []soakSample) {
	for s.pause(time.Second) {
		_, text := s.cordon.get("/metrics")
		figure := func(name string) float64 {
			n, _ := strconv.ParseFloat(between(text, "\n"+name+" ", "\n"), 64)
			return n
		}
		all = append(all, soakSample{
			"goroutines": figure("go_goroutines"), "heap MiB": figure("go_memstats_heap_alloc_bytes") / (1 << 20),
			"descriptors": float64(s.cordon.descriptors()), resident: float64(s.cordon.memory("VmRSS")) / 1024,
		})
	}
	return all
}

// report says what was measured, and what of it is a fault.
func (s *soak) report(all []soakSample, length time.Duration) {
	s.t.Logf("%v, edits %v, %d lines logged", length, s.edits, strings.Count(s.cordon.log(), "\n"))
	s.counts.report(s.t)
	all = all[min(len(all), max(90, len(all)/5)):] // the warm-up: the cache fills
	quarter := len(all) / 4
	if quarter < 15 {
		s.t.Errorf("%d samples after the warm-up are too few to find a leak: it takes three minutes at least", len(all))
		return
	}
	for _, f := range sampled {
		first, last := median(all[:quarter], f.name), median(all[len(all)-quarter:], f.name)
		var course strings.Builder
		for part := range slices.Chunk(all, (len(all)+7)/8) {
			fmt.Fprintf(&course, " %.1f", median(part, f.name))
		}
		s.t.Logf("%-12s %6.1f in the first quarter, %6.1f in the last; in eighths%s", f.name, first, last, course.String())
		if limit := first*(1+f.part) + f.more; first == 0 || last > limit && !(raceEnabled && f.name == resident) {
			s.t.Errorf("%s: %.1f, want at most %.1f: a leak", f.name, last, limit)
		}
	}
}

func median(samples []soakSample, name string) float64 {
	var all []float64
	for _, one := range samples {
		all = append(all, one[name])
	}
	slices.Sort(all)
	return all[len(all)/2]
}

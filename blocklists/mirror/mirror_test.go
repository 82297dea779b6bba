package mirror_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cordon/blocklists/mirror"
)

// source is a list that can be changed and broken while it is asked. It says what it is asked and when.
type source struct {
	mu      sync.Mutex
	content string // "" is nothing but a version
	outcome mirror.Outcome
	err     error
	hold    chan struct{} // not nil: an answer waits for a value
	act     func(ctx context.Context, w io.Writer) error
	asked   []time.Time
	haves   []*mirror.Copy
	running int
	most    *gauge
}

// gauge is the most of something that there ever was.
type gauge struct {
	mu        sync.Mutex
	now, most int
}

func (g *gauge) add(n int) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += n
	g.most = max(g.most, g.now)
}

func (s *source) Fetch(ctx context.Context, have *mirror.Copy, w io.Writer) (mirror.Outcome, error) {
	s.mu.Lock()
	s.running++
	if s.running > 1 {
		panic("asked by two goroutines")
	}
	s.asked, s.haves = append(s.asked, time.Now()), append(s.haves, have)
	s.mu.Unlock()
	s.most.add(1)
	defer func() {
		s.most.add(-1)
		s.mu.Lock()
		s.running--
		s.mu.Unlock()
	}()
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return mirror.Outcome{}, ctx.Err()
		}
	}
	return s.answer(ctx, have, w)
}

func (s *source) answer(ctx context.Context, have *mirror.Copy, w io.Writer) (mirror.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outcome
	if o.Version == "" {
		o.Version = "version of " + s.content
	}
	switch {
	case s.act != nil:
		return o, s.act(ctx, w)
	case s.err != nil:
		return o, s.err
	case have != nil && have.Version == o.Version:
		return mirror.Outcome{Refresh: o.Refresh, Retry: o.Retry, Expire: o.Expire}, mirror.ErrUnchanged
	}
	_, err := io.WriteString(w, s.content)
	return o, err
}

func (s *source) set(f func(s *source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// times is when the source was asked, since the last call.
func (s *source) times() (all []time.Time) {
	s.set(func(s *source) { all, s.asked = s.asked, nil })
	return all
}

// bench is a mirror in a bubble.
type bench struct {
	t       *testing.T
	dir     string
	log     *bytes.Buffer
	changed chan string
	m       *mirror.Mirror
	stop    func()
}

// bubble runs test beside a mirror on dir, which runs until test returns.
func bubble(t *testing.T, dir string, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, dir)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.m.Run(ctx) }()
		b.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		defer b.stop()
		test(t, b)
	})
}

func newBench(t *testing.T, dir string) *bench {
	t.Helper()
	b := &bench{t: t, dir: dir, log: new(bytes.Buffer), changed: make(chan string, 1000)}
	m, err := mirror.New(mirror.Config{Dir: dir, Log: slog.New(slog.NewTextHandler(b.log, nil)), Changed: func(name string) {
		b.changed <- name
	}})
	if err != nil {
		t.Fatal(err)
	}
	b.m = m
	return b
}

func (b *bench) set(lists ...mirror.Remote) {
	b.t.Helper()
	if err := b.m.Set(lists); err != nil {
		b.t.Fatal(err)
	}
}

// after lets d pass, and then whatever that has begun.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// changes is how often Changed was called since the last call.
func (b *bench) changes() (n int) {
	for {
		select {
		case <-b.changed:
			n++
		default:
			return n
		}
	}
}

// wantCopy is the copy of the list, which must hold content.
func (b *bench) wantCopy(name, identity, content string) *mirror.Copy {
	b.t.Helper()
	c := b.m.Copy(name, identity)
	if c == nil {
		b.t.Fatalf("%s: no copy: %+v\n%s", name, b.m.Status(name), b.log)
	}
	text, err := os.ReadFile(c.Path)
	if err != nil || string(text) != content {
		b.t.Fatalf("%s: read %q, %v; want %q", name, text, err, content)
	}
	if c.SHA256 != sha256.Sum256(text) || c.Size != int64(len(text)) || c.Identity != identity {
		b.t.Fatalf("%s: the copy %+v is not that of %q", name, c, content)
	}
	return c
}

func (b *bench) wantNone(name, identity string) {
	b.t.Helper()
	if c := b.m.Copy(name, identity); c != nil {
		b.t.Fatalf("%s: there is a copy: %+v", name, c)
	}
}

func (b *bench) wantLog(text string) {
	b.t.Helper()
	if !strings.Contains(b.log.String(), text) {
		b.t.Errorf("the log does not say %q:\n%s", text, b.log)
	}
}

func remote(s mirror.Source) mirror.Remote {
	return mirror.Remote{Name: "feed", Identity: "https://list.example/feed", Source: s, Refresh: time.Hour}
}

const feed = "https://list.example/feed"

func TestFetchesAndRefreshes(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		s := &source{content: "one"}
		b.set(remote(s))
		synctest.Wait()
		first := b.wantCopy("feed", feed, "one")
		if n := b.changes(); n != 1 {
			t.Errorf("told of %d changes, want 1", n)
		}
		if s.haves[0] != nil {
			t.Error("the first fetch had a copy")
		}
		began := time.Now()

		after(54*time.Minute - time.Second)
		if n := len(s.times()); n != 1 {
			t.Fatalf("asked %d times before it was due", n)
		}
		after(12*time.Minute + 2*time.Second)
		if n := len(s.times()); n != 1 {
			t.Fatalf("asked %d times when it was due, want 1", n)
		}
		if have := s.haves[1]; have == nil || have.Version != first.Version || have.Path != first.Path {
			t.Errorf("asked with %+v, want %+v", have, first)
		}
		if n := b.changes(); n != 0 {
			t.Errorf("told of %d changes when there was none", n)
		}
		again := b.wantCopy("feed", feed, "one")
		if !again.Checked.After(first.Checked) || !again.Fetched.Equal(first.Fetched) {
			t.Errorf("fetched %v, checked %v", again.Fetched, again.Checked)
		}

		s.set(func(s *source) { s.content = "two" })
		after(67 * time.Minute)
		second := b.wantCopy("feed", feed, "two")
		if n := b.changes(); n != 1 {
			t.Errorf("told of %d changes, want 1", n)
		}
		if _, err := os.Stat(first.Path); err != nil {
			t.Errorf("the version before is gone for those who were about to open it: %v", err)
		}
		s.set(func(s *source) { s.content = "three" })
		after(67 * time.Minute)
		if _, err := os.Stat(first.Path); err == nil {
			t.Error("the version before the one before is still there")
		}
		st := b.m.Status("feed")
		if st.Outcome != mirror.Changed || st.Failures != 0 || st.LastError != "" || !st.LastSuccess.After(began) || second == nil ||
			st.NextAttempt.Sub(st.LastAttempt) < 54*time.Minute || st.NextAttempt.Sub(st.LastAttempt) > 66*time.Minute {
			t.Errorf("status %+v", st)
		}
	})
}

// Refreshes of many lists that began together drift apart.
func TestRefreshIsJittered(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		s := &source{content: "one"}
		b.set(remote(s))
		seen := map[time.Duration]bool{}
		for range 20 {
			after(66 * time.Minute)
			st := b.m.Status("feed")
			wait := st.NextAttempt.Sub(st.LastAttempt)
			if wait < 54*time.Minute || wait > 66*time.Minute {
				t.Fatalf("waits for %v, want an hour, 10 %% more or less", wait)
			}
			seen[wait] = true
		}
		if len(seen) < 10 {
			t.Errorf("%d different times in 20", len(seen))
		}
	})
}

func TestFailureBacksOff(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		s := &source{content: "one"}
		b.set(remote(s))
		synctest.Wait()
		s.times()
		s.set(func(s *source) { s.err = errors.New("GET https://list.example/feed: 503 Service Unavailable") })
		after(67 * time.Minute)
		for failures := 1; failures < 12; failures++ {
			st := b.m.Status("feed")
			most := min(30*time.Second<<(st.Failures-1), time.Hour)
			wait := st.NextAttempt.Sub(st.LastAttempt)
			if st.Outcome != mirror.Failed || !strings.Contains(st.LastError, "503") || wait < time.Second || wait > most {
				t.Fatalf("%+v: waits for %v, want at most %v", st, wait, most)
			}
			after(wait)
		}
		b.wantCopy("feed", feed, "one")
		if st := b.m.Status("feed"); st.Failures < 12 || st.LastSuccess.Equal(st.LastAttempt) {
			t.Errorf("%+v", st)
		}
		s.set(func(s *source) { s.err = nil })
		after(time.Hour)
		if st := b.m.Status("feed"); st.Failures != 0 || st.LastError != "" || st.Outcome != mirror.Unchanged {
			t.Errorf("after a success: %+v", st)
		}
		b.wantLog("503 Service Unavailable")
		b.wantLog("failures_before=")
	})
}

func TestSourceSetsTheTimers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		outcome     mirror.Outcome
		fails       bool
		least, most time.Duration
	}{
		"refresh":           {mirror.Outcome{Refresh: 2 * time.Hour}, false, 108 * time.Minute, 132 * time.Minute},
		"refresh too short": {mirror.Outcome{Refresh: 1}, false, 900 * time.Millisecond, 1100 * time.Millisecond},
		"refresh too long":  {mirror.Outcome{Refresh: 1000 * time.Hour}, false, 151 * time.Hour, 185 * time.Hour},
		"retry":             {mirror.Outcome{Retry: 10 * time.Minute}, true, 10 * time.Minute, 10 * time.Minute},
		"retry too short":   {mirror.Outcome{Retry: 1}, true, time.Second, time.Second},
		"retry too long":    {mirror.Outcome{Retry: 1000 * time.Hour}, true, 168 * time.Hour, 168 * time.Hour},
		"negative":          {mirror.Outcome{Retry: -time.Hour, Refresh: -time.Hour}, true, time.Second, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
				s := &source{content: "one", outcome: test.outcome}
				if test.fails {
					s.err = errors.New("no")
				}
				b.set(remote(s))
				synctest.Wait()
				st := b.m.Status("feed")
				if wait := st.NextAttempt.Sub(st.LastAttempt); wait < test.least || wait > test.most {
					t.Errorf("waits for %v, want %v to %v", wait, test.least, test.most)
				}
			})
		})
	}
}

// The time that a source asked for is never cut short, and grows when it goes on failing.
func TestRetryOfTheSourceIsTheLeast(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		s := &source{err: errors.New("no"), outcome: mirror.Outcome{Retry: 5 * time.Minute}}
		b.set(remote(s))
		synctest.Wait()
		for range 10 {
			st := b.m.Status("feed")
			wait := st.NextAttempt.Sub(st.LastAttempt)
			if wait < 5*time.Minute || wait > 65*time.Minute {
				t.Fatalf("%d failures: waits for %v", st.Failures, wait)
			}
			after(wait)
		}
	})
}

func TestStartGoesByTheLastCheck(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		passed      time.Duration // between the last check and the start
		least, most time.Duration // until the source is asked
	}{
		"at once":              {0, 54 * time.Minute, 66 * time.Minute},
		"soon":                 {20 * time.Minute, 34 * time.Minute, 46 * time.Minute},
		"late":                 {70 * time.Minute, 0, 0},
		"clock set back":       {-20 * time.Minute, 54 * time.Minute, 66 * time.Minute},
		"clock set back years": {-50 * 365 * 24 * time.Hour, 54 * time.Minute, 66 * time.Minute},
		"clock set forward":    {50 * 365 * 24 * time.Hour, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			bubble(t, dir, func(t *testing.T, b *bench) {
				after(max(0, -test.passed))
				b.set(remote(&source{content: "one"}))
				synctest.Wait()
				b.wantCopy("feed", feed, "one")
			})
			bubble(t, dir, func(t *testing.T, b *bench) { // whose clock begins at the same time
				after(max(0, test.passed))
				s := &source{content: "two"}
				b.set(remote(s))
				b.wantCopy("feed", feed, "one")
				began := time.Now()
				next := b.m.Status("feed").NextAttempt.Sub(began)
				synctest.Wait()
				if test.most > 0 {
					after(next - 1)
					if len(s.times()) > 0 || next < test.least || next > test.most {
						t.Fatalf("asks after %v, want %v to %v", next, test.least, test.most)
					}
					after(1)
				}
				b.wantCopy("feed", feed, "two")
			})
		})
	}
}

func TestPoke(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		s := &source{content: "one", hold: make(chan struct{}, 100)}
		b.set(remote(s))
		s.hold <- struct{}{}
		synctest.Wait()
		after(10 * time.Second)
		s.times()

		for range 100 {
			b.m.Poke("feed")
		}
		synctest.Wait()
		if n := len(s.times()); n != 1 {
			t.Fatalf("asked %d times after pokes in a row, want 1, at once", n)
		}
		b.m.Poke("feed") // while it is asked
		after(3 * time.Second)
		if n := len(s.times()); n != 0 {
			t.Fatalf("asked %d times more while it is asked", n)
		}
		s.hold <- struct{}{}
		synctest.Wait()
		if n := len(s.times()); n != 1 {
			t.Fatalf("asked %d times after a poke while it was asked, want 1", n)
		}
		s.hold <- struct{}{}
		synctest.Wait()

		for range 50 { // ten a second
			s.hold <- struct{}{}
			b.m.Poke("feed")
			after(100 * time.Millisecond)
		}
		asked := s.times()
		if n := len(asked); n < 4 || n > 6 {
			t.Errorf("asked %d times in 5 s", n)
		}
		for i := 1; i < len(asked); i++ {
			if wait := asked[i].Sub(asked[i-1]); wait < time.Second {
				t.Errorf("asked again after %v", wait)
			}
		}
		b.m.Poke("unknown")
	})
}

func TestFourAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		most, hold := &gauge{}, make(chan struct{})
		var lists []mirror.Remote
		for i := range 10 {
			r := remote(&source{content: fmt.Sprint("list ", i), hold: hold, most: most})
			r.Name = fmt.Sprint("feed", i)
			lists = append(lists, r)
		}
		b.set(lists...)
		synctest.Wait()
		if most.now != 4 {
			t.Errorf("%d are asked at once, want 4", most.now)
		}
		close(hold)
		synctest.Wait()
		for i := range 10 {
			b.wantCopy(fmt.Sprint("feed", i), feed, fmt.Sprint("list ", i))
		}
		if most.most != 4 {
			t.Errorf("%d were asked at once, want 4", most.most)
		}
	})
}

func TestFirst(t *testing.T) {
	t.Parallel()
	for name, running := range map[string]bool{"before Run": false, "beside Run": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			bubble(t, dir, func(t *testing.T, b *bench) {
				r := remote(&source{content: "there"})
				r.Name = "there"
				b.set(r)
				synctest.Wait()
			})
			test := func(t *testing.T, b *bench) {
				there := &source{content: "there", hold: make(chan struct{})}
				missing, broken, silent := &source{content: "missing"}, &source{err: errors.New("no")}, &source{hold: make(chan struct{})}
				var lists []mirror.Remote
				for name, s := range map[string]*source{"there": there, "missing": missing, "broken": broken, "silent": silent} {
					r := remote(s)
					r.Name = name
					lists = append(lists, r)
				}
				b.set(lists...)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				began := time.Now()
				b.m.First(ctx)
				if took := time.Since(began); took != 5*time.Second {
					t.Errorf("took %v, want all of the time, for the silent one", took)
				}
				b.wantCopy("missing", feed, "missing")
				b.wantCopy("there", feed, "there")
				b.wantNone("silent", feed)
				if len(there.asked) > 0 || len(missing.asked) != 1 {
					t.Errorf("asked %d times for the copy that is there, %d for the one that was missing", len(there.asked), len(missing.asked))
				}
				if st := b.m.Status("broken"); st.Failures == 0 || st.LastError != "no" {
					t.Errorf("broken: %+v", st)
				}
			}
			if running {
				bubble(t, dir, test)
			} else {
				synctest.Test(t, func(t *testing.T) { test(t, newBench(t, dir)) })
			}
		})
	}
}

// A first fetch that took too long is a failure, and made up for by Run.
func TestFirstEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, t.TempDir())
		s := &source{content: "one", hold: make(chan struct{})}
		b.set(remote(s))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		b.m.First(ctx)
		if st := b.m.Status("feed"); st.Failures != 1 || st.Outcome != mirror.Failed {
			t.Errorf("%+v", st)
		}
		close(s.hold)
		running, stop := context.WithCancel(t.Context())
		go func() { _ = b.m.Run(running) }()
		after(30 * time.Second)
		b.wantCopy("feed", feed, "one")
		stop()
		synctest.Wait()
	})
}

func TestSetAgain(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		s := &source{content: "one"}
		b.set(remote(s))
		synctest.Wait()
		before := b.m.Status("feed")
		after(10 * time.Minute)

		// Another source of the same identity, as after a change of a secret.
		t2 := &source{content: "two"}
		b.set(remote(t2))
		synctest.Wait()
		if st := b.m.Status("feed"); st != before || len(t2.asked) > 0 {
			t.Errorf("status %+v, want %+v", st, before)
		}
		b.wantCopy("feed", feed, "one")

		// A shorter refresh counts from the last check.
		r := remote(t2)
		r.Refresh = 20 * time.Minute
		b.set(r)
		after(12 * time.Minute)
		b.wantCopy("feed", feed, "two")

		// Another identity has no copy of its own yet.
		t3 := &source{content: "three", hold: make(chan struct{})}
		r = remote(t3)
		r.Identity = "https://list.example/other"
		b.set(r)
		synctest.Wait()
		b.wantNone("feed", feed)
		b.wantNone("feed", r.Identity)
		if t3.haves[0] != nil {
			t.Error("asked with the copy of another identity")
		}
		close(t3.hold)
		synctest.Wait()
		b.wantCopy("feed", r.Identity, "three")

		// The old one is there again when it is set again.
		b.set(remote(&source{content: "two"}))
		b.wantCopy("feed", feed, "two")

		// None, and again.
		b.set()
		b.wantNone("feed", feed)
		if st := b.m.Status("feed"); st != (mirror.Status{}) {
			t.Errorf("status of a list that is gone: %+v", st)
		}
		last := &source{content: "two"}
		b.set(remote(last))
		synctest.Wait()
		b.wantCopy("feed", feed, "two")
		if len(last.asked) > 0 {
			t.Error("asked again, before its time")
		}
	})
}

func TestRemovedListIsNotAskedAnyMore(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		idle, busy := &source{content: "one"}, &source{hold: make(chan struct{})}
		r := remote(busy)
		r.Name = "busy"
		b.set(remote(idle), r)
		synctest.Wait()
		if busy.running != 1 {
			t.Fatal("the source is not asked")
		}
		b.set()
		synctest.Wait()
		if busy.running != 0 {
			t.Error("still asked")
		}
		if strings.Contains(b.log.String(), "could not") {
			t.Errorf("it counts as a failure:\n%s", b.log)
		}
		after(48 * time.Hour)
		if len(idle.asked) != 1 || len(busy.asked) != 1 {
			t.Errorf("asked %d and %d times", len(idle.asked), len(busy.asked))
		}
	})
}

func TestSetRefuses(t *testing.T) {
	t.Parallel()
	good := remote(&source{content: "one"})
	named := func(name string) mirror.Remote {
		r := good
		r.Name = name
		return r
	}
	for name, test := range map[string]struct {
		noDir bool
		lists []mirror.Remote
		want  string
	}{
		"no directory":   {true, []mirror.Remote{good}, "set state_dir"},
		"no name":        {false, []mirror.Remote{named("")}, "want a name"},
		"a path":         {false, []mirror.Remote{named("../../etc/passwd")}, "want a name"},
		"a hidden file":  {false, []mirror.Remote{named(".feed")}, "want a name"},
		"a long name":    {false, []mirror.Remote{named(strings.Repeat("a", 64))}, "63 at most"},
		"a line":         {false, []mirror.Remote{named("feed\n")}, "want a name"},
		"the same twice": {false, []mirror.Remote{good, named("other"), good}, "twice"},
		"no source":      {false, []mirror.Remote{{Name: "feed"}}, "no source"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if test.noDir {
				dir = ""
			}
			b := newBench(t, dir)
			if err := b.m.Set(test.lists); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			b.wantNone("feed", feed)
			if err := b.m.Set(nil); err != nil {
				t.Error(err)
			}
			if err := b.m.Sweep(); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := mirror.New(mirror.Config{Dir: t.TempDir()}); err == nil {
		t.Error("a mirror without a log")
	}
	if _, err := mirror.New(mirror.Config{Dir: filepath.Join(file(t), "copies"), Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a mirror in a file")
	}
}

// file is a file that is no directory.
func file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a source does wrong is a failure of its list, and costs neither the copy nor the process.
func TestBadSources(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		act  func(ctx context.Context, w io.Writer) error
		o    mirror.Outcome
		want string
	}{
		"panics": {act: func(context.Context, io.Writer) error { panic("the secret of a panic") }, want: "please report"},
		"panics after half": {act: func(_ context.Context, w io.Writer) error {
			_, _ = io.WriteString(w, "half")
			panic("no")
		}, want: "please report"},
		"fails after half": {act: func(_ context.Context, w io.Writer) error {
			_, _ = io.WriteString(w, "half")
			return errors.New("connection reset")
		}, want: "connection reset"},
		"sends too much": {act: func(_ context.Context, w io.Writer) error {
			for {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return errors.New("could not write")
				}
			}
		}, want: "more than 65536 octets"},
		"sends too much and says it is well": {act: func(_ context.Context, w io.Writer) error {
			for range 100 {
				_, _ = w.Write(make([]byte, 4096))
			}
			return nil
		}, want: "more than 65536 octets"},
		"hangs": {act: func(ctx context.Context, _ io.Writer) error {
			<-ctx.Done()
			return ctx.Err()
		}, want: "deadline exceeded"},
		"long version":   {act: func(context.Context, io.Writer) error { return nil }, o: mirror.Outcome{Version: strings.Repeat("v", 4097)}, want: "4097 octets"},
		"long signature": {act: func(context.Context, io.Writer) error { return nil }, o: mirror.Outcome{Signature: make([]byte, 4097)}, want: "signature"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
				good, other := &source{content: "one"}, &source{content: "other"}
				r, r2 := remote(good), remote(other)
				r.MaxSize, r2.Name = 64<<10, "other"
				b.set(r, r2)
				synctest.Wait()
				before := b.wantCopy("feed", feed, "one")
				good.set(func(s *source) { s.act, s.outcome = test.act, test.o })
				other.set(func(s *source) { s.content = "other, changed" })
				b.m.Poke("feed")
				after(70*time.Minute + 10*time.Second)
				if st := b.m.Status("feed"); st.Failures == 0 || !strings.Contains(st.LastError, test.want) || strings.Contains(st.LastError, "secret") {
					t.Errorf("%+v, want %q", st, test.want)
				}
				if now := b.wantCopy("feed", feed, "one"); now != before {
					t.Errorf("the copy was %+v and is %+v", before, now)
				}
				b.wantCopy("other", feed, "other, changed")
				b.stop()
				if left, _ := filepath.Glob(filepath.Join(b.dir, ".new-*")); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			})
		})
	}
}

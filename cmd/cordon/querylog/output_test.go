package querylog

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeSink is a sink whose reader may fail, or hang until the write's time is up.
type fakeSink struct {
	fails, hangs atomic.Bool
	attempts     atomic.Int64
	tended       atomic.Int64
	got          []string
}

var errReader = errors.New("the reader is gone")

func (s *fakeSink) encode(dst []byte, r *record) []byte { return append(dst, r.line...) }

func (s *fakeSink) write(ctx context.Context, b *batch) (int, error) {
	s.attempts.Add(1)
	if s.hangs.Load() {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	if s.fails.Load() {
		return 0, errReader
	}
	return b.each(func(record []byte) error {
		s.got = append(s.got, string(record))
		return nil
	})
}

func (s *fakeSink) tend(time.Time) error {
	s.tended.Add(1)
	return nil
}

func (s *fakeSink) close() { s.got = append(s.got, "closed") }

func TestAnOutputKeepsWhatItsReaderDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c, j := new(fakeSink), new(counts), new(journal)
		o := startOutput("syslog", s, c, j.logger())
		add := func(text string) { o.add(&record{line: []byte(text)}) }
		add("a")
		synctest.Wait()
		s.fails.Store(true)
		add("b")
		time.Sleep(100 * time.Second)
		add("c")
		if n := s.tended.Load(); n < 5 {
			t.Errorf("it was tended %d times in 100 s, want before each attempt", n)
		}
		if n := s.attempts.Load(); n < 6 || n > 9 {
			t.Errorf("%d attempts in 100 s, want a few, fewer and fewer", n)
		}
		large := strings.Repeat("x", maxPending/4)
		for range 5 {
			add(large)
		}
		s.fails.Store(false)
		time.Sleep(longestPause)
		synctest.Wait()
		if n := c.dropped.Load(); n != 2 { // with c, there was room for three
			t.Errorf("%d dropped, want 2", n)
		}
		add("d")
		o.stop(t.Context())
		got := strings.ReplaceAll(strings.Join(s.got, " "), large, "large")
		if want := "a b c large large large d closed"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if c.written.Load() != 7 || c.errors.Load() != uint64(s.attempts.Load())-uint64(4) {
			t.Errorf("%d written, %d errors of %d attempts", c.written.Load(), c.errors.Load(), s.attempts.Load())
		}
		if said := j.String(); strings.Count(said, "\n") != 2 || !strings.Contains(said, "the reader is gone") || !strings.Contains(said, "again") {
			t.Errorf("it was logged:\n%swant one line that it fails and one that it is over", said)
		}
		add("e")
		if n := c.dropped.Load(); n != 3 {
			t.Errorf("%d dropped after the end, want 3", n)
		}
	})
}

// The end waits neither for a reader that hangs nor for one that fails, and counts what is lost.
func TestAnOutputEnds(t *testing.T) {
	for name, spoil := range map[string]func(*fakeSink){
		"hangs": func(s *fakeSink) { s.hangs.Store(true) },
		"fails": func(s *fakeSink) { s.fails.Store(true) },
	} {
		synctest.Test(t, func(t *testing.T) {
			s, c := new(fakeSink), new(counts)
			spoil(s)
			o := startOutput("dnstap", s, c, new(journal).logger())
			o.add(&record{line: []byte("a")})
			synctest.Wait()
			o.add(&record{line: []byte("b")})
			begun := time.Now()
			o.stop(t.Context())
			if took := time.Since(begun); took > lastPatience {
				t.Errorf("%s: the end took %s", name, took)
			}
			if c.dropped.Load() != 2 || c.written.Load() != 0 {
				t.Errorf("%s: %d dropped, %d written", name, c.dropped.Load(), c.written.Load())
			}
		})
	}
}

// What is written after the end of its time fails at once, and does not wait for a slow reader again.
func TestNothingIsWaitedForAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		ctx, end := context.WithCancel(t.Context())
		conn, release := during(ctx, ours)
		defer release()
		end()
		synctest.Wait()
		begun := time.Now()
		if _, err := conn.Write([]byte("late")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) > 0 {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}

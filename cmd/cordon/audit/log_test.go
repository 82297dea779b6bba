package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// journal is the log that a Log writes to.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// unsynced opens files whose Sync costs nothing: nobody pulls the plug in a test.
func unsynced(path string) (file, error) {
	f, err := openFile(path)
	return syncless{f, nil, new(atomic.Bool)}, err
}

// running is a Log that is written, in a bubble.
type running struct {
	*Log
	t       *testing.T
	journal *journal
	stop    func()
}

func run(t *testing.T, c Config) *running {
	t.Helper()
	r := &running{t: t, journal: new(journal)}
	c.Log = slog.New(slog.NewTextHandler(r.journal, nil))
	if c.MaxFile == 0 {
		c.MaxFile = 1 << 20
	}
	if c.Keep == 0 {
		c.Keep = 1000 * time.Hour
	}
	if c.open == nil {
		c.open = unsynced
	}
	r.Log = New(c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(r.stop)
	return r
}

// add appends entries and waits until nothing happens any more.
func (r *running) add(kinds ...Kind) {
	for _, kind := range kinds {
		r.Append(Entry{Kind: kind})
	}
	synctest.Wait()
}

// known is what the Log knows of itself.
func (r *running) known() counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

func (r *running) says(words string) {
	r.t.Helper()
	if !strings.Contains(r.journal.String(), words) {
		r.t.Errorf("the server's log has no %q:\n%s", words, r.journal)
	}
}

// kinds are the kinds of the entries in dir.
func kinds(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	for e, err := range Read(dir, time.Time{}, time.Time{}) {
		if err != nil {
			t.Error(err)
		}
		all = append(all, string(e.Kind))
	}
	return strings.Join(all, " ")
}

// intact checks that the log in dir is as it was written, and has so many entries.
func intact(t *testing.T, dir string, entries uint64) Summary {
	t.Helper()
	s, err := Verify(dir, "")
	if err != nil || s.Entries != entries {
		t.Errorf("verify: %d entries, want %d; %v", s.Entries, entries, err)
	}
	return s
}

func TestEntriesAreWrittenAsTheyCome(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "audit")
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir})
		r.add(Start, Snapshot)
		time.Sleep(time.Hour)
		r.add(Counted)
		s := intact(t, dir, 3)
		if s.From.Equal(s.To) || s.Head != r.known().head || r.known().written != 3 || !r.known().last.Equal(s.To) {
			t.Errorf("from %v to %v, head %v; the Log says %+v", s.From, s.To, s.Head, r.known())
		}
		r.says(fmt.Sprintf("event=snapshot seq=2 head=%s", hashOf(lineOf(t, dir, 1))))
		if strings.Contains(r.journal.String(), "event=counts") {
			t.Error("the head was logged for counts")
		}
		r.add(Stop)
		r.stop()
		again := run(t, Config{Dir: dir})
		again.add(Start)
		intact(t, dir, 5)
		for path, want := range map[string]os.FileMode{dir: 0o750, filepath.Join(dir, fileName(1)): 0o640} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm()&^want != 0 {
				t.Errorf("%s has the mode %v, want %v; %v", path, info.Mode(), want, err)
			}
		}
	})
}

// lineOf is the line of the first file in dir with that index.
func lineOf(t *testing.T, dir string, index int) []byte {
	t.Helper()
	all, err := files(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(all[0].path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(text, []byte("\n"))[index]
}

func TestTheChainGoesOnAcrossFiles(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir, MaxFile: 500})
		for range 20 {
			r.add(Rejected)
		}
		r.stop()
		s := intact(t, dir, 20)
		if s.Files < 5 {
			t.Errorf("%d files, want several", s.Files)
		}
		all, _ := files(dir)
		for _, f := range all {
			if info, err := os.Stat(f.path); err != nil || info.Size() > 500 {
				t.Errorf("%s: %v, %v", f.path, info.Size(), err)
			}
		}
		run(t, Config{Dir: dir, MaxFile: 500}).add(Start)
		intact(t, dir, 21)
	})
}

func TestOldFilesAreRemovedWithAnEntry(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir, MaxFile: 500, Keep: 48 * time.Hour})
		for range 9 {
			r.add(Rejected)
		}
		time.Sleep(47 * time.Hour)
		r.add(Start)
		intact(t, dir, 10)
		time.Sleep(4 * time.Hour) // two looks
		s, err := Verify(dir, "")
		if err != nil || s.First != 10 || s.Head.Sequence != 10+uint64(len(s.Notes)) || len(s.Notes) < 2 {
			t.Errorf("%+v, %v: want a log from entry 10 on, with an entry for each file that is gone", s, err)
		}
		r.add(Stop)
		r.stop()
		time.Sleep(1000 * time.Hour)
		run(t, Config{Dir: dir, MaxFile: 500, Keep: 48 * time.Hour}).add(Start)
		if s, err := Verify(dir, ""); err != nil || s.First != 10 {
			t.Errorf("%+v, %v: nothing is removed at the first look", s, err)
		}
		time.Sleep(3 * time.Hour)
		if s, err := Verify(dir, ""); err != nil || s.First <= 10 {
			t.Errorf("%+v, %v: want what is old removed", s, err)
		}
	})
}

func TestAClockThatIsWrongForAMomentRemovesNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &writer{config: Config{Dir: dir, MaxFile: 100, Keep: time.Hour, Log: slog.New(slog.DiscardHandler), open: openFile}}
		defer w.close()
		for range 5 {
			if _, err := w.write([]Entry{{Kind: Start, Time: time.Now()}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, keep := range []time.Duration{time.Minute, 1000 * time.Hour, time.Minute} { // as if the wall clock were ahead, and right again
			time.Sleep(2 * certainty)
			w.config.Keep = keep
			if err := w.retain(time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		intact(t, dir, 5)
	})
}

func TestATornLineIsCutOff(t *testing.T) {
	for name, torn := range map[string]string{
		"half an entry":   `{"seq":3,"time":"2000-01-01T`,
		"zeros":           strings.Repeat("\x00", 5000),
		"one octet":       "{",
		"more than a few": strings.Repeat("x", maxLine+100<<10),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				r := run(t, Config{Dir: dir})
				r.add(Start, Snapshot)
				r.stop()
				appendTo(t, filepath.Join(dir, fileName(1)), torn)
				_, err := Verify(dir, "")
				if damage, ok := errors.AsType[*Damage](err); !ok || damage.Line != 3 || !strings.Contains(damage.What, "no server") {
					t.Errorf("verify: %v, want that line 3 has no end", err)
				}
				if got := kinds(t, dir); got != "start snapshot" {
					t.Errorf("entries %q", got)
				}
				time.Sleep(time.Minute)
				r = run(t, Config{Dir: dir})
				r.Append(Entry{Kind: Start, Time: time.Now().Add(-time.Second)}) // what waited for a moment
				synctest.Wait()
				r.says("level=ERROR")
				r.says(fmt.Sprintf("octets=%d", len(torn)))
				if s := intact(t, dir, 4); strings.Contains(strings.Join(s.Notes, "\n"), "stepped") {
					t.Errorf("notes %q, and the clock went on", s.Notes)
				}
				if got := kinds(t, dir); got != "start snapshot torn start" {
					t.Errorf("entries %q", got)
				}
			})
		})
	}
}

func TestATornFirstLine(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		appendTo(t, filepath.Join(dir, fileName(1)), "{")
		run(t, Config{Dir: dir}).add(Start)
		intact(t, dir, 2)
	})
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err = f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAServerWaitsForTheOneThatWritesTheLog(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		one := run(t, Config{Dir: dir})
		one.add(Start)
		two := run(t, Config{Dir: dir})
		two.add(Start, Snapshot)
		time.Sleep(50 * time.Minute)
		two.says("another process writes the log")
		if n := strings.Count(two.journal.String(), "level=ERROR"); n != 1 || two.known().failed < 10 || two.known().lost > 0 {
			t.Errorf("it was said %d times, want once; the second counts %+v", n, two.known())
		}
		one.add(Rejected, Stop)
		if got := kinds(t, dir); got != "start rejected stop" {
			t.Errorf("entries %q", got)
		}
		one.stop()
		time.Sleep(longPause)
		two.says("written again")
		two.add(Rejected)
		intact(t, dir, 6)
		if got := kinds(t, dir); got != "start rejected stop start snapshot rejected" {
			t.Errorf("entries %q", got)
		}
	})
}

// The directory is removed, and another server begins a log there.
func TestAServerGoesOnBehindTheOneThatTookItsPlace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	synctest.Test(t, func(t *testing.T) {
		one := run(t, Config{Dir: dir})
		one.add(Start, Snapshot)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		two := run(t, Config{Dir: dir})
		two.add(Start)
		one.add(Rejected)
		two.add(Stop)
		two.stop()
		time.Sleep(longPause)
		intact(t, dir, 3)
		if got := kinds(t, dir); got != "start stop rejected" {
			t.Errorf("entries %q", got)
		}
	})
}

// disk is a file system that can be full.
type disk struct {
	mu   sync.Mutex
	full error // what everything ends with
	room int   // octets of a write that still go
}

func (d *disk) set(full error, room int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full, d.room = full, room
}

func (d *disk) state() (room int, full error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.room, d.full
}

func (d *disk) open(path string) (file, error) {
	f, err := unsynced(path)
	return &diskFile{d, f}, err
}

type diskFile struct {
	disk *disk
	file
}

func (f *diskFile) Write(p []byte) (int, error) {
	room, full := f.disk.state()
	if full == nil {
		return f.file.Write(p)
	}
	n, _ := f.file.Write(p[:min(room, len(p))])
	return n, full
}

func (f *diskFile) Truncate(size int64) error {
	if room, full := f.disk.state(); full != nil && room > 0 {
		return full
	}
	return f.file.Truncate(size)
}

// syncless has nothing on the disk, and says so if it fails.
type syncless struct {
	file
	synced *int
	fails  *atomic.Bool
}

func (f syncless) Sync() error {
	if f.fails.Load() {
		return syscall.EIO
	}
	if f.synced != nil {
		*f.synced++
	}
	return nil
}

func TestAFullDisk(t *testing.T) {
	for name, room := range map[string]int{"nothing goes": 0, "half a line goes": 30} {
		t.Run(name, func(t *testing.T) {
			dir, d := t.TempDir(), new(disk)
			synctest.Test(t, func(t *testing.T) {
				r := run(t, Config{Dir: dir, open: d.open})
				r.add(Start)
				d.set(syscall.ENOSPC, room)
				r.add(Snapshot, Rejected)
				r.says("no space left")
				intact(t, dir, 1)
				time.Sleep(2 * time.Hour)
				if n := strings.Count(r.journal.String(), "level=ERROR"); n < 2 || n > 4 {
					t.Errorf("it was said %d times in two hours, want once an hour:\n%s", n, r.journal)
				}
				if r.known().failed < 60 {
					t.Errorf("%d attempts were counted", r.known().failed)
				}
				d.set(nil, 0)
				time.Sleep(2 * longPause)
				r.says("written again")
				s := intact(t, dir, 3)
				if got := kinds(t, dir); got != "start snapshot rejected" || s.Head.Sequence != 3 {
					t.Errorf("entries %q, %+v", got, s)
				}
			})
		})
	}
}

func TestWhatIsLostIsCounted(t *testing.T) {
	dir, d := t.TempDir(), new(disk)
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir, open: d.open})
		r.add(Start)
		d.set(syscall.ENOSPC, 0)
		before := time.Now()
		for range maxWaiting + 7 {
			r.Append(Entry{Kind: Rejected})
		}
		synctest.Wait()
		time.Sleep(time.Second)
		r.add(Held)
		after := time.Now()
		if r.known().lost != 8 {
			t.Errorf("%d are lost, want 8", r.known().lost)
		}
		time.Sleep(time.Hour)
		d.set(nil, 0)
		time.Sleep(2 * longPause)
		r.says("level=ERROR msg=\"audit log: entries are lost")
		r.says("entries=8")
		r.add(Stop)
		s := intact(t, dir, 1+maxWaiting+2)
		if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "8 entries are missing") {
			t.Errorf("notes %q", s.Notes)
		}
		for e := range Read(dir, time.Time{}, time.Time{}) {
			if e.Kind == Gap && (e.Missing != 8 || !e.From.Equal(before) || !e.Until.Equal(after)) {
				t.Errorf("%+v, want 8 from %v until %v", e, before, after)
			}
		}
	})
}

// A policy file of 1 MiB can have some eight thousand exceptions, which are added and begin in one moment.
func TestWhatComesAtOnceIsNotLost(t *testing.T) {
	l := New(Config{Log: slog.New(slog.DiscardHandler)})
	for range 8000 {
		e := Entry{Exception: "of-a-name", Agency: "ministry", Reason: strings.Repeat("r", 200), ApprovedBy: strings.Repeat("a", 100)}
		for _, e.Kind = range []Kind{ExceptionAdded, ExceptionBegan} {
			l.Append(e)
		}
	}
	if l.counts.lost > 0 {
		t.Errorf("%d are lost", l.counts.lost)
	}
}

func TestWhatComesAfterALossStandsBehindIt(t *testing.T) {
	dir, d := t.TempDir(), new(disk)
	synctest.Test(t, func(t *testing.T) {
		d.set(syscall.EIO, 0)
		r := run(t, Config{Dir: dir, open: d.open})
		long := strings.Repeat("x", maxText)
		for range 2*maxWaitingOctets/maxText + 1 {
			r.Append(Entry{Kind: Rejected, What: long, Ticket: long})
		}
		synctest.Wait()
		if r.known().lost == 0 || r.octets > maxWaitingOctets {
			t.Errorf("%d octets wait, %d entries are lost", r.octets, r.known().lost)
		}
		d.set(nil, 0)
		time.Sleep(2 * longPause)
		r.add(Stop)
		if got := kinds(t, dir); !strings.HasSuffix(got, "rejected gap stop") {
			t.Errorf("entries …%q", got[len(got)-100:])
		}
	})
}

func TestWhatCannotBeSyncedIsWrittenAgain(t *testing.T) {
	dir, synced := t.TempDir(), 0
	var fails atomic.Bool
	fails.Store(true)
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir, open: func(path string) (file, error) {
			f, err := openFile(path)
			return syncless{f, &synced, &fails}, err
		}})
		r.add(Start)
		if r.known().head.Sequence != 0 {
			t.Errorf("the head is %+v, but nothing is sure to be on the disk", r.known().head)
		}
		fails.Store(false)
		time.Sleep(2 * time.Second)
		intact(t, dir, 1)
		if r.add(Counted); synced != 2 { // the head that is said must outlive a crash
			t.Errorf("synced %d times, want once for the start and once for the counts", synced)
		}
	})
}

// slowly opens files whose Sync takes a while, and calls before first.
type slowly struct {
	file
	before func()
}

func (f slowly) Sync() error {
	f.before()
	time.Sleep(10 * time.Millisecond)
	return nil
}

// Ten thousand entries on a slow disk: they wait for it together, and the head is one that is on the disk.
func TestWhatComesTogetherIsSyncedTogether(t *testing.T) {
	for name, test := range map[string]struct {
		maxFile   int64
		mostSyncs int
	}{"one file": {1 << 30, 5}, "many files": {200 << 10, 20}} {
		t.Run(name, func(t *testing.T) {
			dir, synced := t.TempDir(), 0
			synctest.Test(t, func(t *testing.T) {
				var r *running
				begun := time.Now()
				r = run(t, Config{Dir: dir, MaxFile: test.maxFile, open: func(path string) (file, error) {
					f, err := openFile(path)
					return slowly{f, func() {
						synced++
						s, err := Verify(dir, "")
						if known := r.known(); err != nil || known.head.Sequence >= s.Head.Sequence || known.written != known.head.Sequence {
							t.Errorf("the head is %d of %d before the disk has them, %d are said to be written; %v",
								known.head.Sequence, s.Head.Sequence, known.written, err)
						}
					}}, err
				}})
				for range 10_000 {
					r.Append(Entry{Kind: ExceptionAdded, Reason: "r"})
				}
				for r.known().written < 10_000 && time.Since(begun) < time.Hour {
					time.Sleep(time.Millisecond)
				}
				if synced > test.mostSyncs {
					t.Errorf("it took %v and %d syncs, want %d at most", time.Since(begun), synced, test.mostSyncs)
				}
				intact(t, dir, 10_000)
				if r.octets != 0 || len(r.waiting) != 0 {
					t.Errorf("%d entries wait, %d octets", len(r.waiting), r.octets)
				}
			})
		})
	}
}

// A disk that is full in the middle of several entries: none of them counts, and none is there twice in the end.
func TestEntriesThatHalfFitAreWrittenAgain(t *testing.T) {
	dir, d := t.TempDir(), new(disk)
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir, open: d.open})
		r.add(Start)
		d.set(syscall.ENOSPC, 1000)
		r.add(Rejected, Rejected, Rejected, Rejected, Rejected, Rejected, Rejected, Rejected, Rejected, Rejected)
		if known := r.known(); known.head.Sequence != 1 || known.written != 1 {
			t.Errorf("the Log says %+v", known)
		}
		d.set(nil, 0)
		time.Sleep(longPause)
		if s := intact(t, dir, 11); s.Head != r.known().head || r.known().written != 11 {
			t.Errorf("the Log says %+v, the file %v", r.known(), s.Head)
		}
	})
}

func TestADiskThatStaysFullUntilTheEnd(t *testing.T) {
	dir, d := t.TempDir(), new(disk)
	synctest.Test(t, func(t *testing.T) {
		d.set(syscall.EROFS, 0)
		r := run(t, Config{Dir: dir, open: d.open})
		r.add(Start, Stop)
		r.stop()
		r.says("before the end")
		r.says("entries=2")
		r.Append(Entry{Kind: Start}) // nobody writes it
		if r.known().lost != 3 {
			t.Errorf("%d are lost, want 3", r.known().lost)
		}
	})
}

func TestADirectoryThatIsRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir})
		r.add(Start, Snapshot)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		r.add(Rejected)
		r.says("somebody else has changed it")
		if got := kinds(t, dir); got != "rejected" {
			t.Errorf("entries %q", got)
		}
		_, err := Verify(dir, "")
		if damage, ok := errors.AsType[*Damage](err); !ok || damage.Line != 1 || !strings.Contains(damage.What, "cut") {
			t.Errorf("verify: %v, want that the beginning is gone", err)
		}
	})
}

func TestAFileThatSomebodyElseWritesTo(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir})
		r.add(Start, Snapshot)
		appendTo(t, filepath.Join(dir, fileName(1)), string(lineOf(t, dir, 0))+"\n")
		r.add(Rejected, Held)
		r.says("somebody else has changed it")
		_, err := Verify(dir, "")
		if damage, ok := errors.AsType[*Damage](err); !ok || damage.Line != 3 || !strings.Contains(damage.What, "inserted") {
			t.Errorf("verify: %v, want that line 3 was inserted", err)
		}
		if damage, ok := errors.AsType[*Damage](err); ok && filepath.Base(damage.File) != fileName(1) {
			t.Errorf("verify: %v", err)
		}
	})
}

func TestAnEntryThatIsTooLongIsShortened(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir})
		e := Entry{Kind: Snapshot, What: strings.Repeat("ü", maxText), Effect: make([]string, 1<<17)}
		for i := range e.Effect {
			e.Effect[i] = "an agency gets something"
		}
		r.Append(e)
		synctest.Wait()
		intact(t, dir, 1)
		for got, err := range Read(dir, time.Time{}, time.Time{}) {
			if err != nil || len(got.Effect) == 0 || len(got.Effect)+got.Omitted != len(e.Effect) || len(got.What) > maxText+3 {
				t.Errorf("%d sentences and %d left out, %d octets; %v", len(got.Effect), got.Omitted, len(got.What), err)
			}
		}
	})
}

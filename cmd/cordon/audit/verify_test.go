package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// written is a log of 9 entries in three files of 3.
func written(t *testing.T, dir string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var size int64
		r := run(t, Config{Dir: dir, MaxFile: 1 << 20})
		add := func(e Entry) {
			time.Sleep(time.Minute)
			r.Append(e)
			synctest.Wait()
		}
		for n := range 9 {
			if n%3 == 0 && n > 0 { // another file, with what follows
				r.stop()
				all, err := files(dir)
				if err != nil {
					t.Fatal(err)
				}
				info, err := os.Stat(all[len(all)-1].path)
				if err != nil {
					t.Fatal(err)
				}
				size = max(size, info.Size())
				r = run(t, Config{Dir: dir, MaxFile: size + 20})
			}
			add(Entry{Kind: Rejected, What: fmt.Sprintf("policy/%d.yaml", n+1), Reason: "a key is unknown"})
		}
		r.stop()
		all, err := files(dir)
		if err != nil || len(all) != 3 || all[1].first != 4 || all[2].first != 7 {
			t.Fatalf("files %v, %v: want three of 3 entries", all, err)
		}
	})
}

// tampering is what somebody does to the log that written writes, and where that shows.
var tampering = []struct {
	name  string
	do    func(b *book)
	place string // "": it can't be seen without a head
	says  string
}{
	{"nothing", func(*book) {}, "", ""},
	{"a word altered", func(b *book) { b.replace(1, 2, "unknown", "known") }, "1:2", "altered: its hash is"},
	{"the first entry altered", func(b *book) { b.replace(1, 1, "unknown", "known") }, "1:1", "altered"},
	{"the last of a file altered", func(b *book) { b.replace(1, 3, "unknown", "known") }, "1:3", "altered"},
	{"the first of a file altered", func(b *book) { b.replace(4, 1, "unknown", "known") }, "4:1", "altered"},
	{"a blank added", func(b *book) { b.replace(4, 2, `"seq":5`, `"seq": 5`) }, "4:2", "altered"},
	{"a time altered", func(b *book) { b.replace(4, 2, "2000-01-01", "1999-12-31") }, "4:2", "altered"},
	{"a number altered", func(b *book) { b.replace(4, 2, `"seq":5`, `"seq":6`) }, "4:2", "altered: the entry has the number 6, want 5"},
	{"a lower number", func(b *book) { b.replace(4, 2, `"seq":5`, `"seq":3`) }, "4:2", "altered: the entry has the number 3, want 5"},
	{"the first number altered", func(b *book) { b.replace(1, 1, `"seq":1`, `"seq":2`) }, "1:1", "under another name"},
	{"a hash altered", func(b *book) { b.replace(4, 2, `"prev":"`, `"prev":"0`) }, "4:1", "that one was altered too, or alone"},
	{"the first hash altered", func(b *book) { b.replace(1, 1, `"prev":"0`, `"prev":"1`) }, "1:1", "altered"},
	{"the last hash altered", func(b *book) { b.replace(7, 3, `"prev":"`, `"prev":"0`) }, "7:2", "or the line after it"},
	{"no entry any more", func(b *book) { b.set(4, 2, "nothing happened") }, "4:2", "not an entry"},
	{"an empty line", func(b *book) { b.set(4, 2, "") }, "4:2", "not an entry"},
	{"another JSON", func(b *book) { b.set(4, 2, `{"seq":0}`) }, "4:2", "missing"},
	{"two altered", func(b *book) { b.replace(4, 2, "unknown", "known"); b.replace(4, 3, "unknown", "known") }, "4:2", "altered"},
	{"altered before what is no entry", func(b *book) { b.replace(4, 2, "unknown", "known"); b.set(7, 1, "x") }, "4:2", "altered"},
	{"a line removed", func(b *book) { b.cut(4, 2, 3) }, "4:2", "removed: the entries 5 to 5"},
	{"two lines removed", func(b *book) { b.cut(1, 2, 4) }, "4:1", "removed: the entries 2 to 3"},
	{"a line removed and the rest renumbered", func(b *book) {
		b.cut(4, 2, 3)
		b.replace(4, 2, `"seq":6`, `"seq":5`)
	}, "4:1", "altered"},
	{"a file removed", func(b *book) { delete(b.files, 4) }, "7:1", "removed: the entries 4 to 6"},
	{"a file emptied", func(b *book) { b.files[4] = nil }, "7:1", "removed: the entries 4 to 6"},
	{"the first file removed", func(b *book) { delete(b.files, 1) }, "4:1", "cut: the log begins with the entry 4"},
	{"the first line removed", func(b *book) { b.cut(1, 1, 2) }, "1:1", "under another name"},
	{"a file under another name", func(b *book) { b.files[5] = b.files[4]; delete(b.files, 4) }, "5:1", "under another name"},
	{"a line inserted", func(b *book) { b.insert(4, 2, strings.Replace(b.files[4][1], "5.yaml", "x.yaml", 1)) }, "4:2", "inserted"},
	{"a line twice", func(b *book) { b.insert(4, 2, b.files[4][1]) }, "4:3", "inserted"},
	{"an old line inserted", func(b *book) { b.insert(4, 2, b.files[1][0]) }, "4:2", "inserted"},
	{"two lines exchanged", func(b *book) { l := b.files[4]; l[1], l[2] = l[2], l[1] }, "4:2", "removed"},
	{"the end of a file cut in a line", func(b *book) { b.torn[4] = true }, "4:3", "no end"},
	{"the last altered", func(b *book) { b.replace(7, 3, "unknown", "known") }, "", ""},
	{"the end cut off", func(b *book) { b.cut(7, 2, 4) }, "", ""},
	{"the end cut off in a line", func(b *book) { b.torn[7] = true }, "7:3", "cut: the last line has no end, and no server"},
	{"altered, and the end cut off in a line", func(b *book) { b.replace(4, 2, "unknown", "known"); b.torn[7] = true }, "4:2", "altered"},
	{"the last file removed", func(b *book) { delete(b.files, 7) }, "", ""},
	{"everything removed", func(b *book) { clear(b.files) }, "", ""},
	{"the end written anew", func(b *book) {
		text := strings.Replace(b.files[7][0], "unknown", "known", 1)
		next := strings.Replace(b.files[7][1], hashOf([]byte(b.files[7][0])), hashOf([]byte(text)), 1)
		last := strings.Replace(b.files[7][2], hashOf([]byte(b.files[7][1])), hashOf([]byte(next)), 1)
		b.files[7] = []string{text, next, last}
	}, "", ""},
}

// book is the log as lines, to be tampered with.
type book struct {
	t     *testing.T
	dir   string
	files map[uint64][]string
	torn  map[uint64]bool // without the last ten octets
}

func read(t *testing.T, dir string) *book {
	t.Helper()
	b := &book{t: t, dir: dir, files: map[uint64][]string{}, torn: map[uint64]bool{}}
	all, err := files(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		text, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		b.files[f.first] = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if err := os.Remove(f.path); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *book) write() {
	b.t.Helper()
	for first, lines := range b.files {
		var text string
		for _, l := range lines {
			text += l + "\n"
		}
		if b.torn[first] {
			text = text[:len(text)-10]
		}
		if err := os.WriteFile(filepath.Join(b.dir, fileName(first)), []byte(text), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *book) set(file uint64, line int, text string) { b.files[file][line-1] = text }
func (b *book) cut(file uint64, from, to int) {
	b.files[file] = slices.Delete(b.files[file], from-1, to-1)
}

func (b *book) insert(file uint64, line int, text string) {
	b.files[file] = slices.Insert(b.files[file], line-1, text)
}

func (b *book) replace(file uint64, line int, old, with string) {
	before := b.files[file][line-1]
	b.files[file][line-1] = strings.Replace(before, old, with, 1)
	if b.files[file][line-1] == before {
		b.t.Fatalf("line %d of file %d has no %q: %s", line, file, old, before)
	}
}

func TestTamperingIsFoundAtItsPlace(t *testing.T) {
	for _, test := range tampering {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			written(t, dir)
			before, err := Verify(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			b := read(t, dir)
			test.do(b)
			b.write()
			_, err = Verify(dir, "")
			damage, found := errors.AsType[*Damage](err)
			if err != nil && !found {
				t.Fatal(err)
			}
			place := ""
			if found {
				var first uint64
				if _, err := fmt.Sscanf(filepath.Base(damage.File), "audit-%d.jsonl", &first); err != nil {
					t.Fatal(err)
				}
				place = fmt.Sprintf("%d:%d", first, damage.Line)
			}
			if place != test.place || found && !strings.Contains(damage.What, test.says) {
				t.Errorf("found %q, %v; want %q and %q", place, err, test.place, test.says)
			}
			_, err = Verify(dir, before.Head.Hash)
			if test.name != "nothing" && err == nil {
				t.Error("the head that was known is not missed")
			}
			if test.name == "nothing" && err != nil {
				t.Error(err)
			}
			synctest.Test(t, func(t *testing.T) { run(t, Config{Dir: dir}).add(Start) })
			cutOff := test.place == "" || test.name == "the end cut off in a line" // a start does so, and says it
			if cutOff && !strings.HasSuffix(kinds(t, dir), "start") {
				t.Error("the log does not go on")
			}
			if _, err := Verify(dir, ""); (err == nil) != cutOff {
				t.Errorf("after another start: %v", err)
			}
		})
	}
}

// A line that a server is writing is no damage; it is noted, with its place. So is it where nobody may look at the lock.
func TestALineThatIsBeingWrittenIsNoted(t *testing.T) {
	dir := t.TempDir()
	written(t, dir)
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir})
		time.Sleep(time.Hour)
		r.add(Start)
		all, err := files(dir)
		if err != nil {
			t.Fatal(err)
		}
		last := all[len(all)-1].path
		text, err := os.ReadFile(last)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(text, []byte("\n"))
		appendTo(t, last, `{"seq":11,"ti`)
		place := fmt.Sprintf("%s:%d: ", last, lines+1)
		s := intact(t, dir, 10)
		if len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], place) || !strings.Contains(s.Notes[0], "a server writes the log") {
			t.Errorf("notes %q, want one on %s", s.Notes, place)
		}
		if _, err := Verify(dir, hashOf([]byte("x"))); err == nil {
			t.Error("a head that is not there is not missed")
		}
		r.stop()
		if err := os.Remove(filepath.Join(dir, lockFile)); err != nil { // a copy has none
			t.Fatal(err)
		}
		if _, err := Verify(dir, ""); err == nil || !strings.HasPrefix(err.Error(), place+"cut") {
			t.Errorf("verify: %v, want a cut at %s", err, place)
		}
		if err := os.Symlink(lockFile, filepath.Join(dir, lockFile)); err != nil {
			t.Fatal(err)
		}
		s = intact(t, dir, 10)
		if len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], place) || !strings.Contains(s.Notes[0], "can't be told") {
			t.Errorf("notes %q, want one on %s", s.Notes, place)
		}
	})
}

func TestAnOlderHeadIsFound(t *testing.T) {
	dir := t.TempDir()
	written(t, dir)
	s, err := Verify(dir, hashOf(lineOf(t, dir, 1)))
	if err != nil || s.Sought != 2 {
		t.Errorf("found at %d, %v; want 2", s.Sought, err)
	}
}

// A forged beginning: the entry that accounts for it must name both the number and the hash.
func TestOnlyTheRightEntryAccountsForABeginning(t *testing.T) {
	dir := t.TempDir()
	written(t, dir)
	head := hashOf(lineOf(t, dir, 2))
	if err := os.Remove(filepath.Join(dir, fileName(1))); err != nil {
		t.Fatal(err)
	}
	for _, e := range []Entry{{Kind: Removed, First: 4, Hash: noHash}, {Kind: Removed, First: 5, Hash: head}, {Kind: Gap, First: 4, Hash: head}} {
		synctest.Test(t, func(t *testing.T) {
			r := run(t, Config{Dir: dir})
			r.Append(e)
			synctest.Wait()
		})
		if _, err := Verify(dir, ""); err == nil {
			t.Errorf("%+v accounts for it", e)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir})
		r.Append(Entry{Kind: Removed, First: 4, Hash: head})
		synctest.Wait()
	})
	if s, err := Verify(dir, ""); err != nil || s.First != 4 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestNotes(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir})
		r.add(Start)
		r.stop()
		r = run(t, Config{Dir: dir})
		r.Append(Entry{Kind: Start, Time: time.Now().Add(-time.Hour)})
		r.add(Stop)
	})
	s, err := Verify(dir, "")
	notes := strings.Join(s.Notes, "\n")
	if err != nil || len(s.Notes) != 2 || !strings.Contains(notes, "stepped back") || !strings.Contains(notes, "without a stop") {
		t.Errorf("%q, %v", s.Notes, err)
	}
}

func TestReadWithinATime(t *testing.T) {
	dir := t.TempDir()
	written(t, dir)
	begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	var got []uint64
	for e, err := range Read(dir, begin.Add(2*time.Minute), begin.Add(5*time.Minute)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Sequence)
	}
	if !slices.Equal(got, []uint64{2, 3, 4}) {
		t.Errorf("entries %v, want those of minutes 2 to 4", got)
	}
}

func TestReadGoesOnAfterABadLine(t *testing.T) {
	dir := t.TempDir()
	written(t, dir)
	b := read(t, dir)
	b.set(4, 2, "x")
	b.set(7, 1, strings.Repeat("x", maxLine+1))
	b.write()
	var wrong []string
	n := 0
	for _, err := range Read(dir, time.Time{}, time.Time{}) {
		if err != nil {
			wrong = append(wrong, err.Error())
		}
		n++
	}
	if n != 9 || len(wrong) != 2 || !strings.Contains(wrong[0], fileName(4)+":2: ") || !strings.Contains(wrong[1], fileName(7)+":1: not an entry: longer") {
		t.Errorf("%d entries, %q", n, wrong)
	}
	for range Read(dir, time.Time{}, time.Time{}) {
		break // a reader may stop
	}
}

func TestADirectoryThatIsNotThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	for _, err := range Read(dir, time.Time{}, time.Time{}) {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read: %v", err)
		}
	}
	if _, err := Verify(dir, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("verify: %v", err)
	}
}

func TestStateIsFromTheLastSnapshotOn(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, Config{Dir: dir, MaxFile: 300})
		state := func() string {
			var kinds []string
			for e, err := range ReadState(dir) {
				if err != nil {
					t.Fatal(err)
				}
				kinds = append(kinds, string(e.Kind))
			}
			return strings.Join(kinds, " ")
		}
		r.add(Start, Held)
		if got := state(); got != "" {
			t.Errorf("without a snapshot: %q", got)
		}
		r.add(Snapshot, Rejected, Counted, ExceptionUsed, Counted, Stop)
		if got := state(); got != "snapshot rejected exception-used stop" {
			t.Errorf("%q", got)
		}
		r.add(Start, Snapshot, Counted)
		if got := state(); got != "snapshot" {
			t.Errorf("%q", got)
		}
	})
}

// However much was written since a snapshot, it is not all in memory at once.
func TestStateTakesLittleMemory(t *testing.T) {
	dir := t.TempDir()
	const octets = 8 << 20
	w := &writer{config: Config{Dir: dir, MaxFile: octets / 3, Log: slog.New(slog.DiscardHandler), open: unsynced}}
	defer w.close()
	entries := slices.Repeat([]Entry{{Kind: Rejected, Time: time.Now(), Reason: strings.Repeat("r", maxText)}}, octets/maxText)
	entries[0].Kind = Snapshot
	for left := entries; len(left) > 0; {
		n, err := w.write(left)
		if err != nil {
			t.Fatal(err)
		}
		left = left[n:]
	}
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most, n := inUse(), uint64(0), 0
	for _, err := range ReadState(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%500 == 1 {
			most = max(most, inUse())
		}
	}
	if n != len(entries) {
		t.Errorf("%d entries, want %d", n, len(entries))
	}
	if most > before+octets/4 {
		t.Errorf("%d octets are in use, %d before", most, before)
	}
}

func TestStateOfADirectoryThatIsNotThere(t *testing.T) {
	var got error
	for _, err := range ReadState(filepath.Join(t.TempDir(), "none")) {
		got = err
	}
	if !errors.Is(got, fs.ErrNotExist) {
		t.Errorf("%v, want that there is none", got)
	}
}

// FuzzVerify: whatever the files have, every reader comes to an end, and what is intact is what chaining it anew gives.
func FuzzVerify(f *testing.F) {
	e := Entry{Sequence: 1, Previous: noHash, Kind: Start, Time: time.Unix(1, 0).UTC()}
	one, err := encode(&e)
	if err != nil {
		f.Fatal(err)
	}
	e.Sequence, e.Previous = 2, hashOf(bytes.TrimSuffix(one, []byte("\n")))
	two, err := encode(&e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(slices.Clone(one), two...), []byte("{}"))
	f.Add(one, two)
	f.Add(one, two[:20])
	f.Add([]byte("\n\n"), []byte(nil))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		dir := t.TempDir()
		for name, text := range map[string][]byte{fileName(1): first, fileName(2): second} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Verify(dir, "")
		if damage, ok := errors.AsType[*Damage](err); err != nil && !ok {
			t.Fatalf("%v is no damage", damage)
		}
		if err == nil {
			checkByHand(t, s, first, second)
		}
		for _, err := range ReadState(dir) {
			if err != nil {
				t.Fatal(err)
			}
		}
		for range Read(dir, time.Time{}, time.Time{}) {
		}
	})
}

// checkByHand checks the chain in another way than Verify: all lines of both files, one after another.
func checkByHand(t *testing.T, s Summary, first, second []byte) {
	t.Helper()
	head, n := noHash, uint64(0)
	if len(second) == 0 {
		second = first
		first = nil
	}
	text := append(slices.Clone(first), second[:bytes.LastIndexByte(second, '\n')+1]...)
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		n++
		if e, err := parse(line); err != nil || n > 1 && (e.Previous != head) {
			t.Fatalf("line %d is said to be intact: %v", n, err)
		}
		head = hashOf(line)
	}
	if n != s.Entries || head != s.Head.Hash {
		t.Fatalf("%d lines, head %s; Verify says %+v", n, head, s)
	}
}

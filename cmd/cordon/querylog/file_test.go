package querylog

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// lines is a batch of lines of text.
func lines(all ...string) *batch {
	b := new(batch)
	for _, one := range all {
		b.add(func(dst []byte) []byte { return append(dst, one+"\n"...) })
	}
	return b
}

// written has f write b, and wants all of it written.
func written(t *testing.T, f *file, b *batch) {
	t.Helper()
	if n, err := f.write(t.Context(), b); err != nil || n != b.len() {
		t.Fatalf("%d of %d lines, %v", n, b.len(), err)
	}
}

// inFiles are the files of dir with their content, by their names in order.
func inFiles(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Name()+": "+strings.ReplaceAll(string(text), "\n", " "))
	}
	return all
}

func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	if got := inFiles(t, dir); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAFileIsFollowedByTheNextByDayAndBySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it begins at midnight in UTC, 2000-01-01
		dir := filepath.Join(t.TempDir(), "log")
		f := newFile(FileConfig{Path: filepath.Join(dir, "q"), MaxSize: 8, Keep: 48 * time.Hour, Total: 1 << 50})
		defer f.close()
		written(t, f, lines("a", "b"))
		written(t, f, lines("c"))
		time.Sleep(time.Hour)
		written(t, f, lines("dd", "ee")) // there is no room for all of them
		wantFiles(t, dir, "q: dd ee ", "q.20000101T010000.000Z: a b c ")
		written(t, f, lines("longer than a file"))
		wantFiles(t, dir, "q: longer than a file ", "q.20000101T010000.000Z: a b c ", "q.20000101T010000.001Z: dd ee ")
		time.Sleep(24 * time.Hour)
		written(t, f, lines("f"))
		wantFiles(t, dir, "q: f ", "q.20000101T010000.000Z: a b c ", "q.20000101T010000.001Z: dd ee ",
			"q.20000102T010000.000Z: longer than a file ")
	})
}

func TestAFileOfAnEarlierDayIsRenamedAlsoIfNothingIsWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "q")
	now := time.Now().UTC()
	if err := os.WriteFile(path, []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFile(FileConfig{Path: path, MaxSize: 100, Keep: time.Hour, Total: 1 << 50})
	if err := f.tend(now); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "q: a ")
	if err := os.Chtimes(path, now, now.Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := f.tend(now); err != nil {
		t.Fatal(err)
	}
	ended := "q." + now.Truncate(time.Millisecond).Format(renamed)
	wantFiles(t, dir, ended+": a ")

	// It is removed when it is too old, and nothing else is.
	for _, other := range []string{"q.gz", "q.20000101T010000.000", "other.20000101T010000.000Z", "q.20000101T010000.000Z"} {
		if err := os.WriteFile(filepath.Join(dir, other), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "q.20000102T010000.000Z"), 0o700); err != nil {
		t.Fatal(err)
	}
	names := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return strings.Join(all, " ")
	}
	const others = "other.20000101T010000.000Z q.20000101T010000.000 q.20000102T010000.000Z "
	for after, want := range map[time.Duration]string{
		time.Hour:                    others + ended + " q.gz",
		time.Hour + time.Millisecond: others + "q.gz",
	} {
		_ = os.WriteFile(filepath.Join(dir, ended), nil, 0o600)
		if err := f.tend(now.Truncate(time.Millisecond).Add(after)); err != nil {
			t.Fatal(err)
		}
		if got := names(); got != want {
			t.Errorf("after %s there are\n%s, want\n%s", after, got, want)
		}
	}
}

func TestAFileThatSomebodyMovesIsBegunAnew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "q")
	f := newFile(FileConfig{Path: path, MaxSize: 100, Keep: time.Hour, Total: 1 << 50})
	defer f.close()
	written(t, f, lines("a"))
	if err := os.Rename(path, path+"-moved"); err != nil {
		t.Skip(err) // where open files can't be moved
	}
	written(t, f, lines("b"))
	wantFiles(t, dir, "q: b ", "q-moved: a ")
}

func TestAFileIsForItsUserAndGroup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log", "q")
	f := newFile(FileConfig{Path: path, MaxSize: 100, Keep: time.Hour, Total: 1 << 50})
	defer f.close()
	written(t, f, lines("a"))
	for _, p := range []string{path, filepath.Dir(path)} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if os.PathSeparator == '/' && info.Mode()&0o027 != 0 {
			t.Errorf("%s has the mode %v", p, info.Mode())
		}
	}
}

// What a full disk takes of a line is taken back, so that a reader finds whole lines.
func TestAFullDiskLeavesWholeLines(t *testing.T) {
	d := new(slowDisk)
	f := &file{FileConfig: FileConfig{Path: filepath.Join(t.TempDir(), "q"), MaxSize: 100, Keep: time.Hour, Total: 1 << 50}}
	f.open, f.day = d, dayOf(time.Now())
	d.fail(errFull, 5)
	b := lines("ab", "cd", "ef")
	n, err := f.open.Write(nil)
	if n != 0 || !errors.Is(err, errFull) {
		t.Fatal(n, err)
	}
	n, err = f.append(b)
	if n != 1 || !errors.Is(err, errFull) || d.String() != "ab\n" {
		t.Errorf("%d lines, %v, %q; want one", n, err, d.String())
	}
	b.drop(n)
	d.fail(nil, 0)
	if n, err = f.append(b); n != 2 || err != nil || d.String() != "ab\ncd\nef\n" {
		t.Errorf("%d lines, %v, %q; want the other two", n, err, d.String())
	}
}

// Of what a crash has cut no more is lost than that line.
func TestALineThatACrashHasCutSpoilsNoOther(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "q")
	for there, want := range map[string]string{"a\ncu": "q: a cu b c ", "a\n": "q: a b c "} {
		if err := os.WriteFile(path, []byte(there), 0o600); err != nil {
			t.Fatal(err)
		}
		f := newFile(FileConfig{Path: path, MaxSize: 100, Keep: time.Hour, Total: 1 << 50})
		written(t, f, lines("b", "c"))
		f.close()
		wantFiles(t, dir, want)
	}
}

func TestAFileIsARegularOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	f := newFile(FileConfig{Path: path, MaxSize: 100, Keep: time.Hour, Total: 1 << 50})
	if n, err := f.write(t.Context(), lines("a")); n != 0 || err == nil || errors.Is(err, syscall.EISDIR) ||
		!strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%d, %v; want that it is none", n, err)
	}
}

// However much is logged, it takes no more of the disk than it may: the oldest goes.
func TestTheOldestFileMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		f := newFile(FileConfig{Path: filepath.Join(dir, "q"), MaxSize: 4, Keep: time.Hour, Total: 12})
		defer f.close()
		for _, text := range []string{"aaa", "bbb", "ccc", "ddd", "eee"} {
			written(t, f, lines(text))
			time.Sleep(time.Second)
		}
		wantFiles(t, dir, "q: eee ", "q.20000101T000003.000Z: ccc ", "q.20000101T000004.000Z: ddd ")
	})
}

// The log of an incident is one file, over midnight too, and ends when it is full.
func TestTheFileOfAnIncidentEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		f := newFile(FileConfig{Path: filepath.Join(dir, "q"), MaxSize: 8})
		defer f.close()
		written(t, f, lines("aaa"))
		time.Sleep(25 * time.Hour)
		if err := f.tend(time.Now()); err != nil {
			t.Error(err)
		}
		written(t, f, lines("bbb"))
		if n, err := f.write(t.Context(), lines("c")); n != 0 || err == nil || !strings.Contains(err.Error(), "is full") {
			t.Errorf("%d lines, %v; want that it is full", n, err)
		}
		wantFiles(t, dir, "q: aaa bbb ")
	})
}

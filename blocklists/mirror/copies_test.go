package mirror_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"cordon/blocklists/mirror"
)

// files are the names in dir.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func glob(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found[0]
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCopyOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "lists")
	var before mirror.Copy
	bubble(t, dir, func(t *testing.T, b *bench) {
		b.set(remote(&source{content: "one", outcome: mirror.Outcome{
			Version: "\"e\"\n\x01", Signature: []byte{0, 1, 0xff}, Refresh: 2 * time.Hour, Expire: 48 * time.Hour,
		}}))
		synctest.Wait()
		before = *b.wantCopy("feed", feed, "one")
		for _, path := range []string{before.Path, glob(t, dir, "feed-*.json")} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o750 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	})
	bubble(t, dir, func(t *testing.T, b *bench) {
		after(100 * time.Minute)
		s := &source{content: "two"}
		b.set(remote(s))
		synctest.Wait()
		now := b.wantCopy("feed", feed, "one")
		if now.Version != before.Version || string(now.Signature) != string(before.Signature) || !now.Fetched.Equal(before.Fetched) ||
			!now.Checked.Equal(before.Checked) || now.Expire != before.Expire || now.Path != before.Path {
			t.Errorf("got %+v, want %+v", now, before)
		}
		if st := b.m.Status("feed"); !st.LastSuccess.Equal(before.Checked) || !st.LastChange.Equal(before.Fetched) || st.Outcome != "" {
			t.Errorf("status %+v", st)
		}
		if len(s.asked) > 0 {
			t.Error("asked before the time that the source had said")
		}
	})
}

// What is on the disk is what it was when it was written, or it is no copy.
func TestDamagedCopyIsNone(t *testing.T) {
	t.Parallel()
	record := func(t *testing.T, dir string) string { return glob(t, dir, "feed-*.json") }
	content := func(t *testing.T, dir string) string {
		return glob(t, dir, "feed-*."+strings.Repeat("?", 64))
	}
	change := func(t *testing.T, path string, f func(string) string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, f(string(text)))
	}
	replace := func(old, with string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			change(t, record(t, dir), func(s string) string {
				if !strings.Contains(s, old) {
					t.Fatalf("%q is not in %s", old, s)
				}
				return strings.Replace(s, old, with, 1)
			})
		}
	}
	for name, damage := range map[string]func(t *testing.T, dir string){
		"another octet": func(t *testing.T, dir string) {
			change(t, content(t, dir), func(s string) string { return strings.Replace(s, "o", "0", 1) })
		},
		"cut":          func(t *testing.T, dir string) { change(t, content(t, dir), func(s string) string { return s[1:] }) },
		"longer":       func(t *testing.T, dir string) { change(t, content(t, dir), func(s string) string { return s + "\n" }) },
		"empty":        func(t *testing.T, dir string) { change(t, content(t, dir), func(string) string { return "" }) },
		"removed":      func(t *testing.T, dir string) { _ = os.Remove(content(t, dir)) },
		"a directory":  func(t *testing.T, dir string) { p := content(t, dir); _, _ = os.Remove(p), os.Mkdir(p, 0o700) },
		"record empty": func(t *testing.T, dir string) { change(t, record(t, dir), func(string) string { return "" }) },
		"record cut": func(t *testing.T, dir string) {
			change(t, record(t, dir), func(s string) string { return s[:len(s)/2] })
		},
		"record large": func(t *testing.T, dir string) {
			change(t, record(t, dir), func(s string) string { return s + strings.Repeat(" ", 1<<20) })
		},
		"record dir":    func(t *testing.T, dir string) { p := record(t, dir); _, _ = os.Remove(p), os.Mkdir(p, 0o700) },
		"no checksum":   replace(`"sha256": "`, `"sha256": "../../../`),
		"negative size": replace(`"size": `, `"size": -`),
		"another size":  replace(`"size": `, `"size": 1`),
		"another list":  replace(`"list": "`, `"list": "x`),
		"another id":    replace(`"identity_sha256": "`, `"identity_sha256": "0`),
		"long version":  replace(`"version": "`, `"version": "`+strings.Repeat("v", 4100)),
		"other types":   replace(`"size": `, `"size": "" , "x":`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			bubble(t, dir, func(t *testing.T, b *bench) {
				b.set(remote(&source{content: "one"}))
				synctest.Wait()
				b.wantCopy("feed", feed, "one")
			})
			damage(t, dir)
			bubble(t, dir, func(t *testing.T, b *bench) {
				s := &source{content: "one", hold: make(chan struct{})}
				b.set(remote(s))
				b.wantNone("feed", feed)
				b.wantLog("no use")
				synctest.Wait()
				if s.haves[0] != nil {
					t.Error("asked with a copy that is none")
				}
				if name != "a directory" && name != "record dir" { // for which somebody has to do something
					close(s.hold)
					synctest.Wait()
					b.wantCopy("feed", feed, "one")
				}
			})
		})
	}
}

// The same while the process runs: the source is asked for everything again.
func TestCopyThatVanishesIsFetchedAgain(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		s := &source{content: "one"}
		b.set(remote(s))
		synctest.Wait()
		c := b.wantCopy("feed", feed, "one")
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(c.Path, later, later); err != nil {
			t.Fatal(err)
		}
		b.m.Poke("feed")
		after(time.Second)
		if s.haves[1] == nil {
			t.Error("a copy that was touched counted as none")
		}
		if err := os.RemoveAll(b.dir); err != nil {
			t.Fatal(err)
		}
		b.m.Poke("feed")
		after(time.Second)
		b.wantCopy("feed", feed, "one")
		if s.haves[2] != nil {
			t.Error("asked with a copy that is not there")
		}
	})
}

// crash is what a process leaves that ends when its source has written half.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir, crashed := t.TempDir(), t.TempDir()
	bubble(t, dir, func(t *testing.T, b *bench) {
		s := &source{content: "one"}
		b.set(remote(s))
		synctest.Wait()
		s.set(func(s *source) {
			s.act = func(_ context.Context, w io.Writer) error {
				_, _ = io.WriteString(w, strings.Repeat("half", 1<<16))
				return os.CopyFS(crashed, os.DirFS(dir))
			}
		})
		b.m.Poke("feed")
		after(time.Second)
		b.wantCopy("feed", feed, strings.Repeat("half", 1<<16))
		// The content is in place, and the record is the old one: as after a crash between the two.
		record, err := os.ReadFile(glob(t, crashed, "feed-*.json"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, glob(t, dir, "feed-*.json"), string(record))
	})
	for name, dir := range map[string]string{"while writing": crashed, "before the record": dir} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, dir, func(t *testing.T, b *bench) {
				s := &source{content: "two"}
				b.set(remote(s))
				b.wantCopy("feed", feed, "one")
				b.m.Poke("feed")
				synctest.Wait()
				b.wantCopy("feed", feed, "two")
				old := time.Now().Add(-25 * time.Hour)
				for _, name := range files(t, dir) {
					if strings.HasPrefix(name, ".new-") {
						_ = os.Chtimes(filepath.Join(dir, name), old, old)
					}
				}
				if err := b.m.Sweep(); err != nil {
					t.Error(err)
				}
				if left := files(t, dir); len(left) != 3 { // the record, the content, and the one before
					t.Errorf("there are %v", left)
				}
			})
		})
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		week := 7 * 24 * time.Hour
		stays, gone := remote(&source{content: "stays"}), remote(&source{content: "gone"})
		gone.Name, stays.Refresh = "gone", 100*week
		b.set(stays, gone)
		after(30 * 24 * time.Hour)
		strangers := []string{"README", "gone.json", "gone-0123456789abcdef.txt", "gone-0123456789abcdef.json.bak", "new-1"}
		for _, name := range strangers {
			path := filepath.Join(b.dir, name)
			write(t, path, "not ours")
			_ = os.Chtimes(path, time.Unix(0, 0), time.Unix(0, 0))
		}
		orphan := filepath.Join(b.dir, "lost-0123456789abcdef."+strings.Repeat("0", 64))
		write(t, orphan, "")
		_ = os.Chtimes(orphan, time.Unix(0, 0), time.Unix(0, 0))
		all := len(files(t, b.dir))
		if err := b.m.Sweep(); err != nil {
			t.Fatal(err)
		}
		if now := files(t, b.dir); len(now) != all-1 {
			t.Errorf("with all lists known there are %v: want all but the lost content", now)
		}

		b.set(stays)
		after(week - time.Second)
		if err := b.m.Sweep(); err != nil {
			t.Fatal(err)
		}
		b.set(stays, gone)
		b.wantCopy("gone", feed, "gone")
		synctest.Wait()
		b.set(stays)
		after(week + time.Second)
		if err := b.m.Sweep(); err != nil {
			t.Fatal(err)
		}
		if now := files(t, b.dir); len(now) != len(strangers)+2 {
			t.Errorf("after a week there are %v", now)
		}
		b.wantCopy("feed", feed, "stays")
	})
}

// A server without validators sends everything every time: that is no change.
func TestSameContentIsNoChange(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		s := &source{content: "one", outcome: mirror.Outcome{Version: "1"}}
		b.set(remote(s))
		synctest.Wait()
		first := b.wantCopy("feed", feed, "one")
		b.changes()
		next := func(o mirror.Outcome) (*mirror.Copy, string) {
			s.set(func(s *source) { s.outcome = o })
			b.m.Poke("feed")
			after(2 * time.Second)
			return b.wantCopy("feed", feed, "one"), b.m.Status("feed").Outcome
		}
		c, outcome := next(mirror.Outcome{Version: "2"})
		if c.Version != "2" || c.Path != first.Path || !c.Fetched.Equal(first.Fetched) || outcome != mirror.Unchanged || b.changes() != 0 {
			t.Errorf("%s: %+v", outcome, c)
		}
		c, outcome = next(mirror.Outcome{Version: "3", Signature: []byte("signed")})
		if string(c.Signature) != "signed" || c.Path != first.Path || outcome != mirror.Changed || b.changes() != 1 {
			t.Errorf("%s: %+v", outcome, c)
		}
		c, outcome = next(mirror.Outcome{Version: "3", Expire: time.Hour})
		if string(c.Signature) != "signed" || c.Expire != time.Hour || outcome != mirror.Unchanged || b.changes() != 0 {
			t.Errorf("%s: %+v", outcome, c)
		}
	})
}

func TestUnchangedWithoutACopyIsAFailure(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		b.set(remote(&source{err: mirror.ErrUnchanged}))
		synctest.Wait()
		if st := b.m.Status("feed"); st.Outcome != mirror.Failed || !strings.Contains(st.LastError, "no copy") {
			t.Errorf("%+v", st)
		}
		b.wantNone("feed", feed)
	})
}

func TestEmptyContentIsContent(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		b.set(remote(&source{content: ""}))
		synctest.Wait()
		b.wantCopy("feed", feed, "")
	})
}

// A source that finds out late that it has to begin again can.
func TestReset(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		r := remote(&source{act: func(_ context.Context, w io.Writer) error {
			_, _ = io.WriteString(w, strings.Repeat("old", 30000))
			w.(interface{ Reset() }).Reset()
			_, err := io.WriteString(w, "new")
			return err
		}})
		r.MaxSize = 100000
		b.set(r)
		synctest.Wait()
		b.wantCopy("feed", feed, "new")
	})
}

// A directory that can't be written to is a failure that says what to do; the copy stays, and all is well when it can be again.
func TestDirectoryThatCanNotBeWrittenTo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "lists")
	bubble(t, dir, func(t *testing.T, b *bench) {
		s := &source{content: "one"}
		b.set(remote(s))
		synctest.Wait()
		b.wantCopy("feed", feed, "one")
		aside := dir + ".aside"
		if err := os.Rename(dir, aside); err != nil {
			t.Fatal(err)
		}
		write(t, dir, "a file in its place")
		s.set(func(s *source) { s.content = "two" })
		b.m.Poke("feed")
		after(time.Second)
		if st := b.m.Status("feed"); st.Outcome != mirror.Failed || !strings.Contains(st.LastError, dir) {
			t.Errorf("%+v", st)
		}
		_ = os.Remove(dir)
		if err := os.Rename(aside, dir); err != nil {
			t.Fatal(err)
		}
		after(2 * time.Minute)
		b.wantCopy("feed", feed, "two")
	})
}

// What was put in place for a record that could not be is taken away again.
func TestRecordThatCanNotBeWritten(t *testing.T) {
	t.Parallel()
	bubble(t, t.TempDir(), func(t *testing.T, b *bench) {
		record := mirror.Stem("feed", feed) + ".json"
		if err := os.Mkdir(filepath.Join(b.dir, record), 0o700); err != nil {
			t.Fatal(err)
		}
		b.set(remote(&source{content: "one"}))
		synctest.Wait()
		b.wantNone("feed", feed)
		if st := b.m.Status("feed"); st.Outcome != mirror.Failed || !strings.Contains(st.LastError, record) {
			t.Errorf("%+v", st)
		}
		if left := files(t, b.dir); len(left) != 1 {
			t.Errorf("there are %v", left)
		}
	})
}

func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	bubble(t, dir, func(t *testing.T, b *bench) {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Chmod(dir, 0o700) }()
		b.set(remote(&source{content: "one"}))
		synctest.Wait()
		if st := b.m.Status("feed"); !strings.Contains(st.LastError, "must be writable") {
			t.Errorf("%+v", st)
		}
	})
}

// FuzzRecord: whatever stands in the directory, what is called a copy is one.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"list":"feed","identity_sha256":"","sha256":"","size":3}`), []byte("one"))
	f.Fuzz(func(t *testing.T, record, content []byte) {
		dir := t.TempDir()
		b := newBench(t, dir)
		b.set(remote(&source{}))
		good := mirror.RecordOf("feed", feed, content)
		for _, text := range [][]byte{record, good} {
			write(t, filepath.Join(dir, mirror.Stem("feed", feed)+".json"), string(text))
			write(t, filepath.Join(dir, mirror.ContentName("feed", feed, content)), string(content))
			b.set()
			b.set(remote(&source{}))
			c := b.m.Copy("feed", feed)
			if c == nil {
				continue
			}
			b.wantCopy("feed", feed, string(content))
		}
		if b.m.Copy("feed", feed) == nil {
			t.Error("a good copy is none")
		}
	})
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"make room":        &os.PathError{Op: "write", Path: "/var/lib/cordon/lists/.new-1", Err: syscall.ENOSPC},
		"where there is":   &os.PathError{Op: "write", Path: "/var/lib/cordon/lists/.new-1", Err: syscall.EDQUOT},
		"must be writable": &os.PathError{Op: "open", Path: "/var/lib/cordon/lists/.new-1", Err: syscall.EROFS},
		"for the user":     &os.PathError{Op: "open", Path: "/var/lib/cordon/lists/.new-1", Err: syscall.EACCES},
		"/.new-1":          &os.PathError{Op: "write", Path: "/var/lib/cordon/lists/.new-1", Err: syscall.EIO},
	} {
		if text := mirror.AdviseWrite(err).Error(); !strings.Contains(text, want) {
			t.Errorf("%q does not say %q", text, want)
		}
	}
}

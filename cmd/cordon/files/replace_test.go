package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func want(t *testing.T, path, content string) {
	t.Helper()
	if text, err := os.ReadFile(path); err != nil || string(text) != content {
		t.Errorf("%s has %q, %v; want %q", path, text, err, content)
	}
}

// drafts are the names of what is half written in dir.
func drafts(t *testing.T, dir string) []string {
	t.Helper()
	all, err := Drafts(dir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAReaderFindsTheOldUntilTheNewIsWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := Replace(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := ReplaceWith(dir, 0o640, func(w io.Writer) error {
		for _, part := range []string{"n", "e", "w"} {
			if _, err := io.WriteString(w, part); err != nil {
				return err
			}
			want(t, path, "old")
			if found := drafts(t, dir); len(found) != 1 {
				t.Errorf("drafts are %q, want one", found)
			}
		}
		return nil
	}, func() string { return path })
	if err != nil {
		t.Fatal(err)
	}
	want(t, path, "new")
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o640 {
		t.Errorf("%v, mode %v, want that of the new", err, info.Mode())
	}
	if found := drafts(t, dir); len(found) > 0 {
		t.Errorf("left behind: %q", found)
	}
}

func TestAfterAnErrorAllIsAsItWas(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for about, test := range map[string]struct {
		to   string
		err  error // of writing
		want error
	}{
		"writing fails":          {"a", broken, broken},
		"there is no such place": {"none/a", nil, os.ErrNotExist},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "a")
			if err := Replace(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := ReplaceWith(dir, 0o600, func(w io.Writer) error {
				_, err := io.WriteString(w, "half")
				return errors.Join(err, test.err)
			}, func() string { return filepath.Join(dir, test.to) })
			if !errors.Is(err, test.want) {
				t.Errorf("the error is %v, want %v", err, test.want)
			}
			want(t, path, "old")
			if found := drafts(t, dir); len(found) > 0 {
				t.Errorf("left behind: %q", found)
			}
		})
	}
}

func TestReplaceLikeKeepsThePermissions(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("permissions are others there")
	}
	path := filepath.Join(t.TempDir(), "a")
	if err := Replace(path, []byte("old"), 0o664); err != nil {
		t.Fatal(err)
	}
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := ReplaceLike(path, []byte("new"), old); err != nil {
		t.Fatal(err)
	}
	want(t, path, "new")
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o664 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
}

func TestDraftsAreWhatCrashesLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{".new-1", "new-1", "a", ".new"} {
		if err := Replace(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if found := drafts(t, dir); !slices.Equal(found, []string{filepath.Join(dir, ".new-1")}) {
		t.Errorf("found %q", found)
	}
}

// What root writes into another's directory is the other's.
func TestReplaceForGivesTheFileToTheOwnerOfTheDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const other = 12345
	root := runtime.GOOS == "linux" && os.Geteuid() == 0
	if root {
		if err := os.Chown(dir, other, other); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a")
	if err := ReplaceFor(info, path, []byte("new"), 0o640); err != nil {
		t.Fatal(err)
	}
	want(t, path, "new")
	now, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && now.Mode() != 0o640 {
		t.Errorf("%v, mode %v", err, now.Mode())
	}
	if root && !strings.Contains(fmt.Sprintf("%+v", now.Sys()), fmt.Sprint("Uid:", other, " Gid:", other)) {
		t.Errorf("its owner is another: %+v", now.Sys())
	}
}

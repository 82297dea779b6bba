package files

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestOneEditWaitsForAnother(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("directories are locked on Linux alone")
	}
	dir, nobody := t.TempDir(), func(string) {}
	unlock, err := Lock(t.Context(), dir, 0, nobody)
	if err != nil {
		t.Fatal(err)
	}
	me := " (process " + strconv.Itoa(os.Getpid()) + ")"
	if _, err := Lock(t.Context(), dir, 0, nobody); err == nil || !strings.Contains(err.Error(), "another edit of "+dir+me+" has not ended") {
		t.Errorf("the second one's error is %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Lock(ended, dir, time.Hour, nobody); !errors.Is(err, context.Canceled) {
		t.Errorf("the error of one that was interrupted is %v", err)
	}
	said := ""
	second, err := Lock(t.Context(), dir, time.Minute, func(text string) {
		said += text
		unlock()
	})
	if err != nil || said != "waiting for another edit of "+dir+me {
		t.Fatalf("%v, said %q", err, said)
	}
	second()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

// A directory that a process has for itself is nobody else's until it ends, not for an edit either.
func TestOneOwnsADirectory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("directories are locked on Linux alone")
	}
	dir := t.TempDir()
	release, err := Own(t.Context(), dir, 0, func(e *HeldError) { t.Errorf("the first one waits: %v", e) })
	if err != nil {
		t.Fatal(err)
	}
	_, err = Own(t.Context(), dir, 0, func(e *HeldError) { t.Errorf("one without patience waits: %v", e) })
	held, ok := errors.AsType[*HeldError](err)
	if !ok || held.Path != dir || held.Holder != strconv.Itoa(os.Getpid()) {
		t.Fatalf("the second one's error is %v", err)
	}
	if want := "another process (process " + strconv.Itoa(os.Getpid()) + ") has the lock of " + dir; held.Error() != want {
		t.Errorf("it says %q, want %q", held.Error(), want)
	}
	again, err := Own(t.Context(), dir, time.Minute, func(*HeldError) { release() })
	if err != nil {
		t.Fatal(err)
	}
	again()
	if _, err := Own(t.Context(), dir+"/none", 0, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a directory that is not there: %v", err)
	}
}

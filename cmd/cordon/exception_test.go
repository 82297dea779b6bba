package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cordon/config"
)

func TestAnEditedFileKeepsItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(path, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o664); err != nil {
		t.Fatal(err)
	}
	if err := writeEdited(t.Context(), config.ReadFile(path), config.NewFile(path, []byte("b"))); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "linux" && info.Mode() != 0o664 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	if text, err := os.ReadFile(path); string(text) != "b" {
		t.Errorf("%v: %q", err, text)
	}
}

func TestAFileThatHasChangedMeanwhileIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	old := config.NewFile(path, []byte("a"))
	for _, test := range []struct {
		text string
		ctx  func() context.Context
		want string
	}{
		{"changed", t.Context, "has changed meanwhile: nothing is written, try again"},
		{"a", func() context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		}, "context canceled"},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := writeEdited(test.ctx(), old, config.NewFile(path, []byte("b")))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("the error is %v, want one with %q", err, test.want)
		}
		if text, err := os.ReadFile(path); string(text) != test.text {
			t.Errorf("%v: overwritten by %q", err, text)
		}
	}
}

func TestDaysLeftAreCountedWhereTheFileIs(t *testing.T) {
	brussels, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		end, at string
		want    int
	}{
		{"2027-03-31T00:00", "2027-03-30T00:00", 0},
		{"2027-03-31T00:00", "2027-03-29T23:59", 1},
		{"2027-03-31T00:00", "2027-03-27T12:00", 3}, // over a day of 23 hours
		{"2027-03-31T00:01", "2027-03-30T12:00", 1},
		{"2027-03-31T00:00", "2027-03-31T00:00", 0},
	} {
		end, _ := time.ParseInLocation("2006-01-02T15:04", test.end, brussels)
		at, _ := time.ParseInLocation("2006-01-02T15:04", test.at, brussels)
		if got := daysLeft(end, at.UTC()); got != test.want {
			t.Errorf("from %s to %s: %d, want %d", test.at, test.end, got, test.want)
		}
	}
}

func TestAFaultThatOnlyMovedIsNotNew(t *testing.T) {
	fault := func(file, message string, warning bool) config.Fault {
		return config.Fault{File: file, Line: 3, Message: message, Warning: warning}
	}
	before := config.Faults{fault("b", `"x" is there twice, first at a.yaml:12`, false), fault("a.yaml", "w", true)}
	after := config.Faults{
		fault("b", `"x" is there twice, first at a.yaml:24`, false), fault("b", `"x" is there twice, first at a.yaml:25`, false),
		fault("a.yaml", "w", true), fault("a.yaml", "v", true),
	}
	found := newFaults(before, after, "a.yaml")
	if len(found) != 2 || !strings.HasSuffix(found[0].Message, ":25") || found[1].Message != "v" {
		t.Errorf("new are %v", found)
	}
	own := config.Faults{fault("a.yaml", "broken", false)}
	if found := newFaults(own, own, "a.yaml"); len(found) != 1 {
		t.Error("a fault of the edited file is passed over")
	}
}

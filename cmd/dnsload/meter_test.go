package main

import (
	"os"
	"strconv"
	"testing"
	"testing/fstest"
	"time"
)

// procFile is a file of /proc, in which processes have used these ticks.
func procFile(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func statOf(utime, stime string) *fstest.MapFile {
	return procFile("7 (a name) with) S 1 1 1 0 -1 0 0 0 0 0 " + utime + " " + stime + " 900 900 20 0 1 0 5 0 0\n")
}

func TestMeter(t *testing.T) {
	own := strconv.Itoa(os.Getpid())
	proc := fstest.MapFS{
		"stat":              procFile("cpu  100 10 50 9999 888 5 5 20 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"),
		"7/stat":            statOf("40", "2"),
		"7/task/7/children": procFile("8 "),
		"7/task/9/children": procFile(""),
		"8/stat":            statOf("5", "5"),
		"9/stat":            statOf("1", "1"),
		own + "/stat":       statOf("3", "4"),
	}
	m, err := newMeter(proc, []int{7}, []int{9})
	if err != nil {
		t.Fatal(err)
	}
	proc["stat"] = procFile("cpu  300 10 150 19999 999 5 15 50 0 0\n") // 310 more, and 30 stolen
	proc["7/stat"] = statOf("90", "52")                                // 100 more
	proc["8/stat"] = statOf("10", "10")                                // 10 more
	proc["9/stat"] = statOf("31", "1")                                 // 30 more
	proc[own+"/stat"] = statOf("103", "24")                            // 120 more
	got, err := m.stop()
	if err != nil {
		t.Fatal(err)
	}
	want := spending{
		known: true, server: 1100 * time.Millisecond, upstream: 300 * time.Millisecond, own: 1200 * time.Millisecond,
		foreign: 500 * time.Millisecond, stolen: 300 * time.Millisecond, during: got.during,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestMeterWithoutProc(t *testing.T) {
	m, err := newMeter(fstest.MapFS{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.stop(); err != nil || got.known {
		t.Errorf("got %+v, %v, want nothing", got, err)
	}
	if _, err := newMeter(fstest.MapFS{}, []int{7}, nil); err == nil {
		t.Error("no error for a process that is to be measured")
	}
}

func TestMeterOfNonsense(t *testing.T) {
	good := "cpu  100 10 50 9999 888 5 5 20 0 0\n"
	for name, proc := range map[string]fstest.MapFS{
		"no such process": {"stat": procFile(good)},
		"no cpu":          {"stat": procFile("intr 1 2 3 4 5 6 7 8 9\n")},
		"no numbers":      {"stat": procFile("cpu a b c d e f g h\n")},
		"a short process": {"stat": procFile(good), "7/stat": procFile("7 (x) S 1")},
		"no parentheses":  {"stat": procFile(good), "7/stat": procFile("")},
	} {
		if _, err := newMeter(proc, []int{7}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cordon/config"
)

// today is when the corpus is checked.
var today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func options() config.Options {
	known := func(name string) error {
		if name == "tiktok" || name == "bytedance" || name == "bytedance-networks" || name == "service/capcut" {
			return nil
		}
		return errors.New("no built-in list has that name")
	}
	key := func(string) error { return errors.New("no key") }
	return config.Options{BuiltinKnown: known, SignatureKey: key, Now: today}
}

// load reads one file as what its name says it is.
func load(path string, text []byte) config.Faults {
	file := config.NewFile(path, text)
	if strings.HasPrefix(filepath.Base(path), "service-") {
		_, faults := config.ParseService(&file, nil)
		return faults
	}
	_, faults := config.LoadPolicy([]config.File{file}, options())
	return faults
}

var wantLine = regexp.MustCompile(`(?m)^# want: (.*)$`)

// compare holds faults against the "# want: line:column: message" lines at the beginning of a file, in their order. A
// message is given by a part of it; 0:0 is the file as a whole.
func compare(t *testing.T, text string, faults config.Faults) {
	t.Helper()
	wants := wantLine.FindAllStringSubmatch(text, -1)
	var got []string
	for _, f := range faults {
		got = append(got, fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Message))
	}
	for i, w := range wants {
		place, message, _ := strings.Cut(w[1], ": ")
		if i >= len(got) || !strings.HasPrefix(got[i], place+": ") || !strings.Contains(got[i], message) {
			t.Errorf("fault %d is not %q", i, w[1])
		}
	}
	if t.Failed() || len(got) != len(wants) {
		t.Errorf("want %d faults, have %d:\n# want: %s", len(wants), len(got), strings.Join(got, "\n# want: "))
	}
}

func eachFile(t *testing.T, pattern string, test func(t *testing.T, path, text string)) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files match %s (%v)", pattern, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			test(t, path, string(text))
		})
	}
}

func TestInvalidFilesAreRefusedWithEveryFaultAtItsPlace(t *testing.T) {
	eachFile(t, "testdata/invalid/*.yaml", func(t *testing.T, path, text string) {
		faults := load(path, []byte(text))
		if !faults.Bad() {
			t.Error("the file is valid")
		}
		compare(t, text, faults.Errors())
	})
}

func TestWarningsAreGivenWithTheirPlaceAndHoldNothingBack(t *testing.T) {
	eachFile(t, "testdata/warn/*.yaml", func(t *testing.T, path, text string) {
		faults := load(path, []byte(text))
		if faults.Err() != nil {
			t.Errorf("the file is refused: %v", faults.Errors())
		}
		compare(t, text, faults.Warnings())
	})
}

// Files as they were written for earlier programs: they still say what they said, and what they say that is a fault now is told in each.
func TestFilesOfEarlierProgramsAreRead(t *testing.T) {
	eachFile(t, "testdata/earlier/*.yaml", func(t *testing.T, path, text string) {
		compare(t, text, load(path, []byte(text)))
	})
}

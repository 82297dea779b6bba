package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/config"
)

// Any bytes at all are read without a panic, and every fault has a place in the text and a printable form.
func FuzzPolicy(f *testing.F) {
	addCorpus(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		file := config.NewFile("p.yaml", text)
		_, faults := config.LoadPolicy([]config.File{file}, options())
		checkForm(t, text, faults)
		for _, f := range config.Included([]config.File{file}, func(path string) config.File { return config.File{Path: path} })[1:] {
			if !filepath.IsLocal(f.Path) || filepath.Dir(f.Path) == "." || f.Owner == "" {
				t.Fatalf("it includes %q of %q, which does not lie in a subdirectory, or is nobody's", f.Path, f.Owner)
			}
		}
	})
}

func FuzzService(f *testing.F) {
	addCorpus(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		file := config.NewFile("p.yaml", text)
		s, faults := config.ParseService(&file, nil)
		if s == nil {
			t.Fatal("the service is nil")
		}
		checkForm(t, text, faults)
	})
}

func addCorpus(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{
		"testdata/*/*.yaml", "default/*.yaml", "default/policy/*.yaml", "examples/*/*.yaml", "examples/*/policy/*.yaml", "examples/*/policy/*/*.yaml",
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("no files match %s (%v)", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
}

func checkForm(t *testing.T, text []byte, faults config.Faults) {
	t.Helper()
	lines := strings.Count(string(text), "\n") + strings.Count(string(text), "\r") + strings.Count(string(text), "\u0085") +
		strings.Count(string(text), "\u2028") + strings.Count(string(text), "\u2029") + 1
	for i, fault := range faults {
		if fault.Message == "" || fault.Line < 0 || fault.Line > lines {
			t.Fatalf("a fault on line %d of %d: %q", fault.Line, lines, fault.Message)
		}
		if strings.ContainsAny(fault.String(), "\n\r\x1b\x00") {
			t.Fatalf("the one-line form breaks its line: %q", fault.String())
		}
		if strings.Count(fault.Render(), "\n") > 3 {
			t.Fatalf("the long form has more than three lines: %q", fault.Render())
		}
		if i > 0 && faults[i-1].File == fault.File && faults[i-1].Line > fault.Line {
			t.Fatalf("line %d is reported after line %d", fault.Line, faults[i-1].Line)
		}
	}
}

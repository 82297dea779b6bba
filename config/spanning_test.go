package config_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"cordon/config"
)

// Each archive is a policy directory; the lines before the files are the faults that they have. "spanning" is followed by the files that
// such a fault may come from.
func TestFaultsOfSeveralFilesAreToldFromThoseOfOne(t *testing.T) {
	eachArchive(t, "testdata/spanning/*.txtar", func(t *testing.T, wants []string, faults config.Faults) {
		holdAgainst(t, wants, faults.Errors())
	})
}

// Each archive is a policy directory without faults; the lines before the files are the warnings that it has.
func TestWarningsThatOwnedFilesHave(t *testing.T) {
	eachArchive(t, "testdata/warn/*.txtar", func(t *testing.T, wants []string, faults config.Faults) {
		if faults.Bad() {
			t.Fatalf("faults:\n%s", faults.Render())
		}
		holdAgainst(t, wants, faults.Warnings())
	})
}

// eachArchive loads the policy directory in each archive that matches, and gives test the lines before its files and the faults.
func eachArchive(t *testing.T, pattern string, test func(t *testing.T, wants []string, faults config.Faults)) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, faults := config.LoadPolicy(filesOf(archive), options())
			test(t, strings.Split(strings.TrimSpace(string(archive.Comment)), "\n"), faults)
		})
	}
}

// filesOf are the files of a policy directory in an archive, with their owners.
func filesOf(archive *txtar.Archive) []config.File {
	var main []config.File
	below := make(map[string]config.File)
	for _, f := range archive.Files {
		if one := config.NewFile(f.Name, f.Data); strings.Contains(f.Name, "/") {
			below[f.Name] = one
		} else {
			main = append(main, one)
		}
	}
	return config.Included(main, func(path string) config.File {
		if f, ok := below[path]; ok {
			return f
		}
		return config.File{Path: path, Err: fs.ErrNotExist}
	})
}

func holdAgainst(t *testing.T, wants []string, faults config.Faults) {
	t.Helper()
	var got []string
	for _, f := range faults {
		spanning := ""
		if f.Spanning {
			spanning = "spanning " + strings.Join(f.Files, " ") + ": "
		}
		got = append(got, fmt.Sprintf("want: %s:%d:%d: %s%s", f.File, f.Line, f.Column, spanning, f.Message))
	}
	if got == nil {
		got = []string{"want: no fault"}
	}
	good := len(got) == len(wants)
	for i := 0; good && i < len(wants); i++ {
		good = strings.HasPrefix(got[i], wants[i])
	}
	if !good {
		t.Errorf("want\n%s\nhave\n%s", strings.Join(wants, "\n"), strings.Join(got, "\n"))
	}
}

func TestSplitTellsWhatToHoldBack(t *testing.T) {
	faults := config.Faults{
		{File: "a.yaml", Message: "of the file"},
		{File: "a.yaml", Message: "of several", Spanning: true},
		{File: "b.yaml", Message: "harmless", Warning: true},
		{File: "c.yaml", Message: "of the file"},
	}
	files, spanning := faults.Split()
	if len(files) != 2 || len(files["a.yaml"]) != 1 || len(files["c.yaml"]) != 1 {
		t.Errorf("held back by themselves: %v, want one fault each of a.yaml and c.yaml", files)
	}
	if len(spanning) != 1 || spanning[0].Message != "of several" {
		t.Errorf("held back together: %v, want the spanning fault", spanning)
	}
}

package format_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/blocklists/format"
)

var update = flag.Bool("update", false, "write what the lists of testdata/corpus are read as into their .want files")

// TestCorpus reads the lists of testdata/corpus, each in a directory with the name of its format, as Auto, and compares with the file
// beside it whose name ends in .want. A new case is a new file: run with -update, and check by eye what was written.
func TestCorpus(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("testdata/corpus", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, ".want") {
			return err
		}
		t.Run(filepath.ToSlash(path), func(t *testing.T) {
			t.Parallel()
			got := describe(t, path)
			if *update {
				if err := os.WriteFile(path+".want", []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path + ".want")
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if dir := filepath.Base(filepath.Dir(path)); dir != "refused" && !strings.HasPrefix(got, "format "+dir+"\n") {
				t.Errorf("read as %q, want %s", strings.SplitN(got, "\n", 2)[0], dir)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// describe says what a list is read as: its format, its entries, how many rules of each kind, the end marker, and every entry that
// is skipped, or the error that ends the list.
func describe(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var kinds []string // in the order in which they come
	counts := map[string]int{}
	var rest strings.Builder
	r := format.NewReader(format.Auto, file)
	for rule, err := range r.Rules() {
		if fault, skipped := errors.AsType[*format.LineError](err); skipped {
			fmt.Fprintf(&rest, "rejected %d %s: %s\n", fault.Line, fault.Text, fault.Reason)
			continue
		}
		if err != nil {
			return "error " + err.Error() + "\n"
		}
		kind := rule.Action.String() + " " + rule.Match.String()
		if rule.Prefix.IsValid() {
			kind = rule.Action.String() + " network"
		}
		if counts[kind]++; counts[kind] == 1 {
			kinds = append(kinds, kind)
		}
	}
	var head strings.Builder
	fmt.Fprintf(&head, "format %s\nlines %d\n", r.Format(), r.Lines())
	for _, kind := range kinds {
		fmt.Fprintf(&head, "%s %d\n", kind, counts[kind])
	}
	if end, ok := r.End(); ok {
		fmt.Fprintf(&head, "end %d on line %d\n", end.Count, end.Line)
	}
	return head.String() + rest.String()
}

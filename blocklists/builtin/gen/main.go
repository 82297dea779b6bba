// Gen writes the data files of package builtin out of the fact base beside it. It is run by go generate in that
// package:
//
//	bytedance-services.json ─┬─▶ ../data/names/SERVICE.txt      the names of a service, high and medium confidence
//	                         ├─▶ ../data/suffixes.txt           suffixes that many share, and what that means (suffixes.go)
//	     operators.go ───────┴─▶ ../data/operator-labels.txt    labels between a name and such a suffix
//	bytedance-networks.json ───▶ ../data/networks.txt           the networks that serve ByteDance alone
//	bytedance-addresses.json ──▶ ../data/addresses.txt          single addresses that the applications use round the DNS
//
// The fact base has every name with its sources. The data files have what a reader of a list needs, in an order that
// makes a change of the fact base a small difference in them. A fact that does not fit (a name that is none, a suffix
// that nobody has classified) is an error: nothing is written.
//
// Not its job: to find new names. A person changes the fact base.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

const (
	inputDir  = "gen"  // seen from package builtin, where go generate runs
	outputDir = "data" // all of it is written here
)

func main() {
	if err := run(); err != nil {
		slog.Error("generate lists", "err", err)
		os.Exit(1)
	}
}

func run() error {
	files, err := generate(os.DirFS(inputDir))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(outputDir); err != nil {
		return fmt.Errorf("remove old files: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(outputDir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // source files, as readable as the others
			return fmt.Errorf("write %s: %w", path, err)
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil { //nolint:gosec // a source file, as readable as the others
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}

// generate is the content of every data file by its path below the data directory.
func generate(input fs.FS) (map[string][]byte, error) {
	facts, err := readFacts(input)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"operator-labels.txt": operatorLabels()}
	if files["suffixes.txt"], err = suffixes(facts.ProtectedSuffixes.Suffixes); err != nil {
		return nil, err
	}
	if files["networks.txt"], err = networks(facts.networks); err != nil {
		return nil, err
	}
	if files["addresses.txt"], err = addresses(&facts.addresses); err != nil {
		return nil, err
	}
	for _, service := range facts.Services {
		path := "names/" + service.ID + ".txt"
		if files[path] != nil {
			return nil, errors.New("service " + service.ID + " stands twice in the fact base")
		}
		if files[path], err = names(&service); err != nil {
			return nil, fmt.Errorf("service %s: %w", service.ID, err)
		}
	}
	return files, nil
}

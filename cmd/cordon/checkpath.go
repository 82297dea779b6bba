package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"cordon/config"
)

// policyKey is a line that only a policy file has, policiesKey one that a policy directory can't do without.
var (
	policyKey   = regexp.MustCompile(`(?m)^(timezone|include|lists|policies|agencies|exceptions)[ \t]*:`)
	policiesKey = regexp.MustCompile(`(?m)^policies[ \t]*:`)
)

// settle is the service file or the policy directory that path means.
func settle(path string) (service, policyDir string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return path, "", nil //nolint:nilerr // there may be no path at all, and who reads it says what is wrong with it
	}
	if info.IsDir() {
		service = filepath.Join(path, "cordon.yaml")
		if _, err := os.Stat(service); errors.Is(err, fs.ErrNotExist) {
			return "", path, nil
		}
		return service, "", nil
	}
	if f := config.ReadFile(path); policyKey.Match(f.Data) {
		policyDir, err = belongsTo(path, info)
		return "", policyDir, err
	}
	return path, "", nil
}

// mostUp is how many directories above an owned file its policy directory can be, to be found by that.
const mostUp = 4

// belongsTo is the policy directory that the policy file at path belongs to: the nearest one above its own whose main files include it,
// else the one that it lies in. Its error is that nobody can say, because not all of them may be read.
func belongsTo(path string, info os.FileInfo) (string, error) {
	own := filepath.Dir(path)
	var unread error
	for dir, up := filepath.Join(own, ".."), 1; up <= mostUp; dir, up = filepath.Join(dir, ".."), up+1 {
		files, err := config.ReadPolicyDir(dir)
		if slices.ContainsFunc(files, func(f config.File) bool { return f.Owner != "" && isFile(f.Path, info) }) {
			return dir, nil
		}
		if err == nil {
			err = unreadMain(files)
		}
		if unread == nil {
			unread = err
		}
	}
	if unread != nil && !hasPolicies(own) {
		return "", fmt.Errorf("check %s: it may belong to a policy of which not everything can be read, and can't be checked without it: "+
			"%w; run this as somebody who may read all of it", path, unread)
	}
	return own, nil
}

func isFile(path string, info os.FileInfo) bool {
	other, err := os.Stat(path)
	return err == nil && os.SameFile(info, other)
}

// unreadMain says which main file can't be read, nil for none.
func unreadMain(files []config.File) error {
	for _, f := range files {
		if f.Order == 0 && f.Err != nil {
			return fmt.Errorf("%s: %w", f.Path, f.Err)
		}
	}
	return nil
}

// hasPolicies says whether a policy is declared in dir.
func hasPolicies(dir string) bool {
	files, _ := config.ReadPolicyDir(dir) // what can't be read has none
	return slices.ContainsFunc(files, func(f config.File) bool { return policiesKey.Match(f.Data) })
}

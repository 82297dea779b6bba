package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/config"
)

// policyFileSet is a policy directory as it is read for an edit: also one with faults.
type policyFileSet struct {
	files  []config.File
	set    *config.PolicySet
	faults config.Faults
}

// policyDirOf is the policy directory of the configuration at path, which is as in `cordon explain`.
func policyDirOf(cmd *cobra.Command, path string) (string, error) {
	path, dir, err := settle(path)
	if err != nil || dir != "" {
		return dir, err
	}
	path, err = config.FindService(path)
	if err != nil {
		return "", err
	}
	service, faults := config.ParseService(serviceFile(path), cmd.Flags()) // a fault elsewhere in it is no obstacle
	switch {
	case service.PolicyDir != "":
		return service.PolicyDir, nil
	case faults.Bad():
		return "", faults.Errors()
	}
	return "", errors.New("the policy is the one inside the program: `cordon init DIR` writes it to files, which --config then names")
}

func readPolicySet(dir string) (*policyFileSet, error) {
	files, err := config.ReadPolicyDir(dir)
	if err != nil {
		return nil, err
	}
	return loadPolicySet(files), nil
}

func loadPolicySet(files []config.File) *policyFileSet {
	p := &policyFileSet{files: files}
	p.set, p.faults = config.LoadPolicy(files, checkOptions(time.Time{}))
	return p
}

// with is p with another text of one of its files.
func (p *policyFileSet) with(next config.File) *policyFileSet {
	files := slices.Clone(p.files)
	for i := range files {
		if files[i].Path == next.Path {
			files[i] = next
		}
	}
	return loadPolicySet(files)
}

// exception is the one called name, nil if there is none.
func (p *policyFileSet) exception(name string) *config.Exception {
	for _, e := range p.set.Exceptions {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// fileOf is the file that has the exception called name.
func (p *policyFileSet) fileOf(name string) (config.File, error) {
	e := p.exception(name)
	if e == nil {
		return config.File{}, fmt.Errorf("there is no exception %q%s: `cordon exception list --all` has all", name, p.unread())
	}
	f, _ := fileAt(p.files, e.Pos.File)
	return f, nil
}

// unread is a remark on files of which not everything could be read, "" if there is none.
func (p *policyFileSet) unread() string {
	files, _ := p.faults.Split()
	if len(files) == 0 {
		return ""
	}
	var paths []string
	for _, f := range p.files {
		if files[f.Path] != nil {
			paths = append(paths, f.Path)
		}
	}
	return ", as far as can be read (" + strings.Join(paths, ", ") + " has faults)"
}

// fileForNew is the file that a new exception goes to. explicit is the one that was asked for, "" if none was.
func (p *policyFileSet) fileForNew(e *config.NewException, explicit string) (config.File, error) {
	if other := p.exception(e.Name); other != nil {
		return config.File{}, fmt.Errorf("there is an exception %q already (%s): want another name, or extend that one", e.Name, other.Pos)
	}
	if e.Agency == "" {
		return config.File{}, errors.New("--agency: it is missing")
	}
	if err := p.knowsAgency(e.Agency); err != nil {
		return config.File{}, err
	}
	if explicit != "" {
		return p.fileCalled(explicit)
	}
	path := p.fileWithExceptionsOf(e.Agency)
	if path == "" {
		path = p.ownFile(e.Agency)
	}
	if path == "" {
		path = p.declaring(e.Agency)
	}
	if path == "" && len(p.files) == 1 {
		path = p.files[0].Path
	}
	if f, ok := fileAt(p.files, path); ok {
		return f, nil
	}
	return config.File{}, fmt.Errorf("no file has exceptions of %q or declares it: say by --file which it is", e.Agency)
}

func (p *policyFileSet) knowsAgency(name string) error {
	names := []string{config.DefaultAgency}
	for _, a := range p.set.Agencies {
		names = append(names, a.Name)
	}
	if slices.Contains(names, name) {
		return nil
	}
	slices.Sort(names)
	names = slices.Compact(names)
	const few = 8
	known := ""
	if len(names) <= few {
		known = ": known are " + strings.Join(names, ", ")
	}
	return fmt.Errorf("--agency: there is no agency %q%s%s", name, p.unread(), known)
}

// fileCalled is the policy file at path, or the one that path means in the directory of one.
func (p *policyFileSet) fileCalled(path string) (config.File, error) {
	wanted, err := os.Stat(path)
	for _, f := range p.files {
		one, oneErr := os.Stat(f.Path)
		if err == nil && oneErr == nil && os.SameFile(wanted, one) {
			return f, nil
		}
	}
	if f, ok := fileAt(p.files, filepath.Clean(path)); ok {
		return f, nil
	}
	if err != nil {
		return config.File{}, fmt.Errorf("--file: %w", err)
	}
	return config.File{}, fmt.Errorf("--file: %s is not a file of the policy", path)
}

// fileWithExceptionsOf is the file with the exceptions of an agency, the last one if there are several, but an owned one before a main
// one.
func (p *policyFileSet) fileWithExceptionsOf(agency string) (path string) {
	for _, e := range p.set.Exceptions {
		if e.Agency == agency && (path == "" || p.set.Owner(e.Pos.File) != "" || p.set.Owner(path) == "") {
			path = e.Pos.File
		}
	}
	return path
}

// ownFile is the included file that an agency owns, or the next one above it that owns one.
func (p *policyFileSet) ownFile(agency string) string {
	for range p.set.Agencies { // not for ever, whatever the parents are
		for _, f := range p.files {
			if f.Owner == agency {
				return f.Path
			}
		}
		a := p.agency(agency)
		if a == nil || a.Parent == "" {
			return ""
		}
		agency = a.Parent
	}
	return ""
}

func (p *policyFileSet) declaring(agency string) string {
	if a := p.agency(agency); a != nil {
		return a.Pos.File
	}
	return ""
}

func (p *policyFileSet) agency(name string) *config.Agency {
	for _, a := range p.set.Agencies {
		if a.Name == name {
			return a
		}
	}
	return nil
}

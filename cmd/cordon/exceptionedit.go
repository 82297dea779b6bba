package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	textdiff "github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"cordon/cmd/cordon/files"
	"cordon/config"
)

// lockPatience is how long an edit waits for another one.
const lockPatience = 10 * time.Second

// exceptionEdit is one edit of one exception.
type exceptionEdit struct {
	name   string
	choose func(*policyFileSet) (config.File, error) // the file that is edited
	apply  func(config.File) (config.File, error)    // to the file as it should be
	said   func(*config.Exception) string            // what was done, on one line
}

// edit locks, reads, edits, checks and writes.
func (o *editOptions) edit(cmd *cobra.Command, e exceptionEdit) error {
	what := commandName(cmd)
	dir, err := policyDirOf(cmd, o.config)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if !o.dryRun {
		say := func(text string) { fmt.Fprintf(cmd.ErrOrStderr(), "cordon: %s\n", text) }
		unlock, err := files.Lock(cmd.Context(), dir, lockPatience, say)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		defer unlock()
	}
	before, old, next, err := e.prepare(dir)
	if err != nil {
		return explained(cmd.ErrOrStderr(), what, err)
	}
	if unread := before.unread(); unread != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "cordon: the edit is checked%s\n", unread)
	}
	after := before.with(next)
	found := newFaults(before.faults, after.faults, next.Path)
	sayFaults(cmd.ErrOrStderr(), found)
	if found.Bad() {
		return fmt.Errorf("%s: the policy would have faults, which are shown as the edited file would have them: nothing is written", what)
	}
	if o.dryRun {
		return showEdit(cmd.OutOrStdout(), old, next)
	}
	if err := writeEdited(cmd.Context(), old, next); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	x := after.exception(e.name)
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s; a running server follows by itself\n", x.Pos, e.said(x))
	return err
}

// prepare reads the policy directory and makes the edit, in memory.
func (e *exceptionEdit) prepare(dir string) (before *policyFileSet, old, next config.File, err error) {
	if before, err = readPolicySet(dir); err != nil {
		return before, old, next, err
	}
	if old, err = e.choose(before); err != nil {
		return before, old, next, err
	}
	next, err = e.apply(old)
	return before, old, next, err
}

// explained is err as one of the command. Faults in a file are said on w with their lines.
func explained(w io.Writer, what string, err error) error {
	faults, ok := errors.AsType[config.Faults](err)
	if !ok {
		return fmt.Errorf("%s: %w", what, err)
	}
	if slices.ContainsFunc(faults, func(f config.Fault) bool { return f.Line > 0 }) {
		sayFaults(w, faults)
		return fmt.Errorf("%s: nothing is written", what)
	}
	var lines []string
	for _, f := range faults {
		lines = append(lines, fmt.Sprintf("%s: %s", what, f))
	}
	return errors.New(strings.Join(lines, "\ncordon: "))
}

// showEdit writes what would change, and that the check has nothing against it.
func showEdit(w io.Writer, old, next config.File) error {
	text := textdiff.Diff(old.Path, old.Data, next.Path+" (edited)", next.Data)
	_, text, _ = bytes.Cut(text, []byte("\n")) // "diff a b"
	_, err := fmt.Fprintf(w, "%s\nchecked without faults; nothing is written\n", text)
	return err
}

// place is a place in a message: after an edit it may be another.
var place = regexp.MustCompile(`:\d+`)

// newFaults are the faults after an edit that were not there before it, and all of the edited file: a stranger's broken file keeps
// nobody from revoking. Of warnings only the new ones are there.
func newFaults(before, after config.Faults, edited string) config.Faults {
	key := func(f config.Fault) string { return f.File + " " + place.ReplaceAllString(f.Message, "") }
	known := map[string]int{}
	for _, f := range before {
		known[key(f)]++
	}
	var found config.Faults
	for _, f := range after {
		if known[key(f)]--; known[key(f)] < 0 || !f.Warning && f.File == edited {
			found = append(found, f)
		}
	}
	return found
}

// writeEdited writes next in place of old: whole or not at all, with the mode and the owner that the file has.
func writeEdited(ctx context.Context, old, next config.File) error {
	path, err := filepath.EvalSymlinks(old.Path)
	if err != nil {
		return err
	}
	if kubernetesVolume(path) {
		return fmt.Errorf("%s is in a Kubernetes volume (%s), which nobody can write to: change the ConfigMap or Secret that it comes from",
			old.Path, path)
	}
	info, err := writable(path)
	if err != nil {
		return fmt.Errorf("%w: change the source that the file comes from, or ask who may write to it", err)
	}
	now := config.ReadFile(path)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case now.Err != nil || now.Hash != old.Hash:
		return fmt.Errorf("%s has changed meanwhile: nothing is written, try again", old.Path)
	}
	err = files.ReplaceLike(path, next.Data, info)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: want a user who may write to %s and give a file there the owner of %s", err, filepath.Dir(path), path)
	}
	return err
}

// writable says whether the file at path can be written to, and how it is.
func writable(path string) (fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

// kubernetesVolume says whether a path without symbolic links is in a volume of Kubernetes, whose directories begin with two dots.
func kubernetesVolume(path string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(path), "/"), func(dir string) bool {
		return strings.HasPrefix(dir, "..") && dir != ".."
	})
}

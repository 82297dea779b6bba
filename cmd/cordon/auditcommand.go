package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/wording"
	"cordon/config"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Check or show the audit log",
		Long: "Check or show the log of what was in force when, and what it did, from its files alone: no server needs to run, and one\n" +
			"that runs is not disturbed.",
		Args: noArgument,
	}
	cmd.AddCommand(auditVerifyCommand(), auditShowCommand())
	return cmd
}

// auditPlace says where the log is.
type auditPlace struct{ config string }

func (p *auditPlace) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.config, "config", "", "the service `FILE`, or the directory that it is in")
	addSettings(cmd, "state-dir")
}

// dir is the directory of the log: the argument, else what the service file says.
func (p *auditPlace) dir(cmd *cobra.Command, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	path, err := config.FindService(p.config)
	if err != nil {
		return "", err
	}
	service, faults := config.ParseService(serviceFile(path), cmd.Flags())
	dir := auditDir(service)
	if dir == "" && faults.Bad() {
		return "", faults.Errors()
	}
	if dir == "" {
		return "", fmt.Errorf("%s: the configuration has no audit log: name its directory, or set `state_dir:` or `audit: {dir: …}`",
			commandName(cmd))
	}
	return dir, nil
}

// directoryOrNone takes the directory of a log, or nothing.
func directoryOrNone(example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return oneArgument("one directory or none", example)(cmd, args)
	}
}

func auditVerifyCommand() *cobra.Command {
	var place auditPlace
	var head string
	cmd := &cobra.Command{
		Use:   "verify [DIR]",
		Short: "Say whether the audit log is as it was written",
		Long: "Read the whole audit log and say the first place, file and line, at which it was altered, cut, or has something put in.\n" +
			"The exit status is 1 then. A last line without an end is noted while a server writes the log; else it was cut, by a crash\n" +
			"too: the next start cuts it off. That the end was cut off, or all of it written anew, shows only by a head that was seen\n" +
			"elsewhere: give --head one that Prometheus (cordon_audit_head_info) or the server's log has, as late a one as there is.",
		Example: "  cordon audit verify\n  cordon audit verify /var/lib/cordon/audit --head HASH",
		Args:    directoryOrNone("audit verify /var/lib/cordon/audit"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := place.dir(cmd, args)
			if err != nil {
				return err
			}
			if hash, err := hex.DecodeString(head); head != "" && (err != nil || len(hash) != 32) {
				return fmt.Errorf("audit verify: --head %q is no hash: want 64 hexadecimal digits", head)
			}
			return verifyAudit(cmd.OutOrStdout(), dir, strings.ToLower(head))
		},
	}
	cmd.Flags().StringVar(&head, "head", "", "a `HASH` that must be in the chain")
	place.addFlags(cmd)
	return cmd
}

// verifyAudit checks the log in dir and says what it found. Its error is that the log is not intact, or can't be read.
func verifyAudit(w io.Writer, dir, head string) error {
	found, err := audit.Verify(dir, head)
	for _, note := range found.Notes {
		fmt.Fprintf(w, "note: %s\n", oneLine(note))
	}
	if damage, ok := errors.AsType[*audit.Damage](err); ok {
		return errors.New("audit verify: not intact: " + oneLine(damage.Error()))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("audit verify: %w: no server has written one there", err)
	}
	if err != nil {
		return fmt.Errorf("audit verify: %w", err)
	}
	if found.Entries == 0 {
		return fmt.Errorf("audit verify: %s has no entries", dir)
	}
	if found.Sought > 0 {
		fmt.Fprintf(w, "the head that was asked for is that of entry %d\n", found.Sought)
	}
	_, err = fmt.Fprintf(w, "intact: %s in %s, from %s to %s, number %d to %d\nhead %s\n",
		wording.Count(int(found.Entries), "entry"), wording.Count(found.Files, "file"),
		shownUTC(found.From), shownUTC(found.To), found.First, found.Head.Sequence, found.Head.Hash)
	return err
}

func shownUTC(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// auditFilter is which entries are shown, and how.
type auditFilter struct {
	from, to string
	kinds    []string
	json     bool
}

func auditShowCommand() *cobra.Command {
	var place auditPlace
	var filter auditFilter
	cmd := &cobra.Command{
		Use:   "show [DIR]",
		Short: "Print entries of the audit log",
		Long: "Print entries of the audit log, a line each. Times are in UTC. A line that is no entry is said, and the exit status is\n" +
			"1 then. Kinds are start, stop, snapshot (a policy that took effect), policy-began and -ended, exception-added, -extended,\n" +
			"-revoked, -began, -lapsed and -used, rejected (a mistake in a file), held, accepted and released (of lists and files),\n" +
			"counts (each hour), upstreams-lost and -back, retention, torn and gap (what the log itself lacks).",
		Example: "  cordon audit show --from 2027-03-01 --to 2027-04-01\n" +
			"  cordon audit show --kind exception-added --kind exception-revoked --json",
		Args: directoryOrNone("audit show /var/lib/cordon/audit"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := place.dir(cmd, args)
			if err != nil {
				return err
			}
			return filter.show(cmd.OutOrStdout(), cmd.ErrOrStderr(), dir)
		},
	}
	cmd.Flags().StringVar(&filter.from, "from", "", "the first `TIME`, such as 2027-03-01 or 2027-03-01T09:00")
	cmd.Flags().StringVar(&filter.to, "to", "", "the `TIME` before which entries are")
	cmd.Flags().StringArrayVar(&filter.kinds, "kind", nil, "only entries of that `KIND`, such as snapshot; can be repeated")
	cmd.Flags().BoolVar(&filter.json, "json", false, "print JSON, as in the log")
	place.addFlags(cmd)
	return cmd
}

// show prints what the filter lets through of the log in dir.
func (f *auditFilter) show(w, wrong io.Writer, dir string) error {
	from, err := utcMoment("--from", f.from)
	if err != nil {
		return err
	}
	to, err := utcMoment("--to", f.to)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	bad := false
	seen := make(map[string]bool)
	for e, err := range audit.Read(dir, from, to) {
		if err == nil {
			seen[string(e.Kind)] = true
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("audit show: %w: no server has written one there", err)
		case err != nil:
			bad = true
			fmt.Fprintln(wrong, err)
		case len(f.kinds) > 0 && !slices.Contains(f.kinds, string(e.Kind)):
		case f.json:
			err = encoder.Encode(e)
		default:
			_, err = fmt.Fprintln(w, auditText(&e))
		}
		if err != nil && !bad {
			return err // nobody reads any more
		}
	}
	if bad {
		return errors.New("audit show: lines of the log are no entries: `cordon audit verify` says what was done to it")
	}
	f.sayMissing(wrong, dir, seen)
	return nil
}

// sayMissing says what was asked for and is not there, which else looks as if nothing had happened. seen are the kinds that are there.
func (f *auditFilter) sayMissing(wrong io.Writer, dir string, seen map[string]bool) {
	of := ""
	if f.from+f.to != "" {
		of = " of that time"
	}
	if len(seen) == 0 {
		fmt.Fprintf(wrong, "audit show: %s has no entries%s\n", dir, of)
		return
	}
	for _, kind := range f.kinds {
		if !seen[kind] {
			fmt.Fprintf(wrong, "audit show: no entry%s is of the kind %q\n", of, kind)
		}
	}
}

// utcMoment is the time that text, the value of flag, says in UTC; zero for no text.
func utcMoment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("audit show: %s %q is not a time: want 2027-03-01, 2027-03-01T09:00 in UTC "+
		"or, with an offset, 2027-03-01T09:00:00+01:00", flag, text)
}

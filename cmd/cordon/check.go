package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cordon/blocklists"
	"cordon/config"
	"cordon/resolver/policy"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [PATH]",
		Short: "Say what is wrong with the configuration, and what is unwise",
		Long: "Check the service file PATH, the cordon.yaml in the directory PATH, or the policy files in the directory PATH,\n" +
			"by the code that the server loads them with. Without PATH: what `cordon serve` would use here.\n" +
			"The exit status is 1 if there is a fault; warnings don't change it.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := ""
			if len(args) == 1 {
				path = args[0]
			}
			return check(cmd, path)
		},
	}
	config.AddFlags(cmd.Flags())
	return cmd
}

func check(cmd *cobra.Command, path string) error {
	in, err := readAll(cmd.Context(), path, cmd.Flags())
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if _, err := io.WriteString(out, in.faults.Render()); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s, %s\n", in.summary(), count(len(in.faults.Errors()), "fault"), count(len(in.faults.Warnings()), "warning"))
	if in.faults.Bad() {
		return errSaid
	}
	return nil
}

// inputs is one reading of everything that is written: what check reports and what explain asks.
type inputs struct {
	path       string // of the service file, "" for the embedded default
	service    *config.Service
	policyDir  string
	files      []config.File
	faults     config.Faults
	generation *generation // nil if there are faults
}

// readAll reads the service file at path and what it names. A directory without a cordon.yaml is a policy directory. Its error is
// about path itself; everything else is in faults.
func readAll(ctx context.Context, path string, flags *pflag.FlagSet) (*inputs, error) {
	in := &inputs{}
	policyDir := ""
	if info, err := os.Stat(path); path != "" && err == nil && info.IsDir() {
		policyDir = path
		path = filepath.Join(path, "cordon.yaml")
		if _, err := os.Stat(path); err == nil {
			policyDir = ""
		}
	}
	var err error
	if policyDir == "" {
		if in.path, err = config.FindService(path); err != nil {
			return nil, err
		}
	}
	in.service, in.faults = config.ParseService((&server{path: in.path}).serviceFile(), flags)
	if policyDir != "" {
		in.service.PolicyDir = policyDir
	}
	in.checkUpstreams()
	return in, in.readPolicy(ctx)
}

// checkUpstreams adds the fault of upstreams that can't work.
func (in *inputs) checkUpstreams() {
	if in.faults.Bad() || in.path == "" {
		return
	}
	if _, err := choose(in.service); err != nil {
		in.faults = append(in.faults, config.Fault{File: in.path, Message: err.Error()})
	}
}

// readPolicy reads policy and lists, and makes a generation of them if there is no fault.
func (in *inputs) readPolicy(ctx context.Context) error {
	var err error
	if in.files, err = (&server{service: in.service}).policyFiles(); err != nil {
		return err
	}
	set, faults := config.LoadPolicy(in.files, checkOptions())
	in.faults = append(in.faults, faults...)
	in.faults = append(in.faults, checkLists(ctx, set)...)
	if in.faults.Bad() {
		return nil
	}
	l := &loader{log: slog.New(slog.DiscardHandler), allowed: in.service.AllowClients}
	if in.generation, err = l.load(ctx, in.files); err != nil {
		return err
	}
	for _, e := range in.generation.snapshot.Idle() {
		in.faults = append(in.faults, idle(set, e))
	}
	return nil
}

// checkLists loads every list, to say what is wrong with each: what can't be loaded is a fault, a line that can't be used a warning.
func checkLists(ctx context.Context, set *config.PolicySet) config.Faults {
	var faults config.Faults
	for _, declared := range set.Lists {
		at := config.Fault{File: declared.Pos.File, Line: declared.Pos.Line, Column: declared.Pos.Column}
		src, err := listSource(declared)
		if err != nil {
			continue // said by the files' own check
		}
		list, err := blocklists.Load(ctx, src, declared.Dir, nil)
		if err != nil {
			at.Message = err.Error()
			faults = append(faults, at)
			continue
		}
		for _, line := range list.Faults() {
			faults = append(faults, config.Fault{
				File: list.Path(), Line: line.Line, Warning: true, Excerpt: line.Text, Message: "skipped: " + line.Reason,
			})
		}
	}
	return faults
}

func idle(set *config.PolicySet, e *policy.Exception) config.Fault {
	f := config.Fault{Warning: true, Message: fmt.Sprintf("exception %s can never be used: its clients belong to other agencies", e.Name)}
	for _, declared := range set.Exceptions {
		if declared.Name == e.Name {
			f.File, f.Line, f.Column = declared.Pos.File, declared.Pos.Line, declared.Pos.Column
		}
	}
	return f
}

// summary says what was checked, and what it amounts to if it is without faults.
func (in *inputs) summary() string {
	what := "checked " + count(len(in.files), "policy file")
	if in.path != "" {
		what = "checked " + in.path + " and " + count(len(in.files), "policy file")
	}
	if in.generation == nil {
		return what
	}
	s := in.generation.snapshot
	return fmt.Sprintf("%s with %s of %s, %s and %s; in force: %s", what,
		count(s.Set().Names(), "name"), count(len(in.generation.lists), "list"),
		count(len(s.Agencies()), "agency"), count(len(s.Exceptions()), "exception"), inForce(s, time.Now()))
}

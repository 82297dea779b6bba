package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cordon/blocklists"
	"cordon/blocklists/mirror"
	"cordon/cmd/cordon/files"
	"cordon/cmd/cordon/wording"
	"cordon/config"
	"cordon/resolver/names"
	"cordon/resolver/policy"
)

// checking is what check is asked, as it was typed.
type checking struct {
	path         string
	strict, json bool
}

func checkCommand() *cobra.Command {
	var c checking
	cmd := &cobra.Command{
		Use:   "check [PATH]",
		Short: "Say what is wrong with the configuration, and what is unwise",
		Long: "Check what PATH is, by the code that the server loads it with: a service file, a directory with a cordon.yaml,\n" +
			"a policy directory, or one policy file, which is checked with the policy that it belongs to. Without PATH: what\n" +
			"`cordon serve` would use here. The exit status is 1 if there is a fault; with --strict also if there is a warning about\n" +
			"what is written, but not for one about this machine: a list that was never fetched here, a file of secrets that is not here.",
		Example: "  cordon check /etc/cordon\n" +
			"  cordon check --strict policy   # in the pipeline of a repository",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return oneArgument("one path or none", "check /etc/cordon")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return c.run(cmd)
			case c.path != "":
				return fmt.Errorf("check: found %s and --config %s, want one of them", args[0], c.path)
			default:
				c.path = args[0]
				return c.run(cmd)
			}
		},
	}
	cmd.Flags().StringVar(&c.path, "config", "", "the same as `PATH`")
	cmd.Flags().BoolVar(&c.strict, "strict", false, "exit with status 1 for a warning about what is written, too")
	cmd.Flags().BoolVar(&c.json, "json", false, "answer in JSON")
	addSettings(cmd, "policy-dir")
	return cmd
}

func (c *checking) run(cmd *cobra.Command) error {
	in, err := readAll(cmd, c.path)
	if err != nil {
		return err
	}
	if err := c.write(cmd, in); err != nil {
		return err
	}
	if in.faults.Bad() || c.strict && slices.ContainsFunc(in.faults, func(f config.Fault) bool { return !f.Elsewhere }) {
		return errSaid
	}
	return nil
}

// inputs is one reading of everything that is written: what check reports and what explain asks.
type inputs struct {
	path       string // of the service file, "" for the embedded default
	service    *config.Service
	files      []config.File
	faults     config.Faults
	serviceBad bool        // there are faults in the service file
	generation *generation // nil if there are faults, but for those that a server would hold an owned file or a list for
	holds      map[string]hold
	names      *names.Table // of one's own; nil for none
	lostHosts  []string     // the hosts files that can't be used, and why
	mirrored   func(*config.List) *mirror.Copy
}

// readAll reads the service file at path and what it names. A directory without a cordon.yaml is a policy directory, and a policy
// file stands for the policy directory that it belongs to. Its error is about path itself; everything else is in faults.
func readAll(cmd *cobra.Command, path string) (*inputs, error) {
	in := &inputs{}
	path, policyDir, err := settle(path)
	if err != nil {
		return nil, err
	}
	if policyDir == "" {
		if in.path, err = config.FindService(path); err != nil {
			return nil, err
		}
	}
	in.service, in.faults = parseService(serviceFile(in.path), cmd.Flags())
	if policyDir != "" {
		in.service.PolicyDir = policyDir
	}
	in.checkUpstreams()
	in.checkAdmin()
	in.checkQueryLog()
	in.serviceBad = in.faults.Bad()
	in.checkNames()
	if in.path != "" && in.serviceBad && in.service.PolicyDir == "" {
		return in, nil // what policy it names is not known
	}
	p := newProgress(cmd.ErrOrStderr())
	defer p.end()
	return in, in.readPolicy(cmd.Context(), p)
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

// readPolicy reads policy and lists, and makes a generation of them if there is no fault but what a server would hold.
func (in *inputs) readPolicy(ctx context.Context, p *progress) error {
	var err error
	if in.files, err = policyFiles(in.service.PolicyDir); err != nil {
		in.faults = append(in.faults, in.noPolicyDir(err))
		return nil
	}
	l := in.loader(p)
	set, faults := l.check(in.files)
	faults = append(faults, l.checkLists(ctx, set)...)
	slices.SortStableFunc(faults, func(a, b config.Fault) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	in.faults = append(in.faults, faults...)
	if in.serviceBad {
		return nil
	}
	if in.generation, err = l.load(ctx, in.files); err != nil {
		if in.faults.Bad() {
			err = nil // it is said already
		}
		return err
	}
	in.holds = l.holds
	for _, e := range in.generation.snapshot.Idle() {
		in.faults = append(in.faults, idle(in.generation.set, e))
	}
	return nil
}

// sayHeld says on w which files of owners, lists and hosts files are not as they are written.
func (in *inputs) sayHeld(w io.Writer) {
	for _, lost := range in.lostHosts {
		fmt.Fprintf(w, "%s; what names a server has in force of it is not known here\n", lost)
	}
	for _, what := range slices.Sorted(maps.Keys(in.holds)) {
		h, meant := in.holds[what], "what a server has in force of it is meant here"
		switch {
		case h.absent && h.owner != "":
			meant = "and left out here"
		case h.absent:
			meant = "what it holds is not known here"
		}
		fmt.Fprintf(w, "%s is held, %s: %s\n", what, meant, h.reason)
	}
}

// noPolicyDir is the fault of a policy directory that can't be read because of err.
func (in *inputs) noPolicyDir(err error) config.Fault {
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		err = wrong.Err
	}
	message := fmt.Sprintf("policy directory %s: %v", in.service.PolicyDir, err)
	pos := in.service.At("policy_dir")
	if in.path == "" || pos.File == "" {
		return config.Fault{File: in.service.PolicyDir, Message: message}
	}
	return faultAt([]config.File{config.ReadFile(in.path)}, pos, message)
}

// loader is one that reads what a server with this configuration would, and what such a server last had in force, as far as that may
// be read.
func (in *inputs) loader(p *progress) *loader {
	l := &loader{
		log: slog.New(slog.DiscardHandler), allowed: in.service.AllowClients, forward: zonesOf(in.service), progress: p.list,
		tried: map[string]trial{}, reads: true, anywhere: in.path == "",
	}
	in.mirrored = func(*config.List) *mirror.Copy { return nil }
	if in.service.StateDir != "" {
		l.state = &stateDir{path: in.service.StateDir, stored: map[io.WriterTo]string{}}
		in.mirrored = l.state.mirrored
		l.kept, _ = l.state.load() // what can't be read is not known
	}
	l.mirrored = in.mirrored
	return l
}

// checkLists loads every list, to say what is wrong with each: what can't be loaded is a fault, a line that can't be used a warning.
// A list from elsewhere that was never fetched can't be looked at; that is a warning, and it is left out.
func (l *loader) checkLists(ctx context.Context, set *config.PolicySet) config.Faults {
	var faults config.Faults
	for _, declared := range set.Lists {
		if kind, _ := declared.Kind(); kind == config.Builtin {
			continue // said by the files' own check
		}
		list, err := l.listAsWritten(ctx, set, declared, l.lastGoodList(declared.Name))
		faults = append(faults, neededFiles(set.Files, declared)...)
		if err != nil {
			f := faultAt(set.Files, sourcePos(declared), err.Error())
			f.Warning = errors.Is(err, errNoCopy)
			f.Elsewhere = f.Warning
			faults = append(faults, f)
			continue
		}
		faults = append(faults, rejects(list)...)
	}
	return faults
}

// neededFiles warns of files that the fetching of a list needs and that are not there, or are secrets that everybody may read.
func neededFiles(written []config.File, declared *config.List) config.Faults {
	var faults config.Faults
	for _, needed := range []struct {
		key, path string
		secret    bool
	}{
		{"token_file", declared.TokenFile, true}, {"ca_file", declared.CAFile, false}, {"tsig_file", declared.TSIGFile, true},
	} {
		if needed.path == "" {
			continue
		}
		wrong := ""
		if _, err := os.Stat(needed.path); errors.Is(err, fs.ErrNotExist) {
			wrong = err.Error()
		} else if needed.secret && files.IsExposed(needed.path) {
			wrong = files.Exposed(needed.path)
		}
		if wrong != "" {
			f := faultAt(written, declared.At(needed.key), needed.key+": "+wrong)
			f.Warning, f.Elsewhere = true, true
			faults = append(faults, f)
		}
	}
	return faults
}

// rejects are the rejected lines of list as warnings.
func rejects(list *blocklists.List) config.Faults {
	var faults config.Faults
	for _, f := range list.Faults()[:min(list.Rejected(), mostRejects)] {
		path, line := list.Place(f.Line)
		faults = append(faults, config.Fault{File: path, Line: line, Warning: true, Excerpt: f.Text, Message: "skipped: " + f.Reason})
	}
	if more := list.Rejected() - mostRejects; more > 0 {
		faults = append(faults, config.Fault{File: list.Path(), Warning: true, Message: "skipped: " + wording.Count(more, "more line")})
	}
	return faults
}

// mostRejects is how many rejected lines of a list check names.
const mostRejects = 20

// sourcePos is where the file says what the list holds.
func sourcePos(declared *config.List) config.Pos {
	if declared.Has("names") {
		return declared.At("names")
	}
	return declared.At("source")
}

// faultAt is a fault at pos with the line that is there.
func faultAt(written []config.File, pos config.Pos, message string) config.Fault {
	f := config.Fault{File: pos.File, Line: pos.Line, Column: pos.Column, Message: message}
	const widest = 120
	if file, ok := fileAt(written, pos.File); ok {
		lines := strings.Split(string(file.Data), "\n")
		if pos.Line > 0 && pos.Line <= len(lines) && len(lines[pos.Line-1]) <= widest {
			f.Excerpt = strings.TrimSuffix(lines[pos.Line-1], "\r")
		}
	}
	return f
}

func idle(set *config.PolicySet, e *policy.Exception) config.Fault {
	var pos config.Pos
	for _, declared := range set.Exceptions {
		if declared.Name == e.Name {
			pos = declared.At("clients")
		}
	}
	f := faultAt(set.Files, pos, fmt.Sprintf("exception %s can never be used: its clients belong to other agencies", e.Name))
	f.Warning = true
	return f
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/effect"
	"cordon/cmd/cordon/wording"
)

// comparison is what diff is asked, as it was typed.
type comparison struct {
	at             string
	json, exitCode bool
}

func diffCommand() *cobra.Command {
	var c comparison
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what a change of the policy changes in effect",
		Long: "Say what NEW, in the place of OLD, changes in effect: who is newly refused or allowed what, from when to when, and by\n" +
			"which decision. Each is what `cordon check` takes: a service file, a directory with a cordon.yaml, a policy directory,\n" +
			"or one policy file with its neighbours. Nothing is fetched: of a list from elsewhere, what the state directory has is\n" +
			"meant. The exit status is 1 if one of the two has a fault; with --exit-code also if something changes.",
		Example: "  git worktree add /tmp/main main && cordon diff /tmp/main/policy policy\n" +
			"  cordon diff --at 2027-09-01 --exit-code policy-of-main policy",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return fmt.Errorf("%s: found %s, want two, the old policy and the new one, such as: cordon diff policy-of-main policy",
				cmd.Name(), wording.Count(len(args), "argument"))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return diff(cmd, args[0], args[1], c)
		},
	}
	cmd.Flags().StringVar(&c.at, "at", "", "compare from this `TIME` on, such as 2027-09-11, in the time zone of NEW (default now)")
	cmd.Flags().BoolVar(&c.json, "json", false, "answer in JSON")
	cmd.Flags().BoolVar(&c.exitCode, "exit-code", false, "exit with status 1 if something changes in effect")
	addSettings(cmd, "state-dir")
	return cmd
}

func diff(cmd *cobra.Command, oldPath, newPath string, c comparison) error {
	if _, err := moment(c.at, time.UTC); err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	old, oldErr := readSide(cmd, oldPath)
	next, newErr := readSide(cmd, newPath)
	if err := errors.Join(oldErr, newErr); err != nil {
		return err
	}
	at, err := moment(c.at, zoneOf(next.generation.snapshot))
	if err != nil {
		return fmt.Errorf("diff: %w", err)
	}
	d := effect.Compare(old.generation.snapshot, next.generation.snapshot, at)
	if err := c.write(cmd, &d); err != nil {
		return err
	}
	if c.exitCode && !d.Nothing() {
		return errSaid
	}
	return nil
}

// readSide reads one of the two policies. Its faults are said as check says them.
func readSide(cmd *cobra.Command, path string) (*inputs, error) {
	in, err := readAll(cmd, path)
	if err != nil {
		return nil, fmt.Errorf("diff: %w", err)
	}
	if in.generation == nil {
		sayFaults(cmd.ErrOrStderr(), in.faults.Errors())
		return nil, fmt.Errorf("diff: %s has faults, so there is no policy to compare", path)
	}
	in.sayHeld(cmd.ErrOrStderr())
	return in, nil
}

func (c *comparison) write(cmd *cobra.Command, d *effect.Difference) error {
	if c.json {
		encoder := json.NewEncoder(cmd.OutOrStdout())
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(d)
	}
	return d.Write(cmd.OutOrStdout())
}

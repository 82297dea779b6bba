package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"cordon/config"
)

func initCommand() *cobra.Command {
	var example string
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Write a configuration to begin with",
		Long: "Write the configuration inside the program to DIR: cordon.yaml and policy/*.yaml, with comments, to be changed.\n" +
			"A file that is there already stays as it is. --example belgium writes a whole policy in its place, modelled on\n" +
			"the Belgian decisions of 2023: a tree of agencies, files that agencies keep themselves, exceptions. Nothing is written\n" +
			"beside policy files of another origin, since all files of a directory are one policy.",
		Example: "  cordon init /etc/cordon\n  cordon init --example belgium try",
		Args:    oneArgument("a directory", "init /etc/cordon"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if example != "" {
				return writeExample(cmd, args[0], example)
			}
			return writeTree(cmd, args[0], config.Default(), "make them yours, then")
		},
	}
	cmd.Flags().StringVar(&example, "example", "", "write the example of that `NAME`: belgium")
	return cmd
}

func writeExample(cmd *cobra.Command, dir, example string) error {
	files, err := config.Example(example)
	if err != nil {
		return fmt.Errorf("init: --example: %w", err)
	}
	return writeTree(cmd, dir, files, "put your networks and your dates in: a decision that is over refuses nothing. Then")
}

// writeTree writes files to dir, and says what is next.
func writeTree(cmd *cobra.Command, dir string, files fs.FS, next string) error {
	if err := alone(dir, files); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		target := filepath.Join(dir, filepath.FromSlash(name))
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.MkdirAll(target, 0o755) //nolint:gosec // what is in it is no secret: the program has it too
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return writeNew(cmd, target, text)
	})
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nNext: %s\n  cordon check %s\n  cordon serve --config %s\n",
		next, dir, filepath.Join(dir, "cordon.yaml"))
	return err
}

// alone says which policy file is in dir that is none of files: with them it would be one policy, which nobody wrote.
func alone(dir string, files fs.FS) error {
	const policy = "policy"
	there, err := os.ReadDir(filepath.Join(dir, policy))
	if err != nil {
		return nil //nolint:nilerr // there is none, or writing to it says what is wrong
	}
	for _, entry := range there {
		if ext := filepath.Ext(entry.Name()); entry.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		if _, err := fs.Stat(files, path.Join(policy, entry.Name())); err != nil {
			return fmt.Errorf("%s is there already, and would be one policy with the new files: want another directory",
				filepath.Join(dir, policy, entry.Name()))
		}
	}
	return nil
}

// writeNew writes text to target unless there is something.
func writeNew(cmd *cobra.Command, target string, text []byte) error {
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // as above
	if errors.Is(err, fs.ErrExist) {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "kept   %s\n", target)
		return err
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(target)) // else the next init would keep half a file
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote  %s\n", target)
	return err
}

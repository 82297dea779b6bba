package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"cordon/config"
)

func initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: "Write a configuration to begin with",
		Long: "Write the configuration inside the program to DIR: cordon.yaml and policy/*.yaml, with comments, to be changed.\n" +
			"A file that is there already stays as it is.",
		Args: oneArgument("a directory", "init /etc/cordon"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeDefaults(cmd, args[0])
		},
	}
}

func writeDefaults(cmd *cobra.Command, dir string) error {
	defaults := config.Default()
	err := fs.WalkDir(defaults, ".", func(path string, entry fs.DirEntry, err error) error {
		target := filepath.Join(dir, filepath.FromSlash(path))
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.MkdirAll(target, 0o755) //nolint:gosec // what is in it is no secret: the program has it too
		}
		text, err := fs.ReadFile(defaults, path)
		if err != nil {
			return err
		}
		return writeNew(cmd, target, text)
	})
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nNext: make them yours, then\n  cordon check %s\n  cordon serve --config %s\n",
		dir, filepath.Join(dir, "cordon.yaml"))
	return err
}

// writeNew writes text to path unless there is something.
func writeNew(cmd *cobra.Command, path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // as above
	if errors.Is(err, fs.ErrExist) {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "kept   %s\n", path)
		return err
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // else the next init would keep half a file
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote  %s\n", path)
	return err
}

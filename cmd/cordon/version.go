package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which build this is",
		Args:  noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return thisBuild().write(cmd.OutOrStdout())
		},
	}
}

// build is what the toolchain wrote into the binary.
type build struct {
	version, goVersion string
	commit             string // with "and local changes" if the files were not those of the commit
	committed          string // when, in the form of RFC 3339; "" if that is not known
}

func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: "unknown"}
	}
	return buildOf(info)
}

func buildOf(info *debug.BuildInfo) build {
	b := build{version: info.Main.Version, commit: "unknown", goVersion: info.GoVersion}
	if b.version == "" {
		b.version = "unknown"
	}
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.commit = s.Value
		case s.Key == "vcs.time":
			b.committed = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " and local changes"
		}
	}
	b.commit += changed
	return b
}

// write says b in a line.
func (b build) write(w io.Writer) error {
	of := ""
	if b.committed != "" {
		of = " of " + b.committed
	}
	_, err := fmt.Fprintf(w, "cordon %s, commit %s%s, %s\n", b.version, b.commit, of, b.goVersion)
	return err
}

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/manual"
	"cordon/config"
)

// manCommand is for who makes packages, and no help names it.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the pages of the manual",
		Long: "Write the pages of the manual to man1 and man5 in DIR, for man(1): one for each command, cordon.yaml(5) and\n" +
			"cordon-policy(5).",
		Hidden: true,
		Args:   oneArgument("a directory", "man /usr/local/share/man"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, page := range manualPages(cmd.Root(), thisBuild()) {
				if err := writePage(args[0], page); err != nil {
					return fmt.Errorf("man: %w", err)
				}
			}
			return nil
		},
	}
}

func writePage(dir string, page manual.Page) error {
	target := filepath.Join(dir, filepath.FromSlash(page.Path()))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // pages are for everybody
		return err
	}
	return os.WriteFile(target, page.Text, 0o644) //nolint:gosec // as above
}

// manualPages are all of them: what is said beside commands and keys stands here.
func manualPages(root *cobra.Command, of build) []manual.Page {
	day, _ := time.Parse(time.RFC3339, of.committed) // else it is zero, and the pages have none
	build := manual.Build{Version: of.version, Day: day}
	files := []manual.Page{
		manual.File(config.ServiceFile, manual.About{
			Name:  "cordon.yaml",
			Short: "how the server of Cordon listens, whom it asks and what it may use",
			Long: "`cordon serve` and the other commands read the file that `--config` names, else `./cordon.yaml`, else\n" +
				"`/etc/cordon/cordon.yaml`. It is YAML, and every key may be left out. An unknown key or a value that can't\n" +
				"be meant is an error with its line and column: the last good version of the file stays in force. `cordon\n" +
				"check` finds it before that.\n\n" +
				"An environment variable goes before the file, and a flag before both. In both, lists are divided by commas.\n" +
				"Relative paths in the file start at its directory. Durations and sizes have a unit: 30s, 15m, 24h, 7d,\n" +
				"256MiB.\n\n" +
				"Nearly all counts when the file is saved. What needs a restart stands in the file below, which is the one that\n" +
				"`cordon init` writes.",
			Example: defaultFile("cordon.yaml"),
			See:     []manual.Page{{Name: "cordon", Section: 1}, {Name: "cordon-check", Section: 1}, {Name: "cordon-policy", Section: 5}},
		}, build),
		manual.File(config.PolicyFile, manual.About{
			Name:  "cordon-policy",
			Short: "the files that say what Cordon refuses to whom, since when, until when, and with which exceptions",
			Long: "All files in the directory `policy_dir` of cordon.yaml(5) whose names end in `.yaml` or `.yml` are one\n" +
				"policy, and each may have any of these keys. A policy bans lists of names for agencies, which are known by\n" +
				"the networks of their clients; an exception lifts it for some of them until it ends. In a path of a key,\n" +
				"`[]` stands for each object of a list.\n\n" +
				"Files are in force within a second after they were saved. A file with a fault is held: its last good version\n" +
				"stays in force. `cordon check` says what is wrong, `cordon diff` what a change changes in effect, and\n" +
				"`cordon explain` what a client gets, and why.",
			Example: defaultFile("policy/tiktok.yaml"),
			See: []manual.Page{
				{Name: "cordon", Section: 1},
				{Name: "cordon-explain", Section: 1},
				{Name: "cordon-exception", Section: 1},
				{Name: "cordon.yaml", Section: 5},
			},
		}, build),
	}
	return append(manual.Commands(root, build, files...), files...)
}

// defaultFile is the text of a file that `cordon init` writes.
func defaultFile(name string) string {
	text, err := fs.ReadFile(config.Default(), name)
	if err != nil {
		panic("cordon: " + err.Error()) // it is embedded
	}
	return strings.TrimRight(string(text), "\n")
}

// Command cordon is a caching DNS forwarder that refuses TikTok and ByteDance names for the clients of a government network.
//
//	cordon serve         answer queries
//	cordon check         say what is wrong with the configuration, and what is unwise
//	cordon explain NAME  say what a client would get, and why
//	cordon init DIR      write a configuration to begin with
//	cordon healthcheck   ask a running server whether it serves
//	cordon version       say which build this is
//
// One file a command. compose.go turns the configuration into each package's own Config and is the only place that knows
// everybody; reload.go is the reload path, from the files to the snapshot in force, top to bottom.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // certificate authorities for a host (or a container) that has none
	_ "time/tzdata"                            // time zones likewise
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the command line args and returns the exit status: 0, or 1 for anything that went wrong, said on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:               "cordon",
		Short:             "A DNS forwarder that refuses TikTok and ByteDance names",
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(serveCommand(), checkCommand(), explainCommand(), initCommand(), healthcheckCommand(), versionCommand())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintf(stderr, "cordon: %v\n", err)
	}
	return 1
}

// errSaid ends a command whose failure was already said in full.
var errSaid = errors.New("failed")

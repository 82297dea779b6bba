// Command cordon is a caching DNS forwarder that refuses TikTok and ByteDance names for the clients of a government network.
//
//	cordon serve         answer queries
//	cordon check         say what is wrong with the configuration, and what is unwise
//	cordon explain NAME  say what a client would get, and why
//	cordon diff OLD NEW  say what a change of the policy changes in effect
//	cordon status        say how the running server is
//	cordon lists         say how the lists of the running server are; show, test, accept one
//	cordon exception     add, list, extend and revoke exceptions
//	cordon incident      log queries with the addresses of clients, for a limited time
//	cordon report        write the report on a period, for those who decided the bans
//	cordon export        write the bans in a form that other programs read
//	cordon audit         say whether the audit log is intact; print it
//	cordon schema        print the JSON Schema of the files, for editors
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
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // time zones for a host (or a container) that has none

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	_ "golang.org/x/crypto/x509roots/fallback" // certificate authorities likewise

	"cordon/cmd/cordon/wording"
	"cordon/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run runs the command line args and returns the exit status: 0, or 1 for anything that went wrong, said on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintf(stderr, "cordon: %v\n", strings.TrimRight(err.Error(), "\n"))
	}
	return 1
}

// rootCommand is cordon with all its commands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "cordon",
		Short: "A DNS forwarder that refuses TikTok and ByteDance names",
		Long: "A caching DNS forwarder that refuses TikTok and ByteDance names to the clients of a government network. Who decided the\n" +
			"ban, since when, until when, for which agency and with which exceptions, stands in files that it follows while it runs.\n" +
			"\n" +
			"  /etc/cordon/cordon.yaml  the server: where it listens, whom it asks, what it may use\n" +
			"  /etc/cordon/policy       what is refused to whom, in *.yaml files, if policy_dir in cordon.yaml says so",
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(serveCommand(), checkCommand(), explainCommand(), diffCommand(), statusCommand(), listsCommand(), exceptionCommand(),
		incidentCommand(), reportCommand(), exportCommand(), auditCommand(), schemaCommand(), initCommand(), healthcheckCommand(),
		versionCommand(), manCommand())
	addCompletions(root)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%s: %w; `%s --help` has all flags", commandName(cmd), err, cmd.CommandPath())
	})
	return root
}

// commandName is what is typed after "cordon " to have cmd, such as "exception add".
func commandName(cmd *cobra.Command) string { return strings.TrimPrefix(cmd.CommandPath(), "cordon ") }

// oneArgument takes one argument, which is what, and no more; example is how it looks after "cordon ".
func oneArgument(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fmt.Errorf("%s: found %s, want %s, such as: cordon %s", commandName(cmd),
			wording.Count(len(args), "argument"), what, example)
	}
}

// noArgument takes none.
func noArgument(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s: found the argument %q, want none; `%s --help` has the flags", commandName(cmd), args[0], cmd.CommandPath())
}

// addSettings gives cmd a flag for each setting of the service that has one, of which its help has only those named.
func addSettings(cmd *cobra.Command, named ...string) {
	settings := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.AddFlags(settings)
	settings.VisitAll(func(f *pflag.Flag) { f.Hidden = !slices.Contains(named, f.Name) })
	cmd.Flags().AddFlagSet(settings)
}

// errSaid ends a command whose failure was already said in full.
var errSaid = errors.New("failed")

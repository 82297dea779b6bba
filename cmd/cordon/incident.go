package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/querylog"
	"cordon/cmd/cordon/wording"
	"cordon/config"
)

func incidentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "incident",
		Short: "Log queries with the addresses of clients, for a limited time",
		Long: "Begin, end, or look at an incident: a limited time in which the running server logs queries with the addresses of\n" +
			"clients, into a file of its own in the state directory. Who approved it and why is in the audit log, and without one\n" +
			"there is no incident. It ends by itself, and a restart does not make it longer.",
	}
	cmd.AddCommand(incidentStartCommand(), incidentStopCommand(), incidentStatusCommand())
	return cmd
}

func incidentStartCommand() *cobra.Command {
	var path, network string
	var r querylog.Request
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Begin to log queries with the addresses of clients",
		Example: "  cordon incident start --for 2h --agency defence --reason \"a machine asks for a botnet's names\" \\\n" +
			"    --approved-by \"head of security\" --ticket CSIRT-4711",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := completeRequest(&r, network); err != nil {
				return fmt.Errorf("incident start: %w", err)
			}
			dir, err := incidentsOf(cmd, path)
			if err != nil {
				return err
			}
			state, err := askIncident(cmd, dir, &r)
			if err != nil {
				return err
			}
			return writeIncident(cmd.OutOrStdout(), dir, state)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&path, "config", "", "the service `FILE`, or the directory that it is in")
	flags.DurationVar(&r.For, "for", 0, "how long, such as 2h: `TIME`, at most query_log.incident.max")
	flags.StringVar(&r.Reason, "reason", "", "a `TEXT`: why it is needed")
	flags.StringVar(&r.ApprovedBy, "approved-by", "", "`WHO` approved it")
	flags.StringVar(&r.Ticket, "ticket", "", "the `TICKET` in which it was asked for")
	flags.StringVar(&r.Agency, "agency", "", "only the clients of this `AGENCY`, not of those below it (default all)")
	flags.StringVar(&network, "network", "", "only the clients in this `NETWORK`, or of this address (default all)")
	flags.BoolVar(&r.Listed, "listed", false, "only queries that are refused, excepted or observed (default all queries)")
	return cmd
}

// completeRequest says what is missing in r, which is for an incident, or wrong.
func completeRequest(r *querylog.Request, network string) error {
	for _, one := range []struct{ flag, text, example string }{
		{"--reason", r.Reason, `"a machine asks for a botnet's names"`}, {"--approved-by", r.ApprovedBy, `"head of security"`},
	} {
		if strings.TrimSpace(one.text) == "" {
			return fmt.Errorf("%s is missing, such as %s %s", one.flag, one.flag, one.example)
		}
	}
	if r.For <= 0 {
		return errors.New("--for is missing: how long it is to last, such as --for 2h")
	}
	if network == "" {
		return nil
	}
	prefix, err := netip.ParsePrefix(network)
	if addr, addrErr := netip.ParseAddr(network); addrErr == nil {
		prefix, err = addr.WithZone("").Prefix(addr.BitLen())
	}
	if err != nil || prefix != prefix.Masked() {
		return fmt.Errorf("--network: found %q, want a network such as 10.10.7.0/24, or an address", network)
	}
	r.Network = prefix
	return nil
}

func incidentStopCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "End the incident that there is",
		Args:  noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := incidentsOf(cmd, path)
			if err != nil {
				return err
			}
			state, err := askIncident(cmd, dir, &querylog.Request{Stop: true})
			if err != nil {
				return err
			}
			return writeIncident(cmd.OutOrStdout(), dir, state)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the service `FILE`, or the directory that it is in")
	return cmd
}

func incidentStatusCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say whether there is an incident",
		Args:  noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := incidentsOf(cmd, path)
			if err != nil {
				return err
			}
			state, err := querylog.ReadState(dir)
			if err != nil {
				return fmt.Errorf("incident status: %w", err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), state.Running)
			}
			return writeIncident(cmd.OutOrStdout(), dir, state)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the service `FILE`, or the directory that it is in")
	cmd.Flags().BoolVar(&asJSON, "json", false, "answer in JSON; null: there is none")
	return cmd
}

// incidentsOf is the directory in which the server by the service file at path is asked for incidents.
func incidentsOf(cmd *cobra.Command, path string) (string, error) {
	path, err := config.FindService(path)
	if err != nil {
		return "", err
	}
	service, _ := config.ParseService(serviceFile(path), cmd.Flags())
	dir := incidentDir(service)
	if dir == "" {
		return "", fmt.Errorf("%s: there is no state directory, and so no incident mode: set `state_dir:`", commandName(cmd))
	}
	return dir, nil
}

// askIncident gives the server that has the directory dir r, and waits until it has obeyed.
func askIncident(cmd *cobra.Command, dir string, r *querylog.Request) (*querylog.State, error) {
	r.ID, r.Asked = rand.Text(), time.Now()
	err := querylog.Ask(dir, r)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no server has run with that state directory: %w", commandName(cmd), err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; run this as somebody who may, such as the user of the server", commandName(cmd), err)
	}
	state, err := awaitObeyed(cmd.Context(), dir, r.ID)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", commandName(cmd), err)
	}
	return state, nil
}

// awaitObeyed waits until the server has obeyed the request with that identity. One that is not taken by then is taken back.
func awaitObeyed(ctx context.Context, dir, id string) (*querylog.State, error) {
	const patience, pause = 5 * time.Second, 50 * time.Millisecond
	for end := time.Now().Add(patience); time.Now().Before(end); {
		state, err := querylog.ReadState(dir)
		if err == nil && state.Request == id {
			if state.Refused != "" {
				return nil, errors.New("the server refuses: " + state.Refused)
			}
			return state, nil
		}
		select {
		case <-ctx.Done():
			return nil, withdraw(dir, ctx.Err())
		case <-time.After(pause):
		}
	}
	return nil, withdraw(dir,
		fmt.Errorf("no server took the request within %s, and it is taken back: is `cordon serve` running?", patience))
}

// withdraw takes a request back, and returns why. If it was taken meanwhile, the error says that instead: it may well be obeyed still.
func withdraw(dir string, why error) error {
	err := querylog.Withdraw(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("a server has taken the request, and not said yet what became of it: see `cordon incident status`")
	}
	return errors.Join(why, err)
}

// writeIncident says how it is with incidents in dir, for people.
func writeIncident(w io.Writer, dir string, s *querylog.State) error {
	if s.Running == nil {
		_, err := fmt.Fprintln(w, "there is no incident: addresses of clients are not logged")
		return err
	}
	i := s.Running
	_, err := fmt.Fprintf(w, "incident until %s: %s\n  since        %s\n  approved by  %s\n  reason       %s\n  log          %s\n",
		wording.Minute(i.Until.Local()), oneLine(i.Scope()), wording.Minute(i.Begun.Local()), oneLine(i.ApprovedBy), oneLine(i.Reason),
		filepath.Join(dir, i.File()))
	return err
}

package main

import (
	"github.com/spf13/cobra"

	"cordon/cmd/cordon/status"
)

func statusCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how the running server is",
		Long: "Say since when the server that runs on this host is up, what policy it has in force, what is held, how its lists and\n" +
			"upstreams are, which exceptions end next, and which limits were hit, by its admin listener. The exit status is 0\n" +
			"however it is: `cordon healthcheck` and the metrics are for monitoring.",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := new(status.Status)
			if err := askAdmin(cmd, path, "/status", s); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), s)
			}
			return status.Write(cmd.OutOrStdout(), s)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the service `FILE`, or the directory that it is in")
	cmd.Flags().BoolVar(&asJSON, "json", false, "answer in JSON")
	addSettings(cmd, "admin")
	return cmd
}

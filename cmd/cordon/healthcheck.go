package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/admin"
	"cordon/config"
)

func healthcheckCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running server on this host whether it serves",
		Long: "Ask a running server on this host, by the admin listener of its configuration, whether it answers\n" +
			"queries by its policy. The exit status is 0 if it does, else 1.",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return healthcheck(cmd, path)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the service `FILE`, or the directory that it is in")
	addSettings(cmd, "admin")
	return cmd
}

func healthcheck(cmd *cobra.Command, path string) error {
	path, err := config.FindService(path)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
	defer cancel()
	_, err = getAdmin(ctx, path, cmd.Flags(), "/readyz")
	if wrong, ok := errors.AsType[*admin.StatusError](err); ok {
		return fmt.Errorf("healthcheck: not ready: %w", wrong)
	}
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	return nil
}

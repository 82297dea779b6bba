package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/config"
)

func healthcheckCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running server on this host whether it serves",
		Long: "Ask a running server on this host, by the admin listener of its configuration, whether it answers\n" +
			"queries by its policy. The exit status is 0 if it does, else 1.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return healthcheck(cmd, path)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the service file")
	config.AddFlags(cmd.Flags())
	return cmd
}

func healthcheck(cmd *cobra.Command, path string) error {
	path, err := config.FindService(path)
	if err != nil {
		return err
	}
	s := &server{path: path}
	service, _ := config.ParseService(s.serviceFile(), cmd.Flags()) // the running server may hold a fault
	address := service.Listen.Admin
	if !address.IsValid() {
		return errors.New("healthcheck: the admin listener is off: set `listen: {admin: 127.0.0.1:9353}`")
	}
	if address.Addr().IsUnspecified() {
		address = netip.AddrPortFrom(loopback(address.Addr()), address.Port())
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address.String()+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: not ready: %s", strings.TrimSpace(string(text)))
	}
	return nil
}

// loopback is the loopback address of the family of a.
func loopback(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
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
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return healthcheck(cmd, path)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the service `FILE`")
	addSettings(cmd, "admin")
	return cmd
}

func healthcheck(cmd *cobra.Command, path string) error {
	path, err := config.FindService(path)
	if err != nil {
		return err
	}
	service, _ := config.ParseService(serviceFile(path), cmd.Flags()) // the running server may hold a fault
	address := service.Listen.Admin
	if !address.IsValid() {
		return errors.New("healthcheck: the admin listener is off: set `listen: {admin: 127.0.0.1:9353}`")
	}
	if address.Addr().IsUnspecified() {
		address = netip.AddrPortFrom(loopback(address.Addr()), address.Port())
	}
	text, err := askReady(cmd.Context(), "http://"+address.String()+"/readyz")
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("healthcheck: nothing listens on %s: is `cordon serve` running, by the same configuration?", address)
	case err != nil:
		return fmt.Errorf("healthcheck: %w", err)
	case text != "":
		return fmt.Errorf("healthcheck: not ready: %s", text)
	}
	return nil
}

// askReady asks url, and is what the server says to be wrong, "" if nothing is. No proxy of the environment comes between.
func askReady(ctx context.Context, url string) (wrong string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", url, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return "", fmt.Errorf("read what %s says: %w", url, err)
	}
	if response.StatusCode == http.StatusOK {
		return "", nil
	}
	return after(response.Status, ": ", strings.TrimSpace(string(text))), nil
}

// loopback is the loopback address of the family of a.
func loopback(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

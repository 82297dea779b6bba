package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"slices"
	"syscall"

	"github.com/spf13/pflag"

	"cordon/cmd/cordon/admin"
	"cordon/config"
)

// getAdmin gets resource from the admin listener of the service file at path. The running server may hold a fault of that file, so one is
// no obstacle; if nobody answers, it may be the reason.
func getAdmin(ctx context.Context, path string, flags *pflag.FlagSet, resource string) ([]byte, error) {
	service, faults := config.ParseService(serviceFile(path), flags)
	text, err := getFrom(ctx, service, resource)
	if _, answered := errors.AsType[*admin.StatusError](err); err != nil && !answered && faults.Bad() {
		return nil, fmt.Errorf("%w (there is a fault, which may be why: %s)", err, reasonOf(faults.Errors()))
	}
	return text, err
}

func getFrom(ctx context.Context, service *config.Service, resource string) ([]byte, error) {
	endpoint := service.Listen.Admin
	if !endpoint.IsValid() {
		return nil, errors.New("the admin listener is off: set `listen: {admin: 127.0.0.1:9353}`")
	}
	if a := endpoint.Addr; a.Addr().IsUnspecified() {
		endpoint.Addr = netip.AddrPortFrom(loopback(a.Addr()), a.Port())
	}
	network, address := endpointOf(endpoint)
	text, err := admin.Ask(ctx, network, address, guardOf(service), resource, slices.Contains(openPaths(), resource))
	status, answered := errors.AsType[*admin.StatusError](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), network == "unix" && errors.Is(err, syscall.ENOENT):
		return nil, fmt.Errorf("nothing listens on %s: is `cordon serve` running, by the same configuration?", endpoint)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("%s gives no answer: %w", endpoint, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w; run this as somebody who may, such as the user of the server", err)
	case answered && status.Code == http.StatusUnauthorized:
		return nil, fmt.Errorf("%s lets nobody in like that: %w; set admin.token_file, or run this by the server's own configuration",
			endpoint, err)
	}
	return text, err
}

// endpointOf is e in the words of package net.
func endpointOf(e config.Endpoint) (network, address string) {
	if e.Socket != "" {
		return "unix", e.Socket
	}
	return "tcp", e.Addr.String()
}

func guardOf(s *config.Service) admin.Guard {
	return admin.Guard{
		TokenFile: s.Admin.TokenFile, Certificate: s.Admin.Certificate, Key: s.Admin.Key, ClientCA: s.Admin.ClientCA,
	}
}

// loopback is the loopback address of the family of a.
func loopback(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

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

	"cordon/cmd/cordon/wording"
	"cordon/config"
)

// adminError is an answer of the admin listener that says that something is wrong.
type adminError struct{ status, text string }

func (e *adminError) Error() string { return wording.After(e.status, ": ", e.text) }

// getAdmin gets resource from the admin listener of service. No proxy of the environment comes between.
func getAdmin(ctx context.Context, service *config.Service, resource string) ([]byte, error) {
	const largest = 64 << 20
	address := service.Listen.Admin
	if !address.IsValid() {
		return nil, errors.New("the admin listener is off: set `listen: {admin: 127.0.0.1:9353}`")
	}
	if address.Addr().IsUnspecified() {
		address = netip.AddrPortFrom(loopback(address.Addr()), address.Port())
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address.String()+resource, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("nothing listens on %s: is `cordon serve` running, by the same configuration?", address)
	case err != nil:
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, largest))
	if err == nil && response.StatusCode != http.StatusOK {
		err = &adminError{status: response.Status, text: strings.TrimSpace(string(text[:min(len(text), 4096)]))}
	}
	return text, err
}

// loopback is the loopback address of the family of a.
func loopback(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

package config

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
)

// Endpoint is where a listener of streams is: an address with a port, or a unix socket. The zero Endpoint is nowhere.
type Endpoint struct {
	Addr   netip.AddrPort
	Socket string // the path of the unix socket, "" for none
}

// unixScheme is what the path of a unix socket has before it in a file.
const unixScheme = "unix:"

// maxSocketPath is the longest path of a unix socket, in octets: the system takes 107 (unix(7)), and some are for a draft beside it.
const maxSocketPath = 90

// IsValid says whether it is anywhere.
func (e Endpoint) IsValid() bool { return e.Socket != "" || e.Addr.IsValid() }

// IsPrivate says whether other hosts can't reach it.
func (e Endpoint) IsPrivate() bool { return e.Socket != "" || e.Addr.Addr().IsLoopback() }

// String is the endpoint as it stands in a file.
func (e Endpoint) String() string {
	switch {
	case e.Socket != "":
		return unixScheme + e.Socket
	case e.Addr.IsValid():
		return e.Addr.String()
	}
	return "off"
}

// parseEndpoint reads an address with its port, or unix: and a path, which is relative to dir.
func parseEndpoint(text, dir string) (Endpoint, error) {
	path, isSocket := strings.CutPrefix(text, unixScheme)
	if !isSocket {
		addr, err := parseListen(text, "9353")
		if err != nil {
			return Endpoint{}, fmt.Errorf("%w, or a path such as unix:/run/cordon/admin.sock, or off", err)
		}
		return Endpoint{Addr: addr}, nil
	}
	if strings.Trim(path, "/") == "" || strings.HasPrefix(path, "@") {
		return Endpoint{}, errors.New("found " + quote(text) + ", want a path such as unix:/run/cordon/admin.sock")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if len(path) > maxSocketPath {
		return Endpoint{}, fmt.Errorf("the path of a unix socket has %d octets at most: %s has %d", maxSocketPath, quote(path), len(path))
	}
	return Endpoint{Socket: path}, nil
}

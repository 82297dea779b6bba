package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Listen binds address, of the network "tcp" or "unix". For a unix socket it is a path of at most 90 octets. 0.0.0.0 is all of IPv4, and
// [::] both families.
func Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if network == "unix" {
		return listenSocket(ctx, address)
	}
	if addr, err := netip.ParseAddrPort(address); err == nil && addr.Addr().Is4() {
		network = "tcp4" // else 0.0.0.0 is all of IPv6 too
	}
	return new(net.ListenConfig).Listen(ctx, network, address)
}

// isPrivate says whether no other host reaches what listens on a.
func isPrivate(a net.Addr) bool {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.IP.IsLoopback()
	}
	return a.Network() == "unix"
}

// socketMode is for the user and the group of the process. To connect, one has to be able to write.
const socketMode = 0o660

// socket is a unix socket with a path of ours, which goes when it is closed.
type socket struct {
	*net.UnixListener
	path string
	info fs.FileInfo // of what is at path, as long as that is ours
}

// listenSocket binds a unix socket that is never open to more than socketMode says, whatever the umask: it is made in a directory that is
// for nobody else, and then renamed to path. That takes the place of a socket that nobody listens on any more, as a crash leaves it.
func listenSocket(ctx context.Context, path string) (_ net.Listener, err error) {
	if err := mayReplace(ctx, path); err != nil {
		return nil, err
	}
	draft, err := os.MkdirTemp(filepath.Dir(path), ".adm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(draft)
	own := filepath.Join(draft, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: own, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // it is somewhere else by then
	defer func() {
		if err != nil {
			_ = listener.Close()
		}
	}()
	if err = os.Chmod(own, socketMode); err != nil {
		return nil, err
	}
	if err = os.Rename(own, path); err != nil {
		return nil, err
	}
	info, err := os.Lstat(path)
	return &socket{UnixListener: listener, path: path, info: info}, err
}

// mayReplace says why what is at path is not to be replaced, nil if there is nothing, or a socket that nobody listens on.
func mayReplace(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there already, and is no socket", path)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = conn.Close()
		return fmt.Errorf("unix socket %s: another server listens on it", path)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return fmt.Errorf("unix socket %s: another server may listen on it: %w", path, err)
}

// Addr is where the socket is to be found.
func (s *socket) Addr() net.Addr { return &net.UnixAddr{Name: s.path, Net: "unix"} }

// Close ends the socket, and removes it if no other has taken its place.
func (s *socket) Close() error {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.info) {
		_ = os.Remove(s.path)
	}
	return s.UnixListener.Close()
}

package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// Config is what a server needs. All of it belongs to the server from [New] on.
type Config struct {
	Listener net.Listener // bound; see [Listen]
	Guard    Guard
	Handler  http.Handler // what there is
	Open     []string     // the paths that are for strangers too
	Log      *slog.Logger
}

// Bounds of what one who connects can take, and for how long.
const (
	maxConnections = 64 // whoever comes then waits, so that descriptors are left for queries
	maxHeader      = 16 << 10
	headerTime     = 5 * time.Second // the handshake too
	readTime       = 10 * time.Second
	writeTime      = 30 * time.Second
	idleTime       = 60 * time.Second
)

// Server answers over HTTP.
type Server struct {
	listener net.Listener
	secure   bool
	http     *http.Server
}

// New makes a server, which does not serve yet. The listener stays the caller's after an error. It is an error if other hosts reach the
// listener and the guard does not ask, or if a file of the guard is unfit.
func New(c Config) (*Server, error) {
	if !isPrivate(c.Listener.Addr()) && !c.Guard.asks() {
		return nil, fmt.Errorf("other hosts reach %s, so it has to ask for a token or a certificate", c.Listener.Addr())
	}
	warnings, err := c.Guard.Check()
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		c.Log.Warn("admin listener", "warning", w)
	}
	// Browsers do not speak to unix sockets, check the name in a certificate, and show a password only where it was typed for.
	ours := !c.Guard.asks() && c.Guard.Certificate == "" && c.Listener.Addr().Network() != "unix"
	s := &Server{listener: c.Listener, http: &http.Server{
		Handler:           &doorkeeper{guard: c.Guard, open: c.Open, ours: ours, next: c.Handler, log: c.Log},
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // it would name who asks
	}}
	if c.Guard.Certificate == "" {
		return s, nil
	}
	certificates, err := newCertificates(c.Guard, c.Log)
	if err != nil {
		return nil, err
	}
	s.secure = true
	s.http.TLSConfig = certificates.server()
	return s, nil
}

// Run serves until ctx ends, and returns nil then. It closes the listener.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.Close)
	defer stop()
	listener := netutil.LimitListener(s.listener, maxConnections)
	if s.secure {
		listener = tls.NewListener(listener, s.http.TLSConfig)
	}
	if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin listener: %w", err)
	}
	return nil
}

// Close ends it at once. It is for a server that is not going to run, too.
func (s *Server) Close() {
	_ = s.http.Close()
	_ = s.listener.Close()
}

// URL is where path is to be had, for a person.
func (s *Server) URL(path string) string {
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	if addr := s.listener.Addr(); addr.Network() == "unix" {
		return scheme + "://localhost" + path + " by the socket " + addr.String()
	}
	return scheme + "://" + s.listener.Addr().String() + path
}

package admin

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"cordon/cmd/cordon/files"
)

// tlsConfig is made of the files as they are now.
func (g Guard) tlsConfig() (*tls.Config, error) {
	pair, err := g.pair()
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, SessionTicketsDisabled: true}
	if g.ClientCA == "" {
		return config, nil
	}
	text, err := files.ReadSmall(g.ClientCA, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("authorities of clients: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("authorities of clients: %s holds no certificate: want PEM", g.ClientCA)
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven // who has none gets as far as a stranger
	return config, nil
}

// pair is the certificate of the server with its key.
func (g Guard) pair() (tls.Certificate, error) {
	certificate, err := files.ReadSmall(g.Certificate, maxPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	key, err := files.ReadSmall(g.Key, maxPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("key: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return pair, fmt.Errorf("certificate %s with key %s: %w", g.Certificate, g.Key, err)
	}
	return pair, nil
}

// certificates are those in force. They follow their files. It is safe for concurrent use.
type certificates struct {
	guard Guard
	log   *slog.Logger

	mu     sync.Mutex
	seen   []os.FileInfo // the files as config was made of them, or could not be made
	config *tls.Config
}

// newCertificates reads the files for the first time.
func newCertificates(g Guard, log *slog.Logger) (*certificates, error) {
	c := &certificates{guard: g, log: log}
	c.seen = c.look()
	var err error
	c.config, err = g.tlsConfig()
	return c, err
}

// server is what a server needs that follows the files.
func (c *certificates) server() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current(), nil },
	}
}

// current is made of the files as they are now, if they fit together, else as they were before.
func (c *certificates) current() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.look()
	if same(now, c.seen) {
		return c.config
	}
	c.seen = now
	next, err := c.guard.tlsConfig()
	if err != nil {
		c.log.Error("admin listener: the certificate before stays in force", "error", err)
		return c.config
	}
	c.config = next
	return next
}

// look is how the files are; nil for one that is not there.
func (c *certificates) look() []os.FileInfo {
	paths := []string{c.guard.Certificate, c.guard.Key, c.guard.ClientCA}
	all := make([]os.FileInfo, len(paths))
	for i, path := range paths {
		all[i], _ = os.Stat(path) // what is wrong with it is said by who reads it
	}
	return all
}

// same says whether no file has changed, or been replaced.
func same(a, b []os.FileInfo) bool {
	for i := range a {
		switch {
		case a[i] == nil && b[i] == nil:
		case a[i] == nil || b[i] == nil:
			return false
		case !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()):
			return false
		}
	}
	return true
}

// ownLeaf is the certificate of the server itself, by which a client on the same host knows it.
func (g Guard) ownLeaf() ([]byte, error) {
	text, err := files.ReadSmall(g.Certificate, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	leaf := firstCertificate(text)
	if leaf == nil {
		return nil, errors.New("certificate: " + g.Certificate + " holds no certificate: want PEM")
	}
	return leaf, nil
}

package admin

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// StatusError is an answer that says that something is wrong.
type StatusError struct {
	Code int    // of HTTP
	Text string // what was said about it, perhaps nothing
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code))
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

// Ask asks the server at address, of the network "tcp" or "unix", for path, with the files that the server itself has: it is on the same
// host, so that its certificate is known. For a path that is open to strangers the token, which not everybody may read, is left alone. No
// proxy of the environment comes between. The answer has at most 64 MiB. What is not 200 is a [*StatusError].
func Ask(ctx context.Context, network, address string, g Guard, path string, open bool) ([]byte, error) {
	const largest, most, patience = 64 << 20, 4096, 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host := address
	if network == "unix" {
		host = "localhost"
	}
	scheme, secure := "http", (*tls.Config)(nil)
	if g.Certificate != "" {
		var err error
		if secure, err = g.client(open); err != nil {
			return nil, err
		}
		scheme = "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+host+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	if g.TokenFile != "" && !open {
		token, err := readToken(g.TokenFile)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: secure,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, largest))
	if err == nil && response.StatusCode != http.StatusOK {
		err = &StatusError{Code: response.StatusCode, Text: strings.TrimSpace(string(text[:min(len(text), most)]))}
	}
	return text, err
}

// client knows the server by its certificate as it is in the file. It shows that certificate itself if there is no token to show, which
// helps if the authorities of clients have signed it, for clients too.
func (g Guard) client(open bool) (*tls.Config, error) {
	own, err := g.ownLeaf()
	if err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // names and authorities say less than the certificate itself
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, own) {
				return errors.New("another server answers there: its certificate is not that of " + g.Certificate)
			}
			return nil
		},
	}
	if g.TokenFile == "" && g.ClientCA != "" && !open {
		pair, err := g.pair()
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// firstCertificate is the first certificate in text, nil if there is none.
func firstCertificate(text []byte) []byte {
	for {
		block, rest := pem.Decode(text)
		if block == nil || block.Type == "CERTIFICATE" {
			if block == nil {
				return nil
			}
			return block.Bytes
		}
		text = rest
	}
}

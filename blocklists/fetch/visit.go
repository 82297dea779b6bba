package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxRedirects = 5

	dialTimeout   = 10 * time.Second
	tlsTimeout    = 10 * time.Second
	headerTimeout = 30 * time.Second
	idleTimeout   = 5 * time.Second // of what closing overlooked
	maxHeader     = 64 << 10
)

// visit is one fetch: at most a handful of requests, one after the other, with their connections and secrets.
type visit struct {
	client    *Client
	ctx       context.Context //nolint:containedctx // a visit is an argument of one call that was given a context
	transport *http.Transport
	guard     *guard
	token     string // "": there is none
	began     time.Time
}

func (c *Client) visit(ctx context.Context) (*visit, error) {
	token, err := readToken(c.config.TokenFile)
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(c.config.CAFile)
	if err != nil {
		return nil, err
	}
	v := &visit{client: c, ctx: ctx, token: token, guard: c.newGuard(token != ""), began: time.Now()}
	v.transport = &http.Transport{
		Proxy:                  v.guard.proxied(c.proxy),
		DialContext:            v.guard.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    tlsTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
	return v, nil
}

func (v *visit) end() { v.transport.CloseIdleConnections() }

// get asks for u, and for where it leads to. The response is one that leads nowhere; close it.
func (v *visit) get(u *url.URL, conditions http.Header) (*response, error) {
	at, trusted := u, sameOrigin(u, v.client.content)
	for hops := 0; ; hops++ {
		r, err := v.getOnce(at, conditions, trusted)
		if err != nil {
			return nil, v.fault(u, at, err)
		}
		if !isRedirect(r) {
			return &response{Response: r, visit: v, asked: u, at: at}, nil
		}
		_ = r.Body.Close()
		if hops == maxRedirects {
			return nil, v.fault(u, at, fmt.Errorf("it redirects for more than %d times", maxRedirects))
		}
		next, err := v.redirect(at, r.Header.Get("Location"))
		if err != nil {
			return nil, v.fault(u, at, err)
		}
		at, trusted = next, trusted && sameOrigin(next, u)
	}
}

// getOnce sends one request, with the token if trusted.
func (v *visit) getOnce(u *url.URL, conditions http.Header, trusted bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(v.ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, conditions)
	req.Header.Set("User-Agent", v.client.agent)
	req.Header.Set("Accept-Encoding", "identity")
	if v.token != "" && trusted {
		req.Header.Set("Authorization", "Bearer "+v.token)
	}
	return v.transport.RoundTrip(req)
}

func isRedirect(r *http.Response) bool {
	switch r.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return r.Header.Get("Location") != ""
	default:
		return false
	}
}

// redirect is where location leads to from u, an error if it must not lead there. The rest of that is the guard's.
func (v *visit) redirect(u *url.URL, location string) (*url.URL, error) {
	next, err := u.Parse(location)
	if err == nil {
		next, err = url.Parse(next.String()) // not all that is read can be written and read again
	}
	if err != nil {
		return nil, errors.New("it redirects to what is not a URL")
	}
	switch {
	case next.Scheme != "http" && next.Scheme != "https":
		return nil, fmt.Errorf("it redirects to the scheme %.20q: want https, or http", next.Scheme)
	case u.Scheme == "https" && next.Scheme == "http":
		return nil, fmt.Errorf("it redirects from https to http at %.80q: want https", next.Host)
	case next.User != nil:
		return nil, fmt.Errorf("it redirects to a URL with a user or a password at %.80q: want one without", next.Host)
	case next.Hostname() == "" || next.Opaque != "":
		return nil, errors.New("it redirects to a URL without a host")
	}
	next.Fragment, next.RawFragment = "", ""
	return next, v.guard.mayLead(next.Hostname())
}

// sameOrigin says whether a and b are on one server, as far as URLs can say.
func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && hostPort(a) == hostPort(b) }

// hostPort is the host in lower case and the port of u.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return hostKey(u.Hostname()) + ":" + port
}

// hostKey is what is compared of a host.
func hostKey(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// inClear says whether anybody on the way can read what is sent.
func inClear(u *url.URL) bool { return u.Scheme != "https" }

package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cordon/blocklists/mirror"
)

// Config is what a Client needs.
type Config struct {
	URL          string        // of the list; http or https, without user and password. Required
	SignatureURL string        // of a detached signature of the list, fetched right after it; "": there is none
	Timeout      time.Duration // of everything together; 0: 5 minutes
	MaxSize      int64         // octets of the largest content; 0: 128 MiB
	TokenFile    string        // holds a bearer token, blanks around it don't count; "": there is none
	CAFile       string        // certificates (PEM) of the authorities that count instead of the system's; "": those of the system
	Version      string        // of this program, for the User-Agent
}

const (
	defaultTimeout = 5 * time.Minute
	defaultMaxSize = 128 << 20
	maxSignature   = 4 << 10
	maxURL         = 4 << 10

	// tries is how often a signature is fetched: for the copy that there is, for the newest content, and once more if that changed.
	tries = 3
	// tornRetry is when to ask again for a list that changed each time.
	tornRetry = 10 * time.Second
)

// Client copies one list. It is a [mirror.Source], immutable, and keeps nothing open between two fetches.
type Client struct {
	config    Config
	content   *url.URL
	signature *url.URL // nil: there is none
	agent     string

	proxy    func(*http.Request) (*url.URL, error)
	resolver *net.Resolver // nil: the system's
}

// New checks the URLs. The files are read by [Client.Fetch].
func New(c Config) (*Client, error) {
	content, err := parseURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("URL of a list: %w", err)
	}
	client := &Client{config: c, content: content, agent: userAgent(c.Version), proxy: http.ProxyFromEnvironment}
	if c.SignatureURL != "" {
		if client.signature, err = parseURL(c.SignatureURL); err != nil {
			return nil, fmt.Errorf("URL of a signature: %w", err)
		}
	}
	if c.TokenFile != "" && inClear(content) && !isLoopback(content.Hostname()) {
		return nil, fmt.Errorf("URL of a list: %s: its token could be read by anybody on the way: want https", redacted(content))
	}
	if client.config.Timeout <= 0 {
		client.config.Timeout = defaultTimeout
	}
	if client.config.MaxSize <= 0 {
		client.config.MaxSize = defaultMaxSize
	}
	return client, nil
}

// parseURL is the URL that an administrator wrote. The error does not hold it, as it may hold a secret.
func parseURL(text string) (*url.URL, error) {
	if len(text) > maxURL {
		return nil, fmt.Errorf("it has %d octets: want at most %d", len(text), maxURL)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("it is not a URL: want https://host/path")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("its scheme is %.20q: want https, or http", u.Scheme)
	case u.User != nil:
		return nil, errors.New("it holds a user or a password: want a token in a file of its own")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("it has no host: want https://host/path")
	case !isASCII(u.Hostname()):
		return nil, fmt.Errorf("the host %.80q is not in ASCII: want its xn-- form", u.Hostname())
	}
	u.Fragment, u.RawFragment = "", ""
	if u, err = url.Parse(u.String()); err != nil { // not all that is read can be written and read again
		return nil, errors.New("it is not a URL: want https://host/path")
	}
	return u, nil
}

// Identity is what makes the list the one that it is, see [mirror.Remote].
func (c *Client) Identity() string {
	if c.signature == nil {
		return c.content.String()
	}
	return c.content.String() + " signed by " + c.signature.String()
}

// Fetch writes the list to w, see [mirror.Source]. It begins again, once, if the list has changed before its signature was there and w
// has a method Reset().
func (c *Client) Fetch(ctx context.Context, have *mirror.Copy, w io.Writer) (mirror.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	v, err := c.visit(ctx)
	if err != nil {
		return mirror.Outcome{}, err
	}
	defer v.end()
	if c.signature == nil {
		return v.list(have, w)
	}
	return v.signedList(have, w)
}

// list fetches the content if it is another than have's.
func (v *visit) list(have *mirror.Copy, w io.Writer) (mirror.Outcome, error) {
	conditions := conditionsOf(have)
	r, err := v.get(v.client.content, conditions)
	if err != nil {
		return mirror.Outcome{}, err
	}
	defer r.close()
	if r.StatusCode == http.StatusNotModified && len(conditions) > 0 {
		return mirror.Outcome{}, mirror.ErrUnchanged
	}
	if err := r.copyTo(w, v.client.config.MaxSize); err != nil {
		return mirror.Outcome{Retry: r.retryAfter()}, err
	}
	return mirror.Outcome{Version: versionOf(r.Header)}, nil
}

// signedList fetches the content and the signature that belongs to it. A copy is the newest version only with the newest signature.
func (v *visit) signedList(have *mirror.Copy, w io.Writer) (mirror.Outcome, error) {
	for range tries {
		o, err := v.list(have, w)
		unchanged := errors.Is(err, mirror.ErrUnchanged)
		if err != nil && !unchanged {
			return o, err
		}
		signature, o2, err := v.signatureNow()
		switch {
		case err != nil:
			return o2, err
		case unchanged && bytes.Equal(signature, have.Signature):
			return o, mirror.ErrUnchanged
		case unchanged:
			have = nil // for the mirror, content and signature come together
			continue
		}
		o.Signature = signature
		if same, err := v.stillThere(o.Version); err != nil || same {
			return o, err
		}
		again, ok := w.(interface{ Reset() })
		if !ok {
			break
		}
		again.Reset()
		have = nil
	}
	return mirror.Outcome{Retry: tornRetry}, fmt.Errorf("GET %s: it changed while its signature was fetched, each time: "+
		"want two that belong together", redacted(v.client.content))
}

func (v *visit) signatureNow() ([]byte, mirror.Outcome, error) {
	r, err := v.get(v.client.signature, nil)
	if err != nil {
		return nil, mirror.Outcome{}, err
	}
	defer r.close()
	var text bytes.Buffer
	if err := r.copyTo(&text, maxSignature); err != nil {
		return nil, mirror.Outcome{Retry: r.retryAfter()}, fmt.Errorf("signature: %w", err)
	}
	return text.Bytes(), mirror.Outcome{}, nil
}

// stillThere says whether the content still has that version. One without a name can't be asked for, and is believed to.
func (v *visit) stillThere(version string) (bool, error) {
	conditions := conditionsOf(&mirror.Copy{Version: version})
	if len(conditions) == 0 {
		return true, nil
	}
	r, err := v.get(v.client.content, conditions)
	if err != nil {
		return false, err
	}
	defer r.close()
	switch r.StatusCode {
	case http.StatusNotModified:
		return true, nil
	case http.StatusOK:
		return versionOf(r.Header) == version, nil
	default:
		return false, r.unexpected()
	}
}

// userAgent names this program, as a product (RFC 9110, section 10.1.5).
func userAgent(version string) string {
	token := strings.Map(func(c rune) rune {
		if c < '!' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) {
			return -1
		}
		return c
	}, version)
	if token == "" {
		return "Cordon"
	}
	return "Cordon/" + token
}

package fetch

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
)

// SetProxy makes the client choose its proxies by choose, and not by the environment.
func (c *Client) SetProxy(choose func(*http.Request) (*url.URL, error)) { c.proxy = choose }

// SetResolver makes the client look up names by r.
func (c *Client) SetResolver(r *net.Resolver) { c.resolver = r }

// KindOf says what an address is good for.
func KindOf(a netip.Addr) string { return kindOf(a).String() }

// The bounds of what is said and asked.
var (
	Printable = printable
	UserAgent = userAgent
)

// Redirect is where a redirect of the list's URL to location leads.
func (c *Client) Redirect(location string) (string, error) {
	v, err := c.visit(context.Background())
	if err != nil {
		return "", err
	}
	defer v.end()
	next, err := v.redirect(c.content, location)
	if err != nil {
		return "", v.fault(c.content, c.content, err)
	}
	return next.String(), nil
}

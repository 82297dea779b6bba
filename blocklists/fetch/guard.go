package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
)

// kind says what an address is good for.
type kind int

const (
	public kind = iota
	private
	linkLocal
	loopback
	nowhere // no server can have it
	kinds
)

func (k kind) String() string {
	return [...]string{"public", "private", "link-local", "loopback", "unusable"}[k]
}

// kindOf is the kind of a. Shared addresses of carriers and those of tests count as private; an IPv4 address inside an IPv6 address
// counts as what it is (RFC 4291, section 2.5.5.2; RFC 6052, section 2.1; RFC 3056, section 2).
func kindOf(a netip.Addr) kind {
	a = embedded(a.WithZone("").Unmap())
	switch {
	case a.IsUnspecified() || a.IsMulticast() || thisNetwork().Contains(a) || reserved().Contains(a):
		return nowhere
	case a.IsLoopback():
		return loopback
	case a.IsLinkLocalUnicast():
		return linkLocal
	case a.IsPrivate() || carriers().Contains(a) || benchmarks().Contains(a) || siteLocal().Contains(a):
		return private
	default:
		return public
	}
}

// embedded is the IPv4 address that packets to a come to in the end, a itself if it isn't one that holds one.
func embedded(a netip.Addr) netip.Addr {
	octets := a.As16()
	switch {
	case translated().Contains(a):
		return netip.AddrFrom4([4]byte(octets[12:]))
	case sixToFour().Contains(a):
		return netip.AddrFrom4([4]byte(octets[2:6]))
	case compatible().Contains(a) && !a.IsLoopback() && !a.IsUnspecified():
		return netip.AddrFrom4([4]byte(octets[12:]))
	default:
		return a
	}
}

func thisNetwork() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{}), 8) }
func reserved() netip.Prefix    { return netip.PrefixFrom(netip.AddrFrom4([4]byte{240}), 4) }
func carriers() netip.Prefix    { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10) }
func benchmarks() netip.Prefix  { return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18}), 15) }
func siteLocal() netip.Prefix   { return netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfe, 0xc0}), 10) }

func sixToFour() netip.Prefix  { return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x02}), 16) }
func compatible() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom16([16]byte{}), 96) }
func translated() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x00, 0x64, 0xff, 0x9b}), 96)
}

// guard dials, and sees where. A host that is written in the configuration may be anywhere, and is taken as leave to go to addresses of
// its kind; others must have public addresses, or ones of such a kind.
type guard struct {
	resolver *net.Resolver
	own      map[string]bool // the hosts in the configuration
	secret   string          // the one of them that a token is sent to in clear: it must be this machine

	mu      sync.Mutex
	allowed [kinds]bool
	proxies map[string]bool // by host and port
}

func (c *Client) newGuard(withToken bool) *guard {
	g := &guard{resolver: c.resolver, own: map[string]bool{hostKey(c.content.Hostname()): true}, proxies: map[string]bool{}}
	if c.signature != nil {
		g.own[hostKey(c.signature.Hostname())] = true
	}
	if withToken && inClear(c.content) {
		g.secret = hostKey(c.content.Hostname())
	}
	g.allowed[public] = true
	for host := range g.own { // behind a proxy nothing is dialled that could tell
		if k, ok := literalKind(host); ok {
			g.allowed[k] = k != nowhere
		}
	}
	return g
}

// proxied is choose, but the guard learns what is a proxy.
func (g *guard) proxied(choose func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		proxy, err := choose(r)
		if err != nil { // whose text may hold a password
			return nil, errors.New("HTTP_PROXY or HTTPS_PROXY in the environment is no proxy: want http://host:port")
		}
		if proxy != nil {
			g.mu.Lock()
			g.proxies[hostPort(proxy)] = true
			g.mu.Unlock()
		}
		return proxy, nil
	}
}

// dial is what the transport calls to connect to a server or to a proxy.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	host = hostKey(host)
	dialer := net.Dialer{Timeout: dialTimeout, Resolver: g.resolver}
	if !g.isProxy(host + ":" + port) {
		dialer.Control = func(_, to string, _ syscall.RawConn) error { return g.mayDial(host, to) }
	}
	return dialer.DialContext(ctx, network, address)
}

func (g *guard) isProxy(hostPort string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.proxies[hostPort]
}

// mayDial judges the address that host has, right before it is connected to.
func (g *guard) mayDial(host, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	k := kindOf(to.Addr())
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case k == nowhere:
		return refusedAddress(to.Addr(), k)
	case host == g.secret && k != loopback:
		return fmt.Errorf("%s is another machine, and its token could be read by anybody on the way: want https", to.Addr())
	case g.own[host]:
		g.allowed[k] = true
	case !g.allowed[k]:
		return refusedAddress(to.Addr(), k)
	}
	return nil
}

// mayLead judges the host of a redirect, as far as it says what it is.
func (g *guard) mayLead(host string) error {
	k, ok := literalKind(host)
	if !ok || g.own[hostKey(host)] {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.allowed[k] {
		return refusedAddress(host, k)
	}
	return nil
}

func refusedAddress(to any, k kind) error {
	if k == nowhere {
		return fmt.Errorf("%.80s is no address of a server", to)
	}
	return fmt.Errorf("it redirects to %.80s, a %s address: want a public one, or that server's own URL in the configuration", to, k)
}

// literalKind is the kind of a host that is an address, or this machine by name; false for all others.
func literalKind(host string) (kind, bool) {
	key := hostKey(host)
	if key == "localhost" || strings.HasSuffix(key, ".localhost") {
		return loopback, true
	}
	a, err := netip.ParseAddr(key)
	if err != nil {
		return public, false
	}
	return kindOf(a), true
}

func isLoopback(host string) bool {
	k, ok := literalKind(host)
	return ok && k == loopback
}

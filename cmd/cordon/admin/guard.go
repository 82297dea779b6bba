package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"cordon/cmd/cordon/files"
)

// Guard says who may ask, by the paths of files; "" is for what is not asked for. Who satisfies one of TokenFile and ClientCA may.
type Guard struct {
	TokenFile   string // has one word of printable ASCII, 16 to 4096 octets
	Certificate string // the server's, in PEM, with what is between it and its authority; without it there is no TLS
	Key         string // of Certificate, in PEM
	ClientCA    string // the authorities of clients' certificates, in PEM; needs Certificate
}

// asks says whether strangers are kept out.
func (g Guard) asks() bool { return g.TokenFile != "" || g.ClientCA != "" }

// Check reads all files once. The error says which is unfit; warnings, which others may read though they should not.
func (g Guard) Check() (warnings []string, err error) {
	if g.TokenFile != "" {
		if _, err := readToken(g.TokenFile); err != nil {
			return nil, err
		}
	}
	if g.Certificate != "" {
		if _, err := g.tlsConfig(); err != nil {
			return nil, err
		}
	}
	for _, secret := range []string{g.TokenFile, g.Key} {
		if files.IsExposed(secret) {
			warnings = append(warnings, files.Exposed(secret))
		}
	}
	return warnings, nil
}

// doorkeeper is a Guard at work. It is safe for concurrent use.
type doorkeeper struct {
	guard Guard
	open  []string // the paths that are for everybody
	ours  bool     // who asks must call us by a name that is nobody else's
	next  http.Handler
	log   *slog.Logger
	wrong atomic.Pointer[string] // what is wrong with the token file, so that it is said once; nil for nothing
}

func (d *doorkeeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case slices.Contains(d.open, r.URL.Path):
		d.next.ServeHTTP(w, r)
	case !d.lets(r):
		turnAway(w, r)
	case d.ours && !isOurs(r.Host):
		http.Error(w, fmt.Sprintf("this listener is asked by its address or as localhost, not as %q: a proxy in front of it has to do so, "+
			"or set admin.token_file, and any name will do", r.Host), http.StatusMisdirectedRequest)
	default:
		d.next.ServeHTTP(w, r)
	}
}

// turnAway asks a stranger for a token: a program as a bearer of it, a browser, which can't be told to be one, by a password.
func turnAway(w http.ResponseWriter, r *http.Request) {
	challenge := `Bearer realm="cordon"`
	if r.Header.Get("Authorization") != "" {
		challenge += `, error="invalid_token"` // RFC 6750, section 3.1
	}
	w.Header().Add("WWW-Authenticate", challenge)
	w.Header().Add("WWW-Authenticate", `Basic realm="cordon", charset="UTF-8"`) // RFC 7617, section 2
	w.Header().Set("Connection", "close")                                       // a stranger keeps no place
	http.Error(w, "a token or a client certificate is asked for here; a browser shows the token as the password of any user name",
		http.StatusUnauthorized)
}

// isOurs says whether host, of a request, can be no name of somebody else's. A listener that asks nobody for anything is reached by every
// page that a browser of this host shows, if the owner of a name has it lead to 127.0.0.1 for a moment: the browser then takes us for the
// server of that page, and lets it read what we say. An address is no such name, and localhost leads nowhere else (RFC 6761, section 6.3).
// A request of HTTP/1.0 may have none, and no browser sends that.
func isOurs(host string) bool {
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// lets says whether who asks is no stranger.
func (d *doorkeeper) lets(r *http.Request) bool {
	switch {
	case !d.guard.asks():
		return true
	case r.TLS != nil && len(r.TLS.VerifiedChains) > 0:
		return true
	case d.guard.TokenFile == "":
		return false
	}
	want, err := readToken(d.guard.TokenFile)
	d.note(err)
	return err == nil && sameToken(shownToken(r), want)
}

// note logs what is wrong with the token file, once until it is something else.
func (d *doorkeeper) note(err error) {
	if err == nil {
		if d.wrong.Swap(nil) != nil {
			d.log.Info("admin listener: the token file can be used again")
		}
		return
	}
	text := err.Error()
	if last := d.wrong.Swap(&text); last == nil || *last != text {
		d.log.Error("admin listener: nobody is let in by a token", "error", err)
	}
}

// shownToken is the token of a request, "" for none: of a bearer (RFC 6750, section 2.1), or as a password (RFC 7617).
func shownToken(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// sameToken takes as long for a token that is nearly right as for any other.
func sameToken(shown, want string) bool {
	a, b := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

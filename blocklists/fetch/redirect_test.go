package fetch_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"cordon/blocklists/fetch"
	"cordon/blocklists/mirror"
)

// to redirects to target.
func to(target string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", target)
		w.WriteHeader(http.StatusFound)
	}
}

func TestFollowsRedirects(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			var n int
			_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
			if r.Header.Get("Referer") != "" || r.Method != http.MethodGet {
				t.Errorf("asked by %s with %v", r.Method, r.Header)
			}
			if n < 5 {
				w.Header().Set("Location", fmt.Sprintf("%d#there", n+1))
				w.WriteHeader(status)
				return
			}
			w.Header().Set("ETag", `"5"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, list)
		})
		c := newClient(t, fetch.Config{URL: s.URL + "/0"})
		g := get(t, c, nil)
		g.want(t, list)
		if again := get(t, c, &mirror.Copy{Version: g.Version}); !errors.Is(again.err, mirror.ErrUnchanged) {
			t.Errorf("%d: %v", status, again.err)
		}
	}
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	t.Parallel()
	for location, says := range map[string]string{
		"/list":                                 "more than 5 times",
		"file:///etc/passwd":                    `the scheme "file"`,
		"gopher://list.example/":                `the scheme "gopher"`,
		"javascript:alert(1)":                   `the scheme "javascript"`,
		"http://user:hunter2@list.example/":     "a user or a password",
		"http://":                               "without a host",
		"http://list.example:x/":                "not a URL",
		"http://%zz/hunter2":                    "not a URL",
		"http://10.0.0.1/hunter2":               "10.0.0.1, a private address",
		"http://172.16.0.1/":                    "private",
		"http://192.168.0.1/":                   "private",
		"http://100.64.0.1/":                    "private",
		"http://[fd00::1]/":                     "private",
		"http://169.254.169.254/latest":         "a link-local address",
		"http://[fe80::1]/":                     "link-local",
		"http://[fe80::1%25lo]/":                "link-local",
		"http://0.0.0.0/":                       "no address of a server",
		"http://[::]/":                          "no address of a server",
		"http://224.0.0.1/":                     "no address of a server",
		"http://[::ffff:10.0.0.1]/":             "private",
		"http://[64:ff9b::a00:1]/":              "private",
		"http://[2002:a00:1::]/":                "private",
		"https://10.0.0.1./hunter2":             "private",
		strings.Repeat("http://10.0.0.1/x", 99): "private",
	} {
		t.Run(location[:min(len(location), 40)], func(t *testing.T) {
			t.Parallel()
			s := serve(t, to(location))
			g := get(t, newClient(t, fetch.Config{URL: s.URL + "/list"}), nil)
			g.wantError(t, says, "GET "+s.URL+"/list")
			if strings.Contains(g.err.Error(), "hunter2") {
				t.Error(g.err)
			}
		})
	}
}

func TestNoRedirectFromHTTPSToHTTP(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	plain := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list) })
	secure := serveTLS(t, ca.certify(t, "127.0.0.1", tomorrow()), to(plain.URL))
	get(t, newClient(t, fetch.Config{URL: secure.URL, CAFile: ca.file(t)}), nil).wantError(t, "from https to http")

	end := serveTLS(t, ca.certify(t, "127.0.0.1", tomorrow()), func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list) })
	begin := serve(t, to(end.URL))
	get(t, newClient(t, fetch.Config{URL: begin.URL, CAFile: ca.file(t)}), nil).want(t, list)
}

// The address that counts is the one that is dialled.
func TestAddressIsJudgedWhenItIsDialled(t *testing.T) {
	t.Parallel()
	const elsewhere = "192.0.2.1" // counts as public: nobody is there
	victim := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list) })
	for name, test := range map[string]struct {
		url, location string
		names         map[string]func() string
		refused       string // what is said; "": the victim is reached
	}{
		"the configured name is on loopback": {
			url: at(t, victim.URL, "own.example"), names: map[string]func() string{"own.example": always("127.0.0.1")},
		},
		"so is where it redirects to": {
			location: at(t, victim.URL, "other.example"),
			names:    map[string]func() string{"own.example": always("127.0.0.1"), "other.example": always("127.0.0.1")},
		},
		"its own name again": {
			location: at(t, victim.URL, "OWN.example."), names: map[string]func() string{"own.example": always("127.0.0.1")},
		},
		"a kind that it has not": {
			location: at(t, victim.URL, "other.example"),
			names:    map[string]func() string{"own.example": always("127.0.0.1"), "other.example": always("10.0.0.1")},
			refused:  "10.0.0.1, a private address",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.url == "" {
				test.url = at(t, serve(t, to(test.location)).URL, "own.example")
			}
			c := newClient(t, fetch.Config{URL: test.url, Timeout: 5 * patience})
			c.SetResolver(names(t, test.names))
			g := get(t, c, nil)
			if test.refused != "" {
				g.wantError(t, test.refused)
			} else {
				g.want(t, list)
			}
		})
	}

	// A proxy hides where the configured server is: so it has no kind, and nothing on loopback may be dialled for it.
	for name, location := range map[string]string{
		"loopback":           victim.URL,
		"localhost":          at(t, victim.URL, "localhost"),
		"a name on loopback": at(t, victim.URL, "rebound.example"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := serve(t, to(location))
			c := newClient(t, fetch.Config{URL: "http://own.example/list"})
			c.SetResolver(names(t, map[string]func() string{
				"own.example": always(elsewhere), "rebound.example": always("127.0.0.1"),
			}))
			c.SetProxy(func(r *http.Request) (*url.URL, error) {
				if r.URL.Hostname() != "own.example" {
					return nil, nil
				}
				return url.Parse(proxy.URL)
			})
			get(t, c, nil).wantError(t, "a loopback address", "want a public one")
		})
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1": "public", "2001:db8::1": "public", "::ffff:192.0.2.1": "public", "64:ff9b::c000:201": "public",
		"127.0.0.1": "loopback", "127.255.255.255": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback", "::127.0.0.1": "loopback",
		"64:ff9b::7f00:1": "loopback", "2002:7f00:1::1": "loopback",
		"10.0.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private", "100.127.255.255": "private", "198.19.0.1": "private",
		"fd00::1": "private", "fc00::1": "private", "fec0::1": "private", "::ffff:10.0.0.1": "private",
		"172.32.0.1": "public", "100.128.0.1": "public", "198.20.0.1": "public", "11.0.0.1": "public",
		"169.254.169.254": "link-local", "fe80::1": "link-local", "fe80::1%eth0": "link-local", "64:ff9b::a9fe:a9fe": "link-local",
		"0.0.0.0": "unusable", "0.1.2.3": "unusable", "::": "unusable", "224.0.0.1": "unusable", "ff02::1": "unusable", "255.255.255.255": "unusable",
		"240.0.0.1": "unusable",
	} {
		if got := fetch.KindOf(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	const token = "hunter2-hunter2"
	file := write(t, "token", "\n "+token+"\t\n")
	bearer := "Bearer " + token
	headers := func(into *atomic.Value, next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			into.Store(r.Header.Get("Authorization"))
			next(w, r)
		}
	}
	ok := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list) }
	wantSeen := func(t *testing.T, where string, seen *atomic.Value, want string) {
		t.Helper()
		if got, _ := seen.Load().(string); got != want {
			t.Errorf("%s saw %q, want %q", where, got, want)
		}
	}

	t.Run("sent, with the signature too", func(t *testing.T) {
		t.Parallel()
		var seen, signature, elsewhere atomic.Value
		mux := http.NewServeMux()
		mux.HandleFunc("/list", headers(&seen, ok))
		mux.HandleFunc("/list.minisig", headers(&signature, ok))
		s := serve(t, mux.ServeHTTP)
		get(t, newClient(t, fetch.Config{URL: s.URL + "/list", SignatureURL: s.URL + "/list.minisig", TokenFile: file}), nil).want(t, list)
		wantSeen(t, "the server", &seen, bearer)
		wantSeen(t, "the server of the signature", &signature, bearer)
		other := serve(t, headers(&elsewhere, ok))
		get(t, newClient(t, fetch.Config{URL: s.URL + "/list", SignatureURL: other.URL, TokenFile: file}), nil).want(t, list)
		wantSeen(t, "another server", &elsewhere, "")
	})
	t.Run("read again", func(t *testing.T) {
		t.Parallel()
		var seen atomic.Value
		s := serve(t, headers(&seen, ok))
		path := write(t, "token", "first")
		c := newClient(t, fetch.Config{URL: s.URL, TokenFile: path})
		get(t, c, nil).want(t, list)
		wantSeen(t, "the server", &seen, "Bearer first")
		if err := os.WriteFile(path, []byte("second"), 0o600); err != nil {
			t.Fatal(err)
		}
		get(t, c, nil).want(t, list)
		wantSeen(t, "the server", &seen, "Bearer second")
	})
	t.Run("not to another port, nor back again", func(t *testing.T) {
		t.Parallel()
		var first, other, back atomic.Value
		var own *httptest.Server
		stranger := serve(t, headers(&other, func(w http.ResponseWriter, r *http.Request) { to(own.URL+"/back")(w, r) }))
		mux := http.NewServeMux()
		mux.HandleFunc("/list", headers(&first, to("/again")))
		mux.HandleFunc("/again", headers(&first, to(stranger.URL)))
		mux.HandleFunc("/back", headers(&back, ok))
		own = serve(t, mux.ServeHTTP)
		get(t, newClient(t, fetch.Config{URL: own.URL + "/list", TokenFile: file}), nil).want(t, list)
		wantSeen(t, "the server", &first, bearer)
		wantSeen(t, "the stranger", &other, "")
		wantSeen(t, "the server, by the stranger's redirect", &back, "")
	})
	t.Run("not to a name of the same machine or domain", func(t *testing.T) {
		t.Parallel()
		ca := newAuthority(t)
		var other atomic.Value
		end := serveTLS(t, ca.certify(t, "sub.own.example", tomorrow()), headers(&other, ok))
		begin := serveTLS(t, ca.certify(t, "own.example", tomorrow()), to(at(t, end.URL, "sub.own.example")))
		c := newClient(t, fetch.Config{URL: at(t, begin.URL, "own.example"), TokenFile: file, CAFile: ca.file(t)})
		c.SetResolver(names(t, map[string]func() string{"own.example": always("127.0.0.1"), "sub.own.example": always("127.0.0.1")}))
		get(t, c, nil).want(t, list)
		wantSeen(t, "the subdomain", &other, "")
	})
	t.Run("not to a localhost that is elsewhere", func(t *testing.T) {
		t.Parallel()
		c := newClient(t, fetch.Config{URL: "http://list.localhost/", TokenFile: file})
		c.SetResolver(names(t, map[string]func() string{"list.localhost": always("192.0.2.1")}))
		get(t, c, nil).wantError(t, "could be read by anybody", "want https")
	})
	t.Run("never said", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, strings.Repeat("x", 70), r.Header.Get("Authorization"), " ", r.URL.Query().Get("key"), " ", r.URL)
		})
		g := get(t, newClient(t, fetch.Config{URL: s.URL + "/list?key=swordfish", TokenFile: file}), nil)
		g.wantError(t, "/list?...", "403 Forbidden", "[se")
		for _, secret := range []string{"hunt", "sword"} {
			if strings.Contains(g.err.Error(), secret) {
				t.Errorf("a secret is in %q", g.err)
			}
		}
	})
	t.Run("never said, by nothing that is HTTP", func(t *testing.T) {
		t.Parallel()
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			fmt.Fprint(c, r.Header.Get("Authorization"), "\r\n\r\n")
		})
		g := get(t, newClient(t, fetch.Config{URL: s.URL, TokenFile: file}), nil)
		g.wantError(t, "malformed HTTP", "[secret]")
		if strings.Contains(g.err.Error(), token) {
			t.Error(g.err)
		}
	})
	for name, text := range map[string]string{"empty": " \n", "two words": "hunter2 hunter2", "a header": "hunter2\r\nX: y", "large": strings.Repeat("hunter2", 2000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := get(t, newClient(t, fetch.Config{URL: "https://list.example/", TokenFile: write(t, "token", text)}), nil)
			g.wantError(t, "token file")
			if strings.Contains(g.err.Error(), "hunter2") {
				t.Error(g.err)
			}
		})
	}
	for name, path := range map[string]string{"no file": "/nonexistent/token", "a directory": t.TempDir(), "a device": os.DevNull} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			get(t, newClient(t, fetch.Config{URL: "https://list.example/", TokenFile: path}), nil).wantError(t, "token file", path)
		})
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	var asked atomic.Value
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Method + " " + r.RequestURI)
		if r.Method == http.MethodConnect {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		fmt.Fprint(w, list)
	})
	through := func(c fetch.Config) *fetch.Client {
		client := newClient(t, c)
		client.SetProxy(func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) })
		return client
	}
	get(t, through(fetch.Config{URL: "http://list.example/list"}), nil).want(t, list)
	if got := asked.Load(); got != "GET http://list.example/list" {
		t.Errorf("the proxy was asked for %q", got)
	}
	get(t, through(fetch.Config{URL: "https://list.example/list", TokenFile: write(t, "token", "hunter2")}), nil).
		wantError(t, "Proxy Authentication Required")
	if got := asked.Load(); got != "CONNECT list.example:443" {
		t.Errorf("the proxy was asked for %q", got)
	}
	broken := newClient(t, fetch.Config{URL: "http://list.example/list"})
	broken.SetProxy(func(*http.Request) (*url.URL, error) { return nil, errors.New("invalid proxy address hunter2") })
	g := get(t, broken, nil)
	g.wantError(t, "HTTP_PROXY")
	if strings.Contains(g.err.Error(), "hunter2") {
		t.Error(g.err)
	}
}

// The environment is read once in a process, so this needs one of its own.
func TestProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	if os.Getenv("HTTP_PROXY") != "" && os.Getenv("CORDON_TEST_CHILD") == "1" {
		c, err := fetch.New(fetch.Config{URL: "http://list.example/list"})
		if err != nil {
			t.Fatal(err)
		}
		get(t, c, nil).want(t, list)
		return
	}
	proxy := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list) })
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyOfTheEnvironment$")
	child.Env = append(os.Environ(), "HTTP_PROXY="+proxy.URL, "NO_PROXY=", "no_proxy=", "CORDON_TEST_CHILD=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestUnknownName(t *testing.T) {
	t.Parallel()
	c := newClient(t, fetch.Config{URL: "https://list.example/list"})
	c.SetResolver(names(t, nil))
	get(t, c, nil).wantError(t, "list.example", "no such host")
}

func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	get(t, newClient(t, fetch.Config{URL: "http://" + l.Addr().String() + "/"}), nil).wantError(t, "refused")
}

// FuzzRedirect: wherever a server says that its list is, what is asked next is a plain URL of a host that may be public.
func FuzzRedirect(f *testing.F) {
	for _, location := range []string{
		"/list", "//other.example/", "https://other.example:444/a?b#c", "http://127.1/", "http://0x7f000001/", "http://[::1]/", "file:///", "https:a", "http://a@b/",
	} {
		f.Add("https://list.example/a/b", location)
		f.Add("http://list.example/a/b", location)
	}
	f.Fuzz(func(t *testing.T, from, location string) {
		c, err := fetch.New(fetch.Config{URL: from})
		if err != nil {
			return
		}
		next, err := c.Redirect(location)
		if err != nil {
			got{err: err}.wantError(t)
			return
		}
		u, err := url.Parse(next)
		if err != nil {
			t.Fatalf("%q: %v", next, err)
		}
		if u.Scheme != "https" && (u.Scheme != "http" || strings.HasPrefix(strings.ToLower(from), "https")) || u.User != nil || u.Host == "" || u.Fragment != "" {
			t.Errorf("redirects to %q", next)
		}
		a, err := netip.ParseAddr(u.Hostname())
		special := err == nil && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified())
		if special && strings.Contains(from, "://list.example/") {
			t.Errorf("redirects to %q", next)
		}
	})
}

package fetch_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"cordon/blocklists/fetch"
	"cordon/blocklists/mirror"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	for name, test := range map[string]struct {
		cert tls.Certificate
		ca   string
		host string
		says string // "": all is well
	}{
		"private authority": {cert: ca.certify(t, "127.0.0.1", tomorrow()), ca: ca.file(t)},
		"by name":           {cert: ca.certify(t, "list.example", tomorrow()), ca: ca.file(t), host: "list.example"},
		"unknown authority": {cert: ca.certify(t, "127.0.0.1", tomorrow()), says: "name the file with that authority's certificate"},
		"another authority": {cert: ca.certify(t, "127.0.0.1", tomorrow()), ca: stranger.file(t), says: "unknown authority"},
		"another name":      {cert: ca.certify(t, "other.example", tomorrow()), ca: ca.file(t), host: "list.example", says: "valid for other.example, not list.example"},
		"another address":   {cert: ca.certify(t, "192.0.2.1", tomorrow()), ca: ca.file(t), says: "127.0.0.1"},
		"expired":           {cert: ca.certify(t, "127.0.0.1", time.Now().Add(-time.Hour)), ca: ca.file(t), says: "look at this machine's clock"},
		"empty CA file":     {cert: ca.certify(t, "127.0.0.1", tomorrow()), ca: write(t, "ca.pem", "no PEM"), says: "holds no certificate"},
		"no CA file":        {cert: ca.certify(t, "127.0.0.1", tomorrow()), ca: "/nonexistent/ca.pem", says: "CA file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveTLS(t, test.cert, func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 2 {
					t.Errorf("asked by %s", r.Proto)
				}
				fmt.Fprint(w, list)
			})
			address := s.URL
			if test.host != "" {
				address = at(t, s.URL, test.host)
			}
			c := newClient(t, fetch.Config{URL: address, CAFile: test.ca})
			c.SetResolver(names(t, map[string]func() string{test.host: always("127.0.0.1")}))
			if g := get(t, c, nil); test.says != "" {
				g.wantError(t, test.says)
			} else {
				g.want(t, list)
			}
		})
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{ca.certify(t, "127.0.0.1", tomorrow())}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	get(t, newClient(t, fetch.Config{URL: "https://" + l.Addr().String(), CAFile: ca.file(t)}), nil).wantError(t, "protocol version")
}

// HTTP/2 has lengths and breaks of its own.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert := ca.certify(t, "127.0.0.1", tomorrow())
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half")
		}, "broke off after"},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "broke off after"},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, "more than 100000 octets"},
		"silent":        {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "not there, whole, after"},
		"large headers": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 100000)) }, "COMPRESSION_ERROR"},
		"no length, and well": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "one")
			w.(http.Flusher).Flush()
			fmt.Fprint(w, "two")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveTLS(t, cert, test.handler)
			g := get(t, newClient(t, fetch.Config{URL: s.URL, CAFile: ca.file(t), Timeout: 4 * patience, MaxSize: 100000}), nil)
			if test.says != "" {
				g.wantError(t, test.says)
			} else {
				g.want(t, "onetwo")
			}
		})
	}
}

// Whatever a server did, neither a goroutine nor a descriptor is left. It is not parallel: it counts those of the process.
func TestNothingIsLeft(t *testing.T) {
	ca := newAuthority(t)
	file := ca.file(t)
	count := func() (int, int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return runtime.NumGoroutine(), 0
		}
		return runtime.NumGoroutine(), len(entries)
	}
	goroutines, descriptors := count()
	t.Run("fetches", func(t *testing.T) {
		tag := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprint(w, list)
		}
		for range 20 {
			plain, secure := serve(t, tag), serveTLS(t, ca.certify(t, "127.0.0.1", tomorrow()), tag)
			for _, c := range []fetch.Config{{URL: plain.URL, SignatureURL: plain.URL}, {URL: secure.URL, SignatureURL: secure.URL, CAFile: file}} {
				client := newClient(t, c)
				g := get(t, client, nil)
				g.want(t, list)
				if again := get(t, client, &mirror.Copy{Version: g.Version, Signature: g.Signature}); !errors.Is(again.err, mirror.ErrUnchanged) {
					t.Error(again.err)
				}
			}
		}
		for name, test := range hostile() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				get(t, newClient(t, fetch.Config{URL: raw(t, test.talk), Timeout: patience, MaxSize: 100000}), nil).wantError(t)
			})
		}
	})
	now, open := count()
	for limit := time.Now().Add(10 * time.Second); (now > goroutines || open > descriptors) && time.Now().Before(limit); now, open = count() {
		runtime.Gosched()
	}
	if now > goroutines || open > descriptors {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines and %d descriptors, %d and %d before:\n%s", now, open, goroutines, descriptors, stacks[:runtime.Stack(stacks, true)])
	}
}

// A fetch closes its connections itself: it does not wait for the server to do so.
func TestClosesItsConnections(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	for name, start := range map[string]func(s *httptest.Server){
		"HTTP/1": func(s *httptest.Server) { s.Start() },
		"HTTP/2": func(s *httptest.Server) {
			s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.certify(t, "127.0.0.1", tomorrow())}, MinVersion: tls.VersionTLS12}
			s.EnableHTTP2 = true
			s.StartTLS()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed := make(chan struct{}, 10)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list) }))
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateClosed {
					closed <- struct{}{}
				}
			}
			start(s)
			defer s.Close()
			get(t, newClient(t, fetch.Config{URL: s.URL, SignatureURL: s.URL, CAFile: ca.file(t)}), nil).want(t, list)
			select {
			case <-closed:
			case <-time.After(3 * time.Second):
				t.Error("still connected after 3 s")
			}
		})
	}
}

// The mirror and its source together.
func TestWithAMirror(t *testing.T) {
	t.Parallel()
	version := make(chan int, 1)
	version <- 1
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := <-version
		version <- n
		tag := strconv.Quote(strconv.Itoa(n))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, "list ", n)
	})
	changed := make(chan string, 10)
	m, remote := newMirror(t, s.URL, changed)
	m.First(t.Context())
	wantCopy(t, m, remote, "list 1")
	<-changed

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	<-version
	version <- 2
	m.Poke("feed")
	<-changed
	wantCopy(t, m, remote, "list 2")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func newMirror(t *testing.T, address string, changed chan<- string) (*mirror.Mirror, mirror.Remote) {
	t.Helper()
	c := newClient(t, fetch.Config{URL: address, SignatureURL: address})
	m, err := mirror.New(mirror.Config{
		Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Changed: func(name string) { changed <- name },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := mirror.Remote{Name: "feed", Identity: c.Identity(), Source: c}
	if err := m.Set([]mirror.Remote{r}); err != nil {
		t.Fatal(err)
	}
	return m, r
}

func wantCopy(t *testing.T, m *mirror.Mirror, r mirror.Remote, content string) {
	t.Helper()
	c := m.Copy(r.Name, r.Identity)
	if c == nil {
		t.Fatalf("no copy: %+v", m.Status(r.Name))
	}
	if text, err := os.ReadFile(c.Path); err != nil || string(text) != content || string(c.Signature) != content {
		t.Errorf("read %q, %v, signature %q; want %q", text, err, c.Signature, content)
	}
}

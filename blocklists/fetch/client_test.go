package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cordon/blocklists/fetch"
	"cordon/blocklists/mirror"
)

const list = "one.example\ntwo.example\n"

func TestFetch(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Header.Get("Accept-Encoding") != "identity" || r.Header.Get("User-Agent") != "Cordon/v1.2.3" ||
			r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != "" || r.Header.Get("Authorization") != "" {
			t.Errorf("asked by %s with %v", r.Method, r.Header)
		}
		fmt.Fprint(w, list)
	})
	g := get(t, newClient(t, fetch.Config{URL: s.URL + "/list#here", Version: "v1.2.3"}), nil)
	g.want(t, list)
	if g.Version != "" || g.Signature != nil {
		t.Errorf("got %+v", g.Outcome)
	}
}

// What the loader judges is content, whatever it is.
func TestAnyOKIsContent(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789abcdef", 1<<16)
	for name, text := range map[string]string{
		"HTML": "<!DOCTYPE html><title>moved</title>", "empty": "", "gzip": "\x1f\x8b\x08\x00", "as large as may be": large,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
			get(t, newClient(t, fetch.Config{URL: s.URL, MaxSize: int64(len(large))}), nil).want(t, text)
		})
	}
}

func TestUnchanged(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tag, date string // of the server
		wantTag   string
		wantDate  string
	}{
		"entity tag":      {tag: `"a b"`, wantTag: `"a b"`},
		"weak entity tag": {tag: `W/"1"`, wantTag: `W/"1"`},
		"bare entity tag": {tag: `1`, wantTag: `1`},
		"date":            {date: "Wed, 25 Nov 2026 10:00:00 GMT", wantDate: "Wed, 25 Nov 2026 10:00:00 GMT"},
		"both": {
			tag: `"1"`, date: "Wed, 25 Nov 2026 10:00:00 GMT", wantTag: `"1"`, wantDate: "Wed, 25 Nov 2026 10:00:00 GMT",
		},
		"a tag that can't be kept":   {tag: "\"\xff\"", date: "Wed, 25 Nov 2026 10:00:00 GMT", wantDate: "Wed, 25 Nov 2026 10:00:00 GMT"},
		"a tag that is far too long": {tag: strings.Repeat("x", 1025), date: "yesterday", wantDate: "yesterday"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if test.tag != "" {
					w.Header().Set("ETag", test.tag)
				}
				if test.date != "" {
					w.Header().Set("Last-Modified", test.date)
				}
				w.Header().Set("Cache-Control", "no-store, max-age=0")
				tag, date := r.Header.Get("If-None-Match"), r.Header.Get("If-Modified-Since")
				if tag+date == "" {
					fmt.Fprint(w, list)
					return
				}
				if tag != test.wantTag || date != test.wantDate {
					t.Errorf("asked with %q and %q", tag, date)
				}
				w.WriteHeader(http.StatusNotModified)
			})
			c := newClient(t, fetch.Config{URL: s.URL})
			first := get(t, c, nil)
			first.want(t, list)
			if first.Version != test.wantTag+"\n"+test.wantDate {
				t.Errorf("version %q", first.Version)
			}
			if again := get(t, c, &mirror.Copy{Version: first.Version}); !errors.Is(again.err, mirror.ErrUnchanged) || again.content != "" {
				t.Errorf("got %q, %v", again.content, again.err)
			}
			get(t, c, &mirror.Copy{}).want(t, list)
			get(t, c, &mirror.Copy{Version: "a serial"}).want(t, list)
		})
	}
}

// What is not 200 is no content; the error quotes it.
func TestStatus(t *testing.T) {
	t.Parallel()
	for status, says := range map[int][]string{
		http.StatusNotModified:         {"304 Not Modified", "not asked"},
		http.StatusNoContent:           {"204 No Content: want 200 OK"},
		http.StatusPartialContent:      {"206 Partial Content", `says "<p>a page"`},
		http.StatusMultipleChoices:     {"300 Multiple Choices", `says "<p>a page"`},
		http.StatusMovedPermanently:    {"301 Moved Permanently", `says "<p>a page"`},
		http.StatusUnauthorized:        {"401 Unauthorized", `says "<p>a page"`},
		http.StatusNotFound:            {"404 Not Found", `says "<p>a page"`, "want 200 OK"},
		http.StatusTooManyRequests:     {"429 Too Many Requests"},
		http.StatusInternalServerError: {"500 Internal Server Error"},
		599:                            {"599, and says"},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				fmt.Fprint(w, "\r\n<p>a\tpage\x00\x1b")
			})
			get(t, newClient(t, fetch.Config{URL: s.URL + "/list"}), nil).wantError(t, append(says, "GET "+s.URL+"/list: ")...)
		})
	}
}

func TestQuotesLittle(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, strings.Repeat("x", 1<<20))
	})
	g := get(t, newClient(t, fetch.Config{URL: s.URL}), nil)
	g.wantError(t, strings.Repeat("x", 80))
	if strings.Contains(g.err.Error(), strings.Repeat("x", 81)) {
		t.Error(g.err)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	for name, test := range map[string]struct {
		status       int
		header, date string
		want         time.Duration
	}{
		"seconds":           {status: 503, header: " 120 ", want: 2 * time.Minute},
		"too many requests": {status: 429, header: "7", want: 7 * time.Second},
		"now":               {status: 503, header: "0", want: time.Second},
		"next year":         {status: 503, header: "31536000", want: 24 * time.Hour},
		"a huge number":     {status: 503, header: "99999999999999999999"},
		"negative":          {status: 503, header: "-5"},
		"rubbish":           {status: 503, header: "soon"},
		"none":              {status: 503},
		"a date":            {status: 503, header: now.Add(10 * time.Minute).Format(http.TimeFormat), date: now.Format(http.TimeFormat), want: 10 * time.Minute},
		"another clock": {
			status: 503, header: "Wed, 25 Nov 1987 10:05:00 GMT", date: "Wed, 25 Nov 1987 10:00:00 GMT", want: 5 * time.Minute,
		},
		"a date gone by": {status: 503, header: "Wed, 25 Nov 1987 10:05:00 GMT", want: time.Second},
		"on success":     {status: 200, header: "120"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.header != "" {
					w.Header().Set("Retry-After", test.header)
				}
				if test.date != "" {
					w.Header().Set("Date", test.date)
				}
				w.WriteHeader(test.status)
			})
			if g := get(t, newClient(t, fetch.Config{URL: s.URL}), nil); g.Retry != test.want {
				t.Errorf("retry %v, want %v", g.Retry, test.want)
			}
		})
	}
}

// hostile are servers that send something else than a list, and what is said of each. None takes longer than patience.
func hostile() map[string]struct {
	talk func(net.Conn)
	says []string
} {
	const ok = "HTTP/1.1 200 OK\r\n"
	return map[string]struct {
		talk func(net.Conn)
		says []string
	}{
		"nothing":             {say(""), []string{"EOF"}},
		"another protocol":    {say("220 mail.example ESMTP\r\n"), []string{"malformed HTTP"}},
		"octets":              {say("\x16\x03\x01\x00\xff\n\n"), []string{"malformed HTTP"}},
		"silence":             {func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, []string{"not there, whole, after"}},
		"slow headers":        {drip(ok + strings.Repeat("X: y\r\n", 1000)), []string{"not there, whole, after"}},
		"endless headers":     {endless(ok, "X: "+strings.Repeat("y", 1000)+"\r\n"), []string{"header"}},
		"one long header":     {endless(ok+"X: ", strings.Repeat("y", 1000)), []string{"header"}},
		"many hints":          {endless("", "HTTP/1.1 103 Early Hints\r\n\r\n"), []string{"headers exceeded"}},
		"endless body":        {endless(ok+"Transfer-Encoding: chunked\r\n\r\n", "1000\r\n"+strings.Repeat("x", 0x1000)+"\r\n"), []string{"more than 100000 octets", "raise the limit"}},
		"drips":               {drip(ok + "Content-Length: 90000\r\n\r\n" + strings.Repeat("x", 90000)), []string{"not there, whole, after"}},
		"says it is large":    {say(ok + "Content-Length: 100001\r\n\r\n"), []string{"more than 100000 octets"}},
		"says it is enormous": {say(ok + "Content-Length: 99999999999999999999\r\n\r\n"), []string{"Content-Length"}},
		"negative length":     {say(ok + "Content-Length: -1\r\n\r\nx"), []string{"Content-Length"}},
		"two lengths":         {say(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), []string{"Content-Length"}},
		"cut":                 {say(ok + "Content-Length: 100\r\n\r\nhalf.example\n"), []string{"broke off after 13 octets of 100", "EOF"}},
		"cut in a chunk":      {say(ok + "Transfer-Encoding: chunked\r\n\r\n10\r\nhalf"), []string{"broke off after 4 octets:", "EOF"}},
		"cut before the end":  {say(ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), []string{"broke off after 4 octets:", "EOF"}},
		"no chunk":            {say(ok + "Transfer-Encoding: chunked\r\n\r\nno chunk\r\n"), []string{"broke off", "chunk"}},
		"chunks of overhead":  {endless(ok+"Transfer-Encoding: chunked\r\n\r\n", "1;"+strings.Repeat("e", 1000)+"\r\nx\r\n"), []string{"chunk"}},
		"endless trailer":     {endless(ok+"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", "X: "+strings.Repeat("y", 1000)+"\r\n"), []string{"broke off"}},
		"no length":           {say(ok + "\r\nhalf.example\n"), []string{"a cut list would look like a whole one"}},
		"old HTTP":            {say("HTTP/1.0 200 OK\r\n\r\nhalf.example\n"), []string{"a cut list would look like a whole one"}},
		"reset":               {reset(ok + "Content-Length: 100\r\n\r\nhalf.example\n"), []string{"reset"}},
		"gzip":                {say(ok + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"), []string{`encoded as "gzip"`}},
		"two encodings":       {say(ok + "Content-Encoding: identity\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"), []string{`encoded as "identity, br"`}},
		"unknown transfer":    {say(ok + "Transfer-Encoding: gzip\r\n\r\nx"), []string{"transfer encoding"}},
		"switches":            {say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), []string{"101 Switching Protocols"}},
		"an error that drips": {drip("HTTP/1.1 500 No\r\nContent-Length: 90000\r\n\r\n" + strings.Repeat("x", 90000)), []string{"500"}},
		"an endless error":    {endless("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", "1000\r\n"+strings.Repeat("x", 0x1000)+"\r\n"), []string{"500"}},
		"an endless reason":   {endless("HTTP/1.1 500 ", strings.Repeat("x", 1000)), []string{"header"}},
		"escapes in a reason": {say("HTTP/1.1 500 \x1b[2J\xff\r\nContent-Length: 0\r\n\r\n"), []string{"500 Internal Server Error"}},
	}
}

// patience is the timeout towards hostile servers.
const patience = 500 * time.Millisecond

// drip says text, an octet at a time, until the other end is tired of it.
func drip(text string) func(net.Conn) {
	return func(c net.Conn) {
		for i := range len(text) {
			if _, err := io.WriteString(c, text[i:i+1]); err != nil {
				return
			}
			<-time.After(time.Millisecond)
		}
	}
}

// endless says begin, and then text for ever.
func endless(begin, text string) func(net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, begin)
		for err == nil {
			_, err = io.WriteString(c, text)
		}
	}
}

// reset says text, and breaks the connection when it has arrived.
func reset(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		<-time.After(50 * time.Millisecond)
		_ = c.(*net.TCPConn).SetLinger(0)
	}
}

func TestHostileServers(t *testing.T) {
	t.Parallel()
	for name, test := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			g := get(t, newClient(t, fetch.Config{URL: raw(t, test.talk), Timeout: patience, MaxSize: 100000}), nil)
			g.wantError(t, test.says...)
			if took := time.Since(began); took > 10*patience {
				t.Errorf("took %v", took)
			}
			if len(g.content) > 100001 {
				t.Errorf("wrote %d octets", len(g.content))
			}
		})
	}
}

// A server can say that nothing has changed only if it was asked, or the list would never come.
func TestNotModifiedForEver(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusNotModified)
	})
	for name, c := range map[string]fetch.Config{"plain": {URL: s.URL}, "signed": {URL: s.URL, SignatureURL: s.URL}} {
		asked.Store(0)
		get(t, newClient(t, c), nil).wantError(t, "304", "not asked")
		get(t, newClient(t, fetch.Config{URL: s.URL, SignatureURL: s.URL}), &mirror.Copy{Version: "\"1\"\n"}).wantError(t, "304", "not asked")
		if n := asked.Load(); n > 3 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}

func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := newClient(t, fetch.Config{URL: s.URL}).Fetch(ctx, nil, io.Discard)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// An error of the writer is handed on as it is.
func TestWriterFails(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list) })
	full := errors.New("no space left on device")
	_, err := newClient(t, fetch.Config{URL: s.URL}).Fetch(t.Context(), nil, failing{full})
	if !errors.Is(err, full) || strings.Contains(err.Error(), "broke off") {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// signedServer has a list and its signature, which change when they are asked for.
type signedServer struct {
	mu         sync.Mutex
	content    int // its number
	signature  string
	asked      []string
	change     map[int]func(s *signedServer) // before the n-th request, counted from 1
	validators bool
}

func (s *signedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.change[len(s.asked)+1]; f != nil {
		f(s)
	}
	tag := fmt.Sprintf(`"%d"`, s.content)
	if r.URL.Path == "/list.minisig" {
		s.asked = append(s.asked, "signature")
		if s.signature == "" {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, s.signature)
		return
	}
	if s.validators {
		w.Header().Set("ETag", tag)
	}
	if s.validators && r.Header.Get("If-None-Match") == tag {
		s.asked = append(s.asked, "304")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.asked = append(s.asked, "list")
	fmt.Fprint(w, "list ", s.content)
}

func TestSignature(t *testing.T) {
	t.Parallel()
	publish := func(n int) func(*signedServer) {
		return func(s *signedServer) { s.content, s.signature = n, fmt.Sprint("signature ", n) }
	}
	have := &mirror.Copy{Version: "\"1\"\n", Signature: []byte("signature 1")}
	for name, test := range map[string]struct {
		have      *mirror.Copy
		none      bool // no validators
		change    map[int]func(*signedServer)
		content   string
		signature string
		asked     string
		says      string // an error
		retry     time.Duration
	}{
		"first":         {content: "list 1", signature: "signature 1", asked: "list signature 304"},
		"no validators": {none: true, content: "list 1", signature: "signature 1", asked: "list signature"},
		"unchanged":     {have: have, says: "unchanged", asked: "304 signature"},
		"another signature of the same list": {
			have: have, change: map[int]func(*signedServer){2: func(s *signedServer) { s.signature = "signature 1, again" }},
			content: "list 1", signature: "signature 1, again", asked: "304 signature list signature 304",
		},
		"changed": {
			have: have, change: map[int]func(*signedServer){1: publish(2)},
			content: "list 2", signature: "signature 2", asked: "list signature 304",
		},
		"changed in between": {
			have: have, change: map[int]func(*signedServer){1: publish(2), 2: publish(3)},
			content: "list 3", signature: "signature 3", asked: "list signature list list signature 304",
		},
		"changes all the time": {
			change: map[int]func(*signedServer){2: publish(2), 5: publish(3), 8: publish(4)},
			asked:  "list signature list list signature list list signature list", says: "each time", retry: 10 * time.Second,
		},
		"none": {
			change: map[int]func(*signedServer){1: func(s *signedServer) { s.signature = "" }},
			asked:  "list signature", says: "signature: GET ", retry: time.Minute,
		},
		"none any more": {
			have: have, change: map[int]func(*signedServer){1: func(s *signedServer) { s.signature = "" }},
			asked: "304 signature", says: "404 Not Found", retry: time.Minute,
		},
		"too large": {
			change: map[int]func(*signedServer){1: func(s *signedServer) { s.signature = strings.Repeat("s", 4097) }},
			asked:  "list signature", says: "more than 4096 octets",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &signedServer{content: 1, signature: "signature 1", change: test.change, validators: !test.none}
			server := serve(t, s.ServeHTTP)
			c := newClient(t, fetch.Config{URL: server.URL + "/list", SignatureURL: server.URL + "/list.minisig"})
			g := get(t, c, test.have)
			if asked := strings.Join(s.asked, " "); asked != test.asked {
				t.Errorf("asked for %q, want %q", asked, test.asked)
			}
			if g.Retry != test.retry {
				t.Errorf("retry %v, want %v", g.Retry, test.retry)
			}
			switch {
			case test.says == "unchanged":
				if !errors.Is(g.err, mirror.ErrUnchanged) {
					t.Error(g.err)
				}
			case test.says != "":
				g.wantError(t, test.says)
			default:
				g.want(t, test.content)
				if string(g.Signature) != test.signature {
					t.Errorf("signature %q, want %q", g.Signature, test.signature)
				}
			}
		})
	}
}

// A writer that can't begin again gets nothing that may not belong together.
func TestSignatureWithoutReset(t *testing.T) {
	t.Parallel()
	s := &signedServer{content: 1, signature: "signature", validators: true, change: map[int]func(*signedServer){
		2: func(s *signedServer) { s.content = 2 },
	}}
	server := serve(t, s.ServeHTTP)
	c := newClient(t, fetch.Config{URL: server.URL + "/list", SignatureURL: server.URL + "/list.minisig"})
	var w bytes.Buffer
	if _, err := c.Fetch(t.Context(), nil, struct{ io.Writer }{&w}); err == nil {
		t.Errorf("got %q", w.String())
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config fetch.Config
		says   string
	}{
		"nothing":              {fetch.Config{}, "want https"},
		"another scheme":       {fetch.Config{URL: "ftp://list.example/"}, `"ftp"`},
		"a file":               {fetch.Config{URL: "file:///etc/passwd"}, `"file"`},
		"no host":              {fetch.Config{URL: "https:///list"}, "no host"},
		"no slashes":           {fetch.Config{URL: "https:list.example"}, "no host"},
		"a password":           {fetch.Config{URL: "https://user:hunter2@list.example/"}, "a user or a password"},
		"a name in Greek":      {fetch.Config{URL: "https://παράδειγμα.example/"}, "xn--"},
		"a line":               {fetch.Config{URL: "https://list.example/hunter2\n"}, "not a URL"},
		"a bad port":           {fetch.Config{URL: "https://list.example:hunter2/"}, "not a URL"},
		"a long one":           {fetch.Config{URL: "https://list.example/" + strings.Repeat("hunter2", 1000)}, "at most 4096"},
		"a bad signature":      {fetch.Config{URL: "https://list.example/", SignatureURL: "list.minisig"}, "signature"},
		"a token in clear":     {fetch.Config{URL: "http://list.example/?key=hunter2", TokenFile: "token"}, "want https"},
		"a token to a network": {fetch.Config{URL: "http://192.0.2.1/", TokenFile: "token"}, "want https"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := fetch.New(test.config)
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
	for _, good := range []fetch.Config{
		{URL: "https://list.example/?key=hunter2", TokenFile: "token"},
		{URL: "http://[::1]:8080/", TokenFile: "token"},
		{URL: "http://localhost/", TokenFile: "token"},
		{URL: "http://list.example"},
	} {
		if _, err := fetch.New(good); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	identity := func(c fetch.Config) string { return newClient(t, c).Identity() }
	base := identity(fetch.Config{URL: "https://list.example/a"})
	if identity(fetch.Config{URL: "https://list.example/a", TokenFile: "token", Timeout: time.Second, MaxSize: 1}) != base {
		t.Error("a secret or a limit changes the identity")
	}
	if identity(fetch.Config{URL: "https://list.example/b"}) == base ||
		identity(fetch.Config{URL: "https://list.example/a", SignatureURL: "https://list.example/a"}) == base {
		t.Error("two lists with one identity")
	}
}

func TestUserAgent(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"": "Cordon", "v1.2.3": "Cordon/v1.2.3", "(devel)": "Cordon/devel", "v1\r\nX: y": "Cordon/v1Xy", "v0.0.0-2026+dirty": "Cordon/v0.0.0-2026+dirty",
	} {
		if got := fetch.UserAgent(version); got != want {
			t.Errorf("%q: %q, want %q", version, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x00b\r\n\u202e c", 80)
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = min(max(most, 0), 1000)
		said := fetch.Printable(text, most)
		if len(said) > most || strings.ContainsFunc(said, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("%q", said)
		}
	})
}

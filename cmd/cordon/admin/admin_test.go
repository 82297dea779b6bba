package admin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const token = "0123456789abcdef0123456789abcdef"

// log is what a server logged so far.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func write(t *testing.T, dir, name string, text []byte, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	draft := path + ".new"
	if err := os.WriteFile(draft, text, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(draft, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(draft, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// shortDir is a directory with a name that leaves room for sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "adm") //nolint:usetesting // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// serve runs a server of g on network and address that says "told" of /told and "ok" of /healthz, and returns where it is.
func serve(t *testing.T, network, address string, g Guard) (at string, said *log) {
	t.Helper()
	listener, err := Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /told", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "told") })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	said = new(log)
	s, err := New(Config{
		Listener: listener, Guard: g, Handler: mux, Open: []string{"/healthz"}, Log: slog.New(slog.NewTextHandler(said, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String(), said
}

// raw sends a request as it is written and returns the answer's status line and headers.
func raw(t *testing.T, conn net.Conn, request string) string {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text strings.Builder
	fmt.Fprintln(&text, response.Status)
	if err := response.Header.Write(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func dial(t *testing.T, network, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at, said := serve(t, "tcp", "127.0.0.1:0", Guard{TokenFile: write(t, dir, "token", []byte(token+"\n"), 0o600)})
	for name, test := range map[string]struct{ path, header, want string }{
		"no token":                    {"/told", "", "401"},
		"the right one":               {"/told", "Authorization: Bearer " + token, "200"},
		"a scheme in other letters":   {"/told", "Authorization: bEARER " + token, "200"},
		"a wrong one":                 {"/told", "Authorization: Bearer " + strings.Repeat("0", len(token)), "401"},
		"a part of it":                {"/told", "Authorization: Bearer " + token[:len(token)-1], "401"},
		"more than it":                {"/told", "Authorization: Bearer " + token + "0", "401"},
		"another scheme":              {"/told", "Authorization: Digest " + token, "401"},
		"no user and no password":     {"/told", "Authorization: Basic " + token, "401"},
		"as a password":               {"/told", "Authorization: Basic " + basic("any", token), "200"},
		"of nobody":                   {"/told", "Authorization: Basic " + basic("", token), "200"},
		"a wrong password":            {"/told", "Authorization: Basic " + basic("any", token+"0"), "401"},
		"no password":                 {"/told", "Authorization: Basic " + basic("any", ""), "401"},
		"as the user":                 {"/told", "Authorization: Basic " + basic(token, "any"), "401"},
		"nothing after the scheme":    {"/told", "Authorization: Bearer ", "401"},
		"in the address":              {"/told?access_token=" + token, "", "401"},
		"what there is not":           {"/none", "", "401"},
		"what there is not, by token": {"/none", "Authorization: Bearer " + token, "404"},
		"profiles":                    {"/debug/pprof/", "", "401"},
		"profiles, by token":          {"/debug/pprof/", "Authorization: Bearer " + token, "404"},
		"what is open":                {"/healthz", "", "200"},
		"what looks as if it were":    {"//healthz", "", "401"},
		"or is below":                 {"/healthz/../told", "", "401"},
	} {
		answer := raw(t, dial(t, "tcp", at), "GET "+test.path+" HTTP/1.1\r\nHost: x\r\n"+test.header+"\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(answer, test.want) {
			t.Errorf("%s: %s, want %s", name, answer, test.want)
		}
		challenged := strings.Contains(answer, `Www-Authenticate: Bearer realm="cordon"`) &&
			strings.Contains(answer, `Www-Authenticate: Basic realm="cordon", charset="UTF-8"`)
		if challenged != (test.want == "401") {
			t.Errorf("%s: %s", name, answer)
		}
		if strings.Contains(answer, "Server:") {
			t.Errorf("%s: it says who it is: %s", name, answer)
		}
	}
	if strings.Contains(said.String(), "127.0.0.1") || strings.Contains(said.String(), token) {
		t.Errorf("logged: %s", said)
	}
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

// A page from elsewhere, whose name leads here for a moment, reads nothing that nobody is asked for.
func TestNamesOfOthersReadNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open, _ := serve(t, "tcp", "127.0.0.1:0", Guard{})
	guarded, _ := serve(t, "tcp", "127.0.0.1:0", Guard{TokenFile: write(t, dir, "token", []byte(token), 0o600)})
	for host, want := range map[string]string{
		"127.0.0.1": "200", "127.0.0.1:9353": "200", "[::1]": "200", "[::1]:9353": "200", "::1": "200", "192.0.2.7:80": "200",
		"localhost": "200", "localhost:9353": "200", "LocalHost.:9353": "200", "status.localhost": "200", "": "200",
		"attacker.example": "421", "attacker.example:9353": "421", "127.0.0.1.attacker.example": "421", "localhost.attacker.example": "421",
		"notlocalhost": "421", "0x7f000001": "421", "127.1": "421", "[::1].attacker.example": "421",
	} {
		if got := raw(t, dial(t, "tcp", open), "GET /told HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); !strings.HasPrefix(got, want) {
			t.Errorf("as %q: %s, want %s", host, got, want)
		}
		if got := raw(t, dial(t, "tcp", open), "GET /healthz HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); !strings.HasPrefix(got, "200") {
			t.Errorf("what is open, as %q: %s", host, got)
		}
		request := "GET /told HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + token + "\r\n\r\n"
		if got := raw(t, dial(t, "tcp", guarded), request); !strings.HasPrefix(got, "200") {
			t.Errorf("with a token, as %q: %s", host, got)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	socket, _ := serve(t, "unix", filepath.Join(shortDir(t), "s"), Guard{})
	if got := raw(t, dial(t, "unix", socket), "GET /told HTTP/1.1\r\nHost: status.example\r\n\r\n"); !strings.HasPrefix(got, "200") {
		t.Errorf("by a socket: %s", got)
	}
}

// A new token counts at once, and a file without one lets nobody in.
func TestTheTokenIsThatOfTheFileAsItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := write(t, dir, "token", []byte(token), 0o600)
	at, said := serve(t, "tcp", "127.0.0.1:0", Guard{TokenFile: path})
	const other = "another-token-of-enough-octets"
	asked := func(token string) string {
		return raw(t, dial(t, "tcp", at), "GET /told HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n\r\n")[:3]
	}
	for _, step := range []struct {
		file       string
		old, other string
	}{
		{token, "200", "401"}, {other + "\r\n", "401", "200"}, {"", "401", "401"}, {"short", "401", "401"}, {token, "200", "401"},
	} {
		write(t, dir, "token", []byte(step.file), 0o600)
		if old, other := asked(token), asked(other); old != step.old || other != step.other {
			t.Errorf("with the file %q: %s and %s, want %s and %s", step.file, old, other, step.old, step.other)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := asked(token) + asked(""); got != "401401" {
		t.Errorf("without the file: %s", got)
	}
	if n := strings.Count(said.String(), "nobody is let in"); n != 3-1 { // the empty and the short one are the same fault
		t.Errorf("logged %d times that nobody is let in:\n%s", n, said)
	}
}

func TestAListenerForOtherHostsHasToAsk(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", "[::]:0"} {
		listener, err := Listen(t.Context(), "tcp", address)
		if err != nil {
			continue // no such family here
		}
		_, err = New(Config{Listener: listener, Handler: http.NotFoundHandler(), Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "has to ask for a token or a certificate") {
			t.Errorf("%s: %v", address, err)
		}
		_ = listener.Close()
	}
}

// Who names an address of IPv4 has not opened a port of IPv6.
func TestAllOfIPv4IsNoAddressOfIPv6(t *testing.T) {
	t.Parallel()
	listener, err := Listen(t.Context(), "tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if tcp, ok := listener.Addr().(*net.TCPAddr); !ok || tcp.IP.To4() == nil {
		t.Errorf("it listens on %s", listener.Addr())
	}
}

func TestSecretsThatAreUnfit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "short": "0123456789abcde\n", "two words": "0123456789 abcdef0123456789", "two lines": token + "\n" + token,
		"not ASCII": token + "é", "long": strings.Repeat("x", 5000), "control": token + "\x00",
	} {
		if warnings, err := (Guard{TokenFile: write(t, dir, "token", []byte(text), 0o600)}).Check(); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v, %v", name, err, warnings)
		}
	}
	if _, err := (Guard{TokenFile: dir}).Check(); err == nil {
		t.Error("a directory is no token")
	}
	if _, err := (Guard{TokenFile: filepath.Join(dir, "none")}).Check(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want that there is none", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for mode, want := range map[fs.FileMode]int{0o600: 0, 0o640: 0, 0o400: 0, 0o644: 1, 0o604: 1} {
		warnings, err := (Guard{TokenFile: write(t, dir, "token", []byte(token), mode)}).Check()
		if err != nil || len(warnings) != want {
			t.Errorf("mode %o: %v, %q", mode, err, warnings)
		}
	}
}

// --- certificates

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: rand.Text()}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, key := a.sign(template, template, nil)
	a.key = key
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) sign(template, parent *x509.Certificate, by *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	a.last++
	template.SerialNumber = big.NewInt(a.last)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

// issue is a certificate and its key in PEM.
func (a *authority) issue(name string, usage x509.ExtKeyUsage) (certificate, key []byte) {
	a.t.Helper()
	der, private := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}, a.cert, a.key)
	octets, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: octets})
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// secured is a guard with a certificate of a and the clients of the authority, if that is not nil.
func secured(t *testing.T, a, clients *authority) Guard {
	t.Helper()
	dir := t.TempDir()
	certificate, key := a.issue("admin.example", x509.ExtKeyUsageServerAuth)
	g := Guard{Certificate: write(t, dir, "admin.pem", certificate, 0o644), Key: write(t, dir, "admin.key", key, 0o600)}
	if clients != nil {
		g.ClientCA = write(t, dir, "clients.pem", clients.pem(), 0o644)
	}
	return g
}

// status is what a client of config gets for path.
func status(at, path string, config *tls.Config) (int, error) {
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get("https://" + at + path)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, nil
}

func TestACertificateOfTheAuthoritiesLetsIn(t *testing.T) {
	t.Parallel()
	own, clients, strangers := newAuthority(t), newAuthority(t), newAuthority(t)
	at, _ := serve(t, "tcp", "127.0.0.1:0", secured(t, own, clients))
	roots := x509.NewCertPool()
	roots.AddCert(own.cert)
	for name, test := range map[string]struct {
		by         *authority
		usage      x509.ExtKeyUsage
		told       int // 0: not even a connection
		healthy    int
		mostRecent uint16
	}{
		"none":               {nil, 0, 401, 200, 0},
		"one of theirs":      {clients, x509.ExtKeyUsageClientAuth, 200, 200, 0},
		"one for servers":    {clients, x509.ExtKeyUsageServerAuth, 0, 0, 0},
		"one of strangers":   {strangers, x509.ExtKeyUsageClientAuth, 0, 0, 0},
		"an old form of TLS": {nil, 0, 0, 0, tls.VersionTLS12},
	} {
		config := &tls.Config{RootCAs: roots, ServerName: "admin.example", MaxVersion: test.mostRecent}
		if test.by != nil {
			pair, err := tls.X509KeyPair(test.by.issue("prometheus", test.usage))
			if err != nil {
				t.Fatal(err)
			}
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
		told, toldErr := status(at, "/told", config)
		healthy, healthyErr := status(at, "/healthz", config)
		if told != test.told || healthy != test.healthy {
			t.Errorf("%s: %d (%v) and %d (%v), want %d and %d", name, told, toldErr, healthy, healthyErr, test.told, test.healthy)
		}
	}
	conn := dial(t, "tcp", at)
	if answer := raw(t, conn, "GET /told HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(answer, "400") {
		t.Errorf("without TLS: %s", answer)
	}
}

// A certificate that is replaced counts for the next connection. One whose key has not come yet does not.
func TestCertificatesFollowTheirFiles(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	g := secured(t, a, nil)
	at, said := serve(t, "tcp", "127.0.0.1:0", g)
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	name := func(name string) error {
		_, err := status(at, "/told", &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS13})
		return err
	}
	certificate, key := a.issue("new.example", x509.ExtKeyUsageServerAuth)
	dir := filepath.Dir(g.Certificate)
	if err := name("admin.example"); err != nil {
		t.Error(err)
	}
	write(t, dir, "admin.pem", certificate, 0o644)
	if err := name("admin.example"); err != nil {
		t.Errorf("while only one file is new: %v", err)
	}
	write(t, dir, "admin.key", key, 0o600)
	if err := name("new.example"); err != nil {
		t.Error(err)
	}
	if n := strings.Count(said.String(), "the certificate before stays in force"); n != 1 {
		t.Errorf("logged %d times that the certificate before stays: %s", n, said)
	}
	if err := os.Remove(g.Key); err != nil {
		t.Fatal(err)
	}
	if err := name("new.example"); err != nil {
		t.Errorf("without a key: %v", err)
	}
}

func TestAskByTheServersOwnFiles(t *testing.T) {
	t.Parallel()
	a, others := newAuthority(t), newAuthority(t)
	withToken := func(g Guard) Guard {
		g.TokenFile = write(t, t.TempDir(), "token", []byte(token), 0o600)
		return g
	}
	for name, g := range map[string]Guard{
		"plain": {}, "token": withToken(Guard{}), "TLS": secured(t, a, nil), "TLS and token": withToken(secured(t, a, nil)),
		"clients": secured(t, a, others), "clients and token": withToken(secured(t, a, others)),
	} {
		for _, network := range []string{"tcp", "unix"} {
			address := "127.0.0.1:0"
			if network == "unix" {
				if runtime.GOOS == "windows" {
					continue
				}
				address = filepath.Join(shortDir(t), "s")
			}
			at, _ := serve(t, network, address, g)
			if text, err := Ask(t.Context(), network, at, g, "/healthz", true); string(text) != "ok" || err != nil {
				t.Errorf("%s, %s: %q, %v", name, network, text, err)
			}
			text, err := Ask(t.Context(), network, at, g, "/told", false)
			wrong, isStatus := errors.AsType[*StatusError](err)
			if name == "clients" { // the server's own certificate is not one of theirs
				if !isStatus || wrong.Code != 401 {
					t.Errorf("%s, %s: %q, %v", name, network, text, err)
				}
				continue
			}
			if string(text) != "told" || err != nil {
				t.Errorf("%s, %s: %q, %v", name, network, text, err)
			}
		}
	}
	at, _ := serve(t, "tcp", "127.0.0.1:0", secured(t, a, nil))
	if _, err := Ask(t.Context(), "tcp", at, secured(t, a, nil), "/told", false); err == nil || !strings.Contains(err.Error(), "another server") {
		t.Errorf("another server's certificate: %v", err)
	}
}

// --- unix sockets

func TestASocketIsForItsUserAndGroup(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("permissions are others there")
	}
	path := filepath.Join(shortDir(t), "admin.sock")
	first, err := Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v, want a socket of mode 0660", err, info)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%v, there is %v", err, entries)
	}
	if _, err := Listen(t.Context(), "unix", path); err == nil || !strings.Contains(err.Error(), "another server listens on it") {
		t.Errorf("a second one: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after its end: %v", err)
	}
}

func TestAStaleSocketIsReplacedAndNothingElse(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files in use can't be replaced there")
	}
	dir := shortDir(t)
	path := filepath.Join(dir, "admin.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false) // as after a crash
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dial(t, "unix", path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mine := write(t, dir, "admin.sock", []byte("mine"), 0o600)
	if err := next.Close(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) != "mine" {
		t.Errorf("the end took what was not its: %q, %v", text, err)
	}
	if _, err := Listen(t.Context(), "unix", path); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("over a file: %v", err)
	}
	if text, err := os.ReadFile(mine); err != nil || string(text) != "mine" {
		t.Errorf("the beginning took what was not its: %q, %v", text, err)
	}
}

// --- who is slow or large

// A connection that says nothing, or says it slowly, ends; others are answered meanwhile.
func TestSlowOnesAreCutOff(t *testing.T) {
	t.Parallel()
	at, _ := serve(t, "tcp", "127.0.0.1:0", Guard{})
	begun := time.Now()
	slow := make([]net.Conn, 8)
	for i := range slow {
		slow[i] = dial(t, "tcp", at)
		fmt.Fprintf(slow[i], "GET /told HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
	}
	if answer := raw(t, dial(t, "tcp", at), "GET /told HTTP/1.1\r\nHost: localhost\r\n\r\n"); !strings.HasPrefix(answer, "200") {
		t.Errorf("another one: %s", answer)
	}
	for _, conn := range slow {
		if err := conn.SetReadDeadline(begun.Add(headerTime + 10*time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a slow one still has its connection")
		}
	}
	if took := time.Since(begun); took < headerTime-time.Second {
		t.Errorf("it was cut off after %v", took)
	}
}

func TestALargeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	at, _ := serve(t, "tcp", "127.0.0.1:0", Guard{})
	answer := raw(t, dial(t, "tcp", at), "GET /told HTTP/1.1\r\nHost: localhost\r\nX-Large: "+strings.Repeat("x", 2*maxHeader)+"\r\n\r\n")
	if !strings.HasPrefix(answer, "431") {
		t.Errorf("found %s, want 431", answer)
	}
}

// So many connections and no more: the next is answered when one of them ends.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	at, _ := serve(t, "tcp", "127.0.0.1:0", Guard{})
	open := make([]net.Conn, maxConnections)
	for i := range open {
		open[i] = dial(t, "tcp", at)
		if answer := raw(t, open[i], "GET /told HTTP/1.1\r\nHost: localhost\r\n\r\n"); !strings.HasPrefix(answer, "200") {
			t.Fatalf("connection %d: %s", i, answer)
		}
	}
	next := dial(t, "tcp", at)
	if _, err := io.WriteString(next, "GET /told HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := next.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var first [1]byte
	if n, err := next.Read(first[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one too many got %d octets, %v", n, err)
	}
	_ = open[0].Close()
	if err := next.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := next.Read(first[:]); err != nil {
		t.Errorf("when there is a place: %v", err)
	}
}

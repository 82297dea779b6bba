//go:build linux

package transfer_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cordon/blocklists/domain"
	"cordon/blocklists/transfer"
)

// The end-to-end tests copy a zone from the real knot, bind and nsd (Debian's packages knot, bind9 and nsd) on a loopback address.
// They run only if CORDON_E2E is 1; then a missing server is a failure. Every server is killed at the end of its test, and by the
// kernel if the test itself dies.

// server is a primary that runs in dir.
type server struct {
	t    *testing.T
	dir  string
	addr netip.AddrPort
	cmd  *exec.Cmd
}

// endToEnd skips t unless end-to-end tests are asked for, and fails it if one of the programs is missing.
func endToEnd(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getenv("CORDON_E2E") != "1" {
		t.Skip("CORDON_E2E is not 1")
	}
	for _, p := range programs {
		findProgram(t, p)
	}
}

func findProgram(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	path, err := exec.LookPath(filepath.Join("/usr/sbin", name))
	if err != nil {
		t.Fatalf("%v: Debian has it in knot, bind9 or nsd", err)
	}
	return path
}

func newServer(t *testing.T) *server {
	t.Helper()
	return &server{t: t, dir: t.TempDir(), addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), freePort(t))}
}

// freePort is a port that nobody has, for UDP and TCP.
func freePort(t *testing.T) uint16 {
	t.Helper()
	udp, tcp, port := bind(t)
	_ = udp.Close()
	_ = tcp.Close()
	return port
}

// bind takes a port for UDP and TCP, below those that the system gives to clients.
func bind(t *testing.T) (udp net.PacketConn, tcp net.Listener, port uint16) {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		udp, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		tcp, err := net.Listen("tcp", address)
		if err == nil {
			return udp, tcp, addrPort(address).Port()
		}
		_ = udp.Close()
	}
	t.Fatal("no free port found")
	return nil, nil, 0
}

// write writes a file of the server's.
func (s *server) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// start starts the server, to be killed at the end of the test.
func (s *server) start(program string, args ...string) {
	s.t.Helper()
	s.cmd = exec.Command(findProgram(s.t, program), args...)
	s.cmd.Dir = s.dir
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		_ = s.cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("%s wrote:\n%s", program, s.log())
		}
	})
}

// log is what the server wrote.
func (s *server) log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// first fetches until the server is up.
func (s *server) first(z *transfer.Zone) fetched {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); ; <-tick.C {
		got := fetch(s.t, z, nil)
		if got.err == nil || time.Since(begun) > 20*time.Second {
			return got
		}
	}
}

// keyed is the Config for the server with a key.
func (s *server) keyed() transfer.Config {
	s.write("key", fmt.Sprintf("key %q { algorithm hmac-sha256; secret %q; };\n", keyName, secret))
	return transfer.Config{
		Zone: domain.MustParse(zoneName), Primaries: []netip.AddrPort{s.addr}, Timeout: 3 * time.Second,
		TSIG: &transfer.Key{SecretFile: filepath.Join(s.dir, "key")},
	}
}

// rpzFile is the zone file of the test zone.
func rpzFile(serial uint32, records ...string) string {
	return soaRecord(serial) + "\n" + apexNS + "\n" + strings.Join(records, "\n") + "\n"
}

const knotConf = `
server:
    listen: 127.0.0.1@%[2]d
    rundir: %[1]q
log:
  - target: stderr
    any: info
key:
  - id: transfer.example.
    algorithm: hmac-sha256
    secret: %[3]s
remote:
  - id: us
    address: 127.0.0.1@%[4]d
    key: transfer.example.
acl:
  - id: transfers
    key: transfer.example.
    action: transfer
database:
    storage: %[1]q
zone:
  - domain: rpz.example.
    storage: %[1]q
    file: zone
    notify: us
    acl: transfers
    zonemd-generate: zonemd-sha384
    zonefile-load: difference
    zonefile-sync: -1
    journal-content: changes
`

// A zone of knot's by AXFR, a change of it by NOTIFY and IXFR, its ZONEMD, and one who changes it on the way.
func TestE2EKnot(t *testing.T) {
	t.Parallel()
	endToEnd(t, "knotd")
	e, s := listen(t), newServer(t)
	s.write("knot.conf", fmt.Sprintf(knotConf, s.dir, s.addr.Port(), secret, e.port))
	s.write("zone", rpzFile(7, bad, star, worse))
	c := s.keyed()
	c.Digest, c.RequireTSIG = transfer.DigestRequired, true
	z := newZone(t, c)
	e.notifies.Set([]*transfer.Zone{z})
	s.start("knotd", "-c", filepath.Join(s.dir, "knot.conf"))
	e.hears(z.Name()) // that the server started
	old := s.first(z)
	if old.err != nil || !strings.Contains(old.text, "ZONEMD") || !strings.Contains(old.text, "worse") {
		t.Fatalf("AXFR: %+v", old)
	}
	s.write("zone", rpzFile(9, bad, local))
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	e.hears(z.Name())
	got := fetch(t, z, copyOf(t, old.text, old.outcome.Version))
	if got.err != nil || got.outcome.Version == old.outcome.Version || strings.Contains(got.text, "worse") || !strings.Contains(got.text, "192.0.2.80") {
		t.Fatalf("IXFR: %+v", got)
	}
	if log := s.log(); !strings.Contains(log, "IXFR, outgoing") {
		t.Errorf("knot says nothing of IXFR")
	}
	if again := fetch(t, z, nil); again.err != nil || again.text != got.text {
		t.Errorf("AXFR is not the same as IXFR: %+v", again)
	}
	tampered(t, got.text)
}

// tampered serves the copy with a record changed.
func tampered(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[:len(lines)-1]
	for change, want := range map[string]string{"192.0.2.80": "", "192.0.2.81": "is not what its ZONEMD record says"} {
		records := strings.Split(strings.ReplaceAll(strings.Join(lines, "\n"), "192.0.2.80", change), "\n")
		f := &fake{soa: records[0], axfr: [][]string{append(records, records[0])}}
		checkError(t, fetch(t, newZone(t, config(t, f)), nil), want)
	}
}

// ear takes NOTIFY by UDP and TCP at one port, as a resolver's listeners would: knot sends it by TCP, bind by UDP.
type ear struct {
	t        *testing.T
	port     uint16
	notifies transfer.Notifies
	zones    chan string // that primaries spoke of
}

func listen(t *testing.T) *ear {
	t.Helper()
	udp, tcp, port := bind(t)
	e := &ear{t: t, port: port, zones: make(chan string, 16)}
	t.Cleanup(func() {
		_ = udp.Close()
		_ = tcp.Close()
	})
	go e.datagrams(udp)
	go e.connections(tcp)
	return e
}

func (e *ear) datagrams(udp net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := udp.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer, ok := e.handle(from.String(), buf[:n]); ok {
			_, _ = udp.WriteTo(answer, from)
		}
	}
}

func (e *ear) connections(tcp net.Listener) {
	for {
		conn, err := tcp.Accept()
		if err != nil {
			return
		}
		if query, err := readFrame(conn, "tcp"); err == nil {
			if answer, ok := e.handle(conn.RemoteAddr().String(), query); ok {
				writeFrame(conn, "tcp", answer)
			}
		}
		_ = conn.Close()
	}
}

func (e *ear) handle(from string, query []byte) (answer []byte, ok bool) {
	answer, zone, ok := e.notifies.Handle(addrPort(from).Addr(), query)
	if zone != "" {
		e.zones <- zone
	}
	return answer, ok
}

// hears waits until a primary says that the zone changed.
func (e *ear) hears(zone string) {
	e.t.Helper()
	select {
	case got := <-e.zones:
		if got != zone {
			e.t.Fatalf("NOTIFY is about %q, want %q", got, zone)
		}
	case <-time.After(10 * time.Second):
		e.t.Fatal("no NOTIFY within 10 s")
	}
}

const namedConf = `
options {
    directory %[1]q;
    listen-on port %[2]d { 127.0.0.1; };
    listen-on-v6 { none; };
    pid-file none;
    session-keyfile none;
    recursion no;
    notify explicit;
    notify-delay 0;
    also-notify { 127.0.0.1 port %[4]d key transfer.example.; };
    ixfr-from-differences yes;
    dnssec-validation no;
};
controls { };
key transfer.example. { algorithm hmac-sha256; secret %[3]q; };
zone "rpz.example" {
    type primary;
    file "zone";
    allow-transfer { key transfer.example.; };
};
`

// The same with bind, which has no ZONEMD of its own.
func TestE2ENamed(t *testing.T) {
	t.Parallel()
	endToEnd(t, "named")
	e, s := listen(t), newServer(t)
	s.write("named.conf", fmt.Sprintf(namedConf, s.dir, s.addr.Port(), secret, e.port))
	s.write("zone", rpzFile(7, bad, star, worse))
	c := s.keyed()
	c.RequireTSIG = true
	z := newZone(t, c)
	e.notifies.Set([]*transfer.Zone{z})
	s.start("named", "-g", "-n", "1", "-c", filepath.Join(s.dir, "named.conf"))
	e.hears(z.Name()) // that the server started
	old := s.first(z)
	if old.err != nil || old.text != zoneText(7, apexNS, worse, bad, star) {
		t.Fatalf("AXFR: %+v", old)
	}
	s.write("zone", rpzFile(9, bad, local))
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	e.hears(z.Name())
	got := fetch(t, z, copyOf(t, old.text, "7"))
	if got.err != nil || got.text != zoneText(9, apexNS, local, bad) {
		t.Fatalf("IXFR: %+v", got)
	}
	if log := s.log(); !strings.Contains(log, "IXFR started") {
		t.Errorf("bind says nothing of IXFR")
	}

	wrong := c
	wrong.TSIG = &transfer.Key{Name: keyName, SecretFile: secretFile(t, "YW5vdGhlciBzZWNyZXQgYWx0b2dldGhlcg==")}
	checkError(t, fetch(t, newZone(t, wrong), nil), "BADSIG")
	wrong.TSIG = &transfer.Key{Name: "other.example", SecretFile: secretFile(t, secret)}
	checkError(t, fetch(t, newZone(t, wrong), nil), "BADKEY")
	wrong.TSIG, wrong.RequireTSIG = nil, false
	checkError(t, fetch(t, newZone(t, wrong), nil), "REFUSED")
}

const nsdConf = `
server:
  ip-address: 127.0.0.1@%[2]d
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: %[1]q
  pidfile: ""
  xfrdfile: ""
  zonelistfile: "%[1]s/zones.list"
remote-control:
  control-enable: no
key:
  name: transfer.example.
  algorithm: hmac-sha256
  secret: %[3]q
zone:
  name: rpz.example
  zonefile: zone
  provide-xfr: 127.0.0.1 transfer.example.
`

// nsd signs some messages of a transfer only. The zone has a million records.
func TestE2ENSDMillion(t *testing.T) {
	endToEnd(t, "nsd")
	s := newServer(t)
	s.write("nsd.conf", fmt.Sprintf(nsdConf, s.dir, s.addr.Port(), secret))
	var text strings.Builder
	text.WriteString(rpzFile(7))
	for i := range 500_000 {
		fmt.Fprintf(&text, "host-%07d.example.com.rpz.example. 60 IN CNAME .\n*.host-%07d.example.com.rpz.example. 60 IN CNAME .\n", i, i)
	}
	s.write("zone", text.String())
	s.start("nsd", "-d", "-c", filepath.Join(s.dir, "nsd.conf"))
	c := s.keyed()
	z := newZone(t, c)
	if got := s.first(z); got.err != nil {
		t.Fatal(got.err)
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var size counter
	if _, err := z.Fetch(ctx, nil, &size); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d octets of text in %v", size, time.Since(begun))
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

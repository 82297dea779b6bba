package transfer_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/blocklists/mirror"
	"cordon/blocklists/transfer"
)

const (
	zoneName = "rpz.example."
	keyName  = "transfer.example."
	secret   = "c2VjcmV0IG9mIHRoZSB0cmFuc2ZlciB0ZXN0cw=="
)

// fake is a primary made of miekg/dns, at the other end of a pipe.
type fake struct {
	soa        string                  // answer to SOA
	axfr, ixfr [][]string              // messages of records; none: REFUSED
	key        string                  // "": no TSIG, else the secret
	signEvery  int                     // message of a transfer, 0: all
	change     func(i int, m *dns.Msg) // a message of a transfer before it is signed
	wire       func(i int, m []byte) []byte
	clock      time.Duration // beside the right time
	stay       bool          // the connection is not closed behind the last message
	noUDP      bool

	mu    sync.Mutex
	asked []string // "udp SOA"
}

// ask notes a query.
func (f *fake) ask(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, what)
}

// wasAsked is the queries that came, with commas between them.
func (f *fake) wasAsked() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.asked, ",")
}

func (f *fake) serve(conn net.Conn, network string) {
	defer conn.Close()
	octets, err := readFrame(conn, network)
	q := new(dns.Msg)
	if err != nil || q.Unpack(octets) != nil {
		return
	}
	f.ask(network + " " + dns.TypeToString[q.Question[0].Qtype])
	if network == "udp" && f.noUDP {
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	mac := ""
	if ts := q.IsTsig(); ts != nil && f.key != "" {
		mac = ts.MAC
		if dns.TsigVerify(octets, f.key, "", false) != nil {
			m := new(dns.Msg).SetRcode(q, dns.RcodeNotAuth)
			m.Extra = []dns.RR{&dns.TSIG{Hdr: dns.RR_Header{Name: ts.Hdr.Name, Rrtype: dns.TypeTSIG, Class: dns.ClassANY}, Algorithm: ts.Algorithm, Error: dns.RcodeBadSig, OrigId: m.Id}}
			packed, _ := m.Pack()
			writeFrame(conn, network, packed)
			return
		}
	}
	f.send(conn, network, q, mac)
	if f.stay {
		_, _ = io.Copy(io.Discard, conn)
	}
}

// send answers q with the messages there are.
func (f *fake) send(conn net.Conn, network string, q *dns.Msg, mac string) {
	messages := map[uint16][][]string{dns.TypeSOA: {{f.soa}}, dns.TypeAXFR: f.axfr, dns.TypeIXFR: f.ixfr}[q.Question[0].Qtype]
	if len(messages) == 0 {
		m := new(dns.Msg).SetRcode(q, dns.RcodeRefused)
		packed := f.sign(m, &signer{mac: mac}, true)
		writeFrame(conn, network, packed)
		return
	}
	s := &signer{mac: mac}
	for i, texts := range messages {
		m := new(dns.Msg).SetReply(q)
		m.Compress = true
		for _, text := range texts {
			m.Answer = append(m.Answer, rr(text))
		}
		if f.change != nil && q.Question[0].Qtype != dns.TypeSOA {
			f.change(i, m)
		}
		packed := f.sign(m, s, f.signEvery == 0 || i%f.signEvery == 0 || i == len(messages)-1)
		if f.wire != nil && q.Question[0].Qtype != dns.TypeSOA {
			packed = f.wire(i, packed)
		}
		if !writeFrame(conn, network, packed) {
			return
		}
	}
}

// signer is a [dns.TsigProvider] that has unsigned messages between the signed ones.
type signer struct {
	mac     string // hexadecimal, of the message before
	between []byte
	timers  bool
	key     []byte
}

func (s *signer) Generate(msg []byte, _ *dns.TSIG) ([]byte, error) {
	prefix := 0
	if s.mac != "" {
		prefix = 2 + len(s.mac)/2
	}
	h := hmac.New(sha256.New, s.key)
	h.Write(msg[:prefix])
	h.Write(s.between)
	h.Write(msg[prefix:])
	return h.Sum(nil), nil
}

func (s *signer) Verify([]byte, *dns.TSIG) error { return errors.New("not here") }

func (f *fake) sign(m *dns.Msg, s *signer, now bool) []byte {
	if f.key == "" || !now {
		packed, err := m.Pack()
		if err != nil {
			panic(err)
		}
		s.between = append(s.between, packed...)
		return packed
	}
	s.key, _ = base64.StdEncoding.DecodeString(f.key)
	m.SetTsig(keyName, dns.HmacSHA256, 300, time.Now().Add(f.clock).Unix())
	packed, mac, err := dns.TsigGenerateWithProvider(m, s, s.mac, s.timers)
	if err != nil {
		panic(err)
	}
	s.mac, s.timers, s.between = mac, true, nil
	return packed
}

func readFrame(conn net.Conn, network string) ([]byte, error) {
	buf := make([]byte, 1<<16)
	if network == "udp" {
		n, err := conn.Read(buf)
		return buf[:n], err
	}
	if _, err := io.ReadFull(conn, buf[:2]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint16(buf)
	_, err := io.ReadFull(conn, buf[:size])
	return buf[:size], err
}

func writeFrame(conn net.Conn, network string, m []byte) bool {
	if network == "tcp" {
		m = append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)
	}
	_, err := conn.Write(m)
	return err == nil
}

func rr(text string) dns.RR {
	r, err := dns.NewRR(text)
	if err != nil || r == nil {
		panic(fmt.Sprintf("%q: %v", text, err))
	}
	return r
}

// soaRecord is the text of a SOA record of the test zone.
func soaRecord(serial uint32) string {
	return fmt.Sprintf("%s 300 IN SOA ns.example. admin.example. %d 3600 600 86400 60", zoneName, serial)
}

// fakes is a network of primaries: 192.0.2.1 is the first. One that is nil refuses connections.
func fakes(primaries ...*fake) (addrs []netip.AddrPort, dial transfer.DialFunc) {
	byAddr := map[netip.AddrPort]*fake{}
	for i, f := range primaries {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 53)
		addrs = append(addrs, addr)
		byAddr[addr] = f
	}
	return addrs, func(_ context.Context, network string, addr netip.AddrPort) (net.Conn, error) {
		f := byAddr[addr]
		if f == nil {
			return nil, errors.New("connection refused")
		}
		ours, theirs := net.Pipe()
		go f.serve(theirs, network)
		return ours, nil
	}
}

// config is a Config for those primaries, with the key if the first has one.
func config(t *testing.T, primaries ...*fake) transfer.Config {
	t.Helper()
	c := transfer.Config{Zone: domain.MustParse(zoneName)}
	c.Primaries, c.Dial = fakes(primaries...)
	if primaries[0] != nil && primaries[0].key != "" {
		c.TSIG = &transfer.Key{Name: keyName, SecretFile: secretFile(t, secret+"\n")}
	}
	return c
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newZone(t *testing.T, c transfer.Config) *transfer.Zone {
	t.Helper()
	z, err := transfer.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// copyOf is a copy with that text.
func copyOf(t *testing.T, text, version string) *mirror.Copy {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &mirror.Copy{Path: path, Version: version, SHA256: sha256.Sum256([]byte(text)), Size: int64(len(text))}
}

// fetched is what a fetch gave.
type fetched struct {
	text    string
	outcome mirror.Outcome
	err     error
}

func fetch(t *testing.T, z *transfer.Zone, have *mirror.Copy) fetched {
	t.Helper()
	var w bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	outcome, err := z.Fetch(ctx, have, &w)
	return fetched{w.String(), outcome, err}
}

// zoneText is the text of a copy with the records, which are in order, and the SOA record.
func zoneText(serial uint32, records ...string) string {
	var text strings.Builder
	for _, r := range append([]string{soaRecord(serial)}, records...) {
		fields := strings.SplitN(r, " ", 5)
		text.WriteString(strings.Join(fields, "\t") + "\n")
	}
	fmt.Fprintf(&text, "; end of list: %d entries\n", len(records)+1)
	return text.String()
}

func addrPort(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

func noAddr() netip.Addr { return netip.Addr{} }

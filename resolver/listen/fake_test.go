package listen_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"cordon/resolver/listen"
	"cordon/resolver/wire"
)

// handler answers at the first door, but for names that begin with a word: see Answer and Start.
type handler struct {
	started chan started
}

// started is a query at the second door, and how to answer it.
type started struct {
	q     *wire.Query
	reply func([]byte)
}

func (s started) answer() { s.reply(empty(nil, s.q)) }

func newHandler() *handler { return &handler{started: make(chan started, 1024)} }

// Answer takes "panic…", "silent…" and "slow…", "crash…" (for Start) as instructions.
func (h *handler) Answer(dst []byte, q *wire.Query) ([]byte, bool) {
	switch {
	case word(q, "panic"):
		panic("as the test wants it")
	case word(q, "silent"):
		return nil, true
	case word(q, "slow"), word(q, "crash"):
		return nil, false
	default:
		return empty(dst, q), true
	}
}

func (h *handler) Start(q *wire.Query, reply func([]byte)) {
	if word(q, "crash") {
		panic("as the test wants it")
	}
	h.started <- started{q.Clone(), reply}
}

func word(q *wire.Query, w string) bool {
	return len(q.Name) > 1 && strings.HasPrefix(string(q.Name[1:]), w)
}

// empty is an answer without records; its rcode says what was wrong with q.
func empty(dst []byte, q *wire.Query) []byte {
	rcode := map[wire.Problem]wire.Rcode{wire.FormatError: wire.FormErr, wire.NotImplemented: wire.NotImp}[q.Problem]
	start := len(dst)
	dst = wire.Begin(dst, q, rcode, 0)
	return wire.Finish(dst, start, q, rcode, wire.Sections{}, &wire.EDE{Code: wire.EDENone})
}

// query is a query of type A for a name of labels without escapes.
func query(id uint16, name string) []byte {
	msg := binary.BigEndian.AppendUint16(nil, id)
	msg = append(msg, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	for label := range strings.SplitSeq(name, ".") {
		msg = append(msg, byte(len(label)))
		msg = append(msg, label...)
	}
	return append(msg, 0, 0, wire.TypeA, 0, wire.ClassINET)
}

// padded is a query with EDNS padding (RFC 7830) that makes it size octets long.
func padded(id uint16, name string, size int) []byte {
	msg := query(id, name)
	msg[11] = 1
	padding := size - len(msg) - 15
	msg = append(msg, 0, 0, wire.TypeOPT, 4, 208, 0, 0, 0, 0)
	msg = binary.BigEndian.AppendUint16(msg, uint16(4+padding))
	msg = append(msg, 0, 12)
	msg = binary.BigEndian.AppendUint16(msg, uint16(padding))
	return append(msg, make([]byte, padding)...)
}

// framed puts messages behind their lengths.
func framed(messages ...[]byte) []byte {
	var all []byte
	for _, msg := range messages {
		all = binary.BigEndian.AppendUint16(all, uint16(len(msg)))
		all = append(all, msg...)
	}
	return all
}

// readFramed reads one message from a stream and returns its ID.
func readFramed(t *testing.T, r io.Reader) (id uint16, msg []byte) {
	t.Helper()
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		t.Fatalf("read the length of an answer: %v", err)
	}
	msg = make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(r, msg); err != nil {
		t.Fatalf("read an answer: %v", err)
	}
	return binary.BigEndian.Uint16(msg), msg
}

func rcode(msg []byte) wire.Rcode { return wire.Rcode(msg[3] & 0xF) }

// serve makes a server of c, runs it, and stops it when the test ends, or when stop is called: stop waits for Run.
func serve(t testing.TB, c listen.Config) (server *listen.Server, stop func()) {
	t.Helper()
	server, err := listen.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v, want nil", err)
		}
	})
	t.Cleanup(stop)
	return server, stop
}

// bothWays runs test with sockets that move one datagram at a time, and with those that move as many as there are. They are
// the same where the system cannot do that.
func bothWays(t *testing.T, test func(t *testing.T, batch int)) {
	t.Helper()
	t.Run("one by one", func(t *testing.T) { test(t, 1) })
	t.Run("in batches", func(t *testing.T) { test(t, 32) })
}

// loopback serves h on a free port of 127.0.0.1.
func loopback(t testing.TB, h listen.Handler) (addr netip.AddrPort, stop func()) {
	t.Helper()
	s, stop := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 1, Handler: h})
	return s.Addrs()[0], stop
}

func addrs(texts ...string) []netip.AddrPort {
	all := make([]netip.AddrPort, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParseAddrPort(text)
	}
	return all
}

// dial connects to addr; every wait on the connection fails the test after some seconds.
func dial(t testing.TB, network string, addr netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func send(t testing.TB, conn io.Writer, data []byte) {
	t.Helper()
	if _, err := conn.Write(data); err != nil {
		t.Fatal(err)
	}
}

// receive reads one datagram.
func receive(t testing.TB, conn io.Reader) (id uint16, msg []byte) {
	t.Helper()
	buf := make([]byte, 65535)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	if n < wire.HeaderLen {
		t.Fatalf("got %d octets, want an answer", n)
	}
	return binary.BigEndian.Uint16(buf), buf[:n]
}

// wantClosed reads on until the server has closed the stream.
func wantClosed(t testing.TB, conn io.Reader) {
	t.Helper()
	n, err := io.Copy(io.Discard, conn)
	if n != 0 {
		t.Errorf("got %d octets before the end, want 0", n)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is still open: %v", err)
	}
}

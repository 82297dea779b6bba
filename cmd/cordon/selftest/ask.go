package selftest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"cordon/blocklists/domain"
	"cordon/resolver/wire"
)

// errElsewhere says that an address is not of this host, such as one that moves between two servers: who answers there is another.
var errElsewhere = errors.New("the address is not of this host now")

// line is a socket to an address of this host.
type line struct {
	conn   net.Conn
	stream bool
	buffer []byte
}

// dial opens a line to addr by network, which is "udp" or "tcp". Nothing is sent by UDP. A wildcard is asked at the loopback address.
func dial(ctx context.Context, network string, addr netip.AddrPort) (*line, error) {
	if addr.Addr().IsUnspecified() {
		addr = netip.AddrPortFrom(loopback(addr.Addr()), addr.Port())
	}
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, network, addr.String())
	if err != nil {
		return nil, err
	}
	l := &line{conn: conn, stream: network == "tcp", buffer: make([]byte, wire.MaxMessage)}
	if local := l.local().Addr(); !local.IsLoopback() && local != addr.Addr().Unmap().WithZone("") {
		l.close() // the system sends to its own addresses from these
		return nil, errElsewhere
	}
	return l, nil
}

// loopback is the loopback address of the family of a.
func loopback(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

// local is our end, as a listener sees it.
func (l *line) local() netip.AddrPort {
	var at netip.AddrPort
	switch addr := l.conn.LocalAddr().(type) {
	case *net.UDPAddr:
		at = addr.AddrPort()
	case *net.TCPAddr:
		at = addr.AddrPort()
	}
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
}

func (l *line) close() { _ = l.conn.Close() }

// patience is how long an answer is waited for, which needs nobody but this process.
const patience = time.Second

// ask sends query and returns the answer to it, which is dead at the next call. What answers an earlier query is passed over.
func (l *line) ask(ctx context.Context, query []byte, patience time.Duration) ([]byte, error) {
	_ = l.conn.SetDeadline(time.Now().Add(patience))
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := query
	if l.stream {
		sent = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	}
	if _, err := l.conn.Write(sent); err != nil {
		return nil, err
	}
	for {
		answer, err := l.read()
		if err != nil {
			return nil, err
		}
		if answers(answer, query) {
			return answer, nil
		}
	}
}

func (l *line) read() ([]byte, error) {
	if !l.stream {
		n, err := l.conn.Read(l.buffer)
		return l.buffer[:max(n, 0)], err
	}
	var length [2]byte
	if _, err := io.ReadFull(l.conn, length[:]); err != nil {
		return nil, err
	}
	answer := l.buffer[:binary.BigEndian.Uint16(length[:])]
	_, err := io.ReadFull(l.conn, answer)
	return answer, err
}

// answers says whether answer has the ID and the question of query, which is ours and has one.
func answers(answer, query []byte) bool {
	end := wire.HeaderLen
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 1 + 4
	return len(answer) >= end && [2]byte(answer) == [2]byte(query) && answer[2]&0x80 != 0 &&
		bytes.Equal(answer[wire.HeaderLen:end], query[wire.HeaderLen:end])
}

// newQuery asks for the IPv4 address of name, with a random ID and a claim (RFC 1035, section 4.1; RFC 6891, section 6.1).
func newQuery(name domain.Name, claim []byte) []byte {
	query := make([]byte, wire.HeaderLen, 512)
	_, _ = rand.Read(query[:2]) // it has no error
	query[2] = wire.FlagRD >> 8
	query[5], query[11] = 1, 1 // one question, one additional record
	query = append(query, name...)
	query = binary.BigEndian.AppendUint16(query, wire.TypeA)
	query = binary.BigEndian.AppendUint16(query, wire.ClassINET)
	query = append(query, 0) // OPT, of the root
	query = binary.BigEndian.AppendUint16(query, wire.TypeOPT)
	query = binary.BigEndian.AppendUint16(query, wire.MaxUDP)
	query = append(query, 0, 0, 0, 0)
	query = binary.BigEndian.AppendUint16(query, uint16(4+len(claim)))
	query = binary.BigEndian.AppendUint16(query, wire.OptionClaim)
	query = binary.BigEndian.AppendUint16(query, uint16(len(claim)))
	return append(query, claim...)
}

// Alive asks the first address of this host over UDP, as a client with that address, and waits so long. Any answer will do, a refusal too:
// whom it answers is a matter of policy. Where no address is of this host now, there is nothing to be asked. One goroutine at a time may
// call it.
func (t *Tester) Alive(ctx context.Context, patience time.Duration) error {
	for _, addr := range t.c.Addresses() {
		l, err := dial(ctx, "udp", addr)
		if errors.Is(err, errElsewhere) {
			continue
		}
		if err == nil {
			local := l.local()
			t.pulse.Store(&local)
			_, err = l.ask(ctx, newQuery(domain.MustParse("localhost"), t.claim(local.Addr())), patience)
			t.pulse.Store(nil)
			l.close()
		}
		return err
	}
	return nil
}

// lostBy says why a question has no answer.
func lostBy(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return "found no answer"
	}
	return "found no answer: " + err.Error()
}

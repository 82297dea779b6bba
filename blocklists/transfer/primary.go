package transfer

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
)

const (
	udpWait     = 2 * time.Second // for an answer over UDP; TCP is asked then
	maxDatagram = 4096            // octets
	maxStray    = 16              // datagrams that are no answer
	maxMessage  = 1<<16 - 1       // octets: a length of 16 bits is in front of a message (RFC 1035, section 4.2.2)
)

// DialFunc opens a connection to addr; network is "udp" or "tcp".
type DialFunc func(ctx context.Context, network string, addr netip.AddrPort) (net.Conn, error)

// primary is a server that has the zone, during one fetch.
type primary struct {
	zone    domain.Name
	addr    netip.AddrPort
	key     *secretKey // nil: no TSIG
	timeout time.Duration
	dial    DialFunc
}

// query is a query to a primary.
type query struct {
	octets []byte
	id     uint16
	qtype  uint16
	mac    []byte // of the query, nil without TSIG
}

// query makes a query for the zone. That of an IXFR has the serial of the copy (RFC 1995, section 3).
func (p *primary) query(qtype uint16, serial uint32) (query, error) {
	var id [2]byte
	_, _ = rand.Read(id[:]) // never fails
	zone := dns.Fqdn(p.zone.String())
	m := dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: binary.BigEndian.Uint16(id[:])},
		Question: []dns.Question{{Name: zone, Qtype: qtype, Qclass: dns.ClassINET}},
	}
	if qtype == dns.TypeIXFR {
		head := dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET}
		m.Ns = []dns.RR{&dns.SOA{Hdr: head, Ns: ".", Mbox: ".", Serial: serial}}
	}
	octets, err := m.Pack()
	if err != nil {
		return query{}, fmt.Errorf("make the query: %w", err)
	}
	q := query{octets: octets, id: m.Id, qtype: qtype}
	if p.key != nil {
		q.octets, q.mac = p.key.sign(octets, nil, tsig{signed: uint64(time.Now().Unix())})
	}
	return q, nil
}

// verifier checks the answer to q; nil without TSIG.
func (p *primary) verifier(q query) *verifier {
	if p.key == nil {
		return nil
	}
	return newVerifier(p.key, q.mac)
}

// accept says why a message of the answer to a query cannot be used.
func (p *primary) accept(m *message, v *verifier) error {
	if v != nil {
		if err := complaint(m, p.key); err != nil {
			return err
		}
		if err := v.check(m, time.Now()); err != nil {
			return err
		}
	}
	switch code := m.rcode(); code {
	case dns.RcodeSuccess:
		return nil
	case dns.RcodeRefused, dns.RcodeNotAuth:
		return fmt.Errorf("the primary answers %s: it must have the zone, and allow transfers to this host's address or TSIG key",
			rcodeText(code))
	default:
		return fmt.Errorf("the primary answers %s", rcodeText(code))
	}
}

// version asks for the SOA record of the zone: over UDP, and over TCP if nothing comes, or not all.
func (p *primary) version(ctx context.Context) (soa, error) {
	q, err := p.query(dns.TypeSOA, 0)
	if err != nil {
		return soa{}, err
	}
	m, err := p.ask(ctx, "udp", q)
	if err != nil || m.flags&flagTC != 0 {
		m, err = p.ask(ctx, "tcp", q)
	}
	if err == nil {
		err = p.accept(&m, p.verifier(q))
	}
	if err != nil {
		return soa{}, fmt.Errorf("ask for the SOA record: %w", err)
	}
	return p.findSOA(&m)
}

// findSOA is the zone's SOA record among the answers of m.
func (p *primary) findSOA(m *message) (soa, error) {
	at := m.records
	for range m.answers {
		raw, _ := m.record(at)
		at = raw.end
		r, err := readRecord(nil, p.zone, m, raw)
		if err == nil && r.rtype == dns.TypeSOA {
			return newSOA(r), nil
		}
	}
	return soa{}, errors.New("ask for the SOA record: the answer has none, want a primary of the zone")
}

// ask sends q and returns the answer to it, which is not checked further.
func (p *primary) ask(ctx context.Context, network string, q query) (message, error) {
	if network == "tcp" {
		s, err := p.open(ctx, q)
		if err != nil {
			return message{}, err
		}
		defer s.close()
		return s.next()
	}
	conn, err := p.connect(ctx, network)
	if err != nil {
		return message{}, err
	}
	defer conn.close()
	_ = conn.SetDeadline(time.Now().Add(min(udpWait, p.timeout)))
	if _, err := conn.Write(q.octets); err != nil {
		return message{}, err
	}
	return p.hear(conn, q)
}

// hear reads datagrams until one is the answer to q. Others are as if they had not come.
func (p *primary) hear(conn io.Reader, q query) (message, error) {
	buf := make([]byte, maxDatagram)
	for range maxStray {
		n, err := conn.Read(buf)
		if err != nil {
			return message{}, err
		}
		m, err := parseMessage(buf[:n])
		if err == nil && m.repliesTo(q.id, p.zone, q.qtype) {
			return m, nil
		}
	}
	return message{}, errors.New("too many datagrams that are no answer")
}

// connection ends when its context does.
type connection struct {
	net.Conn
	stop func() bool
}

func (c connection) close() {
	c.stop()
	_ = c.Close()
}

func (p *primary) connect(ctx context.Context, network string) (connection, error) {
	dialing, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	conn, err := p.dial(dialing, network, p.addr)
	if err != nil {
		return connection{}, err
	}
	return connection{Conn: conn, stop: context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
}

// stream is the messages of an answer over TCP.
type stream struct {
	connection
	p   *primary
	q   query
	in  *bufio.Reader
	buf []byte
}

// open connects and sends q.
func (p *primary) open(ctx context.Context, q query) (*stream, error) {
	conn, err := p.connect(ctx, "tcp")
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(p.timeout))
	if _, err := conn.Write(appendCounted(nil, q.octets)); err != nil {
		conn.close()
		return nil, err
	}
	return &stream{connection: conn, p: p, q: q, in: bufio.NewReaderSize(conn, 1<<16), buf: make([]byte, maxMessage)}, nil
}

// next reads the next message, all of which must come within the timeout. The message is overwritten by the one after it.
func (s *stream) next() (message, error) {
	_ = s.SetReadDeadline(time.Now().Add(s.p.timeout))
	var size [2]byte
	if _, err := io.ReadFull(s.in, size[:]); err != nil {
		return message{}, s.explain(err)
	}
	octets := s.buf[:binary.BigEndian.Uint16(size[:])]
	if _, err := io.ReadFull(s.in, octets); err != nil {
		return message{}, s.explain(err)
	}
	m, err := parseMessage(octets)
	if err == nil && !m.repliesTo(s.q.id, s.p.zone, s.q.qtype) {
		err = errors.New("the primary sent something else than the answer to our query")
	}
	return m, err
}

// explain says what an error of reading means.
func (s *stream) explain(err error) error {
	var late net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the primary closed the connection before the end of its answer")
	case errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("no message within %v", s.p.timeout)
	default:
		return err
	}
}

// transfer asks for the zone and gives its records to a.
func (p *primary) transfer(ctx context.Context, qtype uint16, a *assembly) error {
	q, err := p.query(qtype, a.have)
	if err != nil {
		return err
	}
	s, err := p.open(ctx, q)
	if err != nil {
		return err
	}
	defer s.close()
	v := p.verifier(q)
	for {
		m, err := s.next()
		if err != nil {
			return err
		}
		if err := p.accept(&m, v); err != nil {
			return err
		}
		done, err := p.take(&m, a)
		if err != nil {
			return err
		}
		if done && v != nil {
			return v.end()
		}
		if done {
			return nil
		}
	}
}

// take gives the records of a message to a.
func (p *primary) take(m *message, a *assembly) (done bool, err error) {
	if m.answers == 0 {
		return false, errors.New("a message of the answer has no records")
	}
	at := m.records
	for range m.answers {
		if done {
			return false, errors.New("records follow the closing SOA record")
		}
		raw, _ := m.record(at)
		at = raw.end
		r, err := readRecord(a.buf, p.zone, m, raw)
		if err != nil {
			return false, err
		}
		a.buf = r.key
		if done, err = a.take(r); err != nil {
			return false, err
		}
	}
	return done, nil
}

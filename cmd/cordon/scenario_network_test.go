package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/wire"
)

// dial is an upstream.DialFunc.
func (n *fakeNet) dial(_ context.Context, network string, addr netip.AddrPort) (net.Conn, error) {
	m := n.manner(addr.Addr())
	if m.closed || m.noTCP && network == "tcp" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	client, server := net.Pipe()
	go n.serve(server, network, addr.Addr())
	if network == "udp" {
		return port{client}, nil
	}
	return client, nil
}

// port is a connected UDP socket: it is not closed by the other side, but refused.
type port struct {
	net.Conn
}

func (p port) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if errors.Is(err, io.EOF) {
		err = &net.OpError{Op: "read", Net: "udp", Err: syscall.ECONNREFUSED}
	}
	return n, err
}

// serve answers what comes until the client has gone or the server is closed. Each query has a goroutine, for a slow answer must not
// keep others from coming in.
func (n *fakeNet) serve(conn net.Conn, network string, server netip.Addr) {
	defer conn.Close()
	buf := make([]byte, 600)
	for {
		length, err := conn.Read(buf)
		if err != nil || n.manner(server).closed {
			return
		}
		msg := buf[:length]
		if network == "tcp" {
			msg = msg[2:]
		}
		q := new(dns.Msg)
		if err := q.Unpack(msg); err != nil {
			n.x.errorf("upstream %s: the query does not parse: %v", server, err)
			return
		}
		if wrong := unlikeOurs(q); wrong != "" {
			n.x.errorf("upstream %s: the query has %s: %s", server, wrong, q)
		}
		n.mu.Lock()
		n.asked = append(n.asked, asked{server, network, strings.ToLower(q.Question[0].Name)})
		n.mu.Unlock()
		go n.answer(conn, server, network, q)
	}
}

// unlikeOurs says what of q no upstream may get to see, whatever clients ask.
func unlikeOurs(q *dns.Msg) string {
	opt := q.IsEdns0()
	switch {
	case len(q.Question) != 1 || len(q.Answer)+len(q.Ns) > 0 || len(q.Extra) > 1 || len(q.Extra) == 1 && opt == nil:
		return "more than a question"
	case q.Response || q.Opcode != dns.OpcodeQuery || !q.RecursionDesired || q.Authoritative || q.Truncated || q.RecursionAvailable || q.Zero:
		return "bits that are not of a question"
	case q.Question[0].Name != strings.ToLower(q.Question[0].Name):
		return "the client's spelling"
	case opt != nil && (len(opt.Option) > 0 || opt.Version() != 0 || opt.Z() != 0 || opt.UDPSize() != wire.MaxUDP):
		return "more in its OPT record than DO"
	default:
		return ""
	}
}

// answer sends the answer to q, if the server has one.
func (n *fakeNet) answer(conn net.Conn, server netip.Addr, network string, q *dns.Msg) {
	answer := n.reply(server, network, q)
	if answer == nil {
		return
	}
	if network == "tcp" {
		answer = append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)
		if n.manner(server).hangUp {
			answer = answer[:len(answer)-1]
			defer conn.Close()
		}
	}
	_, _ = conn.Write(answer) // fails when the client has gone
}

// reply is the answer to q in the manner of the server, nil for none.
func (n *fakeNet) reply(server netip.Addr, network string, q *dns.Msg) []byte {
	m := n.manner(server)
	if m.silent {
		return nil
	}
	time.Sleep(m.slow) // in the bubble
	r := new(dns.Msg).SetReply(q)
	r.RecursionAvailable, r.CheckingDisabled = true, q.CheckingDisabled
	opt := q.IsEdns0()
	size := dns.MinMsgSize
	switch {
	case opt != nil && m.noEDNS:
		r.Rcode = dns.RcodeFormatError
	case m.rcode != 0:
		r.Rcode = m.rcode
	default:
		n.resolve(server, q, r, m)
	}
	if opt != nil && !m.noEDNS {
		size = int(opt.UDPSize())
		r.SetEdns0(1232, opt.Do())
	}
	m.apply(q, r)
	if network == "udp" && (m.cut || r.Len() > size) {
		r.Answer, r.Ns, r.Extra, r.Truncated = nil, nil, nil, true
	}
	r.Compress = true
	msg, err := r.Pack()
	if err != nil {
		n.x.errorf("upstream %s: %v", server, err)
		return nil
	}
	if m.garbage {
		msg = msg[:len(msg)-3]
	}
	return msg
}

func (m *manner) apply(q, r *dns.Msg) {
	opt := q.IsEdns0()
	r.AuthenticatedData = m.ad && (q.AuthenticatedData || opt != nil && opt.Do())
	for _, change := range m.changes {
		change(r)
	}
}

// resolve answers q by what the script told, along aliases.
func (n *fakeNet) resolve(server netip.Addr, q, r *dns.Msg, m manner) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := strings.ToLower(q.Question[0].Name)
	for hop := range 64 {
		next, known := n.hop(server, name, q, r, m)
		if !known && hop == 0 {
			n.x.errorf("upstream %s is asked for %s %s, of which the script told it nothing", server, name,
				dns.Type(q.Question[0].Qtype))
		}
		if next == "" {
			return
		}
		name = next
	}
}

// hop adds what is known of name. next is where it leads to.
func (n *fakeNet) hop(server netip.Addr, name string, q, r *dns.Msg, m manner) (next string, known bool) {
	if s := n.find(server, name, q.Question[0].Qtype); s != nil {
		s.add(name, q, r)
		return "", true
	}
	if s := n.find(server, name, dns.TypeCNAME); s != nil {
		s.add(name, q, r)
		return strings.ToLower(s.records[0].(*dns.CNAME).Target), true //nolint:forcetypeassert // what it was found by
	}
	for off, end := dns.NextLabel(name, 0); !end; off, end = dns.NextLabel(name, off) {
		s := n.find(server, name[off:], dns.TypeDNAME)
		if s == nil || len(s.records) == 0 {
			continue
		}
		s.add(name[off:], q, r)
		d := s.records[0].(*dns.DNAME) //nolint:forcetypeassert // what it was found by
		next = name[:off] + strings.ToLower(d.Target)
		if !m.bare {
			hdr := dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: d.Hdr.Ttl}
			r.Answer = append(r.Answer, &dns.CNAME{Hdr: hdr, Target: next})
		}
		return next, true
	}
	return "", false
}

func (n *fakeNet) find(server netip.Addr, name string, rtype uint16) *saying {
	for _, about := range []fact{{server, name}, {name: name}} {
		for _, s := range n.told[about] {
			if s.rtype == rtype || s.rtype == 0 {
				return s
			}
		}
	}
	return nil
}

// add adds s to the answer r.
func (s *saying) add(name string, q, r *dns.Msg) {
	if s.bogus && !q.CheckingDisabled {
		r.Rcode = dns.RcodeServerFailure
		return
	}
	r.Rcode = s.rcode
	r.Answer = append(r.Answer, s.records...)
	if s.soa != nil {
		r.Ns = append(r.Ns, s.soa)
	}
	opt := q.IsEdns0()
	if s.signed && len(s.records) > 0 && opt != nil && opt.Do() {
		h := s.records[0].Header()
		r.Answer = append(r.Answer, &dns.RRSIG{
			Hdr:         dns.RR_Header{Name: name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: h.Ttl},
			TypeCovered: h.Rrtype, Algorithm: 13, Labels: uint8(dns.CountLabel(name)), OrigTtl: h.Ttl,
			Expiration: 4102444800, SignerName: "example.", Signature: "c2lnbmF0dXJl",
		})
	}
}

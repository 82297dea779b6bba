package listen

import (
	"net"
	"net/netip"
)

// Sizes in octets.
const (
	maxDatagram = 4096 // what is read of a query; the system cuts the rest off, and what is left is a FORMERR
	answerRoom  = 2048 // more than any answer over UDP; a longer one allocates
	controlRoom = 64   // one control message with an address; 40 on Linux
)

// socket is the seam between a worker and its UDP socket.
type socket interface {
	// receive waits for datagrams and returns those that are there, at least one. They belong to the socket and are the
	// caller's until the next call. Called by one goroutine.
	receive() ([]packet, error)
	// send sends the answers, where there are any, of what receive returned last, and returns how many could not be sent.
	// Called by the same goroutine.
	send(packets []packet) (failed int)
	// sendLater sends one answer. It may be called by many goroutines at once, beside receive and send.
	sendLater(answer []byte, to *route) error
}

// packet is a place for one query and its answer.
type packet struct {
	in     []byte // the whole buffer
	query  []byte // what was received of it
	out    []byte // a buffer for answers
	answer []byte // empty: nothing to send
	route
}

// route is the way back to who asked.
type route struct {
	peer       netip.AddrPort
	controlLen int               // 0: the system chooses the source of the answer
	control    [controlRoom]byte // control[:controlLen] goes with the answer and makes the asked address its source
}

// packetRoom is an odd number of cache lines, so that the same octets of different packets, which are the ones in use, do not
// all fall into the same few places of the processor's cache.
const packetRoom = answerRoom + maxDatagram + 64

func newPackets(n int) []packet {
	packets := make([]packet, n)
	rooms := make([]byte, n*packetRoom)
	for i := range packets {
		room := rooms[i*packetRoom:]
		packets[i].out = room[:0:answerRoom]
		packets[i].in = room[answerRoom:][:maxDatagram:maxDatagram]
	}
	return packets
}

// plainSocket moves one datagram at a time. Its answers leave from where the system likes: the address that it is bound to.
type plainSocket struct {
	conn    *net.UDPConn
	packets []packet // one
}

func newPlainSocket(conn *net.UDPConn) *plainSocket {
	return &plainSocket{conn: conn, packets: newPackets(1)}
}

func (s *plainSocket) receive() ([]packet, error) {
	p := &s.packets[0]
	n, peer, err := s.conn.ReadFromUDPAddrPort(p.in)
	if err != nil {
		return nil, err
	}
	p.query, p.peer = p.in[:n], peer
	return s.packets, nil
}

func (s *plainSocket) send(packets []packet) (failed int) {
	return sendEach(s, packets)
}

func (s *plainSocket) sendLater(answer []byte, to *route) error {
	_, err := s.conn.WriteToUDPAddrPort(answer, to.peer)
	return err
}

// sendEach sends the answers one by one.
func sendEach(s socket, packets []packet) (failed int) {
	for i := range packets {
		p := &packets[i]
		if len(p.answer) > 0 && s.sendLater(p.answer, &p.route) != nil {
			failed++
		}
	}
	return failed
}

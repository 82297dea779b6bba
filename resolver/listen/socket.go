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
	// receive waits for datagrams and fills the first n ≥ 1 of packets. Called by one goroutine.
	receive(packets []packet) (n int, err error)
	// send sends the answers of packets, where there is one, and returns how many could not be sent. Called by the same goroutine.
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

func newPackets(n int) []packet {
	packets := make([]packet, n)
	for i := range packets {
		packets[i].in = make([]byte, maxDatagram)
		packets[i].out = make([]byte, 0, answerRoom)
	}
	return packets
}

// plainSocket is a socket whose answers leave from where the system likes: the address that it is bound to.
type plainSocket struct {
	conn *net.UDPConn
}

func (s plainSocket) receive(packets []packet) (int, error) {
	p := &packets[0]
	n, peer, err := s.conn.ReadFromUDPAddrPort(p.in)
	if err != nil {
		return 0, err
	}
	p.query, p.peer = p.in[:n], peer
	return 1, nil
}

func (s plainSocket) send(packets []packet) (failed int) {
	return sendEach(s, packets)
}

func (s plainSocket) sendLater(answer []byte, to *route) error {
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

package upstream

import (
	"context"
	"encoding/binary"
	"io"
	"net/netip"
	"time"
)

// overTCP asks a's server over a connection of its own until limit or the flight's end, whichever is first. It is rare, so it
// has a goroutine. It has ended if nothing may be sent.
func (f *flight) overTCP(a *attempt, limit time.Time) (o outcome, ended bool) {
	if !f.spend(a.c, tcp) {
		return outcome{kind: Timeout}, true
	}
	if limit.After(f.deadline) {
		limit = f.deadline
	}
	var ctx context.Context
	ctx, a.cancel = context.WithDeadline(context.Background(), limit)
	var buf [2]byte
	id := newID(buf[:])
	query := f.question.appendTo(make([]byte, 2, 2+maxQuery), id, a.c.trusted, a.edns)
	binary.BigEndian.PutUint16(query, uint16(len(query)-2))
	dial, addr, t := f.g.dial, a.c.addr, f.ticket(a)
	go func() {
		msg, err := exchange(ctx, dial, addr, limit, query)
		t.exchanged(msg, id, err)
	}()
	return outcome{}, false
}

// exchange sends query and reads one message, each behind its length in two octets (RFC 1035, section 4.2.2).
func exchange(ctx context.Context, dial DialFunc, addr netip.AddrPort, limit time.Time, query []byte) ([]byte, error) {
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err = conn.SetDeadline(limit); err != nil {
		return nil, err
	}
	if _, err = conn.Write(query); err != nil {
		return nil, err
	}
	length := query[:2]
	if _, err = io.ReadFull(conn, length); err != nil {
		return nil, err
	}
	return readMessage(conn, int64(binary.BigEndian.Uint16(length)))
}

// readMessage reads length octets. It takes memory as they come: many servers may promise much and send little.
func readMessage(r io.Reader, length int64) ([]byte, error) {
	msg, err := io.ReadAll(io.LimitReader(r, length))
	if err == nil && int64(len(msg)) < length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	return msg, nil
}

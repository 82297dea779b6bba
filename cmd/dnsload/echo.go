package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"cordon/resolver/wire"
)

const echoRoom = 512

// serveEcho sends each datagram back as a response, until the time is over: what a server takes that does nothing with a query.
func serveEcho(ctx context.Context, o *options) error {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(o.echo))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(o.seconds*float64(time.Second)))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = conn.SetReadBuffer(socketRoom)
	if err := echoAll(conn); !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// echoPlainly returns when the socket's deadline is over.
func echoPlainly(conn *net.UDPConn) error {
	room := make([]byte, echoRoom)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(room)
		if err != nil {
			return err
		}
		if echoable(room[:n]) {
			sendBack(conn, room[:n], from)
		}
	}
}

func sendBack(conn *net.UDPConn, message []byte, to netip.AddrPort) {
	_, _ = conn.WriteToUDPAddrPort(message, to) // a query may be lost
}

// echoable makes a response of a query; a response is not answered, for that could go on for ever.
func echoable(message []byte) bool {
	const qr = wire.FlagQR >> 8
	if len(message) < wire.HeaderLen || message[2]&qr != 0 {
		return false
	}
	message[2] |= qr
	return true
}

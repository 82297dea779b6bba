package upstream

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"
)

// FuzzExchange: of what a server sends over TCP, in whatever pieces, the first whole message is taken, and else there is an error.
func FuzzExchange(f *testing.F) {
	f.Add([]byte("\x00\x03abc"), uint8(1))
	f.Add([]byte("\x00\x03abcd"), uint8(200))
	f.Add([]byte("\x00\x03ab"), uint8(2))
	f.Add([]byte("\x00\x00"), uint8(0))
	f.Add([]byte("\x00"), uint8(0))
	f.Add([]byte("\xff\xffabc"), uint8(0))
	f.Add([]byte(nil), uint8(0))
	f.Fuzz(func(t *testing.T, sent []byte, piece uint8) {
		query := []byte("\x00\x05query")
		dial := func(context.Context, string, netip.AddrPort) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				got := make([]byte, len(query))
				if _, err := io.ReadFull(there, got); err != nil || !bytes.Equal(got[2:], []byte("query")) {
					t.Errorf("the server got %q, %v", got, err)
				}
				for rest := sent; len(rest) > 0; {
					n := min(len(rest), int(piece)+1)
					if _, err := there.Write(rest[:n]); err != nil {
						return
					}
					rest = rest[n:]
				}
			}()
			return here, nil
		}
		msg, err := exchange(t.Context(), dial, netip.AddrPort{}, time.Now().Add(time.Minute), query)
		var want []byte
		whole := len(sent) >= 2 && len(sent) >= 2+int(binary.BigEndian.Uint16(sent))
		if whole {
			want = sent[2 : 2+int(binary.BigEndian.Uint16(sent))]
		}
		if (err == nil) != whole || !bytes.Equal(msg, want) {
			t.Errorf("got %q, %v; want %q", msg, err, want)
		}
	})
}

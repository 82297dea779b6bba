package listen_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"cordon/resolver/listen"
	"cordon/resolver/wire"
)

// FuzzStream: whatever comes over a connection, in whatever pieces, each whole query is answered, in order and once, up to what is none:
// that ends the connection, and may take the answers that were not written yet with it.
func FuzzStream(f *testing.F) {
	www := query(1, "www.example")
	f.Add(framed(www, query(2, "silent.example"), query(3, "www.example")), uint16(5))
	f.Add(framed(www, padded(4, "www.example", 5000)), uint16(1))
	f.Add(append(framed(www), 0), uint16(0))
	f.Add(append(framed(www), 0xFF, 0xFF, 1), uint16(3))
	f.Add(framed(www, []byte{1, 2, 3}, www), uint16(14))
	f.Add(framed(www, nil, www), uint16(400))
	f.Add(framed(query(5, "www.example")[:20], []byte("\x00\x06\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00")), uint16(30))
	f.Add([]byte("PROXY TCP4 192.0.2.1 192.0.2.2 40000 53\r\n"), uint16(2))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint16(7))
	f.Fuzz(func(t *testing.T, sent []byte, piece uint16) {
		if slices.ContainsFunc(messagesOf(sent), goesAstray) {
			t.Skip("a word for the handler")
		}
		bubble(t, listen.Limits{}, func(t *testing.T, _ *handler, p *pipes, _ func()) {
			conn := p.dial("192.0.2.1")
			go func() {
				for part := range slices.Chunk(sent, int(piece)+1) {
					if _, err := conn.Write(part); err != nil {
						return
					}
				}
			}()
			got, err := io.ReadAll(conn) // until it is idle, at the latest
			if err != nil {
				t.Fatal(err)
			}
			want, sound := answered(sent)
			answers := messagesOf(got)
			if len(framed(answers...)) != len(got) {
				t.Fatalf("what came is not whole messages: %x", got)
			}
			if !sound {
				want = want[:min(len(want), len(answers))]
			}
			if !slices.EqualFunc(answers, want, func(msg []byte, id uint16) bool { return binary.BigEndian.Uint16(msg) == id }) {
				t.Errorf("%d answers, want those to the queries %v", len(answers), want)
			}
			synctest.Wait()
		})
	})
}

// messagesOf are the whole messages that stream begins with.
func messagesOf(stream []byte) (all [][]byte) {
	for len(stream) >= 2 {
		n := 2 + int(binary.BigEndian.Uint16(stream))
		if n > len(stream) {
			break
		}
		all = append(all, stream[2:n])
		stream = stream[n:]
	}
	return all
}

// answered are the IDs of the queries that stream begins with and that the handler answers. It is sound if all its messages are queries.
func answered(stream []byte) (ids []uint16, sound bool) {
	rest := stream
	for _, msg := range messagesOf(stream) {
		q := new(wire.Query)
		if q.Parse(msg) == wire.Drop {
			return ids, false
		}
		if !word(q, "silent") {
			ids = append(ids, q.ID)
		}
		rest = rest[2+len(msg):]
	}
	return ids, len(rest) < 2 || binary.BigEndian.Uint16(rest) >= wire.HeaderLen
}

// goesAstray says whether msg has a word that makes the handler wait or panic.
func goesAstray(msg []byte) bool {
	lower := bytes.ToLower(msg)
	return slices.ContainsFunc([]string{"panic", "slow", "crash"}, func(w string) bool { return bytes.Contains(lower, []byte(w)) })
}

package upstream

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/miekg/dns"

	"cordon/resolver/wire"
)

// FuzzMatches: what matches takes for the answer has the ID, and the one question that was asked, by the book of miekg/dns.
func FuzzMatches(f *testing.F) {
	m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	m.Id, m.Response = 0x1234, true
	seed, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	name := []byte("\x03www\x07example\x03org\x00")
	f.Add(seed, name)
	f.Add(bytes.ToUpper(seed), name)
	f.Add(seed[:len(seed)-1], name)
	f.Add(append(bytes.Clone(seed), 0), name)
	f.Add(bytes.Replace(seed, []byte("\x07example"), []byte("\xc0\x0cxample"), 1), name)
	f.Add(seed, []byte("\x0bwww.example\x03org\x00"))
	f.Add([]byte("\x12\x34\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00"), name)
	f.Add([]byte("\x12\x34\x80\x02\x00\x00\x00\x00\x00\x00\x00\x00"), name)
	for i := range seed { // a bit in each octet
		flipped := bytes.Clone(seed)
		flipped[i] ^= 0x80
		f.Add(flipped, name)
		flipped = bytes.Clone(seed)
		flipped[i] ^= 0x08
		f.Add(flipped, name)
	}
	f.Fuzz(func(t *testing.T, msg, name []byte) {
		if !validName(name) {
			return
		}
		q := question{rtype: dns.TypeA, class: dns.ClassINET, length: len(name)}
		copy(q.octets[:], name)
		if got, want := q.matches(msg, 0x1234), sameQuestion(msg, name); got != want {
			t.Fatalf("matches says %v, miekg/dns %v", got, want)
		}
	})
}

// sameQuestion is matches, slowly and by another parser. It looks at the question alone, as matches does.
func sameQuestion(msg, name []byte) bool {
	if len(msg) < wire.HeaderLen {
		return false
	}
	head := bytes.Clone(msg)
	copy(head[6:12], make([]byte, 6)) // no records: they are ReadMessage's job
	var m dns.Msg
	if err := m.Unpack(head); err != nil && len(m.Question) == 0 && len(msg) > wire.HeaderLen {
		return false
	}
	if m.Id != 0x1234 || !m.Response || m.Opcode != dns.OpcodeQuery {
		return false
	}
	if len(msg) == wire.HeaderLen && bytes.Equal(msg[4:], make([]byte, 8)) && (m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented) {
		return true // nothing but an error
	}
	if len(m.Question) != 1 {
		return false
	}
	if binary.BigEndian.Uint16(msg[4:]) != 1 {
		return false
	}
	asked, _, err := dns.UnpackDomainName(name, 0)
	if err != nil {
		return false
	}
	got := m.Question[0]
	return asciiLower(got.Name) == asciiLower(asked) && got.Qtype == dns.TypeA && got.Qclass == dns.ClassINET
}

// asciiLower is for names, which are octets: strings.ToLower would take them for UTF-8.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

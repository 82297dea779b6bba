package resolver_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver"
	"cordon/resolver/wire"
)

// A NOTIFY reaches who listens for it, whoever sent it and whatever policy there is; one that is not taken is answered like any other
// opcode.
func TestNotify(t *testing.T) {
	b := newBench(t, resolver.Limits{})
	primary := netip.MustParseAddr("192.0.2.53")
	b.Notify(func(dst []byte, client netip.Addr, msg []byte) ([]byte, bool) {
		if client != primary {
			return nil, false
		}
		m, reply := new(dns.Msg), new(dns.Msg)
		if err := m.Unpack(msg); err != nil {
			return nil, false
		}
		reply.SetReply(m)
		reply.Authoritative = true
		packed, err := reply.Pack()
		if err != nil {
			t.Error(err)
		}
		return append(dst, packed...), true
	})
	for _, c := range []struct {
		client string
		opcode int
		want   int
	}{
		{"192.0.2.53", dns.OpcodeNotify, dns.RcodeSuccess},
		{"192.0.2.1", dns.OpcodeNotify, dns.RcodeNotImplemented},
		{"192.0.2.53", dns.OpcodeUpdate, dns.RcodeNotImplemented},
	} {
		m := new(dns.Msg)
		m.SetNotify("rpz.example.")
		m.Opcode = c.opcode
		packed, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		q := &wire.Query{Client: netip.AddrPortFrom(netip.MustParseAddr(c.client), 5353), Now: time.Now()}
		q.Parse(packed)
		answer, ok := b.Answer([]byte("before"), q)
		if !ok {
			t.Fatalf("opcode %d from %s is not answered", c.opcode, c.client)
		}
		got := new(dns.Msg)
		if err := got.Unpack(answer[len("before"):]); err != nil {
			t.Fatal(err)
		}
		if got.Rcode != c.want || got.Id != m.Id || got.Opcode != c.opcode || !got.Response {
			t.Errorf("opcode %d from %s is answered by\n%v\nwant rcode %s", c.opcode, c.client, got, dns.RcodeToString[c.want])
		}
	}
}

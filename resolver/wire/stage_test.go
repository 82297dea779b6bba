package wire_test

import (
	"bytes"
	"testing"

	"cordon/resolver/wire"
)

// step is something that is done for a query in this stage. It allocates nothing.
type step struct {
	name string
	do   func()
}

func steps(tb testing.TB) []step {
	tb.Helper()
	plain, edns := join(header(0, 0, 0), wwwA), join(header(0, 0, 1), wwwA, opt)
	deep := join(header(0, 0, 1), bytes.Repeat([]byte("\x01a"), 125), "\x02eu\x00\x00\x01\x00\x01", opt)
	chain := reply(4, 0, 1, rr(wire.TypeCNAME, "\x01a\xc0\x10"), bytes.Repeat(owned("\x01a\xc0\x10", wire.TypeA, 192, 0, 2, 1), 3), opt)
	asked, q := new(wire.Query), new(wire.Query)
	asked.Parse(edns)
	dst, owner := make([]byte, 0, wire.MaxUDP), []byte{0xC0, wire.HeaderLen}
	blocked := &wire.EDE{Code: wire.EDEBlocked, Text: "policy example"}
	return []step{
		{"parse", func() { q.Parse(plain) }},
		{"parse-EDNS", func() { q.Parse(edns) }},
		{"parse-127-labels", func() { q.Parse(deep) }},
		{"begin-and-finish", func() {
			dst = wire.Finish(wire.Begin(dst[:0], asked, wire.Success, 0), 0, asked, wire.Success, wire.Sections{}, &none)
		}},
		{"begin-and-finish-address-EDE", func() {
			dst = wire.Begin(dst[:0], asked, wire.Success, 0)
			dst = wire.AppendRR(dst, owner, wire.TypeA, wire.ClassINET, 30, []byte{192, 0, 2, 1})
			dst = wire.Finish(dst, 0, asked, wire.Success, wire.Sections{Answer: 1}, blocked)
		}},
		{"read-upstreams-answer", func() {
			m, err := wire.ReadMessage(chain)
			if err != nil {
				tb.Fatal(err)
			}
			for r := range m.Records() {
				dst = append(dst[:0], byte(r.Type))
			}
		}},
	}
}

func TestStageAllocatesNothing(t *testing.T) {
	for _, s := range steps(t) {
		if n := testing.AllocsPerRun(100, s.do); n != 0 {
			t.Errorf("%s: %v allocations, want 0", s.name, n)
		}
	}
}

func BenchmarkStageWire(b *testing.B) {
	for _, s := range steps(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.do()
			}
		})
	}
}

package answer_test

import (
	"testing"

	"github.com/miekg/dns"

	"cordon/resolver/answer"
	"cordon/resolver/wire"
)

// step is something that is done for a query in this stage. It allocates nothing.
type step struct {
	name string
	do   func()
}

func steps(tb testing.TB) []step {
	tb.Helper()
	plain, listed := query(tb, "www.example.com.", dns.TypeA, false), query(tb, "www.example.com.", dns.TypeA, true)
	loopback, foreign := query(tb, "1.0.0.127.in-addr.arpa.", dns.TypePTR, true), query(tb, "www.example.com.", dns.TypeHTTPS, true)
	local := answer.NewLocal(answer.LocalConfig{Firefox: true, ICloud: true})
	reason := answer.Reason{
		Code: blocked, Policy: "ban", Title: "TikTok is banned", Language: "en", Reference: "Circular 716", Operator: "Federal ICT service",
	}
	text, structured := reason.EDE(), reason.Structured()
	contact, _ := answer.NewContact("mailto:dns@ict.example")
	nameless := wire.EDE{Code: wire.EDENone}
	dst := make([]byte, 0, wire.MaxUDP)
	refusal := func(q *wire.Query, mode answer.Mode, ede *wire.EDE) func() {
		return func() {
			dst = answer.AppendRefusal(dst[:0], q, answer.Refusal{Mode: mode, Owner: 4, TTL: 30, EDE: ede})
		}
	}
	return []step{
		{"refusal-plain", refusal(plain, answer.NXDomain, &text)},
		{"refusal-EDNS", refusal(listed, answer.NXDomain, &nameless)},
		{"refusal-EDE", refusal(listed, answer.NXDomain, &text)},
		{"refusal-EDE-nodata", refusal(listed, answer.NoData, &text)},
		{"refusal-EDE-null-ip", refusal(listed, answer.NullIP, &text)},
		{"refusal-structured", func() {
			ede := structured.EDE(&contact)
			dst = answer.AppendRefusal(dst[:0], listed, answer.Refusal{Owner: 4, TTL: 30, EDE: &ede})
		}},
		{"prohibited", func() { dst = answer.AppendProhibited(dst[:0], listed) }},
		{"local-no", func() { local.Append(dst[:0], foreign) }},
		{"local-PTR", func() { local.Append(dst[:0], loopback) }},
	}
}

func TestStageAllocatesNothing(t *testing.T) {
	for _, s := range steps(t) {
		if n := testing.AllocsPerRun(100, s.do); n != 0 {
			t.Errorf("%s: %v allocations, want 0", s.name, n)
		}
	}
}

func BenchmarkStageAnswer(b *testing.B) {
	for _, s := range steps(b) {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.do()
			}
		})
	}
}

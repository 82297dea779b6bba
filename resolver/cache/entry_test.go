package cache_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/cache"
	"cordon/resolver/wire"
)

// ttls are those of the answer section, then of the authority section.
func ttls(m *dns.Msg) (out []uint32) {
	for _, rr := range append(append([]dns.RR(nil), m.Answer...), m.Ns...) {
		out = append(out, rr.Header().Ttl)
	}
	return out
}

func TestAppendAges(t *testing.T) {
	e := mustKeep(t, keyOf(question, dns.TypeA), message(t, question, dns.TypeA, reply{answer: []string{
		"www.example.com. 300 IN CNAME a.example.com.", "a.example.com. 20 IN A 192.0.2.1",
	}}), start)
	for _, c := range []struct {
		name string
		o    cache.Options
		want []uint32
	}{
		{"at once", cache.Options{}, []uint32{300, 20}},
		{"whole seconds count", cache.Options{Now: start.Add(7999 * time.Millisecond)}, []uint32{293, 13}},
		{"the last second", cache.Options{Now: start.Add(19500 * time.Millisecond)}, []uint32{281, 1}},
		{"never below 0", cache.Options{Now: start.Add(time.Hour)}, []uint32{0, 0}},
		{"clock set back", cache.Options{Now: start.Add(-time.Hour)}, []uint32{300, 20}},
		{"clock far ahead", cache.Options{Now: start.AddDate(200, 0, 0)}, []uint32{0, 0}},
		{"cap", cache.Options{Now: start.Add(5 * time.Second), TTLCap: 18}, []uint32{18, 15}},
		{"stale", cache.Options{Now: start.Add(time.Hour), Stale: true}, []uint32{30, 30}},
		{"stale with a cap", cache.Options{Now: start.Add(time.Hour), Stale: true, TTLCap: 9}, []uint32{9, 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.o.Now.IsZero() {
				c.o.Now = start
			}
			c.o.EDE = none
			got := ttls(ask(t, e, query(t, question, dns.TypeA, nil), c.o))
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("TTLs %v, want %v", got, c.want)
			}
		})
	}
}

func TestAppendMirrorsTheQuery(t *testing.T) {
	e := mustKeep(t, keyOf(question, dns.TypeA), message(t, question, dns.TypeA, reply{answer: chainOfThree, rcode: dns.RcodeSuccess}), start)
	q := query(t, "wWw.eXample.Com.", dns.TypeA, func(m *dns.Msg) {
		m.SetEdns0(1232, true)
		m.CheckingDisabled = true
	})
	m := ask(t, e, q, cache.Options{Now: start, EDE: wire.EDE{Code: wire.EDEStaleAnswer, Text: "old"}})
	if m.Id != q.ID || m.Question[0].Name != "wWw.eXample.Com." || !m.RecursionDesired || !m.CheckingDisabled || !m.RecursionAvailable || m.Authoritative {
		t.Errorf("header or question: %s", m)
	}
	if got := m.Answer[0].Header().Name; got != "wWw.eXample.Com." {
		t.Errorf("the owner is %s: not the client's name by a pointer", got)
	}
	o := m.IsEdns0()
	if o == nil || !o.Do() || len(o.Option) != 1 || o.Option[0].String() != "3 (Stale Answer): (old)" {
		t.Errorf("OPT %v", o)
	}
}

func TestAppendAD(t *testing.T) {
	msg := message(t, question, dns.TypeA, reply{
		answer: []string{"www.example.com. 300 IN A 192.0.2.1"}, edit: func(m *dns.Msg) { m.AuthenticatedData = true },
	})
	ad := func(m *dns.Msg) { m.AuthenticatedData = true }
	do := func(m *dns.Msg) { m.SetEdns0(1232, true) }
	for _, c := range []struct {
		name           string
		trusted, stale bool
		edit           func(*dns.Msg)
		want           bool
	}{
		{"trusted, client sets AD", true, false, ad, true},
		{"trusted, client sets DO", true, false, do, true},
		{"trusted, client sets neither", true, false, nil, false},
		{"not trusted", false, false, ad, false},
		{"stale", true, true, ad, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := cache.Keep(keyOf(question, dns.TypeA), msg, start, c.trusted)
			if err != nil {
				t.Fatal(err)
			}
			m := ask(t, e, query(t, question, dns.TypeA, c.edit), cache.Options{Now: start, Stale: c.stale, EDE: none})
			if m.AuthenticatedData != c.want {
				t.Errorf("AD %t", m.AuthenticatedData)
			}
		})
	}
}

func TestAppendTruncates(t *testing.T) {
	e := mustKeep(t, keyOf(question, dns.TypeA), message(t, question, dns.TypeA, reply{answer: addresses(100)}), start)
	for _, c := range []struct {
		edit   func(*dns.Msg)
		stream bool
		want   int
	}{
		{nil, false, 0},
		{withOPT(1232), false, 0},
		{withOPT(65000), false, 0},
		{nil, true, 100},
		{withOPT(512), true, 100},
	} {
		q := query(t, question, dns.TypeA, c.edit)
		q.Stream = c.stream
		before := []byte("before")
		dst := e.Append(before, q, cache.Options{Now: start, EDE: none})
		if string(dst[:6]) != "before" || len(dst)-6 > q.Limit() {
			t.Errorf("%d octets, limit %d", len(dst)-6, q.Limit())
		}
		m := new(dns.Msg)
		if err := m.Unpack(dst[6:]); err != nil {
			t.Fatal(err)
		}
		if len(m.Answer) != c.want || m.Truncated != (c.want == 0) || (m.IsEdns0() != nil) != q.OPT {
			t.Errorf("%d records, TC %t, want %d", len(m.Answer), m.Truncated, c.want)
		}
	}
}

// The pointers of an entry count from a question of its own length.
func TestAppendToAnotherQuestionFails(t *testing.T) {
	e := mustKeep(t, keyOf(question, dns.TypeA), message(t, question, dns.TypeA, reply{answer: chainOfThree}), start)
	m := ask(t, e, query(t, "w.example.com.", dns.TypeA, nil), cache.Options{Now: start, EDE: none})
	if m.Rcode != dns.RcodeServerFailure || len(m.Answer) != 0 {
		t.Errorf("answer %s", m)
	}
}

func TestFailure(t *testing.T) {
	k := keyOf(question, dns.TypeA)
	network := wire.EDE{Code: wire.EDENetworkError, Text: "no answer"}
	for given, want := range map[time.Duration]time.Duration{
		0: time.Second, -time.Hour: time.Second, 2 * time.Second: 2 * time.Second, 2500 * time.Millisecond: 3 * time.Second, time.Hour: 5 * time.Second,
	} {
		if got := cache.NewFailure(k, network, given, start).Lifetime(); got != want {
			t.Errorf("a failure for %s lives %s, want %s", given, got, want)
		}
	}
	e := cache.NewFailure(k, network, time.Second, start)
	if !e.Failed() || e.Incomplete() || e.Rcode() != wire.ServFail || !e.Clean(1) || len(e.Names()) != 0 || len(e.Addrs(nil)) != 0 {
		t.Errorf("failure %+v", e.Key())
	}
	for ede, want := range map[wire.EDE]string{
		none: "23 (Network Error): (no answer)", {Code: wire.EDEInvalidData}: "24 (Invalid Data): ()",
	} {
		m := ask(t, e, query(t, question, dns.TypeA, withOPT(1232)), cache.Options{Now: start, EDE: ede})
		if m.Rcode != dns.RcodeServerFailure || len(m.Answer)+len(m.Ns) != 0 || m.IsEdns0().Option[0].String() != want {
			t.Errorf("answer %s", m)
		}
	}
}

func TestClean(t *testing.T) {
	leading := mustKeep(t, keyOf(question, dns.TypeA), message(t, question, dns.TypeA, reply{answer: chainOfThree}), start)
	if leading.Clean(1) {
		t.Error("clean before anybody looked")
	}
	leading.MarkClean(7)
	if !leading.Clean(7) || leading.Clean(8) || leading.Clean(6) {
		t.Error("clean under another snapshot, or not under its own")
	}
	empty := mustKeep(t, keyOf(question, dns.TypeA), message(t, question, dns.TypeA, reply{authority: []string{soa}}), start)
	if !empty.Clean(3) {
		t.Error("an answer that leads nowhere is not clean")
	}
}

func TestRemaining(t *testing.T) {
	e := mustKeep(t, keyOf(question, dns.TypeA), message(t, question, dns.TypeA, reply{answer: chainOfThree}), start)
	if got := e.Remaining(start.Add(18 * time.Second)); got != 2*time.Second {
		t.Errorf("remaining %s", got)
	}
	if got := e.Remaining(start.Add(21 * time.Second)); got > 0 {
		t.Errorf("remaining %s of an expired entry", got)
	}
	if got := e.Age(start.Add(2500 * time.Millisecond)); got != 2 {
		t.Errorf("age %d", got)
	}
}

func TestKeepAllocatesLittle(t *testing.T) {
	k, msg := keyOf(question, dns.TypeA), message(t, question, dns.TypeA, reply{answer: chainOfThree})
	// The entry; one more for a pool that was emptied meanwhile.
	if n := testing.AllocsPerRun(100, func() { mustKeep(t, k, msg, start) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

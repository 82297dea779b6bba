package resolver_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/resolver"
	"cordon/resolver/cache"
	"cordon/resolver/policy"
	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

// fake answers every question after delay with what script says; it counts.
type fake struct {
	mu     sync.Mutex
	asked  int
	delay  time.Duration
	script func(m *dns.Msg) error // makes the answer, or is the failure
}

func (f *fake) Ask(q upstream.Question, deadline time.Time, done func(upstream.Result)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	name, _ := domain.FromWire(q.Name)
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name.String()), q.Type)
	m.Response = true
	delay, script := f.delay, f.script
	time.AfterFunc(min(delay, time.Until(deadline)), func() {
		if delay >= 5*time.Second {
			done(upstream.Result{Err: &upstream.Error{Kind: upstream.Timeout}})
			return
		}
		if err := script(m); err != nil {
			done(upstream.Result{Err: err})
			return
		}
		packed, err := m.Pack()
		if err != nil {
			panic(err)
		}
		done(upstream.Result{Msg: packed})
	})
}

func (f *fake) set(delay time.Duration, script func(m *dns.Msg) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.delay, f.script = delay, script
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// records is a script that answers with these records.
func records(texts ...string) func(*dns.Msg) error {
	return func(m *dns.Msg) error {
		for _, text := range texts {
			rr, err := dns.NewRR(text)
			if err != nil {
				return err
			}
			m.Answer = append(m.Answer, rr)
		}
		return nil
	}
}

// bench is a resolver with one agency, "ministry" in 192.0.2.0/24, whose ban is on listed.example.
type bench struct {
	*resolver.Resolver
	*fake
	t testing.TB
}

func newBench(t testing.TB, limits resolver.Limits) *bench {
	t.Helper()
	store, err := cache.New(cache.Config{MaxBytes: 1 << 20, Stale: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	r, err := resolver.New(resolver.Config{Cache: store, Workers: 1, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{script: records()}
	if err := r.Configure(resolver.Routing{Default: resolver.Route{Zone: domain.Root, Upstreams: f}}); err != nil {
		t.Fatal(err)
	}
	r.Publish(snapshot(t, 1, "listed.example"))
	return &bench{Resolver: r, fake: f, t: t}
}

func snapshot(t testing.TB, id uint64, listed ...string) *policy.Snapshot {
	t.Helper()
	list, err := blocklists.Load(context.Background(), blocklists.Source{Name: "l", Inline: listed}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := policy.Compile(policy.Config{
		ID: id, Lists: []*blocklists.List{list},
		Policies: []policy.Policy{{Name: "ban", Lists: []string{"l"}}},
		Agencies: []policy.Agency{{Name: "ministry", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// query is a query for name with EDNS options that have no data.
func (b *bench) query(name string, options ...uint16) *wire.Query {
	b.t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), dns.TypeA)
	m.SetEdns0(1232, false)
	for _, code := range options {
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_LOCAL{Code: code})
	}
	packed, err := m.Pack()
	if err != nil {
		b.t.Fatal(err)
	}
	q := &wire.Query{Client: netip.MustParseAddrPort("192.0.2.1:5353"), Now: time.Now()}
	q.Parse(packed)
	return q
}

// ask asks by both doors and returns the answer as text, and how long it took.
func (b *bench) ask(name string) (string, time.Duration) {
	b.t.Helper()
	begun := time.Now()
	q := b.query(name)
	answer, ok := b.Answer(nil, q)
	if !ok {
		replied := make(chan []byte, 1)
		b.Start(q, func(a []byte) { replied <- append([]byte(nil), a...) })
		answer = <-replied
	}
	return text(b.t, answer), time.Since(begun)
}

// text is an answer in a line: RCODE, EDE, addresses with their TTL.
func text(t testing.TB, answer []byte) string {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(answer); err != nil {
		t.Fatalf("answer does not parse: %v", err)
	}
	var s strings.Builder
	s.WriteString(dns.RcodeToString[m.Rcode])
	if opt := m.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if ede, ok := o.(*dns.EDNS0_EDE); ok {
				s.WriteString(fmt.Sprintf(" ede=%d", ede.InfoCode))
			}
		}
	}
	for _, rr := range m.Answer {
		if a, ok := rr.(*dns.A); ok {
			s.WriteString(fmt.Sprintf(" %s ttl=%d", a.A, a.Hdr.Ttl))
		}
	}
	return s.String()
}

func (b *bench) want(name, want string) {
	b.t.Helper()
	if got, _ := b.ask(name); got != want {
		b.t.Errorf("%s: got %q, want %q", name, got, want)
	}
}

func TestManyWhoAskTheSameCostOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{})
		b.set(300*time.Millisecond, records("www.example. 300 IN A 198.51.100.7"))
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() { b.want("www.example.", "NOERROR 198.51.100.7 ttl=300") })
		}
		all.Wait()
		if b.count() != 1 {
			t.Errorf("%d questions went upstream, want 1", b.count())
		}
	})
}

func TestStaleDataIsServedWhenUpstreamsAreLateOrDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{})
		b.set(0, records("www.example. 60 IN A 198.51.100.7"))
		b.want("www.example.", "NOERROR 198.51.100.7 ttl=60")
		time.Sleep(61 * time.Second)

		b.set(10*time.Second, nil) // silent
		got, took := b.ask("www.example.")
		if got != "NOERROR ede=3 198.51.100.7 ttl=30" || took != 1800*time.Millisecond {
			t.Errorf("got %q after %v, want stale data after 1.8s", got, took)
		}
		if got, took := b.ask("www.example."); got != "NOERROR ede=3 198.51.100.7 ttl=30" || took != 0 {
			t.Errorf("who comes later: got %q after %v, want stale data at once", got, took)
		}
		asked := b.count()
		time.Sleep(3100 * time.Millisecond) // the flight fails: a recheck is not due for a second
		b.want("www.example.", "NOERROR ede=3 198.51.100.7 ttl=30")
		if b.count() != asked {
			t.Error("a question that has just failed was asked again")
		}

		b.set(0, records("www.example. 60 IN A 198.51.100.8"))
		time.Sleep(2 * time.Second)
		b.want("www.example.", "NOERROR 198.51.100.8 ttl=60")
	})
}

func TestFailuresAreAnsweredAndRememberedForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{})
		b.set(10*time.Second, nil)
		got, took := b.ask("www.example.")
		if got != "SERVFAIL ede=22" || took > 5*time.Second {
			t.Errorf("got %q after %v, want SERVFAIL with EDE 22 within 5s", got, took)
		}
		if got, took := b.ask("www.example."); got != "SERVFAIL ede=22" || took != 0 {
			t.Errorf("got %q after %v, want the failure at once", got, took)
		}
		b.set(0, records("www.example. 60 IN A 198.51.100.8"))
		time.Sleep(2 * time.Second)
		b.want("www.example.", "NOERROR 198.51.100.8 ttl=60")
	})
}

func TestWhoWaitsIsDecidedByThePolicyOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{})
		b.set(time.Second, records("www.example. 300 IN A 198.51.100.7"))
		var all sync.WaitGroup
		all.Go(func() { b.want("www.example.", "NXDOMAIN ede=15") })
		time.Sleep(500 * time.Millisecond)
		b.Publish(snapshot(t, 2, "www.example"))
		all.Wait()
	})
}

func TestNothingStaleForANewlyListedName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{})
		b.set(0, records("www.example. 60 IN CNAME cdn.example.", "cdn.example. 60 IN A 198.51.100.7"))
		b.want("www.example.", "NOERROR 198.51.100.7 ttl=60")
		time.Sleep(61 * time.Second)
		b.set(10*time.Second, nil)
		b.Publish(snapshot(t, 2, "cdn.example"))
		b.want("www.example.", "NOERROR ede=15") // NODATA: it is the answer that is listed
	})
}

func TestAWaitingCrowdDoesNotKeepOthersOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{Waiting: 10, WaitingPerClient: 3})
		b.set(time.Second, records())
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() { b.ask(fmt.Sprintf("n%d.example.", i)) })
		}
		synctest.Wait()
		if got, took := b.ask("n9.example."); got != "SERVFAIL ede=0" || took != 0 {
			t.Errorf("beyond the limit: got %q after %v, want SERVFAIL at once", got, took)
		}
		q := b.query("other.example.")
		q.Client = netip.MustParseAddrPort("192.0.2.2:5353")
		replied := make(chan []byte, 1)
		b.Start(q, func(a []byte) { replied <- append([]byte(nil), a...) })
		if got := text(t, <-replied); got != "NOERROR" {
			t.Errorf("another client: got %q, want an answer", got)
		}
		all.Wait()
	})
}

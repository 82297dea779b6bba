package resolver_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver"
	"cordon/resolver/upstream"
	"cordon/resolver/wire"
)

// every asks for name once in each step until d is over, the first time at once, and returns how many were not answered at once.
func (b *bench) every(step, d time.Duration, name string) (waited int) {
	b.t.Helper()
	for begun := time.Now(); time.Since(begun) < d; time.Sleep(step) {
		if _, took := b.ask(name); took > 0 {
			waited++
		}
	}
	return waited
}

func (b *bench) wantAsked(what string, want int) {
	b.t.Helper()
	if got := b.count(); got != want {
		b.t.Errorf("%s: %d questions went upstream, want %d", what, got, want)
	}
}

// renewing runs test in a bubble, with a name of this lifetime in the cache, which took 100 ms.
func renewing(t *testing.T, lifetime int, limits resolver.Limits, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, limits)
		b.set(100*time.Millisecond, records(fmt.Sprintf("www.example. %d IN A 198.51.100.7", lifetime)))
		b.ask("www.example.")
		test(b)
	})
}

func TestAPopularNameNeverGoesCold(t *testing.T) {
	renewing(t, 60, resolver.Limits{}, func(b *bench) {
		if waited := b.every(time.Second, 540*time.Second, "www.example."); waited > 0 {
			b.t.Errorf("%d clients waited", waited)
		}
		b.wantAsked("9 min, renewed every 54 s", 1+9)
		got := gathered(b.t, b.Resolver)
		for series, want := range map[string]float64{
			"cordon_cache_prefetches_total result=renewed": 9, "cordon_cache_prefetches_total result=failed": 0,
			"cordon_cache_requests_total result=hit": 540, "cordon_cache_requests_total result=miss": 1,
		} {
			if got[series] != want {
				b.t.Errorf("%s is %v, want %v", series, got[series], want)
			}
		}
	})
}

func TestManyWhoFindANameDueAskOnce(t *testing.T) {
	renewing(t, 60, resolver.Limits{}, func(b *bench) {
		b.every(time.Second, 58*time.Second, "www.example.")
		b.wantAsked("renewed", 2)
		b.every(time.Millisecond, time.Second, "www.example.")
		b.wantAsked("once", 2)
	})
}

func TestWhatIsNotPopularIsNotRenewed(t *testing.T) {
	renewing(t, 60, resolver.Limits{}, func(b *bench) {
		time.Sleep(56 * time.Second)
		b.ask("www.example.")
		b.wantAsked("the first hit in this lifetime", 1)
	})
}

// What this process asks itself makes no upstream asked.
func TestOurOwnQueriesRenewNothing(t *testing.T) {
	renewing(t, 60, resolver.Limits{}, func(b *bench) {
		for range 59 {
			time.Sleep(time.Second)
			q := b.query("www.example.")
			q.JudgeAs(q.Client.Addr())
			if _, ok := b.Answer(nil, q); !ok {
				b.t.Fatal("not answered from the cache")
			}
		}
		b.wantAsked("59 s", 1)
	})
}

func TestShortLivedAnswersAreNotRenewed(t *testing.T) {
	renewing(t, 9, resolver.Limits{}, func(b *bench) {
		b.every(100*time.Millisecond, 8900*time.Millisecond, "www.example.")
		b.wantAsked("a lifetime of 9 s", 1)
	})
}

func TestARenewalThatFailsLeavesTheAnswerToItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		delay  time.Duration
		script error
		asked  int
	}{
		"upstreams are silent": {delay: 10 * time.Second, asked: 2}, // and not asked again before a client has to wait
		"upstreams refuse, it is asked again after half of the time that is left": {script: &upstream.Error{Kind: upstream.Refused, Rcode: wire.ServFail}, asked: 1 + 4},
	} {
		t.Run(name, func(t *testing.T) {
			renewing(t, 100, resolver.Limits{}, func(b *bench) {
				b.every(time.Second, 89*time.Second, "www.example.")
				b.wantAsked("not due yet", 1)
				b.set(c.delay, func(*dns.Msg) error { return c.script })
				for range 11 {
					got, took := b.ask("www.example.")
					if len(got) < len("NOERROR 198.51") || got[:len("NOERROR 198.51")] != "NOERROR 198.51" || took > 0 {
						t.Errorf("got %q after %v, want what is fresh at once", got, took)
					}
					time.Sleep(time.Second)
				}
				b.wantAsked("at the end", c.asked)
			})
		})
	}
}

func TestARefusedClientRenewsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{})
		b.set(0, records("www.example. 60 IN CNAME cdn.example.", "cdn.example. 60 IN A 198.51.100.7"))
		b.ask("www.example.")
		b.every(time.Second, 50*time.Second, "www.example.")
		b.Publish(snapshot(t, 2, "cdn.example"))
		b.every(time.Second, 9*time.Second, "www.example.")
		b.wantAsked("refused for where the answer leads", 1)
	})
}

func TestPolicyDecidesOnWhatWasRenewed(t *testing.T) {
	renewing(t, 60, resolver.Limits{}, func(b *bench) {
		b.every(time.Second, 50*time.Second, "www.example.")
		b.set(0, records("www.example. 60 IN CNAME www.listed.example.", "www.listed.example. 60 IN A 198.51.100.8"))
		b.every(time.Second, 6*time.Second, "www.example.")
		b.wantAsked("renewed", 2)
		b.want("www.example.", "NOERROR ede=15")
	})
}

// A client whose answer has expired waits for the renewal that is under way, as long as for any other: then it gets stale data.
func TestAClientJoinsARenewal(t *testing.T) {
	for delay, want := range map[time.Duration]time.Duration{1500 * time.Millisecond: 400 * time.Millisecond, 4 * time.Second: 1800 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			renewing(t, 10, resolver.Limits{}, func(b *bench) {
				b.every(time.Second, 9*time.Second, "www.example.")
				b.set(delay, records("www.example. 60 IN A 198.51.100.8"))
				b.ask("www.example.") // 9 s old
				time.Sleep(1100 * time.Millisecond)
				if got, took := b.ask("www.example."); took != want {
					t.Errorf("got %q after %v, want it after %v", got, took, want)
				}
				b.wantAsked("the renewal, which both share", 2)
				time.Sleep(3 * time.Second)
				if got, took := b.ask("www.example."); took != 0 || got[:20] != "NOERROR 198.51.100.8" {
					t.Errorf("got %q after %v, want what the renewal brought", got, took)
				}
			})
		})
	}
}

func TestRenewalsDoNotCrowdOutClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, resolver.Limits{Waiting: 20})
		names := []string{"a.example.", "b.example.", "c.example."}
		for _, name := range names {
			b.set(0, records(name+" 60 IN A 198.51.100.7"))
			b.ask(name)
			b.ask(name)
		}
		time.Sleep(55 * time.Second)
		b.set(2*time.Second, records())
		var waiting sync.WaitGroup
		for i := range 10 {
			waiting.Go(func() { b.ask(fmt.Sprintf("n%d.example.", i)) })
		}
		synctest.Wait()
		for _, name := range names {
			b.ask(name)
		}
		b.wantAsked("while half of the places are taken", 3+10)
		waiting.Wait()
		time.Sleep(500 * time.Millisecond) // due again after half of the time that was left
		for _, name := range names {
			b.ask(name)
		}
		b.wantAsked("a tenth of the places", 3+10+2)
		time.Sleep(2 * time.Second)
	})
}

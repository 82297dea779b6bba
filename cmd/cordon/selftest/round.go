package selftest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cordon/blocklists/domain"
)

// Bounds of one round. A round of all right answers of 2048 agencies takes a tenth of a second.
const (
	agenciesAtOnce = 2048             // the others have their turn in the next rounds
	passTime       = 20 * time.Second // that asking everything once may take
	mostLost       = 3                // questions lost in a row at one address: the rest is not asked
	asks           = 3                // how often what is not right is asked before it is believed
	betweenAsks    = time.Second
	mostVoid       = 5  // rounds in a row that come to nothing because the policy changes all the time
	mostSilent     = 3  // rounds in a row in which nobody was heard, before that counts
	mostSaid       = 10 // outcomes that one round has logged
)

// question is one probe at one address.
type question struct {
	agency  *agency
	expect  string
	name    domain.Name
	network string // "udp" or "tcp"
	addr    netip.AddrPort
	state   state
	deaf    bool   // lost each time over network, and so asked over the other one
	found   string // and what would be right; empty if that is what was found
	at      time.Time
}

// state is what came of a question.
type state uint8

const (
	unasked state = iota
	right
	wrong
	lost
)

// test runs rounds until one counts, and says how long to wait for the next.
func (t *Tester) test(ctx context.Context) (pause time.Duration) {
	for void := 0; ; void++ {
		begun := time.Now()
		select {
		case <-t.changed: // it is about to be tested
		default:
		}
		p := t.plan.Load()
		if p == nil {
			return interval
		}
		asked := t.round(ctx, p)
		if ctx.Err() != nil {
			return 0
		}
		changed := t.plan.Load() != p || t.inForce() != p.snapshot // which only grows
		if changed && void < mostVoid && slices.ContainsFunc(asked, func(q *question) bool { return q.state != right }) {
			continue
		}
		t.next, t.turns = t.next+min(len(p.agencies), agenciesAtOnce), t.turns+1
		return t.conclude(p, asked, begun)
	}
}

// inForce is the number of the snapshot that answers, 0 if there is none.
func (t *Tester) inForce() uint64 {
	if s, _ := t.c.InForce(); s != nil {
		return s.ID()
	}
	return 0
}

// round asks what is to be asked once, and what is not right a few times more. What is expected of a probe may change meanwhile, because a
// policy or an exception begins or ends: then it is left out.
func (t *Tester) round(ctx context.Context, p *plan) []*question {
	all := t.questions(ctx, p)
	again := all
	for n := range asks {
		if n > 0 && !sleep(ctx, t.between) {
			break
		}
		if n == asks-1 {
			turnToOther(again)
		}
		t.askAll(ctx, again)
		if again = notRight(again); len(again) == 0 {
			break
		}
	}
	_, now := t.c.InForce()
	return slices.DeleteFunc(all, func(q *question) bool {
		name, ok := q.agency.mustRefuse(now)
		return q.state == unasked || q.state != right && q.expect == Refuse && (!ok || name != q.name)
	})
}

// turnToOther has what was lost over UDP asked over TCP, and the other way round: what one loses in a flood, the other may not.
func turnToOther(all []*question) {
	for _, q := range all {
		if q.state == lost {
			q.deaf, q.network = true, map[string]string{"udp": "tcp", "tcp": "udp"}[q.network]
		}
	}
	sortQuestions(all)
}

func notRight(all []*question) (left []*question) {
	for _, q := range all {
		if q.state != right {
			left = append(left, q)
		}
	}
	return left
}

// sleep says false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// questions are those of one round: each probe by UDP, at one address after the other, so that each address is asked; and one by TCP at
// each address. It is none if no address is of this host.
func (t *Tester) questions(ctx context.Context, p *plan) []*question {
	addrs, probes := t.here(ctx), t.probes(p)
	if len(addrs) == 0 || len(probes) == 0 {
		return nil
	}
	var all []*question
	add := func(n int, network string, addr netip.AddrPort) {
		q := probes[n%len(probes)]
		q.network, q.addr = network, addr
		all = append(all, &q)
	}
	for n := range max(len(probes), len(addrs)) {
		add(n, "udp", addrs[(n+t.turns)%len(addrs)])
	}
	for n, addr := range addrs {
		add(n+t.turns, "tcp", addr)
	}
	sortQuestions(all)
	return all
}

// sortQuestions puts those together that go over one line.
func sortQuestions(all []*question) {
	slices.SortStableFunc(all, func(a, b *question) int {
		return cmp.Or(cmp.Compare(a.network, b.network), a.addr.Compare(b.addr))
	})
}

// here are the addresses that are of this host now, each once.
func (t *Tester) here(ctx context.Context) []netip.AddrPort {
	var all []netip.AddrPort
	for _, addr := range t.c.Addresses() {
		l, err := dial(ctx, "udp", addr)
		if err != nil && errors.Is(err, errElsewhere) {
			continue
		}
		if err == nil {
			l.close()
		}
		all = append(all, addr) // that it can't be asked is for the questions to find
	}
	return all
}

// probes are those of the agencies whose turn it is.
func (t *Tester) probes(p *plan) []question {
	_, now := t.c.InForce()
	var all []question
	for n := range min(len(p.agencies), agenciesAtOnce) {
		a := p.agencies[(t.next+n)%len(p.agencies)]
		if name, ok := a.mustRefuse(now); ok {
			all = append(all, question{agency: a, expect: Refuse, name: name})
		}
		all = append(all, question{agency: a, expect: Pass, name: t.neutral})
	}
	return all
}

// askAll asks all once.
func (t *Tester) askAll(ctx context.Context, all []*question) {
	ctx, cancel := context.WithTimeout(ctx, passTime)
	defer cancel()
	for len(all) > 0 && ctx.Err() == nil {
		first, n := all[0], 1
		for n < len(all) && all[n].network == first.network && all[n].addr == first.addr {
			n++
		}
		t.askAt(ctx, first.network, first.addr, all[:n])
		all = all[n:]
	}
}

// askAt asks some, all at one address. Nobody else's socket is believed, and this one no longer than it is open.
func (t *Tester) askAt(ctx context.Context, network string, addr netip.AddrPort, some []*question) {
	l, err := dial(ctx, network, addr)
	if err != nil {
		for _, q := range some {
			q.ended(lost, lostBy(err))
		}
		return
	}
	defer l.close()
	local := l.local()
	t.socket.Store(&local)
	defer t.socket.Store(nil)
	for n, inARow := 0, 0; n < len(some) && ctx.Err() == nil; n++ {
		if q := some[n]; inARow < mostLost {
			t.askOne(ctx, l, q)
		} else {
			q.ended(lost, some[n-1].found)
		}
		if some[n].state == lost {
			inARow++
		} else {
			inARow = 0
		}
	}
}

func (t *Tester) askOne(ctx context.Context, l *line, q *question) {
	answer, err := l.ask(ctx, newQuery(q.name, t.claim(q.agency.client)), t.patience)
	switch {
	case err != nil && ctx.Err() != nil: // it is we who have no time
	case err != nil:
		q.ended(lost, lostBy(err))
	default:
		if found := judge(q.expect, answer); found != "" {
			q.ended(wrong, found)
		} else {
			q.ended(right, "")
		}
	}
}

func (q *question) ended(s state, found string) { q.state, q.found, q.at = s, found, time.Now() }

// reason is what was found, and where.
func (q *question) reason() string {
	if q.state == right {
		return ""
	}
	return fmt.Sprintf("%s over %s: %s", q.addr, strings.ToUpper(q.network), q.found)
}

// conclude notes what came of asked, says what is news, and returns how long to wait for the next round.
func (t *Tester) conclude(p *plan, asked []*question, begun time.Time) (pause time.Duration) {
	fresh := outcomesOf(asked)
	read := t.c.Read()
	t.mu.Lock()
	before := t.wrong
	news := t.take(p, fresh)
	t.count(asked)
	t.last, t.took = time.Now(), time.Since(begun)
	t.decide(asked, read)
	after, passed := t.wrong, t.passed
	t.mu.Unlock()
	t.sayOutcomes(news) // whoever reads the log may be slow
	t.sayReady(before, after)
	switch {
	case !passed:
		return atOnce
	case after != nil || len(notRight(asked)) > 0:
		return soon
	default:
		return interval
	}
}

// outcomesOf are those of asked, by probe: what is not right is what counts, of that what is wrong.
func outcomesOf(asked []*question) map[key]*question {
	all := map[key]*question{}
	for _, q := range asked {
		k := key{q.agency.name, q.expect}
		if have := all[k]; have == nil || have.state == right || have.state == lost && q.state == wrong {
			all[k] = q
		}
	}
	return all
}

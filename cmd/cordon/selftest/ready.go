package selftest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cordon/cmd/cordon/wording"
	"cordon/resolver/policy"
)

// take makes the outcomes of this round those that are shown, forgets those of probes that there are no more, and returns what is news. The
// caller holds t.mu.
func (t *Tester) take(p *plan, fresh map[key]*question) (news []Outcome) {
	_, now := t.c.InForce()
	shown := make(map[key]Outcome, len(t.outcomes))
	for _, a := range p.agencies {
		for _, expect := range a.expects(now) {
			k := key{a.name, expect}
			before, known := t.outcomes[k]
			if q := fresh[k]; q != nil {
				shown[k] = q.outcome(before)
				if shown[k].OK != before.OK && (known || !shown[k].OK) {
					news = append(news, shown[k])
				}
			} else if known {
				shown[k] = before
			}
		}
	}
	t.outcomes = shown
	return news
}

// expects is what probes of a expect at now.
func (a *agency) expects(now policy.Instant) []string {
	if _, ok := a.mustRefuse(now); ok {
		return []string{Refuse, Pass}
	}
	return []string{Pass}
}

// outcome is that of q, for whose probe it was before so far, zero for nothing.
func (q *question) outcome(before Outcome) Outcome {
	o := Outcome{
		Agency: q.agency.name, Expect: q.expect, Name: strings.TrimSuffix(q.name.String(), "."),
		OK: q.state == right, Reason: q.reason(), At: q.at, Since: q.at, wrong: q.state == wrong,
	}
	if !before.At.IsZero() && before.OK == o.OK {
		o.Since = before.Since
	}
	return o
}

// sayOutcomes logs news, without names: the first of it, if there is much.
func (t *Tester) sayOutcomes(news []Outcome) {
	for _, o := range news[:min(len(news), mostSaid)] {
		if o.OK {
			t.c.Log.Info("self-test: an agency is answered as it must be again", "agency", o.Agency, "expect", o.Expect)
		} else {
			t.c.Log.Error("self-test: an agency is not answered as it must be", "agency", o.Agency, "expect", o.Expect, "reason", o.Reason)
		}
	}
	if more := len(news) - mostSaid; more > 0 {
		t.c.Log.Error("self-test: and more, see cordon_selftest_ok", "agencies", more)
	}
}

// count counts what of asked was not right, or not over the transport that was meant. The caller holds t.mu.
func (t *Tester) count(asked []*question) {
	for _, q := range asked {
		if q.state != right || q.deaf {
			t.failures[q.expect]++
		}
	}
}

// decide makes t ready, or not, by all outcomes, be they of agencies whose turn it was or not; read is how many queries of others were read
// so far. The caller holds t.mu.
func (t *Tester) decide(asked []*question, read uint64) {
	heard := read > t.read || slices.ContainsFunc(asked, (*question).heardByUDP)
	t.read = read
	mistakes := map[string]int{}
	for k, o := range t.outcomes {
		if o.wrong {
			mistakes[k.expect]++
		}
	}
	if t.silent++; heard || len(asked) == 0 {
		t.silent = 0
	}
	switch {
	case mistakes[Refuse] > 0:
		t.wrong = fmt.Errorf("the self-test got an answer for %s where policy refuses: see the log", agencies(mistakes[Refuse]))
	case mistakes[Pass] > 0:
		t.wrong = fmt.Errorf("the self-test was refused for %s what nothing bans: see the log", agencies(mistakes[Pass]))
	case t.silent >= mostSilent:
		t.wrong = errSilent
	case t.silent == 0:
		t.wrong = nil
		t.passed = t.passed || len(asked) == 0 || slices.ContainsFunc(asked, (*question).isRight)
	}
}

var errSilent = errors.New("the server does not answer its own queries over UDP, and reads no others")

func (q *question) isRight() bool { return q.state == right }

func (q *question) heardByUDP() bool { return q.network == "udp" && !q.deaf && q.state != lost }

func agencies(n int) string { return wording.Count(n, "agency") }

// sayReady logs whether the server is ready, if that is news: what was wrong with it before and is now, nil for nothing.
func (t *Tester) sayReady(before, after error) {
	switch {
	case after != nil && before == nil:
		t.c.Log.Error("not ready", "reason", after)
	case after == nil && before != nil:
		t.c.Log.Info("ready again")
	}
}

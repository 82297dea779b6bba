package main

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/config"
)

// This file is what the auditor tells of policies and exceptions: which there are, and which have begun and ended.

// termKey is what a policy or an exception is called.
type termKey struct {
	exception bool
	name      string
}

func (k termKey) compare(other termKey) int { return cmp.Compare(k.name, other.name) }

// goneReason is why something ended whose end is not written.
const goneReason = "it is no longer in the files"

// tellTerms tells what has been added, changed, taken away, begun or ended until now.
func (a *auditor) tellTerms(now time.Time) {
	terms := map[termKey]audit.Term{}
	for _, p := range a.good.set.Policies {
		key := termKey{name: p.Name}
		terms[key] = a.tellPolicy(p, a.said.terms[key], now)
	}
	for _, e := range a.good.set.Exceptions {
		key := termKey{exception: true, name: e.Name}
		terms[key] = a.tellException(e, a.said.terms[key], now)
	}
	for _, key := range slices.SortedFunc(maps.Keys(a.said.terms), termKey.compare) {
		if _, still := terms[key]; !still {
			a.tellGone(key, a.said.terms[key], now)
		}
	}
	a.said.terms = terms
}

// tellPolicy tells what has become of p, of which the log said old, and returns what it says now.
func (a *auditor) tellPolicy(p *config.Policy, old audit.Term, now time.Time) audit.Term {
	next := audit.Term{Name: p.Name, From: p.From.UTC(), Until: p.Until.UTC()}
	next.State = stateAt(next, now)
	if old.State == audit.Begun && next.State == audit.Waiting && next.From.Equal(old.From) {
		next.State = audit.Begun // the clock stepped back: a ban that had begun stays on
	}
	entry := audit.Entry{
		Time: now, Policy: p.Name, What: p.Pos.File, Reference: p.LegalReference, From: next.From, Until: next.Until,
	}
	for _, kind := range steps(old.State, next, audit.PolicyBegan, audit.PolicyEnded) {
		entry.Kind = kind
		a.file.Append(entry)
	}
	return next
}

// tellException is tellPolicy for e.
func (a *auditor) tellException(e *config.Exception, old audit.Term, now time.Time) audit.Term {
	next := audit.Term{Name: e.Name, Agency: e.Agency, From: e.Start().UTC(), Until: e.End().UTC(), Used: old.Used}
	next.State = stateAt(next, now)
	if old.State == audit.Over && next.Until.Equal(old.Until) {
		next.State = audit.Over // the clock stepped back: an exception that had ended stays ended
	}
	if old.State == "" && a.fresh && next.State == audit.Over {
		return next // it ended before there was a log
	}
	entry := audit.Entry{
		Time: now, Exception: e.Name, Agency: e.Agency, Policy: strings.Join(e.Policies, ", "), Class: e.Class, What: e.Pos.File,
		Reason: e.Reason, ApprovedBy: e.ApprovedBy, Ticket: e.Ticket,
		From: next.From, Until: next.Until,
	}
	tell := func(kind audit.Kind, entry audit.Entry) {
		entry.Kind = kind
		a.file.Append(entry)
	}
	if old.State == "" {
		tell(audit.ExceptionAdded, entry)
		if next.State == audit.Over {
			return next // it was over when it came, and neither begins nor ends now
		}
		old.State, old.Until = audit.Waiting, e.Until.UTC()
	}
	if !next.Until.Equal(old.Until) {
		kind := endChanged(e, old.Until)
		tell(kind, signedFor(e, kind, entry))
		if kind == audit.ExceptionRevoked && next.State == audit.Over {
			return next // it does not lapse
		}
	}
	for _, kind := range steps(old.State, next, audit.ExceptionBegan, audit.ExceptionLapsed) {
		tell(kind, entry)
	}
	return next
}

// endChanged is what it is called that e has another end than before.
func endChanged(e *config.Exception, before time.Time) audit.Kind {
	switch {
	case e.End().Equal(e.Revoked):
		return audit.ExceptionRevoked
	case e.End().Before(before):
		return audit.ExceptionShortened
	default:
		return audit.ExceptionExtended
	}
}

// signedFor is entry with who signed for the other end of e, by the line of its history that gives that end. Who approved e at first signed
// for the first end alone: without such a line it is nobody.
func signedFor(e *config.Exception, kind audit.Kind, entry audit.Entry) audit.Entry {
	if kind == audit.ExceptionRevoked {
		entry.ApprovedBy = e.RevokedBy
		return entry
	}
	entry.ApprovedBy = ""
	for i := range e.Extended {
		if x := &e.Extended[i]; x.Until.Equal(e.Until) {
			entry.ApprovedBy, entry.Reference = x.ApprovedBy, x.Reference
		}
	}
	return entry
}

// tellGone tells that what the log said old of is no longer in the files, if that ends something.
func (a *auditor) tellGone(key termKey, old audit.Term, now time.Time) {
	switch {
	case key.exception && old.State != audit.Over:
		a.file.Append(audit.Entry{
			Kind: audit.ExceptionRevoked, Time: now, Exception: key.name, Agency: old.Agency, Reason: goneReason, From: old.From,
		})
	case !key.exception && old.State == audit.Begun:
		a.file.Append(audit.Entry{Kind: audit.PolicyEnded, Time: now, Policy: key.name, Reason: goneReason, From: old.From})
	}
}

// stateAt is the state that t has by its times.
func stateAt(t audit.Term, now time.Time) audit.State {
	switch {
	case !t.Until.IsZero() && (!now.Before(t.Until) || !t.From.Before(t.Until)):
		return audit.Over
	case now.Before(t.From):
		return audit.Waiting
	default:
		return audit.Begun
	}
}

// steps are the kinds of the entries that lead from the state before to that of next; what was both begun and ended since has both.
func steps(before audit.State, next audit.Term, began, ended audit.Kind) []audit.Kind {
	never := !next.Until.IsZero() && !next.From.Before(next.Until) // it ends before it begins
	switch {
	case before == next.State || never && before != audit.Begun:
		return nil
	case next.State == audit.Begun:
		return []audit.Kind{began}
	case next.State == audit.Over && before == audit.Begun:
		return []audit.Kind{ended}
	case next.State == audit.Over && before == audit.Waiting:
		return []audit.Kind{began, ended}
	default: // it waits, again or for the first time; or it was over when it was first seen
		return nil
	}
}

// recall is the state that the log has said, from its entries since a snapshot. fresh is that there are none.
func recall(entries iter.Seq2[audit.Entry, error]) (s said, fresh bool, err error) {
	s, fresh = said{terms: map[termKey]audit.Term{}, holds: map[string]auditedHold{}}, true
	for e, err := range entries {
		if err != nil {
			return s, fresh, err
		}
		s.add(&e)
		fresh = false
	}
	return s, fresh, nil
}

// add takes over what e says.
func (s *said) add(e *audit.Entry) {
	switch e.Kind {
	case audit.Snapshot:
		*s = said{terms: map[termKey]audit.Term{}, holds: map[string]auditedHold{}}
		for _, t := range e.Policies {
			s.terms[termKey{name: t.Name}] = t
		}
		for _, t := range e.Exceptions {
			s.terms[termKey{exception: true, name: t.Name}] = t
		}
		for _, h := range e.Holds {
			s.holds[h.What] = auditedHold{reason: h.Reason}
		}
	case audit.Rejected, audit.Held:
		s.holds[e.What] = auditedHold{reason: e.Reason}
	case audit.Released, audit.Accepted:
		delete(s.holds, e.What)
	default:
		s.addTerm(e)
	}
}

// addTerm takes over what e says of a policy or an exception.
func (s *said) addTerm(e *audit.Entry) {
	key := termKey{exception: e.Exception != "", name: cmp.Or(e.Exception, e.Policy)}
	t := s.terms[key]
	switch e.Kind {
	case audit.ExceptionAdded:
		t = audit.Term{Name: key.name, Agency: e.Agency, State: audit.Waiting}
		if stateAt(audit.Term{From: e.From, Until: e.Until}, e.Time) == audit.Over {
			t.State = audit.Over // it neither begins nor ends after that
		}
	case audit.PolicyBegan, audit.ExceptionBegan:
		t.Name, t.State = key.name, audit.Begun
	case audit.PolicyEnded, audit.ExceptionLapsed:
		t.State = audit.Over
	case audit.ExceptionRevoked:
		if !e.Until.After(e.Time) {
			t.State = audit.Over
		}
	case audit.ExceptionUsed:
		if t.Name != "" { // else it was taken out of the files since it was used
			t.Used = e.Day()
			s.terms[key] = t
		}
		return
	case audit.ExceptionExtended, audit.ExceptionShortened:
	default:
		return // it is about something else
	}
	if e.Until.IsZero() && (e.Kind == audit.PolicyEnded || e.Kind == audit.ExceptionRevoked) {
		delete(s.terms, key)
		return
	}
	t.From, t.Until = e.From, e.Until
	s.terms[key] = t
}

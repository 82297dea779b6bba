package effect

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"cordon/cmd/cordon/wording"
	"cordon/resolver/policy"
)

// changes are the policies, exceptions, agencies and lists that are not what they were, as far as that does something from now on.
func changes(r *regimes, s *survey, pairs []*pair, diffs map[string]*rulesDiff) []Change {
	old, next, had := s.old.snapshot, s.next.snapshot, hadBySomebody(pairs)
	all := changesOf(old.Policies(), next.Policies(), contrast[policy.Policy]{
		what: "policy",
		name: func(p *policy.Policy) string { return p.Name },
		over: func(p *policy.Policy) bool { return r.over(p.Until) },
		bear: func(p *policy.Policy) bool { return had[p] },
		said: r.policyText, compare: r.comparePolicies,
	})
	all = append(all, changesOf(old.Exceptions(), next.Exceptions(), contrast[policy.Exception]{
		what: "exception",
		name: func(e *policy.Exception) string { return e.Name },
		over: func(e *policy.Exception) bool { return r.over(e.Until) },
		bear: func(*policy.Exception) bool { return true },
		said: r.exceptionText, compare: r.compareExceptions,
	})...)
	all = append(all, changesOf(old.Agencies(), next.Agencies(), contrast[policy.Agency]{
		what: "agency",
		name: func(a *policy.Agency) string { return a.Name },
		over: func(*policy.Agency) bool { return false },
		bear: func(*policy.Agency) bool { return true },
		said: agencyText, compare: compareAgencies,
	})...)
	for _, l := range s.next.used {
		if d := diffs[l.Name()]; d != nil && !d.same() {
			all = append(all, Change{What: "list", Name: l.Name(), Texts: d.text()})
		}
	}
	return all
}

// hadBySomebody are the policies that some asker has.
func hadBySomebody(pairs []*pair) map[*policy.Policy]bool {
	had := map[*policy.Policy]bool{}
	for _, pair := range pairs {
		for _, a := range []*policy.Asker{pair.old, pair.next} {
			for _, p := range a.Policies() {
				had[p] = true
			}
		}
	}
	return had
}

// contrast is how things of one kind are compared.
type contrast[T any] struct {
	what    string
	name    func(*T) string
	over    func(*T) bool   // it has ended
	bear    func(*T) bool   // it does something from now on, unless it is over
	said    func(*T) string // what it does, in a few words
	compare func(old, next *T) []string
}

// changesOf compares things of one kind by name, in the order of the new files; what is gone comes last.
func changesOf[T any](was, is []*T, c contrast[T]) []Change {
	var all []Change
	add := func(name string, texts ...string) {
		if len(texts) > 0 {
			all = append(all, Change{What: c.what, Name: name, Texts: texts})
		}
	}
	before, over := map[string]*T{}, map[string]*T{}
	for _, one := range was {
		switch {
		case c.over(one):
			over[c.name(one)] = one
		case c.bear(one):
			before[c.name(one)] = one
		}
	}
	for _, one := range is {
		name := c.name(one)
		earlier, known := before[name]
		switch bears := c.bear(one) && !c.over(one); {
		case known && bears:
			add(name, c.compare(earlier, one)...)
		case known:
			add(name, c.ended(earlier, one))
		case bears && over[name] != nil:
			add(name, c.compare(over[name], one)...)
		case bears:
			add(name, "new: "+c.said(one))
		}
		delete(before, name)
	}
	for _, one := range was {
		if name := c.name(one); before[name] == one {
			add(name, "gone; it was "+c.said(one))
		}
	}
	return all
}

// ended says how new no longer does what old did.
func (c *contrast[T]) ended(old, next *T) string {
	if texts := c.compare(old, next); len(texts) > 0 {
		return strings.Join(texts, "; ")
	}
	return "no agency has it any more"
}

func (r *regimes) policyText(p *policy.Policy) string {
	text := strengthText(p)
	if p.LegalReference != "" {
		text += " by " + p.LegalReference
	}
	return text + " of " + some(p.Lists) + ", " + r.spanText(p.From, p.Until)
}

func strengthText(p *policy.Policy) string {
	if p.Recommendation {
		return "a recommendation"
	}
	return "a ban"
}

func (r *regimes) comparePolicies(old, next *policy.Policy) []string {
	var d texts
	d.end("prolonged", "shortened", r, old.Until, next.Until)
	d.moment("begins", r, old.From, next.From)
	d.word("", strengthText(old), strengthText(next))
	d.set("lists", old.Lists, next.Lists)
	d.word("answer ", old.Answer.String(), next.Answer.String())
	d.word("EDE ", strconv.Itoa(int(old.EDE)), strconv.Itoa(int(next.EDE)))
	d.word("legal reference ", old.LegalReference, next.LegalReference)
	d.word("contact ", old.Contact, next.Contact)
	d.word("link ", old.Link, next.Link)
	if languages := titlesChanged(old.Title, next.Title); len(languages) > 0 {
		d.add("another title in " + joined(languages))
	}
	return d
}

// titlesChanged are the languages whose titles differ.
func titlesChanged(old, next map[string]string) []string {
	languages := map[string]struct{}{}
	for _, one := range []map[string]string{old, next} {
		for language := range one {
			if old[language] != next[language] {
				languages[language] = struct{}{}
			}
		}
	}
	return slices.Sorted(maps.Keys(languages))
}

func (r *regimes) exceptionText(e *policy.Exception) string {
	text := "for " + e.Agency
	if e.Descendants {
		text += " and those below it"
	}
	if len(e.Clients) > 0 {
		text += ", " + someText(e.Clients)
	}
	if what := scopeText(e); what != "" {
		text += ", of " + what
	}
	return text + ", " + r.spanText(e.From, e.Until) + ", approved by " + e.ApprovedBy
}

// scopeText is what an exception lifts, "" for all that there is.
func scopeText(e *policy.Exception) string {
	text := some(nameTexts(e))
	text = wording.After(text, " of ", some(e.Lists))
	return wording.After(text, " by ", some(e.Policies))
}

func (r *regimes) compareExceptions(old, next *policy.Exception) []string {
	var d texts
	if old.Revoked.IsZero() && !next.Revoked.IsZero() {
		d.add(wording.After("revoked", " by ", next.RevokedBy) + ", " + r.endText(next.Until) + "; it was " + r.endText(old.Until))
	} else {
		d.end("extended", "shortened", r, old.Until, next.Until)
	}
	d.moment("begins", r, old.From, next.From)
	d.word("agency ", old.Agency, next.Agency)
	d.word("", descendantsText(old), descendantsText(next))
	d.scope("clients", networkTexts(old.Clients), networkTexts(next.Clients))
	d.scope("policies", old.Policies, next.Policies)
	d.scope("lists", old.Lists, next.Lists)
	d.scope("names", nameTexts(old), nameTexts(next))
	return d
}

func descendantsText(e *policy.Exception) string {
	if e.Descendants {
		return "for the agencies below " + e.Agency + " too"
	}
	return "not for the agencies below " + e.Agency
}

func nameTexts(e *policy.Exception) []string {
	all := make([]string, 0, len(e.Names))
	for _, n := range e.Names {
		all = append(all, n.String())
	}
	return all
}

func networkTexts(networks []netip.Prefix) []string {
	all := make([]string, 0, len(networks))
	for _, p := range networks {
		all = append(all, networkText(p))
	}
	return all
}

func agencyText(a *policy.Agency) string {
	text := "mode " + a.Mode.String()
	if a.Parent != "" {
		text = "below " + a.Parent + ", " + text
	}
	return text
}

func compareAgencies(old, next *policy.Agency) []string {
	var d texts
	d.word("mode ", old.Mode.String(), next.Mode.String())
	d.word("parent ", old.Parent, next.Parent)
	d.set("policies of its own", old.Policies, next.Policies)
	d.word("language ", old.Language, next.Language)
	d.word("contact ", old.Contact, next.Contact)
	return d
}

// texts are what differs between two things, for people.
type texts []string

func (d *texts) add(text string) { *d = append(*d, text) }

// word adds a word that differs.
func (d *texts) word(what, old, next string) {
	if old != next {
		d.add(what + wordText(next) + ", it was " + wordText(old))
	}
}

func wordText(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// scope adds what an exception is narrowed to, if that differs; without any names it is not narrowed.
func (d *texts) scope(what string, old, next []string) {
	switch {
	case len(old) == 0 && len(next) > 0:
		d.add(what + ": only " + some(next) + " now")
	case len(old) > 0 && len(next) == 0:
		d.add(what + ": all now; it was only " + some(old))
	default:
		d.set(what, old, next)
	}
}

// set adds what is more and what is gone of some names.
func (d *texts) set(what string, old, next []string) {
	more, gone := without(next, old), without(old, next)
	var parts []string
	if len(more) > 0 {
		parts = append(parts, "with "+some(more))
	}
	if len(gone) > 0 {
		parts = append(parts, "without "+some(gone))
	}
	if len(parts) > 0 {
		d.add(what + ": now " + strings.Join(parts, " and "))
	}
}

func without(all, others []string) []string {
	var rest []string
	for _, one := range all {
		if !slices.Contains(others, one) {
			rest = append(rest, one)
		}
	}
	return rest
}

// end adds an end that differs.
func (d *texts) end(later, sooner string, r *regimes, old, next time.Time) {
	if old.Equal(next) {
		return
	}
	word := later
	if old.IsZero() || !next.IsZero() && next.Before(old) {
		word = sooner
	}
	d.add(word + ": " + r.endText(next) + "; it was " + r.endText(old))
}

// moment adds a beginning that differs, if one of the two is to come.
func (d *texts) moment(what string, r *regimes, old, next time.Time) {
	if r.start(old) != r.start(next) {
		d.add(what + ": " + r.beginText(next) + "; it was " + r.beginText(old))
	}
}

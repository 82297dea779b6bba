package explain

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"cordon/cmd/cordon/status"
	"cordon/cmd/cordon/wording"
	"cordon/resolver/policy"
)

// Write writes e for people: the verdict in words, then the argument that leads to it (who asks, what holds the name, which decision
// bans that and on what ground, what lifts it or why nothing does), each thing with the place where it is written.
func (e *Explained) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, type %s, asked by %s at %s, by the files as they are now\n\n", e.Name, e.Type, e.Client, wording.Minute(e.At))
	status.WriteFacts(&b, e.Summary())
	if argument := e.Argument(); len(argument) > 0 {
		b.WriteString("\n")
		status.WriteFacts(&b, argument)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Summary is the verdict in words.
func (e *Explained) Summary() []status.Fact {
	t := &tree{}
	t.fact(0, "verdict", e.Verdict+": "+e.meaning())
	t.fact(0, "client gets", e.gets())
	if e.Allowed {
		t.fact(0, "holds until", e.holdsUntil())
	}
	return t.facts
}

// Argument is what leads to the verdict, nil for a client that may not ask.
func (e *Explained) Argument() []status.Fact {
	if !e.Allowed {
		return nil
	}
	t := &tree{said: map[string]bool{}, language: e.Agency.Language}
	t.agency(&e.Agency, e.Client)
	t.matches(e.Matches, "", &e.Agency)
	t.answer(e)
	return t.facts
}

// meaning is the verdict in words.
func (e *Explained) meaning() string {
	switch {
	case e.Verdict == "prohibited":
		return "the client is in no agency's network and not in allow_clients"
	case e.Verdict == "refuse" && e.Rule.Of != "":
		return "by the ban " + e.Policy.Name + ", as the answer leads to " + e.Rule.Of
	case e.Verdict == "refuse":
		return "by the ban " + e.Policy.Name
	case e.Verdict == "except":
		return "the exception " + e.Exception.Name + " lifts the " + e.Policy.Strength + " " + e.Policy.Name
	case e.Verdict == "observe" && e.Policy.Strength == "recommendation":
		return "by the recommendation " + e.Policy.Name
	case e.Verdict == "observe":
		return "by the ban " + e.Policy.Name + ", in an agency whose mode is observe"
	case e.Agency.Mode == "off":
		return "the mode of " + e.Agency.Name + " is off, so nothing is refused to its clients"
	case len(e.Matches) > 0:
		return "no policy that has it is in force for " + e.Agency.Name
	case len(e.LeadsTo) > 0:
		return "no list has the name or what it leads to"
	default:
		return "no list has it"
	}
}

// gets is what the client gets, in words.
func (e *Explained) gets() string {
	switch {
	case e.Verdict == "prohibited":
		return e.Answer + ", whatever it asks"
	case e.Verdict == "refuse":
		return e.Answer
	case e.Verdict == "observe":
		return "the answer, and it is counted; if that were refused: " + e.Would
	case e.Verdict == "except":
		return "the answer, and it is counted"
	case e.Here != "":
		return e.Here + ": this name is answered here, no upstream is asked" + placeText(e.HereSource)
	case len(e.LeadsTo) == 0 && len(e.Matches) == 0:
		return "the answer" + e.asked() + ", unless what that leads to is refused (cordon explain --answer judges it)"
	default:
		return "the answer" + e.asked()
	}
}

// asked says who is asked, and for what, if that is not the upstreams for the name.
func (e *Explained) asked() string {
	text := ""
	if e.Forward != "" {
		text = " of the servers for " + e.Forward
	}
	if e.AliasOf != "" {
		text += " to " + e.AliasOf + ", of which the name is an alias" + placeText(e.HereSource)
	}
	return text
}

// holdsUntil is the moment up to which the verdict holds, and what happens then; "" if no date changes it.
func (e *Explained) holdsUntil() string {
	if e.Change.IsZero() {
		return ""
	}
	return wording.After(wording.Minute(e.Change.In(e.At.Location())), " at least: then ", strings.Join(e.ChangeBy, ", "))
}

// tree is the facts of an explanation as they grow, each behind its cause.
type tree struct {
	facts    []status.Fact
	said     map[string]bool // the policies and exceptions whose facts stand above
	language string          // of titles
}

// fact adds what is told, and what there is to tell, unless that is nothing. depth is how far below its cause it stands.
func (t *tree) fact(depth int, what, told string) {
	if told != "" {
		t.facts = append(t.facts, status.Fact{Depth: depth, What: what, Told: told})
	}
}

func (t *tree) agency(a *agencyFacts, client string) {
	told := client + " is of the agency " + a.Name
	if a.Network != "" {
		told += ", by its network " + a.Network + placeText(cmp.Or(a.NetworkSource, a.Source))
	} else {
		told += ", as it is in no agency's network" + placeText(a.Source)
	}
	t.fact(0, "client", told)
	for _, up := range a.Above {
		t.fact(1, "below", up.Name+placeText(up.Source))
	}
	if a.Mode != "enforce" {
		t.fact(1, "mode", a.Mode+placeText(a.ModeSource))
	}
	if a.Source == "" {
		t.fact(1, "policies", "every ban, as no file has this agency")
	}
}

// matches tells of the lists that hold of, something in the answer, or of those that hold the question, if of is "". What decided comes
// first.
func (t *tree) matches(all []match, of string, agency *agencyFacts) {
	for _, decisive := range []bool{true, false} {
		for i := range all {
			if m := &all[i]; m.Of == of && slices.ContainsFunc(m.Policies, isDecisive) == decisive {
				t.match(m, agency)
			}
		}
	}
}

func isDecisive(p weighed) bool { return p.decisive }

// The ranks of policies in an explanation.
const (
	rankDecides = iota
	rankInForce
	rankOther
)

func (p *weighed) rank() int {
	switch {
	case p.decisive:
		return rankDecides
	case p.inForce():
		return rankInForce
	default:
		return rankOther
	}
}

func (t *tree) match(m *match, agency *agencyFacts) {
	depth, what := 0, "name"
	if m.Of != "" {
		depth, what = 1, "list"
	}
	told := "the list " + m.List + placeText(m.ListSource)
	switch {
	case m.Address:
		told += " has a network with " + m.rule.Name
	case m.CDN:
		told += " has " + m.rule.Name + ": a listed name in front of a suffix that a CDN's customers share"
	default:
		told += " has " + m.rule.Name
	}
	t.fact(depth, what, told+placeText(m.rule.Source))
	foreign := func(p *weighed) bool { return p.Bearing == policy.OfAnotherAgency.String() }
	decided := slices.ContainsFunc(m.Policies, isDecisive)
	for _, rank := range []int{rankDecides, rankInForce, rankOther} {
		for i := range m.Policies {
			if p := &m.Policies[i]; p.rank() == rank && !foreign(p) {
				t.policy(p, agency, decided && rank == rankOther)
			}
		}
	}
	var others []string
	for i := range m.Policies {
		if p := &m.Policies[i]; foreign(p) {
			others = append(others, p.Name)
		}
	}
	if len(others) > 0 {
		t.fact(1, "others", "not for "+agency.Name+": "+strings.Join(others, ", "))
	}
	if len(m.Policies) == 0 {
		t.fact(1, "decision", "no policy has this list")
	}
}

// policy tells of a policy that has the list of a match and that the agency has; in brief only what it is and when it is in force.
func (t *tree) policy(p *weighed, agency *agencyFacts, brief bool) {
	t.fact(1, "decision", "the "+p.Strength+" "+p.Name+": "+bearingText(p.Bearing)+placeText(p.Source))
	switch {
	case t.said["policy "+p.Name]:
	case brief:
		t.title(p.Title)
		t.fact(2, "in force", wording.Span(p.From, p.Until))
	default:
		t.said["policy "+p.Name] = true
		t.policyFacts(p, agency)
	}
	t.exceptions(p, agency)
}

// title tells the title of a policy, in the language of the agency if there is one in that.
func (t *tree) title(all map[string]string) {
	if text, language := wording.Title(all, t.language); text != "" {
		t.facts = append(t.facts, status.Fact{Depth: 2, What: "title", Told: text, Language: language})
	}
}

// bearingText is how a policy of the agency bears on a match.
func bearingText(bearing string) string {
	switch bearing {
	case policy.Stands.String():
		return "in force, and no exception lifts it"
	case policy.Lifted.String():
		return "in force, and lifted"
	default:
		return bearing
	}
}

func (t *tree) policyFacts(p *weighed, agency *agencyFacts) {
	t.title(p.Title)
	t.fact(2, "decided", wording.After(wording.Day("on ", p.Decided), " ", by(p.Authority)))
	t.fact(2, "legal ground", cmp.Or(wording.After(p.LegalReference, ", ", p.Link), "none is stated"))
	t.fact(2, "in force", wording.Span(p.From, p.Until))
	t.history("prolonged", p.Prolonged, p.Decided)
	t.fact(2, "review", wording.Day("on ", p.Review))
	switch {
	case p.Through == agency.Name:
		t.fact(2, "applies to", agency.Name+placeText(p.AgencySource))
	case p.Through != "":
		t.fact(2, "applies to", agency.Name+", as it is below "+p.Through+placeText(p.AgencySource))
	case p.AgencySource != "":
		t.fact(2, "applies to", agency.Name+", as main files name no policies for it: it has every ban, beside those of its owner"+
			placeText(p.AgencySource))
	default:
		t.fact(2, "applies to", agency.Name+", as no policies are named for it: it has every ban")
	}
	t.fact(2, "contact", cmp.Or(agency.Contact, p.Contact))
}

// history tells of each time that an end was put off. A history may begin with the end that there was when all was agreed.
func (t *tree) history(name string, all []prolonged, agreed time.Time) {
	for i, h := range all {
		what := name
		if i == 0 && !h.On.After(agreed) {
			what = "at first"
		}
		told := wording.After(wording.Day("on ", h.On), " ", wording.End(h.Until))
		t.fact(2, what, wording.After(wording.After(told, " ", by(h.ApprovedBy)), ", ", h.Reference))
	}
}

// exceptions tells which exception lifts p, or why none does. Of those that don't, the first few are told.
func (t *tree) exceptions(p *weighed, agency *agencyFacts) {
	const few = 4
	if !p.inForce() {
		return
	}
	lifted, first, idle := p.Bearing == policy.Lifted.String(), true, 0
	for i := range p.Exceptions {
		x := &p.Exceptions[i]
		switch {
		case x.Effect == liftsIt && first:
			first = false
			t.exception(x)
		case x.Effect == liftsIt:
			t.fact(1, "exception", x.Name+": would lift it, too"+placeText(x.Source))
		case lifted:
		case idle < few:
			idle++
			t.exception(x)
		default:
			idle++
		}
	}
	if idle > few {
		t.fact(1, "exception", fmt.Sprintf("and %d more that do not lift it: see --json", idle-few))
	}
	if len(p.Others) > 0 {
		t.fact(1, "exception", listText(p.Others)+": for other clients of "+agency.Name)
	}
	if len(p.Exceptions)+len(p.Others) == 0 {
		t.fact(1, "exception", "none from it in force or to come, for any client of "+agency.Name)
	}
}

func (t *tree) exception(x *considered) {
	t.fact(1, "exception", x.Name+": "+x.effectText()+placeText(x.Source))
	if t.said["exception "+x.Name] {
		return
	}
	t.said["exception "+x.Name] = true
	t.fact(2, "for", x.scope())
	t.fact(2, "class", x.Class)
	t.fact(2, "reason", x.Reason)
	t.fact(2, "approved", wording.After(wording.After(wording.Day("on ", x.Approved), " ", by(x.ApprovedBy)), ", ticket ", x.Ticket))
	t.fact(2, "in force", wording.Span(x.From, x.Until))
	t.history("extended", x.Extended, x.Approved)
	t.fact(2, "revoked", wording.After(wording.Moment("on ", x.Revoked), " ", by(x.RevokedBy)))
}

// effectText is the effect of x, and what ended it.
func (x *considered) effectText() string {
	if !x.Revoked.IsZero() && strings.HasSuffix(x.Effect, policy.Over.String()) {
		return "would lift it, but was revoked"
	}
	return x.Effect
}

// scope is for whom and what x is.
func (x *exceptionFacts) scope() string {
	whom := "all clients of " + x.Agency
	if len(x.Clients) > 0 {
		whom = listText(x.Clients) + " of " + x.Agency
	}
	if x.Descendants {
		whom += " and of those below it"
	}
	told := []string{whom}
	for _, narrow := range []struct {
		what string
		all  []string
	}{{"the names ", x.Names}, {"the lists ", x.Lists}, {"from ", x.Policies}} {
		if len(narrow.all) > 0 {
			told = append(told, narrow.what+listText(narrow.all))
		}
	}
	return strings.Join(told, "; ")
}

// answer tells what becomes of what the answer leads to.
func (t *tree) answer(e *Explained) {
	if e.Verdict == policy.Refuse.String() && e.Rule.Of == "" {
		if len(e.LeadsTo) > 0 {
			t.fact(0, "answer", "not looked at, as the name itself is refused")
		}
		return
	}
	if len(e.Covering) > 0 {
		told := "whatever it leads to is covered by " + listText(e.Covering)
		if len(e.Remaining) > 0 {
			told += ", but for what these ban: " + listText(e.Remaining)
		}
		t.fact(0, "answer", told)
	}
	for i := range e.LeadsTo {
		l := &e.LeadsTo[i]
		t.fact(0, "answer", "leads to "+l.To+": "+l.meaning(&e.Agency))
		t.matches(e.Matches, l.To, &e.Agency)
	}
}

// placeText is where something is written, in brackets.
func placeText(source string) string {
	if source == "" {
		return ""
	}
	return " [" + source + "]"
}

func by(whom string) string {
	if whom == "" {
		return ""
	}
	return "by " + whom
}

package explain

import (
	"net/netip"
	"strings"
	"time"

	"cordon/blocklists/builtin"
	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

// Explained is a verdict and how it came about, for people and, as JSON, for programs. Its keys stay what they are. Sources are
// "file:line"; times have the time zone of the policy files, and an until is the first moment that it no longer covers.
type Explained struct {
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Client  string    `json:"client"`
	At      time.Time `json:"at"`
	Allowed bool      `json:"allowed"` // false: this client may not ask at all
	Verdict string    `json:"verdict"` // pass, refuse, observe, except, or prohibited if it is not allowed
	Answer  string    `json:"answer,omitempty"`
	Would   string    `json:"would_answer,omitempty"`  // what is given where the verdict observe would be refuse
	Here    string    `json:"answered_here,omitempty"` // what is given to a name that no upstream is asked for

	HereSource string `json:"local_source,omitempty"` // where the name's records are written, if they are one's own
	AliasOf    string `json:"alias_of,omitempty"`     // what such a record leads to that upstreams are asked for
	Forward    string `json:"forward,omitempty"`      // the zone, or network, whose servers are asked

	Agency    agencyFacts     `json:"agency"`
	Policy    *policyFacts    `json:"policy,omitempty"` // the reason
	Exception *exceptionFacts `json:"exception,omitempty"`
	Rule      *rule           `json:"rule,omitempty"`
	Matches   []match         `json:"matches"`
	Change    time.Time       `json:"may_change_at,omitzero"`
	ChangeBy  []string        `json:"may_change_because,omitempty"` // what begins or ends then
	Covering  []string        `json:"covered_by,omitempty"`         // the exceptions that cover the question and what it leads to
	Remaining []string        `json:"still_refusing,omitempty"`     // with Covering: the bans that none of them lifts
	LeadsTo   []led           `json:"leads_to,omitempty"`           // what the answer leads to, as it was asked
}

type agencyFacts struct {
	Name    string `json:"name"`
	Parent  string `json:"parent,omitempty"`
	Network string `json:"network,omitempty"` // the one that the client is in
	Mode    string `json:"mode"`
	Source  string `json:"source,omitempty"`

	Language      string     `json:"language,omitempty"`
	NetworkSource string     `json:"network_source,omitempty"` // where Network is written
	ModeSource    string     `json:"mode_source,omitempty"`    // where Mode is written; "" if nowhere
	Above         []ancestor `json:"above,omitempty"`          // the parent, its parent, and so on
	Contact       string     `json:"contact,omitempty"`
}

// ancestor is an agency above another.
type ancestor struct {
	Name   string `json:"name"`
	Source string `json:"source"`
}

type policyFacts struct {
	Name           string            `json:"name"`
	Title          map[string]string `json:"title,omitempty"` // by language
	Strength       string            `json:"strength"`
	Authority      string            `json:"authority,omitempty"`
	LegalReference string            `json:"legal_reference,omitempty"`
	Contact        string            `json:"contact,omitempty"`
	Decided        time.Time         `json:"decided,omitzero"`
	From           time.Time         `json:"from,omitzero"`
	Until          time.Time         `json:"until,omitzero"`
	Source         string            `json:"source"`
	Link           string            `json:"link,omitempty"`
	Review         time.Time         `json:"review,omitzero"`
	Prolonged      []prolonged       `json:"prolonged,omitempty"`
	Within         string            `json:"within,omitempty"` // the agency that can have it, with those below it
}

// prolonged is what once gave a policy or an exception a later end.
type prolonged struct {
	On         time.Time `json:"on"`
	Until      time.Time `json:"until"`
	Reference  string    `json:"reference,omitempty"`
	ApprovedBy string    `json:"approved_by,omitempty"`
}

type exceptionFacts struct {
	Name       string    `json:"name"`
	Agency     string    `json:"agency"`
	Class      string    `json:"class,omitempty"`
	Reason     string    `json:"reason"`
	ApprovedBy string    `json:"approved_by"`
	Approved   time.Time `json:"approved,omitzero"`
	Ticket     string    `json:"ticket,omitempty"`
	From       time.Time `json:"from,omitzero"`
	Until      time.Time `json:"until"`
	Source     string    `json:"source"`

	Descendants bool        `json:"descendants,omitempty"`
	Clients     []string    `json:"clients,omitempty"`  // none: all of the agency
	Policies    []string    `json:"policies,omitempty"` // none: whatever policy
	Names       []string    `json:"names,omitempty"`    // none: whatever name
	Lists       []string    `json:"lists,omitempty"`    // none: whatever list
	Extended    []prolonged `json:"extended,omitempty"`
	Revoked     time.Time   `json:"revoked,omitzero"`
	RevokedBy   string      `json:"revoked_by,omitempty"`
}

// rule is an entry of a list.
type rule struct {
	List   string `json:"list"`
	Name   string `json:"name"`
	CDN    bool   `json:"shared_cdn_form,omitempty"` // it matched by the form <listed name>.<shared CDN suffix>
	Source string `json:"source"`
	line   int    // in the list

	ListSource string `json:"list_source,omitempty"` // where the list is declared
	Address    bool   `json:"address,omitempty"`     // it is a network that holds the address Name
	Of         string `json:"of,omitempty"`          // what of the answer matched; "": the question
}

// match is a rule with what each policy makes of it.
type match struct {
	rule
	Policies []weighed `json:"policies"`
}

// weighed is a policy with how it bears on a match.
type weighed struct {
	policyFacts
	Bearing    string       `json:"bearing"`
	Exceptions []considered `json:"exceptions,omitempty"`

	Through      string   `json:"agency,omitempty"`        // the agency, or the one above it, that has the policy; "": as it has every ban
	AgencySource string   `json:"agency_source,omitempty"` // where that has it; with "": where policies beside every ban are named
	Others       []string `json:"other_clients,omitempty"` // exceptions from it for other clients of the agency
	decisive     bool
}

// inForce says whether p is in force for the agency, lifted or not.
func (p *weighed) inForce() bool {
	return p.Bearing == policy.Stands.String() || p.Bearing == policy.Lifted.String()
}

// liftsIt is the effect of an exception that covers a match and is in force.
const liftsIt = "lifts it"

// considered is an exception of the client with what it does for a match.
type considered struct {
	exceptionFacts
	Effect string `json:"effect"`
}

// Of is x for a client that may ask (allowed) or not. It does not have who asked what, nor the places that a snapshot does not know.
func Of(x *policy.Explanation, allowed bool) *Explained {
	v := &x.Verdict
	e := &Explained{
		Allowed: allowed, Verdict: v.Action.String(), Matches: []match{}, Change: v.Boundary,
		Agency: agencyFacts{
			Name: v.Agency.Name, Parent: v.Agency.Parent, Mode: v.Agency.Mode.String(), Source: v.Agency.Source,
			Language: v.Agency.Language, Contact: v.Agency.Contact,
		},
	}
	e.cover(x)
	for i := range x.Matches {
		e.Matches = append(e.Matches, matchOf(&x.Matches[i], e))
	}
	if v.Policy != nil {
		facts := factsOfPolicy(v.Policy)
		e.Policy = &facts
	}
	if v.Exception != nil {
		facts := factsOfException(v.Exception)
		e.Exception = &facts
	}
	e.because()
	switch {
	case !allowed:
		e.Verdict, e.Answer = "prohibited", "REFUSED with EDE 18 (Prohibited)"
	case v.Action == policy.Refuse:
		e.Answer = refusalText(v)
	case v.Action == policy.Observe:
		e.Would = refusalText(v)
	}
	return e
}

// cover says what covers the question of x, and what that leaves.
func (e *Explained) cover(x *policy.Explanation) {
	for _, exception := range x.Covering {
		e.Covering = append(e.Covering, exception.Name)
	}
	if len(e.Covering) == 0 {
		return
	}
	for _, p := range x.Remaining {
		e.Remaining = append(e.Remaining, p.Name)
	}
}

// because says what begins or ends at e.Change.
func (e *Explained) because() {
	if e.Change.IsZero() {
		return
	}
	note := func(what string, from, until time.Time) {
		if from.Equal(e.Change) {
			e.ChangeBy = addOnce(e.ChangeBy, what+" begins")
		}
		if until.Equal(e.Change) {
			e.ChangeBy = addOnce(e.ChangeBy, what+" ends")
		}
	}
	for _, m := range e.Matches {
		for _, p := range m.Policies {
			if p.Bearing == policy.OfAnotherAgency.String() {
				continue
			}
			note("the "+p.Strength+" "+p.Name, p.From, p.Until)
			for _, x := range p.Exceptions {
				note("the exception "+x.Name, x.From, x.Until)
			}
		}
	}
}

// ask puts into e who asked what, when.
func (e *Explained) ask(q *Question, agency *policy.Agency) {
	e.Name, e.Type, e.Client, e.At = q.Name.String(), q.Type, q.Client.String(), q.At.Now.Truncate(time.Second)
	longest := -1
	for _, n := range agency.Networks {
		if n.Contains(q.Client.Unmap().WithZone("")) && n.Bits() > longest {
			longest, e.Agency.Network = n.Bits(), n.String()
		}
	}
}

// matchOf is m, and sets e.Rule if m decided.
func matchOf(m *policy.Matched, e *Explained) match {
	found := match{rule: ruleOf(m), Policies: []weighed{}}
	for _, w := range m.Policies {
		found.Policies = append(found.Policies, weighedOf(&w))
		if w.Decisive {
			e.Rule = &found.rule
		}
	}
	return found
}

func ruleOf(m *policy.Matched) rule {
	r := rule{List: m.List.Name(), CDN: m.CDN, line: m.Line, Address: m.Name == nil}
	if m.InAnswer {
		r.Of = m.Addr.String()
		if m.Name != nil {
			r.Of = string(domain.AppendText(nil, m.Name))
		}
	}
	if name, ok := strings.CutPrefix(m.List.Source(), "builtin:"); ok {
		r.Source = builtin.Place(name, m.Line)
	} else if m.List.Path() != "" {
		r.Source = m.List.PlaceText(m.Line)
	}
	switch {
	case m.Name == nil:
		r.Name = m.Addr.String()
	case m.Rule == nil:
	default:
		r.Name = string(domain.AppendText(nil, m.Rule))
	}
	return r
}

func weighedOf(w *policy.Weighed) weighed {
	all := weighed{policyFacts: factsOfPolicy(w.Policy), Bearing: w.Bearing.String(), decisive: w.Decisive}
	for _, other := range w.Others {
		all.Others = append(all.Others, other.Name)
	}
	for _, c := range w.Considered {
		effect := "does not cover this name"
		switch {
		case c.Covers && c.Phase == policy.InForce:
			effect = liftsIt
		case c.Covers:
			effect = "would lift it, but is " + c.Phase.String()
		}
		all.Exceptions = append(all.Exceptions, considered{exceptionFacts: factsOfException(c.Exception), Effect: effect})
	}
	return all
}

func factsOfPolicy(p *policy.Policy) policyFacts {
	return policyFacts{
		Name: p.Name, Title: p.Title, Strength: p.Strength(), Authority: p.Authority, LegalReference: p.LegalReference,
		Contact: p.Contact, Decided: p.Decided, From: p.From, Until: p.Until, Source: p.Source,
		Link: p.Link, Review: p.Review, Prolonged: prolongedFacts(p.Prolonged), Within: p.Within,
	}
}

func prolongedFacts(history []policy.Prolonged) []prolonged {
	all := make([]prolonged, 0, len(history))
	for _, p := range history {
		all = append(all, prolonged(p))
	}
	return all
}

func factsOfException(e *policy.Exception) exceptionFacts {
	facts := exceptionFacts{
		Name: e.Name, Agency: e.Agency, Class: e.Class, Reason: e.Reason, ApprovedBy: e.ApprovedBy, Approved: e.Approved,
		Ticket: e.Ticket, From: e.From, Until: e.Until, Source: e.Source,
		Descendants: e.Descendants, Policies: e.Policies, Lists: e.Lists, Extended: prolongedFacts(e.Extended),
		Revoked: e.Revoked, RevokedBy: e.RevokedBy,
	}
	for _, c := range e.Clients {
		facts.Clients = append(facts.Clients, prefixText(c))
	}
	for _, n := range e.Names {
		facts.Names = append(facts.Names, n.String())
	}
	return facts
}

// prefixText is p, as an address if it is one.
func prefixText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// refusalText is what the client gets by v, if it is refused.
func refusalText(v *policy.Verdict) string {
	const every = " for every type of record"
	switch v.Policy.Answer {
	case policy.NoData:
		return "NODATA" + every
	case policy.Refused:
		return "REFUSED" + every
	case policy.NullIP:
		return "0.0.0.0 for A, :: for AAAA, NODATA for other types"
	case policy.NXDomain:
	}
	if v.InAnswer {
		return "NODATA" + every + " (what the name leads to is refused, not the name)"
	}
	if v.Exact {
		return "NODATA" + every + " (the rule is for this name only, and NXDOMAIN would deny those below)"
	}
	if v.HasExceptions {
		return "NODATA" + every + " (NXDOMAIN would deny the names that an exception allows)"
	}
	return "NXDOMAIN" + every
}

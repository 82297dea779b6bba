package main

import (
	"net/netip"
	"strings"
	"time"

	"cordon/blocklists/builtin"
	"cordon/blocklists/domain"
	"cordon/config"
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

	Agency    agencyFacts     `json:"agency"`
	Policy    *policyFacts    `json:"policy,omitempty"` // the reason
	Exception *exceptionFacts `json:"exception,omitempty"`
	Rule      *rule           `json:"rule,omitempty"`
	Matches   []match         `json:"matches"`
	Change    time.Time       `json:"may_change_at,omitzero"`
}

type agencyFacts struct {
	Name    string `json:"name"`
	Parent  string `json:"parent,omitempty"`
	Network string `json:"network,omitempty"` // the one that the client is in
	Mode    string `json:"mode"`
	Source  string `json:"source,omitempty"`
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
}

// rule is an entry of a list.
type rule struct {
	List   string `json:"list"`
	Name   string `json:"name"`
	CDN    bool   `json:"shared_cdn_form,omitempty"` // it matched by the form <listed name>.<shared CDN suffix>
	Source string `json:"source"`
	line   int    // in the list
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
}

// considered is an exception of the client with what it does for a match.
type considered struct {
	exceptionFacts
	Effect string `json:"effect"`
}

// explanation is x for a client that may ask (allowed) or not.
func explanation(x *policy.Explanation, allowed bool) *Explained {
	v := &x.Verdict
	e := &Explained{
		Allowed: allowed, Verdict: v.Action.String(), Matches: []match{}, Change: v.Boundary,
		Agency: agencyFacts{Name: v.Agency.Name, Parent: v.Agency.Parent, Mode: v.Agency.Mode.String(), Source: v.Agency.Source},
	}
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

// ask puts into e who asked what, when.
func (e *Explained) ask(name domain.Name, rtype string, client netip.Addr, at time.Time, agency *policy.Agency) {
	e.Name, e.Type, e.Client, e.At = name.String(), rtype, client.String(), at.Truncate(time.Second)
	longest := -1
	for _, n := range agency.Networks {
		if n.Contains(client.Unmap().WithZone("")) && n.Bits() > longest {
			longest, e.Agency.Network = n.Bits(), n.String()
		}
	}
}

// place gives the rules of lists that stand in the policy itself the place where lists declares them.
func (e *Explained) place(lists []*config.List) {
	for i := range e.Matches {
		r := &e.Matches[i].rule
		for _, declared := range lists {
			if r.Source == "" && declared.Name == r.List {
				r.Source = declared.AtElement("names", r.line-1).String()
			}
		}
		if e.Rule != nil && e.Rule.List == r.List && e.Rule.line == r.line {
			e.Rule.Source = r.Source
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
	r := rule{List: m.List.Name(), CDN: m.CDN, line: m.Line}
	if name, ok := strings.CutPrefix(m.List.Source(), "builtin:"); ok {
		r.Source = builtin.Place(name, m.Line)
	} else if m.List.Path() != "" {
		r.Source = placeOf(m.List, m.Line)
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
	all := weighed{policyFacts: factsOfPolicy(w.Policy), Bearing: w.Bearing.String()}
	for _, c := range w.Considered {
		effect := "does not cover this name"
		switch {
		case c.Covers && c.Phase == policy.InForce:
			effect = "lifts it"
		case c.Covers:
			effect = "would lift it, but is " + c.Phase.String()
		}
		all.Exceptions = append(all.Exceptions, considered{exceptionFacts: factsOfException(c.Exception), Effect: effect})
	}
	return all
}

func factsOfPolicy(p *policy.Policy) policyFacts {
	strength := "ban"
	if p.Recommendation {
		strength = "recommendation"
	}
	return policyFacts{
		Name: p.Name, Title: p.Title, Strength: strength, Authority: p.Authority, LegalReference: p.LegalReference,
		Contact: p.Contact, Decided: p.Decided, From: p.From, Until: p.Until, Source: p.Source,
	}
}

func factsOfException(e *policy.Exception) exceptionFacts {
	return exceptionFacts{
		Name: e.Name, Agency: e.Agency, Class: e.Class, Reason: e.Reason, ApprovedBy: e.ApprovedBy, Approved: e.Approved,
		Ticket: e.Ticket, From: e.From, Until: e.Until, Source: e.Source,
	}
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
	if v.Exact {
		return "NODATA" + every + " (the rule is for this name only, and NXDOMAIN would deny those below)"
	}
	if v.HasExceptions {
		return "NODATA" + every + " (NXDOMAIN would deny the names that an exception allows)"
	}
	return "NXDOMAIN" + every
}

package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"cordon/resolver/policy"
)

// Ban is a policy that was in force in the period.
type Ban struct {
	Name           string            `json:"name"`
	Title          map[string]string `json:"title"` // by language
	Strength       string            `json:"strength"`
	Authority      string            `json:"authority,omitempty"`
	LegalReference string            `json:"legal_reference,omitempty"`
	Link           string            `json:"link,omitempty"`
	Contact        string            `json:"contact,omitempty"`
	Within         string            `json:"within,omitempty"`               // the one agency that has it, with those below it
	NoAgency       bool              `json:"applies_to_no_agency,omitempty"` // it refuses nothing
	Decided        time.Time         `json:"decided,omitzero"`
	From           time.Time         `json:"from,omitzero"`
	Until          time.Time         `json:"until,omitzero"`
	Review         time.Time         `json:"review,omitzero"`
	Prolonged      []Prolonged       `json:"prolonged"`
	Lists          []string          `json:"lists"`
}

// Prolonged is one prolongation of a policy, or one extension of an exception.
type Prolonged struct {
	On         time.Time `json:"on"`
	Until      time.Time `json:"until"`
	Reference  string    `json:"reference,omitempty"`
	ApprovedBy string    `json:"approved_by,omitempty"`
}

// Agency is a body whose clients share policies.
type Agency struct {
	Name     string   `json:"name"`
	Parent   string   `json:"parent,omitempty"`
	Depth    int      `json:"depth"` // below those without a parent
	Mode     string   `json:"mode"`  // enforce, observe or off
	Bans     []string `json:"bans"`  // policies that are refused to it
	Observed []string `json:"observed"`
	Networks int      `json:"networks"`
}

// List is a list as it is now.
type List struct {
	Name     string    `json:"name"`
	Service  string    `json:"service,omitempty"` // the one service that it is about, if its source says so
	Source   string    `json:"source"`
	State    string    `json:"state"` // in force, held, stale or absent
	Names    int       `json:"names"`
	Networks int       `json:"networks"`
	Current  time.Time `json:"current,omitzero"` // when its source was last known to have nothing newer; zero: not known
	Policies []string  `json:"policies"`         // that have it
}

// servicePrefix begins the source of a list that is about one service.
const servicePrefix = "builtin:service/"

// newScope chooses facts.Only and the agencies below it.
func newScope(facts *Facts) *scope {
	s := &scope{facts: facts, used: map[string]bool{}}
	children := map[string][]*AgencyFacts{}
	for i := range facts.Agencies {
		a := &facts.Agencies[i]
		children[a.Parent] = append(children[a.Parent], a)
	}
	if facts.Only == "" {
		s.walk(children, children[""], 0)
		return s
	}
	s.chosen = map[string]bool{facts.Only: true}
	for i := range facts.Agencies {
		if facts.Agencies[i].Name == facts.Only {
			s.walk(children, []*AgencyFacts{&facts.Agencies[i]}, 0)
		}
	}
	return s
}

// walk takes in the agencies of one parent, each with those below it.
func (s *scope) walk(children map[string][]*AgencyFacts, some []*AgencyFacts, depth int) {
	for _, a := range some {
		if s.chosen != nil {
			s.chosen[a.Name] = true
		}
		s.inTree = append(s.inTree, s.agency(a, depth))
		s.walk(children, children[a.Name], depth+1)
	}
}

func (s *scope) agency(a *AgencyFacts, depth int) Agency {
	told := Agency{
		Name: a.Name, Parent: a.Parent, Depth: depth, Mode: a.Mode.String(), Networks: len(a.Networks),
		Bans: []string{}, Observed: []string{},
	}
	for _, p := range a.Policies {
		s.used[p.Name] = true
		switch {
		case a.Mode == policy.Off:
		case a.Mode == policy.ObserveOnly || p.Recommendation:
			told.Observed = append(told.Observed, p.Name)
		default:
			told.Bans = append(told.Bans, p.Name)
		}
	}
	return told
}

func (s *scope) agencies() []Agency { return append([]Agency{}, s.inTree...) }

// bans are the policies that were in force in period, recommendations after bans.
func (s *scope) bans(period Period) []Ban {
	all := []Ban{}
	for _, p := range s.facts.Policies {
		if (s.chosen == nil || s.used[p.Name]) && period.overlaps(p.From, p.Until) {
			b := banOf(p)
			b.NoAgency = !s.used[p.Name]
			all = append(all, b)
		}
	}
	slices.SortStableFunc(all, func(a, b Ban) int { return strings.Compare(a.Strength, b.Strength) })
	return all
}

func banOf(p *policy.Policy) Ban {
	b := Ban{
		Name: p.Name, Title: maps.Clone(p.Title), Strength: "ban", Authority: p.Authority, LegalReference: p.LegalReference, Link: p.Link,
		Contact: p.Contact, Within: p.Within, Decided: p.Decided, From: p.From, Until: p.Until, Review: p.Review,
		Prolonged: []Prolonged{}, Lists: append([]string{}, p.Lists...),
	}
	if b.Title == nil {
		b.Title = map[string]string{}
	}
	if p.Recommendation {
		b.Strength = "recommendation"
	}
	for i, q := range p.Prolonged {
		if !isFirstEnd(i, q.On, p.Decided) {
			b.Prolonged = append(b.Prolonged, Prolonged(q))
		}
	}
	return b
}

// lists are those of the policies that the agencies have.
func (s *scope) lists() []List {
	all := []List{}
	for _, l := range s.facts.Lists {
		l.Policies = []string{}
		for _, p := range s.facts.Policies {
			if (s.chosen == nil || s.used[p.Name]) && slices.Contains(p.Lists, l.Name) {
				l.Policies = append(l.Policies, p.Name)
			}
		}
		l.Service = serviceOf(l.Source)
		if s.chosen == nil || len(l.Policies) > 0 {
			all = append(all, l)
		}
	}
	return all
}

// serviceOf is the service that a source is about, "" if it is not about one.
func serviceOf(source string) string {
	service, ok := strings.CutPrefix(source, servicePrefix)
	if !ok {
		return ""
	}
	return service
}

// services are what the lists are about, by their names: the service, or the list itself.
func (s *scope) services() map[string]string {
	all := map[string]string{}
	for _, l := range s.facts.Lists {
		all[l.Name] = cmp.Or(serviceOf(l.Source), l.Name)
	}
	return all
}

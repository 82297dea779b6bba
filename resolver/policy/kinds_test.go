package policy_test

import (
	"strings"
	"testing"

	"cordon/blocklists"
	"cordon/resolver/policy"
)

// The tables of this file are the kinds of everything that has a part in a verdict. TestEveryPairOfKinds holds each against each.

// ruleKinds are the rules that a list may have, with the names that they match.
var ruleKinds = []struct {
	kind, rule string
	matches    string // of itself, below and above, with blanks between
}{
	{"an exact rule", "=kind.example", "itself"},
	{"a rule for below", "*.kind.example", "below"},
	{"a rule for the whole", "kind.example", "itself below"},
}

// askedNames are the names that are asked, by how they stand to the rule.
var askedNames = map[string]string{"itself": "kind.example", "below": "a.kind.example", "above": "example"}

// exceptionKinds are what an exception of the agency federal from policy p may be for, with whether it covers a client 10.10.7.1 of
// the agency defence below federal, and one of federal itself, 10.10.8.1, for a name on list l.
var exceptionKinds = []struct {
	kind             string
	exception        policy.Exception
	defence, federal bool
}{
	{"the agency", policy.Exception{}, false, true},
	{"another agency", policy.Exception{Agency: "court"}, false, false},
	{"the agency below", policy.Exception{Agency: "defence"}, true, false},
	{"descendants", policy.Exception{Descendants: true}, true, true},
	{"descendants of the agency below", policy.Exception{Agency: "defence", Descendants: true}, true, false},
	{"clients", policy.Exception{Clients: prefixes("10.10.8.1/32")}, false, true},
	{"clients of descendants", policy.Exception{Descendants: true, Clients: prefixes("10.10.0.0/20")}, true, true},
	{"other clients", policy.Exception{Descendants: true, Clients: prefixes("10.10.9.0/24")}, false, false},
	{"the policy", policy.Exception{Descendants: true, Policies: []string{"p"}}, true, true},
	{"another policy", policy.Exception{Descendants: true, Policies: []string{"q"}}, false, false},
	{"the list", policy.Exception{Descendants: true, Lists: []string{"l"}}, true, true},
	{"another list", policy.Exception{Descendants: true, Lists: []string{"m"}}, false, false},
	{"names", policy.Exception{Descendants: true, Names: names("kind.example")}, true, true},
	{"other names", policy.Exception{Descendants: true, Names: names("b.kind.example", "other.example")}, false, false},
	{"names on the list", policy.Exception{Descendants: true, Names: names("kind.example"), Lists: []string{"l"}}, true, true},
	{"names on another list", policy.Exception{Descendants: true, Names: names("kind.example"), Lists: []string{"m"}}, false, false},
	{"clients, policy, list and names", policy.Exception{Clients: prefixes("10.10.8.0/24"), Policies: []string{"p"}, Lists: []string{"l"}, Names: names("kind.example")}, false, true},
}

// phaseKinds are the times of a policy or an exception around noon, with whether it is in force.
var phaseKinds = []struct {
	kind        string
	from, until string
	inForce     bool
}{
	{"in force", "2023-05-01", "2023-07-01", true},
	{"from this moment", "2023-06-01 12:00", "2023-07-01", true},
	{"not yet", "2023-06-02", "2023-07-01", false},
	{"over", "2023-05-01", "2023-06-01", false},
	{"until this moment", "2023-05-01", "2023-06-01 12:00", false},
	{"revoked", "2023-05-01", "2023-05-15", false}, // an exception has Until = Revoked then
}

// kinds is one of everything.
type kinds struct {
	rule, name, strength, policyPhase, mode, client, exception, exceptionPhase string
	matches, policyInForce, covers                                             bool
}

func (k kinds) String() string {
	return strings.Join([]string{
		k.rule, "asked is " + k.name, k.strength + " " + k.policyPhase, "mode " + k.mode, "client of " + k.client,
		"exception for " + k.exception + " " + k.exceptionPhase,
	}, ", ")
}

// want is the verdict by rules 2 and 5 in the plainest words.
func (k kinds) want() policy.Action {
	switch {
	case !k.matches, k.mode == "off", !k.policyInForce:
		return policy.Pass
	case k.covers:
		return policy.Except
	case k.strength == "recommendation", k.mode == "observe":
		return policy.Observe
	default:
		return policy.Refuse
	}
}

// TestEveryPairOfKinds decides for every rule × name × strength × phase of the policy × mode × client × exception × phase of it.
func TestEveryPairOfKinds(t *testing.T) {
	lists := map[string]*blocklists.List{}
	for _, r := range ruleKinds {
		lists[r.rule] = list(t, "l", r.rule)
	}
	other := list(t, "m", "other.example")
	rows := 0
	for _, rule := range ruleKinds {
		for _, strength := range []string{"ban", "recommendation"} {
			for _, phase := range phaseKinds {
				for _, mode := range []policy.AgencyMode{policy.Enforce, policy.ObserveOnly, policy.Off} {
					for _, x := range exceptionKinds {
						for _, lifts := range phaseKinds {
							conf := &policy.Config{
								ID:    1,
								Lists: []*blocklists.List{lists[rule.rule], other},
								Policies: []policy.Policy{
									{Name: "p", Lists: []string{"l"}, Recommendation: strength == "recommendation", From: at(phase.from), Until: at(phase.until)},
									{Name: "q", Lists: []string{"m"}},
								},
								Agencies: []policy.Agency{
									{Name: "federal", Networks: prefixes("10.10.0.0/16"), Policies: []string{"p"}, Mode: mode},
									{Name: "defence", Parent: "federal", Networks: prefixes("10.10.7.0/24")},
									{Name: "court", Networks: prefixes("192.0.2.0/24"), Policies: []string{"q"}},
								},
							}
							e := x.exception
							e.Name, e.From, e.Until = "x", at(lifts.from), at(lifts.until)
							if lifts.kind == "revoked" {
								e.Revoked = e.Until
							}
							exceptions(e)(conf)
							s := compile(t, conf)
							k := kinds{
								rule: rule.kind, strength: strength, policyPhase: phase.kind, mode: mode.String(), exception: x.kind,
								exceptionPhase: lifts.kind, policyInForce: phase.inForce,
							}
							for how, name := range askedNames {
								k.name, k.matches = how, strings.Contains(rule.matches, how)
								for client, covers := range map[string]bool{"10.10.7.1": x.defence, "10.10.8.1": x.federal} {
									a := asker(t, s, client)
									k.client, k.covers = a.Agency().Name, covers && lifts.inForce
									v := s.Decide(a, wire(name), noon)
									if v.Action != k.want() || v.Listed != k.matches {
										t.Errorf("%s:\n got %s, listed %t\nwant %s, listed %t", k, show(v), v.Listed, k.want(), k.matches)
									}
									rows++
								}
							}
						}
					}
				}
			}
		}
	}
	if want := 3 * 2 * 6 * 3 * len(exceptionKinds) * 6 * 3 * 2; rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
}

package resolver

import (
	"maps"
	"slices"
	"strings"

	"cordon/resolver/answer"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// audience is how the clients of one agency are refused. All of it is made when the policy is published.
type audience struct {
	refusals []*refusal      // by Policy.Index; agencies with the same language share them
	contact  *answer.Contact // nil: each policy's own
}

// refusal is how one policy refuses, told in one language.
type refusal struct {
	mode       answer.Mode
	truthful   answer.Mode // the mode for who understands a structured error: mode, unless that forges an answer
	plain      wire.EDE
	structured answer.Structured
	contact    *answer.Contact // of the policy, not nil
}

// contactFor is whom a client of a, refused by how, can turn to.
func (a *audience) contactFor(how *refusal) *answer.Contact {
	if a.contact != nil {
		return a.contact
	}
	return how.contact
}

// audiences are those of s, by Agency.Index; operator runs this server, empty if that is not to be told.
func audiences(s *policy.Snapshot, operator string) []audience {
	told := make([]voices, len(s.Policies()))
	for i, p := range s.Policies() {
		told[i] = newVoices(p, operator)
	}
	languages := map[string][]*refusal{}
	all := make([]audience, len(s.Agencies()))
	for i, a := range s.Agencies() {
		if languages[a.Language] == nil {
			languages[a.Language] = refusalsIn(a.Language, told)
		}
		all[i].refusals = languages[a.Language]
		if contact, ok := answer.NewContact(a.Contact); ok {
			all[i].contact = &contact
		}
	}
	return all
}

func refusalsIn(language string, told []voices) []*refusal {
	all := make([]*refusal, len(told))
	for i := range told {
		all[i] = told[i].in(language)
	}
	return all
}

// voices are the refusals of one policy by language: one for each that it has a title in.
type voices struct {
	spoken map[string]*refusal // by tag, in lower case
	other  *refusal            // for all other languages: in English, else in the first language by the alphabet, else without a title
}

func newVoices(p *policy.Policy, operator string) voices {
	contact, _ := answer.NewContact(p.Contact)
	v := voices{spoken: map[string]*refusal{}}
	for _, tag := range slices.Sorted(maps.Keys(p.Title)) {
		if strings.TrimSpace(p.Title[tag]) == "" {
			continue
		}
		told := newRefusal(p, tag, operator, &contact)
		v.spoken[strings.ToLower(tag)] = told
		if v.other == nil {
			v.other = told
		}
	}
	switch english := v.spoken["en"]; {
	case english != nil:
		v.other = english
	case v.other == nil:
		v.other = newRefusal(p, "", operator, &contact)
	}
	return v
}

func newRefusal(p *policy.Policy, language, operator string, contact *answer.Contact) *refusal {
	reason := answer.Reason{
		Code: wire.EDECode(p.EDE), Policy: p.Name,
		Title: p.Title[language], Language: language, Reference: p.LegalReference, Operator: operator,
	}
	mode := modes[p.Answer]
	told := &refusal{mode: mode, truthful: mode, plain: reason.EDE(), structured: reason.Structured(), contact: contact}
	if mode == answer.NullIP {
		told.truthful = answer.NXDomain
	}
	return told
}

// in is the refusal in language, or in what that is a kind of: "fr" for "fr-BE" (RFC 4647, section 3.4).
func (v *voices) in(language string) *refusal {
	for tag := strings.ToLower(language); tag != ""; tag = tag[:max(0, strings.LastIndexByte(tag, '-'))] {
		if told := v.spoken[tag]; told != nil {
			return told
		}
	}
	return v.other
}

// modes are the modes of a policy as modes of an answer.
var modes = map[policy.Mode]answer.Mode{
	policy.NXDomain: answer.NXDomain,
	policy.NoData:   answer.NoData,
	policy.Refused:  answer.Refused,
	policy.NullIP:   answer.NullIP,
}

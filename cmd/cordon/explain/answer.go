package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

// maxLedTo is how many names and addresses explain judges in one answer: more than a resolver follows.
const maxLedTo = 256

// led is one name or address that an answer leads to, with what policy makes of it for a question that is not refused itself.
type led struct {
	To         string   `json:"to"`
	Verdict    string   `json:"verdict"`              // pass, refuse, observe or except
	Policies   []string `json:"policies,omitempty"`   // that refuse or observe it, or that are lifted
	Exceptions []string `json:"exceptions,omitempty"` // that lift them
	weight     int
	listed     bool
}

// Chain is what an answer leads to. The zero value is nothing.
type Chain struct {
	names [][]byte
	addrs []netip.Addr
	texts []string // both, in the order in which they were given
}

// ParseChain reads names and addresses: several in one text are divided by blanks.
func ParseChain(texts []string) (Chain, error) {
	var p Chain
	for word := range strings.FieldsSeq(strings.Join(texts, " ")) {
		if len(p.texts) == maxLedTo {
			return p, fmt.Errorf("explain: --answer has more than %d names and addresses: want those of one answer", maxLedTo)
		}
		if addr, err := netip.ParseAddr(word); err == nil {
			addr = addr.Unmap().WithZone("")
			if p.add(addr.String()) {
				p.addrs = append(p.addrs, addr)
			}
			continue
		}
		name, err := domain.Parse(word)
		if err != nil {
			return p, fmt.Errorf("explain: --answer: %w: want the name of a CNAME or an address, such as 192.0.2.1", err)
		}
		if p.add(name.String()) {
			p.names = append(p.names, []byte(name))
		}
	}
	return p, nil
}

// add says whether text is new to c.
func (c *Chain) add(text string) bool {
	if slices.Contains(c.texts, text) {
		return false
	}
	c.texts = append(c.texts, text)
	return true
}

// Take adds names and addrs, which it copies.
func (c *Chain) Take(names [][]byte, addrs []netip.Addr) {
	for _, name := range names {
		if c.add(string(domain.AppendText(nil, name))) {
			c.names = append(c.names, slices.Clone(name))
		}
	}
	for _, addr := range addrs {
		if c.add(addr.String()) {
			c.addrs = append(c.addrs, addr)
		}
	}
}

// Follow says of everything that p leads to what the matches of e make of it.
func (e *Explained) Follow(p Chain) {
	for _, to := range p.texts {
		l := led{To: to, Verdict: policy.Pass.String()}
		for i := range e.Matches {
			if m := &e.Matches[i]; m.Of == to {
				l.listed = true
				l.judge(m, e.Agency.Mode)
			}
		}
		e.LeadsTo = append(e.LeadsTo, l)
	}
}

// meaning is l in words.
func (l *led) meaning(agency *agencyFacts) string {
	policies := listText(l.Policies)
	switch l.Verdict {
	case policy.Refuse.String():
		return "refused, by " + policies
	case policy.Observe.String():
		return "counted, by " + policies
	case policy.Except.String():
		return "excepted from " + policies + ", by " + listText(l.Exceptions)
	}
	switch {
	case !l.listed:
		return "passes, as no list has it"
	case agency.Mode == policy.Off.String():
		return "passes, as the mode of " + agency.Name + " is off"
	default:
		return "passes, as no policy that has it is in force for " + agency.Name
	}
}

// judge adds what the policies that have the list of m say. Of those, what bans say counts before what recommendations say, and what
// stands before what is lifted, as in [policy.Snapshot.Decide].
func (l *led) judge(m *match, mode string) {
	for i := range m.Policies {
		p := &m.Policies[i]
		weight := p.weight(mode)
		if weight == 0 || weight < l.weight {
			continue
		}
		if weight > l.weight {
			l.weight, l.Verdict, l.Policies, l.Exceptions = weight, p.verdict(mode).String(), nil, nil
		}
		l.Policies = addOnce(l.Policies, p.Name)
		for _, x := range p.Exceptions {
			if x.Effect == liftsIt {
				l.Exceptions = addOnce(l.Exceptions, x.Name)
			}
		}
	}
}

func addOnce(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// weight is how heavy p is as a reason: 0 for none.
func (p *weighed) weight(mode string) int {
	weight := 0
	switch {
	case mode == policy.Off.String():
	case p.Bearing == policy.Stands.String():
		weight = 2
	case p.Bearing == policy.Lifted.String():
		weight = 1
	}
	if weight > 0 && p.Strength == "ban" {
		weight += 2
	}
	return weight
}

// verdict is what p alone makes of its match, if it has weight.
func (p *weighed) verdict(mode string) policy.Action {
	switch {
	case p.Bearing == policy.Lifted.String():
		return policy.Except
	case mode == policy.ObserveOnly.String() || p.Strength == "recommendation":
		return policy.Observe
	default:
		return policy.Refuse
	}
}

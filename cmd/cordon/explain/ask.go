package explain

import (
	"net/netip"

	"cordon/blocklists/domain"
	"cordon/config"
	"cordon/resolver/policy"
)

// Policy is what is in force, and the files that it was made of.
type Policy struct {
	Snapshot *policy.Snapshot
	Set      *config.PolicySet
	Compiled func(*config.Exception) *policy.Exception // an exception of Set as Snapshot would have it
}

// Question is who asks what, when. The time is told in its own location.
type Question struct {
	Name   domain.Name
	Type   string // of record, such as "AAAA"
	Client netip.Addr
	At     policy.Instant
	Answer Chain // what the answer leads to, as far as that is known
}

// Local is what a server does with a name before it asks an upstream, and which it asks. The zero value: it asks those for all names.
type Local struct {
	Answer string // to a name that no upstream is asked for, "" if one is
	Source string // where the records are written, if they are one's own
	End    string // what an alias of one's own leads to, for which upstreams are asked; "" if it is none
	Asked  string // the entry of forward whose servers are asked, "" for the upstreams of all names
	Leads  Chain  // what the records lead to
}

// Ask explains what p says of q, on a server that does l with the name.
func (p *Policy) Ask(q Question, l *Local) *Explained {
	q.Answer.Take(l.Leads.names, l.Leads.addrs)
	asker, allowed := p.Snapshot.Asker(q.Client)
	decided := p.Snapshot.Decide(asker, []byte(q.Name), q.At)
	found := p.Snapshot.ExplainAnswer(asker, decided, q.Answer.names, q.Answer.addrs, q.At)
	e := Of(&found, allowed)
	e.ask(&q, asker.Agency())
	e.place(p.Set)
	e.tellIdle(p, asker, q.Client)
	e.Follow(q.Answer)
	e.Here, e.HereSource, e.AliasOf, e.Forward = l.Answer, l.Source, l.End, l.Asked
	return e
}

package blocklists

import "cordon/blocklists/format"

// Say is what one list says of a name or of a network.
type Say uint8

// What a list can say. A greater one wins where two rules speak of the same.
const (
	Nothing Say = iota
	Blocks
	Allows // not what shorter names or wider networks of this list would block

	cancels // only while a list is made: Allows, and nothing below blocks
)

// String is the word for s in messages.
func (s Say) String() string {
	switch s {
	case Nothing:
		return "nothing"
	case Blocks:
		return "blocks"
	default:
		return "allows"
	}
}

// say is what a rule with this action says.
func say(a format.Action) Say {
	switch a {
	case format.Block:
		return Blocks
	case format.Allow:
		return Allows
	default:
		return cancels
	}
}

// ruling is all that a list says about one name.
type ruling struct {
	self  Say  // of the name itself
	below Say  // of every name below it
	holed bool // the name may be blocked, but some name below it is allowed: who denies the name must not deny those
	line  int  // of the rule that blocks, else of the one that allows
}

// newRuling makes the ruling of one rule.
func newRuling(r format.Rule) ruling {
	said := ruling{line: r.Line}
	if r.Match != format.Below {
		said.self = say(r.Action)
	}
	if r.Match != format.Exact {
		said.below = say(r.Action)
	}
	return said
}

func (r ruling) cancelsAny() bool { return r.self == cancels || r.below == cancels }

// settled is r when all that it cancels is gone.
func (r ruling) settled() ruling {
	r.self, r.below = min(r.self, Allows), min(r.below, Allows)
	return r
}

// withoutBlocks is r when something cancels it.
func (r ruling) withoutBlocks() ruling {
	if r.self == Blocks {
		r.self = Nothing
	}
	if r.below == Blocks {
		r.below = Nothing
	}
	return r
}

// possible says whether r can be what a list says when it is made.
func (r ruling) possible() bool { return r.self <= Allows && r.below <= Allows && !r.empty() }

func (r ruling) empty() bool { return r.self == Nothing && r.below == Nothing && !r.holed }

func (r ruling) blocks() bool { return r.self == Blocks || r.below == Blocks }

func (r ruling) allows() bool { return r.self >= Allows || r.below >= Allows }

// with is r and what a later rule for the same name says. The line is that of the last rule that added something, as long as
// it is one that blocks.
func (r ruling) with(later ruling) ruling {
	both := ruling{
		self: max(r.self, later.self), below: max(r.below, later.below), holed: r.holed || later.holed, line: r.line,
	}
	added := both.self != r.self || both.below != r.below
	if added && (later.blocks() || !both.blocks()) {
		both.line = later.line
	}
	return both
}

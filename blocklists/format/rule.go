package format

import (
	"fmt"
	"net/netip"
	"strconv"
	"unicode/utf8"

	"cordon/blocklists/domain"
)

// Match says which names a rule is about.
type Match uint8

const (
	Subtree Match = iota // the name and everything below it: written "tiktok.com"
	Below                // only what is below the name: written "*.tiktok.com"
	Exact                // only the name: written "=tiktok.com"
)

// String is the name of m in messages: "subtree", "below" or "exact".
func (m Match) String() string {
	switch m {
	case Subtree:
		return "subtree"
	case Below:
		return "below"
	case Exact:
		return "exact"
	default:
		return "match " + strconv.Itoa(int(m))
	}
}

// Action says what a rule does about what it matches.
type Action uint8

const (
	// Block puts it on the list.
	Block Action = iota
	// Allow takes it off the list again, as far as rules for a shorter name, a wider network or the same one put it there: RPZ's
	// PASSTHRU, dnsmasq's server=/x/#.
	Allow
	// Cancel takes it off the list whatever put it there, rules for longer names too: Adblock's @@.
	Cancel
)

// String is the name of a in messages: "block", "allow" or "cancel".
func (a Action) String() string {
	switch a {
	case Block:
		return "block"
	case Allow:
		return "allow"
	case Cancel:
		return "cancel"
	default:
		return "action " + strconv.Itoa(int(a))
	}
}

// Rule is one entry of a list: a name or a network, never both.
type Rule struct {
	Action Action       // never about another list: a rule cancels rules of its own list only
	Name   domain.Name  // "" in a rule about a network; never the root
	Match  Match        // of Name
	Prefix netip.Prefix // not valid in a rule about a name; else masked, at least 1 bit, never an IPv4-mapped IPv6 network
	Line   int          // from 1; several rules may stand on one line
}

// LineError is an entry, or one name of it, that is no rule of the format. It is skipped, the rest of the list is read.
type LineError struct {
	Line   int    // from 1; the first of an entry that parentheses hold together over several lines
	Text   string // what was found, at most 80 octets, printable ASCII: everything else, line ends too, is escaped as in a Go string
	Reason string // what is wrong with it and what would be right
}

func (e *LineError) Error() string {
	return fmt.Sprintf("line %d: found %s: %s", e.Line, `"`+e.Text+`"`, e.Reason)
}

// excerpt is the beginning of text as LineError.Text wants it.
func excerpt(text []byte) string {
	const limit, cut = 80, "..."
	if len(text) <= limit {
		if quoted := quote(text); len(quoted) <= limit {
			return quoted
		}
	}
	out := make([]byte, 0, limit)
	for len(text) > 0 {
		_, size := utf8.DecodeRune(text)
		quoted := quote(text[:size])
		if len(out)+len(quoted) > limit-len(cut) {
			break
		}
		out, text = append(out, quoted...), text[size:]
	}
	return string(out) + cut
}

func quote(text []byte) string {
	quoted := strconv.QuoteToASCII(string(text))
	return quoted[1 : len(quoted)-1]
}

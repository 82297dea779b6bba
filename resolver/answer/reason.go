package answer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"cordon/resolver/wire"
)

// Reason is what a refused client is told of the policy that refuses it, in one language.
type Reason struct {
	Code      wire.EDECode
	Policy    string // its name, which is short: at most 63 octets
	Title     string // empty: none
	Language  string // of Title, a tag as in RFC 5646; empty: not known
	Reference string // to the law; empty: none
	Operator  string // the organization that refuses, by this server; empty: not said
}

// How long the texts of a refusal are at most, in octets. RFC 8914, section 2, wants them short, and people write what they like.
const (
	maxText      = 240 // of the plain text, and of the justification in a structured one
	maxReference = 100
	maxOperator  = 120
	maxContact   = 254
)

// EDE is r as plain text, which names the policy so that whoever is called for help knows which one it is. Where there is no room for
// the title, the name stands alone.
func (r Reason) EDE() wire.EDE {
	short := "policy " + r.Policy
	if line(r.Title, maxText) == "" {
		return wire.EDE{Code: r.Code, Text: short, Short: short}
	}
	return wire.EDE{Code: r.Code, Text: r.told(" [" + r.Policy + "]"), Short: short}
}

// told is title and reference and then tail, in at most maxText octets. It is the title that is cut.
func (r Reason) told(tail string) string {
	if reference := line(r.Reference, maxReference); reference != "" {
		tail = " (" + reference + ")" + tail
	}
	return line(r.Title, maxText-len(tail)) + tail
}

// line is text as one line of at most limit octets, fit to be shown to anybody: blanks for what divides lines and for control
// characters, nothing for what changes the direction of writing, and none of the characters that I-JSON forbids (RFC 7493, section
// 2.1). What is too long ends, between two characters, with an ellipsis. limit is at least the length of that.
func line(text string, limit int) string {
	text = strings.Map(shown, strings.ToValidUTF8(text, string(utf8.RuneError)))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= limit {
		return text
	}
	end := limit - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimSuffix(text[:end], " ") + ellipsis
}

const ellipsis = "…"

func shown(r rune) rune {
	switch {
	case unicode.IsControl(r):
		return ' '
	case unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Noncharacter_Code_Point, r):
		return -1
	default:
		return r
	}
}

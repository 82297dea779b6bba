package domain

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// maxText bounds the text that is looked at: the longest name with every octet written \DDD.
const maxText = 4 * MaxWire

// ParseError says what is wrong with the text of a name.
type ParseError struct {
	Text   string // what was given, cut to 80 octets
	Reason string // what was found and what would be right, without Text
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("parse name %q: %s", e.Text, e.Reason)
}

// Parse reads a name as people write it: labels with dots between them, the final dot optional, "." for the root.
// Letters are folded to lower case. \DDD is an octet in three decimal digits and \X is the character X without its
// meaning (RFC 1035, section 5.1). Letters beyond ASCII are mapped and become punycode as browsers do it (IDNA, UTS
// #46 non-transitional): "straße.example" is "xn--strae-oqa.example"; they cannot be mixed with escapes. '_' is
// allowed anywhere and a label "*" is a label like any other.
//
// The error is a [*ParseError]: an empty name or label, a label longer than [MaxLabel] or a name longer than
// [MaxWire] octets, a character that must be escaped, text that is not UTF-8 or that IDNA refuses.
func Parse(text string) (Name, error) {
	var buf [MaxWire]byte
	wire, reason := appendName(buf[:0], text)
	if reason != "" {
		return "", &ParseError{Text: text[:min(len(text), 80)], Reason: reason}
	}
	return Name(wire), nil
}

// ParseBytes is Parse for text in a buffer that is used again: the Name is a copy, and the only allocation of the
// good path.
func ParseBytes(text []byte) (Name, error) {
	var buf [MaxWire]byte
	wire, reason := appendName(buf[:0], text)
	if reason != "" {
		return "", &ParseError{Text: string(text[:min(len(text), 80)]), Reason: reason}
	}
	return Name(wire), nil
}

// ParseTo is ParseBytes without an allocation: the octets of the name are put into buf from its beginning, or into a
// larger buffer if it has room for fewer than [MaxWire], and [Name] of them is the name.
func ParseTo(buf, text []byte) (wire []byte, err error) {
	wire, reason := appendName(buf[:0], text)
	if reason != "" {
		return nil, &ParseError{Text: string(text[:min(len(text), 80)]), Reason: reason}
	}
	return wire, nil
}

// MustParse is Parse for names that stand in the source. It panics where Parse returns an error.
func MustParse(text string) Name {
	name, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return name
}

// appendName appends the wire form of text to the empty buffer wire. An error comes back as its reason, so that text,
// whichever of the two it is, need not be converted where nothing is wrong.
func appendName[T string | []byte](wire []byte, text T) (name []byte, reason string) {
	if name, ok := appendPlain(wire, text); ok {
		return name, ""
	}
	if len(text) > maxText {
		return nil, fmt.Sprintf("the text has %d octets, a name has at most %d", len(text), MaxWire)
	}
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			ascii, fault := toASCII(string(text))
			if fault != "" {
				return nil, fault
			}
			return appendASCII(wire, ascii)
		}
	}
	return appendASCII(wire, text)
}

// appendPlain is appendName for what nearly every name is, octets that stand for themselves and dots: each is where it will be,
// one place further, and the dot in front of a label is where its length belongs. It reports false for every other text.
func appendPlain[T string | []byte](wire []byte, text T) (name []byte, ok bool) {
	if len(text) == 0 || len(text) > MaxWire-2 {
		return nil, false
	}
	wire = slices.Grow(wire, len(text)+2)[:len(text)+2]
	start := 0 // of the label: its length octet in wire, its first octet in text
	for i := range len(text) {
		c := plainOctets[text[i]]
		wire[i+1] = c
		if c != 0 {
			continue
		}
		if size := i - start; text[i] != '.' || size == 0 || size > MaxLabel {
			return nil, false
		}
		wire[start] = byte(i - start)
		start = i + 1
	}
	size := len(text) - start
	if size == 0 {
		return wire[:len(text)+1], true
	}
	wire[start], wire[len(text)+1] = byte(size), 0
	return wire, size <= MaxLabel
}

// toASCII is text with its labels beyond ASCII as punycode.
func toASCII(text string) (ascii, reason string) {
	if !utf8.ValidString(text) {
		return "", "the text is neither ASCII nor UTF-8"
	}
	profile := idna.New(
		idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckJoiners(true),
		idna.StrictDomainName(false), idna.CheckHyphens(false), // a '_' and "r3---sn" are in use
	)
	ascii, err := profile.ToASCII(text)
	if err != nil {
		return "", "not an internationalised name: " + strings.TrimPrefix(err.Error(), "idna: ")
	}
	if strings.Contains(ascii, `\`) {
		return "", `a "\" beside letters beyond ASCII: write the name in punycode, xn--…`
	}
	return ascii, ""
}

// appendASCII fills one label after the other: the length octet is reserved first and set when the label ends.
func appendASCII[T string | []byte](wire []byte, text T) (name []byte, reason string) {
	if len(text) == 0 {
		return nil, "empty, want a name such as www.example.com"
	}
	if len(text) == 1 && text[0] == '.' {
		return append(wire, 0), ""
	}
	wire = append(wire, 0)
	start := 0 // of the label, in wire: its length octet
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch folded := plainOctets[c]; {
		case folded != 0:
			c = folded
		case c == '.':
			if reason = endLabel(wire, start); reason != "" {
				return nil, reason
			}
			start, c = len(wire), 0
		default:
			if c, i = unescape(text, i); i < 0 {
				return nil, unwanted(text)
			}
			c = lower(c)
		}
		wire = append(wire, c)
	}
	return endName(wire, start)
}

// endName ends the last label, which is the root label if the text ended in a dot.
func endName(wire []byte, start int) (name []byte, reason string) {
	if len(wire)-start > 1 {
		if reason = endLabel(wire, start); reason != "" {
			return nil, reason
		}
		wire = append(wire, 0)
	}
	if len(wire) > MaxWire {
		return nil, fmt.Sprintf("%d octets long, at most %d are allowed (RFC 1035, section 2.3.4)", len(wire), MaxWire)
	}
	return wire, ""
}

func endLabel(wire []byte, start int) (reason string) {
	switch size := len(wire) - start - 1; {
	case size == 0 && start == 0:
		return "begins with a dot, want a name such as www.example.com"
	case size == 0:
		return "two dots with nothing between them"
	case size > MaxLabel:
		return fmt.Sprintf("a label of %d octets, at most %d are allowed (RFC 1035, section 2.3.4)", size, MaxLabel)
	default:
		wire[start] = byte(size)
		return ""
	}
}

// unescape reads the escape that begins at text[i]. It returns the octet meant and where the escape ends, -1 if it is
// none.
func unescape[T string | []byte](text T, i int) (c byte, end int) {
	if text[i] != '\\' || i+1 >= len(text) {
		return 0, -1
	}
	c = text[i+1]
	if c < '0' || c > '9' {
		if c <= ' ' || c >= 0x7f {
			return 0, -1
		}
		return c, i + 1
	}
	if i+3 >= len(text) {
		return 0, -1
	}
	value := 0
	for _, digit := range []byte(text[i+1 : i+4]) {
		if digit < '0' || digit > '9' {
			return 0, -1
		}
		value = value*10 + int(digit-'0')
	}
	if value > 255 {
		return 0, -1
	}
	return byte(value), i + 3
}

// unwanted says what in text is not allowed in a name; something is.
func unwanted[T string | []byte](text T) (reason string) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '.' || plain(c) {
			continue
		}
		if _, end := unescape(text, i); end >= 0 {
			i = end
			continue
		}
		if c == '\\' {
			return `a "\" that begins no escape, want \DDD with DDD from 000 to 255, or \ and a printable character`
		}
		const want = `want letters, digits, "-" and "_" with dots between them`
		return fmt.Sprintf(`found %q, %s (write \%03d if it belongs there)`, c, want, c)
	}
	return "not a name"
}

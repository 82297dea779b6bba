package answer

import (
	"bytes"
	"encoding/json"
	"strings"

	"cordon/resolver/wire"
)

// Structured DNS Errors (draft-ietf-dnsop-structured-dns-error-22): who asks for them by an EDNS option gets, in place of the plain
// text of the extended error, an object of I-JSON (RFC 7493):
//
//	{"c":["mailto:dns@ict.example"],"j":"TikTok is banned (Circular 716)","s":6,"o":"Federal ICT service","l":"en"}
//	  │                              │                                    │     │                               └ language of j and o
//	  │                              │                                    │     └ who filters, by this server
//	  │                              │                                    └ why in a number; beside the code Blocked only
//	  │                              └ why: title and reference
//	  └ whom to turn to: mailto: and tel: alone
//	 Contact                        Structured
//
// What a contact has of it, and what a policy has in one language, are made apart, because there may be thousands of each. A client
// may act on it only if it came over a transport with integrity, and on c, j and o only if it knows the server by name, so over plain
// UDP and TCP it is for diagnosis.

// subError says that it was the operator of the DNS server who decided: 6, "DNS operator policy", is for the code Blocked alone.
const subError = 6

// Contact is whom a refused client can turn to, as structured errors have it: what [NewContact] made.
type Contact struct {
	open   string // begins an object
	number string // an object with subError
	alone  string // an object without; empty if there would be nothing in it
}

// NewContact is the contact for uri, and whether uri is one that a client may be told: mailto: or tel:, of the characters of a URI,
// and not too long. If not, the Contact is nobody, and of use too.
func NewContact(uri string) (Contact, bool) {
	scheme, rest, _ := strings.Cut(uri, ":")
	scheme = strings.ToLower(scheme)
	strange := func(r rune) bool { return r <= ' ' || r > '~' }
	if scheme != "mailto" && scheme != "tel" || rest == "" || len(uri) > maxContact || strings.ContainsFunc(uri, strange) {
		return Contact{open: "{", number: object(members{Number: subError})}, false
	}
	c := members{Contacts: []string{uri}}
	alone := object(c)
	c.Number = subError
	return Contact{open: strings.TrimSuffix(alone, "}") + ",", number: object(c), alone: alone}, true
}

// Structured is a Reason as a structured error, but for the contact.
type Structured struct {
	code wire.EDECode
	text string // ends an object
}

// Structured is r as a structured error. A code that says that the answer is forged becomes Blocked, because whoever understands a
// structured error is not given a forged answer.
func (r Reason) Structured() Structured {
	if r.Code == wire.EDEForged {
		r.Code = wire.EDEBlocked
	}
	m := members{Justification: r.justification(), Organization: line(r.Operator, maxOperator), Language: r.Language}
	if m.Language == "" {
		m.Language = "und" // a tag must be there (RFC 5646, section 4.1)
	}
	if r.Code == wire.EDEBlocked {
		m.Number = subError
	}
	return Structured{code: r.Code, text: strings.TrimPrefix(object(m), "{")}
}

// justification is never empty.
func (r Reason) justification() string {
	if line(r.Title, maxText) != "" {
		return r.told("")
	}
	if reference := line(r.Reference, maxText); reference != "" {
		return reference
	}
	return "policy " + r.Policy
}

// EDE is the extended error of s, with c as its contact. It allocates nothing. Where there is no room for all of it, only what stands
// for itself is left: contact and number.
func (s *Structured) EDE(c *Contact) wire.EDE {
	ede := wire.EDE{Code: s.code, Lead: c.open, Text: s.text, Short: c.alone}
	if s.code == wire.EDEBlocked {
		ede.Short = c.number
	}
	return ede
}

// members are those of the object, by their names in the draft.
type members struct {
	Contacts      []string `json:"c,omitempty"`
	Justification string   `json:"j,omitempty"`
	Number        int      `json:"s,omitempty"`
	Organization  string   `json:"o,omitempty"`
	Language      string   `json:"l,omitempty"`
}

// object is m as JSON without blanks.
func object(m members) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // it would be longer
	_ = e.Encode(m)        // texts and numbers have no fault
	return strings.TrimSuffix(b.String(), "\n")
}

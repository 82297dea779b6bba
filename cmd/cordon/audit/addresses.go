package audit

import (
	"net/netip"
	"regexp"
	"strings"
)

// What looks like an IPv4 address, or a network of such, and what may be an IPv6 one.
var (
	ipv4 = regexp.MustCompile(`\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?`)
	ipv6 = regexp.MustCompile(`[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?:/\d+)?`)
)

// WithoutAddresses is text with "[address]" for each address of a single machine in it: a fault in a file may quote that of a client.
// A network stays, for it is an agency's. An Append does that by itself; it is for who compares a text with what the log has.
func WithoutAddresses(text string) string {
	if !strings.ContainsAny(text, ".:") {
		return text
	}
	text = ipv4.ReplaceAllStringFunc(text, hide)
	return ipv6.ReplaceAllStringFunc(text, func(word string) string {
		bare := strings.TrimSuffix(word, ":")
		if hidden := hide(bare); hidden != bare {
			return hidden + word[len(bare):]
		}
		return hide(word)
	})
}

// hide is word, unless that is an address, or a network of one.
func hide(word string) string {
	const instead = "[address]"
	if _, err := netip.ParseAddr(word); err == nil {
		return instead
	}
	if p, err := netip.ParsePrefix(word); err == nil && p.IsSingleIP() {
		return instead
	}
	return word
}

// hideAddresses hides those in the texts of e that may quote one.
func (e *Entry) hideAddresses() {
	for _, text := range []*string{&e.Reason, &e.ApprovedBy, &e.Ticket} {
		*text = WithoutAddresses(*text)
	}
	for i, text := range e.Effect {
		e.Effect[i] = WithoutAddresses(text)
	}
	for i := range e.Holds {
		e.Holds[i].Reason = WithoutAddresses(e.Holds[i].Reason)
	}
}

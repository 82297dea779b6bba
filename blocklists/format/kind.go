package format

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"cordon/blocklists/domain"
)

// kind is what a line looks like: a format that is read here, or another one that people mistake for it.
type kind uint8

const (
	kindNone    kind = iota // blank or a comment
	kindOther               // nothing that is known
	kindName                // a name and no more
	kindHosts               // an address and more words
	kindNetwork             // a network or an address
	kindComment             // a comment of another format
	kindURL
	kindAdblock
	kindRegexp
	kindDnsmasq
	kindUnbound
	kindZone  // a record of a zone file, RPZ
	kindClash // Clash, Surge: DOMAIN-SUFFIX,…
	kindV2fly // domain-list-community: full:…
	kindMarkup
)

// format is the format whose lines look like this, Auto if none that is read here does.
func (k kind) format() Format {
	switch k {
	case kindName:
		return Names
	case kindHosts:
		return Hosts
	case kindNetwork:
		return Networks
	case kindAdblock:
		return Adblock
	case kindDnsmasq:
		return Dnsmasq
	case kindUnbound:
		return Unbound
	case kindZone:
		return RPZ
	default:
		return Auto
	}
}

func (k kind) String() string {
	switch k {
	case kindNone:
		return "a comment"
	case kindOther:
		return "nothing that is known"
	case kindName:
		return "a name"
	case kindHosts:
		return "a line of a hosts file"
	case kindNetwork:
		return "a network"
	case kindComment:
		return "a comment of another format"
	case kindURL:
		return "a URL"
	case kindAdblock:
		return "an adblock rule"
	case kindRegexp:
		return "a regular expression"
	case kindDnsmasq:
		return "a dnsmasq option"
	case kindUnbound:
		return "an unbound option"
	case kindZone:
		return "a record of a zone file"
	case kindClash:
		return "a Clash or Surge rule"
	case kindV2fly:
		return "a domain-list-community rule"
	case kindMarkup:
		return "markup"
	default:
		return fmt.Sprintf("kind %d", uint8(k))
	}
}

// reasonFor is why line, in a list that is read as format read, is no rule: what it looks like says more than reason,
// what its reader stumbled over, unless it looks like a line of that format or like nothing that is known.
func reasonFor(line []byte, read Format, reason string) string {
	switch k := kindOf(line); {
	case k == kindOther, k.format() == read:
		return reason
	case k == kindComment:
		return "looks like a comment of another format, not of " + read.String()
	case k.format() != Auto:
		return fmt.Sprintf("looks like %s: that is format %s, this list is read as %s", k, k.format(), read)
	default:
		return fmt.Sprintf("looks like %s, which is not read here: this list is read as %s", k, read)
	}
}

// kindOf says what line looks like by its first octets and words. It is a guess for messages and for detect: whether
// a line is a rule is decided by the reader of the format.
func kindOf(line []byte) kind {
	field, rest := cutField(line)
	if len(field) == 0 || field[0] == '#' {
		return kindNone
	}
	if k := addressKind(string(field), rest); k != kindNone {
		return k
	}
	text := strings.TrimSpace(string(line[:min(len(line), 256)]))
	for _, sign := range signs() {
		if sign.in(text) {
			return sign.kind
		}
	}
	if looksLikeRecord(line) {
		return kindZone
	}
	for _, sign := range expressions() {
		if sign.in(text) {
			return sign.kind
		}
	}
	if name, _ := cutMark(field); len(rest) == 0 || rest[0] == '#' {
		var buf [domain.MaxWire + 1]byte
		if _, reason := plainName(buf[:0], name); reason == "" {
			return kindName
		}
	}
	return kindOther
}

// looksLikeRecord reports whether line is a directive of a zone file or a record, of a type and with data that words of prose do
// not have.
func looksLikeRecord(line []byte) bool {
	rest := line
	if !blank(line[0]) {
		var owner []byte
		if owner, rest = cutToken(line); len(owner) > 1 && owner[0] == '$' && 'A' <= owner[1] && owner[1] <= 'Z' {
			return true
		}
	}
	kind, data := cutType(rest)
	if kind == unknownType || len(skipBetween(data)) == 0 {
		return false
	}
	before, _ := cutToken(rest)
	target, _ := cutToken(data)
	return isClass(before) || isTTL(before) || kind == cnameType || kind == soaType ||
		bytes.HasSuffix(target, []byte(".")) || isAddress(target)
}

func isAddress(text []byte) bool {
	_, err := netip.ParseAddr(string(text))
	return err == nil
}

func addressKind(field string, rest []byte) kind {
	if _, err := netip.ParsePrefix(field); err == nil {
		return kindNetwork
	}
	if isShortZero([]byte(field), rest) {
		return kindHosts
	}
	if _, err := netip.ParseAddr(field); err != nil {
		return kindNone
	}
	if len(rest) == 0 || bytes.HasPrefix(rest, []byte("#")) {
		return kindNetwork
	}
	return kindHosts
}

// sign is what gives a line of some format away: all that is not empty must hold.
type sign struct {
	kind                     kind
	prefix, contains, suffix string
}

func (s sign) in(text string) bool {
	return strings.HasPrefix(text, s.prefix) && strings.HasSuffix(text, s.suffix) && strings.Contains(text, s.contains)
}

// signs is looked through from the top: what is more certain stands above.
func signs() []sign {
	return []sign{
		{kind: kindMarkup, prefix: "<"},
		{kind: kindMarkup, prefix: "{"},
		{kind: kindComment, prefix: "!"},
		{kind: kindComment, prefix: ";"},
		{kind: kindComment, prefix: "//"},
		{kind: kindComment, prefix: "[Adblock"},
		{kind: kindAdblock, prefix: "|"},
		{kind: kindAdblock, prefix: "@@"},
		{kind: kindAdblock, contains: "##"},
		{kind: kindAdblock, contains: "#@#"},
		{kind: kindAdblock, contains: "^$"},
		{kind: kindDnsmasq, prefix: "address=/"},
		{kind: kindDnsmasq, prefix: "server=/"},
		{kind: kindDnsmasq, prefix: "local=/"},
		{kind: kindDnsmasq, prefix: "ipset=/"},
		{kind: kindDnsmasq, prefix: "nftset=/"},
		{kind: kindDnsmasq, prefix: "conf-"},
		{kind: kindUnbound, prefix: "server:"},
		{kind: kindUnbound, prefix: "local-zone:"},
		{kind: kindUnbound, prefix: "local-data:"},
		{kind: kindUnbound, prefix: "local-data-ptr:"},
		{kind: kindClash, prefix: "DOMAIN,"},
		{kind: kindClash, prefix: "DOMAIN-"},
		{kind: kindClash, prefix: "IP-CIDR,"},
		{kind: kindClash, prefix: "IP-CIDR6,"},
		{kind: kindClash, prefix: "IP-ASN,"},
		{kind: kindClash, prefix: "HOST,"},
		{kind: kindClash, prefix: "HOST-"},
		{kind: kindClash, prefix: "GEOSITE,"},
		{kind: kindClash, prefix: "GEOIP,"},
		{kind: kindClash, prefix: "URL-REGEX,"},
		{kind: kindClash, prefix: "PROCESS-NAME,"},
		{kind: kindClash, prefix: "RULE-SET,"},
		{kind: kindClash, prefix: "payload:"},
		{kind: kindClash, prefix: "- DOMAIN"},
		{kind: kindClash, prefix: "- IP-CIDR"},
		{kind: kindClash, prefix: "- '"},
		{kind: kindClash, prefix: "+."},
		{kind: kindV2fly, prefix: "full:"},
		{kind: kindV2fly, prefix: "domain:"},
		{kind: kindV2fly, prefix: "keyword:"},
		{kind: kindV2fly, prefix: "regexp:"},
		{kind: kindUnbound, prefix: "include: "},
		{kind: kindV2fly, prefix: "include:"},
		{kind: kindURL, contains: "://"},
		{kind: kindRegexp, prefix: "/", suffix: "/"},
	}
}

// expressions are signs that a zone file can have too: they count if a line is none.
func expressions() []sign {
	return []sign{
		{kind: kindRegexp, prefix: "^"},
		{kind: kindRegexp, prefix: "("},
		{kind: kindRegexp, contains: `\.`},
		{kind: kindRegexp, suffix: "$"},
		{kind: kindAdblock, suffix: "^"},
	}
}

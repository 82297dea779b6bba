package format

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"cordon/blocklists/domain"
)

// rpz reads the records of a response policy zone (draft-vixie-dnsop-dns-rpz).
type rpz struct {
	names    zoneNames
	begun    bool                       // a record has been read
	owner    []byte                     // of the last record, a whole name or one below the zone's
	absolute bool                       // whether owner is whole
	wild     bool                       // whether owner begins with the label "*"
	unowned  string                     // why the last record has no owner, "" if it has
	buf      [2*domain.MaxWire + 2]byte // what owner is in
	last     Rule                       // a second record of an owner is no second rule
}

func newRPZ() *rpz {
	return &rpz{names: zoneNames{origin: []byte(domain.Root)}, unowned: "the first record has no owner, want a name in front"}
}

// read reads a directive or a record.
func (z *rpz) read(entry []byte, out *output) {
	if entry[0] == '$' {
		if reason := z.directive(entry); reason != "" {
			out.reject(entry, reason)
		}
		return
	}
	rest := entry
	if !blank(entry[0]) {
		var owner []byte
		owner, rest = cutToken(entry)
		z.own(owner)
	}
	kind, data := cutType(rest)
	switch {
	case kind == unknownType:
		out.reject(entry, reasonFor(entry, RPZ, "no record: want a type such as CNAME behind the name"))
	case z.unowned != "":
		out.reject(entry, z.unowned)
	default:
		if reason := z.record(kind, data, out); reason != "" {
			out.reject(entry, reason)
		}
	}
}

func (z *rpz) directive(entry []byte) (reason string) {
	keyword, rest := cutToken(entry)
	value, _ := cutToken(rest)
	switch strings.ToUpper(string(keyword)) {
	case "$TTL":
		return ""
	case "$ORIGIN":
		return z.setOrigin(value)
	case "$INCLUDE":
		return "another file is not read: want what is in it here"
	case "$GENERATE":
		return "records are not generated: want each of them here"
	default:
		return "the directive is not known, want $ORIGIN or $TTL"
	}
}

// setOrigin also finds the name of the zone, if $ORIGIN stands above all records.
func (z *rpz) setOrigin(text []byte) (reason string) {
	if bytes.IndexByte(text, '*') >= 0 {
		return `a "*" in the origin: want it in front of each name`
	}
	var buf [2*domain.MaxWire + 2]byte
	origin, absolute, reason := z.names.complete(buf[:0], text)
	if reason != "" {
		return reason
	}
	z.names.origin, z.names.absolute = bytes.Clone(origin), absolute
	if absolute && !z.begun && z.names.apex == nil && len(origin) > 1 {
		z.names.apex = z.names.origin
	}
	return ""
}

// own takes the owner of a record and of those behind it that have none.
func (z *rpz) own(text []byte) {
	z.wild = len(text) > 0 && text[0] == '*' && (len(text) == 1 || text[1] == '.')
	if bytes.IndexByte(text[min(len(text), 1):], '*') >= 0 || !z.wild && bytes.IndexByte(text, '*') == 0 {
		z.unowned = `a "*" may only stand for the first label, want *.example.com`
		return
	}
	z.owner, z.absolute, z.unowned = z.names.complete(z.buf[:0], text)
}

// record reads a record of the owner.
func (z *rpz) record(kind recordType, data []byte, out *output) (reason string) {
	z.begun = true
	switch kind {
	case soaType:
		if z.absolute {
			z.names.apex = bytes.Clone(z.owner)
		}
		return ""
	case zoneType:
		return ""
	case dnameType:
		return "DNAME has no meaning in a response policy zone, want CNAME"
	default:
	}
	trigger, reason := z.trigger()
	if reason != "" || len(trigger) == 0 {
		return reason
	}
	target, _ := cutToken(data)
	if len(target) == 0 {
		return "the record has no data, want one such as CNAME ."
	}
	action := Block
	if kind == cnameType {
		if action, reason = z.action(trigger, target, out); reason != "" {
			return reason
		}
	}
	return z.put(trigger, action, out)
}

// trigger is the owner without the name of the zone, in wire form without the root label: empty for the zone itself.
func (z *rpz) trigger() (labels []byte, reason string) {
	switch {
	case !z.absolute:
		return z.owner[:len(z.owner)-1], ""
	case z.names.apex == nil:
		return nil, "the name is whole and the name of the zone is not known, want $ORIGIN or the whole name of the SOA above it"
	}
	labels, ok := cutAncestor(z.owner, string(z.names.apex))
	if !ok {
		return nil, "the name is not in the zone"
	}
	return labels, ""
}

// action says what a CNAME does.
func (z *rpz) action(trigger, target []byte, out *output) (action Action, reason string) {
	if string(target) == "." || string(target) == "*." {
		return Block, ""
	}
	name, whole := strings.CutSuffix(strings.ToLower(string(target)), ".")
	if !strings.HasPrefix(name, "rpz-") || strings.Contains(name, ".") {
		return z.local(trigger, target, out), ""
	}
	if !whole {
		return 0, "a final dot is missing: want " + excerpt([]byte(name)) + "."
	}
	switch name {
	case "rpz-drop":
		return Block, ""
	case "rpz-passthru":
		return Allow, ""
	case "rpz-tcp-only":
		return 0, "rpz-tcp-only. refuses nobody: it makes clients ask again over TCP"
	default:
		return 0, "the action is not known, want one such as CNAME . or CNAME rpz-passthru."
	}
}

// local is what a CNAME that leads elsewhere does: the old way to write rpz-passthru. leads to the name itself.
func (z *rpz) local(trigger, target []byte, out *output) Action {
	if z.wild || len(target) != len(trigger) || !isAbsolute(target) {
		return Block
	}
	wire, err := domain.ParseTo(out.wire[:0], target)
	if err == nil && bytes.Equal(wire[:len(wire)-1], trigger) {
		return Allow
	}
	return Block
}

// put puts the rule for a trigger.
func (z *rpz) put(trigger []byte, action Action, out *output) (reason string) {
	labels, kind := cutKind(trigger)
	switch kind {
	case "":
		return z.putName(labels, action, out)
	case "rpz-ip":
		return z.putNetwork(labels, action, out)
	case "rpz-client-ip":
		return "rpz-client-ip is about who asks, which is for policy, not for a list"
	default:
		return kind + " is about the servers of a name, which are not looked at: want the names themselves"
	}
}

// cutKind takes off the last label if it says what a trigger is about; else that is the name, and kind "".
func cutKind(trigger []byte) (labels []byte, kind string) {
	last := trigger
	for rest := trigger; len(rest) > 0; rest = rest[1+rest[0]:] {
		last = rest
	}
	switch kind = string(last[1:]); kind {
	case "rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname":
		return trigger[:len(trigger)-len(last)], kind
	default:
		return trigger, ""
	}
}

func (z *rpz) putName(labels []byte, action Action, out *output) (reason string) {
	match := Exact
	if z.wild {
		match, labels = Below, labels[2:]
	}
	wire := append(append(out.wire[:0], labels...), 0)
	if reason = listable(wire); reason != "" {
		return reason
	}
	if z.last.Name == domain.Name(wire) && z.last.Match == match && z.last.Action == action {
		return ""
	}
	z.last = Rule{Action: action, Name: out.names.keep(wire), Match: match}
	out.rule(z.last)
	return ""
}

func (z *rpz) putNetwork(labels []byte, action Action, out *output) (reason string) {
	prefix, reason := rpzNetwork(labels)
	if reason != "" {
		return reason
	}
	if z.last.Prefix == prefix && z.last.Action == action {
		return ""
	}
	z.last = Rule{Action: action, Prefix: prefix}
	out.rule(z.last)
	return ""
}

// rpzNetwork reads a network as labels: its length, and its address backwards. "zz" stands for the "::" of IPv6.
func rpzNetwork(labels []byte) (prefix netip.Prefix, reason string) {
	const want = "want 24.0.2.0.192.rpz-ip for 192.0.2.0/24, or 32.zz.db8.2001.rpz-ip for 2001:db8::/32"
	var words []string
	for ; len(labels) > 0; labels = labels[1+labels[0]:] {
		words = append(words, string(labels[1:1+labels[0]]))
	}
	if len(words) < 3 || len(words) > 9 {
		return netip.Prefix{}, "no network, " + want
	}
	length, address := words[0], words[1:]
	slices.Reverse(address)
	var text string
	if len(address) == 4 && !slices.Contains(address, "zz") {
		text = strings.Join(address, ".")
	} else {
		text = colons(address)
	}
	if _, err := netip.ParseAddr(text); err != nil {
		return netip.Prefix{}, "no network, " + want
	}
	return parseNetwork(text + "/" + length)
}

// colons is an IPv6 address with words, of which "zz" stands for what "::" leaves out.
func colons(words []string) string {
	for i, word := range words {
		if word != "zz" {
			continue
		}
		words[i] = ""
		if i == 0 {
			words[i] = ":"
		}
		if i == len(words)-1 {
			words[i] += ":"
		}
	}
	text := strings.Join(words, ":")
	return strings.Replace(text, ":::", "::", 1)
}

package format

import (
	"bytes"

	"cordon/blocklists/domain"
)

// unbound reads statements of unbound.conf(5): local-zone, and local-data that goes with it.
type unbound struct {
	zone  domain.Name // of the last local-zone that blocks: local data in it says only what is answered
	words words
}

// read reads the statements on a line. One that is not known costs the rest of the line.
func (u *unbound) read(line []byte, out *output) {
	u.words = words{rest: line}
	for {
		keyword, ok := u.words.keyword()
		if !ok {
			return
		}
		var reason string
		switch string(keyword) {
		case "server:":
		case "local-zone:":
			reason = u.localZone(out)
		case "local-data:":
			reason = u.localData(out)
		default:
			reason = "only local-zone: and local-data: say which names are blocked"
		}
		if reason != "" {
			out.reject(line, reasonFor(line, Unbound, reason))
			return
		}
	}
}

// localZone reads "example.com" always_nxdomain.
func (u *unbound) localZone(out *output) (reason string) {
	const want = `want local-zone: "example.com" always_nxdomain`
	text, kind := u.words.next(), u.words.next()
	if len(kind) == 0 {
		return "a name or a type is missing, " + want
	}
	action, reason := zoneAction(string(kind))
	if reason != "" {
		return reason
	}
	name, reason := out.name(text)
	if reason != "" {
		return reason
	}
	if u.zone = ""; action == Block {
		u.zone = name
	}
	out.rule(Rule{Action: action, Name: name})
	return ""
}

// zoneAction says what a local-zone of a type does.
func zoneAction(kind string) (action Action, reason string) {
	switch kind {
	case "always_nxdomain", "always_nodata", "always_null", "always_refuse", "always_deny",
		"static", "refuse", "deny", "redirect", "inform_deny", "inform_redirect":
		return Block, ""
	case "transparent", "typetransparent", "always_transparent", "inform", "nodefault":
		return Allow, ""
	case "block_a":
		return 0, "block_a blocks one type of query, a list refuses them all: want always_nxdomain"
	case "noview":
		return 0, "noview means something in a view only: want always_nxdomain or always_transparent"
	default:
		return 0, "the type " + excerpt([]byte(kind)) + " is not known here, want one such as always_nxdomain, redirect or transparent"
	}
}

// localData reads "example.com A 0.0.0.0". Without a zone that blocks its name, it is an answer made up for that name alone.
func (u *unbound) localData(out *output) (reason string) {
	text, rest := cutField(u.words.next())
	kind, _ := cutType(rest)
	if kind == unknownType {
		return `no record, want local-data: "example.com A 0.0.0.0"`
	}
	wire, reason := plainName(out.wire[:0], text)
	if reason != "" {
		return reason
	}
	if _, within := cutAncestor(wire, string(u.zone)); within {
		return ""
	}
	out.rule(Rule{Name: out.names.keep(wire), Match: Exact})
	return ""
}

// words cuts a line into words: with blanks between them, or in quotes. A # begins a comment.
type words struct{ rest []byte }

// keyword is the next word up to its colon, false at the end of the line.
func (w *words) keyword() (keyword []byte, ok bool) {
	w.rest = trimStart(w.rest)
	if len(w.rest) == 0 || w.rest[0] == '#' {
		return nil, false
	}
	for i, c := range w.rest {
		switch {
		case c == ':':
			keyword, w.rest = w.rest[:i+1], w.rest[i+1:]
			return keyword, true
		case blank(c) || c == '#':
			return w.next(), true
		}
	}
	return w.next(), true
}

// next is the next word without its quotes, nil at the end of the line.
func (w *words) next() (word []byte) {
	w.rest = trimStart(w.rest)
	if len(w.rest) == 0 {
		return nil
	}
	if quote := w.rest[0]; quote == '"' || quote == '\'' {
		if end := bytes.IndexByte(w.rest[1:], quote); end >= 0 {
			word, w.rest = w.rest[1:1+end], w.rest[2+end:]
			return word
		}
	}
	end := 0
	for end < len(w.rest) && !blank(w.rest[end]) && w.rest[end] != '#' {
		end++
	}
	word, w.rest = w.rest[:end], w.rest[end:]
	return word
}

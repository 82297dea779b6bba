package format

import "bytes"

// readDnsmasq reads an option of dnsmasq(8): "address=/x/y/0.0.0.0", "local=/x/" or "server=/x/#". The names between the
// slashes stand for themselves and everything below them.
func readDnsmasq(line []byte, out *output) {
	option, value, _ := bytes.Cut(cutComment(line), []byte("="))
	option, value = trim(option), trim(value)
	action, names, reason := dnsmasqOption(option, value)
	if reason != "" {
		out.reject(line, reasonFor(line, Dnsmasq, reason))
		return
	}
	for name := range bytes.SplitSeq(names, []byte("/")) {
		putDnsmasq(action, name, out)
	}
}

// dnsmasqOption says what an option does about which names.
func dnsmasqOption(option, value []byte) (action Action, names []byte, reason string) {
	made := string(option) == "address" // an answer is made up
	if !made && string(option) != "server" && string(option) != "local" {
		return 0, nil, "only address=, server= and local= say which names are blocked"
	}
	last := bytes.LastIndexByte(value, '/')
	if last < 1 || value[0] != '/' {
		return 0, nil, "no names between slashes, want " + string(option) + "=/example.com/"
	}
	names, target := value[1:last], value[last+1:]
	switch {
	case len(target) == 0, made:
		return Block, names, ""
	case string(target) == "#":
		return Allow, names, ""
	default:
		return 0, nil, "queries are sent to another server: that is forwarding, no rule of a list"
	}
}

func putDnsmasq(action Action, text []byte, out *output) {
	match := Subtree
	name := bytes.TrimPrefix(text, []byte(".")) // "for historical reasons", dnsmasq(8)
	switch {
	case len(text) == 0:
		out.reject([]byte("//"), "stands for every name without a dot: a list cannot hold that, want /example.com/")
		return
	case string(text) == "#":
		out.reject(text, "stands for every name there is: a list cannot hold that, want /example.com/")
		return
	case len(text) > 2 && text[0] == '*' && text[1] == '.':
		name, match = text[2:], Below
	case text[0] == '*':
		out.reject(text, "matches every name that ends like this, also within a label: want /example.com/")
		return
	}
	out.nameRule(action, match, name)
}

// cutComment is line without a comment: it begins with a # after a blank.
func cutComment(line []byte) []byte {
	for i, c := range line {
		if c == '#' && (i == 0 || blank(line[i-1])) {
			return line[:i]
		}
	}
	return line
}

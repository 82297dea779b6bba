package format

import (
	"bytes"
	"net/netip"
)

// readAdblock reads a rule of an ad blocker, as AdGuard's DNS servers understand it: "||x^", "@@||x^", "|x^", a bare name, or
// a line of a hosts file.
func readAdblock(line []byte, out *output) {
	text := trim(line)
	if text[0] != '|' && text[0] != '@' {
		if field, rest := cutField(text); len(rest) > 0 {
			readAdblockWords(line, field, rest, out)
			return
		}
	}
	rule, reason := adblockRule(text, out)
	if reason != "" {
		out.reject(line, adblockReason(text, reason))
		return
	}
	out.rule(rule)
}

// readAdblockWords reads a line of more than one word: "x # comment", or "0.0.0.0 x" as in a hosts file, but about x alone.
func readAdblockWords(line, field, rest []byte, out *output) {
	_, err := netip.ParseAddr(string(field))
	if comment := bytes.IndexByte(rest, '#'); comment >= 0 {
		rest = rest[:comment]
	}
	switch {
	case err == nil && len(rest) > 0:
		putHosts(rest, Exact, out)
	case err != nil && len(rest) == 0:
		readAdblock(field, out)
	default:
		out.reject(line, adblockReason(line, "more than one word on the line, want a single rule: ||example.com^"))
	}
}

// adblockRule reads a rule without blanks around it. A fault comes back as its reason.
func adblockRule(text []byte, out *output) (rule Rule, reason string) {
	pattern, excepts := bytes.CutPrefix(text, []byte("@@"))
	if excepts {
		rule.Action = Cancel
	}
	pattern, modifiers, modified := bytes.Cut(pattern, []byte("$"))
	if modified {
		if reason = modifiersReason(modifiers, rule.Action); reason != "" {
			return Rule{}, reason
		}
	}
	name, match, reason := adblockPattern(pattern, excepts || modified)
	if reason != "" {
		return Rule{}, reason
	}
	rule.Match = match
	rule.Name, reason = out.name(name)
	return rule, reason
}

// wantPattern advises where a pattern is about more than names and what is below them.
const wantPattern = "want ||example.com^ for a name and everything below it, or |example.com^ for the name alone"

// adblockPattern says which names a pattern is about. A bare name is one only if the rule consists of nothing else.
func adblockPattern(pattern []byte, more bool) (name []byte, match Match, reason string) {
	body, ended := cutEnd(pattern)
	if bytes.HasPrefix(body, []byte("||")) {
		return labelPattern(body[2:], ended)
	}
	switch {
	case bytes.HasPrefix(body, []byte("|")) && ended:
		return body[1:], Exact, ""
	case bytes.HasPrefix(body, []byte("|")):
		return nil, 0, "matches every name that begins like this, " + wantPattern
	case bytes.HasPrefix(body, []byte("*.")) && len(body) > 2:
		return body[2:], Below, ""
	case bytes.HasPrefix(body, []byte(".")) && len(body) > 1:
		return body[1:], Below, ""
	case ended, more, bytes.IndexByte(body, '.') < 0:
		return nil, 0, "matches every name that has this in it, " + wantPattern
	default:
		return body, Exact, ""
	}
}

// labelPattern is adblockPattern for what stands behind "||", which matches from the beginning of a label on. Without an end it
// is about more names than it can be read as; those it is read as are what is meant, if it is more than a word.
func labelPattern(body []byte, ended bool) (name []byte, match Match, reason string) {
	name, below := bytes.CutPrefix(body, []byte("*."))
	switch {
	case !ended && bytes.IndexByte(name, '.') < 0:
		return nil, 0, "matches every name with a label that begins like this, " + wantPattern
	case below:
		return name, Below, ""
	default:
		return name, Subtree, ""
	}
}

// cutEnd takes off what marks the end of a name: "^", "|" or both.
func cutEnd(pattern []byte) (body []byte, ended bool) {
	body, bar := bytes.CutSuffix(pattern, []byte("|"))
	body, caret := bytes.CutSuffix(body, []byte("^"))
	return body, bar || caret
}

// modifiersReason is why a rule with modifiers cannot be read, "" if they leave it as it is for a name server. What an exception
// means in a browser says nothing about names, so there it is stricter.
func modifiersReason(modifiers []byte, action Action) string {
	for modifier := range bytes.SplitSeq(modifiers, []byte(",")) {
		name, _, _ := bytes.Cut(modifier, []byte("="))
		switch string(bytes.TrimPrefix(name, []byte("~"))) {
		case "important":
			if len(name) == len(modifier) {
				continue
			}
		case "all", "document", "doc", "popup":
			if action == Block && len(modifier) == len(name) && name[0] != '~' {
				continue
			}
		case "":
			return "no modifier stands behind the $ or a comma"
		case "client", "ctag":
			return "the modifier " + string(name) + " limits the rule to some clients, which is for policy, not for a list"
		case "dnstype":
			return "the modifier dnstype limits the rule to some types of query, a list refuses them all"
		case "denyallow":
			return "the modifier denyallow takes names out of the rule, want a line @@||example.com^ for each"
		case "dnsrewrite":
			return "the modifier dnsrewrite changes the answer, a list only says which names are meant"
		case "badfilter":
			return "the modifier badfilter takes another line of the list back, want that line deleted"
		}
		return "the modifier " + excerpt(modifier) + " limits the rule to what a browser sees, a name server sees names only"
	}
	return ""
}

// adblockReason is reason, or what says more: which kind of rule text is that is not about names.
func adblockReason(text []byte, reason string) string {
	for _, sign := range []string{"##", "#@#", "#?#", "#$#", "#%#", "$$"} {
		if bytes.Contains(text, []byte(sign)) {
			return "a cosmetic rule: it hides parts of a page, which a name server does not see"
		}
	}
	pattern := bytes.TrimPrefix(text, []byte("@@"))
	if len(pattern) > 1 && pattern[0] == '/' && bytes.IndexByte(pattern[1:], '/') > 0 {
		return "a regular expression, want each name on a line: ||example.com^"
	}
	pattern, _, _ = bytes.Cut(pattern, []byte("$"))
	switch {
	case bytes.Contains(pattern, []byte("/")):
		return "a rule about the path of a URL: a name server sees names only"
	case bytes.IndexByte(pattern, '*') >= 0:
		return `a "*" may only stand for the first label, want ||*.example.com^`
	case kindOf(text) == kindName:
		return reason
	default:
		return reasonFor(text, Adblock, reason)
	}
}

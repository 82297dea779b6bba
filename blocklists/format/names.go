package format

// readName reads a line of a names list: "tiktok.com", "*.tiktok.com" or "=tiktok.com", perhaps with a comment.
func readName(line []byte, out *output) {
	field, rest := cutField(line)
	if len(rest) > 0 && rest[0] != '#' {
		out.reject(line, reasonFor(line, Names, "more than one word on the line: want a single name, a comment begins with #"))
		return
	}
	text, match := cutMark(field)
	name, reason := out.name(text)
	if reason != "" {
		out.reject(line, reasonFor(line, Names, reason))
		return
	}
	out.rule(Rule{Name: name, Match: match})
}

// cutMark takes off what says how a name is to be matched.
func cutMark(field []byte) (name []byte, match Match) {
	switch {
	case field[0] == '=':
		return field[1:], Exact
	case len(field) > 2 && field[0] == '*' && field[1] == '.':
		return field[2:], Below
	default:
		return field, Subtree
	}
}

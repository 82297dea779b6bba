package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const suffixHeader = notice + `# Suffixes that many parties share: suffix, uses, operator, with tabs between them. "It is shared by
# the customers of …" is how messages say the third. The uses:
# protected   may not be listed whole, only names below it
# shared      <listed name>.<suffix> is judged as the listed name, also with one operator label between

`

// suffixes is the table of suffixes. Every protected suffix of the fact base must stand in exactly one group.
func suffixes(protected []protectedSuffix) ([]byte, error) {
	shared, err := classes()
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, entry := range protected {
		isShared, known := shared[entry.Suffix]
		if !known {
			return nil, fmt.Errorf("suffix %q is in no group: add it to one in operators.go", entry.Suffix)
		}
		delete(shared, entry.Suffix)
		uses := "protected"
		if isShared {
			uses = "protected,shared"
		}
		lines = append(lines, entry.Suffix+"\t"+uses+"\t"+operatorName(entry.Operator))
	}
	for suffix := range shared {
		return nil, fmt.Errorf("suffix %q of operators.go is not in the fact base, or stands twice there", suffix)
	}
	for _, suffix := range unplaced() {
		lines = append(lines, suffix+"\tshared\tan unknown CDN that carries ByteDance")
	}
	slices.Sort(lines)
	return []byte(suffixHeader + strings.Join(lines, "\n") + "\n"), nil
}

// classes says of each suffix in a group whether it is shared.
func classes() (map[string]bool, error) {
	shared := map[string]bool{}
	for _, group := range groups() {
		for _, suffix := range group.suffixes {
			if _, twice := shared[suffix]; twice {
				return nil, fmt.Errorf("suffix %q is in two groups", suffix)
			}
			shared[suffix] = group.shared
		}
	}
	return shared, nil
}

// operatorLabels is the table of operators' labels.
func operatorLabels() []byte {
	var out bytes.Buffer
	out.WriteString(notice)
	out.WriteString("# Labels that operators put between a customer's host name and their shared suffix, with an example of each.\n\n")
	for _, entry := range labels() {
		out.WriteString(entry.label + "\t# " + entry.example + "\n")
	}
	return out.Bytes()
}

package main

import (
	"bytes"
	"fmt"
	"slices"

	"cordon/blocklists/domain"
)

const notice = "# Made by blocklists/builtin/gen from the fact base beside it. Change that, not this file.\n"

// names is the list of one service, in format names: a header that package builtin reads, then the names in
// alphabetical order, the surer ones first. Names of low confidence are left out.
func names(from *service) ([]byte, error) {
	if from.Tier < 1 || from.Tier > 3 {
		return nil, fmt.Errorf("tier %d, want 1 to 3", from.Tier)
	}
	var out bytes.Buffer
	out.WriteString(notice)
	fmt.Fprintf(&out, "# service: %s\n# title: %s\n# tier: %d\n# about: %s\n", from.ID, from.Name, from.Tier, from.About)
	if from.Collateral != "" {
		fmt.Fprintf(&out, "# collateral: %s\n", from.Collateral)
	}
	rules := map[string][]string{} // by confidence
	seen := map[string]bool{}
	for _, entry := range from.Domains {
		rule, err := nameRule(entry)
		if err != nil {
			return nil, fmt.Errorf("name %q: %w", entry.Name, err)
		}
		if seen[entry.Name] {
			return nil, fmt.Errorf("name %q stands twice", entry.Name)
		}
		seen[entry.Name] = true
		rules[entry.Confidence] = append(rules[entry.Confidence], rule)
	}
	for _, section := range []struct{ confidence, means string }{
		{"high", "independent sources agree, or first-party configuration or documentation has the name"},
		{"medium", "one source, or several that copy each other"},
	} {
		if len(rules[section.confidence]) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n# %s confidence: %s\n", section.confidence, section.means)
		for _, rule := range slices.Sorted(slices.Values(rules[section.confidence])) {
			out.WriteString(rule + "\n")
		}
	}
	return out.Bytes(), nil
}

// nameRule is the line for one name.
func nameRule(entry listed) (string, error) {
	if name, err := domain.Parse(entry.Name); err != nil {
		return "", err
	} else if name.String() != entry.Name {
		return "", fmt.Errorf("not canonical, want %q", name)
	}
	switch entry.Confidence {
	case "high", "medium", "low":
	default:
		return "", fmt.Errorf("confidence %q, want high, medium or low", entry.Confidence)
	}
	switch entry.Match {
	case "subtree":
		return entry.Name, nil
	case "exact":
		return "=" + entry.Name, nil
	default:
		return "", fmt.Errorf("match %q, want subtree or exact", entry.Match)
	}
}

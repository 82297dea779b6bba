// Package builtin holds the lists of TikTok and ByteDance names and networks that are part of the program, and what
// is known about the suffixes that such names share with others.
//
//	gen/*.json ──▶ gen ──▶ data/names/SERVICE.txt ──┐ embedded           ┌▶ Open  ─▶ rules
//	the fact       (go     data/networks.txt        ├──────────▶ a list ─┼▶ Text  ─▶ the same for a reader
//	base           gener-  data/addresses.txt       │            = files └▶ Place ─▶ builtin:service/tiktok:12
//	               ate)    data/suffixes.txt        │
//	                       data/operator-labels.txt ┘
//
// A list is the text of one or more of the files, one after the other. That text is in format names (or networks), so
// it reads like any list that an administrator has in a file, and a line number counts in it:
//
//	service/ID           one service, for example service/capcut: the file data/names/ID.txt
//	tiktok               the services of tier 1, without which a ban of TikTok does not hold
//	bytedance            tiers 1 and 2: also ByteDance's other applications and its advertising. The usual choice.
//	bytedance-all        tiers 1 to 3: also enterprise services, clouds and what only China uses. Other companies are hit.
//	bytedance-networks   the networks that serve TikTok and ByteDance alone
//	bytedance-addresses  single addresses that the applications use round the DNS, most of them rented from others
//
// The lists hold names of high and medium confidence. Where the names come from, and those of low confidence, is in
// the fact base.
//
// Not its job: matching, the rule about <listed name>.<shared suffix> (package blocklists), what is banned (package
// policy), to find new names.
package builtin

import (
	"embed"
	"fmt"
	"iter"
	"strings"

	"cordon/blocklists/format"
)

//go:generate go run ./gen

//go:embed data
var data embed.FS

const (
	// Default is the list that bans what a ban of ByteDance applications usually means.
	Default = "bytedance"

	servicePrefix = "service/"
	networksName  = "bytedance-networks"
	addressesName = "bytedance-addresses"
)

// Open is the rules of the list called name, in the order of its text. A rule that stands in several services comes
// once, where it stands first. Line counts in [Text]. The sequence yields no errors and can be used any number of
// times.
//
// The error says which lists there are when there is none of that name.
func Open(name string) (iter.Seq2[format.Rule, error], error) {
	text, err := Text(name)
	if err != nil {
		return nil, err
	}
	kind := format.Names
	if name == networksName || name == addressesName {
		kind = format.Networks
	}
	return once(func() iter.Seq2[format.Rule, error] { return format.Read(kind, strings.NewReader(text)) }), nil
}

// once is the rules that read reads, each where it stands first. It reads again whenever it is used.
func once(read func() iter.Seq2[format.Rule, error]) iter.Seq2[format.Rule, error] {
	return func(yield func(format.Rule, error) bool) {
		seen := map[format.Rule]bool{}
		for rule, err := range read() {
			key := rule
			key.Line = 0
			if err == nil && seen[key] {
				continue
			}
			seen[key] = true
			if !yield(rule, err) {
				return
			}
		}
	}
}

// Text is the list called name as its readers see it: every rule with the comments around it, in the form of a names
// or networks list. The error is that of [Open].
func Text(name string) (string, error) {
	files, err := filesOf(name)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, file := range files {
		text.WriteString(file.text)
	}
	return text.String(), nil
}

// Path is what stands for the path of a file in messages about the list called name: "builtin:tiktok". It does not
// check that there is such a list.
func Path(name string) string { return "builtin:" + name }

// Place says where line of the list called name comes from, as path and line: line 130 of "tiktok" is a line of
// "builtin:service/cdn-dns". It is "" if there is no such list or line.
func Place(name string, line int) string {
	files, err := filesOf(name)
	if err != nil || line < 1 {
		return ""
	}
	for _, file := range files {
		lines := strings.Count(file.text, "\n")
		if line <= lines {
			return fmt.Sprintf("%s:%d", Path(file.list), line)
		}
		line -= lines
	}
	return ""
}

// Names are the names of all lists: the presets, then the services in alphabetical order.
func Names() []string {
	lists := Lists()
	names := make([]string, 0, len(lists))
	for _, list := range lists {
		names = append(names, list.Name)
	}
	return names
}

// filesOf is the files of the list called name.
func filesOf(name string) ([]file, error) {
	for _, preset := range presets() {
		if preset.Name == name {
			return preset.files(), nil
		}
	}
	for _, service := range services() {
		if service.list == name {
			return []file{service}, nil
		}
	}
	message := fmt.Sprintf("builtin list %q is not known, want ", name)
	if near := nearest(name); len(near) > 0 {
		message += strings.Join(near, " or ") + ", or "
	}
	return nil, fmt.Errorf("%sa preset: %s; or one service: %sNAME", message, strings.Join(presetNames(), ", "), servicePrefix)
}

func presetNames() []string {
	var names []string //nolint:prealloc // five
	for _, preset := range presets() {
		names = append(names, preset.Name)
	}
	return names
}

package effect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"cordon/cmd/cordon/wording"
	"cordon/resolver/policy"
)

// crowd is everybody who asks, by the agencies of the new policy.
type crowd struct {
	grounds  []ground
	agencies []*policy.Agency
	byAgency map[string][]int // places of grounds
	parents  map[string]string
	below    map[string][]string // agencies with clients below each, in the order of the files
}

func newCrowd(s *policy.Snapshot, all []ground) *crowd {
	c := &crowd{
		grounds: all, agencies: s.Agencies(),
		byAgency: map[string][]int{}, parents: map[string]string{}, below: map[string][]string{},
	}
	for i := range all {
		name := all[i].next.Agency().Name
		c.byAgency[name] = append(c.byAgency[name], i)
	}
	for _, a := range c.agencies {
		c.parents[a.Name] = a.Parent
	}
	for _, a := range c.agencies {
		for up := a.Parent; up != "" && len(c.byAgency[a.Name]) > 0; up = c.parents[up] {
			c.below[up] = append(c.below[up], a.Name)
		}
	}
	return c
}

// place is where the first of some clients stand in the files.
func (c *crowd) place(who []Who) int {
	return slices.IndexFunc(c.agencies, func(a *policy.Agency) bool { return a.Name == who[0].Agency })
}

// who are the clients on some grounds, and what they are called.
func (c *crowd) who(places []int) (all []Who, summary string) {
	among := map[int]bool{}
	for _, i := range places {
		among[i] = true
	}
	for _, a := range c.agencies {
		if w, found := c.of(a.Name, among); found {
			all = append(all, w)
		}
	}
	return all, c.summary(all)
}

// of are the clients of one agency that are on some grounds: the whole agency but for some, or else network by network.
func (c *crowd) of(agency string, among map[int]bool) (w Who, found bool) {
	w.Agency = agency
	whole := c.isWhole(agency, among)
	for _, i := range c.byAgency[agency] {
		network := c.grounds[i].network
		found = found || among[i]
		switch {
		case !whole && among[i]:
			w.Clients = append(w.Clients, network)
		case whole && !among[i], !among[i] && slices.ContainsFunc(w.Clients, network.Overlaps):
			w.But = append(w.But, network)
		}
	}
	return w, found
}

// isWhole says whether an agency's own networks are among some grounds, and nothing that lies in a part which is not.
func (c *crowd) isWhole(agency string, among map[int]bool) bool {
	whole := false
	var but []netip.Prefix
	for _, i := range c.byAgency[agency] {
		network := c.grounds[i].network
		switch {
		case among[i] && slices.ContainsFunc(but, network.Overlaps), !among[i] && c.isMain(i):
			return false
		case !among[i]:
			but = append(but, network)
		case c.isMain(i):
			whole = true
		}
	}
	return whole
}

// isMain says whether a ground is one of its agency's own networks, or those that are in none: not only clients of an exception.
func (c *crowd) isMain(i int) bool {
	network := c.grounds[i].network
	return !network.IsValid() || slices.Contains(c.grounds[i].next.Agency().Networks, network)
}

// summary names everybody in a line: an agency with all below it as one.
func (c *crowd) summary(all []Who) string {
	whole := map[string]bool{}
	var but []netip.Prefix
	for i := range all {
		if len(all[i].Clients) == 0 {
			whole[all[i].Agency] = true
			but = append(but, all[i].But...)
		}
	}
	if len(whole) == len(c.byAgency) && len(whole) > 1 {
		return "every agency" + butText(but)
	}
	heads := c.heads(whole)
	var parts []string
	for _, a := range c.agencies {
		if text := c.treeText(a.Name, heads[a.Name], whole[a.Name]); text != "" && !c.isSaid(a.Name, heads) {
			parts = append(parts, text)
		}
	}
	text := joined(parts)
	if strings.Count(text, " and ") > 1 {
		text = strings.Join(parts, ", ")
	}
	text += butText(but)
	for i := range all {
		if len(all[i].Clients) > 0 {
			text = wording.After(text, "; ", all[i].Agency+": "+someText(all[i].Clients)+butText(all[i].But))
		}
	}
	return text
}

// treeText names an agency, if it is a whole one, and all below it, if it is a head.
func (c *crowd) treeText(name string, head, whole bool) string {
	switch {
	case head && whole:
		return fmt.Sprintf("%s and the %d agencies below it", name, len(c.below[name]))
	case head:
		return fmt.Sprintf("the %d agencies below %s", len(c.below[name]), name)
	case whole:
		return name
	}
	return ""
}

// heads are the agencies of which all below are among the whole ones, two at least, and the agency too unless it has no clients.
func (c *crowd) heads(whole map[string]bool) map[string]bool {
	heads := map[string]bool{}
	for name, below := range c.below {
		isOut := func(other string) bool { return !whole[other] }
		heads[name] = len(below) > 1 && (whole[name] || len(c.byAgency[name]) == 0) && !slices.ContainsFunc(below, isOut)
	}
	return heads
}

// isSaid says whether an agency is named with one that it is below.
func (c *crowd) isSaid(name string, heads map[string]bool) bool {
	for up := c.parents[name]; up != ""; up = c.parents[up] {
		if heads[up] {
			return true
		}
	}
	return false
}

func butText(but []netip.Prefix) string {
	if len(but) == 0 {
		return ""
	}
	return " (but not " + someText(but) + ")"
}

// someText names the first of some networks, single addresses as such.
func someText(networks []netip.Prefix) string {
	var texts []string
	for _, p := range networks[:min(len(networks), manyFirst)] {
		texts = append(texts, networkText(p))
	}
	if more := len(networks) - manyFirst; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	return joined(texts)
}

func networkText(p netip.Prefix) string {
	switch {
	case !p.IsValid():
		return "those in no network"
	case p.IsSingleIP():
		return p.Addr().String()
	default:
		return p.String()
	}
}

// joined is "a", "a and b", "a, b and c".
func joined(texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:len(texts)-1], ", ") + " and " + texts[len(texts)-1]
}

package status

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// Explanation is what a client would get for a name, and why, by the policy that is in force.
type Explanation struct {
	Name    string // as it was understood
	Client  string
	At      time.Time
	Facts   []Fact // the verdict in words
	Because []Fact // what leads to it, each fact behind its cause; none for a client that may not ask

	Programs any // the same for programs: what is sent as JSON
}

// Fact is one thing that is told. One that is deeper than the one before it belongs to that.
type Fact struct {
	Depth int
	What  string // such as "agency"
	Told  string // in words, with places as "[file:line]"

	Language string // of Told, if that is a title; else "": English
}

// WriteFacts writes facts for people, one in a line.
func WriteFacts(b *strings.Builder, facts []Fact) {
	for _, f := range facts {
		fmt.Fprintf(b, "%-22s %s\n", strings.Repeat("  ", f.Depth+1)+f.What, f.Told)
	}
}

// node is a fact with those that belong to it.
type node struct {
	What  string
	Told  []piece
	Lang  string
	Below []*node
}

// nest puts each fact below the one that it belongs to.
func nest(facts []Fact) []*node {
	top := &node{}
	above := []*node{top} // the last one of each depth
	for _, f := range facts {
		depth := min(max(f.Depth, 0), len(above)-1)
		n := &node{What: f.What, Told: pieces(f.Told), Lang: f.Language}
		above[depth].Below = append(above[depth].Below, n)
		above = append(above[:depth+1], n)
	}
	return top.Below
}

// piece is a part of a text: words, or a place in a file.
type piece struct {
	Text  string
	Place bool
}

// place is where something is written, as texts have it.
var place = regexp.MustCompile(`\[[^\[\]]*:\d+\]`)

// pieces divides text into words and places, whose brackets are left out.
func pieces(text string) []piece {
	var all []piece
	begin := 0
	add := func(end int) {
		if end > begin {
			all = append(all, piece{Text: text[begin:end]})
		}
	}
	for _, at := range place.FindAllStringIndex(text, -1) {
		inside := text[at[0]+1 : at[1]-1]
		if _, err := netip.ParseAddr(inside); err == nil {
			continue
		}
		add(at[0])
		all = append(all, piece{Text: inside, Place: true})
		begin = at[1]
	}
	add(len(text))
	return all
}

package main

import (
	"fmt"
	"slices"
	"strings"
)

// class is the kind of answer that a question should get.
type class uint8

// The classes of questions.
const (
	refused class = iota
	hit
	chain
	miss
	echo
	classes // how many there are
)

// mode is what a run asks: the classes of 20 questions, shuffled and gone through again and again.
type mode struct {
	name  string
	parts [classes]int
}

// round is how many questions the parts of a mode are of.
const round = 20

var modes = []mode{
	{"refused", [classes]int{refused: round}},
	{"hit", [classes]int{hit: round}},
	{"chain", [classes]int{chain: round}},
	{"miss", [classes]int{miss: round}},
	{"mixed", [classes]int{hit: 16, refused: 3, miss: 1}},
	{"echo", [classes]int{echo: round}},
}

func parseMode(text string) (mode, error) {
	i := slices.IndexFunc(modes, func(m mode) bool { return m.name == text })
	if i < 0 {
		names := make([]string, 0, len(modes))
		for _, m := range modes {
			names = append(names, m.name)
		}
		return mode{}, fmt.Errorf("-mode: found %q, want one of %s", text, strings.Join(names, ", "))
	}
	return modes[i], nil
}

package main

import (
	"bytes"
	"encoding/binary"

	"cordon/resolver/wire"
)

// verdict is what a check found.
type verdict uint8

// What can be wrong with an answer; the first fault counts.
const (
	right verdict = iota
	malformed
	unasked   // no query under way has its ID
	question  // not the one that was asked
	truncated // TC
	rcode     // not that of its class
	records   // fewer than its class has
	verdicts
)

var verdictNames = [verdicts]string{
	right: "right", malformed: "malformed", unasked: "not asked for", question: "another question", truncated: "truncated",
	rcode: "another RCODE", records: "too few records",
}

// expectation is what the right answers of a class have.
type expectation struct {
	rcode   byte
	records int // in the answer section, at least
}

// expectations of each class.
func expectations(o *options) [classes]expectation {
	const chainRecords = 4 // three CNAMEs and what they lead to
	return [classes]expectation{
		refused: {rcode: o.refusedRcode},
		hit:     {records: 1},
		chain:   {records: chainRecords},
		miss:    {records: 1},
		echo:    {},
	}
}

// check compares an answer with the query that has its ID.
func (e expectation) check(query, answer []byte) verdict {
	if len(answer) < wire.HeaderLen {
		return malformed
	}
	flags := binary.BigEndian.Uint16(answer[2:])
	if flags&wire.FlagQR == 0 {
		return malformed
	}
	asked := questionOf(query)
	if binary.BigEndian.Uint16(answer[4:]) != 1 || !bytes.HasPrefix(answer[wire.HeaderLen:], asked) {
		return question
	}
	switch {
	case flags&wire.FlagTC != 0:
		return truncated
	case byte(flags&0xF) != e.rcode:
		return rcode
	case int(binary.BigEndian.Uint16(answer[6:])) < e.records:
		return records
	}
	return right
}

// questionOf is the question of one of our queries, which end with it but for OPT.
func questionOf(query []byte) []byte {
	end := len(query)
	if query[11] != 0 {
		end -= optLen
	}
	return query[wire.HeaderLen:end]
}

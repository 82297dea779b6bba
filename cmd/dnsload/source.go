package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"cordon/resolver/wire"
)

const (
	maxNames = 20_000_000 // of a file
	// queryRoom is the most octets that a query has: header, name, type and class, OPT.
	queryRoom = wire.HeaderLen + wire.MaxName + 4 + optLen
	optLen    = 11
	// missDigits are hexadecimal ones: 6 of the run and 10 of the query, so that no run asks for what another one has asked for.
	missDigits    = 16
	missRunDigits = 6
)

// source says what is asked next. It is used by one goroutine.
type source struct {
	expected [classes]expectation
	lists    [classes]questions
	order    []class // gone through again and again
	turn     int
	digits   int // where they stand in the queries of class miss
	run      uint64
	counter  uint64
}

// questions are whole queries, one behind the other, gone through again and again.
type questions struct {
	octets []byte
	ends   []uint32
	turn   int
}

// newSource reads the files that the mode needs. The order of names is the same one in every run.
func newSource(o *options) (*source, error) {
	s := &source{expected: expectations(o), run: rand.Uint64()} //nolint:gosec // G404: nobody gains by guessing
	dice := rand.New(rand.NewPCG(1, 2))                         //nolint:gosec // G404: nobody gains by guessing, and runs are alike
	for c, n := range o.mode.parts {
		if n == 0 {
			continue
		}
		if err := s.add(o, class(c), dice); err != nil {
			return nil, err
		}
		for range n {
			s.order = append(s.order, class(c))
		}
	}
	const rounds = 50
	one := s.order
	s.order = nil
	for range rounds { // each round has all its parts, in another order
		dice.Shuffle(len(one), func(i, j int) { one[i], one[j] = one[j], one[i] })
		s.order = append(s.order, one...)
	}
	return s, nil
}

func (s *source) add(o *options, c class, dice *rand.Rand) error {
	option := [classes]string{refused: "-refused", hit: "-hits", chain: "-chains", miss: "-misses"}[c]
	switch {
	case c == echo:
		return s.lists[c].append("echo.example.net", o)
	case c == miss && o.missPattern == "" || c != miss && o.files[c] == "":
		return fmt.Errorf("-mode %s needs %s", o.mode.name, option)
	case c == miss:
		if err := s.addPattern(o); err != nil {
			return fmt.Errorf("-misses: %w", err)
		}
		return nil
	}
	f, err := os.Open(o.files[c]) //nolint:gosec // G703: the user's files are opened by the user's path
	if err != nil {
		return fmt.Errorf("%s: %w", option, err)
	}
	defer f.Close()
	names, err := readNames(f)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", option, o.files[c], err)
	}
	dice.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		if err := s.lists[c].append(name, o); err != nil {
			return fmt.Errorf("%s: %s: %w", option, o.files[c], err)
		}
	}
	return nil
}

// readNames reads one name a line; there is at least one.
func readNames(r io.Reader) ([]string, error) {
	var names []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name := strings.TrimSpace(lines.Text())
		if name == "" || strings.HasPrefix(name, "#") {
			continue
		}
		if len(names) == maxNames {
			return nil, fmt.Errorf("found more than %d names", maxNames)
		}
		names = append(names, name)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("found no name")
	}
	return names, nil
}

// addPattern is the one query of class miss, in which the digits are written over.
func (s *source) addPattern(o *options) error {
	before, after, ok := strings.Cut(o.missPattern, "{n}")
	if !ok {
		return fmt.Errorf("found %q, want a name with {n} in it, such as u{n}.wild.example.net", o.missPattern)
	}
	s.digits = wire.HeaderLen + 1 + len(before)
	return s.lists[miss].append(before+strings.Repeat("0", missDigits)+after, o)
}

// append adds the query for name.
func (q *questions) append(name string, o *options) error {
	const rd = 1
	additional := byte(0)
	if o.edns {
		additional = 1
	}
	if len(q.octets) > math.MaxInt32-queryRoom {
		return errors.New("found too many names")
	}
	q.octets = append(q.octets, 0, 0, rd, 0, 0, 1, 0, 0, 0, 0, 0, additional)
	var err error
	if q.octets, err = appendName(q.octets, name); err != nil {
		return err
	}
	q.octets = binary.BigEndian.AppendUint16(q.octets, o.qtype)
	q.octets = append(q.octets, 0, 1)
	if o.edns {
		q.octets = append(q.octets, 0, 0, wire.TypeOPT, wire.MaxUDP>>8, wire.MaxUDP&0xFF, 0, 0, 0, 0, 0, 0)
	}
	q.ends = append(q.ends, uint32(len(q.octets)))
	return nil
}

// appendName appends the wire form of a name that has no escapes.
func appendName(dst []byte, name string) ([]byte, error) {
	start := len(dst)
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > 63 || strings.ContainsAny(label, "\\ \t") {
			return nil, fmt.Errorf("found %q, want a name such as www.example.net, without escapes", name)
		}
		dst = append(dst, byte(len(label)))
		dst = append(dst, label...)
	}
	dst = append(dst, 0)
	if len(dst)-start > wire.MaxName {
		return nil, fmt.Errorf("found %q, want a name of at most %d octets", name, wire.MaxName)
	}
	return dst, nil
}

// next copies the next query into room and returns its length. Its ID is for the caller to write.
func (s *source) next(room *[queryRoom]byte) (n int, c class) {
	c = s.order[s.turn]
	if s.turn++; s.turn == len(s.order) {
		s.turn = 0
	}
	n = copy(room[:], s.lists[c].next())
	if c == miss {
		s.count(room[s.digits : s.digits+missDigits])
	}
	return n, c
}

func (q *questions) next() []byte {
	i := q.turn
	if q.turn++; q.turn == len(q.ends) {
		q.turn = 0
	}
	start := uint32(0)
	if i > 0 {
		start = q.ends[i-1]
	}
	return q.octets[start:q.ends[i]]
}

// count writes the digits that no other query has.
func (s *source) count(digits []byte) {
	const hex = "0123456789abcdef"
	s.counter++
	n := s.run<<(4*(missDigits-missRunDigits)) | s.counter&(1<<(4*(missDigits-missRunDigits))-1)
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = hex[n&15]
		n >>= 4
	}
}

// once is a source of each name of the files once. It is nil if s has none.
func (s *source) once() *source {
	k := &source{expected: s.expected}
	for _, c := range []class{refused, hit, chain} {
		k.lists[c] = questions{octets: s.lists[c].octets, ends: s.lists[c].ends}
		for range k.lists[c].ends {
			k.order = append(k.order, c)
		}
	}
	if len(k.order) == 0 {
		return nil
	}
	return k
}

// length is how many questions there are before they begin again.
func (s *source) length() int { return len(s.order) }

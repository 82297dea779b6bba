package format

import (
	"io"
	"iter"
)

type Reader struct {
	r io.Reader
	f Format
	n int
}
type End struct{ Line, Count int }

const RPZ = Names

func NewReader(f Format, r io.Reader) *Reader { return &Reader{r: r, f: f} }
func (r *Reader) Rules() iter.Seq2[Rule, error] {
	return func(yield func(Rule, error) bool) {
		for rule, err := range Read(r.f, r.r) {
			r.n++
			if !yield(rule, err) {
				return
			}
		}
	}
}
func (r *Reader) Format() Format   { return r.f }
func (r *Reader) Lines() int       { return r.n }
func (r *Reader) End() (End, bool) { return End{}, false }

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress tells a person at a terminal how far the reading of large lists has come. Anybody else is told nothing. It is used by one
// goroutine at a time.
type progress struct {
	terminal io.Writer // nil if nobody looks
	begun    time.Time // of the reading in hand
	last     time.Time
	told     bool // something stands on the line
}

// The times after which a reading is worth telling of, and between two such tellings.
const (
	progressAfter = 500 * time.Millisecond
	progressEvery = 100 * time.Millisecond
)

// newProgress is one for w, if that is a terminal.
func newProgress(w io.Writer) *progress {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &progress{terminal: f}
	}
	return &progress{}
}

// list is told how much of the list called name was read; size 0 is not known.
func (p *progress) list(name string) func(read, size int64) {
	if p.terminal == nil {
		return nil
	}
	p.begun, p.last = time.Now(), time.Time{}
	return func(read, size int64) { p.tell(name, read, size, time.Now()) }
}

func (p *progress) tell(name string, read, size int64, now time.Time) {
	if now.Sub(p.begun) < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.told = now, true
	const mega = 1e6
	share := ""
	if size > 0 {
		share = fmt.Sprintf(" (%d %%)", 100*read/size)
	}
	fmt.Fprintf(p.terminal, "\r\033[Kreading list %s: %.0f MB%s", name, float64(read)/mega, share)
}

// end leaves a clean line.
func (p *progress) end() {
	if p.told {
		fmt.Fprint(p.terminal, "\r\033[K")
		p.told = false
	}
}

// reading is r, whose reading is told of as that of the list called name.
func (p *progress) reading(r io.Reader, name string, size int64) io.Reader {
	tell := p.list(name)
	if tell == nil {
		return r
	}
	return &toldReader{Reader: r, size: size, tell: tell}
}

type toldReader struct {
	io.Reader
	read, size int64
	tell       func(read, size int64)
}

func (r *toldReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.read += int64(n)
	r.tell(r.read, r.size)
	return n, err
}

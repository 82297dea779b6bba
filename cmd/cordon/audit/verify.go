package audit

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Summary is what [Verify] found of a log, up to the place of a Damage if there is one.
type Summary struct {
	Files   int
	Entries uint64 // lines, which is less than the last number if old files were removed
	From    time.Time
	To      time.Time
	First   uint64 // the sequence number of the first entry; 0: there is none
	Head    Head
	Sought  uint64   // the number of the entry that has the hash that was sought; 0: none was, or none has
	Notes   []string // what is worth knowing and no damage: a clock that stepped back, entries lost, a process that ended without a word
}

// Damage is the first place of a log that does not fit. It is an error.
type Damage struct {
	File string
	Line int // from 1; 0: it is about the end of the log
	What string
}

func (d *Damage) Error() string {
	if d.Line == 0 {
		return d.File + ": " + d.What
	}
	return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.What)
}

// Verify reads the log in dir from its beginning, and says the first place at which it was altered: a line that is no entry, that does not
// have the hash which the line after it remembers, or whose number is not the next one. A beginning without the first entries must be
// accounted for by a [Removed] entry. sought is a head that was seen elsewhere, in 64 hexadecimal digits: it must be in the chain, else the
// end was cut off or everything was written anew; "" is none. The last line vouches for itself: only a head can show that it was altered.
//
// The error is a *Damage, or says what could not be read. Verify may be called while a server writes: a last line without an end is noted
// then, and a damage if no server holds the log, for nobody will finish it. It reads one line at a time.
func Verify(dir, sought string) (Summary, error) {
	c, err := verify(dir, sought)
	if err != nil || c.unfinished == nil {
		return c.summary, err
	}
	busy, wrong := isLocked(filepath.Join(dir, lockFile))
	if wrong == nil && !busy {
		if c, err = verify(dir, sought); err != nil || c.unfinished == nil { // a server may have finished it, and ended
			return c.summary, err
		}
		busy, wrong = isLocked(filepath.Join(dir, lockFile))
	}
	switch {
	case wrong != nil:
		c.unfinished.What = fmt.Sprintf("the last line has no end: a server is writing it, or it was cut; which can't be told: %v", wrong)
	case busy:
		c.unfinished.What = "the last line has no end yet: a server writes the log"
	default:
		c.unfinished.What = "cut: the last line has no end, and no server writes the log. " +
			"If a crash did that, the next start cuts the line off and says so"
		return c.summary, c.unfinished
	}
	c.summary.Notes = append(c.summary.Notes, c.unfinished.Error())
	return c.summary, nil
}

// verify is Verify, but for a last line without an end.
func verify(dir, sought string) (*chain, error) {
	c := &chain{sought: sought, summary: Summary{Head: Head{Hash: noHash}}}
	for l, err := range lines(dir) {
		if errors.Is(err, errLast) {
			c.unfinished = &Damage{File: l.file.path, Line: l.number}
			if l.opens {
				c.summary.Files++
			}
			break
		}
		if err != nil && l.number == 0 {
			return c, l.blame(err) // it is not about the log
		}
		if damage := c.add(l, err); damage != nil {
			return c, damage
		}
	}
	if damage := c.end(dir); damage != nil {
		return c, damage
	}
	return c, nil
}

// link is a line that was read, as far as the chain needs it.
type link struct {
	Head
	previous string
	file     string
	number   int
}

func (l link) damage(format string, args ...any) *Damage {
	return &Damage{File: l.file, Line: l.number, What: fmt.Sprintf(format, args...)}
}

// chain is the log as far as it was read.
type chain struct {
	sought  string
	summary Summary
	first   link
	last    link
	doubted *Damage // the last line does not remember the hash of the one before: which of the two was altered shows in the next
	running bool    // there was a start, and no stop yet

	unfinished *Damage // the last line of all, if it has no end; not said yet what is wrong with it
}

// add takes the next line, which could not be read whole if err is not nil.
func (c *chain) add(l line, err error) *Damage {
	if l.opens {
		c.summary.Files++
	}
	here := link{file: l.file.path, number: l.number, Head: Head{Hash: hashOf(l.text)}}
	var e Entry
	if err == nil {
		e, err = parse(l.text)
	}
	if err != nil {
		if c.doubted != nil {
			return c.doubted
		}
		return here.damage("altered: %v", err)
	}
	here.Sequence, here.previous = e.Sequence, e.Previous
	if damage := c.join(here, l); damage != nil {
		return damage
	}
	c.tell(&e)
	if c.summary.Entries == 0 {
		c.first, c.summary.First, c.summary.From = here, e.Sequence, e.Time
	}
	c.summary.Entries++
	c.summary.To, c.summary.Head = e.Time, here.Head
	if here.Hash == c.sought {
		c.summary.Sought = e.Sequence
	}
	c.last = here
	return nil
}

// join says how here does not fit to what is before it.
func (c *chain) join(here link, l line) *Damage {
	if c.doubted != nil {
		if here.previous != c.last.Hash {
			c.doubted.What += "; that one was altered too, or alone"
		}
		return c.doubted
	}
	if l.opens && here.Sequence != l.file.first {
		return here.damage("altered, or a file under another name: the entry has the number %d, its file begins with %d",
			here.Sequence, l.file.first)
	}
	if c.summary.Entries == 0 {
		return nil // see end
	}
	next := c.last.Sequence + 1
	switch {
	case here.Sequence == c.last.Sequence && here.previous == c.last.previous && here.Hash != c.last.Hash:
		return c.last.damage("inserted: the line after it has the same number and the same line before it")
	case here.Sequence > next && here.previous == c.last.Hash, here.Sequence < next && here.previous == c.last.Hash:
		return here.damage("altered: the entry has the number %d, want %d", here.Sequence, next)
	case here.Sequence > next:
		return here.damage("removed: the entries %d to %d are missing before this one", next, here.Sequence-1)
	case here.Sequence < next:
		return here.damage("inserted: the entry has the number %d, want %d", here.Sequence, next)
	case here.previous != c.last.Hash:
		c.doubted = c.last.damage("altered: its hash is %s, but the line after it remembers %s", c.last.Hash, here.previous)
	}
	return nil
}

// end says what is wrong with the log as a whole, which lies in dir.
func (c *chain) end(dir string) *Damage {
	switch {
	case c.doubted != nil:
		c.doubted.What += "; or the line after it, which is the last, was"
		return c.doubted
	case c.summary.Entries > 0 && !c.accounted(dir):
		return c.first.damage("cut: the log begins with the entry %d, and no entry says that what was before it was removed",
			c.first.Sequence)
	case c.sought != "" && c.summary.Sought == 0:
		last := c.summary.Head
		return &Damage{File: dir, What: fmt.Sprintf(
			"cut, or written anew: no line has the hash %s; the last is %d, with the hash %s", c.sought, last.Sequence, last.Hash)}
	}
	return nil
}

// accounted says whether the log begins with the first entry there ever was, or with one that retention left.
func (c *chain) accounted(dir string) bool {
	if c.first.Sequence == 1 {
		return c.first.previous == noHash
	}
	for e, err := range Read(dir, time.Time{}, time.Time{}) {
		if err == nil && e.Kind == Removed && e.First == c.first.Sequence && e.Hash == c.first.previous {
			return true
		}
	}
	return false
}

// maxNotes bounds what a hostile log can have noted.
const maxNotes = 1000

// tell notes what is worth knowing of e, the next entry.
func (c *chain) tell(e *Entry) {
	if e.Time.Before(c.summary.To) {
		c.note(e, "the clock stepped back, from %s, or the entry waited while another server wrote the log",
			c.summary.To.Format(time.RFC3339))
	}
	switch e.Kind {
	case Start:
		if c.running {
			c.note(e, "a start without a stop before it: the server ended without a word")
		}
		c.running = true
	case Stop:
		c.running = false
	case Gap:
		c.note(e, "%d entries are missing, which could not be written", e.Missing)
	case Torn:
		c.note(e, "the end of %s was not finished, and cut off: %s", e.What, e.Reason)
	case Removed:
		c.note(e, "%s was removed, as it was older than it is kept for", e.What)
	default:
	}
}

func (c *chain) note(e *Entry, format string, args ...any) {
	if len(c.summary.Notes) < maxNotes {
		place := fmt.Sprintf("entry %d, %s: ", e.Sequence, e.Time.Format(time.RFC3339))
		c.summary.Notes = append(c.summary.Notes, place+fmt.Sprintf(format, args...))
	}
}

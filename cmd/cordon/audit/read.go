package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// maxLine bounds a line, in octets: no entry is longer, and of what is, not more is read into memory.
const maxLine = 4 << 20

const (
	filePrefix, fileSuffix = "audit-", ".jsonl"
	fileDigits             = 12
)

// fileName is the name of the file whose first entry has that sequence number. In the order of names the files are in that of entries.
func fileName(first uint64) string {
	return fmt.Sprintf("%s%0*d%s", filePrefix, fileDigits, first, fileSuffix)
}

// logFile is a file of the log. Its first entry has the sequence number first, if it has any.
type logFile struct {
	path  string
	first uint64
}

// files are the files in dir, in the order of their entries. What has another kind of name is none of them.
func files(dir string) ([]logFile, error) {
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []logFile
	for _, f := range found {
		digits, isLog := strings.CutPrefix(strings.TrimSuffix(f.Name(), fileSuffix), filePrefix)
		first, err := strconv.ParseUint(digits, 10, 64)
		if isLog && err == nil && f.Name() == fileName(first) {
			all = append(all, logFile{path: filepath.Join(dir, f.Name()), first: first})
		}
	}
	return all, nil
}

// Read returns the entries of the log in dir whose time is not before from and before to, in the order in which they were written; a zero
// from or to is no bound. It needs no lock and may be called while a server writes: a last line that is not finished yet is left out, and
// so is a file that was removed by retention meanwhile. A line that is no entry is an error that names file and line, and the reading
// goes on after it; whether the chain holds is the business of [Verify]. A directory that can't be read is the only error then;
// one that is not there wraps [fs.ErrNotExist]. The sequence can be used several times, and reads anew each time.
func Read(dir string, from, to time.Time) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for line, err := range lines(dir) {
			if errors.Is(err, errLast) {
				return
			}
			e, err := line.entry(err)
			outside := err == nil && (e.Time.Before(from) || !to.IsZero() && !e.Time.Before(to))
			if !outside && !yield(e, err) {
				return
			}
		}
	}
}

// parse is the entry that text is, without a newline.
func parse(text []byte) (e Entry, err error) {
	if err := json.Unmarshal(text, &e); err != nil {
		return Entry{}, fmt.Errorf("not an entry: %w", err)
	}
	if e.Sequence == 0 || e.Kind == "" || e.Time.IsZero() {
		return Entry{}, errors.New("not an entry: seq, event or time is missing")
	}
	return e, nil
}

// line is a line of the log. Its text, without the newline, is valid until the next one is read.
type line struct {
	file   logFile
	number int // in the file, from 1; 0: it is about the file
	text   []byte
	opens  bool // it is the first of its file
}

// entry is the entry that the line is, if it could be read, which err says. An error names the place.
func (l line) entry(err error) (e Entry, _ error) {
	if err == nil {
		e, err = parse(l.text)
	}
	if err != nil {
		return Entry{}, l.blame(err)
	}
	return e, nil
}

func (l line) blame(err error) error {
	switch {
	case l.file.path == "":
		return err
	case l.number == 0:
		return fmt.Errorf("%s: %w", l.file.path, err)
	}
	return fmt.Errorf("%s:%d: %w", l.file.path, l.number, err)
}

// What may be wrong with a line as such.
var (
	errTooLong = fmt.Errorf("not an entry: longer than %d octets", maxLine)
	errTorn    = errors.New("not an entry: the line has no end")
	errLast    = errors.New("the line has no end: it may be being written") // it is the last of all
)

// lines are the lines of the files in dir. A line without an end is the last one of its file, and comes with errTorn; that of the last file
// comes with errLast.
func lines(dir string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		all, err := files(dir)
		if err != nil {
			yield(line{}, fmt.Errorf("audit log: %w", err))
			return
		}
		for i, f := range all {
			if !f.read(i == len(all)-1, yield) {
				return
			}
		}
	}
}

// read yields the lines of f, and says whether more are wanted.
func (f logFile) read(last bool, yield func(line, error) bool) bool {
	opened, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true // it was there a moment ago
	}
	if err != nil {
		return yield(line{file: f}, err)
	}
	defer opened.Close()
	in := bufio.NewReaderSize(opened, 64<<10)
	var buffer []byte
	for n := 1; ; n++ {
		text, _, err := readLine(in, buffer[:0])
		buffer = text
		if errors.Is(err, io.EOF) {
			return true
		}
		if last && errors.Is(err, errTorn) {
			err = errLast
		}
		l := line{file: f, number: n, text: text, opens: n == 1}
		if !yield(l, err) {
			return false
		}
		if err != nil && !errors.Is(err, errTooLong) {
			return true
		}
	}
}

// readLine appends the next line to buffer, without its newline, and says how many octets it read. Its errors are io.EOF where no line
// begins, errTorn for a line without an end, errTooLong for one that was passed over, and those of the file.
func readLine(in *bufio.Reader, buffer []byte) (text []byte, octets int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		octets += int64(len(part))
		if octets <= maxLine+1 {
			buffer = append(buffer, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && octets > 0:
			return buffer, octets, errTorn
		case err != nil:
			return buffer, octets, err
		case octets > maxLine+1:
			return nil, octets, errTooLong
		default:
			return buffer[:len(buffer)-1], octets, nil
		}
	}
}

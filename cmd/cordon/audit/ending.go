package audit

import (
	"bufio"
	"errors"
	"io"
	"os"
	"time"
)

// ending is how a file ends.
type ending struct {
	head       Head      // of its last line, if it has one
	time       time.Time // of the last entry; if that is none, of the last change of the file
	lines      uint64
	size       int64 // octets of whole lines
	tornOctets int64 // octets after them
	bad        bool  // the last line is no entry: its number is the one that it should have
}

// end is how f ends.
func (f logFile) end() (ending, error) {
	var end ending
	opened, err := os.Open(f.path)
	if err != nil {
		return end, err
	}
	defer opened.Close()
	in := bufio.NewReaderSize(opened, 64<<10)
	var last, next []byte // the last line, and room for another
	for {
		text, octets, err := readLine(in, next[:0])
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errTorn):
			end.tornOctets = octets
			end.judge(f, last, opened)
			return end, nil
		case err != nil && !errors.Is(err, errTooLong):
			return end, err
		}
		end.lines++
		end.size += octets
		last, next = text, last
	}
}

// judge takes over what the last line of f says, if there is one.
func (end *ending) judge(f logFile, last []byte, opened *os.File) {
	if info, err := opened.Stat(); err == nil {
		end.time = info.ModTime()
	}
	if end.lines == 0 {
		return
	}
	end.head = Head{Sequence: f.first + end.lines - 1, Hash: hashOf(last)}
	e, err := parse(last)
	if err != nil {
		end.bad = true
		return
	}
	end.head.Sequence, end.time = e.Sequence, e.Time
}

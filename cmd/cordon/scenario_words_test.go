package main

import (
	"bytes"
	"errors"
	"sync"
)

// splitWords splits a line at blanks, but not within single quotes, and leaves out what follows a # that begins a word.
func splitWords(line string) ([]string, error) {
	var words []string
	word, inWord, quoted := "", false, false
	for _, c := range line + " " {
		switch {
		case c == '\'':
			quoted, inWord = !quoted, true
		case quoted || c != ' ' && c != '\t' && (inWord || c != '#'):
			word, inWord = word+string(c), true
		case c == '#':
			return words, nil
		case inWord:
			words, word, inWord = append(words, word), "", false
		}
	}
	if quoted {
		return nil, errors.New("a quotation is not closed")
	}
	return words, nil
}

// safeBuffer is a buffer for a log.
type safeBuffer struct {
	mu    sync.Mutex
	text  bytes.Buffer
	taken bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// take empties b.
func (b *safeBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.text.Reset()
	b.taken.Write(b.text.Bytes())
	return b.text.String()
}

// all is what was ever written to b.
func (b *safeBuffer) all() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken.String() + b.text.String()
}

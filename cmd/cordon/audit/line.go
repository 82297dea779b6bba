package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// noHash is the Previous of the first line.
var noHash = strings.Repeat("0", 2*sha256.Size) //nolint:gochecknoglobals // a constant that Go has no word for

// hashOf is the hash of a line without its newline.
func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// encode is e as a line, with its newline.
func encode(e *Entry) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(e)
	return b.Bytes(), err
}

// What an entry may have before it is cut, in octets.
const (
	maxText  = 8 << 10     // each of its texts
	maxEntry = maxLine / 2 // all of it, so that there is room for its place in the chain
)

// bound cuts what is too long in e, says so in e, and returns how long it is then. It hides the addresses in its texts.
func bound(e *Entry) (int, error) {
	e.Effect, e.Holds = slices.Clone(e.Effect), slices.Clone(e.Holds) // they are the caller's
	e.hideAddresses()
	for _, text := range []*string{&e.What, &e.Reason, &e.Agency, &e.Policy, &e.Exception, &e.ApprovedBy, &e.Ticket, &e.Reference} {
		*text = clip(*text)
	}
	for i, text := range e.Effect {
		e.Effect[i] = clip(text)
	}
	for i := range e.Holds {
		e.Holds[i].Reason = clip(e.Holds[i].Reason)
	}
	for {
		text, err := encode(e)
		if err != nil || len(text) <= maxEntry || !e.shorten() {
			return len(text), err
		}
	}
}

// clip is text if it is not too long, else its beginning.
func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// shorten leaves out half of what e has most of, and says false if there is nothing to leave out.
func (e *Entry) shorten() bool {
	sizes := []int{
		len(e.Effect), len(e.Files), len(e.Lists), len(e.Policies), len(e.Exceptions), len(e.Holds), len(e.Counts),
	}
	cut := []func(n int){
		func(n int) { e.Effect = e.Effect[:n] },
		func(n int) { e.Files = e.Files[:n] },
		func(n int) { e.Lists = e.Lists[:n] },
		func(n int) { e.Policies = e.Policies[:n] },
		func(n int) { e.Exceptions = e.Exceptions[:n] },
		func(n int) { e.Holds = e.Holds[:n] },
		func(n int) { e.Counts = e.Counts[:n] },
	}
	most := 0
	for i, n := range sizes {
		if n > sizes[most] {
			most = i
		}
	}
	n := sizes[most]
	if n == 0 {
		return false
	}
	cut[most](n / 2)
	e.Omitted += n - n/2
	return true
}

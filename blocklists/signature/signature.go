package signature

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/blake2b"
)

const (
	// MaxSize is the size of the largest signature file that is read, in octets. minisign's have some 300.
	MaxSize = 4 << 10
	// MaxUnhashed is the size of the largest content, in octets, whose signature may be of the old form, without BLAKE2b.
	MaxUnhashed = 64 << 20
)

// Signature is a signature whose form, key and trusted comment are in order; whether it is that of some content is what
// [Signature.Verify] says. It is immutable; the zero value is none.
type Signature struct {
	// KeyID is the id of the key that signed.
	KeyID KeyID
	// Comment is the trusted comment, without control characters but for tabs.
	Comment string
	// Time is the time of signing that the trusted comment states, in UTC with a resolution of 1 s; zero if it states none.
	Time time.Time

	key       Key
	algorithm string // hashed or unhashed
	content   []byte // the signature of the content, ed25519.SignatureSize octets
}

// Verify is [Open] and [Signature.Verify].
func Verify(key Key, content io.Reader, text []byte) (Signature, error) {
	s, err := Open(key, text)
	if err != nil {
		return Signature{}, err
	}
	return s, s.Verify(content)
}

// Open reads the text of a signature file and verifies that key made it, and its trusted comment. The error says what was found and
// what would be right.
func Open(key Key, text []byte) (Signature, error) {
	lines, err := split(text)
	if err != nil {
		return Signature{}, fmt.Errorf("verify signature: %w", err)
	}
	comment, err := commentOf(lines[2])
	if err != nil {
		return Signature{}, fmt.Errorf("verify signature: %w", err)
	}
	raw, global := decode(lines[1]), decode(lines[3])
	switch {
	case len(raw) != headLen+ed25519.SignatureSize:
		return Signature{}, malformed(2, "signature", lines[1], headLen+ed25519.SignatureSize)
	case len(global) != ed25519.SignatureSize:
		return Signature{}, malformed(4, "signature of the trusted comment", lines[3], ed25519.SignatureSize)
	}
	s := Signature{
		KeyID: keyID(raw), Comment: comment, Time: timeOf(comment),
		key: key, algorithm: string(raw[:algorithmLen]), content: raw[headLen:],
	}
	switch {
	case s.algorithm != hashed && s.algorithm != unhashed:
		return Signature{}, fmt.Errorf("verify signature: its algorithm is %q, want %q or %q of minisign", s.algorithm, hashed, unhashed)
	case s.KeyID != key.id:
		return Signature{}, fmt.Errorf("verify signature: it was made with the key %s, want one made with %s: "+
			"either the publisher has a new key, or this is not the publisher's", s.KeyID, key.id)
	case !key.signed(append(raw[headLen:len(raw):len(raw)], comment...), global):
		return Signature{}, fmt.Errorf("verify signature: its trusted comment %q is not what the key %s signed: "+
			"it was changed afterwards, or the key is another one with the same id", comment, key.id)
	}
	return s, nil
}

// Verify returns an error unless the signature is that of content, which is read to its end. It takes 64 KiB of memory, or as much
// as the content has for a signature of the old form. An error of content is wrapped.
func (s Signature) Verify(content io.Reader) error {
	message, err := s.message(content)
	if err != nil {
		return fmt.Errorf("verify signature: %w", err)
	}
	if !s.key.signed(message, s.content) {
		return fmt.Errorf("verify signature: the key %s signed other content than this: it was changed, cut short, "+
			"or is another version than the signature: want both of one version", s.KeyID)
	}
	return nil
}

// message is what was signed.
func (s Signature) message(content io.Reader) ([]byte, error) {
	if s.algorithm == unhashed {
		message, err := io.ReadAll(io.LimitReader(content, MaxUnhashed+1))
		if len(message) > MaxUnhashed {
			return nil, fmt.Errorf("it is of the old form, and the content has more than the %d octets that are read into memory for it: "+
				"want it made by minisign 0.10 or newer, without -l", MaxUnhashed)
		}
		return message, err
	}
	hash, err := blake2b.New512(nil)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyBuffer(hash, onlyReader{content}, make([]byte, 64<<10)); err != nil {
		return nil, err
	}
	return hash.Sum(nil), nil
}

// onlyReader hides a WriterTo, which would choose its own buffer.
type onlyReader struct{ io.Reader }

const (
	untrustedMark = "untrusted comment:"
	trustedMark   = "trusted comment: "
)

// split is the four lines of a signature file, without their ends.
func split(text []byte) (lines [4]string, err error) {
	if len(text) > MaxSize {
		return lines, fmt.Errorf("it has %d octets, want at most %d: it is no minisign signature", len(text), MaxSize)
	}
	found := strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")
	if !strings.HasPrefix(found[0], untrustedMark) {
		return lines, fmt.Errorf("it begins with %q, want a line %q: it is no minisign signature", excerpt(found[0]), untrustedMark+" …")
	}
	if len(found) != len(lines) {
		return lines, fmt.Errorf("it has %d lines, want %d: it is cut short, or no minisign signature", len(found), len(lines))
	}
	for i, line := range found {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	return lines, nil
}

// commentOf is the trusted comment in its line.
func commentOf(line string) (string, error) {
	comment, ok := strings.CutPrefix(line, trustedMark)
	if !ok {
		return "", fmt.Errorf("line 3 is %q, want a line %q", excerpt(line), trustedMark+"…")
	}
	if strings.ContainsFunc(comment, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return "", fmt.Errorf("the trusted comment %q has control characters, want a line of text", excerpt(comment))
	}
	return comment, nil
}

func decode(line string) []byte {
	raw, err := base64.StdEncoding.Strict().DecodeString(line)
	if err != nil {
		return nil
	}
	return raw
}

func malformed(line int, what, found string, octets int) error {
	return fmt.Errorf("verify signature: line %d is %q, want the %s: %d octets in base64", line, excerpt(found), what, octets)
}

// excerpt is the beginning of text, for an error.
func excerpt(text string) string {
	const longest = 80
	if len(text) > longest {
		return text[:longest] + "…"
	}
	return text
}

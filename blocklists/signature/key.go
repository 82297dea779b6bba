package signature

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Key is a minisign public key. It is immutable; the zero value is no key, and nothing is signed by it.
type Key struct {
	id    KeyID
	point string // ed25519.PublicKeySize octets
}

// KeyID tells one key from another. It is a hint for people: nothing proves it.
type KeyID uint64

// String is the id as minisign writes it: 16 upper-case hexadecimal digits.
func (id KeyID) String() string { return fmt.Sprintf("%016X", uint64(id)) }

// ID is the id of the key.
func (k Key) ID() KeyID { return k.id }

const (
	algorithmLen = 2
	headLen      = algorithmLen + 8 // with the key id
	keyLen       = headLen + ed25519.PublicKeySize
	secretKeyLen = 158

	unhashed = "Ed"
	hashed   = "ED"
)

const wantKey = "want the line of the publisher's minisign.pub that begins with RW"

// ParseKey reads a public key: the line of a minisign.pub that begins with RW, or both of its lines. The error says what was found
// but never repeats it: it may be a secret key.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	if first, rest, two := strings.Cut(text, "\n"); two && strings.HasPrefix(first, untrustedMark) {
		text = strings.TrimSpace(rest)
	}
	if text == "" {
		return Key{}, errors.New("read public key: it is empty: " + wantKey)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	switch {
	case err != nil:
		return Key{}, fmt.Errorf("read public key: its %d characters are not base64: %s", len(text), wantKey)
	case len(raw) == secretKeyLen:
		return Key{}, errors.New("read public key: it is a SECRET key, which is not secret any more: make a new pair, and " + wantKey)
	case len(raw) != keyLen:
		return Key{}, fmt.Errorf("read public key: it has %d octets, a key has %d: %s", len(raw), keyLen, wantKey)
	case !bytes.HasPrefix(raw, []byte(unhashed)):
		return Key{}, fmt.Errorf("read public key: its algorithm is %q, a minisign key has %q: %s", raw[:algorithmLen], unhashed, wantKey)
	}
	return Key{id: keyID(raw), point: string(raw[headLen:])}, nil
}

// keyID reads the id that follows the algorithm.
func keyID(raw []byte) KeyID { return KeyID(binary.LittleEndian.Uint64(raw[algorithmLen:])) }

// signed says whether sig is the key's signature of message (RFC 8032, section 5.1.7).
func (k Key) signed(message, sig []byte) bool {
	return len(k.point) == ed25519.PublicKeySize && ed25519.Verify(ed25519.PublicKey(k.point), message, sig)
}

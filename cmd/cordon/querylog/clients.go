package querylog

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/netip"
	"os"
	"time"

	"cordon/resolver/limit"
)

// Naming is how a client is called in records.
type Naming uint8

// The ways to call a client.
const (
	Pseudonym Naming = iota // by the HMAC of its address, with the key of the day
	Truncated               // by its network: /24, /48
	Nameless                // not at all
)

// called is a client's name in a record.
type called struct {
	text string     // "" if it has none
	addr netip.Addr // the same where there is only room for an address; not valid if it has none
}

// namer gives clients their names. It is used by one goroutine.
type namer struct {
	naming Naming
	shared []byte // what the keys of days are derived from; nil: each is random
	day    string // of mac, in UTC
	mac    hash.Hash
}

// Sizes in octets.
const (
	keySize      = sha256.Size
	minKeyFile   = 32
	maxKeyFile   = 4096
	pseudonymLen = 8 // 2^32 clients in a day before two of them are likely to share one
)

// of is the name of client at now.
func (n *namer) of(client netip.Addr, now time.Time) called {
	switch n.naming {
	case Pseudonym:
		return n.pseudonym(limit.Client(client), now)
	case Truncated:
		bits := 48
		if client.Is4() {
			bits = 24
		}
		network, _ := client.WithZone("").Prefix(bits) // an address of that family has as many bits
		return called{text: network.String(), addr: network.Addr()}
	default:
		return called{}
	}
}

// pseudonym is that of client: 16 hexadecimal digits, and an address of 100::/64, which leads nowhere (RFC 6666), that ends with the same.
func (n *namer) pseudonym(client netip.Addr, now time.Time) called {
	if today := now.UTC().Format(time.DateOnly); n.mac == nil || today != n.day {
		n.begin(today)
	}
	n.mac.Reset()
	octets := client.As16()
	n.mac.Write(octets[:])
	var sum [sha256.Size]byte
	n.mac.Sum(sum[:0])
	short := sum[:pseudonymLen]
	shown := [16]byte{0: 1}
	copy(shown[8:], short)
	return called{text: hex.EncodeToString(short), addr: netip.AddrFrom16(shown)}
}

// begin makes the key of the day. Nothing of the one before is left, as far as Go lets anybody say that.
func (n *namer) begin(day string) {
	key := make([]byte, keySize)
	defer clear(key)
	if n.shared == nil {
		_, _ = rand.Read(key) // it has no error
	} else {
		derived, err := hkdf.Key(sha256.New, n.shared, nil, "cordon query log "+day, keySize)
		if err != nil {
			panic("querylog: " + err.Error()) // of a length that HKDF can't give
		}
		copy(key, derived)
		clear(derived)
	}
	n.day, n.mac = day, hmac.New(sha256.New, key)
}

// CheckKey says why the key file at path can't be used. An error never has any of it.
func CheckKey(path string) error {
	key, err := readKey(path)
	clear(key)
	return err
}

// readKey is the content of the key file at path. An error never has any of it.
func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe could wait for ever
		return nil, errors.New(path + " is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	key, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	for len(key) > 0 && (key[len(key)-1] == '\n' || key[len(key)-1] == '\r') {
		key = key[:len(key)-1]
	}
	if len(key) < minKeyFile || len(key) > maxKeyFile {
		return nil, fmt.Errorf("%s has %d octets: want %d to %d that nobody can guess, such as from `openssl rand -hex 32`",
			path, len(key), minKeyFile, maxKeyFile)
	}
	return key, nil
}

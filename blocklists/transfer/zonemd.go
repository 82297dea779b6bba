package transfer

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
)

// Digest says what becomes of the ZONEMD records of a zone, which have a digest of all of it (RFC 8976).
type Digest uint8

const (
	// DigestChecked refuses a zone that has a ZONEMD record we can check, but is not what that says.
	DigestChecked Digest = iota
	// DigestRequired also refuses a zone without a ZONEMD record that we can check.
	DigestRequired
	// DigestIgnored takes every zone.
	DigestIgnored
)

const (
	schemeSimple = 1 // RFC 8976, section 5.2
	hashSHA384   = 1 // RFC 8976, section 5.3
	hashSHA512   = 2
	minDigest    = 12 // octets (RFC 8976, section 2.2.4)
)

// errNoDigest is about a zone whose digest cannot be checked.
var errNoDigest = errors.New("no ZONEMD record of scheme SIMPLE with SHA-384 or SHA-512")

// zonemd is a ZONEMD record (RFC 8976, section 2.2).
type zonemd struct {
	serial       uint32
	scheme, hash uint8
	digest       []byte
}

// newHash is the hash of a record that we can check, else nil.
func (z zonemd) newHash() hash.Hash {
	switch {
	case z.scheme != schemeSimple:
		return nil
	case z.hash == hashSHA384 && len(z.digest) == sha512.Size384:
		return sha512.New384()
	case z.hash == hashSHA512 && len(z.digest) == sha512.Size:
		return sha512.New()
	default:
		return nil
	}
}

// checkDigest compares the zone with its ZONEMD records (RFC 8976, section 4): one that is right is enough. It returns errNoDigest
// if there is none that can be checked; there may be others then.
func (c contents) checkDigest(zone domain.Name) error {
	records := c.zonemds()
	verdict := errNoDigest
	for i, z := range records {
		twin := func(o zonemd) bool { return o.scheme == z.scheme && o.hash == z.hash }
		if slices.ContainsFunc(records[:i], twin) || slices.ContainsFunc(records[i+1:], twin) {
			continue // RFC 8976, section 4, step 4: none of them must be used
		}
		h := z.newHash()
		if h == nil {
			continue
		}
		if z.serial != c.soa.serial {
			verdict = fmt.Errorf("the ZONEMD record is of serial %d, the zone of %d", z.serial, c.soa.serial)
			continue
		}
		c.digest(zone, h)
		if bytes.Equal(h.Sum(nil), z.digest) {
			return nil
		}
		verdict = fmt.Errorf("the zone of serial %d is not what its ZONEMD record says: it was changed, or not all of it came", z.serial)
	}
	return verdict
}

// zonemds are the ZONEMD records of the apex that are well formed.
func (c contents) zonemds() (found []zonemd) {
	prefix := binary.BigEndian.AppendUint16([]byte{0}, dns.TypeZONEMD)
	at, _ := slices.BinarySearchFunc(c.refs, prefix, func(r ref, key []byte) int { return bytes.Compare(c.key(r), key) })
	for _, r := range c.refs[at:] {
		data, ok := bytes.CutPrefix(c.key(r), prefix)
		if !ok {
			break
		}
		if len(data) >= 6+minDigest {
			found = append(found, zonemd{serial: binary.BigEndian.Uint32(data), scheme: data[4], hash: data[5], digest: data[6:]})
		}
	}
	return found
}

// digest hashes the zone by the scheme SIMPLE (RFC 8976, section 3.3).
func (c contents) digest(zone domain.Name, h hash.Hash) {
	var wire []byte
	for key, ttl := range c.all() {
		owner, rtype, data := splitKey(wire[:0], key, zone)
		if len(owner) == len(zone) && (rtype == dns.TypeZONEMD || rtype == dns.TypeRRSIG && covers(data) == dns.TypeZONEMD) {
			continue
		}
		wire = binary.BigEndian.AppendUint16(owner, rtype)
		wire = binary.BigEndian.AppendUint16(wire, dns.ClassINET)
		wire = binary.BigEndian.AppendUint32(wire, ttl)
		wire = appendCounted(wire, data)
		h.Write(wire)
	}
}

// covers is the type that a RRSIG record is about.
func covers(data []byte) uint16 { return binary.BigEndian.Uint16(data) }

package cache

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// Key is what makes two questions one: everything that an upstream's answer depends on, and nothing of who asks.
type Key struct {
	Name  []byte // canonical: wire form, uncompressed, lower case, with the root label
	Type  uint16
	Class uint16
	DO    bool   // the answer has signatures and proofs
	CD    bool   // the answer may be unvalidated (RFC 4035, section 3.2.2)
	Route uint16 // which group of upstreams is asked
}

// fields are all of the key but the name.
func (k Key) fields() uint64 {
	f := uint64(k.Type) | uint64(k.Class)<<16 | uint64(k.Route)<<32
	if k.DO {
		f |= 1 << 48
	}
	if k.CD {
		f |= 1 << 49
	}
	return f
}

// Equal says whether k and other are the same key.
func (k Key) Equal(other Key) bool {
	return k.fields() == other.fields() && bytes.Equal(k.Name, other.Name)
}

// Hash is a number for k that nobody outside can foresee, for tables that hold what is not in the cache: those who ask choose names.
// It is the same for as long as c lives.
func (c *Cache) Hash(k Key) uint64 { return c.hasher.hash(k.Name, k.fields()) }

// hasher spreads keys over the table in a way that nobody outside can foresee.
type hasher struct {
	seed  maphash.Seed
	blend uint64 // odd
}

func newHasher() hasher {
	seed := maphash.MakeSeed()
	return hasher{seed: seed, blend: maphash.String(seed, "fields") | 1}
}

func (h hasher) hash(name []byte, fields uint64) uint64 {
	hi, lo := bits.Mul64(maphash.Bytes(h.seed, name)^fields, h.blend)
	return hi ^ lo
}

// is says whether e was made for a key with this name and these fields.
func (e *Entry) is(name []byte, fields uint64) bool {
	return e.fields == fields && bytes.Equal(e.name(), name)
}

package cache

import (
	"encoding/binary"

	"cordon/resolver/wire"
)

// authority keeps what the authority section has to say: of an answer without data the SOA record, and with DO the proofs
// that there is nothing, or that a name comes out of a wildcard (RFC 4035, section 3.1.3).
func (w *walk) authority() error {
	first, limit := len(w.out.ttls), uint32(MaxTTL)
	if !w.found {
		limit = MaxNegativeTTL
		if err := w.keepSOA(); err != nil {
			return err
		}
	}
	if w.k.DO {
		if err := w.keepProofs(); err != nil {
			return err
		}
	}
	if len(w.out.ttls) > first {
		w.lifetime = min(w.lifetime, w.out.settle(first, limit))
	}
	return nil
}

// keepSOA keeps the SOA record of a zone that holds the name at the end of the chain, with its signatures. Its TTL is how
// long the answer lives: the lower of its TTL and its MINIMUM field, the last 4 octets (RFC 2308, section 5).
func (w *walk) keepSOA() error {
	for _, r := range w.authorities {
		if r.Type != wire.TypeSOA || r.Class != w.k.Class {
			continue
		}
		owner := w.owner(r)
		if wire.SuffixAt(w.name, owner) < 0 {
			continue
		}
		w.soa = r
		r.TTL = min(clamp(r.TTL), clamp(binary.BigEndian.Uint32(w.m.Msg[r.End-4:])))
		if err := w.keep(r); err != nil || !w.k.DO {
			return err
		}
		return w.keepSignatures(w.authorities, owner, wire.TypeSOA)
	}
	return nil
}

func (w *walk) keepProofs() error {
	for _, r := range w.authorities {
		if r.Class != w.k.Class {
			continue
		}
		if !isProof(r.Type) && !isProof(w.covers(r)) {
			continue
		}
		if err := w.keep(r); err != nil {
			return err
		}
	}
	return nil
}

func isProof(rtype uint16) bool { return rtype == wire.TypeNSEC || rtype == wire.TypeNSEC3 }

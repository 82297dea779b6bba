package cache

import (
	"bytes"
	"encoding/binary"
	"slices"

	"cordon/resolver/wire"
)

// step is what the answer section says of one name. A record that is not there has End 0.
type step struct {
	data  bool // there are records of the asked type
	cname wire.Record
	dname wire.Record // at a parent of the name
}

// follow goes along the chain and keeps what it finds. w.name ends as the name at the end of the chain.
func (w *walk) follow() error {
	for w.steps = 0; w.steps <= maxSteps; w.steps++ {
		s := w.look()
		if s.dname.End != 0 {
			if err := w.keepDNAME(s.dname); err != nil {
				return err
			}
		}
		var err error
		switch {
		case s.data:
			w.found = true
			if s.cname.End != 0 { // against RFC 1034, section 3.6.2: it is not kept, but it is judged
				target, _ := w.target(s.cname)
				w.leads.name(target)
			}
			return w.keepSet(w.name, w.k.Type)
		case s.cname.End != 0:
			err = w.followCNAME(s.cname)
		case s.dname.End != 0:
			err = w.followDNAME(s.dname)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ErrChain
}

// look reads the answer section for w.name. The first CNAME and the first DNAME record count; a second one would break
// RFC 2181, section 10.1 or RFC 6672, section 2.4.
func (w *walk) look() (s step) {
	for _, r := range w.answers {
		if s.dname.End == 0 && r.Type == wire.TypeDNAME && w.below(r) {
			s.dname = r
		}
		if r.Type != wire.TypeCNAME && r.Type != w.k.Type || !w.at(r, w.name) {
			continue
		}
		s.data = s.data || r.Type == w.k.Type
		if s.cname.End == 0 && r.Type == wire.TypeCNAME {
			s.cname = r
		}
	}
	return s
}

// below says whether w.name is below the owner of r.
func (w *walk) below(r wire.Record) bool {
	return r.Class == w.k.Class && wire.SuffixAt(w.name, w.owner(r)) > 0
}

// owner is the canonical owner of r, until the next call.
func (w *walk) owner(r wire.Record) []byte {
	name, _, _ := wire.ExpandName(w.ownerBuf[:0], w.m.Msg, r.Owner)
	return name
}

// target is the canonical first name in the data of r, until the next call, and the offset behind it.
func (w *walk) target(r wire.Record) ([]byte, int) {
	at, _, _ := w.m.DataNames(r)
	name, next, _ := wire.ExpandName(w.targetBuf[:0], w.m.Msg, at)
	return name, next
}

func (w *walk) followCNAME(r wire.Record) error {
	if err := w.keepSet(w.name, wire.TypeCNAME); err != nil {
		return err
	}
	target, _ := w.target(r)
	w.name = append(w.nameBuf[:0], target...)
	return nil
}

// followDNAME puts the target of r in place of its owner at the end of w.name (RFC 6672, section 2.2).
func (w *walk) followDNAME(r wire.Record) error {
	keep := wire.SuffixAt(w.name, w.owner(r))
	target, _ := w.target(r)
	if keep+len(target) > wire.MaxName {
		return ErrChain
	}
	w.name = append(w.nameBuf[:keep], target...)
	w.leads.name(w.name)
	return nil
}

// keepDNAME keeps r with its signatures. A chain can come through it more than once.
func (w *walk) keepDNAME(r wire.Record) error {
	if slices.Contains(w.dnames[:w.dnameCount], r.Owner) {
		return nil
	}
	w.dnames[w.dnameCount] = r.Owner
	w.dnameCount++
	return w.keepSet(w.owner(r), wire.TypeDNAME)
}

// keepSet keeps the records of rtype at owner in the answer section, with their signatures. Of aliases, the first only.
func (w *walk) keepSet(owner []byte, rtype uint16) error {
	first := len(w.out.ttls)
	single := rtype == wire.TypeCNAME || rtype == wire.TypeDNAME
	if err := w.keepMatching(owner, rtype, single); err != nil {
		return err
	}
	if w.k.DO {
		if err := w.keepSignatures(w.answers, owner, rtype); err != nil {
			return err
		}
	}
	w.lifetime = min(w.lifetime, w.out.settle(first, MaxTTL))
	return nil
}

func (w *walk) keepMatching(owner []byte, rtype uint16, single bool) error {
	n := 0
	for _, r := range w.answers {
		if r.Type != rtype || !w.at(r, owner) {
			continue
		}
		if n++; n > maxSet {
			return ErrTooLarge
		}
		if err := w.keep(r); err != nil {
			return err
		}
		if single {
			break
		}
	}
	return nil
}

// keepSignatures keeps the signatures of the set of type covered at owner.
func (w *walk) keepSignatures(section []wire.Record, owner []byte, covered uint16) error {
	n := 0
	for _, r := range section {
		if w.covers(r) != covered || !w.at(r, owner) {
			continue
		}
		if n++; n > maxSet {
			return ErrTooLarge
		}
		if err := w.keep(r); err != nil {
			return err
		}
	}
	return nil
}

// at says whether r belongs to the canonical name owner.
func (w *walk) at(r wire.Record, owner []byte) bool {
	if r.Class != w.k.Class {
		return false
	}
	if w.m.RepeatsQuestion(r.Owner) {
		return bytes.Equal(owner, w.k.Name)
	}
	return wire.EqualName(w.m.Msg, r.Owner, owner)
}

// covers is the type that r signs, 0 if r is no signature.
func (w *walk) covers(r wire.Record) uint16 {
	if r.Type != wire.TypeRRSIG {
		return 0
	}
	return binary.BigEndian.Uint16(w.m.Msg[r.Data:])
}

// keep writes r and takes from it what it leads to.
func (w *walk) keep(r wire.Record) error {
	w.out.record(&w.m, r, clamp(r.TTL))
	w.lead(r)
	if len(w.out.body) > maxBody || w.leads.addrs() > maxAddrs {
		return ErrTooLarge
	}
	return nil
}

func (w *walk) lead(r wire.Record) {
	data := w.m.Msg[r.Data:r.End]
	switch r.Type {
	case wire.TypeA, wire.TypeAAAA:
		w.leads.addresses(data, len(data))
	case wire.TypeCNAME:
		target, _ := w.target(r)
		w.leads.name(target)
	case wire.TypeDNAME:
		w.leads.name(w.owner(r))
		target, _ := w.target(r)
		w.leads.name(target)
	case wire.TypeSVCB, wire.TypeHTTPS:
		target, next := w.target(r)
		w.leads.name(target)
		ipv4, ipv6 := wire.Hints(w.m.Msg[next:r.End])
		w.leads.addresses(ipv4, 4)
		w.leads.addresses(ipv6, 16)
	}
}

// clamp is a TTL as we keep it (RFC 2181, section 8).
func clamp(ttl uint32) uint32 {
	if ttl > 1<<31-1 {
		return 0
	}
	return min(ttl, MaxTTL)
}

package transfer

import (
	"errors"
	"fmt"

	"github.com/miekg/dns"

	"cordon/blocklists/mirror"
)

// errBackwards begins the error about a primary whose zone is older than the copy.
var errBackwards = errors.New("the serial went backwards")

// phase is what the next record of a transfer is.
type phase uint8

const (
	opening  phase = iota // the SOA record of the new version
	second                // what tells AXFR from IXFR
	full                  // a record of the zone, or the closing SOA record
	removing              // a record that a difference removes, or the SOA record behind which it adds
	adding                // a record that it adds, or the SOA record of the next difference, or the closing one
)

// assembly makes a zone of the records of an AXFR (RFC 5936, section 2.2) or an IXFR (RFC 1995, section 4), one by one:
//
//	AXFR  new SOA, records…,                                                          new SOA
//	IXFR  new SOA, {SOA of a version, records removed…, SOA of the next, records added…}…, new SOA
//
// An answer to IXFR may be of either form.
type assembly struct {
	limits

	have  uint32   // serial of the copy
	known bool     // there is a copy
	base  *records // of the copy, nil if it cannot be changed by IXFR

	phase    phase
	first    soa    // the new version's
	at       uint32 // the version that the differences have come to
	received int    // records
	whole    *records
	changes  *delta
	buf      []byte // of the key of the record at hand
}

// take takes the next record; done means that it was the last. The error is [mirror.ErrUnchanged] if the zone is the version
// that there is.
func (a *assembly) take(r record) (done bool, err error) {
	if a.received++; a.received > a.limits.count+1 {
		return false, fmt.Errorf("more than %d records: raise max_records if the zone is meant to be as large", a.limits.count)
	}
	isSOA := r.apex && r.rtype == dns.TypeSOA
	switch {
	case a.phase == opening:
		return false, a.open(r, isSOA)
	case a.phase == second:
		return a.choose(r, isSOA)
	case isSOA:
		return a.border(newSOA(r))
	case a.phase == full:
		return false, a.whole.add(r)
	case a.phase == removing:
		return false, a.changes.remove(r)
	default:
		return false, a.changes.add(r)
	}
}

func (a *assembly) open(r record, isSOA bool) error {
	if !isSOA {
		return fmt.Errorf("the first record is of type %s, want the SOA record of the zone", typeText(r.rtype))
	}
	a.first, a.phase = newSOA(r), second
	if !a.known {
		return nil
	}
	return compareSerials(a.first.serial, a.have)
}

// compareSerials returns an error unless the primary's serial is newer than that of the copy.
func compareSerials(primary, have uint32) error {
	switch {
	case primary == have:
		return mirror.ErrUnchanged
	case newer(primary, have):
		return nil
	case newer(have, primary):
		return fmt.Errorf("%w: the primary has %d, the copy that stays in use has %d, which is newer (RFC 1982, section 3.2); "+
			"give the zone a serial above that, or delete the copy", errBackwards, primary, have)
	default:
		return fmt.Errorf("%w: the primary has %d, the copy that stays in use %d: they are 2^31 apart, so neither is newer "+
			"(RFC 1982, section 3.2); raise the serial in two steps, or delete the copy", errBackwards, primary, have)
	}
}

// choose takes the second record, which tells a whole zone from differences.
func (a *assembly) choose(r record, isSOA bool) (done bool, err error) {
	if isSOA && a.base != nil && newSOA(r).serial == a.have {
		a.phase, a.at, a.changes = removing, a.have, newDelta(a.base)
		return false, nil
	}
	a.phase, a.whole = full, &records{limits: a.limits}
	if isSOA {
		return a.border(newSOA(r))
	}
	return false, a.whole.add(r)
}

// border takes a SOA record that is not the first.
func (a *assembly) border(s soa) (done bool, err error) {
	switch {
	case a.phase == removing && !newer(s.serial, a.at):
		return false, fmt.Errorf("a difference goes from serial %d to %d, which is not newer", a.at, s.serial)
	case a.phase == removing:
		a.phase, a.at = adding, s.serial
		return false, nil
	case a.phase == adding && a.at != a.first.serial:
		if s.serial != a.at {
			return false, fmt.Errorf("a gap: a difference ends at serial %d, the next begins at %d", a.at, s.serial)
		}
		a.phase = removing
		return false, nil
	case s.key != a.first.key:
		return false, fmt.Errorf("the closing SOA record is not that of the beginning: serial %d, want %d", s.serial, a.first.serial)
	default:
		return true, nil
	}
}

// contents is the zone, once take said done. It takes what the assembly has: it is called once.
func (a *assembly) contents() (contents, error) {
	if a.changes != nil {
		merged, err := a.changes.apply()
		return contents{records: merged, soa: a.first}, err
	}
	a.whole.sort()
	return contents{records: a.whole, soa: a.first}, nil
}

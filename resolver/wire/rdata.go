package wire

import "encoding/binary"

// layout is what Cordon knows of a type's data. The names of every type stand one behind the other, so this is enough:
//
//	| fixed octets | character-strings | names | tail |
//
// The zero layout is a type that is octets to us (RFC 3597).
type layout struct {
	fixed    uint8
	strings  uint8
	names    uint8
	tail     tail
	compress bool // its names may be compressed when sent: the types of RFC 1035 only (RFC 3597, section 4)
}

// tail is what stands behind the names.
type tail uint8

const (
	anything  tail = iota
	nothing        // the data ends here
	soaTimers      // five 32-bit numbers
	someTexts      // one character-string or more
	bitmap         // a type bitmap, RFC 4034, section 4.1.2
	nsec3Hash      // salt, hash and type bitmap, RFC 5155, section 3.2
	svcParams      // RFC 9460, section 2.2
)

// layouts are indexed by type.
var layouts = [...]layout{
	TypeA:     {fixed: 4, tail: nothing},
	TypeNS:    {names: 1, tail: nothing, compress: true},
	3:         {names: 1, tail: nothing, compress: true}, // MD
	4:         {names: 1, tail: nothing, compress: true}, // MF
	TypeCNAME: {names: 1, tail: nothing, compress: true},
	TypeSOA:   {names: 2, tail: soaTimers, compress: true},
	7:         {names: 1, tail: nothing, compress: true}, // MB
	8:         {names: 1, tail: nothing, compress: true}, // MG
	9:         {names: 1, tail: nothing, compress: true}, // MR
	TypePTR:   {names: 1, tail: nothing, compress: true},
	TypeHINFO: {strings: 2, tail: nothing},
	14:        {names: 2, tail: nothing, compress: true}, // MINFO
	TypeMX:    {fixed: 2, names: 1, tail: nothing, compress: true},
	TypeTXT:   {tail: someTexts},
	17:        {names: 2, tail: nothing},           // RP, RFC 1183
	18:        {fixed: 2, names: 1, tail: nothing}, // AFSDB, RFC 1183
	21:        {fixed: 2, names: 1, tail: nothing}, // RT, RFC 1183
	23:        {names: 1, tail: nothing},           // NSAP-PTR, RFC 1348
	24:        {fixed: 18, names: 1},               // SIG, RFC 2535
	26:        {fixed: 2, names: 2, tail: nothing}, // PX, RFC 2163
	TypeAAAA:  {fixed: 16, tail: nothing},
	30:        {names: 1}, // NXT, RFC 2535
	TypeSRV:   {fixed: 6, names: 1, tail: nothing},
	35:        {fixed: 4, strings: 3, names: 1, tail: nothing}, // NAPTR, RFC 3403
	36:        {fixed: 2, names: 1, tail: nothing},             // KX, RFC 2230
	TypeDNAME: {names: 1, tail: nothing},
	TypeDS:    {fixed: 4},
	TypeRRSIG: {fixed: 18, names: 1},
	TypeNSEC:  {names: 1, tail: bitmap},
	48:        {fixed: 4}, // DNSKEY
	TypeNSEC3: {fixed: 4, tail: nsec3Hash},
	58:        {names: 2, tail: nothing}, // TALINK
	TypeSVCB:  {fixed: 2, names: 1, tail: svcParams},
	TypeHTTPS: {fixed: 2, names: 1, tail: svcParams},
	99:        {tail: someTexts},                   // SPF, RFC 7208
	107:       {fixed: 2, names: 1, tail: nothing}, // LP, RFC 6742
}

func layoutOf(rtype uint16) layout {
	if int(rtype) < len(layouts) {
		return layouts[rtype]
	}
	return layout{}
}

// namesAt returns the offset where the names of the data msg[off:end] begin.
func (l layout) namesAt(msg []byte, off, end int) (int, bool) {
	off += int(l.fixed)
	for range l.strings {
		if off >= end {
			return 0, false
		}
		off += 1 + int(msg[off])
	}
	return off, off <= end
}

// check says whether msg[off:end] is data of this layout. Its names may be compressed, whatever the type: they are written
// anew before anybody sees them.
func (l layout) check(msg []byte, off, end int) bool {
	off, ok := l.namesAt(msg, off, end)
	for range l.names {
		if !ok {
			return false
		}
		if off, ok = checkName(msg, off); off > end {
			return false
		}
	}
	return ok && l.tail.check(msg[off:end])
}

func (t tail) check(data []byte) bool {
	switch t {
	case nothing:
		return len(data) == 0
	case soaTimers:
		return len(data) == 20
	case someTexts:
		return validTexts(data)
	case bitmap:
		return validBitmap(data)
	case nsec3Hash:
		return validNSEC3(data)
	case svcParams:
		return validParams(data)
	default:
		return true
	}
}

// validTexts takes one character-string or more (RFC 1035, section 3.3.14).
func validTexts(data []byte) bool {
	if len(data) == 0 {
		return false
	}
	for len(data) > 0 {
		n := 1 + int(data[0])
		if n > len(data) {
			return false
		}
		data = data[n:]
	}
	return true
}

// validBitmap takes window blocks of rising number, of 1 to 32 octets each (RFC 4034, section 4.1.2).
func validBitmap(data []byte) bool {
	for last := -1; len(data) > 0; {
		if len(data) < 2 {
			return false
		}
		window, n := int(data[0]), int(data[1])
		if window <= last || n == 0 || n > 32 || 2+n > len(data) {
			return false
		}
		last, data = window, data[2+n:]
	}
	return true
}

// validNSEC3 takes what stands behind the iterations: salt length, salt, hash length, hash, bitmap.
func validNSEC3(data []byte) bool {
	for range 2 {
		if len(data) == 0 || 1+int(data[0]) > len(data) {
			return false
		}
		data = data[1+int(data[0]):]
	}
	return validBitmap(data)
}

// SvcParamKeys whose values are addresses, RFC 9460, section 7.3.
const (
	paramIPv4Hint = 4
	paramIPv6Hint = 6
)

// validParams takes parameters of strictly rising key (RFC 9460, section 2.2). Address hints hold whole addresses, one at
// least; other values are octets.
func validParams(data []byte) bool {
	for last := -1; len(data) > 0; {
		key, value, rest := nextParam(data)
		if rest == nil || key <= last || !validHint(key, value) {
			return false
		}
		last, data = key, rest
	}
	return true
}

func validHint(key int, value []byte) bool {
	switch key {
	case paramIPv4Hint:
		return len(value) > 0 && len(value)%4 == 0
	case paramIPv6Hint:
		return len(value) > 0 && len(value)%16 == 0
	default:
		return true
	}
}

// nextParam splits the first parameter off data; rest is nil if it is not whole.
func nextParam(data []byte) (key int, value, rest []byte) {
	if len(data) < 4 {
		return 0, nil, nil
	}
	key = int(binary.BigEndian.Uint16(data))
	end := 4 + int(binary.BigEndian.Uint16(data[2:]))
	if end > len(data) {
		return 0, nil, nil
	}
	return key, data[4:end], data[end:]
}

// Hints returns the values of ipv4hint and ipv6hint, nil if there is none, of the parameters of an SVCB or HTTPS record
// (RFC 9460, section 7.3): whole addresses, one behind the other. The results view params, which is what stands behind the
// TargetName in a record that [ReadMessage] took.
func Hints(params []byte) (ipv4, ipv6 []byte) {
	for len(params) > 0 {
		key, value, rest := nextParam(params)
		switch key {
		case paramIPv4Hint:
			ipv4 = value
		case paramIPv6Hint:
			ipv6 = value
		}
		params = rest
	}
	return ipv4, ipv6
}

package selftest

import (
	"encoding/binary"
	"fmt"

	"cordon/resolver/wire"
)

// judge says what is wrong with the answer to a probe, "" for nothing.
func judge(expect string, answer []byte) string {
	m, err := wire.ReadMessage(answer)
	if err != nil {
		return "found an answer that is none: " + err.Error()
	}
	if expect == Refuse {
		if isRefusal(&m) {
			return ""
		}
		return "found " + found(&m) + ", want a refusal by policy"
	}
	if !isRefusal(&m) && passes(&m) {
		return ""
	}
	return "found " + found(&m) + ", want an answer that no policy refuses"
}

// isRefusal says whether m is what a policy refuses by: an extended error that says so, and no record but a null address.
func isRefusal(m *wire.Message) bool {
	switch m.Rcode {
	case wire.Success, wire.NXDomain, wire.Refused:
	default:
		return false
	}
	for r := range m.Records() {
		null := r.Type == wire.TypeA && [4]byte(m.Msg[r.Data:r.End]) == [4]byte{}
		if r.Section == wire.Answer && !null {
			return false
		}
	}
	switch extendedError(m) {
	case wire.EDEForged, wire.EDEBlocked, wire.EDECensored:
		return true
	default:
		return false
	}
}

// passes says whether m, which is no refusal by policy, is what a client gets that may ask: there may be no such name, and somebody's
// attempt to find out may have failed lately.
func passes(m *wire.Message) bool {
	switch m.Rcode {
	case wire.Success, wire.NXDomain:
		return true
	case wire.ServFail:
		return extendedError(m) != wire.EDENotReady
	default:
		return false
	}
}

// extendedError is the first extended error of m, EDENone if it has none (RFC 8914, section 2).
func extendedError(m *wire.Message) wire.EDECode {
	for r := range m.Records() {
		if r.Type != wire.TypeOPT {
			continue
		}
		for data := m.Msg[r.Data:r.End]; len(data) >= 4; {
			code, n := binary.BigEndian.Uint16(data), 4+int(binary.BigEndian.Uint16(data[2:]))
			if code == optionEDE && n >= 6 {
				return wire.EDECode(binary.BigEndian.Uint16(data[4:]))
			}
			data = data[n:] // options of a message that was read are whole
		}
	}
	return wire.EDENone
}

// optionEDE is the EDNS option of an extended error (RFC 8914, section 2).
const optionEDE = 15

// found is m in a few words, without any name.
func found(m *wire.Message) string {
	text := fmt.Sprintf("RCODE %d with %d records", m.Rcode, m.Counts().Answer)
	if code := extendedError(m); code != wire.EDENone {
		text += fmt.Sprintf(" and EDE %d", code)
	}
	return text
}

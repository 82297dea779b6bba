package wire

import "encoding/binary"

// Sections counts the records of an answer.
type Sections struct {
	Answer, Authority, Additional uint16
}

// Begin appends a header and q's question, as the client spelled it, to dst. QR and RA are set, RD and CD are the
// client's, flags adds to them (FlagAA, FlagAD). The records follow; [Finish] ends what Begin began. A compression pointer
// to offset [HeaderLen] means the question's name.
func Begin(dst []byte, q *Query, rcode Rcode, flags uint16) []byte {
	flags |= FlagQR | FlagRA | q.Flags&(FlagRD|FlagCD|opcodeMask) | uint16(rcode&rcodeMask)
	question := q.RawQuestion()
	var questions uint16
	if question != nil {
		questions = 1
	}
	dst = binary.BigEndian.AppendUint16(dst, q.ID)
	dst = binary.BigEndian.AppendUint16(dst, flags)
	dst = binary.BigEndian.AppendUint16(dst, questions)
	dst = append(dst, 0, 0, 0, 0, 0, 0)
	return append(dst, question...)
}

// Finish ends the answer that begins at dst[start]: it sets the counts, appends an OPT record if the query had one, with
// ede if its code is not EDENone, and keeps the answer within what the client takes. What does not fit loses the text of
// ede first, for its short one if there is one, then ede, then the records, and then TC is set (RFC 2181, section 9).
func Finish(dst []byte, start int, q *Query, rcode Rcode, n Sections, ede *EDE) []byte {
	limit := q.Limit()
	room := limit - (len(dst) - start)
	if q.OPT {
		room -= optLen
		n.Additional++
	}
	if room < 0 {
		dst = truncate(dst, start, q)
		n = Sections{}
		if q.OPT {
			n.Additional = 1
		}
		room = limit - (len(dst) - start) - optLen
	}
	header := dst[start : start+HeaderLen]
	binary.BigEndian.PutUint16(header[6:], n.Answer)
	binary.BigEndian.PutUint16(header[8:], n.Authority)
	binary.BigEndian.PutUint16(header[10:], n.Additional)
	if !q.OPT {
		return dst
	}
	return appendOPT(dst, q, rcode, ede, room)
}

// optLen is the length of an OPT record without options: root, type, class, TTL, RDLENGTH.
const optLen = 11

// edeLen is the length of an EDE option without its text: code, length, INFO-CODE.
const edeLen = 6

func truncate(dst []byte, start int, q *Query) []byte {
	dst = dst[:start+HeaderLen+len(q.RawQuestion())]
	dst[start+2] |= FlagTC >> 8
	return dst
}

// appendOPT appends an OPT record with what of ede has room.
func appendOPT(dst []byte, q *Query, rcode Rcode, ede *EDE, room int) []byte {
	var flags uint16
	if q.DO {
		flags = flagDO
	}
	dst = append(dst, 0)
	dst = binary.BigEndian.AppendUint16(dst, TypeOPT)
	dst = binary.BigEndian.AppendUint16(dst, MaxUDP)
	dst = append(dst, byte(rcode>>4), 0)
	dst = binary.BigEndian.AppendUint16(dst, flags)
	if ede.Code == EDENone || room < edeLen {
		return append(dst, 0, 0)
	}
	lead, text := ede.fit(room - edeLen)
	n := len(lead) + len(text)
	dst = binary.BigEndian.AppendUint16(dst, uint16(edeLen+n))
	dst = binary.BigEndian.AppendUint16(dst, optionEDE)
	dst = binary.BigEndian.AppendUint16(dst, uint16(2+n))
	dst = binary.BigEndian.AppendUint16(dst, uint16(ede.Code))
	dst = append(dst, lead...)
	return append(dst, text...)
}

// fit is what of the text of e has room, in two parts.
func (e *EDE) fit(room int) (lead, text string) {
	switch {
	case len(e.Lead)+len(e.Text) <= room:
		return e.Lead, e.Text
	case len(e.Short) <= room:
		return "", e.Short
	default:
		return "", ""
	}
}

// optionEDE is the EDNS option code of RFC 8914, section 2.
const optionEDE = 15

// AppendRR appends a record whose owner is the compressed or plain name owner (wire form), of class IN unless class says
// otherwise. ttl is in seconds.
func AppendRR(dst, owner []byte, rtype, class uint16, ttl uint32, data []byte) []byte {
	dst = append(dst, owner...)
	dst = binary.BigEndian.AppendUint16(dst, rtype)
	dst = binary.BigEndian.AppendUint16(dst, class)
	dst = binary.BigEndian.AppendUint32(dst, ttl)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(data)))
	return append(dst, data...)
}

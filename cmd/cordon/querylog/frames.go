package querylog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// This file is Frame Streams, the framing of dnstap (https://farsightsec.github.io/fstrm): each frame has its length before it, and a
// length of 0 says that a control frame follows.
//
//	READY ─────▶ ◀───── ACCEPT     what is to be sent, and that it is welcome
//	START ─────▶ frame ─▶ … STOP ─▶ ◀───── FINISH
type controlType uint32

const (
	accept controlType = 1 + iota
	start
	stop
	ready
	finish
)

const (
	contentTypeField = 1
	maxControl       = 512 // octets of a control frame
	contentType      = "protobuf:dnstap.Dnstap"
)

// appendControl appends a control frame, with the content type if it is one of those that say it.
func appendControl(dst []byte, t controlType) []byte {
	var field []byte
	if t == ready || t == start {
		field = binary.BigEndian.AppendUint32(field, contentTypeField)
		field = binary.BigEndian.AppendUint32(field, uint32(len(contentType)))
		field = append(field, contentType...)
	}
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(4+len(field)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(t))
	return append(dst, field...)
}

// readControl reads a control frame, which has to be a want.
func readControl(r io.Reader, want controlType) (fields []byte, err error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	escape, length := binary.BigEndian.Uint32(head[:]), binary.BigEndian.Uint32(head[4:])
	if escape != 0 || length < 4 || length > maxControl || controlType(binary.BigEndian.Uint32(head[8:])) != want {
		return nil, errors.New("the reader does not speak frame streams, or not in both directions")
	}
	fields = make([]byte, length-4)
	_, err = io.ReadFull(r, fields)
	return fields, err
}

// takes says whether the fields of an ACCEPT have our content type, or none at all.
func takes(fields []byte) bool {
	if len(fields) == 0 {
		return true
	}
	for len(fields) >= 8 {
		kind, length := binary.BigEndian.Uint32(fields), binary.BigEndian.Uint32(fields[4:])
		fields = fields[8:]
		if uint64(length) > uint64(len(fields)) {
			return false
		}
		if kind == contentTypeField && string(fields[:length]) == contentType {
			return true
		}
		fields = fields[length:]
	}
	return false
}

// shakeHands begins a stream.
func shakeHands(conn io.ReadWriter) error {
	if _, err := conn.Write(appendControl(nil, ready)); err != nil {
		return err
	}
	fields, err := readControl(conn, accept)
	if err != nil {
		return err
	}
	if !takes(fields) {
		return fmt.Errorf("the reader does not take %s", contentType)
	}
	_, err = conn.Write(appendControl(nil, start))
	return err
}

// sayGoodbye ends a stream: what was sent before has arrived if there is no error.
func sayGoodbye(conn io.ReadWriter) error {
	if _, err := conn.Write(appendControl(nil, stop)); err != nil {
		return err
	}
	_, err := readControl(conn, finish)
	return err
}

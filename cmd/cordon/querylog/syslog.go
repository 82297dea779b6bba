package querylog

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// SyslogConfig is a syslog server.
type SyslogConfig struct {
	RemoteConfig

	Facility int // 0 to 23 (RFC 5424, section 6.2.1)
}

// syslog is a sink: one message of RFC 5424 for each record, whose text is the line of JSON. Over a unix socket and UDP a message is a
// datagram (RFC 5426), over TCP it has its length before it (RFC 6587, section 3.4.1).
type syslog struct {
	SyslogConfig
	dial dialFunc
	head string // of each message up to the time
	tail string // of the header, behind the time

	conn net.Conn // nil: none
}

// informational is the severity of every message.
const informational = 6

func newSyslog(c SyslogConfig, hostname string) *syslog {
	s := &syslog{SyslogConfig: c, dial: dial}
	s.head = "<" + strconv.Itoa(8*c.Facility+informational) + ">1 "
	s.tail = " " + headerField(hostname, maxHostname) + " cordon " + strconv.Itoa(os.Getpid()) + " "
	return s
}

const maxHostname = 255 // RFC 5424, section 6

// headerField is text as it may stand in a header: printable ASCII without spaces, "-" for nothing.
func headerField(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), most)]
}

func (s *syslog) encode(dst []byte, r *record) []byte {
	if s.Network != "tcp" {
		return s.message(dst, r)
	}
	const room = 8 // for the length
	start := len(dst)
	dst = append(dst, make([]byte, room)...)
	dst = s.message(dst, r)
	var digits [room]byte
	prefix := append(strconv.AppendInt(digits[:0], int64(len(dst)-start-room), 10), ' ')
	copy(dst[start:], prefix)
	n := copy(dst[start+len(prefix):], dst[start+room:])
	return dst[:start+len(prefix)+n]
}

// message appends the message for r. It has no structured data, for there is no number under which that could be registered.
func (s *syslog) message(dst []byte, r *record) []byte {
	dst = append(dst, s.head...)
	dst = r.time.UTC().AppendFormat(dst, timeFormat)
	dst = append(dst, s.tail...)
	dst = append(dst, r.action.String()...)
	dst = append(dst, " - "...)
	return append(dst, r.line...)
}

func (s *syslog) write(ctx context.Context, b *batch) (n int, err error) {
	if s.conn == nil {
		if s.conn, err = s.dial(ctx, s.kind(), s.Address); err != nil {
			s.conn = nil
			return 0, err
		}
	}
	conn, release := during(ctx, s.conn)
	defer release()
	if s.Network == "tcp" {
		n, err = b.stream(conn)
	} else {
		n, err = b.each(func(message []byte) error {
			_, err := conn.Write(message)
			return err
		})
	}
	if err != nil {
		s.close()
	}
	return n, err
}

// kind is the network as package net calls it.
func (s *syslog) kind() string {
	if s.Network == "unix" {
		return "unixgram"
	}
	return s.Network
}

func (s *syslog) tend(time.Time) error { return nil }

func (s *syslog) close() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}

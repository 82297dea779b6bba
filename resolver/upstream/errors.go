package upstream

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"

	"cordon/resolver/wire"
)

// ErrBusy is the error of an Ask that would have exceeded Config.MaxInFlight.
var ErrBusy error = &Error{Kind: Busy}

// Kind is why a server, or an Ask, gave no answer.
type Kind uint8

// The kinds of failure. Of an Ask it is the one of its servers' that comes last in this list.
const (
	Unreachable Kind = iota + 1 // the port is closed, or the network says there is no way
	Timeout                     // nothing came in time
	Malformed                   // what came did not parse, or a stream ended early
	Refused                     // a response code other than NOERROR and NXDOMAIN, or NOERROR with a referral; see Error.Rcode
	Local                       // this host has no socket, port or memory left
	Busy                        // Config.MaxInFlight
	Invalid                     // Question.Name is not a name in canonical wire form
	kinds                       // how many there are, and one
)

// String is the kind as a metric label has it.
func (k Kind) String() string {
	switch k {
	case Unreachable:
		return "unreachable"
	case Timeout:
		return "timeout"
	case Malformed:
		return "malformed"
	case Refused:
		return "refused"
	case Local:
		return "local"
	case Busy:
		return "busy"
	case Invalid:
		return "invalid"
	default:
		return "none"
	}
}

// Error is why an Ask has no answer. It names servers, never what was asked.
type Error struct {
	Kind    Kind
	Rcode   wire.Rcode // with Refused: what the last such server said; else 0
	Servers []Failure  // what each server did that was asked; empty for Busy and Invalid
}

// Failure is what one server did instead of answering.
type Failure struct {
	Addr    netip.AddrPort
	Queries int // how many it was sent, over UDP and TCP together
	Kind    Kind
	Rcode   wire.Rcode // with Refused
}

// Error is one line such as "no upstream answered: 192.0.2.1:53 timeout (3 queries), 192.0.2.2:53 SERVFAIL (1 query)".
func (e *Error) Error() string {
	switch {
	case e.Kind == Busy:
		return "too many questions to upstreams in flight"
	case e.Kind == Invalid:
		return "question to upstreams: not a name in canonical wire form"
	case len(e.Servers) == 0:
		return "no upstream answered: no time was left to ask"
	}
	var b strings.Builder
	b.WriteString("no upstream answered: ")
	for i, s := range e.Servers {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(s.String())
	}
	return b.String()
}

// String is one server's part of the error.
func (f Failure) String() string {
	what, count := f.Kind.String(), strconv.Itoa(f.Queries)+" queries"
	if f.Kind == Refused {
		what = rcodeName(f.Rcode)
		if f.Rcode == wire.Success {
			what = "refers to other servers: it does no recursion"
		}
	}
	if f.Queries == 1 {
		count = "1 query"
	}
	return f.Addr.String() + " " + what + " (" + count + ")"
}

// EDE is the extended error to send with the SERVFAIL (RFC 8914, sections 4.23 and 4.24): 22 if no server was heard, 23 if
// one was but gave nothing of use, wire.EDENone if no server was asked.
func (e *Error) EDE() wire.EDECode {
	switch e.Kind {
	case Unreachable, Timeout:
		return wire.EDENoReachableAuth
	case Malformed, Refused:
		return wire.EDENetworkError
	default:
		return wire.EDENone
	}
}

// rcodeName is the response code as text: its mnemonic if it is a common one.
func rcodeName(r wire.Rcode) string {
	switch r {
	case wire.Success:
		return "NOERROR"
	case wire.FormErr:
		return "FORMERR"
	case wire.ServFail:
		return "SERVFAIL"
	case wire.NXDomain:
		return "NXDOMAIN"
	case wire.NotImp:
		return "NOTIMP"
	case wire.Refused:
		return "REFUSED"
	case wire.BadVers:
		return "BADVERS"
	default:
		return "RCODE" + strconv.Itoa(int(r))
	}
}

// kindOf is the kind of an error of the network.
func kindOf(err error) Kind {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Timeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Malformed
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOBUFS),
		errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAGAIN):
		return Local
	default:
		return Unreachable
	}
}

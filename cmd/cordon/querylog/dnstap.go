package querylog

import (
	"context"
	"encoding/binary"
	"net"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// dnstap is a sink: for each record the CLIENT_RESPONSE of dnstap.proto (https://dnstap.info), in a frame. Its message is the answer
// without its records, and with the ID 0; its policy says what was decided, and why.
type dnstap struct {
	RemoteConfig
	dial              dialFunc
	identity, version string

	conn net.Conn // nil: none
}

func newDnstap(c RemoteConfig, identity, version string) *dnstap {
	return &dnstap{RemoteConfig: c, dial: dial, identity: identity, version: version}
}

// The numbers of dnstap.proto.
const (
	dnstapIdentity, dnstapVersion, dnstapExtra, dnstapMessage, dnstapType = 1, 2, 3, 14, 15

	typeMessage = 1

	messageType, messageFamily, messageProtocol, messageQueryAddress = 1, 2, 3, 4
	messageResponseSeconds, messageResponseNanoseconds               = 12, 13
	messageResponse, messagePolicy                                   = 14, 15

	clientResponse = 6
	inet, inet6    = 1, 2
	overUDP        = 1
	overTCP        = 2

	policyType, policyRule, policyAction, policyMatch, policyValue = 1, 2, 3, 4, 5

	matchQNAME, matchResponseIP                         = 1, 3
	actionNXDomain, actionNoData, actionPass, localData = 1, 2, 3, 6
)

func (d *dnstap) encode(dst []byte, r *record) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0) // the length of the frame
	dst = appendText(dst, dnstapIdentity, d.identity)
	dst = appendText(dst, dnstapVersion, d.version)
	dst = appendText(dst, dnstapExtra, extra(r))
	dst = appendBytes(dst, dnstapMessage, message(r))
	dst = appendNumber(dst, dnstapType, typeMessage)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

// message is r as a Message.
func message(r *record) []byte {
	m := make([]byte, 0, 3*wire.MaxName)
	m = appendNumber(m, messageType, clientResponse)
	protocol := uint64(overUDP)
	if r.stream {
		protocol = overTCP
	}
	family := uint64(inet6)
	if r.client.addr.Is4() || !r.client.addr.IsValid() && r.event.client.Is4() {
		family = inet
	}
	m = appendNumber(m, messageFamily, family)
	m = appendNumber(m, messageProtocol, protocol)
	if r.client.addr.IsValid() {
		m = appendBytes(m, messageQueryAddress, r.client.addr.AsSlice())
	}
	m = appendNumber(m, messageResponseSeconds, uint64(r.time.Unix()))
	m = protowire.AppendTag(m, messageResponseNanoseconds, protowire.Fixed32Type)
	m = protowire.AppendFixed32(m, uint32(r.time.Nanosecond()))
	m = appendBytes(m, messageResponse, response(r.event))
	if r.policy != nil {
		m = appendBytes(m, messagePolicy, decision(r.event))
	}
	return m
}

// response is the answer as a message of the DNS, without its records.
func response(e *event) []byte {
	m := make([]byte, wire.HeaderLen, wire.HeaderLen+wire.MaxName+4)
	binary.BigEndian.PutUint16(m[2:], e.flags)
	m[5] = 1 // question
	m = append(m, e.name()...)
	m = binary.BigEndian.AppendUint16(m, e.qtype)
	return binary.BigEndian.AppendUint16(m, e.class)
}

// decision is the verdict of e as a Policy. Where dnstap.proto has no word for what was done or matched, that is left out.
func decision(e *event) []byte {
	p := appendText(nil, policyType, "cordon")
	if suffix := e.suffix(); suffix != nil {
		p = appendBytes(p, policyRule, suffix)
	}
	if action := actionOf(e); action != 0 {
		p = appendNumber(p, policyAction, action)
	}
	switch {
	case !e.inAnswer:
		p = appendNumber(p, policyMatch, matchQNAME)
		p = appendBytes(p, policyValue, e.name())
	case e.addr.IsValid():
		p = appendNumber(p, policyMatch, matchResponseIP)
		p = appendBytes(p, policyValue, e.addr.AsSlice())
	default:
		p = appendBytes(p, policyValue, e.other())
	}
	return p
}

// actionOf is what was done, 0 if there is no word for it.
func actionOf(e *event) uint64 {
	switch {
	case e.action != policy.Refuse:
		return actionPass
	case e.rcode() == wire.NXDomain:
		return actionNXDomain
	case e.rcode() != wire.Success:
		return 0
	case e.answers > 0:
		return localData
	default:
		return actionNoData
	}
}

// extra is what of a record dnstap.proto has no field for: words with values that need no quotes.
func extra(r *record) string {
	var text strings.Builder
	text.WriteString("verdict=" + r.action.String())
	for _, one := range []struct{ word, value string }{
		{"agency", nameOf(r.agency, func(a *policy.Agency) string { return a.Name })},
		{"policy", nameOf(r.policy, func(p *policy.Policy) string { return p.Name })},
		{"list", r.list},
		{"exception", nameOf(r.exception, func(e *policy.Exception) string { return e.Name })},
	} {
		if one.value != "" {
			text.WriteString(" " + one.word + "=" + one.value)
		}
	}
	return text.String()
}

func nameOf[T any](p *T, name func(*T) string) string {
	if p == nil {
		return ""
	}
	return name(p)
}

func appendNumber(dst []byte, field protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(dst, field, protowire.VarintType), value)
}

func appendBytes(dst []byte, field protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(dst, field, protowire.BytesType), value)
}

func appendText(dst []byte, field protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(dst, field, protowire.BytesType), value)
}

func (d *dnstap) write(ctx context.Context, b *batch) (int, error) {
	if err := d.connect(ctx); err != nil {
		return 0, err
	}
	conn, release := during(ctx, d.conn)
	defer release()
	n, err := b.stream(conn)
	if err != nil {
		d.giveUp()
	}
	return n, err
}

// connect sees to it that there is a connection whose reader wants what we have.
func (d *dnstap) connect(ctx context.Context) error {
	if d.conn != nil {
		return nil
	}
	conn, err := d.dial(ctx, d.Network, d.Address)
	if err != nil {
		return err
	}
	d.conn = conn
	timely, release := during(ctx, conn)
	defer release()
	if err := shakeHands(timely); err != nil {
		d.giveUp()
		return err
	}
	return nil
}

func (d *dnstap) giveUp() {
	_ = d.conn.Close()
	d.conn = nil
}

func (d *dnstap) tend(time.Time) error { return nil }

func (d *dnstap) close() {
	if d.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastPatience)
	defer cancel()
	conn, release := during(ctx, d.conn)
	defer release()
	_ = sayGoodbye(conn) // nothing is left to be done about it
	d.giveUp()
}

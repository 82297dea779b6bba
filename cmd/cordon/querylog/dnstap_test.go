package querylog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"google.golang.org/protobuf/encoding/protowire"

	"cordon/blocklists/domain"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// fields are the fields of a message of protobuf, in words, by number. A field that is a message is told by nested.
func fields(t testing.TB, octets []byte, nested map[protowire.Number]func([]byte) string) []string {
	t.Helper()
	var all []string
	for len(octets) > 0 {
		number, kind, n := protowire.ConsumeTag(octets)
		if n < 0 {
			t.Fatalf("no field: %v", protowire.ParseError(n))
		}
		octets = octets[n:]
		var value string
		switch kind {
		case protowire.VarintType:
			var v uint64
			v, n = protowire.ConsumeVarint(octets)
			value = fmt.Sprint(v)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(octets)
			value = fmt.Sprint(v)
		default:
			var v []byte
			v, n = protowire.ConsumeBytes(octets)
			value = fmt.Sprintf("%q", v)
			if tell := nested[number]; tell != nil {
				value = tell(v)
			}
		}
		if n < 0 {
			t.Fatalf("field %d: %v", number, protowire.ParseError(n))
		}
		octets = octets[n:]
		all = append(all, fmt.Sprintf("%d=%s", number, value))
	}
	return all
}

func asAddress(b []byte) string { a, _ := netip.AddrFromSlice(b); return a.String() }

func asName(b []byte) string { return string(domain.AppendText(nil, b)) }

func TestAFrameOfDnstap(t *testing.T) {
	at := time.Unix(1800000000, 123000)
	nx, tiktok := wire.NXDomain, policy.Verdict{Action: policy.Refuse, Agency: world.defence, Policy: world.ban, List: "tiktok", Start: 4}
	inAnswer, address := tiktok, tiktok
	inAnswer.InAnswer, inAnswer.Name, inAnswer.Start = true, []byte(domain.MustParse("a.tiktokcdn.com")), 2
	address.InAnswer, address.Name, address.Addr = true, []byte{}, netip.MustParseAddr("192.0.2.7")
	for what, test := range map[string]struct {
		event  *event
		client called
		extra  string
		// The fields of message: after the type, before the time, and the policy.
		head, rcode, policy string
	}{
		"refused": {
			eventOf(refused("10.10.7.42")),
			called{addr: netip.MustParseAddr("100::1:2:3:4")},
			"verdict=refuse agency=defence policy=ban list=tiktok", "2=2 3=1 4=100::1:2:3:4", "NXDOMAIN",
			`1="cordon" 2=tiktok.com 3=1 4=1 5=www.tiktok.com`,
		},
		"excepted, truncated": {
			eventOf(excepted("10.10.7.42")),
			called{addr: netip.MustParseAddr("10.10.7.0")},
			"verdict=except agency=defence policy=ban list=tiktok exception=phone", "2=1 3=1 4=10.10.7.0", "NOERROR",
			`1="cordon" 2=tiktok.com 3=3 4=1 5=www.tiktok.com`,
		},
		"nodata, nameless": {
			eventOf(answered("2001:db8::1", "www.tiktok.com", tiktok, wire.Success)),
			called{},
			"verdict=refuse agency=defence policy=ban list=tiktok", "2=2 3=1", "NOERROR", `1="cordon" 2=tiktok.com 3=2 4=1 5=www.tiktok.com`,
		},
		"REFUSED, nameless": {
			eventOf(answered("192.0.2.1", "www.tiktok.com", tiktok, wire.Refused)),
			called{},
			"verdict=refuse agency=defence policy=ban list=tiktok", "2=1 3=1", "REFUSED", `1="cordon" 2=tiktok.com 4=1 5=www.tiktok.com`,
		},
		"for a name in the answer": {
			eventOf(answered("192.0.2.1", "www.tiktok.com", inAnswer, nx)),
			called{},
			"verdict=refuse agency=defence policy=ban list=tiktok", "2=1 3=1", "NXDOMAIN", `1="cordon" 2=tiktokcdn.com 3=1 5=a.tiktokcdn.com`,
		},
		"for an address in the answer": {
			eventOf(answered("192.0.2.1", "www.tiktok.com", address, nx)),
			called{},
			"verdict=refuse agency=defence policy=ban list=tiktok", "2=1 3=1", "NXDOMAIN", `1="cordon" 3=1 4=3 5=192.0.2.7`,
		},
		"of nobody": {
			eventOf(answered("192.0.2.1", "www.tiktok.com", policy.Verdict{}, wire.Refused)), called{}, "verdict=pass", "2=1 3=1", "REFUSED", "",
		},
	} {
		test.event.time = at
		d := newDnstap(RemoteConfig{}, "ns1.example", "cordon 1.0")
		frame := d.encode([]byte("before"), &record{event: test.event, client: test.client})[len("before"):]
		if n := binary.BigEndian.Uint32(frame); int(n) != len(frame)-4 {
			t.Errorf("%s: the length is %d, want %d", what, n, len(frame)-4)
		}
		decide := func(b []byte) string {
			value := asName
			if strings.Contains(test.policy, "4=3") {
				value = asAddress
			}
			return strings.Join(fields(t, b, map[protowire.Number]func([]byte) string{2: asName, 5: value}), " ")
		}
		response := func(b []byte) string {
			m := new(dns.Msg)
			if err := m.Unpack(b); err != nil || m.Id != 0 || !m.Response || len(m.Answer)+len(m.Ns)+len(m.Extra) > 0 {
				t.Errorf("%s: %v, %v", what, m, err)
			}
			if q := m.Question[0]; q.Qtype != dns.TypeA || q.Qclass != dns.ClassINET {
				t.Errorf("%s: the question is %v", what, q)
			}
			return m.Question[0].Name + " " + dns.RcodeToString[m.Rcode]
		}
		inner := func(b []byte) string {
			return strings.Join(fields(t, b, map[protowire.Number]func([]byte) string{4: asAddress, 14: response, 15: decide}), " ")
		}
		got := fields(t, frame[4:], map[protowire.Number]func([]byte) string{14: inner})
		message := "14=1=6 " + test.head + " 12=1800000000 13=123000 14=www.tiktok.com. " + test.rcode
		if test.policy != "" {
			message += " 15=" + test.policy
		}
		want := []string{`1="ns1.example"`, `2="cordon 1.0"`, fmt.Sprintf("3=%q", test.extra), message, "15=1"}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
		}
	}
}

// talk is a connection whose other side says what is in it.
type talk struct {
	io.Reader
	said bytes.Buffer
}

func (c *talk) Write(p []byte) (int, error) { return c.said.Write(p) }

// control is a control frame of a reader.
func control(t controlType, field string) []byte {
	frame := binary.BigEndian.AppendUint32(nil, 0)
	frame = binary.BigEndian.AppendUint32(frame, uint32(4+len(field)))
	return append(binary.BigEndian.AppendUint32(frame, uint32(t)), field...)
}

const dnstapField = "\x00\x00\x00\x01\x00\x00\x00\x16protobuf:dnstap.Dnstap"

func TestAReaderHasToTakeDnstap(t *testing.T) {
	for what, test := range map[string]struct {
		says []byte
		want string // "": the stream begins
	}{
		"it does":           {control(accept, dnstapField), ""},
		"it takes all":      {control(accept, ""), ""},
		"it takes several":  {control(accept, "\x00\x00\x00\x01\x00\x00\x00\x01x"+dnstapField), ""},
		"it takes another":  {control(accept, "\x00\x00\x00\x01\x00\x00\x00\x01x"), "does not take"},
		"it finishes":       {control(finish, ""), "does not speak"},
		"it sends data":     {[]byte("\x00\x00\x00\x04\x00\x00\x00\x04\x00\x00\x00\x01"), "does not speak"},
		"it is endless":     {control(accept, strings.Repeat("x", 600)), "does not speak"},
		"a field too long":  {control(accept, "\x00\x00\x00\x01\xff\xff\xff\xffx"), "does not take"},
		"it says HTTP":      {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak"},
		"it hangs up":       {nil, "EOF"},
		"it hangs up later": {control(accept, dnstapField)[:20], "EOF"},
	} {
		c := &talk{Reader: bytes.NewReader(test.says)}
		err := shakeHands(c)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", what, err, test.want)
		}
		want := control(ready, dnstapField)
		if test.want == "" {
			want = append(want, control(start, dnstapField)...)
		}
		if !bytes.Equal(c.said.Bytes(), want) {
			t.Errorf("%s: said %q, want %q", what, c.said.Bytes(), want)
		}
	}
}

func FuzzAReader(f *testing.F) {
	f.Add(control(accept, dnstapField))
	f.Add(control(accept, "\x00\x00\x00\x01\x00\x00\x00\x01x"))
	f.Fuzz(func(_ *testing.T, says []byte) {
		_ = shakeHands(&talk{Reader: bytes.NewReader(says)})
		_ = sayGoodbye(&talk{Reader: bytes.NewReader(says)})
	})
}

var _ net.Conn = timed{}

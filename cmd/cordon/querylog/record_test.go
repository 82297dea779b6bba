package querylog

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cordon/blocklists/domain"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

func TestARecordAsJSON(t *testing.T) {
	at := time.Date(2027, 3, 4, 5, 6, 7, 8999, time.FixedZone("", 3600))
	name := []byte(domain.MustParse("a.tiktokcdn.com"))
	for what, test := range map[string]struct {
		event  *event
		change func(*event)
		want   string
	}{
		"refused": {eventOf(refused("10.10.7.42")), nil, `"verdict":"refuse","client":"me","agency":"defence","name":"www.tiktok.com",` +
			`"type":"A","rcode":"NXDOMAIN","transport":"udp","policy":"ban","list":"tiktok","rule":"tiktok.com"`},
		"excepted": {eventOf(excepted("10.10.7.42")), nil, `"verdict":"except","client":"me","agency":"defence","name":"www.tiktok.com",` +
			`"type":"A","rcode":"NOERROR","transport":"udp","policy":"ban","list":"tiktok","rule":"tiktok.com","exception":"phone"`},
		"passed, of an unknown type and class, over TCP": {
			eventOf(passed("10.1.1.1")), func(e *event) { e.qtype, e.class, e.stream = 65280, 3, true },
			`"verdict":"pass","client":"me","agency":"press","name":"www.example","type":"TYPE65280","class":"CH","rcode":"NOERROR","transport":"tcp"`,
		},
		"of no network": {
			eventOf(answered("10.1.1.1", "www.example", policy.Verdict{}, wire.Refused)), nil,
			`"verdict":"pass","client":"me","name":"www.example","type":"A","rcode":"REFUSED","transport":"udp"`,
		},
		"for a name in the answer": {
			eventOf(answered("10.1.1.1", "www.example", policy.Verdict{
				Action: policy.Refuse, Agency: world.press, Policy: world.ban, List: "tiktok", InAnswer: true, Name: name, Start: 2,
			}, wire.Success)), nil,
			`"verdict":"refuse","client":"me","agency":"press","name":"www.example","type":"A","rcode":"NOERROR","transport":"udp",` +
				`"policy":"ban","list":"tiktok","rule":"tiktokcdn.com","answer":"a.tiktokcdn.com"`,
		},
		"for an address in the answer": {
			eventOf(answered("10.1.1.1", "www.example", policy.Verdict{
				Action: policy.Observe, Agency: world.press, Policy: world.ban, List: "networks", InAnswer: true,
				Addr: netip.MustParseAddr("2001:db8::1"), Name: []byte{},
			}, wire.Success)), nil,
			`"verdict":"observe","client":"me","agency":"press","name":"www.example","type":"A","rcode":"NOERROR","transport":"udp",` +
				`"policy":"ban","list":"networks","answer":"2001:db8::1"`,
		},
	} {
		test.event.time = at
		if test.change != nil {
			test.change(test.event)
		}
		got := string(encode(test.event, called{text: "me"}, "", words))
		if want := `{"time":"2027-03-04T04:06:07.000008Z",` + test.want + `}`; got != want {
			t.Errorf("%s:\n%s, want\n%s", what, got, want)
		}
	}
}

// Whatever octets a name is made of, a line is one line of ASCII, and the name in it is that name.
func FuzzALine(f *testing.F) {
	for _, text := range []string{"www.tiktok.com", `a\000b\010\".example`, `\255\128.\034\125\123.example`, `\060script\062.example`} {
		name, err := domain.Parse(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(name), "list")
	}
	s := newSyslog(SyslogConfig{RemoteConfig: RemoteConfig{Network: "tcp"}, Facility: 16}, "ns1.example")
	f.Fuzz(func(t *testing.T, wireName []byte, list string) {
		q := new(wire.Query)
		message := append(append(make([]byte, 12), wireName...), 0, 1, 0, 1)
		message[5] = 1
		const longestName = 63 // of a list, as the policy files may have it
		if q.Parse(message) != wire.None || len(list) > longestName {
			t.Skip("no name of a query, or of a list")
		}
		a := refused("192.0.2.1")
		a.Query.Name, a.Verdict.Name, a.Verdict.Start, a.Verdict.List = q.Name, q.Name, 0, list
		e := eventOf(a)
		text := encode(e, called{text: "me"}, "", words)
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		back, err := domain.Parse(l.Name)
		if l.Name != "." && (err != nil || string(back) != string(q.Name)) {
			t.Errorf("%q is %x, %v; want %x", l.Name, string(back), err, q.Name)
		}
		if bytes.ContainsFunc([]byte(l.Name+l.Rule), func(r rune) bool { return r <= ' ' || r > '~' }) || bytes.ContainsAny(text, "\r\n\x00") {
			t.Errorf("%q is not one line", text)
		}
		header, message2, whole := strings.Cut(string(s.encode(nil, &record{event: e, line: text})), "{")
		if !whole || !strings.HasSuffix("{"+message2, string(text)) || !syslogHeader.MatchString(header) {
			t.Errorf("%q is no message of syslog", header)
		}
		if d := newDnstap(RemoteConfig{}, "ns1", "1"); len(d.encode(nil, &record{event: e})) > 4096 {
			t.Error("a frame is longer than a reader takes")
		}
	})
}

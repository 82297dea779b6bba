package wire_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cordon/resolver/wire"
)

var none = wire.EDE{Code: wire.EDENone}

// wireName is a name in canonical wire form.
func wireName(name string) []byte {
	buf := make([]byte, wire.MaxName)
	n, err := dns.PackDomainName(strings.ToLower(name), buf, 0, nil, false)
	if err != nil {
		panic(err)
	}
	return buf[:n]
}

// text is a wire name in the words of the other parser, in lower case.
func text(t testing.TB, name []byte) string {
	t.Helper()
	s, n, err := dns.UnpackDomainName(name, 0)
	if err != nil || n != len(name) {
		t.Fatalf("%q is not one whole name: %v", name, err)
	}
	return strings.ToLower(s)
}

func pack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func question(name string, rtype uint16, edit ...func(*dns.Msg)) *dns.Msg {
	m := new(dns.Msg).SetQuestion(name, rtype)
	for _, f := range edit {
		f(m)
	}
	return m
}

func withOPT(size uint16, do bool) func(*dns.Msg) {
	return func(m *dns.Msg) { m.SetEdns0(size, do) }
}

// join is octets out of strings and numbers.
func join(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

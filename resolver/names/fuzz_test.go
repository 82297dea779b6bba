package names_test

import (
	"bytes"
	"testing"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/resolver/names"
	"cordon/resolver/wire"
)

// Whatever a hosts file has, every name of it is found again, with an answer that parses.
func FuzzHosts(f *testing.F) {
	f.Add([]byte("192.0.2.1 a.example b\n2001:db8::1 a.example # x\n127.0.1.1 this\n"))
	f.Add([]byte("::ffff:192.0.2.1 a\x85b \\046.x *.a\r\n1 2 3"))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := names.ParseHosts("hosts", text)
		if err != nil {
			return
		}
		made, faults := names.New(names.Config{Hosts: []*names.Hosts{h}, TTL: ttl})
		if len(faults) > 0 || made.Len() == 0 != (h.Names() == 0) {
			t.Fatalf("%d names make a table of %d: %v", h.Names(), made.Len(), faults)
		}
		for line := range bytes.Lines(text) {
			line, _, _ = bytes.Cut(line, []byte("#"))
			fields := bytes.Fields(line)
			for _, field := range fields[min(1, len(fields)):] {
				if name, err := domain.ParseBytes(field); err == nil {
					check(t, made, []byte(name))
				}
			}
		}
	})
}

// check looks every type of name up.
func check(t *testing.T, made *names.Table, name []byte) {
	t.Helper()
	for _, rtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypePTR, dns.TypeTXT} {
		found := made.Look(name, rtype)
		if found.Where != names.Here {
			continue
		}
		m := new(dns.Msg)
		m.SetQuestion(dns.Fqdn(domain.Name(name).String()), rtype)
		packed, err := m.Pack()
		if err != nil {
			return // a name of 255 octets that the library does not take
		}
		q := &wire.Query{Stream: true}
		if q.Parse(packed) != wire.None {
			t.Fatalf("%q: %v", name, q.Problem)
		}
		found.Leads(nil, nil)
		if _, err := wire.ReadMessage(found.Append(nil, q, 0)); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	}
}

// Whatever a record is, what it becomes is answered, and nothing panics.
func FuzzRecord(f *testing.F) {
	for _, text := range []string{
		"a.example 300 A 192.0.2.1", "*.a.example CNAME b.example", "a.example HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1",
		`a.example TYPE65 \# 3 000100`, `a.example TXT "\065\"" x`, "a.example LOC 51 0 0 N 4 0 0 E 0m", "a SVCB 0 b.", `a.example TYPE64 \# 2 0001`, "A",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := names.ParseRecord(text, ttl)
		if err != nil {
			return
		}
		made, faults := names.New(names.Config{Records: []names.Record{r}, TTL: ttl})
		if len(faults) > 0 {
			return
		}
		found := made.Look([]byte(r.Name), r.Type)
		if found.Where != names.Here {
			t.Fatalf("%q: its own record is not there", text)
		}
		found.Leads(nil, nil)
		check(t, made, []byte(r.Name))
		packed := new(dns.Msg)
		packed.SetQuestion(dns.Fqdn(r.Name.String()), r.Type)
		msg, err := packed.Pack()
		if err != nil {
			return
		}
		q := &wire.Query{Stream: true}
		if q.Parse(msg) != wire.None || !bytes.Equal(q.Name, []byte(r.Name)) {
			return
		}
		if _, err := wire.ReadMessage(found.Append(nil, q, 0)); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

// Whatever an upstream says that is sound, what is joined is sound, and has the records of both.
func FuzzJoin(f *testing.F) {
	made := table(f, "", "www.example CNAME end.example")
	name := []byte(domain.MustParse("www.example"))
	reply := new(dns.Msg)
	reply.SetQuestion("end.example.", dns.TypeMX)
	reply.Response, reply.Compress = true, true
	for _, text := range []string{"end.example. MX 1 a.end.example.", "x.end.example. TXT a"} {
		rr, err := dns.NewRR(text)
		if err != nil {
			f.Fatal(err)
		}
		reply.Answer = append(reply.Answer, rr)
	}
	packed, err := reply.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, msg []byte) {
		before, err := wire.ReadMessage(msg)
		if err != nil {
			return
		}
		found := made.Look(name, before.Type)
		if found.Where != names.Away {
			return
		}
		joined, err := found.Join(name, msg)
		if err != nil {
			return
		}
		after, err := wire.ReadMessage(joined)
		if err != nil {
			t.Fatalf("%x: %v", joined, err)
		}
		if a, b := after.Counts(), before.Counts(); a.Answer != b.Answer+1 || a.Authority != b.Authority || a.Additional != 0 {
			t.Fatalf("%+v became %+v", b, a)
		}
	})
}

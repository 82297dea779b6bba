package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// ministryPolicy has agencies and lists with networks, so that nothing is left out of a query's way.
const ministryPolicy = `
timezone: UTC
lists:
  - {name: bytedance, source: "builtin:bytedance"}
  - {name: networks, source: "builtin:bytedance-networks"}
policies:
  - {name: ban, lists: [bytedance, networks]}
agencies:
  - {name: default, policies: [ban]}
  - {name: ministry, networks: [127.0.0.0/8, "::1/128"], policies: [ban]}
`

const withException = ministryPolicy + `
exceptions:
  - name: press
    agency: ministry
    names: [v16.tiktokcdn.com]
    reason: press
    approved_by: head
    approved: 2026-01-01
    until: 2035-06-30
max_exception: 3650d
`

// withTitle tells why, in a language of the agency's.
const withTitle = `
timezone: UTC
lists:
  - {name: bytedance, source: "builtin:bytedance"}
policies:
  - name: ban
    title: {en: TikTok is banned from service devices, fr: TikTok est interdit sur les appareils de service}
    authority: National Security Council
    legal_reference: "Circular 716, numac 2023030807"
    contact: "mailto:dns@ict.example"
    lists: [bytedance]
agencies:
  - {name: ministry, networks: [127.0.0.0/8, "::1/128"], language: fr-BE, policies: [ban]}
`

// From socket to socket, a query that is refused or answered from the cache allocates nothing, with counting, the access
// list and the check of what an answer leads to, over UDP and TCP.
func TestRefusedAndCachedQueriesAllocateNothing(t *testing.T) {
	const queries, allowed = 5000, 0.05 // allocations a query: the runtime itself makes a few, more on a busy machine
	for _, q := range []struct {
		policy, name   string
		rcode, answers int
		options        []uint16
		says           string
	}{
		{ministryPolicy, "www.tiktok.com.", dns.RcodeNameError, 0, nil, ""}, // refused by its name
		{ministryPolicy, "www.example.", dns.RcodeSuccess, 1, nil, ""},      // cached
		{ministryPolicy, "aliased.example.", dns.RcodeSuccess, 2, nil, ""},  // cached, a chain that is clean
		{ministryPolicy, "cloaked.example.", dns.RcodeSuccess, 0, nil, ""},  // cached, and refused for where it leads
		{ministryPolicy, "address.example.", dns.RcodeSuccess, 0, nil, ""},  // cached, and refused for its address
		{withException, "www.tiktok.com.", dns.RcodeSuccess, 0, nil, ""},    // the same, to one with an exception
		{withException, "v16.tiktokcdn.com.", dns.RcodeSuccess, 1, nil, ""}, // cached, by an exception
		{withTitle, "www.tiktok.com.", dns.RcodeNameError, 0, nil, "TikTok est interdit"},
		{withTitle, "www.tiktok.com.", dns.RcodeNameError, 0, []uint16{10, structuredErrorsOption}, `"j":"TikTok est interdit`},
	} {
		address := startWithPolicy(t, q.policy)
		for _, network := range []string{"udp", "tcp"} {
			t.Run(fmt.Sprint(network, " ", q.name, q.options), func(t *testing.T) {
				exchange := exchanger(t, network, address, q.name, q.options...)
				for range 100 { // it is in the cache by then
					answer := exchange()
					if int(answer[3]&0xF) != q.rcode || int(answer[7]) != q.answers || !bytes.Contains(answer, []byte(q.says)) {
						t.Fatalf("RCODE %d and %d records, want %d and %d: %q", answer[3]&0xF, answer[7], q.rcode, q.answers, answer)
					}
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range queries {
					exchange()
				}
				runtime.ReadMemStats(&after)
				if perQuery := float64(after.Mallocs-before.Mallocs) / queries; perQuery > allowed {
					t.Errorf("%.3f allocations a query, want 0", perQuery)
				}
			})
		}
	}
}

// structuredErrorsOption is the EDNS option by which a query asks for structured errors.
const structuredErrorsOption = 65001

// startWithPolicy starts all of the server but what follows files, and returns its address.
func startWithPolicy(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	dir := t.TempDir()
	service := fmt.Sprintf("listen: {dns: [\"127.0.0.1:0\"], admin: off}\nupstreams: [{address: %q}]\npolicy_dir: policy\n"+
		"structured_errors: {option: %d}\n", fakeUpstream(t), structuredErrorsOption)
	files := map[string]string{"cordon.yaml": service, "policy/policy.yaml": text}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := newServer(t.Context(), filepath.Join(dir, "cordon.yaml"), nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = s.listener.Run(ctx) })
	t.Cleanup(func() {
		stop()
		all.Wait()
	})
	return s.listener.Addrs()[0]
}

// fakeUpstream answers with what the test needs.
func fakeUpstream(t *testing.T) string {
	t.Helper()
	records := map[string][]string{
		"www.example.":       {"www.example. 3600 IN A 192.0.2.80"},
		"aliased.example.":   {"aliased.example. 3600 IN CNAME www.example.", "www.example. 3600 IN A 192.0.2.80"},
		"cloaked.example.":   {"cloaked.example. 3600 IN CNAME www.tiktok.com.", "www.tiktok.com. 3600 IN A 192.0.2.81"},
		"address.example.":   {"address.example. 3600 IN A 71.18.252.5"},
		"v16.tiktokcdn.com.": {"v16.tiktokcdn.com. 3600 IN A 192.0.2.82"},
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		for _, text := range records[q.Question[0].Name] {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Error(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		_ = w.WriteMsg(m)
	})}
	var all sync.WaitGroup
	all.Go(func() { _ = server.ActivateAndServe() })
	t.Cleanup(func() {
		_ = conn.Close()
		all.Wait()
	})
	return conn.LocalAddr().String()
}

// exchanger asks for name, with EDNS options without data, and reads the answer, each time it is called, without an allocation of its
// own. An answer is dead at the next call.
func exchanger(t *testing.T, network string, address netip.AddrPort, name string, options ...uint16) func() []byte {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, dns.TypeA).SetEdns0(1232, false)
	for _, code := range options {
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_LOCAL{Code: code})
	}
	query, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if network == "tcp" {
		query = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	}
	conn, err := net.Dial(network, address.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 2048)
	return func() []byte {
		if _, err := conn.Write(query); err != nil {
			t.Fatal(err)
		}
		var err error
		n := 0
		if network == "udp" {
			n, err = conn.Read(buffer)
		} else if _, err = io.ReadFull(conn, buffer[:2]); err == nil {
			n, err = io.ReadFull(conn, buffer[:binary.BigEndian.Uint16(buffer)])
		}
		if err != nil {
			t.Fatal(err)
		}
		return buffer[:n]
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// respond is a server with names of every class, over UDP and TCP on one port. It ends with the test.
func respond(t *testing.T) (address string, asked func() (names, clients int)) {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		t.Skip("the port of the TCP socket is not free for UDP")
	}
	var mu sync.Mutex
	names, clients := map[string]bool{}, map[string]bool{}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		host, _, _ := net.SplitHostPort(w.RemoteAddr().String())
		mu.Lock()
		names[q.Question[0].Name], clients[host] = true, true
		mu.Unlock()
		_ = w.WriteMsg(answerTo(q))
	})
	for _, s := range []*dns.Server{{Listener: tcp, Handler: handler, MaxTCPQueries: -1}, {PacketConn: udp, Handler: handler}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		var serving sync.WaitGroup
		serving.Go(func() { _ = s.ActivateAndServe() })
		<-started
		t.Cleanup(func() {
			_ = s.Shutdown()
			serving.Wait()
		})
	}
	return tcp.Addr().String(), func() (int, int) {
		mu.Lock()
		defer mu.Unlock()
		return len(names), len(clients)
	}
}

func answerTo(q *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	name := q.Question[0].Name
	address := func() dns.RR {
		return &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.IPv4(192, 0, 2, 1)}
	}
	switch {
	case strings.Contains(name, "banned"):
		m.Rcode = dns.RcodeNameError
	case strings.Contains(name, "chain"):
		for i := range 3 {
			next := fmt.Sprintf("c%d.example.net.", i)
			m.Answer = append(m.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: next})
			name = next
		}
		m.Answer = append(m.Answer, address())
	case strings.Contains(name, "broken"):
		m.Rcode = dns.RcodeServerFailure
	default:
		m.Answer = append(m.Answer, address())
	}
	return m
}

// write writes a file of names and returns its path.
func write(t *testing.T, pattern string, n int) string {
	t.Helper()
	var names strings.Builder
	for i := range n {
		fmt.Fprintf(&names, pattern+"\n", i)
	}
	p := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(p, []byte("# names\n\n"+names.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func runJSON(t *testing.T, args ...string) (status int, r report, stderr string) {
	t.Helper()
	var out, faults bytes.Buffer
	status = run(t.Context(), append(args, "-json"), &out, &faults)
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, out.Bytes())
		}
	}
	return status, r, faults.String()
}

func TestLoad(t *testing.T) {
	server, asked := respond(t)
	hits, banned, chains := write(t, "h%d.example.net", 30), write(t, "x%d.banned.example.com", 20), write(t, "a%d.chain.example.net", 10)
	tests := []struct {
		name string
		args []string
		want map[string]int
	}{
		{"refused", []string{"-mode", "refused", "-refused", banned}, map[string]int{"refused": 400}},
		{"hit", []string{"-mode", "hit", "-hits", hits, "-warm"}, map[string]int{"hit": 400}},
		{"chain", []string{"-mode", "chain", "-chains", chains, "-edns"}, map[string]int{"chain": 400}},
		{"miss", []string{"-mode", "miss", "-misses", "u{n}.wild.example.net"}, map[string]int{"miss": 400}},
		{
			"mixed",
			[]string{"-mode", "mixed", "-hits", hits, "-refused", banned, "-misses", "u{n}.wild.example.net"},
			map[string]int{"hit": 320, "refused": 60, "miss": 20},
		},
		{"open loop", []string{"-mode", "hit", "-hits", hits, "-rate", "4000"}, map[string]int{"hit": 400}},
		{"TCP", []string{"-mode", "hit", "-hits", hits, "-tcp", "3"}, map[string]int{"hit": 400}},
		{"one socket, one at a time", []string{"-mode", "hit", "-hits", hits, "-sockets", "1", "-outstanding", "1"}, map[string]int{"hit": 400}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, r, faults := runJSON(t, append(test.args, "-server", server, "-count", "400", "-seconds", "20", "-timeout", "10s")...)
			if status != 0 || r.Sent != 400 || r.Answers != 400 || len(r.Wrong) > 0 || r.Lost > 0 {
				t.Fatalf("status %d, %+v, %s", status, r, faults)
			}
			for kind, want := range test.want {
				// A query goes ahead of the run, to see whether the server answers, so the mix may be off by one of each.
				if got := r.Right[kind]; got < want-1 || got > want+1 {
					t.Errorf("%d of %s, want %d", got, kind, want)
				}
			}
			if r.Latency.P50 <= 0 || r.Latency.Max < r.Latency.P50 || r.QPS <= 0 {
				t.Errorf("latency %+v, %v a second", r.Latency, r.QPS)
			}
		})
	}
	before, _ := asked()
	if status, _, faults := runJSON(t, "-server", server, "-mode", "miss", "-misses", "u{n}.wild.example.net", "-count", "300", "-seconds", "20"); status != 0 {
		t.Fatal(faults)
	}
	if after, _ := asked(); after != before+301 {
		t.Errorf("%d names that were new among 301 misses", after-before)
	}
}

func TestManyClients(t *testing.T) {
	server, asked := respond(t)
	if n, ok, err := openBatches(&options{sockets: 1, server: netip.MustParseAddrPort(server)}); !ok || err != nil {
		t.Skip("only with batches of datagrams")
	} else {
		n.close()
	}
	status, _, faults := runJSON(t, "-server", server, "-mode", "hit", "-hits", write(t, "h%d.example.net", 3), "-clients", "300",
		"-count", "900", "-seconds", "20", "-timeout", "10s")
	if _, clients := asked(); status != 0 || clients != 300 {
		t.Errorf("status %d, %d clients, want 300: %s", status, clients, faults)
	}
}

func TestWrongAnswersAreToldAndFail(t *testing.T) {
	server, _ := respond(t)
	status, r, faults := runJSON(t, "-server", server, "-mode", "hit", "-hits", write(t, "h%d.broken.example.net", 3), "-count", "40", "-seconds", "20")
	if status != 1 || r.Wrong["another RCODE"] != 40 || !strings.Contains(faults, "40 answers were wrong") {
		t.Errorf("status %d, %+v, %s", status, r, faults)
	}
}

func TestNobodyAnswers(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, more := range [][]string{nil, {"-tcp", "1"}} {
		args := append([]string{"-server", silent.LocalAddr().String(), "-mode", "echo", "-timeout", "30ms"}, more...)
		if status, _, faults := runJSON(t, args...); status != 1 || !strings.Contains(faults, silent.LocalAddr().String()) {
			t.Errorf("%v: status %d, %s", more, status, faults)
		}
	}
}

func TestEndedConnectionIsTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Read(make([]byte, 100))
		conn.Close()
	})
	status, _, faults := runJSON(t, "-server", l.Addr().String(), "-mode", "echo", "-tcp", "1", "-timeout", "10s")
	if status != 1 || !strings.Contains(faults, "the server has ended a connection") {
		t.Errorf("status %d, %s", status, faults)
	}
	l.Close()
	serving.Wait()
}

func TestEcho(t *testing.T) {
	for name, echo := range map[string]func(*net.UDPConn) error{"batches": echoAll, "plain": echoPlainly} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			var serving sync.WaitGroup
			serving.Go(func() { _ = echo(conn) })
			status, r, faults := runJSON(t, "-server", conn.LocalAddr().String(), "-mode", "echo", "-count", "500", "-seconds", "20", "-timeout", "10s")
			if status != 0 || r.Right["echo"] != 500 {
				t.Errorf("status %d, %+v, %s", status, r, faults)
			}
			conn.Close()
			serving.Wait()
		})
	}
}

func TestEchoEnds(t *testing.T) {
	var out, faults bytes.Buffer
	if status := run(t.Context(), []string{"-echo", "127.0.0.1:0", "-seconds", "0.1"}, &out, &faults); status != 0 {
		t.Error(faults.String())
	}
}

func TestTable(t *testing.T) {
	server, _ := respond(t)
	var out, faults bytes.Buffer
	args := []string{
		"-server", server, "-mode", "mixed", "-count", "100", "-seconds", "20", "-rate", "5000", "-misses", "u{n}.wild.example.net",
		"-hits", write(t, "h%d.example.net", 3), "-refused", write(t, "x%d.banned.example.com", 3),
	}
	if _, err := os.Stat("/proc/stat"); err == nil {
		args = append(args, "-pid", strconv.Itoa(os.Getpid()))
	}
	if status := run(t.Context(), args, &out, &faults); status != 0 {
		t.Fatal(faults.String())
	}
	for _, want := range []string{"100 in ", "100 right, 0 wrong; 0 lost, 0 late", ": hit\n", ": refused\n", ": miss\n", "latency, us", "sent late by, us"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestOptionsThatAreWrong(t *testing.T) {
	names, blank := write(t, "h%d.example.net", 1), write(t, "# h%d", 2)
	for want, args := range map[string][]string{
		"-i-run-this-server":           {"-server", "192.0.2.1:53", "-mode", "echo"},
		"-server: found \"localhost\"": {"-server", "localhost", "-mode", "echo"},
		"-mode: found \"\"":            {},
		"want none":                    {"-mode", "echo", "more"},
		"-mode hit needs -hits":        {"-mode", "hit"},
		"-mode miss needs -misses":     {"-mode", "miss"},
		"with {n} in it":               {"-mode", "miss", "-misses", "wild.example.net"},
		"-hits: open ":                 {"-mode", "hit", "-hits", names + "none"},
		"found no name":                {"-mode", "hit", "-hits", blank},
		"without escapes":              {"-mode", "hit", "-hits", write(t, "h%d..example.net", 1)},
		"at most 255 octets":           {"-mode", "hit", "-hits", write(t, "h%d"+strings.Repeat(".label", 42), 1)},
		"-seconds: found 0,":           {"-mode", "echo", "-seconds", "0"},
		"-seconds: found NaN,":         {"-mode", "echo", "-seconds", "NaN"},
		"-rate: found -1,":             {"-mode", "echo", "-rate", "-1"},
		"-sockets: found 2000,":        {"-mode", "echo", "-sockets", "2000"},
		"-clients: the server has":     {"-server", "[::1]:53", "-mode", "echo", "-clients", "2"},
		"-clients: found 9, want at":   {"-mode", "echo", "-clients", "9", "-tcp", "2"},
		"-pid: found \"x\"":            {"-mode", "echo", "-pid", "x"},
		"-type: found \"ABC\"":         {"-mode", "echo", "-type", "ABC"},
		"-refused-rcode: found \"NX\"": {"-mode", "echo", "-refused-rcode", "NX"},
		"-echo: found \"x\"":           {"-echo", "x"},
		"may be flooded":               {"-echo", "192.0.2.1:53"},
		"flag provided but not":        {"-nonsense"},
	} {
		status, _, faults := runJSON(t, args...)
		if status == 0 || !strings.Contains(faults, want) {
			t.Errorf("%v: status %d, %q, want %q in it", args, status, faults, want)
		}
	}
}

func TestHelp(t *testing.T) {
	var out, faults bytes.Buffer
	if status := run(t.Context(), []string{"-help"}, &out, &faults); status != 0 || !strings.Contains(faults.String(), "-i-run-this-server") {
		t.Errorf("status %d: %s", status, faults.String())
	}
}

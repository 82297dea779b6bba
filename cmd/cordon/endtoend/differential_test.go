//go:build linux

package endtoend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The differential test asks Cordon, unbound and named the same, all of them in front of one authority:
//
//	              ┌─▶ cordon ──┐
//	probe, probe… ├─▶ unbound ─┼─▶ nsd, which has the signed tree
//	              └─▶ named ───┘
//
// and compares what comes back, field by field. A field in which Cordon differs while the others agree is in the table of differences,
// with the reason, or it is a fault; so is a row of the table that no probe shows.

// gateProbes is how many probes the gate has time for. CORDON_DIFFERENTIAL asks for another number.
const gateProbes = 3000

// differentialSeed makes every run ask the same.
const differentialSeed = 2023_03_10

func TestE2EDifferential(t *testing.T) {
	endToEnd(t, "nsd", "unbound", "named", "dnssec-keygen", "dnssec-signzone")
	probes := mix(t, differentialSeed, probeCount(t))
	servers := startForwarders(t, plantTree(t).authority)
	tally := newDifferences()
	begun := time.Now()
	work := make(chan probe)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for p := range work {
				tally.add(p, servers.ask(p))
			}
		})
	}
	for _, p := range probes {
		work <- p
	}
	close(work)
	workers.Wait()
	t.Logf("%d probes in %v", len(probes), time.Since(begun).Round(time.Second))
	tally.report(t)
}

func probeCount(t *testing.T) int {
	t.Helper()
	text := os.Getenv("CORDON_DIFFERENTIAL")
	if text == "" {
		return gateProbes
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CORDON_DIFFERENTIAL is %q, not a number of probes", text)
	}
	return n
}

// forwarders are the addresses of those who are compared, and of the authority behind them.
type forwarders struct{ cordon, unbound, named, authority string }

func startForwarders(t *testing.T, authority *dnsServer) forwarders {
	t.Helper()
	c := newCordon(t, []string{authority.address}, "") // its own policy refuses none of the tree's names
	c.start()
	return forwarders{
		cordon:    fmt.Sprintf("127.0.0.1:%d", c.port),
		unbound:   startPlainUnbound(t, authority).address,
		named:     startPlainNamed(t, authority).address,
		authority: authority.address,
	}
}

// startPlainUnbound starts an unbound that forwards and does not validate, with Cordon's limits.
func startPlainUnbound(t *testing.T, upstream *dnsServer) *dnsServer {
	t.Helper()
	return startUnboundWith(t, upstream.address, `
  module-config: "iterator"
  incoming-num-tcp: 100
  max-udp-size: 1232
  cache-max-ttl: 86400
  cache-max-negative-ttl: 900`, "")
}

// startPlainNamed starts a named that forwards and does not validate, with Cordon's limits.
func startPlainNamed(t *testing.T, upstream *dnsServer) *dnsServer {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	host, upstreamPort, _ := strings.Cut(upstream.address, ":")
	conf := fmt.Sprintf(`
options {
	directory %q;
	pid-file none;
	session-keyfile %q;
	listen-on port %d { 127.0.0.1; };
	listen-on-v6 { none; };
	recursion yes;
	dnssec-validation no;
	forward only;
	forwarders { %s port %s; };
	clients-per-query 0;
	max-udp-size 1232;
	edns-udp-size 1232;
	max-cache-ttl 86400;
	max-ncache-ttl 900;
	minimal-responses yes;
};
controls { };
`, dir, filepath.Join(dir, "session.key"), port, host, upstreamPort)
	return startServer(t, "named", port, "-4", "-g", "-n", "1", "-c", writeFile(t, conf, dir, "named.conf"))
}

// replies are what came back for a probe.
type replies struct{ cordon, unbound, named, authority fields }

func (f forwarders) ask(p probe) replies {
	ask := func(address string, patience time.Duration) fields { return dissect(p, p.send(address, patience)) }
	return replies{
		cordon:    ask(f.cordon, 5*time.Second), // its queries end within 4.5 s
		unbound:   ask(f.unbound, time.Second),
		named:     ask(f.named, time.Second),
		authority: ask(f.authority, time.Second),
	}
}

// send sends p to a server and returns what comes back within patience, nil if that is nothing.
func (p probe) send(address string, patience time.Duration) []byte {
	network := "udp"
	if p.tcp {
		network = "tcp"
	}
	conn, err := net.DialTimeout(network, address, patience)
	if err != nil {
		return nil
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil
	}
	var reply []byte
	if p.tcp {
		reply, err = exchangeStream(conn, p.msg)
	} else {
		reply, err = exchangeDatagram(conn, p.msg)
	}
	if err != nil {
		return nil
	}
	return reply
}

func exchangeDatagram(conn net.Conn, msg []byte) ([]byte, error) {
	if _, err := conn.Write(msg); err != nil {
		return nil, err
	}
	buf := make([]byte, 65535)
	n, err := conn.Read(buf)
	return buf[:n], err
}

func exchangeStream(conn net.Conn, msg []byte) ([]byte, error) {
	if len(msg) > 65535 {
		return nil, errors.New("too long for a stream")
	}
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
	if _, err := conn.Write(framed); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	reply := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(conn, reply)
	return reply, err
}

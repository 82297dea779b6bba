package listen_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/resolver/limit"
	"cordon/resolver/listen"
)

// durations are how many answers took how long in all, by whether they waited for an upstream.
func durations(t *testing.T, registry *prometheus.Registry, transport, waited string) (count uint64, sum time.Duration) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "cordon_dns_request_duration_seconds" {
			continue
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if labels["transport"] == transport && labels["waited"] == waited {
				h := metric.GetHistogram()
				return h.GetSampleCount(), time.Duration(h.GetSampleSum() * 1e9).Round(time.Microsecond)
			}
		}
	}
	t.Fatalf("no durations of transport %s, waited %s", transport, waited)
	return 0, 0
}

// Over a stream an answer's time is from when the query came, and does not hold what its client was made to wait for asking too much.
func TestDurationsOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, h := newPipes(), newHandler()
		s, stop := serve(t, listen.Config{
			Streams: []net.Listener{p}, Handler: h, Rate: limit.New(limit.Rules{PerSecond: 1, Burst: 4, IPv4Bits: 32}),
		})
		registry := registered(t, s)
		conn := p.dial("192.0.2.1")
		for i, wait := range []time.Duration{40 * time.Millisecond, 2 * time.Second} {
			send(t, conn, framed(query(uint16(i), "slow.example")))
			synctest.Wait()
			time.Sleep(wait)
			(<-h.started).answer()
			readFramed(t, conn)
		}
		go func() {
			_, _ = conn.Write(framed(query(2, "a.example"), query(3, "b.example"), query(4, "c.example"), query(5, "d.example"),
				query(6, "e.example"), query(7, "f.example")))
		}()
		for range 6 {
			readFramed(t, conn)
		}
		synctest.Wait()
		if count, sum := durations(t, registry, "tcp", "yes"); count != 2 || sum != 2040*time.Millisecond {
			t.Errorf("%d answers waited %v, want 2 for 2.04s", count, sum)
		}
		if count, sum := durations(t, registry, "tcp", "no"); count != 6 || sum != 0 {
			t.Errorf("%d answers at once took %v, want 6 in no time", count, sum)
		}
		stop()
	})
}

// Every answer is counted once, by the door that it came through; what gets no answer is not.
func TestDurationsOfDatagrams(t *testing.T) {
	bothWays(t, func(t *testing.T, batch int) {
		h := newHandler()
		s, stop := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 1, Batch: batch, Handler: h})
		registry := registered(t, s)
		conn := dial(t, "udp", s.Addrs()[0])
		for i := range uint16(5) {
			send(t, conn, query(i, "www.example"))
			send(t, conn, query(i, "silent.example"))
			send(t, conn, make([]byte, 4))
			receive(t, conn)
		}
		begun := time.Now()
		send(t, conn, query(6, "slow.example"))
		(<-h.started).answer()
		receive(t, conn)
		most := time.Since(begun)
		send(t, conn, query(7, "slow.example"))
		(<-h.started).reply(nil)
		stop()
		if count, sum := durations(t, registry, "udp", "no"); count != 5 || sum <= 0 {
			t.Errorf("%d answers at once took %v, want 5 in some time", count, sum)
		}
		if count, sum := durations(t, registry, "udp", "yes"); count != 1 || sum <= 0 || sum > most {
			t.Errorf("%d answers waited %v, want 1 for at most %v", count, sum, most)
		}
	})
}

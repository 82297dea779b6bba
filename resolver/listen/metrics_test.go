package listen_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/resolver/listen"
)

func dialOnce(addr string) (net.Conn, error) { return net.Dial("tcp", addr) }

// limited serves on a free port with these limits. counts gives the sum of a metric over its labels.
func limited(t *testing.T, l listen.Limits) (addr netip.AddrPort, counts func(name string) float64) {
	t.Helper()
	s, _ := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 2, Handler: newHandler(), Limits: l})
	registry := registered(t, s)
	return s.Addrs()[0], func(name string) float64 { return value(t, registry, name) }
}

func registered(t *testing.T, s *listen.Server) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(s.Collector()); err != nil {
		t.Fatal(err)
	}
	return registry
}

// value is the sum of a metric over those of its time series that have all of labels ("name=value").
func value(t *testing.T, registry *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum, found := 0.0, false
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			var has []string
			for _, pair := range metric.GetLabel() {
				has = append(has, pair.GetName()+"="+pair.GetValue())
			}
			if strings.Contains(strings.Join(has, ","), strings.Join(labels, ",")) {
				found = true
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	if !found {
		t.Fatalf("no metric %s with %v", name, labels)
	}
	return sum
}

func TestMetrics(t *testing.T) {
	var log bytes.Buffer
	s, stop := serve(t, listen.Config{
		Addresses: addrs("127.0.0.1:0"), Workers: 1, Handler: newHandler(),
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	registry := registered(t, s)
	udp, tcp := dial(t, "udp", s.Addrs()[0]), dial(t, "tcp", s.Addrs()[0])
	for range 3 {
		send(t, udp, query(1, "panic.example"))
		send(t, udp, make([]byte, 4))
	}
	send(t, udp, query(1, "crash.example"))
	send(t, udp, query(1, "www.example"))
	receive(t, udp)
	send(t, tcp, framed(query(1, "crash.example"), query(2, "www.example")))
	readFramed(t, tcp)

	tests := []struct {
		name   string
		labels []string
		want   float64
	}{
		{"cordon_dns_requests_total", []string{"family=ipv4", "transport=udp"}, 5},
		{"cordon_dns_requests_total", []string{"family=ipv4", "transport=tcp"}, 2},
		{"cordon_dns_requests_total", []string{"family=ipv6"}, 0},
		{"cordon_dns_packets_dropped_total", []string{"transport=udp"}, 3},
		{"cordon_dns_packets_dropped_total", []string{"transport=tcp"}, 0},
		{"cordon_dns_panics_total", []string{"transport=udp"}, 4},
		{"cordon_dns_panics_total", []string{"transport=tcp"}, 1},
		{"cordon_dns_socket_errors_total", nil, 0},
		{"cordon_tcp_connections", nil, 1},
		{"cordon_tcp_connections_accepted_total", nil, 1},
		{"cordon_tcp_connections_rejected_total", nil, 0},
		{"cordon_tcp_connections_evicted_total", nil, 0},
	}
	for _, test := range tests {
		if got := value(t, registry, test.name, test.labels...); got != test.want {
			t.Errorf("%s %v = %v, want %v", test.name, test.labels, got, test.want)
		}
	}
	if got, want := s.Totals(), (listen.Totals{Queries: 7, Panics: 5}); got != want {
		t.Errorf("in all %+v, want %+v", got, want)
	}
	stop()
	if got := strings.Count(log.String(), "a query panicked"); got != 1 && got != 2 { // 2 if the second changed meanwhile
		t.Errorf("%d panics logged, want 1 a second:\n%s", got, log.String())
	}
	if strings.Contains(log.String(), "unanswered") {
		t.Errorf("the server waited for replies to queries that panicked:\n%s", log.String())
	}
	if strings.Contains(log.String(), "example") {
		t.Errorf("the log has a queried name:\n%s", log.String())
	}
}

package transfer_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/blocklists/mirror"
	"cordon/blocklists/transfer"
)

// million is a primary of a zone with a million records, in packed messages without ID.
type million struct{ soa, axfr, ixfr [][]byte }

func newMillion(b *testing.B, shuffled bool) *million {
	b.Helper()
	texts := make([]string, 0, 1_000_000)
	for i := range 500_000 {
		texts = append(texts, fmt.Sprintf("host-%07d.example.com.rpz.example. 60 IN CNAME .", i), fmt.Sprintf("*.host-%07d.example.com.rpz.example. 60 IN CNAME .", i))
	}
	if shuffled {
		rand.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	}
	m := &million{soa: packed(b, dns.TypeSOA, []string{soaRecord(8)}), axfr: packed(b, dns.TypeAXFR, []string{soaRecord(8)})}
	for part := range slices.Chunk(texts, 500) {
		m.axfr = append(m.axfr, packed(b, dns.TypeAXFR, part)...)
	}
	m.axfr = append(m.axfr, packed(b, dns.TypeAXFR, []string{soaRecord(8)})...)
	m.ixfr = packed(b, dns.TypeIXFR, []string{soaRecord(9), soaRecord(8), texts[7], soaRecord(9), local, soaRecord(9)})
	return m
}

func packed(b *testing.B, qtype uint16, texts []string) [][]byte {
	b.Helper()
	m := &dns.Msg{Compress: true}
	m.SetQuestion(zoneName, qtype).Response = true
	for _, text := range texts {
		m.Answer = append(m.Answer, rr(text))
	}
	octets, err := m.Pack()
	if err != nil {
		b.Fatal(err)
	}
	return [][]byte{octets}
}

func (m *million) dial(_ context.Context, network string, _ netip.AddrPort) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		octets, err := readFrame(theirs, network)
		q := new(dns.Msg)
		if err != nil || q.Unpack(octets) != nil {
			return
		}
		for _, message := range map[uint16][][]byte{dns.TypeSOA: m.soa, dns.TypeAXFR: m.axfr, dns.TypeIXFR: m.ixfr}[q.Question[0].Qtype] {
			message = slices.Clone(message)
			message[0], message[1] = octets[0], octets[1]
			if !writeFrame(theirs, network, message) {
				return
			}
		}
	}()
	return ours, nil
}

// BenchmarkMillion fetches a zone of a million records: whole, in canonical order or not, and by IXFR of one record. It reports the
// peak of the heap above what the primary has.
func BenchmarkMillion(b *testing.B) {
	for _, shuffled := range []bool{false, true} {
		m := newMillion(b, shuffled)
		z, err := transfer.New(transfer.Config{Zone: domain.MustParse(zoneName), Primaries: []netip.AddrPort{addrPort("192.0.2.1:53")}, Dial: m.dial})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("AXFR/shuffled=%v", shuffled), func(b *testing.B) { fetchMillion(b, z, nil, io.Discard) })
		if shuffled {
			return
		}
		path := filepath.Join(b.TempDir(), "copy")
		file, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		sum := sha256.New()
		if _, err := z.Fetch(b.Context(), nil, io.MultiWriter(file, sum)); err != nil {
			b.Fatal(err)
		}
		_ = file.Close()
		m.soa = packed(b, dns.TypeSOA, []string{soaRecord(9)})
		b.Run("IXFR", func(b *testing.B) {
			fetchMillion(b, z, &mirror.Copy{Path: path, Version: "8", SHA256: [32]byte(sum.Sum(nil))}, io.Discard)
		})
	}
}

func fetchMillion(b *testing.B, z *transfer.Zone, have *mirror.Copy, w io.Writer) {
	b.Helper()
	base := heap()
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, heap())
			select {
			case <-tick.C:
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	for b.Loop() {
		if _, err := z.Fetch(b.Context(), have, w); err != nil {
			b.Fatal(err)
		}
	}
	close(stop)
	b.ReportMetric(float64(int64(<-peak)-int64(base))/(1<<20), "MiB-peak")
}

// heap is what the heap takes of memory, garbage included.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

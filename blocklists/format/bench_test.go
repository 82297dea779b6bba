package format_test

import (
	"bytes"
	"fmt"
	"testing"

	"cordon/blocklists/format"
)

const benchNames = 100_000

func list(pattern string) []byte {
	var text bytes.Buffer
	for i := range benchNames {
		fmt.Fprintf(&text, pattern, i)
	}
	return text.Bytes()
}

func drain(t testing.TB, f format.Format, text []byte) (rules int) {
	t.Helper()
	for _, err := range format.Read(f, bytes.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		rules++
	}
	return rules
}

// patterns have a rule of each format, as lists write it.
func patterns() []struct {
	format  format.Format
	pattern string
} {
	return []struct {
		format  format.Format
		pattern string
	}{
		{format.Names, "host%d.example.com # list\n"},
		{format.Hosts, "0.0.0.0 host%d.example.com\n"},
		{format.Networks, "2001:db8::/64\n# %d\n"},
		{format.Adblock, "||host%d.example.com^\n"},
		{format.Dnsmasq, "address=/host%d.example.com/0.0.0.0\n"},
		{format.Unbound, "local-zone: \"host%d.example.com.\" always_nxdomain\n"},
		{format.RPZ, "host%d.example.com CNAME .\n"},
	}
}

//nolint:paralleltest // AllocsPerRun counts the allocations of the whole process
func TestAllocations(t *testing.T) {
	for _, test := range patterns() {
		perRule := 0.01
		if test.format == format.Networks {
			perRule = 1 // the text that netip wants
		}
		text := list(test.pattern)
		got := testing.AllocsPerRun(1, func() { drain(t, test.format, text) })
		if limit := perRule*benchNames + 100; got > limit {
			t.Errorf("%s: %v allocations for %d rules, want at most %v", test.format, got, benchNames, limit)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, bench := range patterns() {
		b.Run(bench.format.String(), func(b *testing.B) {
			text := list(bench.pattern)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			rules := 0
			for b.Loop() {
				rules += drain(b, bench.format, text)
			}
			b.ReportMetric(float64(rules)/b.Elapsed().Seconds()/1e6, "Mrules/s")
		})
	}
}

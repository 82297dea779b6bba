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

//nolint:paralleltest // AllocsPerRun counts the allocations of the whole process
func TestAllocations(t *testing.T) {
	for _, test := range []struct {
		format  format.Format
		pattern string
		perRule float64
	}{
		{format.Names, "host%d.example.com # list\n", 1}, // the name
		{format.Hosts, "0.0.0.0 host%d.example.com\n", 1},
		{format.Networks, "2001:db8::/64\n# %d\n", 1}, // the text that netip wants
	} {
		text := list(test.pattern)
		got := testing.AllocsPerRun(1, func() { drain(t, test.format, text) })
		if limit := test.perRule*benchNames + 100; got > limit {
			t.Errorf("%s: %v allocations for %d rules, want at most %v", test.format, got, benchNames, limit)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, bench := range []struct {
		format  format.Format
		pattern string
	}{
		{format.Names, "host%d.example.com\n"},
		{format.Hosts, "0.0.0.0 host%d.example.com\n"},
		{format.Networks, "2001:db8::/64\n# %d\n"},
	} {
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

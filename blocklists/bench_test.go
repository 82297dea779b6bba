package blocklists_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

// randomNames makes n names: 30 % of two labels, 43 % of three, 26 % of four, 1 % of five.
func randomNames(n int, seed uint64) []string {
	r := rand.New(rand.NewPCG(seed, 1))
	syllables := strings.Fields("ba ce di fo gu ka le mi no pu ra se ti vo xu za tik tok byte dance cap cut lem on")
	zones := strings.Fields("com net org info eu us")
	word := func() string {
		var b strings.Builder
		for range 2 + r.IntN(3) {
			b.WriteString(syllables[r.IntN(len(syllables))])
		}
		return b.String()
	}
	names := make([]string, n)
	for i := range names {
		labels, draw := 1, r.IntN(100)
		for _, upTo := range []int{30, 73, 99} {
			if draw >= upTo {
				labels++
			}
		}
		for range labels {
			names[i] += word() + "."
		}
		names[i] = fmt.Sprintf("%s%x%s", names[i][:len(names[i])-1], i&0xFFF, "."+zones[r.IntN(len(zones))])
	}
	return names
}

func parseText(tb testing.TB, text string) *blocklists.List {
	tb.Helper()
	l, err := blocklists.Parse(blocklists.Source{Name: "bench", Format: format.Names}, "", strings.NewReader(text))
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func wireNames(prefix string, names []string) [][]byte {
	var wire [][]byte
	for _, n := range names[:min(len(names), 20_000)] {
		wire = append(wire, []byte(domain.MustParse(prefix+n)))
	}
	rand.New(rand.NewPCG(7, 7)).Shuffle(len(wire), func(i, j int) { wire[i], wire[j] = wire[j], wire[i] })
	var one []byte // one after the other: in the resolver a name has just been read
	for _, n := range wire {
		one = append(one, n...)
	}
	for i, n := range wire {
		wire[i], one = one[:len(n):len(n)], one[len(n):]
	}
	return wire
}

func BenchmarkMatch(b *testing.B) {
	for _, size := range []int{300, 1_000, 1_000_000} {
		names := randomNames(size, 1)
		s := compile(b, parseText(b, strings.Join(names, "\n")))
		for _, c := range []struct {
			name  string
			wire  [][]byte
			match bool
		}{
			{"hit", wireNames("", names), true},
			{"hit-below", wireNames("www.", names), true},
			{"miss", wireNames("www.", foreignNames()), false},
			{"miss-cdn", wireNames("www.", carriedBy("edgesuite.net", foreignNames())), false},
			{"miss-one-name", [][]byte{[]byte(domain.MustParse("www.example.org"))}, false},
			{"miss-127-labels", [][]byte{append([]byte(strings.Repeat("\x01a", 125)), "\x02eu\x00"...)}, false},
		} {
			b.Run(fmt.Sprintf("%d/%s", size, c.name), func(b *testing.B) {
				b.ReportAllocs()
				dst := make([]blocklists.Match, 0, 8)
				i := 0
				for b.Loop() {
					dst = s.Match(dst[:0], c.wire[i])
					if (len(dst) > 0) != c.match {
						b.Fatalf("%q: %v", c.wire[i], dst)
					}
					if i++; i == len(c.wire) {
						i = 0
					}
				}
			})
		}
	}
}

// foreignNames are on no list.
func foreignNames() []string {
	names := randomNames(20_000, 2)
	for i := range names {
		names[i] = strings.Replace(names[i], ".", "-.", 1)[:len(names[i])-1] + "q"
	}
	return names
}

func carriedBy(suffix string, names []string) []string {
	for i := range names {
		names[i] += "." + suffix
	}
	return names
}

// BenchmarkReload makes a list of a million names and compiles it.
func BenchmarkReload(b *testing.B) {
	text := strings.Join(randomNames(1_000_000, 1), "\n")
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			parseText(b, text)
		}
	})
	l := parseText(b, text)
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			compile(b, l)
		}
	})
	b.Run("memory", func(b *testing.B) {
		var perName float64
		for b.Loop() {
			before := heapInUse()
			l := parseText(b, text)
			s := compile(b, l)
			perName = float64(heapInUse()-before) / float64(s.Names())
			runtime.KeepAlive(s)
		}
		b.ReportMetric(perName, "B/name")
		b.ReportMetric(float64(len(text))/float64(l.Len()), "text-B/name")
	})
}

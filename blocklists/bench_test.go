package blocklists_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

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

// lookups are kinds of names to look up, by how the list with names answers.
type lookups struct {
	name  string
	wire  [][]byte
	match bool
}

func lookupsIn(names []string) []lookups {
	return []lookups{
		{"hit", wireNames("", names), true},
		{"hit-below", wireNames("www.", names), true},
		{"miss", wireNames("", foreignNames()), false},
		{"miss-warm", wireNames("", foreignNames()[:100]), false},
		{"miss-cdn", wireNames("www.", carriedBy("edgesuite.net", foreignNames())), false},
		{"miss-one-name", [][]byte{[]byte(domain.MustParse("a.www.example.org"))}, false},
		{"miss-127-labels", [][]byte{append([]byte(strings.Repeat("\x01a", 125)), "\x02eu\x00"...)}, false},
	}
}

// BenchmarkStageSet looks names up. Ten million take a while to load: they need CORDON_BENCH_LARGE=1.
func BenchmarkStageSet(b *testing.B) {
	sizes := []int{300, 1_000_000}
	if os.Getenv("CORDON_BENCH_LARGE") == "1" {
		sizes = append(sizes, 10_000_000)
	}
	for _, size := range sizes {
		names := randomNames(size, 1)
		s := compile(b, parseText(b, strings.Join(names, "\n")))
		for _, c := range lookupsIn(names) {
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

// BenchmarkPlainMap looks the same names up, suffix by suffix, in a map: what Match is measured against.
func BenchmarkPlainMap(b *testing.B) {
	for _, size := range []int{300, 1_000, 1_000_000} {
		names := randomNames(size, 1)
		listed := make(map[string]struct{}, size)
		for _, n := range names {
			listed[string(domain.MustParse(n))] = struct{}{}
		}
		for _, c := range lookupsIn(names) {
			b.Run(fmt.Sprintf("%d/%s", size, c.name), func(b *testing.B) {
				i := 0
				for b.Loop() {
					if inMap(listed, c.wire[i]) != c.match {
						b.Fatalf("%q", c.wire[i])
					}
					if i++; i == len(c.wire) {
						i = 0
					}
				}
			})
		}
	}
}

func inMap(listed map[string]struct{}, name []byte) bool {
	for ; len(name) > 1; name = name[1+int(name[0]):] {
		if _, ok := listed[string(name)]; ok {
			return true
		}
	}
	return false
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

// BenchmarkReload makes a list of a million names, from its text and from its compiled form, and compiles it.
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
	form := encode(b, l)
	b.Run("read-compiled", func(b *testing.B) {
		for b.Loop() {
			if _, err := decode(form); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read-compiled-and-compile", func(b *testing.B) {
		for b.Loop() {
			again, err := decode(form)
			if err != nil {
				b.Fatal(err)
			}
			compile(b, again)
		}
	})
	table := encodeSet(b, compile(b, l))
	b.Run("read-set", func(b *testing.B) {
		for b.Loop() {
			if _, err := decodeSet(table, l); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read-compiled-and-set", func(b *testing.B) {
		for b.Loop() {
			again, err := decode(form)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := decodeSet(table, again); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("write-set", func(b *testing.B) {
		s := compile(b, l)
		for b.Loop() {
			if _, err := s.WriteTo(io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("holds", func(b *testing.B) {
		for b.Loop() {
			l.Holds("\x03www\x07example\x03org\x00", "\x06tiktok\x03com\x00")
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

// TestMemoryOfAMillionNames has the budget of a list in force, its names of 22 characters included.
func TestMemoryOfAMillionNames(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a second or two")
	}
	const names, budget = 1_000_000, 48 << 20
	before := heapInUse()
	l, err := blocklists.Parse(blocklists.Source{Name: "million", Format: format.Names}, "", namesText(names))
	if err != nil {
		t.Fatal(err)
	}
	s := compile(t, l)
	if heap := heapInUse() - before; heap > budget {
		t.Errorf("%d names take %.1f MiB, want at most %d", s.Names(), float64(heap)/(1<<20), budget>>20)
	}
	runtime.KeepAlive(s)
}

// namesText is the text of n names as randomNames makes them, without holding all of it.
func namesText(n int) io.Reader {
	const at = 10_000
	readers := make([]io.Reader, 0, n/at)
	for i := range n / at {
		readers = append(readers, &lazyText{make: func() string {
			names := randomNames(at, uint64(i))
			for k := range names {
				names[k] = fmt.Sprintf("x%x-%s", i, names[k])
			}
			return strings.Join(names, "\n") + "\n"
		}})
	}
	return io.MultiReader(readers...)
}

// lazyText is a text that is made when it is read.
type lazyText struct {
	make func() string
	text *strings.Reader
}

func (l *lazyText) Read(p []byte) (int, error) {
	if l.text == nil {
		l.text = strings.NewReader(l.make())
	}
	n, err := l.text.Read(p)
	if err != nil {
		l.text = strings.NewReader("")
	}
	return n, err
}

// BenchmarkPeak loads ten million names in a process of its own and reports the most memory that it ever had from the system.
// It needs CORDON_BENCH_LARGE=1.
func BenchmarkPeak(b *testing.B) {
	if os.Getenv("CORDON_BENCH_LARGE") != "1" {
		b.Skip("CORDON_BENCH_LARGE is not 1")
	}
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "names.txt")
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(f, namesText(10_000_000)); err != nil {
			b.Fatal(err)
		}
		_ = f.Close()
		child := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^TestLoadInChild$", "-test.v")
		child.Env = append(os.Environ(), "CORDON_BENCH_FILE="+path)
		out, err := child.CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		b.Logf("%s", out)
	}
}

// TestLoadInChild is the child of BenchmarkPeak.
func TestLoadInChild(t *testing.T) {
	path := os.Getenv("CORDON_BENCH_FILE")
	if path == "" {
		t.Skip("CORDON_BENCH_FILE is not set")
	}
	start := time.Now()
	l, err := blocklists.Load(t.Context(), from("", "file:"+path), nil)
	if err != nil {
		t.Fatal(err)
	}
	loaded := time.Since(start)
	s := compile(t, l)
	compiled := time.Since(start) - loaded
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d names: HeapSys %d MiB, Sys %d MiB, loaded in %v, compiled in %v, then %d MiB live",
		s.Names(), m.HeapSys>>20, m.Sys>>20, loaded, compiled, heapInUse()>>20)
	runtime.KeepAlive(s)
}

package resolver_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
	"cordon/resolver"
	"cordon/resolver/cache"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// office is how much there is of everything, and which queries come.
type office struct {
	names      int // on the list
	agencies   int // with a network each
	exceptions int
	perClient  bool // each exception is for a client of its own; else all are for the agency of all clients
	cached     int  // entries
	clients    int  // that ask

	ask func(o *office, r *rand.Rand) (name domain.Name, client int)

	store *cache.Cache // set when it opens
	now   time.Time
}

// usual is what there is of all that does not grow.
func usual() office {
	return office{names: 30_000, agencies: 10, cached: 10_000, clients: 10_000, ask: refused}
}

// excepted is how many names of the list have exceptions at the most: nobody asks for them.
const excepted = 10_000

func refused(o *office, r *rand.Rand) (domain.Name, int) {
	from := 0
	if o.names > excepted {
		from = excepted
	}
	return nameOf(listed, from+r.IntN(o.names-from)), r.IntN(o.clients)
}

// passes asks for what is in the cache: one name in hundreds is not, because its bucket was full.
func passes(o *office, r *rand.Rand) (domain.Name, int) {
	for {
		name := nameOf(foreign, r.IntN(o.cached))
		if _, state := o.store.Get(keyOf(name), o.now); state == cache.Fresh {
			return name, r.IntN(o.clients)
		}
	}
}

func keyOf(name domain.Name) cache.Key {
	return cache.Key{Name: []byte(name), Type: wire.TypeA, Class: wire.ClassINET}
}

// dimension is something that there may be much of.
type dimension struct {
	name  string
	sizes []int
	small int // sizes above need CORDON_BENCH_LARGE=1
	grown func(size int) office
}

func dimensions() []dimension {
	grown := func(edit func(o *office, size int)) func(int) office {
		return func(size int) office {
			o := usual()
			edit(&o, size)
			return o
		}
	}
	names, hundreds := []int{300, 3_000, 30_000, 300_000, 1_000_000, 10_000_000}, []int{1, 100, 10_000, 1_000_000}
	tens, entries := []int{0, 1, 10, 100, 1_000, 10_000}, []int{1_000, 10_000, 100_000, 1_000_000, 5_000_000}
	return []dimension{
		{"names/refused", names, 30_000, grown(func(o *office, n int) { o.names = n })},
		{"names/hit", names, 30_000, grown(func(o *office, n int) { o.names, o.ask = n, passes })},
		{"agencies/refused", tens[1:], 100, grown(func(o *office, n int) { o.agencies = n })},
		{"exceptions-of-an-agency/refused", tens, 100, grown(func(o *office, n int) { o.agencies, o.exceptions = 1, n })},
		{"exceptions-of-clients/refused", tens, 100, grown(func(o *office, n int) {
			o.agencies, o.exceptions, o.perClient, o.clients = 1, n, true, max(n, 1)
		})},
		{"entries/hit", entries, 10_000, grown(func(o *office, n int) { o.cached, o.ask = n, passes })},
		{"clients/hit", hundreds, 10_000, grown(func(o *office, n int) { o.clients, o.ask = n, passes })},
	}
}

// BenchmarkGrowth is one query by the first door, from octets to octets, against how much there is of everything else. Names and clients
// are drawn at random, and so many that the CPU's caches have to fetch what belongs to them, as in an office. B/each is the memory for
// one name, agency, exception or entry more. Large sizes take minutes: they need CORDON_BENCH_LARGE=1.
func BenchmarkGrowth(b *testing.B) {
	for _, d := range dimensions() {
		b.Run(d.name, func(b *testing.B) { d.benchmark(b) })
	}
}

func (d *dimension) benchmark(b *testing.B) {
	least := 0.0
	for i, size := range d.sizes {
		if size > d.small && os.Getenv("CORDON_BENCH_LARGE") != "1" {
			continue
		}
		before := heapInUse()
		o := d.grown(size)
		w := open(b, o)
		w.round(b) // all counters are open, what is clean is marked
		heap := heapInUse() - before
		if i == 0 {
			least = heap
		}
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			at, used := 0, cpuTime()
			b.ReportAllocs()
			for b.Loop() {
				w.answer(b, at)
				if at++; at == len(w.queries) {
					at = 0
				}
			}
			b.ReportMetric(float64(cpuTime()-used)/float64(b.N), "cpu-ns/op")
			if size >= 1000 && i > 0 {
				b.ReportMetric((heap-least)/float64(size-d.sizes[0]), "B/each")
			}
		})
	}
}

func heapInUse() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// workplace is an office at work.
type workplace struct {
	*resolver.Resolver
	queries []question
	q       wire.Query
	buffer  []byte
}

type question struct {
	msg    []byte // one after the other in memory: in the listener the kernel has just written it
	client netip.AddrPort
}

// questions is how many different queries come before they begin again.
const questions = 1 << 17

func open(tb testing.TB, o office) *workplace {
	tb.Helper()
	var err error
	if o.store, err = cache.New(cache.Config{MaxBytes: max(64<<20, int64(o.cached)*512)}); err != nil {
		tb.Fatal(err)
	}
	o.now = time.Now()
	r, err := resolver.New(resolver.Config{Cache: o.store, Workers: 1})
	if err != nil {
		tb.Fatal(err)
	}
	if err := r.Configure(resolver.Routing{Default: resolver.Route{Zone: domain.Root, Upstreams: &fake{}}}); err != nil {
		tb.Fatal(err)
	}
	s, err := policy.Compile(o.policy(tb))
	if err != nil {
		tb.Fatal(err)
	}
	r.Publish(s)
	o.fill(tb)
	w := &workplace{Resolver: r, buffer: make([]byte, 0, wire.MaxUDP), queries: make([]question, questions)}
	w.q.Now = o.now
	chance, all := rand.New(rand.NewPCG(3, 3)), make([]byte, 0, questions*64)
	for i := range w.queries {
		name, client := o.ask(&o, chance)
		from := len(all)
		all = appendQuery(all, name)
		w.queries[i] = question{all[from:len(all):len(all)], netip.AddrPortFrom(o.client(client), 5353)}
	}
	return w
}

func (w *workplace) round(tb testing.TB) {
	tb.Helper()
	for i := range w.queries {
		w.answer(tb, i)
	}
}

func (w *workplace) answer(tb testing.TB, i int) {
	w.q.Client = w.queries[i].client
	w.q.Parse(w.queries[i].msg)
	if _, ok := w.Answer(w.buffer, &w.q); !ok {
		tb.Fatalf("no answer to % x by the first door", w.queries[i].msg)
	}
}

// client is the address of the client with this number: they are spread over all agencies.
func (o *office) client(i int) netip.Addr {
	network, host := i%o.agencies, i/o.agencies
	base := o.network(network)
	at := base.Addr().As4()
	number := binary.BigEndian.Uint32(at[:]) + uint32(host)%(1<<(32-base.Bits()))
	binary.BigEndian.PutUint32(at[:], number)
	return netip.AddrFrom4(at)
}

// network is that of the agency with this number: all of them share 10.0.0.0/8.
func (o *office) network(i int) netip.Prefix {
	bits := 8
	for 1<<(bits-8) < o.agencies {
		bits++
	}
	var at [4]byte
	binary.BigEndian.PutUint32(at[:], 10<<24|uint32(i)<<(32-bits))
	return netip.PrefixFrom(netip.AddrFrom4(at), bits)
}

func (o *office) policy(tb testing.TB) policy.Config {
	tb.Helper()
	list, err := blocklists.Parse(blocklists.Source{Name: "l", Format: format.Names}, "", &namesText{end: o.names})
	if err != nil {
		tb.Fatal(err)
	}
	c := policy.Config{ID: 1, Lists: []*blocklists.List{list}, Policies: []policy.Policy{{Name: "ban", Lists: []string{"l"}}}}
	for i := range o.agencies {
		c.Agencies = append(c.Agencies, policy.Agency{Name: fmt.Sprintf("agency-%d", i), Networks: []netip.Prefix{o.network(i)}})
	}
	for i := range o.exceptions {
		e := policy.Exception{
			Name: fmt.Sprintf("exception-%d", i), Agency: "agency-0", Names: []domain.Name{nameOf(listed, i)},
			Until: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC),
		}
		if o.perClient {
			e.Clients = []netip.Prefix{netip.PrefixFrom(o.client(i), 32)}
		}
		c.Exceptions = append(c.Exceptions, e)
	}
	return c
}

// fill keeps an address for each of so many foreign names.
func (o *office) fill(tb testing.TB) {
	tb.Helper()
	var msg []byte
	for i := range o.cached {
		name := nameOf(foreign, i)
		msg = append(msg[:0], 0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0)
		msg = append(append(msg, name...), 0, wire.TypeA, 0, wire.ClassINET)
		msg = append(msg, 0xC0, wire.HeaderLen, 0, wire.TypeA, 0, wire.ClassINET, 0, 1, 0, 0, 0, 4)
		msg = binary.BigEndian.AppendUint32(msg, 198<<24|18<<16|uint32(i)&0x1FFFF)
		e, err := cache.Keep(keyOf(name), msg, o.now, false)
		if err != nil {
			tb.Fatal(err)
		}
		o.store.Put(e)
	}
	if stats := o.store.Stats(); stats.Entries < int64(o.cached)*99/100 {
		tb.Fatalf("%d entries in the cache, want nearly %d", stats.Entries, o.cached)
	}
}

// appendQuery appends a query for the address of name, with EDNS.
func appendQuery(dst []byte, name domain.Name) []byte {
	dst = append(dst, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1)
	dst = append(append(dst, name...), 0, wire.TypeA, 0, wire.ClassINET)
	return append(dst, 0, 0, wire.TypeOPT, 0x04, 0xD0, 0, 0, 0, 0, 0, 0)
}

// The kinds of names.
const (
	listed  = 'l'
	foreign = 'f'
)

// nameOf is the name with this number: two, three or four labels, no two alike, in an order that has nothing to do with i.
func nameOf(kind byte, i int) domain.Name {
	r := rand.NewPCG(uint64(kind), uint64(i))
	draw := r.Uint64()
	label := func(name []byte, text []byte) []byte { return append(append(name, byte(len(text))), text...) }
	var text [24]byte
	name := make([]byte, 0, 48)
	for range draw % 3 {
		name = label(name, strconv.AppendUint(text[:0], r.Uint64()>>40, 36))
	}
	own := strconv.AppendUint(append(text[:0], kind), r.Uint64()>>48, 36)
	name = label(name, strconv.AppendUint(append(own, '-'), uint64(i), 36))
	zones := [...]string{"com", "net", "org", "info", "eu", "us"}
	name = label(name, []byte(zones[draw>>8%uint64(len(zones))]))
	return domain.Name(append(name, 0))
}

// namesText is the text of the listed names from next to end, made when it is read.
type namesText struct {
	next, end int
	text      bytes.Buffer
}

func (n *namesText) Read(p []byte) (int, error) {
	for ; n.text.Len() < len(p) && n.next < n.end; n.next++ {
		n.text.WriteString(nameOf(listed, n.next).String())
		n.text.WriteByte('\n')
	}
	if n.text.Len() == 0 {
		return 0, io.EOF
	}
	return n.text.Read(p)
}

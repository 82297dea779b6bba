package blocklists_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"cordon/blocklists"
	"cordon/blocklists/domain"
)

func encodeSet(tb testing.TB, s *blocklists.Set) []byte {
	tb.Helper()
	var out bytes.Buffer
	n, err := s.WriteTo(&out)
	if err != nil || n != int64(out.Len()) {
		tb.Fatalf("wrote %d octets of %d: %v", n, out.Len(), err)
	}
	return out.Bytes()
}

func decodeSet(form []byte, lists ...*blocklists.List) (*blocklists.Set, error) {
	return blocklists.ReadSet(bytes.NewReader(form), lists)
}

// overlapping are lists with names in common, two of three and three of three.
func overlapping(tb testing.TB) []*blocklists.List {
	tb.Helper()
	return []*blocklists.List{
		mixed(tb),
		gather(tb, "tiktok.com", "=www.tiktok.com", "allow capcut.com", "muscdn.com.edgesuite.net", "192.0.2.128/25"),
		gather(tb, "*.tiktok.com", "capcut.com", "x.example.net", "2001:db8:1::/48"),
	}
}

// askedNames are names, names below and beside them, and the forms in which CDNs carry them.
func askedNames(names ...string) []domain.Name {
	var asked []domain.Name
	for _, n := range names {
		for _, text := range []string{
			n, "www." + n, "a.b." + n, "not" + n, n + ".edgesuite.net", "www." + n + ".c.footprint.net", n + ".example.org",
		} {
			asked = append(asked, domain.MustParse(text))
		}
	}
	return asked
}

func wantSameMatches(t *testing.T, got, want *blocklists.Set, names []domain.Name) {
	t.Helper()
	hits := 0
	for _, name := range names {
		have, should := got.Match(nil, []byte(name)), want.Match(nil, []byte(name))
		if !slices.Equal(have, should) {
			t.Fatalf("%s: got %v, want %v", name, have, should)
		}
		hits += len(should)
	}
	if hits == 0 {
		t.Error("no name is listed")
	}
}

func TestCompiledSetIsTheSameSet(t *testing.T) {
	t.Parallel()
	lists := overlapping(t)
	s := compile(t, lists...)
	again, err := blocklists.ReadSet(iotest.OneByteReader(bytes.NewReader(encodeSet(t, s))), lists)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encodeSet(t, again), encodeSet(t, s)) {
		t.Error("its compiled form is another one")
	}
	if got, want := fmt.Sprint(again.Names(), again.Networks()), fmt.Sprint(s.Names(), s.Networks()); got != want {
		t.Errorf("it has %s names and networks, want %s", got, want)
	}
	wantSameMatches(t, again, s, askedNames("tiktok.com", "www.tiktok.com", "capcut.com", "x.example.net", "example.net",
		"a.b.c.example.org", "com.example", "muscdn.com", "edgesuite.net"))
	for _, text := range []string{"192.0.2.1", "192.0.2.129", "198.51.100.1", "2001:db8::1", "2001:db8:1::1", "2001:db9::"} {
		addr := netip.MustParseAddr(text)
		if got, want := again.MatchAddr(nil, addr), s.MatchAddr(nil, addr); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", addr, got, want)
		}
	}
	if kept, err := blocklists.Compile(lists, again); kept != again || err != nil {
		t.Errorf("Compile makes another one: %v", err)
	}
}

func TestCompiledSetOfManyNames(t *testing.T) {
	t.Parallel()
	common, own := randomNames(30_000, 3), randomNames(50_000, 4)
	allowed := make([]string, 0, 5_000)
	for _, n := range own[:cap(allowed)] {
		allowed = append(allowed, "allow www."+n)
	}
	lists := []*blocklists.List{
		parseText(t, strings.Join(common, "\n")),
		gather(t, slices.Concat(own[:10_000], allowed)...),
		parseText(t, strings.Join(slices.Concat(own, common[:20_000]), "\n")),
		parseText(t, strings.Join(common[10_000:], "\n")),
	}
	s := compile(t, lists...)
	again, err := blocklists.ReadSet(iotest.HalfReader(bytes.NewReader(encodeSet(t, s))), lists)
	if err != nil {
		t.Fatal(err)
	}
	wantSameMatches(t, again, s, askedNames(slices.Concat(common[:20_000], own[:20_000], foreignNames())...))
}

func TestCompiledSetOfNoLists(t *testing.T) {
	t.Parallel()
	s, err := decodeSet(encodeSet(t, compile(t)))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Match(nil, []byte(domain.MustParse("www.tiktok.com.edgesuite.net"))); len(got) > 0 {
		t.Errorf("it matches %v", got)
	}
	_, err = decodeSet(encodeSet(t, &blocklists.Set{}))
	wantError(t, "the zero value", err, "it is damaged")
}

func TestCompiledSetOfOtherLists(t *testing.T) {
	t.Parallel()
	lists := overlapping(t)
	form := encodeSet(t, compile(t, lists...))
	again := make([]*blocklists.List, len(lists))
	for i, l := range lists {
		var err error
		if again[i], err = decode(encode(t, l)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := decodeSet(form, again...); err != nil {
		t.Errorf("the same lists, read back: %v", err)
	}
	changed := gather(t, "*.tiktok.com", "capcut.com", "x.example.net", "2001:db8:2::/48")
	for what, other := range map[string][]*blocklists.List{
		"none":              nil,
		"one less":          lists[:2],
		"one more":          append(slices.Clone(lists), lists[0]),
		"another order":     {lists[1], lists[0], lists[2]},
		"another network":   {lists[0], lists[1], changed},
		"another layout":    {lists[0], lists[1], blocklists.InMoreChunks(lists[2])},
		"more than can be":  slices.Repeat(lists[:1], blocklists.MaxLists+1),
		"one for the other": {lists[0], lists[0], lists[0]},
	} {
		if _, err := decodeSet(form, other...); err == nil {
			t.Errorf("%s: it is read", what)
		}
	}
	_, err := decodeSet(form, lists[:2]...)
	wantError(t, "one list less", err, "read compiled set", "of other lists")
}

func TestDamagedCompiledSets(t *testing.T) {
	t.Parallel()
	lists := overlapping(t)
	form := encodeSet(t, compile(t, lists...))
	for n := range form {
		if _, err := decodeSet(form[:n], lists...); err == nil {
			t.Fatalf("cut to %d of %d octets, it is read", n, len(form))
		}
	}
	for i := range form {
		for bit := range 8 {
			form[i] ^= 1 << bit
			if _, err := decodeSet(form, lists...); err == nil {
				t.Fatalf("with bit %d of octet %d flipped, it is read", bit, i)
			}
			form[i] ^= 1 << bit
		}
	}
	_, err := decodeSet(append(bytes.Clone(form), 0), lists...)
	wantError(t, "one octet more", err, "read compiled set", "more follows")
	_, err = decodeSet([]byte("cordon set, compiled, 0\n and more"), lists...)
	wantError(t, "another version", err, "not the compiled form of this version")
	broken := errors.New("broken")
	if _, err = blocklists.ReadSet(iotest.ErrReader(broken), lists); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := compile(t, lists...).WriteTo(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("a writer that fails: %v", err)
	}
}

// TestForgedCompiledSets has tables that nobody compiled, with the right sum.
func TestForgedCompiledSets(t *testing.T) {
	t.Parallel()
	lists := overlapping(t)
	s := compile(t, lists...)
	// change returns a forgery that changes the first slot in use for which which holds.
	change := func(which func(slot uint64) bool, to func(slot uint64) uint64) func(*blocklists.Table) {
		return func(t *blocklists.Table) {
			for i := range t.Buckets {
				for k, slot := range t.Buckets[i] {
					if slot != 0 && which(slot) {
						t.Buckets[i][k] = to(slot)
						return
					}
				}
			}
		}
	}
	alone := func(slot uint64) bool { return slot&blocklists.ManyBit == 0 }
	many := func(slot uint64) bool { return slot&blocklists.ManyBit != 0 }
	for what, forge := range map[string]func(*blocklists.Table){
		"another chunk":         change(alone, func(slot uint64) uint64 { return slot + 99<<blocklists.ChunkBits }),
		"behind its chunk":      change(alone, func(slot uint64) uint64 { return slot | (1<<blocklists.ChunkBits - 1) }),
		"before its chunk":      change(alone, func(slot uint64) uint64 { return slot &^ (1<<blocklists.ChunkBits - 1) }),
		"no chain":              change(many, func(slot uint64) uint64 { return slot | 1<<30 }),
		"a chain for a name":    change(alone, func(slot uint64) uint64 { return slot&^(blocklists.ManyBit-1) | blocklists.ManyBit }),
		"an empty slot":         change(alone, func(uint64) uint64 { return 0 }),
		"an even key":           func(t *blocklists.Table) { *t.Factor++ },
		"another key":           func(t *blocklists.Table) { *t.Factor += 2 },
		"too many labels":       func(t *blocklists.Table) { *t.Fewest = 128 },
		"more than names have":  func(t *blocklists.Table) { *t.Fewest = 100 },
		"an empty filter":       func(t *blocklists.Table) { clear(t.Filter) },
		"a chain without names": func(t *blocklists.Table) { t.Chains[1][0] = 0 },
		"a chain to itself":     func(t *blocklists.Table) { t.Chains[1][1] = 2 },
		"a chain to the next":   func(t *blocklists.Table) { t.Chains[0][1] = 2 },
		"a chain less":          func(t *blocklists.Table) { t.Chains = t.Chains[:len(t.Chains)-1] },
		"too many chains":       func(t *blocklists.Table) { t.Chains = slices.Repeat(t.Chains, 100) },
		"no empty slot": func(t *blocklists.Table) {
			for i := range t.Buckets {
				for k, slot := range t.Buckets[i] {
					if slot == 0 {
						t.Buckets[i][k] = t.Buckets[0][0]
					}
				}
			}
		},
	} {
		if _, err := decodeSet(encodeSet(t, blocklists.Forge(s, forge)), lists...); err == nil {
			t.Errorf("%s: it is read", what)
		}
	}
}

// TestForgedChainStaysInTheArena lets chains lead to the last octet of a chunk: the names in them are not compared.
func TestForgedChainStaysInTheArena(t *testing.T) {
	t.Parallel()
	lists := overlapping(t)
	forged := blocklists.Forge(compile(t, lists...), func(t *blocklists.Table) {
		for i := range t.Chains {
			if t.Chains[i][1] == 0 {
				t.Chains[i][0] = uint64(blocklists.LenOfChunk(lists[2]) - 1 + 2<<blocklists.ChunkBits)
			}
		}
	})
	s, err := decodeSet(encodeSet(t, forged), lists...)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Match(nil, []byte(domain.MustParse("tiktok.com"))); len(got) == 0 {
		t.Error("what stands before it in its chain is not found")
	}
}

// FuzzReadSet gives every input the right beginning and the right sum, so that what lies between is reached: in a set that is read,
// a lookup ends.
func FuzzReadSet(f *testing.F) {
	lists := overlapping(f)
	const head = len("cordon set, compiled, 1\n") + sha256.Size
	form := encodeSet(f, compile(f, lists...))
	begin := form[:head]
	for range 3 {
		form := encodeSet(f, compile(f, lists...)) // each has a key of its own
		f.Add(form[head : len(form)-sha256.Size])
	}
	names := askedNames("tiktok.com", "www.tiktok.com", "capcut.com", "x.example.net", "a.b.c.example.org", "muscdn.com", "edgesuite.net")
	for _, l := range lists {
		for r := range l.NameRules() {
			names = append(names, r.Name)
		}
	}
	f.Fuzz(func(t *testing.T, table []byte) {
		form := slices.Concat(begin, table)
		sum := sha256.Sum256(form)
		form = append(form, sum[:]...)
		s, err := decodeSet(form, lists...)
		if err != nil {
			return
		}
		if !bytes.Equal(encodeSet(t, s), form) {
			t.Error("it is written otherwise than it was read")
		}
		for _, name := range names {
			for _, m := range s.Match(nil, []byte(name)) {
				if m.List < 0 || m.List >= len(lists) {
					t.Errorf("%s: %+v, of %d lists", name, m, len(lists))
				}
			}
		}
	})
}

package config_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"cordon/config"
)

// A main file with everything that an owned one could try to get round. Its first %s are policies of the agency federal.
const mainText = `timezone: UTC
include: [{file: d/owned.yaml, owner: %s}]
own_zones: [ministry.example]
lists: [{name: tiktok, names: [tiktok.com]}, {name: other, names: [capcut.com]}]
policies:
  - {name: nsc, lists: [tiktok], binding: true}
  - {name: law, lists: [other], binding: true, exceptions_by: [defence]}
  - {name: soft, lists: [other]}
  - {name: omb, lists: [other, tiktok], blanket_exceptions: forbidden}
agencies:
  - {name: federal, networks: [10.0.0.0/8, "2001:db8::/32"]%s}
  - {name: defence, parent: federal, networks: [10.10.0.0/16, "2001:db8:10::/48"]}
  - {name: navy, parent: defence, networks: [10.10.4.0/24], policies: [law]}
  - {name: lax, parent: defence, networks: [10.10.6.0/24], mode: observe}
  - {name: health, parent: federal, networks: [10.20.0.0/16, 10.10.9.0/24]}
  - {name: free, networks: [10.30.0.0/16], policies: [soft]}
exceptions:
  - {name: press, agency: defence, clients: [10.10.1.1], policies: [nsc], reason: r, approved_by: a, until: 2027-03-01}
  - {name: labs, agency: lax, descendants: true, policies: [nsc], reason: r, approved_by: a, until: 2027-03-01}
  - {name: fleet, agency: navy, policies: [nsc, law], reason: r, approved_by: a, until: 2027-03-01}
  - {name: guests, agency: default, policies: [soft], reason: r, approved_by: a, until: 2027-03-01}
`

// situations are owners in main files; "" for all of the policies is a federal agency that has every ban.
func situations() (all [][2]string) {
	for _, owner := range []string{"defence", "federal", "navy", "lax", "free"} {
		all = append(all, [2]string{owner, ""}, [2]string{owner, ", policies: [nsc, soft]"})
	}
	return all
}

// Whatever an owned file says: if it is accepted, nobody outside of its owner notices, and nobody inside is rid of a binding policy. If
// it is not, the fault is in that file.
func holdOwned(t *testing.T, situation [2]string, text []byte) (accepted bool) {
	t.Helper()
	const path = "d/owned.yaml"
	main := config.NewFile("main.yaml", fmt.Appendf(nil, mainText, situation[0], situation[1]))
	owned := config.NewFile(path, text)
	owned.Owner, owned.Order = situation[0], 1
	without, faults := config.LoadPolicy([]config.File{main}, options())
	if faults.Bad() {
		t.Fatalf("the main file:\n%s", faults.Render())
	}
	with, faults := config.LoadPolicy([]config.File{owned, main}, options())
	checkForm(t, text, slices.DeleteFunc(slices.Clone(faults), func(f config.Fault) bool { return f.File != path }))
	for _, f := range faults.Errors() {
		if f.File != path {
			t.Fatalf("the fault is in another file: %s\n%s", f, text)
		}
	}
	if faults.Bad() {
		return false
	}
	for _, client := range clientsOf(with) {
		before, after := meaningOf(without, client), meaningOf(with, client)
		if !slices.Contains(before.line, situation[0]) {
			if before.String() != after.String() {
				t.Fatalf("for the stranger %s: before %s, after %s\n%s", client, before, after, text)
			}
			continue
		}
		if !slices.Contains(after.line, situation[0]) {
			t.Fatalf("%s has left %s for %s\n%s", client, situation[0], after.line[0], text)
		}
		for _, p := range without.Policies {
			if p.Binding && !slices.Contains(p.ExceptionsBy, situation[0]) && before.refused(p.Name) && !after.refused(p.Name) {
				t.Fatalf("%s is weakened for %s: before %s, after %s\n%s", p.Name, client, before, after, text)
			}
		}
	}
	return true
}

// An agency without policies has every ban, and no recommendation. A policy that an owned file adds changes neither.
func TestAnOwnerThatAddsAPolicyKeepsEveryBanAndGetsNoRecommendation(t *testing.T) {
	main := config.NewFile("main.yaml", []byte(`timezone: UTC
include: [{file: d/owned.yaml, owner: defence}]
lists: [{name: tiktok, names: [tiktok.com]}]
policies:
  - {name: ban, lists: [tiktok]}
  - {name: advice, lists: [tiktok], strength: recommendation, binding: true}
  - {name: law, lists: [tiktok]}
agencies: [{name: defence}]
`))
	for _, c := range []struct{ text, want, fault string }{
		{"policies: [{name: own, lists: [tiktok]}]\nagencies: [{name: defence, policies: [own]}]", "own ban law", ""},
		{"agencies: [{name: defence, policies: [advice]}]", "advice ban law", ""},
		{
			"policies: [{name: own, lists: [tiktok], strength: recommendation}]\nagencies: [{name: navy, parent: defence, policies: [own]}]",
			"ban law", "",
		},
		{"agencies: [{name: defence, mode: observe}]", "", ""}, // it has not got what binds
		{"agencies: [{name: defence, mode: observe, policies: [advice]}]", "advice ban law", "mode: observe"},
	} {
		owned := config.NewFile("d/owned.yaml", []byte(c.text))
		owned.Owner, owned.Order = "defence", 1
		set, faults := config.LoadPolicy([]config.File{main, owned}, options())
		if err := faults.Err(); (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: the fault %v, want %q", c.text, err, c.fault)
		}
		if got := strings.Join(set.Agencies[0].Policies, " "); got != c.want {
			t.Errorf("%s: the agency has the policies %q, want %q", c.text, got, c.want)
		}
	}
}

// What a server copies and watches are the lists of a set that nobody has checked yet.
func TestListsThatAnOwnedFileMayNotHaveAreInNoSet(t *testing.T) {
	const text = `lists:
  - {name: a, source: "https://lists.example/a.txt", token_file: secret}
  - {name: b, source: "http://lists.example/a.txt"}
  - {name: c, source: "rpz:rpz.example", primaries: [192.0.2.1]}
  - {name: d, source: "file:/*/*/*/*"}
  - {name: e, source: "file:../x.txt"}
  - {name: f, source: "file:x.txt", tsig_file: secret}
  - {name: g, names: [example.com], ca_file: secret}
  - {name: good, source: "file:lists/*.txt"}
  - {name: inside, source: "builtin:tiktok"}
`
	main := config.NewFile("p/main.yaml", []byte(text))
	owned := config.NewFile("p/d/owned.yaml", []byte(text))
	owned.Owner, owned.Order = "defence", 1
	set, _ := config.ParsePolicy([]config.File{main, owned})
	var found []string
	for _, l := range set.Lists {
		found = append(found, l.Name+" "+l.Within)
	}
	want := []string{"a ", "b ", "c ", "d ", "e ", "f ", "g ", "good ", "inside ", "good p", "inside p"}
	if !slices.Equal(found, want) {
		t.Errorf("have %q, want %q", found, want)
	}
}

// meaning is what a policy set means for a client, found the slow way.
type meaning struct {
	line       []string // its agency and those above
	mode       string
	policies   []string
	exceptions map[string][]string // those that lift a policy, by its name
}

func (m meaning) String() string {
	return fmt.Sprintf("%v %s %v %v", m.line, m.mode, m.policies, m.exceptions)
}

// refused says whether the policy is enforced, at least for what no exception has.
func (m meaning) refused(policy string) bool {
	return m.mode == "enforce" && slices.Contains(m.policies, policy) && len(m.exceptions[policy]) == 0
}

func meaningOf(set *config.PolicySet, client netip.Addr) meaning {
	byName := map[string]*config.Agency{}
	longest, name := -1, config.DefaultAgency
	for _, a := range set.Agencies {
		byName[a.Name] = a
		for _, n := range a.Networks {
			if n.Contains(client) && n.Bits() > longest {
				longest, name = n.Bits(), a.Name
			}
		}
	}
	m := meaning{mode: "enforce", line: []string{name}, exceptions: map[string][]string{}}
	for a := byName[name]; a != nil && a.Parent != ""; a = byName[a.Parent] {
		m.line = append(m.line, a.Parent)
	}
	for _, up := range slices.Backward(m.line) {
		if a := byName[up]; a != nil {
			m.policies = append(m.policies, a.Policies...)
			if a.Mode != "" {
				m.mode = a.Mode
			}
		}
	}
	every := len(m.policies) == 0
	for _, p := range set.Policies {
		if owner := set.Owner(p.Pos.File); every && p.Strength == "ban" && (owner == "" || slices.Contains(m.line, owner)) {
			m.policies = append(m.policies, p.Name)
		}
	}
	for _, e := range set.Exceptions {
		m.except(set, e, client)
	}
	slices.Sort(m.policies)
	m.policies = slices.Compact(m.policies)
	return m
}

func (m meaning) except(set *config.PolicySet, e *config.Exception, client netip.Addr) {
	switch {
	case !slices.Contains(m.line, e.Agency):
		return
	case len(e.Clients) > 0 && !slices.ContainsFunc(e.Clients, func(p netip.Prefix) bool { return p.Contains(client) }):
		return
	case len(e.Clients) == 0 && m.line[0] != e.Agency && !e.Descendants:
		return
	}
	for _, p := range set.Policies {
		if lifts := set.Lifts(e); len(lifts) == 0 || slices.Contains(lifts, p.Name) {
			m.exceptions[p.Name] = append(m.exceptions[p.Name], e.Name)
		}
	}
}

// clientsOf are the first addresses of all networks in a set, the last ones, and those next to them.
func clientsOf(set *config.PolicySet) []netip.Addr {
	found := map[netip.Addr]bool{netip.MustParseAddr("192.0.2.1"): true, netip.MustParseAddr("10.10.1.1"): true}
	add := func(all []netip.Prefix) {
		for _, p := range all {
			last := p.Addr().AsSlice()
			for i := p.Bits(); i < len(last)*8; i++ {
				last[i/8] |= 0x80 >> (i % 8)
			}
			end, _ := netip.AddrFromSlice(last)
			for _, a := range []netip.Addr{p.Addr(), p.Addr().Prev(), end, end.Next()} {
				found[a] = a.IsValid()
			}
		}
	}
	for _, a := range set.Agencies {
		add(a.Networks)
	}
	for _, e := range set.Exceptions {
		add(e.Clients)
	}
	maps.DeleteFunc(found, func(_ netip.Addr, valid bool) bool { return !valid })
	return slices.SortedFunc(maps.Keys(found), netip.Addr.Compare)
}

// ownedTexts are the owned files of the corpus.
func ownedTexts(t testing.TB) (all [][]byte) {
	t.Helper()
	paths, err := filepath.Glob("testdata/spanning/*owned*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if strings.Contains(f.Name, "/") {
				all = append(all, f.Data)
			}
		}
	}
	return all
}

func FuzzOwned(f *testing.F) {
	for _, text := range ownedTexts(f) {
		f.Add(uint8(0), text)
	}
	all := situations()
	f.Fuzz(func(t *testing.T, n uint8, text []byte) {
		holdOwned(t, all[int(n)%len(all)], text)
	})
}

// The same with files that are put together from what an owner could want to say, so that many are accepted.
func TestAnOwnedFileNeitherReachesStrangersNorWeakensABindingPolicy(t *testing.T) {
	accepted, all := 0, situations()
	for seed := range uint64(1500) {
		dice := rand.New(rand.NewPCG(seed, 1))
		situation := all[dice.IntN(len(all))]
		if holdOwned(t, situation, []byte(throwOwned(dice, situation[0]))) {
			accepted++
		}
	}
	if accepted < 150 {
		t.Errorf("only %d files were accepted", accepted)
	}
}

// throwOwned is an owned file that is mostly right: now and then it says what it may not.
func throwOwned(dice *rand.Rand, owner string) string {
	pick := func(words ...string) string { return words[dice.IntN(len(words))] }
	mostly := func(right []string, wrong ...string) string {
		if dice.IntN(8) == 0 {
			return pick(wrong...)
		}
		return pick(right...)
	}
	maybe := func(text string) string { return pick("", text) }
	agencies := []string{"defence", "navy", "lax", "health", "federal", "free", "default", "new"}
	networks := map[string][]string{
		"defence": {"10.10.1.0/24", "10.10.1.0/25", "10.10.0.0/22", `"2001:db8:10:1::/64"`}, "federal": {"10.40.0.0/16", "10.0.0.0/9"},
		"navy": {"10.10.4.0/25", "10.10.4.128/26"}, "lax": {"10.10.6.128/25"}, "free": {"10.30.1.0/24"},
	}
	strange := []string{"10.10.9.0/25", "10.20.1.0/24", "0.0.0.0/0", "192.0.2.0/24"}
	strange = slices.Concat(strange, networks["defence"], networks["navy"], networks["lax"], networks["free"], networks["federal"])
	soft := []string{"soft", "own", "own2", "omb"}

	var b strings.Builder
	b.WriteString("timezone: UTC\nlists: [{name: mine, names: [example.com]}]\n")
	b.WriteString("policies: [{name: own, lists: [mine, tiktok]}, {name: own2, lists: [other]" + maybe(", strength: recommendation") + "}]\n")
	b.WriteString("agencies:\n")
	for _, one := range []string{
		"new, parent: " + mostly([]string{owner}, agencies...),
		mostly([]string{owner}, agencies...) + mostly([]string{""}, ", parent: "+pick(agencies...), ", parent: "+owner),
	} {
		b.WriteString("  - {name: " + one)
		if dice.IntN(2) == 0 {
			b.WriteString(", networks: [" + mostly(networks[owner], strange...) + "]")
		}
		if dice.IntN(3) == 0 {
			b.WriteString(", policies: [" + mostly(soft, "nsc", "law") + "]")
		}
		if dice.IntN(4) == 0 {
			b.WriteString(", mode: " + mostly([]string{"enforce"}, "observe", `"off"`))
		}
		b.WriteString("}\n")
	}
	fmt.Fprintf(&b, "exceptions:\n  - {name: e, agency: %s%s", mostly([]string{owner, "new"}, agencies...), maybe(", descendants: true"))
	if dice.IntN(2) == 0 {
		b.WriteString(", clients: [" + mostly(networks[owner], strange...) + "]")
	}
	if dice.IntN(3) > 0 {
		b.WriteString(", policies: [" + mostly(soft, "nsc", "law") + "]")
	}
	if dice.IntN(4) == 0 {
		b.WriteString(", lists: [" + pick("tiktok", "other", "mine") + "]")
	}
	b.WriteString(", reason: r, approved_by: a, until: 2027-01-01}\n")
	return b.String()
}

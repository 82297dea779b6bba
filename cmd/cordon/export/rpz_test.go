package export

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
	"cordon/resolver/policy"
)

// policyZone is a response policy zone as a server has it.
type policyZone struct {
	origin  domain.Name
	actions map[domain.Name]rpzAction // by owner, from the top of the tree
	nodes   map[domain.Name]bool      // the owners and all names above them
}

func parsePolicyZone(t *testing.T, origin domain.Name, text string) *policyZone {
	t.Helper()
	z := &policyZone{origin, map[domain.Name]rpzAction{}, map[domain.Name]bool{}}
	parser := dns.NewZoneParser(strings.NewReader(text), "", "zone")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		owner := domain.MustParse(rr.Header().Name)
		if a := actionOf(rr); a != rpzNothing {
			if have, twice := z.actions[owner]; twice && (have != rpzNullIP || a != rpzNullIP) {
				t.Errorf("%s has two actions", owner)
			}
			z.actions[owner] = a
		}
		for name := range owner.Ancestry() {
			z.nodes[name] = true
		}
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	return z
}

func actionOf(rr dns.RR) rpzAction {
	switch rr := rr.(type) {
	case *dns.CNAME:
		return map[string]rpzAction{".": rpzNXDomain, "*.": rpzNoData, "rpz-passthru.": rpzPass}[rr.Target]
	case *dns.A, *dns.AAAA:
		return rpzNullIP
	default:
		return rpzNothing
	}
}

// lookUp is what the zone says of name by the algorithm of the DNS (RFC 4592, section 3.3.1): the wildcard is that right below the
// closest name that is there, or none.
func (z *policyZone) lookUp(name domain.Name) rpzAction {
	owner := name[:len(name)-1] + z.origin
	if z.nodes[owner] {
		return z.actions[owner]
	}
	for !z.nodes[owner] {
		owner, _ = owner.Parent()
	}
	return z.actions["\x01*"+owner]
}

// lookUpLoosely is what a server finds that takes any wildcard above, the nearest first.
func (z *policyZone) lookUpLoosely(name domain.Name) rpzAction {
	owner := name[:len(name)-1] + z.origin
	if a, ok := z.actions[owner]; ok {
		return a
	}
	for above := range owner.Ancestry() {
		if a, ok := z.actions["\x01*"+above]; ok && above != owner {
			return a
		}
	}
	return rpzNothing
}

// hostName is a name for which every server takes an address.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// says fails t unless the zone, however it is read, says want of name. To pass is to have no record, or one that says so.
func (z *policyZone) says(t *testing.T, name domain.Name, want rpzAction) {
	t.Helper()
	for how, got := range map[string]rpzAction{"strictly": z.lookUp(name), "loosely": z.lookUpLoosely(name)} {
		if got == rpzPass {
			got = rpzNothing
		}
		if want == rpzNullIP && !hostName.MatchString(name.String()) && got == rpzNoData {
			continue
		}
		if got != want {
			t.Errorf("%s, read %s: got %d, want %d", name, how, got, want)
		}
	}
}

// madeRule is a rule of the one list that the dice make.
type madeRule struct {
	at, below bool
	action    rpzAction // rpzNothing allows
}

// judgeOf is the rule with the longest name that covers a name.
func judgeOf(rules map[domain.Name]madeRule) func([]byte) rpzAction {
	return func(wire []byte) rpzAction {
		name := domain.Name(wire)
		for above := range name.Ancestry() {
			if r, ok := rules[above]; ok && (above == name && r.at || above != name && r.below) {
				return r.action
			}
		}
		return rpzNothing
	}
}

func namesOf(rules map[domain.Name]madeRule) map[domain.Name]struct{} {
	names := map[domain.Name]struct{}{}
	for name := range rules {
		names[name] = struct{}{}
	}
	return names
}

// zoneText is the zone for rules.
func zoneText(origin domain.Name, rules map[domain.Name]madeRule) string {
	var text strings.Builder
	fmt.Fprintf(&text, "$TTL 30\n$ORIGIN %s.\n@ SOA localhost. nobody.invalid. 1 300 60 604800 30\n@ NS localhost.\n", origin)
	paths, probe, _ := listedPaths(origin, namesOf(rules))
	z := &rpzNames{zone: origin, judge: judgeOf(rules), probe: probe, write: func(owner string, a rpzAction) {
		for _, data := range a.data() {
			fmt.Fprintf(&text, "%s\t%s\n", owner, data)
		}
	}}
	z.writeAll(paths)
	return text.String()
}

// diceName is a name of one to five labels. Those with odd octets look like others, or like the probe.
func diceName(dice *rand.Rand) domain.Name {
	labels := []domain.Name{"\x01a", "\x01b", "\x02bb", "\x03com", "\x02\x80.", "\x01\x80", "\x03a b"}
	name := domain.Root
	for range 1 + dice.IntN(5) {
		name = labels[dice.IntN(len(labels))] + name
	}
	return name
}

// diceRules are at most n rules, every fourth of which allows.
func diceRules(dice *rand.Rand, n int) map[domain.Name]madeRule {
	rules := map[domain.Name]madeRule{}
	for range n {
		shape := 1 + dice.IntN(3)
		rules[diceName(dice)] = madeRule{shape&1 != 0, shape&2 != 0, rpzAction(dice.IntN(int(rpzPass)))}
	}
	return rules
}

func TestRPZSaysWhatTheRulesSay(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(3, 3))
	origin := domain.MustParse("rpz.example")
	asked := 0
	for range 2000 {
		rules := diceRules(dice, 1+dice.IntN(12))
		text := zoneText(origin, rules)
		zone, judge := parsePolicyZone(t, origin, text), judgeOf(rules)
		for range 40 {
			q := diceName(dice)
			zone.says(t, q, judge([]byte(q)))
			asked++
		}
		for listed := range rules {
			for _, q := range []domain.Name{listed, "\x01a" + listed, "\x01x" + listed, "\x01x\x01y" + listed} {
				zone.says(t, q, judge([]byte(q)))
			}
		}
		if t.Failed() {
			t.Fatalf("rules %v make:\n%s", rules, text)
		}
	}
	if asked < 10_000 {
		t.Errorf("only %d names were asked for", asked)
	}
}

func TestRPZLeavesOutWhatIsSaidAlready(t *testing.T) {
	t.Parallel()
	block := func(a rpzAction) madeRule { return madeRule{true, true, a} }
	tests := []struct {
		about string
		rules map[string]madeRule
		want  string
	}{
		{"a name", map[string]madeRule{"tiktok.com": block(rpzNXDomain)}, `
tiktok.com CNAME .
*.tiktok.com CNAME .`},
		{"a name below a listed one", map[string]madeRule{"tiktok.com": block(rpzNXDomain), "www.tiktok.com": block(rpzNXDomain)}, `
tiktok.com CNAME .
*.tiktok.com CNAME .`},
		{"only below, only the name", map[string]madeRule{"a.example": {false, true, rpzNXDomain}, "b.example": {true, false, rpzNoData}}, `
*.a.example CNAME .
b.example CNAME *.`},
		{"an allowed name far below", map[string]madeRule{"tiktok.com": block(rpzNXDomain), "a.b.tiktok.com": block(rpzNothing)}, `
tiktok.com CNAME .
*.tiktok.com CNAME .
b.tiktok.com CNAME .
*.b.tiktok.com CNAME .
a.b.tiktok.com CNAME rpz-passthru.
*.a.b.tiktok.com CNAME rpz-passthru.`},
		{"two names below the same empty one", map[string]madeRule{
			"tiktok.com": block(rpzNXDomain), "a.b.tiktok.com": {true, false, rpzNothing}, "c.b.tiktok.com": {true, false, rpzNothing},
		}, `
tiktok.com CNAME .
*.tiktok.com CNAME .
b.tiktok.com CNAME .
*.b.tiktok.com CNAME .
a.b.tiktok.com CNAME rpz-passthru.
*.a.b.tiktok.com CNAME .
c.b.tiktok.com CNAME rpz-passthru.
*.c.b.tiktok.com CNAME .`},
		{"refused below allowed below refused", map[string]madeRule{
			"example": block(rpzNXDomain), "a.example": block(rpzNothing), "b.a.example": {true, false, rpzNullIP},
		}, `
example CNAME .
*.example CNAME .
a.example CNAME rpz-passthru.
*.a.example CNAME rpz-passthru.
b.a.example A 0.0.0.0
b.a.example AAAA ::
*.b.a.example CNAME rpz-passthru.`},
		{"what is allowed where nothing is refused", map[string]madeRule{"a.example": block(rpzNothing), "b.c.example": block(rpzNoData)}, `
b.c.example CNAME *.
*.b.c.example CNAME *.`},
		{"odd octets", map[string]madeRule{`a\.b\"\@\$\;\\\000\255.example`: block(rpzNoData)}, `
a\.b\034\064\036\059\\\000\255.example CNAME *.
*.a\.b\034\064\036\059\\\000\255.example CNAME *.`},
		{"what can't stand in a zone", map[string]madeRule{
			"*.a.example": block(rpzNoData), "a.*.example": block(rpzNoData), "24.0.2.0.192.rpz-ip": block(rpzNoData),
			strings.Repeat("a.", 125) + "a": block(rpzNoData), "rpz-ip.example": {true, false, rpzNoData},
		}, `
rpz-ip.example CNAME *.`},
		{"addresses for what is no host", map[string]madeRule{
			"a_b.example": block(rpzNullIP), "a-.example": block(rpzNullIP), "-a.example": block(rpzNullIP), "a-b.example": {true, false, rpzNullIP},
		}, `
-a.example CNAME *.
*.-a.example CNAME *.
a-.example CNAME *.
*.a-.example CNAME *.
a-b.example A 0.0.0.0
a-b.example AAAA ::
a_b.example CNAME *.
*.a_b.example CNAME *.`},
		{"a wildcard that is too long", map[string]madeRule{strings.Repeat("a.", 114) + "aaa": block(rpzNoData)}, `
` + strings.Repeat("a.", 114) + `aaa CNAME *.
*.` + strings.Repeat("a.", 114) + "aaa CNAME *."},
		{"a wildcard that is too long by one", map[string]madeRule{strings.Repeat("a.", 114) + "aaaa": block(rpzNoData)}, `
` + strings.Repeat("a.", 114) + `aaaa CNAME *.
*.` + strings.Repeat("a.", 114) + "aaaa CNAME *."},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			t.Parallel()
			rules := map[domain.Name]madeRule{}
			for text, rule := range test.rules {
				rules[domain.MustParse(text)] = rule
			}
			_, got, _ := strings.Cut(zoneText(domain.MustParse("rpz.example"), rules), "NS localhost.")
			if got = strings.TrimSuffix(strings.ReplaceAll(got, "\t", " "), "\n"); got != test.want {
				t.Errorf("got:%s\nwant:%s", got, test.want)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	// The order of RFC 4034, section 6.1, which has capitals and \001.
	ordered := []string{"example", "a.example", "yljkjljk.a.example", "z.a.example", "zabc.a.example", "z.example", `\001.z.example`, "*.z.example", `\200.z.example`}
	var paths []string
	for _, text := range ordered {
		name := domain.MustParse(text)
		path := pathOf(name)
		if back := domain.Name(appendName(nil, path)); back != name {
			t.Errorf("%s comes back as %s", name, back)
		}
		paths = append(paths, path)
	}
	if !slices.IsSortedFunc(paths, comparePaths) {
		t.Errorf("%q is not in order", paths)
	}
	taken := map[domain.Name]bool{}
	for i := range 1000 { // 128 labels of one octet are passed over, then 128 of two for each last octet but one
		label := freshLabel(maps.Keys(taken))
		if name := domain.Name(label + "\x00"); taken[name] || int(label[0]) != len(label)-1 {
			t.Fatalf("after %d labels, %q is not fresh", i, label)
		}
		taken[domain.Name(label+"\x00")] = true
	}
}

func TestRPZIP(t *testing.T) {
	t.Parallel()
	for network, want := range map[string]string{
		"192.0.2.1/32":                          "32.1.2.0.192.rpz-ip",
		"198.51.100.0/24":                       "24.0.100.51.198.rpz-ip",
		"2001:db8::/32":                         "32.zz.db8.2001.rpz-ip",
		"2001:db8::1/128":                       "128.1.zz.db8.2001.rpz-ip",
		"2001:db8:0:1::/64":                     "64.zz.1.0.db8.2001.rpz-ip",
		"2001:db8:0:0:1:0:0:1/128":              "128.1.zz.1.0.0.db8.2001.rpz-ip",
		"2001:db8:1:1:1:1:0:1/128":              "128.1.0.1.1.1.1.db8.2001.rpz-ip",
		"2001:db8:1111:2222:3333:4444:5555:666": "",
	} {
		p, err := netip.ParsePrefix(network)
		if want == "" {
			p, err = netip.MustParseAddr(network).Prefix(128)
			want = "128.666.5555.4444.3333.2222.1111.db8.2001.rpz-ip"
		}
		if got := rpzIP(p); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", network, got, err, want)
		}
	}
}

// load loads lists.
func load(t *testing.T, sources ...blocklists.Source) []*blocklists.List {
	t.Helper()
	var lists []*blocklists.List
	for _, src := range sources {
		l, err := blocklists.Load(t.Context(), src, nil)
		if err != nil {
			t.Fatal(err)
		}
		lists = append(lists, l)
	}
	return lists
}

// written is what write writes.
func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var text strings.Builder
	if err := write(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// matchesByName is rules 1 and 2 of package blocklists.
func matchesByName(set *blocklists.Set, name domain.Name) bool {
	return slices.ContainsFunc(set.Match(nil, []byte(name)), func(m blocklists.Match) bool { return !m.CDN })
}

func TestRPZRefusesWhatTheListsRefuse(t *testing.T) {
	t.Parallel()
	lists := load(t,
		blocklists.Source{Name: "all", Source: "builtin:bytedance-all"},
		blocklists.Source{Name: "extra", Inline: []string{
			"*.only-below.example", "=only-this.example", "=www.tiktok.com", "*.tiktokcdn.com", "_odd.example",
		}})
	set, err := blocklists.Compile(lists, nil)
	if err != nil {
		t.Fatal(err)
	}
	origin := domain.MustParse("rpz.cordon.invalid")
	zone := parsePolicyZone(t, origin, written(t, RPZ{
		Origin: origin, TTL: time.Minute, Serial: 1, Lists: lists, Networks: true,
		Policies: []*policy.Policy{{Name: "ban", Lists: []string{"all"}}, {Name: "more", Lists: []string{"extra"}, Answer: policy.NoData}},
	}.Write))
	refused, asked := 0, relatives(set)
	for _, name := range asked {
		want := matchesByName(set, name)
		for _, got := range []rpzAction{zone.lookUp(name), zone.lookUpLoosely(name)} {
			if (got != rpzNothing && got != rpzPass) != want {
				t.Errorf("%s: the zone says %d, the lists match: %v", name, got, want)
			}
		}
		if want {
			refused++
		}
	}
	if refused < 2000 || len(asked)-refused < 2000 {
		t.Errorf("%d of %d names are refused, want thousands of both kinds", refused, len(asked))
	}
}

// relatives are the names on the lists of set and others near them, in their order.
func relatives(set *blocklists.Set) []domain.Name {
	all := map[domain.Name]bool{}
	for _, l := range set.Lists() {
		for rule := range l.NameRules() {
			name := rule.Name
			above, _ := name.Parent()
			for _, n := range []domain.Name{
				name, above, "\x03www" + name, "\x01a\x01b" + name, "\x01x" + above,
				domain.Name([]byte{name[0] + 1, 'x'}) + name[1:], name[:len(name)-1] + "\x07example\x00",
			} {
				if n, ok := domain.FromWire([]byte(n)); ok && n != domain.Root {
					all[n] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func TestWhatPeopleCallThingsStaysInComments(t *testing.T) {
	t.Parallel()
	lists := load(t, blocklists.Source{Name: "a\n*\tCNAME\t.", Format: format.Networks, Inline: []string{"192.0.2.1"}})
	zone := written(t, RPZ{
		Origin: domain.MustParse("rpz.example"), TTL: time.Minute, Lists: lists,
		Policies: []*policy.Policy{{Name: "ban\r\n*\tCNAME\t.", Lists: []string{lists[0].Name()}}},
	}.Write)
	script := written(t, NFTables{Table: "cordon", Lists: lists}.Write)
	for text, want := range map[string]string{
		zone:   "\n; Policy ban  * CNAME ., in force always, answer nxdomain\n",
		script: "\n# Made by cordon export nftables of: a * CNAME .\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

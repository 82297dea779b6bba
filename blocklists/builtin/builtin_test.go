package builtin_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"cordon/blocklists/builtin"
	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

func open(t *testing.T, name string) []format.Rule {
	t.Helper()
	rules, err := builtin.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	var all []format.Rule
	for rule, err := range rules {
		if err != nil {
			t.Fatalf("list %s: %v", name, err)
		}
		all = append(all, rule)
	}
	return all
}

// holds reports whether a rule of the list is about name, on label borders.
func holds(rules []format.Rule, name string) bool {
	return slices.ContainsFunc(rules, func(rule format.Rule) bool {
		n := domain.MustParse(name)
		return rule.Name != "" && (n == rule.Name && rule.Match != format.Below ||
			n != rule.Name && rule.Match != format.Exact && n.Within(rule.Name))
	})
}

func TestPresets(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, out string }{
		{"www.tiktok.com", "tiktok bytedance bytedance-all service/tiktok", "service/capcut service/backend"},
		{"log.byteoversea.com", "tiktok bytedance bytedance-all service/backend", "service/tiktok"},
		{"dig.bdurl.net", "tiktok bytedance bytedance-all service/httpdns", "service/tiktok"},
		{"www.capcut.com", "bytedance bytedance-all service/capcut", "tiktok"},
		{"pangleglobal.com", "bytedance bytedance-all service/pangle", "tiktok"},
		{"www.larksuite.com", "bytedance-all service/lark", "tiktok bytedance"},
		{"x.volcgslb.com", "bytedance-all service/volcengine", "tiktok bytedance"},
		{"tiktok.org", "", "tiktok bytedance bytedance-all service/tiktok"}, // low confidence
		{"xtiktok.com", "", "tiktok bytedance bytedance-all"},
		{"akamaized.net", "", "tiktok bytedance bytedance-all"},
	}
	for _, test := range tests {
		for list := range strings.FieldsSeq(test.in) {
			if !holds(open(t, list), test.name) {
				t.Errorf("list %s does not hold %s", list, test.name)
			}
		}
		for list := range strings.FieldsSeq(test.out) {
			if holds(open(t, list), test.name) {
				t.Errorf("list %s holds %s", list, test.name)
			}
		}
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	rules := open(t, "bytedance-networks")
	contains := func(addr string) bool {
		return slices.ContainsFunc(rules, func(r format.Rule) bool { return r.Prefix.Contains(netip.MustParseAddr(addr)) })
	}
	for addr, want := range map[string]bool{
		"103.136.220.1":        true,  // AS138699
		"199.103.24.2":         true,  // AS396986
		"2605:340::1":          true,  // AS396986
		"180.184.1.1":          false, // AS137718, a cloud
		"161.117.93.65":        false, // Alibaba Cloud
		"2001:4860:4860::8888": false,
	} {
		if contains(addr) != want {
			t.Errorf("the networks hold %s: %v, want %v", addr, !want, want)
		}
	}
	for _, rule := range rules {
		if !rule.Prefix.IsValid() || rule.Name != "" {
			t.Errorf("line %d is about %q, want a network", rule.Line, rule.Name)
		}
	}
}

// TestAddressesAreSingle holds that nothing around an address is hit: its neighbours belong to others.
func TestAddressesAreSingle(t *testing.T) {
	t.Parallel()
	rules := open(t, "bytedance-addresses")
	listed := map[netip.Addr]bool{}
	for _, rule := range rules {
		if !rule.Prefix.IsSingleIP() {
			t.Errorf("line %d is %s, want a single address", rule.Line, rule.Prefix)
		}
		listed[rule.Prefix.Addr()] = true
	}
	for addr, want := range map[string]bool{
		"161.117.93.65":  true,
		"161.117.93.66":  false,
		"47.252.50.157":  true,
		"130.44.212.185": true,
		"180.184.1.1":    true,
		"180.184.2.2":    true,
		"180.184.2.1":    false,
		"203.107.1.1":    false, // Alibaba's own HTTPDNS
		"8.8.8.8":        false,
	} {
		if listed[netip.MustParseAddr(addr)] != want {
			t.Errorf("the addresses hold %s: %v, want %v", addr, !want, want)
		}
	}
}

// TestListsAreSound holds what is true of every list: no line is at fault, nothing stands twice, and Line leads to
// the rule.
func TestListsAreSound(t *testing.T) {
	t.Parallel()
	protected := map[domain.Name]bool{}
	for _, suffix := range builtin.ProtectedSuffixes() {
		protected[suffix.Name] = true
	}
	for _, name := range builtin.Names() {
		rules := open(t, name)
		if len(rules) == 0 {
			t.Errorf("list %s is empty", name)
		}
		text, err := builtin.Text(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(text, "\n")
		seen := map[string]bool{}
		for _, rule := range rules {
			written := map[format.Match]string{format.Subtree: "", format.Below: "*.", format.Exact: "="}[rule.Match] + rule.Name.String()
			if rule.Prefix.IsValid() {
				written = rule.Prefix.String()
			}
			if lines[rule.Line-1] != written {
				t.Errorf("list %s, line %d is %q, want %q", name, rule.Line, lines[rule.Line-1], written)
			}
			if seen[written] || protected[rule.Name] {
				t.Errorf("list %s has %s twice, or it is protected", name, written)
			}
			seen[written] = true
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	for i, rule := range open(t, "bytedance-all") {
		if i%10 != 0 {
			continue
		}
		place := builtin.Place("bytedance-all", rule.Line)
		rest, ok := strings.CutPrefix(place, "builtin:service/")
		service, number, _ := strings.Cut(rest, ":")
		var line int
		if _, err := fmt.Sscan(number, &line); err != nil || !ok {
			t.Fatalf("line %d comes from %q, want a service and a line", rule.Line, place)
		}
		text, err := builtin.Text("service/" + service)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(text, "\n")[line-1]; got != rule.Name.String() {
			t.Errorf("%s is %q, want %q", place, got, rule.Name)
		}
	}
	for _, none := range []string{
		builtin.Place("tiktok", 0), builtin.Place("tiktok", -1), builtin.Place("tiktok", 1<<30), builtin.Place("none", 1),
	} {
		if none != "" {
			t.Errorf("a line that there is not comes from %q", none)
		}
	}
	if got := builtin.Path("tiktok"); got != "builtin:tiktok" {
		t.Errorf("the path of tiktok is %q", got)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	lists := builtin.Lists()
	wantPresets := []string{"tiktok", "bytedance", "bytedance-all", "bytedance-networks", "bytedance-addresses"}
	var names []string
	for i, list := range lists {
		names = append(names, list.Name)
		if list.Title == "" || list.About == "" {
			t.Errorf("list %s: no title, or nothing about it", list.Name)
		}
		if service := strings.HasPrefix(list.Name, "service/"); service != (i >= len(wantPresets)) || service != (list.Tier != 0) {
			t.Errorf("list %s stands at %d with tier %d", list.Name, i, list.Tier)
		}
	}
	if !slices.Equal(names[:5], wantPresets) || !slices.IsSorted(names[5:]) || !slices.Equal(names, builtin.Names()) {
		t.Errorf("the lists are %q", names)
	}
	if i := slices.Index(names, "service/lark"); lists[i].Tier != 3 || lists[i].Title != "Lark / Feishu" ||
		!strings.Contains(lists[i].Collateral, "meetings") {
		t.Errorf("service/lark is %+v", lists[i])
	}
	if all := lists[2].Services; len(all) != len(names)-5 {
		t.Errorf("bytedance-all has %d services of %d", len(all), len(names)-5)
	}
	if !slices.Contains(names, builtin.Default) {
		t.Errorf("the default %q is no list", builtin.Default)
	}
}

func TestUnknownList(t *testing.T) {
	t.Parallel()
	const presets = "tiktok, bytedance, bytedance-all, bytedance-networks, bytedance-addresses"
	tests := []struct{ name, want string }{
		{"capcut", "want service/capcut, or"},
		{"tiktk", "want tiktok or service/tiktok, or"},
		{"service/capcutt", "want service/capcut, or"},
		{"Lark", "want service/lark, or"},
		{"shop", "want service/tiktok-shop, or"},
		{"", "want a preset"},
		{"nothing-like-it", "want a preset"},
		{strings.Repeat("x", 1<<20), "want a preset"},
		{"../networks", presets},
		{"service/../networks", presets},
		{"service/", presets},
	}
	for _, test := range tests {
		_, err := builtin.Open(test.name)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), presets) {
			t.Errorf("list %.40q: %.200v, want an error with %q and the presets", test.name, err, test.want)
		}
		if _, err := builtin.Text(test.name); err == nil {
			t.Errorf("list %.40q has a text", test.name)
		}
	}
}

func TestSuffixes(t *testing.T) {
	t.Parallel()
	has := func(suffixes []builtin.Suffix, name string) bool {
		return slices.ContainsFunc(suffixes, func(s builtin.Suffix) bool { return s.Name == domain.MustParse(name) && s.Operator != "" })
	}
	tests := []struct {
		name              string
		shared, protected bool
	}{
		{"edgesuite.net", true, true},
		{"cdn.cloudflare.net", true, true},
		{"trafficmanager.net", true, true},
		{"footprint.net", true, true},
		{"atomile.com", true, false},
		{"rocket-cdnbp.com", true, false},
		{"qq.com", false, true},
		{"cmbchina.com", false, true},
		{"189.cn", false, true},
		{"app-measurement.com", false, true},
		{"app.link", false, true},
		{"amazonaws.com", false, true},
		{"tiktok.com", false, false},
	}
	shared, protected := builtin.SharedSuffixes(), builtin.ProtectedSuffixes()
	for _, test := range tests {
		if has(shared, test.name) != test.shared || has(protected, test.name) != test.protected {
			t.Errorf("%s: want shared %v, protected %v, and an operator", test.name, test.shared, test.protected)
		}
	}
	labels := builtin.OperatorLabels()
	if !slices.IsSorted(labels) || !slices.Contains(labels, "c") || slices.Contains(labels, "bytegeo") {
		t.Errorf("the operators' labels are %q", labels)
	}
}

// TestCarriedNamesAreDerivable takes every name of the fact base that a CDN carries, <listed name>.<label?>.<shared
// suffix>, and wants it to follow from the listed name, the label and the suffix: so that the next such name is
// judged without being listed.
func TestCarriedNamesAreDerivable(t *testing.T) {
	t.Parallel()
	rules := map[domain.Name]bool{}
	for _, rule := range open(t, "bytedance-all") {
		rules[rule.Name] = true
	}
	listed := func(name domain.Name) bool {
		for ancestor := range name.Ancestry() {
			if rules[ancestor] {
				return true
			}
		}
		return false
	}
	labels := builtin.OperatorLabels()
	carried, used := 0, map[string]bool{}
	shared := map[domain.Name]bool{}
	for _, suffix := range builtin.SharedSuffixes() {
		shared[suffix.Name] = true
	}
	for _, name := range factNames(t) {
		if above, _ := name.Parent(); listed(above) {
			continue // it lies within another listed name, as www.tiktok.com does
		}
		front, ok := inFront(name, shared)
		switch {
		case !ok:
		case listed(front):
			carried++
		default:
			rest, label, ok := cutLast(front)
			if !ok || !listed(rest) {
				continue // of another form
			}
			carried++
			used[label] = true
			if !slices.Contains(labels, label) {
				t.Errorf("%s: the label %q is not among the operators'", name, label)
			}
		}
	}
	if carried < 100 {
		t.Errorf("%d carried names in the fact base, want more than 100: the test looks at the wrong ones", carried)
	}
	for _, label := range labels {
		if !used[label] {
			t.Errorf("the label %q is in no name of the fact base", label)
		}
	}
}

// factNames is every name of the fact base of high or medium confidence.
func factNames(t *testing.T) []domain.Name {
	t.Helper()
	text, err := os.ReadFile("gen/bytedance-services.json")
	if err != nil {
		t.Fatal(err)
	}
	var facts struct {
		Services []struct {
			Domains []struct{ Name, Confidence string }
		}
	}
	if err := json.Unmarshal(text, &facts); err != nil {
		t.Fatal(err)
	}
	var names []domain.Name
	for _, service := range facts.Services {
		for _, entry := range service.Domains {
			if entry.Confidence != "low" {
				names = append(names, domain.MustParse(entry.Name))
			}
		}
	}
	return names
}

// inFront is what stands in front of the longest shared suffix of name.
func inFront(name domain.Name, shared map[domain.Name]bool) (front domain.Name, ok bool) {
	for ancestor := range name.Ancestry() {
		if ancestor != name && shared[ancestor] {
			return name[:len(name)-len(ancestor)] + domain.Root, true
		}
	}
	return "", false
}

// cutLast splits the last label off name.
func cutLast(name domain.Name) (rest domain.Name, label string, ok bool) {
	text := name.String()
	dot := strings.LastIndexByte(text, '.')
	if dot < 0 {
		return "", "", false
	}
	return domain.MustParse(text[:dot]), text[dot+1:], true
}

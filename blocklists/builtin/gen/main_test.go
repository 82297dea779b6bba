package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestDataIsUpToDate fails when the fact base or the generator has changed and the data files have not.
func TestDataIsUpToDate(t *testing.T) {
	t.Parallel()
	want, err := generate(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{}
	root := os.DirFS("../data")
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		got[name], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !bytes.Equal(got[name], want[name]) {
			t.Errorf("data/%s is not what the generator makes: run go generate ./blocklists/builtin", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("data/%s is not made by the generator: run go generate ./blocklists/builtin", name)
	}
}

func TestNamesOfAService(t *testing.T) {
	t.Parallel()
	const head = `{"services": [{"id": "x", "name": "X", "kind": "core", "tier": 2, "about": "About.", "collateral": "C.", "domains": [`
	files, err := generateWith(t, head+`
		{"name": "b.example", "match": "subtree", "confidence": "medium"},
		{"name": "c.example", "match": "exact", "confidence": "high"},
		{"name": "a.example", "match": "subtree", "confidence": "medium"},
		{"name": "low.example", "match": "subtree", "confidence": "low"}
	]}]`)
	if err != nil {
		t.Fatal(err)
	}
	want := `# Made by blocklists/builtin/gen from the fact base beside it. Change that, not this file.
# service: x
# title: X
# tier: 2
# about: About.
# collateral: C.

# high confidence: independent sources agree, or first-party configuration or documentation has the name
=c.example

# medium confidence: one source, or several that copy each other
a.example
b.example
`
	if got := string(files["names/x.txt"]); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestFaultsOfTheFactBase(t *testing.T) {
	t.Parallel()
	service := func(domains string) string {
		return `{"services": [{"id": "x", "tier": 1, "domains": [` + domains + `]}]`
	}
	tests := []struct{ about, services, want string }{
		{"no name", service(`{"name": "a..b", "match": "subtree", "confidence": "high"}`), "two dots"},
		{"not canonical", service(`{"name": "A.example", "match": "subtree", "confidence": "high"}`), `want "a.example"`},
		{"match", service(`{"name": "a.example", "match": "regex", "confidence": "high"}`), "want subtree or exact"},
		{"confidence", service(`{"name": "a.example", "match": "subtree"}`), "want high, medium or low"},
		{"twice", service(`{"name": "a.example", "match": "subtree", "confidence": "high"},
			{"name": "a.example", "match": "exact", "confidence": "high"}`), "stands twice"},
		{"tier", `{"services": [{"id": "x", "tier": 4}]`, "want 1 to 3"},
		{"service twice", `{"services": [{"id": "x", "tier": 1}, {"id": "x", "tier": 1}]`, "stands twice"},
		{"no JSON", `{"services": 1`, "read fact base"},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			t.Parallel()
			if _, err := generateWith(t, test.services); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestEverySuffixIsClassified(t *testing.T) {
	t.Parallel()
	facts, err := readFacts(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	known := facts.ProtectedSuffixes.Suffixes
	if _, err := suffixes(append(slices.Clone(known), protectedSuffix{"new.example", "new"})); err == nil {
		t.Error("no error for a suffix that is in no group")
	}
	if _, err := suffixes(known[1:]); err == nil {
		t.Error("no error for a suffix that has gone from the fact base")
	}
	if _, err := suffixes(append(slices.Clone(known), known[0])); err == nil {
		t.Error("no error for a suffix that stands twice")
	}
}

func TestNetworksAreOwn(t *testing.T) {
	t.Parallel()
	text, err := networks([]network{
		{ASN: 138699, Prefixes: []string{"2001:db8::/32", "198.51.100.0/24", "192.0.2.0/24", "192.0.2.0/24"}},
		{ASN: 137718, Prefixes: []string{"203.0.113.0/24"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n192.0.2.0/24\n198.51.100.0/24\n2001:db8::/32\n"; !strings.HasSuffix(string(text), want) {
		t.Errorf("got %q, want it to end in %q", text, want)
	}
	if _, err := networks([]network{{ASN: 396986, Prefixes: []string{"192.0.2.0"}}}); err == nil {
		t.Error("no error for a prefix that is none")
	}
}

func TestFaultsOfAddresses(t *testing.T) {
	t.Parallel()
	group := func(addresses ...string) addressGroup {
		return addressGroup{Use: "x.example", Holder: "H", Source: "S", Date: "2020", Addresses: addresses}
	}
	text, err := addresses(&addressFacts{Groups: []addressGroup{group("2001:db8::1", "192.0.2.2", "192.0.2.1")}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n# H: x.example. Seen 2020: S\n192.0.2.1/32\n192.0.2.2/32\n2001:db8::1/128\n"; !strings.HasSuffix(string(text), want) {
		t.Errorf("got %q, want it to end in %q", text, want)
	}
	for want, groups := range map[string][]addressGroup{
		"stands twice": {group("192.0.2.1"), group("192.0.2.1")},
		"ParseAddr":    {group("192.0.2.0/24")},
		"want all":     {{Use: "x.example", Addresses: []string{"192.0.2.1"}}},
	} {
		if _, err := addresses(&addressFacts{Groups: groups}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// generateWith generates from a fact base with these services, an object that is not closed, and the rest as it is.
func generateWith(t *testing.T, services string) (map[string][]byte, error) {
	t.Helper()
	all, err := os.ReadFile("bytedance-services.json")
	if err != nil {
		t.Fatal(err)
	}
	var rest map[string]json.RawMessage
	if err := json.Unmarshal(all, &rest); err != nil {
		t.Fatal(err)
	}
	nets, err := os.ReadFile("bytedance-networks.json")
	if err != nil {
		t.Fatal(err)
	}
	return generate(fstest.MapFS{
		"bytedance-services.json":  {Data: []byte(services + `, "protected_suffixes": ` + string(rest["protected_suffixes"]) + `}`)},
		"bytedance-networks.json":  {Data: nets},
		"bytedance-addresses.json": {Data: []byte("{}")},
	})
}

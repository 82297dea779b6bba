//go:build linux

package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// signedTree is a tree of zones from the root down, all on one server:
//
//	. ─┬─ example      NSEC                   ─┬─ signed
//	   ├─ example.net  NSEC3                   ├─ unsigned
//	   ├─ example.org  NSEC3 with opt-out      └─ bogus (of example only): its data was changed after it was signed
//	   └─ example.com  not signed
type signedTree struct {
	authority *dnsServer
	anchor    *dns.DNSKEY // the root's key
}

// treeZone is a zone of the tree: its name, its file in testdata/signed, and what dnssec-signzone is told, nil for a zone that is
// not signed.
type treeZone struct {
	name, file string
	signing    []string
}

// Children come before their parents, which need to know their keys.
var treeZones = func() []treeZone {
	nsec, nsec3, optOut := []string{}, []string{"-3", "-", "-H", "0"}, []string{"-3", "-", "-H", "0", "-A"}
	return []treeZone{
		{"signed.example", "child", nsec},
		{"unsigned.example", "child", nil},
		{"bogus.example", "child", nsec},
		{"example", "example", nsec},
		{"signed.example.net", "child", nsec3},
		{"unsigned.example.net", "child", nil},
		{"example.net", "example.net", nsec3},
		{"signed.example.org", "child", nsec},
		{"unsigned.example.org", "child", nil},
		{"under.of.empty.example.org", "child", nil},
		{"example.org", "example.org", optOut},
		{"example.com", "example.com", nil},
		{".", "root", nsec},
	}
}()

// plantTree signs the zones with new keys and serves them.
func plantTree(t *testing.T) *signedTree {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{}
	tree := new(signedTree)
	for _, z := range treeZones {
		source, err := filepath.Abs(filepath.Join("testdata/signed", z.file+".zone"))
		if err != nil {
			t.Fatal(err)
		}
		files[z.name] = source
		if z.signing == nil {
			continue
		}
		key := strings.TrimSpace(runTool(t, "dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-K", dir, z.name))
		files[z.name] = filepath.Join(dir, "signed."+z.name)
		args := append([]string{"-q", "-z", "-S", "-g", "-d", dir, "-K", dir, "-o", z.name, "-f", files[z.name]}, z.signing...)
		runTool(t, "dnssec-signzone", append(args, source)...)
		if z.name == "." {
			tree.anchor = readKey(t, filepath.Join(dir, key+".key"))
		}
	}
	falsify(t, files["bogus.example"])
	tree.authority = startAuthority(t, files)
	return tree
}

func readKey(t *testing.T, file string) *dns.DNSKEY {
	t.Helper()
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	rr, err := dns.ReadRR(text, file)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := rr.(*dns.DNSKEY)
	if !ok {
		t.Fatalf("%s has no key but %v", file, rr)
	}
	return key
}

// falsify changes the addresses in a signed zone.
func falsify(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, strings.ReplaceAll(string(text), "192.0.2.14", "192.0.2.24"), file)
}

// runTool runs a program to its end and returns what it wrote to its standard output.
func runTool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := findTool(name)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

package querylog

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2027, 3, 4, 12, 0, 0, 0, time.UTC)

func TestPseudonymsAreOfADay(t *testing.T) {
	client, other := netip.MustParseAddr("10.10.7.42"), netip.MustParseAddr("10.10.7.43")
	n := namer{}
	first := n.of(client, noon)
	if !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(first.text) {
		t.Errorf("%q is no pseudonym", first.text)
	}
	if first != n.of(client, noon.Add(11*time.Hour)) {
		t.Error("a client has two pseudonyms on one day")
	}
	if first == n.of(other, noon) {
		t.Error("two clients have one pseudonym")
	}
	next := n.of(client, noon.Add(12*time.Hour))
	if next == first {
		t.Error("the pseudonym is the same on the next day")
	}
	if again := n.of(client, noon); again == first || again == next {
		t.Error("the key of a day that was over was still there")
	}
	if fresh := new(namer).of(client, noon); fresh == first {
		t.Error("two servers have the same key without a file")
	}
	if want := "100::" + strings.Join(quarters(first.text), ":"); first.addr != netip.MustParseAddr(want) {
		t.Errorf("as an address it is %s, want %s", first.addr, want)
	}
}

func quarters(text string) []string { return []string{text[:4], text[4:8], text[8:12], text[12:]} }

func TestServersWithOneKeyFileShareAPseudonym(t *testing.T) {
	client := netip.MustParseAddr("2001:db8:1:2::42")
	key := []byte(strings.Repeat("k", 32))
	a, b := namer{shared: key}, namer{shared: key}
	b.of(client, noon.Add(-24*time.Hour))
	first := a.of(client, noon)
	if first != b.of(client, noon) {
		t.Error("two servers with one key have two pseudonyms")
	}
	if first == a.of(client, noon.Add(24*time.Hour)) {
		t.Error("the pseudonym is the same on the next day")
	}
	// A /64 is one client, as everywhere in Cordon: a device has as many addresses of it as it likes.
	if first != b.of(netip.MustParseAddr("2001:db8:1:2::43"), noon) || first == b.of(netip.MustParseAddr("2001:db8:1:3::42"), noon) {
		t.Error("an IPv6 client is not its /64")
	}
	const want = "8cbacc6200628dd4" // what servers of other releases have to agree on
	if first.text != want {
		t.Errorf("the pseudonym is %s, want %s", first.text, want)
	}
}

func TestTruncatedAndNamelessClients(t *testing.T) {
	for client, want := range map[string]string{
		"10.10.7.42": "10.10.7.0/24", "2001:db8:1:2::42": "2001:db8:1::/48", "fe80::1%eth0": "fe80::/48",
	} {
		n := namer{naming: Truncated}
		if got := n.of(netip.MustParseAddr(client), noon); got.text != want || got.addr.String()+"/" != want[:strings.Index(want, "/")+1] {
			t.Errorf("%s is %+v, want %s", client, got, want)
		}
		n = namer{naming: Nameless}
		if got := n.of(netip.MustParseAddr(client), noon); got != (called{}) {
			t.Errorf("%s is %+v, want nothing", client, got)
		}
	}
}

func TestAKeyFileIsAKey(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		strings.Repeat("k", 32) + "\n":   "",
		strings.Repeat("k", 4096):        "",
		strings.Repeat("s", 31) + "\r\n": "has 31 octets: want 32 to 4096",
		strings.Repeat("s", 4100):        "want 32 to 4096",
		"":                               "has 0 octets",
	} {
		path := filepath.Join(dir, "key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := readKey(path)
		switch {
		case want == "" && (err != nil || string(key) != strings.TrimSpace(text)):
			t.Errorf("%d octets: %d, %v", len(text), len(key), err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sss")):
			t.Errorf("%d octets: %v, want %q", len(text), err, want)
		}
	}
	for path, want := range map[string]string{dir: "not a regular file", filepath.Join(dir, "none"): "none"} {
		if _, err := readKey(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

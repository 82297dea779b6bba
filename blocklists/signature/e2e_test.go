package signature_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/blocklists/signature"
)

// TestE2EMinisign signs with Debian's minisign.
func TestE2EMinisign(t *testing.T) {
	if os.Getenv("CORDON_E2E") != "1" {
		t.Skip("CORDON_E2E is not 1")
	}
	if _, err := exec.LookPath("minisign"); err != nil {
		t.Fatalf("%v: Debian has it in minisign", err)
	}
	dir := t.TempDir()
	minisign := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "minisign", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("minisign %q: %v\n%s", args, err, out)
		}
	}
	content := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	list := strings.Repeat("tiktok.com\n", 100_000)
	if err := os.WriteFile(filepath.Join(dir, "list.txt"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	minisign("-G", "-W", "-p", "pub", "-s", "key")
	key := parseKey(t, content("pub"))
	for name, args := range map[string][]string{"hashed": nil, "unhashed": {"-l"}} {
		minisign(append([]string{"-S", "-s", "key", "-m", "list.txt", "-x", name}, args...)...)
		s, err := signature.Verify(key, strings.NewReader(list), []byte(content(name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if age := time.Since(s.Time); age < -time.Second || age > time.Minute {
			t.Errorf("%s: its time is %v, want now", name, s.Time)
		}
		_, err = signature.Verify(key, strings.NewReader(list[1:]), []byte(content(name)))
		wants(t, err, "signed other content than this")
	}
	_, err := signature.ParseKey(content("key"))
	wants(t, err, "SECRET")
}

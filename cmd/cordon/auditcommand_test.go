package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The last line has no end: a server that writes the log may be about to finish it, else it was cut.
func TestAuditVerifySaysThatTheLastLineHasNoEnd(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		x.begin()
		time.Sleep(time.Minute)
		path := filepath.Join(dir, "audit-000000000001.jsonl")
		get := func() string {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		put := func(text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		text := get()
		put(text + `{"seq":`)
		var out bytes.Buffer
		if err := verifyAudit(&out, dir, ""); err != nil {
			t.Error(err)
		}
		if want := "note: " + path + ":7: the last line has no end yet"; !strings.HasPrefix(out.String(), want) || !strings.Contains(out.String(), "\nintact: 6 entries") {
			t.Errorf("verify says %q, want %q", out.String(), want)
		}
		put(text)
		x.end()
		put(strings.TrimSuffix(get(), "\n"))
		out.Reset()
		err := verifyAudit(&out, dir, "")
		if want := "not intact: " + path + ":7: cut: the last line has no end"; err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("verify says %v, %q; want %q", err, out.String(), want)
		}
	})
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/cmd/cordon/audit"
)

// A log that somebody altered is shown to an administrator: nothing in it reaches the terminal as an order.
func TestWhatIsShownOfAnAuditLogMovesNoTerminal(t *testing.T) {
	const order = "\x1b[2J\u202e"
	e := audit.Entry{Kind: "held" + order, What: order, Reason: order, Missing: 1 << 63}
	if text := auditText(&e); oneLine(text) != text || !strings.Contains(text, "missing") {
		t.Errorf("shown as %q", text)
	}
	const first = `{"seq":1,"time":"2026-10-01T00:00:00Z","prev":"` + "0000000000000000000000000000000000000000000000000000000000000000" +
		`","event":"torn","what":"\u001b[2J"}` + "\n"
	for name, text := range map[string]string{
		"a note":   first,
		"a damage": first + `{"seq":2,"time":"2026-10-01T00:00:00Z","prev":"\u001b[2J","event":"stop"}` + "\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "audit-000000000001.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		if err := verifyAudit(&said, dir, ""); err != nil {
			said.WriteString(err.Error())
		}
		if !strings.Contains(said.String(), "[2J") || strings.Contains(said.String(), "\x1b") {
			t.Errorf("%s is said as %q", name, said.String())
		}
	}
}

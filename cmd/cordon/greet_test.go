package main

import (
	"testing"

	"cordon/config"
)

func TestGreetingSaysWhatIsKept(t *testing.T) {
	for _, c := range []struct{ state, audit, want string }{
		{"", "", "nothing: no last good policy for a restart, no audit log (set state_dir)"},
		{"", "/a", "the audit log in /a, no last good policy for a restart (set state_dir)"},
		{"/s", "", "the last good policy in /s, the audit log in /s/audit"},
		{"/s", "/a", "the last good policy in /s, the audit log in /a"},
	} {
		s := &config.Service{StateDir: c.state}
		s.Audit.Dir = c.audit
		if got := keptText(s); got != c.want {
			t.Errorf("state_dir %q, audit dir %q: says %q, want %q", c.state, c.audit, got, c.want)
		}
	}
}

package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode"

	"cordon/blocklists/domain"
	"cordon/blocklists/format"
)

// FuzzNames compares with an oracle that holds the whole list as strings.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{
		"", "tiktok.com\n*.a.example # c\r\n=b.example", "\xef\xbb\xbf#\n\n a b\n||c^", "*\n*.\n=\n.\n1.2.3.4\nü.example\na\rb", "=a\x0b# b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { compare(t, format.Names, text, oracleName) })
}

// FuzzHosts compares with an oracle that holds the whole list as strings.
func FuzzHosts(f *testing.F) {
	for _, seed := range []string{
		"", "0.0.0.0 a.example B.example.\r\n:: c.example#d", "127.0.0.1 localhost\n0.0.0.0\na.example", "0 a.example\n0\n0 # x\n00 a", "\xef\xbb\xbf::1 IP6-x a..b * 1.2.3",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { compare(t, format.Hosts, text, oracleHost) })
}

// FuzzNetworks compares with an oracle that holds the whole list as strings.
func FuzzNetworks(f *testing.F) {
	for _, seed := range []string{"", "192.0.2.0/24 # c\n2001:db8::1\r\n192.0.2.1/24\n::ffff:192.0.2.0/120\n0.0.0.0/0\nfe80::1%a\n::/1 x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { compare(t, format.Networks, text, oracleNetwork) })
}

// FuzzRead looks only at what holds for every format: whatever the text, the rules are sound and the faults can be printed.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"[Adblock Plus]\n||a.example^$important\n@@||b.example^|\n|c.example^\n*.d.example\n/x/\na##b\n0.0.0.0 e.example",
		"address=/a.example/b.example/#\nlocal=/*.c.example/ # x\nserver=/d.example/#\nserver=/e.example/192.0.2.1\naddress=//::\n",
		"server:\n local-zone: \"a.example\" redirect\n local-data: 'a.example A 0.0.0.0'\n local-zone:b.example static#\nlocal-zone: \"c",
		"$ORIGIN rpz.example.\n$TTL 1h\n@ IN SOA a. b. (\n 1 1 1 1 1 ) ; x\n NS c.\n*.a CNAME .\nb 60 IN A 192.0.2.1\n 24.0.2.0.192.rpz-ip CNAME *.\n",
		"x TXT (\"a;\" \n\n128.1.zz.db8.2001.rpz-ip CNAME rpz-passthru.\n( ( )\n\\042.a CNAME a\\..\n$ORIGIN \\.\n# end of list: 3 entries",
		"\xfe\xff\x00a\x00.\x00b", "\x1f\x8b\x08", "\x28\xb5\x2f\xfd",
	} {
		for kind := range formats() {
			f.Add(uint8(kind), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, text []byte) {
		r := format.NewReader(format.Format(kind%8), bytes.NewReader(text))
		last, ended := 0, false
		for rule, err := range r.Rules() {
			if ended {
				t.Fatal("a step behind an error that ends the list")
			}
			line := rule.Line
			switch fault, skipped := errors.AsType[*format.LineError](err); {
			case skipped:
				line = fault.Line
				if len(fault.Text) > 80 || fault.Reason == "" || strings.IndexFunc(fault.Text, unprintable) >= 0 ||
					strings.IndexFunc(fault.Reason, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
					t.Fatalf("fault %q, %q", fault.Text, fault.Reason)
				}
			case err != nil:
				ended = true
				continue
			default:
				sound(t, rule)
			}
			if line < max(last, 1) {
				t.Fatalf("line %d after line %d", line, last)
			}
			last = line
		}
		if !ended && last > 0 && r.Lines() == 0 {
			t.Fatal("no lines but rules")
		}
	})
}

// sound checks that a rule is about one thing, and that thing is well formed.
func sound(t *testing.T, rule format.Rule) {
	t.Helper()
	if rule.Prefix.IsValid() {
		if rule.Name != "" || rule.Prefix.Masked() != rule.Prefix || rule.Prefix.Bits() < 1 || rule.Prefix.Addr().Is4In6() {
			t.Fatalf("rule %+v", rule)
		}
		return
	}
	if copied, ok := domain.FromWire([]byte(rule.Name)); !ok || copied != rule.Name || rule.Name == domain.Root {
		t.Fatalf("rule for %q", string(rule.Name))
	}
}

// compare reads text and asks the oracle for the same. The oracle gives for each line the steps, "fault" for one that
// is skipped.
func compare(t *testing.T, f format.Format, text string, oracle func(line string) []string) {
	t.Helper()
	for _, start := range []string{"\xff\xfe", "\xfe\xff", "\x1f\x8b", "\x28\xb5\x2f\xfd"} {
		if strings.HasPrefix(text, start) {
			t.Skip("the oracle knows UTF-8 only")
		}
	}
	var got []string
	for rule, err := range format.Read(f, strings.NewReader(text)) {
		fault, skipped := errors.AsType[*format.LineError](err)
		switch {
		case skipped:
			if len(fault.Text) > 80 || fault.Reason == "" || strings.IndexFunc(fault.Text, unprintable) >= 0 {
				t.Fatalf("fault %q, %q", fault.Text, fault.Reason)
			}
			got = append(got, fmt.Sprintf("%d fault", fault.Line))
		case err != nil:
			if !strings.HasPrefix(err.Error(), "read list: ") {
				t.Fatalf("after %d steps: %v", len(got), err)
			}
			return
		case rule.Prefix.IsValid():
			got = append(got, fmt.Sprintf("%d %s", rule.Line, rule.Prefix))
		default:
			got = append(got, fmt.Sprintf("%d %s %s", rule.Line, rule.Match, rule.Name))
		}
	}
	var want []string
	for i, line := range strings.Split(strings.TrimPrefix(text, "\xef\xbb\xbf"), "\n") {
		for _, step := range oracle(strings.TrimSuffix(line, "\r")) {
			want = append(want, fmt.Sprintf("%d %s", i+1, step))
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%q: got %q, want %q", text, got, want)
	}
}

func unprintable(r rune) bool { return r < ' ' || r > '~' }

func words(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r", r) })
}

func oracleName(line string) []string {
	fields := words(line)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return nil
	}
	if len(fields) > 1 && !strings.HasPrefix(fields[1], "#") {
		return []string{"fault"}
	}
	match, name := "subtree", fields[0]
	switch {
	case strings.HasPrefix(name, "="):
		match, name = "exact", name[1:]
	case strings.HasPrefix(name, "*.") && name != "*.":
		match, name = "below", name[2:]
	}
	if name = plainName(name); name == "" {
		return []string{"fault"}
	}
	return []string{match + " " + name}
}

func oracleHost(line string) []string {
	line, _, _ = strings.Cut(line, "#")
	fields := words(line)
	if len(fields) == 0 {
		return nil
	}
	if _, err := netip.ParseAddr(fields[0]); err != nil && fields[0] != "0" || len(fields) == 1 {
		return []string{"fault"}
	}
	own := []string{"local", "broadcasthost"}
	for _, digit := range []string{"", "4", "6"} {
		own = append(own, "localhost"+digit)
		for _, other := range []string{"", "4", "6"} {
			own = append(own, "localhost"+digit+".localdomain"+other)
		}
	}
	var steps []string
	for _, field := range fields[1:] {
		name := plainName(field)
		loopback := strings.HasPrefix(name, "ip6-") && !strings.Contains(name, ".")
		switch {
		case field == "0.0.0.0" || loopback || slices.Contains(own, name):
		case name == "":
			steps = append(steps, "fault")
		default:
			steps = append(steps, "subtree "+name)
		}
	}
	return steps
}

func oracleNetwork(line string) []string {
	line, _, _ = strings.Cut(line, "#")
	fields := words(line)
	if len(fields) == 0 {
		return nil
	}
	text := fields[0]
	if !strings.Contains(text, "/") {
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			text = fmt.Sprintf("%s/%d", addr.Unmap(), addr.Unmap().BitLen())
		}
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil || len(fields) > 1 {
		return []string{"fault"}
	}
	addr, bits := prefix.Addr(), prefix.Bits()
	if addr.Is4In6() {
		addr, bits = addr.Unmap(), bits-96
	}
	if masked, err := addr.Prefix(bits); err != nil || bits < 1 || masked.Addr() != addr {
		return []string{"fault"}
	}
	return []string{fmt.Sprintf("%s/%d", addr, bits)}
}

// plainName is the name in text, "" if a list may not have it.
func plainName(text string) string {
	name, err := domain.Parse(text)
	if err != nil || strings.ContainsAny(text, `*\`) || name == domain.Root {
		return ""
	}
	labels := strings.Split(name.String(), ".")
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return ""
	}
	return name.String()
}

package format_test

import (
	"errors"
	"strings"
	"testing"

	"cordon/blocklists/format"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	comment := "# " + strings.Repeat("x", 97) + "\n"
	tests := []struct {
		about, head string
		want        format.Format
		fault       string // part of the error
	}{
		{"names", "# list\n\ntiktok.com\n*.douyin.com\n", format.Names, ""},
		{"one name", "tiktok.com", format.Names, ""},
		{"names with comments", "tiktok.com # 0.0.0.0\n", format.Names, ""},
		{"names, one bad line", "tiktok.com\ntiktokv.com\n||x.example^\n", format.Names, ""},
		{"hosts", "# hosts\n127.0.0.1 localhost\n0.0.0.0 tiktok.com\n", format.Hosts, ""},
		{"hosts with tabs and IPv6", "::\ttiktok.com\r\n::\tdouyin.com\r\n", format.Hosts, ""},
		{"networks", "192.0.2.0/24\n2001:db8::/32 # doc\n", format.Networks, ""},
		{"addresses", "192.0.2.1\n192.0.2.2\n", format.Networks, ""},
		{"byte order mark", "\xef\xbb\xbf0.0.0.0 tiktok.com\n", format.Hosts, ""},
		{"a header of 3 KiB", strings.Repeat(comment, 30) + "0.0.0.0 tiktok.com\n", format.Hosts, ""},
		{"a header of 60 KiB", strings.Repeat(comment, 600) + "0.0.0.0 tiktok.com\n", format.Hosts, ""},
		{"the last line is cut", strings.Repeat("#\n", 2037) + "0.0.0.0 a.example\n192.0.2.1 b.example", format.Hosts, ""},
		{"adblock", "[Adblock Plus]\n! Title\n||tiktok.com^\n||tiktokv.com^\n", format.Adblock, ""},
		{"adblock by its header", "! Title\n[adblock plus 2.0]\ntiktok.com\ntiktokv.com\n", format.Adblock, ""},
		{"adblock without header", "! Title\n||tiktok.com^\n@@||tiktokv.com^\n", format.Adblock, ""},
		{"dnsmasq", "# list\naddress=/tiktok.com/0.0.0.0\n", format.Dnsmasq, ""},
		{"dnsmasq, local only", "local=/tiktok.com/\nlocal=/douyin.com/\n", format.Dnsmasq, ""},
		{"unbound", "server:\n# one\n  local-zone: tiktok.com always_null\n", format.Unbound, ""},
		{"unbound without server", "local-zone: tiktok.com refuse\n", format.Unbound, ""},
		{"RPZ", "$TTL 60\n@ SOA a.example. b.example. 1 60 60 60 60\ntiktok.com CNAME .\n", format.RPZ, ""},
		{"RPZ, a long SOA", "@ IN SOA a.example. b.example. (\n1\n1h\n1h\n1h\n1h )\ntiktok.com CNAME .\n", format.RPZ, ""},
		{"RPZ without SOA", "; list\ntiktok.com\t60\tIN CNAME\t.\n", format.RPZ, ""},
		{"RPZ, local data", "tiktok.com A 192.0.2.1\n", format.RPZ, ""},

		{"nothing", "", 0, "empty"},
		{"blank lines", " \n\r\n\t", 0, "empty"},
		{"a byte order mark only", "\xef\xbb\xbf\n", 0, "empty"},
		{"comments", "# nothing yet\n", 0, "only comments"},
		{"comments without end", strings.Repeat(comment, 1000) + "tiktok.com\n", 0, "only comments in the first 65536 octets"},
		{"HTML", "\r\n <!DOCTYPE HTML><html>", 0, "an HTML page"},
		{"HTML after a byte order mark", "\xef\xbb\xbf<html lang=fr>", 0, "an HTML page"},
		{"XML", "<?xml version='1.0'?>", 0, "HTML or XML"},
		{"JSON object", `{"message": "not found"}`, 0, "JSON"},
		{"JSON array", `[ "tiktok.com"]`, 0, "JSON"},
		{"empty JSON array", `[]`, 0, "JSON"},
		{"NUL", "tiktok.com\n\x00", 0, "NUL"},
		{"xz", "\xfd7zXZ\x00", 0, "xz"},
		{"bzip2", "BZh91AY", 0, "bzip2"},
		{"zip", "PK\x03\x04", 0, "zip"},
		{"PDF", "%PDF-1.7", 0, "PDF"},
		{"carriage returns alone", "tiktok.com\rdouyin.com\r", 0, "carriage returns"},
		{"UTF-16 without a mark", "t\x00i\x00", 0, "NUL"},
		{"UTF-32", "\xff\xfe\x00\x00t\x00\x00\x00", 0, "UTF-32"},
		{"regular expressions", "(^|\\.)tiktok\\.com$\n", 0, "a regular expression"},
		{"prose", "This list has moved to another place.\n", 0, "nothing that is known"},
		{"Clash", "DOMAIN-SUFFIX,tiktok.com\n", 0, "Clash"},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			t.Parallel()
			r := format.NewReader(format.Auto, strings.NewReader(test.head))
			var fault error
			for _, err := range r.Rules() {
				if _, skipped := errors.AsType[*format.LineError](err); err != nil && !skipped {
					fault = err
				}
			}
			if test.fault == "" && (r.Format() != test.want || fault != nil) {
				t.Errorf("read as %s, %v, want %s", r.Format(), fault, test.want)
			}
			if test.fault != "" && (fault == nil || !strings.Contains(fault.Error(), test.fault)) {
				t.Errorf("read as %s, %v, want an error with %q", r.Format(), fault, test.fault)
			}
		})
	}
}

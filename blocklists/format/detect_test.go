package format_test

import (
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
		{"the last line is cut", strings.Repeat("#\n", 2037) + "0.0.0.0 a.example\n192.0.2.1 b.example", format.Hosts, ""},

		{"nothing", "", 0, "empty"},
		{"blank lines", " \n\r\n\t", 0, "empty"},
		{"a byte order mark only", "\xef\xbb\xbf\n", 0, "empty"},
		{"comments", "# nothing yet\n", 0, "only comments"},
		{"a header that is longer than the head", strings.Repeat(comment, 100) + "tiktok.com\n", 0, "only comments"},
		{"HTML", "\r\n <!DOCTYPE HTML><html>", 0, "an HTML page"},
		{"HTML after a byte order mark", "\xef\xbb\xbf<html lang=fr>", 0, "an HTML page"},
		{"XML", "<?xml version='1.0'?>", 0, "HTML or XML"},
		{"JSON object", `{"message": "not found"}`, 0, "JSON"},
		{"JSON array", `[ "tiktok.com"]`, 0, "JSON"},
		{"empty JSON array", `[]`, 0, "JSON"},
		{"NUL", "tiktok.com\n\x00", 0, "NUL"},
		{"gzip", "\x1f\x8b\x08\x00", 0, "gzip"},
		{"zstd", "\x28\xb5\x2f\xfd\x04", 0, "zstd"},
		{"xz", "\xfd7zXZ\x00", 0, "xz"},
		{"bzip2", "BZh91AY", 0, "bzip2"},
		{"zip", "PK\x03\x04", 0, "zip"},
		{"PDF", "%PDF-1.7", 0, "PDF"},
		{"UTF-16, little end first", "\xff\xfet\x00i\x00", 0, "UTF-16"},
		{"UTF-16, big end first", "\xfe\xff\x00t\x00i", 0, "UTF-16"},
		{"UTF-16 without a mark", "t\x00i\x00", 0, "NUL"},
		{"UTF-32", "\xff\xfe\x00\x00t\x00\x00\x00", 0, "UTF-32"},
		{"adblock", "[Adblock Plus]\n! Title\n||tiktok.com^\n||tiktokv.com^\n", 0, "an adblock rule"},
		{"regular expressions", "(^|\\.)tiktok\\.com$\n", 0, "a regular expression"},
		{"prose", "This list has moved to another place.\n", 0, "nothing that is known"},
		{"Clash", "DOMAIN-SUFFIX,tiktok.com\n", 0, "Clash"},
		{"RPZ", "$TTL 60\n@ SOA a.example. b.example. 1 60 60 60 60\ntiktok.com CNAME .\n", 0, "a zone file"},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			t.Parallel()
			got, err := format.Detect([]byte(test.head))
			if test.fault == "" && (got != test.want || err != nil) {
				t.Errorf("Detect = %s, %v, want %s", got, err, test.want)
			}
			if test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
				t.Errorf("Detect = %s, %v, want an error with %q", got, err, test.fault)
			}
		})
	}
}

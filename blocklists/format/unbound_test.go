package format_test

import (
	"testing"

	"cordon/blocklists/format"
)

func TestUnbound(t *testing.T) {
	t.Parallel()
	var tests []lineTest
	for _, kind := range []string{
		"always_nxdomain", "always_nodata", "always_null", "always_refuse", "always_deny", "static", "refuse", "deny", "redirect",
		"inform_deny", "inform_redirect",
	} {
		tests = append(tests, lineTest{`local-zone: "tiktok.com." ` + kind, []string{"1 subtree tiktok.com"}})
	}
	for _, kind := range []string{"transparent", "typetransparent", "always_transparent", "inform", "nodefault"} {
		tests = append(tests, lineTest{"local-zone: www.tiktok.com " + kind, []string{"1 allow subtree www.tiktok.com"}})
	}
	testLines(t, format.Unbound, append(tests, []lineTest{
		{"server:\n\tlocal-zone: 'TikTok.com' refuse # why\r\n", []string{"2 subtree tiktok.com"}},
		{`server: local-zone:"a.example"static local-zone: b.example deny#x`, []string{"1 subtree a.example", "1 subtree b.example"}},
		{"local-zone: m\u00fcnchen.example refuse", []string{"1 subtree xn--mnchen-3ya.example"}},
		{
			"local-zone: \"a.example\" redirect\nlocal-data: \"a.example 60 IN A 0.0.0.0\"\nlocal-data: \"A.example. AAAA ::\"",
			[]string{"1 subtree a.example"},
		},
		{
			"local-zone: a.example static\nlocal-data: 'www.a.example A 192.0.2.1'\nlocal-data: 'b.example. A 192.0.2.1'",
			[]string{"1 subtree a.example", "3 exact b.example"},
		},
		{
			"local-zone: a.example transparent\nlocal-data: 'ads.a.example A 0.0.0.0'",
			[]string{"1 allow subtree a.example", "2 exact ads.a.example"},
		},
		{`local-data: "tiktok.com A 0.0.0.0"`, []string{"1 exact tiktok.com"}},
		{"# local-zone: tiktok.com refuse", nil},

		{"local-zone: tiktok.com block_a", []string{"1 fault local-zone: tiktok.com block_a: …one type of query"}},
		{"local-zone: tiktok.com noview", []string{"1 fault local-zone: tiktok.com noview: …view"}},
		{"local-zone: tiktok.com nxdomain", []string{"1 fault local-zone: tiktok.com nxdomain: …not known"}},
		{"local-zone: tiktok.com", []string{"1 fault local-zone: tiktok.com: …missing"}},
		{"local-zone:", []string{"1 fault local-zone:: …missing"}},
		{`local-zone: "tiktok.com static`, []string{`1 fault local-zone: \"tiktok.com static: …found '"'`}},
		{"local-zone: . static", []string{"1 fault local-zone: . static: …the root"}},
		{"local-zone: *.tiktok.com static", []string{"1 fault local-zone: *.tiktok.com static: …first label"}},
		{"local-zone: a..example static", []string{"1 fault local-zone: a..example static: …two dots"}},
		{`local-zone: a\046b.example static`, []string{`1 fault local-zone: a\\046b.example static: …found a "\"`}},
		{"local-data: tiktok.com A 0.0.0.0", []string{"1 fault local-data: tiktok.com A 0.0.0.0: …no record"}},
		{`local-data: "tiktok.com"`, []string{`1 fault local-data: \"tiktok.com\": …no record`}},
		{`local-data-ptr: "192.0.2.1 tiktok.com"`, []string{`1 fault local-data-ptr: \"192.0.2.1 tiktok.com\": …only local-zone`}},
		{"include: /etc/other.conf", []string{"1 fault include: /etc/other.conf: …only local-zone"}},
		{"server: do-ip6: no", []string{"1 fault server: do-ip6: no: …only local-zone"}},
		{"tiktok.com", []string{"1 fault tiktok.com: …format names"}},
		{"0.0.0.0 tiktok.com", []string{"1 fault 0.0.0.0 tiktok.com: …format hosts"}},
	}...))
}

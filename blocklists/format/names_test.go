package format_test

import (
	"strings"
	"testing"

	"cordon/blocklists/format"
)

func TestNames(t *testing.T) {
	t.Parallel()
	testLines(t, format.Names, []lineTest{
		{"tiktok.com", []string{"1 subtree tiktok.com"}},
		{"TikTok.com.", []string{"1 subtree tiktok.com"}},
		{"*.tiktok.com", []string{"1 below tiktok.com"}},
		{"=p16.tiktok.com", []string{"1 exact p16.tiktok.com"}},
		{" \t tiktok.com \t ", []string{"1 subtree tiktok.com"}},
		{"tiktok.com # first", []string{"1 subtree tiktok.com"}},
		{"tiktok.com\t#first", []string{"1 subtree tiktok.com"}},
		{"com", []string{"1 subtree com"}},
		{"*.com", []string{"1 below com"}},
		{"_dmarc.example.com", []string{"1 subtree _dmarc.example.com"}},
		{"münchen.example", []string{"1 subtree xn--mnchen-3ya.example"}},
		{"1.example", []string{"1 subtree 1.example"}},
		{"example.c0m1", []string{"1 subtree example.c0m1"}},
		{"", nil},
		{" \t ", nil},
		{"# tiktok.com", nil},
		{"  # tiktok.com", nil},
		{"a.example\n\nb.example\r\n#\n c.example", []string{"1 subtree a.example", "3 subtree b.example", "5 subtree c.example"}},
		{"\xef\xbb\xbfa.example", []string{"1 subtree a.example"}},
		{"a.example\na b\nc.example", []string{"1 subtree a.example", "2 fault a b: …more than one word", "3 subtree c.example"}},

		{"a..example", []string{"1 fault a..example: …two dots"}},
		{strings.Repeat("a", 64) + ".example", []string{"1 fault aaa…a label of 64 octets"}},
		{".", []string{"1 fault .: …the root"}},
		{"*", []string{"1 fault *: …first label"}},
		{"*.", []string{"1 fault *.: …first label"}},
		{"*..", []string{"1 fault *..: …the root"}},
		{"=", []string{"1 fault =: …empty"}},
		{"=*.example.com", []string{"1 fault =*.example.com: …first label"}},
		{"*.*.example.com", []string{"1 fault *.*.example.com: …first label"}},
		{"www.*.example.com", []string{"1 fault www.*.example.com: …first label"}},
		{"tik*.example.com", []string{"1 fault tik*.example.com: …first label"}},
		{".example.com", []string{"1 fault .example.com: …begins with a dot"}},
		{"tiktok.com#first", []string{"1 fault tiktok.com#first: …found '#'"}},
		{"tiktok.com,douyin.com", []string{"1 fault tiktok.com,douyin.com: …found ','"}},
		{"tiktok.com/path", []string{"1 fault tiktok.com/path: …found '/'"}},
		{`tiktok\046com`, []string{`1 fault tiktok\\046com: …found a "\"`}},
		{"192.0.2", []string{"1 fault 192.0.2: …number"}},
		{"example.123.", []string{"1 fault example.123.: …number"}},
		{"a\x00b", []string{"error …NUL"}},
		{"a\x07b", []string{`1 fault a\ab: …found '\a'`}},

		{"||tiktok.com^", []string{"1 fault ||tiktok.com^: …an adblock rule: that is format adblock"}},
		{"@@||tiktok.com^", []string{"1 fault @@||tiktok.com^: …an adblock rule: that is format adblock"}},
		{"tiktok.com##.ad", []string{"1 fault tiktok.com##.ad: …an adblock rule: that is format adblock"}},
		{"tiktok.com^", []string{"1 fault tiktok.com^: …an adblock rule: that is format adblock"}},
		{"! Title", []string{"1 fault ! Title: …not of names"}},
		{"; Title", []string{"1 fault ; Title: …not of names"}},
		{"// Title", []string{"1 fault // Title: …not of names"}},
		{"/tiktok/", []string{"1 fault /tiktok/: …a regular expression"}},
		{`(^|\.)tiktok\.com$`, []string{"1 fault (^|…a regular expression"}},
		{`tiktok.*`, []string{"1 fault tiktok.*: …first label"}},
		{"https://www.tiktok.com/", []string{"1 fault https://www.tiktok.com/: …a URL"}},
		{"address=/tiktok.com/", []string{"1 fault address=/tiktok.com/: …a dnsmasq option: that is format dnsmasq"}},
		{`local-zone: "tiktok.com" always_null`, []string{"1 fault local-zone: …an unbound option: that is format unbound"}},
		{"tiktok.com CNAME .", []string{"1 fault tiktok.com CNAME .: …a record of a zone file: that is format rpz"}},
		{"$TTL 60", []string{"1 fault $TTL 60: …a record of a zone file: that is format rpz"}},
		{"DOMAIN-SUFFIX,tiktok.com", []string{"1 fault DOMAIN-SUFFIX,tiktok.com: …Clash"}},
		{"full:tiktok.com", []string{"1 fault full:tiktok.com: …domain-list-community"}},
		{"0.0.0.0 tiktok.com", []string{"1 fault 0.0.0.0 tiktok.com: …format hosts"}},
		{"::1 tiktok.com", []string{"1 fault ::1 tiktok.com: …format hosts"}},
		{"192.0.2.1", []string{"1 fault 192.0.2.1: …format networks"}},
		{"192.0.2.0/24 # net", []string{"1 fault 192.0.2.0/24 # net: …format networks"}},
		{"2001:db8::1", []string{"1 fault 2001:db8::1: …format networks"}},
	})
}

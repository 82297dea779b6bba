package format_test

import (
	"testing"

	"cordon/blocklists/format"
)

func TestDnsmasq(t *testing.T) {
	t.Parallel()
	testLines(t, format.Dnsmasq, []lineTest{
		{"address=/tiktok.com/", []string{"1 subtree tiktok.com"}},
		{"address=/tiktok.com/0.0.0.0", []string{"1 subtree tiktok.com"}},
		{"address=/tiktok.com/::", []string{"1 subtree tiktok.com"}},
		{"address=/tiktok.com/#", []string{"1 subtree tiktok.com"}},
		{"address=/TikTok.com./tiktokv.com/192.0.2.1", []string{"1 subtree tiktok.com", "1 subtree tiktokv.com"}},
		{"local=/tiktok.com/", []string{"1 subtree tiktok.com"}},
		{"server=/tiktok.com/", []string{"1 subtree tiktok.com"}},
		{"server=/tiktok.com/www.tiktok.com/", []string{"1 subtree tiktok.com", "1 subtree www.tiktok.com"}},
		{"server=/www.tiktok.com/#", []string{"1 allow subtree www.tiktok.com"}},
		{"local=/www.tiktok.com/#", []string{"1 allow subtree www.tiktok.com"}},
		{"address=/.tiktok.com/", []string{"1 subtree tiktok.com"}},
		{"address=/*.tiktok.com/", []string{"1 below tiktok.com"}},
		{"address=/m\u00fcnchen.example/", []string{"1 subtree xn--mnchen-3ya.example"}},
		{" address = /tiktok.com/0.0.0.0 \r\n", []string{"1 subtree tiktok.com"}},
		{"local=/tiktok.com/ # why", []string{"1 subtree tiktok.com"}},
		{"server=/tiktok.com/#\t# why", []string{"1 allow subtree tiktok.com"}},
		{"# local=/tiktok.com/", nil},

		{"server=/tiktok.com/192.0.2.1", []string{"1 fault server=/tiktok.com/192.0.2.1: …forwarding"}},
		{"local=/tiktok.com/192.0.2.1#5353", []string{"1 fault local=/tiktok.com/192.0.2.1#5353: …forwarding"}},
		{"server=192.0.2.1", []string{"1 fault server=192.0.2.1: …between slashes"}},
		{"address=/", []string{"1 fault address=/: …between slashes"}},
		{"address=//", []string{"1 fault //: …without a dot"}},
		{"address=/#/0.0.0.0", []string{"1 fault #: …every name"}},
		{"address=/*tiktok.com/", []string{"1 fault *tiktok.com: …within a label"}},
		{"address=/a.example//b.example/", []string{"1 subtree a.example", "1 fault //: …without a dot", "1 subtree b.example"}},
		{"address=/a..example/b.example/", []string{"1 fault a..example: …two dots", "1 subtree b.example"}},
		{`address=/a\046b.example/`, []string{`1 fault a\\046b.example: …found a "\"`}},
		{"address=/192.0.2.1/", []string{"1 fault 192.0.2.1: …number"}},
		{"ipset=/tiktok.com/blocked", []string{"1 fault ipset=/tiktok.com/blocked: …only address="}},
		{"nftset=/tiktok.com/4#ip#x#y", []string{"1 fault nftset=/tiktok.com/4#ip#x#y: …only address="}},
		{"conf-file=/etc/other.conf", []string{"1 fault conf-file=/etc/other.conf: …only address="}},
		{"cname=a.example,b.example", []string{"1 fault cname=a.example,b.example: …only address="}},
		{"bogus-priv", []string{"1 fault bogus-priv: …format names"}},
		{"tiktok.com", []string{"1 fault tiktok.com: …format names"}},
		{"DOMAIN,tiktok.com", []string{"1 fault DOMAIN,tiktok.com: …Clash"}},
	})
}

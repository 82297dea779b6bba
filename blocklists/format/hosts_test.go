package format_test

import (
	"testing"

	"cordon/blocklists/format"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	testLines(t, format.Hosts, []lineTest{
		{"0.0.0.0 tiktok.com", []string{"1 subtree tiktok.com"}},
		{"127.0.0.1\ttiktok.com\tTikTokV.com. # two", []string{"1 subtree tiktok.com", "1 subtree tiktokv.com"}},
		{":: tiktok.com#comment", []string{"1 subtree tiktok.com"}},
		{"fe80::1%lo0 tiktok.com", []string{"1 subtree tiktok.com"}},
		{"0.0.0.0 a.example\r\n127.0.0.1 b.example\r\n0.0.0.0 c.example\r\n", []string{
			"1 subtree a.example", "2 subtree b.example", "3 subtree c.example",
		}},
		{"", nil},
		{"# 0.0.0.0 tiktok.com", nil},
		{"   \t# 0.0.0.0 tiktok.com", nil},
		{"127.0.0.1 localhost", nil},
		{"127.0.0.1 LocalHost localhost.localdomain local", nil},
		{"255.255.255.255 broadcasthost", nil},
		{"::1 ip6-localhost ip6-loopback", nil},
		{"ff02::3 ip6-allhosts", nil},
		{"0.0.0.0 0.0.0.0", nil},
		{"0.0.0.0 ip6-host.example localhost.example", []string{"1 subtree ip6-host.example", "1 subtree localhost.example"}},

		{"0.0.0.0", []string{"1 fault 0.0.0.0: …no name"}},
		{"0.0.0.0 # tiktok.com", []string{"1 fault 0.0.0.0 : …no name"}},
		{"0.0.0.0 a..example b.example", []string{"1 fault a..example: …two dots", "1 subtree b.example"}},
		{"0.0.0.0 *.example.com", []string{"1 fault *.example.com: …first label"}},
		{"0.0.0.0 192.0.2.1", []string{"1 fault 192.0.2.1: …number"}},
		{"tiktok.com", []string{"1 fault tiktok.com: …format names"}},
		{"192.0.2.0/24", []string{"1 fault 192.0.2.0/24: …format networks"}},
		{"||tiktok.com^", []string{"1 fault ||tiktok.com^: …an adblock rule"}},
		{"0.0.0 tiktok.com", []string{"1 fault 0.0.0 tiktok.com: …no address in front"}},
	})
}

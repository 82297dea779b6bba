package format_test

import (
	"testing"

	"cordon/blocklists/format"
)

func TestNetworks(t *testing.T) {
	t.Parallel()
	testLines(t, format.Networks, []lineTest{
		{"192.0.2.0/24", []string{"1 192.0.2.0/24"}},
		{"\t192.0.2.7 # one", []string{"1 192.0.2.7/32"}},
		{"2001:DB8::/32#doc", []string{"1 2001:db8::/32"}},
		{"2001:db8::1", []string{"1 2001:db8::1/128"}},
		{"::ffff:192.0.2.0/120", []string{"1 192.0.2.0/24"}},
		{"::ffff:192.0.2.1", []string{"1 192.0.2.1/32"}},
		{"192.0.2.0/24\r\n\r\n# x\r\n198.51.100.0/24\r\n", []string{"1 192.0.2.0/24", "4 198.51.100.0/24"}},
		{"", nil},

		{"192.0.2.1/24", []string{"1 fault 192.0.2.1/24: …want 192.0.2.0/24"}},
		{"0.0.0.0/0", []string{"1 fault 0.0.0.0/0: …every address"}},
		{"::/0", []string{"1 fault ::/0: …every address"}},
		{"::ffff:0.0.0.0/96", []string{"1 fault ::ffff:0.0.0.0/96: …every address"}},
		{"::ffff:0.0.0.0/90", []string{"1 fault ::ffff:0.0.0.0/90: …wider"}},
		{"fe80::1%eth0", []string{"1 fault fe80::1%eth0: …zone"}},
		{"192.0.2.0/33", []string{"1 fault 192.0.2.0/33: …neither"}},
		{"192.0.2.0-192.0.2.9", []string{"1 fault 192.0.2.0-192.0.2.9: …neither"}},
		{"192.0.2.0/24 192.0.3.0/24", []string{"1 fault 192.0.2.0/24 192.0.3.0/24: …more than one word"}},
		{"tiktok.com", []string{"1 fault tiktok.com: …format names"}},
		{"192.0.2.1 tiktok.com", []string{"1 fault 192.0.2.1 tiktok.com: …format hosts"}},
		{"DOMAIN,tiktok.com", []string{"1 fault DOMAIN,tiktok.com: …Clash"}},
	})
}

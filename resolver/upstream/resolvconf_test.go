package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"cordon/resolver/upstream"
)

func TestParseResolvConf(t *testing.T) {
	four := strings.Join([]string{"", "1", "2", "3", "4"}, "\nnameserver 192.0.2.")
	for _, c := range []struct{ name, in, want string }{
		{"one", "nameserver 192.0.2.1\n", "[192.0.2.1:53]"},
		{"no newline", "nameserver 192.0.2.1", "[192.0.2.1:53]"},
		{"crlf", "nameserver 192.0.2.1\r\nnameserver 192.0.2.2\r\n", "[192.0.2.1:53 192.0.2.2:53]"},
		{"ipv6", "nameserver 2001:db8::1", "[[2001:db8::1]:53]"},
		{"zone", "nameserver fe80::1%eth0", "[[fe80::1%eth0]:53]"},
		{"mapped", "nameserver ::ffff:192.0.2.1", "[192.0.2.1:53]"},
		{"tabs", "\tnameserver\t192.0.2.1\t", "[192.0.2.1:53]"},
		{"comments", "# nameserver 192.0.2.9\n;nameserver 192.0.2.9\nnameserver 192.0.2.1 # ours", "[192.0.2.1:53]"},
		{"options", "search example.org\noptions ndots:5 edns0\nnameserver 192.0.2.1\ndomain example.net", "[192.0.2.1:53]"},
		{"twice", "nameserver 192.0.2.1\nnameserver 192.0.2.1", "[192.0.2.1:53]"},
		{"bad beside good", "nameserver x\nnameserver\nnameserver 192.0.2.256\nnameserver 192.0.2.1", "[192.0.2.1:53]"},
		{"other words", "nameservers 192.0.2.9\nNAMESERVER 192.0.2.9\nnameserver 192.0.2.1", "[192.0.2.1:53]"},
		{"four", four, "[192.0.2.1:53 192.0.2.2:53 192.0.2.3:53 192.0.2.4:53]"},
		{"empty", "", "no usable nameserver line"},
		{"none", "search example.org\n", "no usable nameserver line"},
		{"huge line", strings.Repeat("x", 1<<17), "token too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			servers, err := upstream.ParseResolvConf(strings.NewReader(c.in))
			got := fmt.Sprint(servers)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) || (err != nil) != (servers == nil) {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func FuzzParseResolvConf(f *testing.F) {
	f.Add("nameserver fe80::1%eth0\n# x\nnameserver 192.0.2.1")
	f.Fuzz(func(t *testing.T, in string) {
		servers, err := upstream.ParseResolvConf(strings.NewReader(in))
		if err != nil {
			return
		}
		config := upstream.Config{}
		for _, s := range servers {
			config.Servers = append(config.Servers, upstream.Server{Addr: s})
		}
		if _, err := upstream.New(config); err != nil {
			t.Errorf("what was parsed makes no group: %v", err)
		}
	})
}

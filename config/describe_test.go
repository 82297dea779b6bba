package config_test

import (
	"strings"
	"testing"

	"cordon/config"
)

func TestDescribeSaysWhatTheDecoderGoesBy(t *testing.T) {
	keys := map[string]config.Key{}
	for _, kind := range []config.FileKind{config.ServiceFile, config.PolicyFile} {
		for k := range config.Describe(kind) {
			keys[k.Path] = k
			if k.Text == "" || strings.HasSuffix(k.Text, "\n") {
				t.Errorf("of %s it is said %q", k.Path, k.Text)
			}
		}
	}
	for path, want := range map[string]config.Key{
		"limits.tcp_idle": {
			Form: "duration", Default: "10s", Min: "100ms", Max: "30s", Variable: "CORDON_LIMITS_TCP_IDLE",
			Text: "tcp_idle is how long a TCP connection may be silent (RFC 7766, section 6.2.3). 100 ms to 30 s; default 10 s.",
		},
		"listen.dns": {
			Form: "list of addresses", Default: "127.0.0.1:5300 [::1]:5300", Flag: "listen", Variable: "CORDON_LISTEN_DNS",
			Text: "dns are the addresses for queries over UDP and TCP, at least one. Port 0 is any free port. Default: 127.0.0.1:5300 and " +
				"[::1]:5300, which need no privilege.",
		},
		"upstreams": {Variable: "CORDON_UPSTREAMS", Text: "upstreams are the servers that are asked. Left out: those of resolv_conf."},
		"upstreams[].address": {
			Form: "address", Required: true,
			Text: "address is where it is asked over UDP, and over TCP where UDP does not do. Required. Port 53 if none is written.",
		},
		"forward[].zone": {
			Form: "domain name", Text: "zone is the zone's name; it and all names below it are meant. It or networks is required; not the root.",
		},
		"exceptions[].extended[].approved_by": {
			Form: "text", Text: "reference is where that is written, approved_by who signed for it. Optional.",
		},
	} {
		want.Path = path
		if got := keys[path]; got.Text != want.Text || got.Form != want.Form || got.Default != want.Default || got.Min != want.Min ||
			got.Max != want.Max || got.Required != want.Required || got.Flag != want.Flag || got.Variable != want.Variable {
			t.Errorf("of %s\nhave %+v\nwant %+v", path, got, want)
		}
	}
	if got := keys["policies[].answer"].OneOf; len(got) != 4 {
		t.Errorf("an answer is one of %q", got)
	}
	if !keys["listen.admin"].Off || keys["forward"].Variable != "" || keys["listen"].Form != "" {
		t.Error("off, a list of objects or an object is described wrongly")
	}
}

func TestDescribeEndsWhereItIsEnded(t *testing.T) {
	count := 0
	for range config.Describe(config.ServiceFile) {
		if count++; count == 3 {
			break
		}
	}
	if count != 3 {
		t.Errorf("%d keys", count)
	}
}

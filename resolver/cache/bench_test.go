package cache_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/cache"
)

var chainOfThree = []string{
	"www.example.com. 300 IN CNAME www.example.com.edge.example.net.",
	"www.example.com.edge.example.net. 300 IN CNAME e1234.a.edge.example.net.",
	"e1234.a.edge.example.net. 300 IN CNAME e1234.b.edge.example.org.",
	"e1234.b.edge.example.org. 20 IN A 192.0.2.1",
	"e1234.b.edge.example.org. 20 IN A 192.0.2.2",
}

func BenchmarkKeep(b *testing.B) {
	for name, answer := range map[string][]string{
		"A":           {"www.example.com. 300 IN A 192.0.2.1"},
		"three-CNAME": chainOfThree,
	} {
		b.Run(name, func(b *testing.B) {
			k, now := keyOf("www.example.com.", dns.TypeA), time.Now()
			msg := message(b, "www.example.com.", dns.TypeA, reply{answer: answer})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cache.Keep(k, msg, now, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	c := newCache(b, 1<<20)
	now := time.Now()
	entries := make([]*cache.Entry, 20000)
	for i := range entries {
		name := fmt.Sprintf("h%d.example.com.", i)
		entries[i] = mustKeep(b, keyOf(name, dns.TypeA),
			message(b, name, dns.TypeA, reply{answer: []string{name + " 300 IN A 192.0.2.1"}}), now)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		c.Put(entries[i%len(entries)])
		i++
	}
}

// BenchmarkKeepHostile is the most work that one message can make: 12 aliases at names that differ in their last octet
// compared only, among as many records as are looked at.
func BenchmarkKeepHostile(b *testing.B) {
	label := strings.Repeat("a", 60)
	tail := strings.Repeat("b.", 60) + label + ".example.com."
	var answer []string
	for i := range 243 {
		answer = append(answer, fmt.Sprintf("%sz.%d.example.com. 300 IN CNAME a.", tail[:len(tail)-12], i))
	}
	from := question
	for i := range 12 {
		to := fmt.Sprintf("%s%d.example.com.", tail[:len(tail)-12], i)
		answer, from = append(answer, from+" 300 IN CNAME "+to), to
	}
	answer = append(answer, from+" 300 IN A 192.0.2.1")
	k := keyOf(question, dns.TypeA)
	msg := message(b, question, dns.TypeA, reply{answer: answer})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cache.Keep(k, msg, start, false); err != nil {
			b.Fatal(err)
		}
	}
}

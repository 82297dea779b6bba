//go:build linux

package endtoend

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// The moods of a moodyUpstream. Slow is not bad: it answers before anybody gives up.
const (
	wellMood int32 = iota
	silentMood
	failingMood
	garbageMood
	lyingMood
	slowMood
	moods

	badMoods = 4 // from silentMood on
)

// moodyUpstream knows all names of the soak, and answers as its mood is.
type moodyUpstream struct {
	address string
	mood    atomic.Int32
}

func newMoodyUpstream(t *testing.T) *moodyUpstream {
	t.Helper()
	port := freePort(t)
	u := &moodyUpstream{address: fmt.Sprintf("127.0.0.1:%d", port)}
	for _, network := range []string{"udp", "tcp"} {
		ready := make(chan struct{})
		server := &dns.Server{Addr: u.address, Net: network, Handler: u, NotifyStartedFunc: func() { close(ready) }}
		go func() { _ = server.ListenAndServe() }()
		<-ready
		t.Cleanup(func() { _ = server.Shutdown() })
	}
	return u
}

// ServeDNS implements [dns.Handler].
func (u *moodyUpstream) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	answer := soakAnswer(q)
	switch u.mood.Load() {
	case silentMood:
		return
	case failingMood:
		answer = new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
	case garbageMood:
		msg, err := answer.Pack()
		if err != nil {
			return
		}
		for range 1 + rand.IntN(8) { // behind the ID, which is right
			msg[2+rand.IntN(10)] = byte(rand.Uint32())
		}
		_, _ = w.Write(msg[:12+rand.IntN(len(msg)-12)]) // and never whole
		return
	case lyingMood:
		lie(answer)
	case slowMood:
		timer := time.NewTimer(300 * time.Millisecond)
		defer timer.Stop()
		<-timer.C
	}
	_ = w.WriteMsg(answer)
}

// lie makes of answer one that is not to be believed: it has another ID, or another question, and an address that nobody may see.
func lie(answer *dns.Msg) {
	if rand.IntN(2) == 0 {
		answer.Id++
	} else {
		answer.Question[0].Name = "x" + answer.Question[0].Name
	}
	for _, r := range answer.Answer {
		if a, ok := r.(*dns.A); ok {
			a.A = net.IPv4(192, 0, 2, 66)
		}
	}
}

func soakAnswer(q *dns.Msg) *dns.Msg {
	answer := new(dns.Msg).SetReply(q)
	answer.RecursionAvailable = true
	name := q.Question[0].Name
	if q.Question[0].Qtype != dns.TypeA {
		return answer
	}
	ttl := uint32(1)
	if strings.HasPrefix(name, "hit") {
		ttl = 60
	}
	target := soakTarget(name)
	if target != name {
		answer.Answer = append(answer.Answer, &dns.CNAME{
			Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: ttl}, Target: target,
		})
	}
	answer.Answer = append(answer.Answer, &dns.A{
		Hdr: dns.RR_Header{Name: target, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: net.ParseIP(soakAddress(target)),
	})
	return answer
}

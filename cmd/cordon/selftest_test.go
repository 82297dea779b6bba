package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// testedPolicy has an agency that is refused something, one that is not, and one that nobody can be in.
const testedPolicy = `
timezone: UTC
lists: [{name: tiktok, source: "builtin:tiktok"}]
policies: [{name: ban, lists: [tiktok]}]
agencies:
  - {name: ministry, networks: [127.0.0.0/8, "::1/128"], policies: [ban]}
  - {name: police, networks: [192.0.2.0/24], policies: [ban], mode: "off"}
  - {name: nobody}
`

// wholeServer runs all of a server but its admin listener, until the test ends.
func wholeServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cordon.yaml": "listen: {dns: ['127.0.0.1:0'], admin: off}\nupstreams: [{address: " + fakeUpstream(t) + "}]\npolicy_dir: policy\n",
		"policy.yaml": testedPolicy,
	} {
		if err := os.MkdirAll(filepath.Join(dir, "policy"), 0o750); err != nil {
			t.Fatal(err)
		}
		if name == "policy.yaml" {
			name = "policy/policy.yaml"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := newServer(t.Context(), filepath.Join(dir, "cordon.yaml"), nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// readyz is what strangers get of /readyz.
func (s *server) readyz() (status int, text string) {
	recorder := httptest.NewRecorder()
	s.resources().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
	return recorder.Code, recorder.Body.String()
}

// awaitReadyz waits until /readyz has that status and says that.
func (s *server) awaitReadyz(t *testing.T, status int, words string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); ; <-tick.C {
		got, text := s.readyz()
		if got == status && strings.Contains(text, words) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("/readyz is %d %q, want %d %q", got, text, status, words)
		}
	}
}

func (s *server) outcomes() string {
	var all []string
	for _, o := range s.selftest.Outcomes() {
		all = append(all, fmt.Sprint(o.Agency, " ", o.Expect, " ", o.OK))
	}
	return strings.Join(all, ", ")
}

// A server whose policy does not refuse what the files say is not ready until it does.
func TestAServerWithoutProtectionIsNotReady(t *testing.T) {
	t.Parallel()
	s := wholeServer(t)
	s.awaitReadyz(t, http.StatusOK, "ok")
	if got, want := s.outcomes(), "default refuse true, default pass true, ministry refuse true, ministry pass true, police pass true"; got != want {
		t.Errorf("outcomes %s, want %s", got, want)
	}
	good := s.loader.good
	empty, err := policy.Compile(policy.Config{ID: good.snapshot.ID(), Allowed: s.loader.allowed, Set: good.snapshot.Set()})
	if err != nil {
		t.Fatal(err)
	}
	s.resolver.Publish(empty)
	s.selftest.Publish(policyConfig(good.set, good.lists, s.loader.allowed, good.snapshot.ID())) // at once, not after a minute
	s.awaitReadyz(t, http.StatusServiceUnavailable, "the self-test got an answer for 2 agencies where policy refuses")
	for _, name := range []string{"ministry", "default", "tiktok"} {
		if _, text := s.readyz(); strings.Contains(text, name) {
			t.Errorf("strangers are told %q: %s", name, text)
		}
	}
	wrong := s.status().Wrong()
	if len(wrong) < 2 || !strings.HasPrefix(wrong[0], "not ready: the self-test got an answer for 2 agencies") ||
		!strings.HasSuffix(wrong[1], " self-tests failed") {
		t.Errorf("the headline of the status is %q", wrong)
	}
	s.publish(good)
	s.awaitReadyz(t, http.StatusOK, "ok")
}

// A flood of queries keeps nobody from being ready.
func TestAFloodedServerStaysReady(t *testing.T) {
	t.Parallel()
	s := wholeServer(t)
	s.awaitReadyz(t, http.StatusOK, "ok")
	ended := make(chan struct{})
	var flood sync.WaitGroup
	for range 3 {
		flood.Go(func() {
			conn, err := net.Dial("udp", s.listener.Addrs()[0].String())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			query, _ := new(dns.Msg).SetQuestion("www.tiktok.com.", dns.TypeA).Pack()
			for {
				select {
				case <-ended:
					return
				default:
					_, _ = conn.Write(query) // nobody reads the answers
				}
			}
		})
	}
	good := s.loader.good
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		s.selftest.Publish(policyConfig(good.set, good.lists, s.loader.allowed, good.snapshot.ID()))
		if status, text := s.readyz(); status != http.StatusOK {
			t.Errorf("/readyz is %d %q", status, text)
			break
		}
		<-tick.C
	}
	close(ended)
	flood.Wait()
	if n := s.listener.Queries(); n < 1000 {
		t.Errorf("%d queries were read: no flood", n)
	}
}

// Whoever sends a claim is judged as who he is.
func TestAForgedClaimIsAnUnknownOption(t *testing.T) {
	t.Parallel()
	s := wholeServer(t)
	s.awaitReadyz(t, http.StatusOK, "ok")
	off := []byte{192, 0, 2, 1}
	for _, network := range []string{"udp", "tcp"} {
		for _, claim := range [][]byte{append(make([]byte, 16), off...), off, make([]byte, 1200)} {
			m := new(dns.Msg).SetQuestion("www.tiktok.com.", dns.TypeA).SetEdns0(1232, false)
			m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_LOCAL{Code: wire.OptionClaim, Data: claim})
			answer, _, err := (&dns.Client{Net: network, Timeout: 30 * time.Second}).Exchange(m, s.listener.Addrs()[0].String())
			if err != nil {
				t.Fatal(err)
			}
			if answer.Rcode != dns.RcodeNameError || len(answer.IsEdns0().Option) != 1 {
				t.Errorf("over %s: %s", network, answer)
			}
		}
	}
	if n := s.resolver.Counts(); len(n) != 1 || n[0].N != 6 || n[0].Agency != "ministry" {
		t.Errorf("counted %+v, want 6 refusals of the ministry", n)
	}
}

//go:build linux

package endtoend

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// policyWith is a policy file that bans one list, whose declaration goes on with the given keys.
func policyWith(list string) string {
	return "timezone: UTC\nlists:\n  - {name: feed, " + list + "}\npolicies: [{name: ban, lists: [feed]}]\n"
}

// feed is an HTTP server whose page can be changed.
type feed struct {
	*httptest.Server
	page atomic.Pointer[string]
	hits atomic.Int64 // answers with content
}

func newFeed(t *testing.T, page string) *feed {
	t.Helper()
	f := &feed{}
	f.page.Store(&page)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := *f.page.Load()
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(text)))
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		f.hits.Add(1)
		w.Header().Set("ETag", tag)
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(f.Close)
	return f
}

// refused checks that name is refused, by policy and not by an upstream.
func (c *cordon) refused(name string) {
	c.t.Helper()
	if r := c.dig(name); !r.blocked() {
		c.t.Errorf("%s is not refused:\n%s", name, r.text)
	}
}

// blocked says whether the answer has EDE 15.
func (r reply) blocked() bool {
	return slices.ContainsFunc(r.ede, func(e string) bool { return strings.HasPrefix(e, "15 ") })
}

// fourteen are names for a list.
func fourteen() string {
	var b strings.Builder
	for i := range 13 {
		fmt.Fprintf(&b, "a%d.example\n", i)
	}
	return b.String() + "tiktok.com\n"
}

// A feed turns into an error page, shrinks, is accepted, and vanishes over a restart: what was good stays in force, and people can see
// why.
func TestE2EListFromAFeed(t *testing.T) {
	endToEnd(t, "unbound", "nsd", "dig")
	upstream := startUnbound(t, startNSD(t))
	f := newFeed(t, fourteen())
	c := newCordon(t, []string{upstream.address}, "policy_dir: policy\nstate_dir: state\n")
	c.write(policyWith(fmt.Sprintf("source: %q", f.URL+"/feed.txt")), "policy/all.yaml")
	c.start()
	c.refused("tiktok.com")

	page := "<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head><body>Come back later</body></html>\n"
	f.page.Store(&page)
	before := len(c.log())
	c.signal(syscall.SIGHUP)
	c.logs(before, "held: the last good version stays in force", "an HTML page")
	c.refused("tiktok.com")
	status, text := c.run("lists")
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
	c.saysAll(text, "feed  held", "an HTML page", f.URL)
	if strings.Contains(text, "lists accept") {
		t.Errorf("an HTML page can be accepted:\n%s", text)
	}
	if got := c.metric(`cordon_list_state{list="feed",state="held"}`); got != "1" {
		t.Errorf("the metric of the held list is %q, want 1", got)
	}

	short := "capcut.com\n"
	f.page.Store(&short)
	before = len(c.log())
	c.signal(syscall.SIGHUP)
	c.logs(before, "it shrank from 14 to 1 entries")
	_, text = c.run("lists", "show", "feed")
	c.saysAll(text, "cordon lists accept feed", "1 entry in place of 14", "14 names", "held")
	status, text = c.run("lists", "accept", "feed")
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
	c.saysAll(text, "list feed: 1 name and 0 networks in force, in place of 14 names and 0 networks")
	c.refused("capcut.com")
	if status, text = c.run("lists", "accept", "feed"); status != 1 {
		t.Errorf("a list that is not held was accepted:\n%s", text)
	}

	hits := f.hits.Load()
	c.signal(syscall.SIGHUP)
	until(t, 5*time.Second, "the feed is asked again", func() bool {
		_, text := c.run("lists", "show", "feed", "--json")
		return strings.Contains(text, `"outcome": "unchanged"`)
	})
	if f.hits.Load() != hits {
		t.Error("an unchanged list was sent again")
	}
	c.signal(syscall.SIGTERM)
	c.wait(5 * time.Second)
	f.Close()
	c.start()
	c.refused("capcut.com")
	c.signal(syscall.SIGHUP) // else nobody asks within the hour
	until(t, 5*time.Second, "the feed is seen to fail", func() bool {
		_, text := c.run("lists")
		return strings.Contains(text, "fetching failed") && strings.Contains(text, "connection refused")
	})
}

// A list of which there was never a copy keeps a server from starting, and says why.
func TestE2EStartWithoutAFirstCopy(t *testing.T) {
	endToEnd(t)
	c := newCordon(t, []string{"127.0.0.1:9"}, "policy_dir: policy\nstate_dir: state\n")
	c.write(policyWith(fmt.Sprintf("source: %q", fmt.Sprintf("http://127.0.0.1:%d/feed.txt", freePort(t)))), "policy/all.yaml")
	c.refuses("connection refused", "it was not fetched yet", "policy/all.yaml:3")
}

// A first copy that can't be used is asked for again at the next start: its publisher may have mended it.
func TestE2EStartAfterABadFirstCopy(t *testing.T) {
	endToEnd(t, "dig")
	f := newFeed(t, "<html><body>503</body></html>\n")
	c := newCordon(t, []string{"127.0.0.1:9"}, "policy_dir: policy\nstate_dir: state\n")
	c.write(policyWith(fmt.Sprintf("source: %q", f.URL+"/feed.txt")), "policy/all.yaml")
	c.refuses("an HTML page", "policy ban has no list that could be loaded")
	mended := fourteen()
	f.page.Store(&mended)
	c.start()
	c.refused("tiktok.com")
}

const knotPrimary = `
server:
    listen: 127.0.0.1@%[2]d
    rundir: %[1]q
key:
  - id: transfer.example.
    algorithm: hmac-sha256
    secret: bm90IGEgc2VjcmV0LCBidXQgbG9uZyBlbm91Z2g=
remote:
  - id: cordon
    address: 127.0.0.1@%[3]d
    key: transfer.example.
acl:
  - id: transfers
    key: transfer.example.
    action: transfer
database:
    storage: %[1]q
zone:
  - domain: rpz.example.
    storage: %[1]q
    file: zone
    notify: cordon
    acl: transfers
    zonemd-generate: zonemd-sha384
    zonefile-load: difference
    zonefile-sync: -1
    journal-content: changes
`

// A response policy zone comes from a real primary by AXFR with TSIG. A change of it is in force as soon as the primary says so by
// NOTIFY, and comes by IXFR.
func TestE2EListFromAZone(t *testing.T) {
	endToEnd(t, "unbound", "nsd", "dig", "knotd")
	upstream := startUnbound(t, startNSD(t))
	c := newCordon(t, []string{upstream.address}, "policy_dir: policy\nstate_dir: state\n")
	dir, port := t.TempDir(), freePort(t)
	zone := func(serial int, records ...string) {
		text := fmt.Sprintf("$ORIGIN rpz.example.\n$TTL 60\n@ SOA ns.example. nobody.invalid. %d 3600 600 86400 60\n@ NS ns.example.\n", serial)
		writeFile(t, text+strings.Join(records, "\n")+"\n", dir, "zone")
	}
	zone(10, "tiktok.com CNAME .", "*.tiktok.com CNAME .", "pass.tiktok.com CNAME rpz-passthru.")
	knotd, err := findTool("knotd")
	if err != nil {
		t.Fatal(err)
	}
	conf := writeFile(t, fmt.Sprintf(knotPrimary, dir, port, c.port), dir, "knot.conf")
	primary := start(t, "knotd", exec.Command(knotd, "-c", conf))
	until(t, 10*time.Second, "knotd answers", func() bool {
		return len(dig(t, "@127.0.0.1", "-p", strconv.Itoa(port), "rpz.example", "SOA").answer) == 1
	})

	c.write("key \"transfer.example\" { algorithm hmac-sha256; secret \"bm90IGEgc2VjcmV0LCBidXQgbG9uZyBlbm91Z2g=\"; };\n", "rpz.key")
	c.write(policyWith(fmt.Sprintf(`source: "rpz:rpz.example", primaries: ["127.0.0.1:%d"], tsig_file: ../rpz.key`, port)), "policy/all.yaml")
	c.start()
	c.refused("tiktok.com")
	c.refused("www.tiktok.com")
	if r := c.dig("pass.tiktok.com"); r.blocked() {
		t.Errorf("a name that the zone lets pass is refused:\n%s", r.text)
	}

	zone(20, "tiktok.com CNAME .", "capcut.com CNAME .")
	begun := time.Now()
	primary.signal(syscall.SIGHUP)
	until(t, 15*time.Second, "what the NOTIFY was about is in force", func() bool { return c.dig("capcut.com").blocked() })
	t.Logf("from the primary's reload to the rule: %v", time.Since(begun).Round(time.Millisecond))
	if log := primary.output.String(); !strings.Contains(log, "IXFR, outgoing") || !strings.Contains(log, "AXFR, outgoing") {
		t.Errorf("the primary says nothing of AXFR and IXFR:\n%s", log)
	}
	copies, err := filepath.Glob(c.path("state/mirror/feed-*"))
	if err != nil || len(copies) == 0 {
		t.Errorf("there is no copy in the state directory: %v, %v", copies, err)
	}
	c.forgedNotifies()
}

// forgedNotifies are many, in the name of the primary: the log has a few lines of them, and the others are counted.
func (c *cordon) forgedNotifies() {
	c.t.Helper()
	notify := new(dns.Msg).SetNotify("rpz.example.").SetTsig("transfer.example.", dns.HmacSHA256, 300, time.Now().Unix())
	forged, _, err := dns.TsigGenerate(notify, "YW5vdGhlciBzZWNyZXQ=", "", false)
	if err != nil {
		c.t.Fatal(err)
	}
	conn, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", c.port))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	begun := time.Now()
	for range 500 { // one after the other, so that none is lost
		if _, err := conn.Write(forged); err != nil {
			c.t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := conn.Read(make([]byte, 512)); err != nil {
			c.t.Fatal(err)
		}
	}
	most := 5 * (2 + int(time.Since(begun)/time.Second))
	if n := strings.Count(c.log(), "a NOTIFY is not signed as it should be"); n == 0 || n > most {
		c.t.Errorf("%d lines about forged NOTIFYs, want 1 to %d", n, most)
	}
	if n := c.metric("cordon_log_dropped_lines_total"); n == "0" || n == "" {
		c.t.Errorf("%q dropped lines are counted, want some", n)
	}
}

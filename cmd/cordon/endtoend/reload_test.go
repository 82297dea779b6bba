//go:build linux

package endtoend

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Verdicts flip under load, by every way in which files are written. No answer may be lost, each must be that of the old or
// the new policy as a whole, never one after the other has been seen, and the new one must rule within a second.

// edition is what is written: edition of the policy file, and edition of the list.
type edition struct{ policy, list int }

// policyText is as long for every edition. Editions differ by the name of the policy, which is in every refusal, and by
// whether they refuse plain.example.
func (e edition) policyText() string {
	lists := "l   "
	if e.refusesPlain() {
		lists = "l, m"
	}
	return fmt.Sprintf(`
timezone: UTC
lists: [{name: l, source: "file:list.txt"}, {name: m, names: [plain.example]}]
policies: [{name: edition-%04d, lists: [%s]}]
agencies: [{name: default, policies: [edition-%04d]}]
`, e.policy, lists, e.policy)
}

func (e edition) refusesPlain() bool { return e.policy%2 == 1 }

// listText grows for two editions, and is what it was with the third.
func (e edition) listText() string {
	var text strings.Builder
	text.WriteString("flip.example\n")
	for i := range 20 {
		fmt.Fprintf(&text, "filler%d.example\n", i)
	}
	return text.String() + strings.Join([]string{"y.flip.example\n", "other.example\n"}[:e.list%3], "")
}

// says is what a policy of this edition says to the names that are probed. A refusal names the policy, and the rule.
func (e edition) says(name string) string {
	refused := fmt.Sprintf("NXDOMAIN policy edition-%04d ", e.policy)
	switch {
	case name == "plain.example." && !e.refusesPlain():
		return "NOERROR 192.0.2.81"
	case name == "other.example." && e.list%3 < 2:
		return "NOERROR 192.0.2.83"
	case name == "x.y.flip.example." && e.list%3 == 0:
		return refused + "flip.example."
	case name == "x.y.flip.example.":
		return refused + "y.flip.example."
	default:
		return refused + name
	}
}

// way is one of writing the next edition.
type way struct {
	name  string
	next  func(edition) edition
	write func(c *cordon, e edition)
}

func nextPolicy(e edition) edition { return edition{e.policy + 1, e.list} }
func nextList(e edition) edition   { return edition{e.policy, e.list + 1} }
func nextBoth(e edition) edition   { return edition{e.policy + 1, e.list + 1} }

const policyFile, listFile = "policy/policy.yaml", "policy/list.txt"

// waysToWrite are done in this order: the list grows, grows, and is written anew.
var waysToWrite = []way{
	{"policy renamed over", nextPolicy, func(c *cordon, e edition) { c.write(e.policyText(), policyFile) }},
	{"list appended to", nextList, appendToList},
	{"policy written in place", nextPolicy, func(c *cordon, e edition) { writeFile(c.t, e.policyText(), c.path(policyFile)) }},
	{"list appended to", nextList, appendToList},
	{"policy deleted and created", nextPolicy, func(c *cordon, e edition) {
		remove(c.t, c.path(policyFile))
		writeFile(c.t, e.policyText(), c.path(policyFile))
	}},
	{"list renamed over", nextList, func(c *cordon, e edition) { c.write(e.listText(), listFile) }},
	{"policy of the same size and time", nextPolicy, sameSizeAndTime},
	{"policy and SIGHUP", nextPolicy, func(c *cordon, e edition) {
		c.write(e.policyText(), policyFile)
		c.signal(syscall.SIGHUP)
	}},
}

func appendToList(c *cordon, e edition) {
	c.t.Helper()
	f, err := os.OpenFile(c.path(listFile), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	lines := strings.SplitAfter(e.listText(), "\n")
	if _, err = f.WriteString(lines[len(lines)-2]); err != nil {
		c.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		c.t.Fatal(err)
	}
}

func sameSizeAndTime(c *cordon, e edition) {
	c.t.Helper()
	before, err := os.Stat(c.path(policyFile))
	if err != nil {
		c.t.Fatal(err)
	}
	f, err := os.OpenFile(c.path(policyFile), os.O_WRONLY, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err = f.WriteString(e.policyText()); err != nil {
		c.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Chtimes(f.Name(), time.Now(), before.ModTime()); err != nil {
		c.t.Fatal(err)
	}
	after, err := os.Stat(f.Name())
	if err != nil || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		c.t.Fatalf("size or time changed: %v", err)
	}
}

// volume writes an edition as Kubernetes fills a volume: into a new directory, to which a symbolic link is then swapped.
func volume(c *cordon, e edition) {
	c.t.Helper()
	dir := c.path("policy")
	fresh := fmt.Sprintf("..%d", e.policy)
	writeFile(c.t, e.policyText(), dir, fresh, "policy.yaml")
	writeFile(c.t, e.listText(), dir, fresh, "list.txt")
	old, _ := os.Readlink(filepath.Join(dir, "..data")) // none at first
	if err := os.Symlink(fresh, filepath.Join(dir, "..data_tmp")); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		c.t.Fatal(err)
	}
	if old == "" {
		return
	}
	if err := os.RemoveAll(filepath.Join(dir, old)); err != nil {
		c.t.Fatal(err)
	}
}

func TestE2EReloadUnderLoad(t *testing.T) {
	endToEnd(t, "nsd", "dnsperf")
	nsd := startNSD(t)
	t.Run("directory", func(t *testing.T) {
		c := newCordon(t, []string{nsd.address}, "policy_dir: policy\n")
		c.write(edition{}.policyText(), policyFile)
		writeFile(t, edition{}.listText(), c.path(listFile))
		flip(c, slices.Repeat(waysToWrite, 3))
		c.saysAll(c.log(), "SIGHUP")
	})
	t.Run("volume", func(t *testing.T) {
		c := newCordon(t, []string{nsd.address}, "policy_dir: policy\n")
		volume(c, edition{})
		for _, file := range []string{"policy.yaml", "list.txt"} {
			if err := os.Symlink(filepath.Join("..data", file), c.path("policy/"+file)); err != nil {
				t.Fatal(err)
			}
		}
		flip(c, slices.Repeat([]way{{"symbolic link swapped", nextBoth, volume}}, 9))
	})
}

// flip writes edition after edition under load.
func flip(c *cordon, ways []way) {
	c.t.Helper()
	c.start()
	questions := "www.example A\nplain.example A\nx.y.flip.example A\nother.example A\nfiller7.example AAAA\nnone.example A\n"
	load := c.load(writeFile(c.t, questions, c.dir, "questions"), 2000)
	p := newProber(c, edition{})
	worst := map[string]time.Duration{}
	now := edition{}
	for _, w := range ways {
		now = w.next(now)
		p.expect(now)
		w.write(c, now)
		written := time.Now()
		took := p.turned().Sub(written)
		worst[w.name] = max(worst[w.name], took)
		if took > time.Second {
			c.t.Errorf("%s: ruled after %v, want at most 1 s", w.name, took)
		}
	}
	p.stop()
	load.stop()
	c.t.Logf("%d flips, %d probes; dnsperf: %v", len(ways), p.probes, load)
	for _, name := range slices.Sorted(maps.Keys(worst)) {
		c.t.Logf("worst delay, %s: %v", name, worst[name].Round(time.Millisecond))
	}
	if load.lost != 0 {
		c.t.Errorf("%d answers were lost", load.lost)
	}
	if n := load.rcode["NOERROR"] + load.rcode["NXDOMAIN"]; n != load.answered {
		c.t.Errorf("of %d answers %d have an RCODE that no policy calls for: %v", load.answered, load.answered-n, load.rcode)
	}
}

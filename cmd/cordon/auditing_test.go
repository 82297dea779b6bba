package main

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/config"
	"cordon/resolver"
	"cordon/resolver/policy"
)

// auditTest is an auditor for a policy of that text, whose log is written. tell has what it looks at.
type auditTest struct {
	*auditor
	t    *testing.T
	dir  string
	tell struct {
		counts  []resolver.Count
		uses    map[string]uint64
		failing []string
	}
}

func newAuditTest(t *testing.T, dir, text string) *auditTest {
	t.Helper()
	x := &auditTest{t: t, dir: dir}
	quiet := slog.New(slog.DiscardHandler)
	file := audit.New(audit.Config{Dir: dir, MaxFile: 1 << 20, Keep: 1e6 * time.Hour, Log: quiet})
	earlier, fresh, err := recall(audit.ReadState(dir))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	x.auditor = &auditor{
		file: file, log: quiet, since: time.Now(), said: earlier, fresh: fresh,
		counted: func() []resolver.Count { return x.tell.counts },
		used:    func() map[string]uint64 { return maps.Clone(x.tell.uses) },
		failing: func() []string { return slices.Clone(x.tell.failing) },
		counts:  map[countKey]uint64{}, uses: map[string]uint64{}, usedBy: map[string]string{},
		outages: map[string]*outage{}, wake: make(chan struct{}, 1),
	}
	x.look(generationOf(t, text), nil, time.Now())
	return x
}

// now changes what the auditor sees.
func (x *auditTest) now(change func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change()
}

func generationOf(t *testing.T, text string) *generation {
	t.Helper()
	l := &loader{log: slog.New(slog.DiscardHandler)}
	next, err := l.load(context.Background(), []config.File{config.NewFile("policy/all.yaml", []byte(text))})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// kinds are the kinds of entries, with the exception or route that they are about.
func (x *auditTest) kinds() string {
	x.t.Helper()
	synctest.Wait()
	return x.kindsNow()
}

// kindsNow is kinds outside of a bubble.
func (x *auditTest) kindsNow() string {
	x.t.Helper()
	var all []string
	for e, err := range audit.Read(x.dir, time.Time{}, time.Time{}) {
		if err != nil {
			x.t.Fatal(err)
		}
		word := string(e.Kind)
		if about := e.Exception + e.What; about != "" && !strings.HasPrefix(e.What, "policy/") {
			word += ":" + about
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}

func (x *auditTest) want(after string) {
	x.t.Helper()
	if got := x.kinds(); !strings.HasSuffix(got, "snapshot"+after) {
		x.t.Errorf("entries are %q, want …snapshot%s", got, after)
	}
}

const auditedPolicy = `
timezone: UTC
lists: [{name: tiktok, names: [tiktok.com]}]
policies: [{name: ban, lists: [tiktok]}]
agencies: [{name: ministry, networks: [10.1.0.0/16]}]
exceptions:
  - {name: press, agency: ministry, reason: r, approved_by: a, until: 2000-03-01}
  - {name: study, agency: ministry, reason: r, approved_by: a, until: 2000-03-01}
`

// The entry has the time of the hourly counts, and says the hour that it is of: nobody reads from it when a person used their exception.
func TestAnExceptionIsUsedForTheFirstTimeOnEachDay(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		x.begin()
		time.Sleep(time.Minute)
		x.now(func() { x.tell.uses = map[string]uint64{"press": 1, "unknown": 5} })
		time.Sleep(time.Minute)
		x.now(func() { x.tell.uses["press"] = 2 })
		time.Sleep(57 * time.Minute)
		x.want("")
		time.Sleep(2 * time.Minute)
		x.want(" exception-used:press")
		x.now(func() { x.tell.uses["press"], x.tell.uses["study"] = 3, 1 })
		time.Sleep(time.Minute)
		x.end()
		x.want(" exception-used:press exception-used:study stop")
		x = newAuditTest(t, dir, auditedPolicy) // on the same day
		x.begin()
		x.now(func() { x.tell.uses = map[string]uint64{"press": 1} })
		time.Sleep(time.Hour)
		x.want("")
		time.Sleep(21*time.Hour + 50*time.Minute) // 23:52
		x.now(func() { x.tell.uses["study"] = 2 })
		time.Sleep(10 * time.Minute)
		x.want("") // not used on that day for the first time
		x.now(func() { x.tell.uses["press"] = 2 })
		time.Sleep(23*time.Hour + 50*time.Minute) // 23:52
		x.now(func() { x.tell.uses["study"] = 3 })
		time.Sleep(10 * time.Minute)
		x.want(" exception-used:press exception-used:study")
		x.now(func() { x.tell.uses["study"] = 4 }) // on the next day
		time.Sleep(time.Minute)
		x.end()
		var got []string
		for e, err := range audit.Read(dir, time.Time{}, time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == audit.ExceptionUsed {
				got = append(got, e.Exception+e.Since.Format(" 02 15:04 ")+e.Time.Format("02 15:04"))
			}
		}
		want := []string{"press 01 00:00 01 01:00", "study 01 01:00 01 01:02", "press 02 00:00 02 01:00", "study 02 23:00 03 00:00", "study 03 00:00 03 00:03"}
		if !slices.Equal(got, want) {
			t.Errorf("used: %q, want %q", got, want)
		}
	})
}

// An exception that is taken out of the files in the hour in which it was used.
func TestAUseIsToldOfAnExceptionThatIsGone(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		x.begin()
		time.Sleep(time.Minute)
		x.now(func() { x.tell.uses = map[string]uint64{"press": 1} })
		x.look(generationOf(t, strings.ReplaceAll(auditedPolicy, "press", "other")), nil, time.Now())
		time.Sleep(time.Hour)
		x.want(" exception-used:press")
		x.end()
		x = newAuditTest(t, dir, strings.ReplaceAll(auditedPolicy, "press", "other"))
		x.begin()
		time.Sleep(time.Minute)
		x.end()
		if got := x.kinds(); strings.Count(got, "exception-revoked") != 1 {
			t.Errorf("entries are %q, want one revocation", got)
		}
	})
}

func TestAnOutageIsThatOfAllServersForAWhile(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		x.begin()
		for range 5 { // it comes and goes
			x.now(func() { x.tell.failing = []string{"."} })
			time.Sleep(4 * time.Second)
			x.now(func() { x.tell.failing = nil })
			time.Sleep(4 * time.Second)
		}
		x.want("")
		x.now(func() { x.tell.failing = []string{"internal.example", "."} })
		time.Sleep(time.Minute)
		x.want(" upstreams-lost:. upstreams-lost:internal.example")
		x.now(func() { x.tell.failing = []string{"internal.example"} })
		time.Sleep(time.Minute)
		x.want(" upstreams-lost:. upstreams-lost:internal.example upstreams-back:.")
		x.end()
	})
}

func TestCountsAreOfAnHour(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		x.begin()
		counts := []resolver.Count{
			{Agency: "ministry", Policy: "ban", List: "tiktok", Action: policy.Refuse, N: 3},
			{Agency: "ministry", Policy: "ban", List: "tiktok", Action: policy.Except, N: 1},
			{Agency: "default", Policy: "ban", List: "tiktok", Action: policy.Observe, N: 9},
		}
		x.now(func() { x.tell.counts = counts })
		time.Sleep(61 * time.Minute)
		x.now(func() { x.tell.counts[0].N = 5 })
		time.Sleep(61 * time.Minute)
		x.end()
		synctest.Wait()
		var got [][]audit.Count
		var sum time.Duration
		for e, err := range audit.Read(dir, time.Time{}, time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == audit.Counted {
				got = append(got, e.Counts)
				sum += e.Time.Sub(e.Since)
			}
		}
		row := audit.Count{Agency: "ministry", Policy: "ban", List: "tiktok", Refused: 3, Excepted: 1}
		want := [][]audit.Count{{{Agency: "default", Policy: "ban", List: "tiktok", Observed: 9}, row}, {row}}
		want[1][0].Refused, want[1][0].Excepted = 2, 0
		if !slices.EqualFunc(got, want, slices.Equal) || sum < 2*time.Hour-time.Minute || sum > 2*time.Hour+time.Minute {
			t.Errorf("counts %+v of %v, want %+v of two hours", got, sum, want)
		}
	})
}

func TestTheEffectOfAChangeIsTold(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		x.effect = func(before, after *policy.Snapshot, _ time.Time) []string {
			return []string{before.Policies()[0].Name + " becomes " + after.Policies()[0].Name}
		}
		x.look(generationOf(t, strings.Replace(auditedPolicy, "name: ban", "name: law", 1)), nil, time.Now())
		x.begin()
		x.end()
		var last []string
		for e, err := range audit.Read(dir, time.Time{}, time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == audit.Snapshot {
				last = e.Effect
			}
		}
		if !slices.Equal(last, []string{"ban becomes law"}) {
			t.Errorf("the effect is %q", last)
		}
	})
}

// What a change changes may take long to find out. That holds nothing back: neither the next change, nor the stop.
func TestNobodyWaitsForTheEffectOfAChange(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		slow := make(chan struct{})
		x.effect = func(_, _ *policy.Snapshot, _ time.Time) []string {
			<-slow
			return []string{"found"}
		}
		x.begin()
		begun := time.Now()
		change := func(name string) {
			x.look(generationOf(t, strings.Replace(auditedPolicy, "name: ban", "name: "+name, 1)), nil, time.Now())
			synctest.Wait()
		}
		for _, name := range []string{"b", "c", "d", "e", "f", "g", "h"} {
			change(name)
		}
		slow <- struct{}{} // b
		for range 1 + maxSights {
			slow <- struct{}{}
		}
		change("i")
		change("j")
		if took := time.Since(begun); took != 0 {
			t.Errorf("the changes took %v", took)
		}
		x.end()
		if took := time.Since(begun); took > effectPatience {
			t.Errorf("the stop took %v", took)
		}
		close(slow)
		x.want(" stop")
		var effects []string
		for e, err := range audit.Read(dir, time.Time{}, time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == audit.Snapshot {
				effects = append(effects, strings.Join(e.Effect, ""))
			}
		}
		const f, u = "found", unknownEffect
		if want := []string{"", f, u, u, f, f, f, f, u, u}; !slices.Equal(effects, want) {
			t.Errorf("the effects are %q, want %q", effects, want)
		}
	})
}

// An exception that is used before the log has it is used all the same.
func TestAnExceptionIsUsedBeforeItIsTold(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, strings.ReplaceAll(auditedPolicy, "press", "other"))
		x.begin()
		x.now(func() { x.tell.uses = map[string]uint64{"press": 1} })
		time.Sleep(10 * time.Second)
		x.want("")
		x.look(generationOf(t, auditedPolicy), nil, time.Now())
		time.Sleep(time.Hour)
		x.want(" exception-used:press")
		x.end()
	})
}

// Counters that begin at 0 again, and a clock that is set: nothing is counted twice, and nothing waits for a clock.
func TestCountsOutliveCountersAndClocks(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		x.catchUp(t.Context())
		begin := time.Now().Round(0)
		for _, at := range []struct {
			n     uint64
			after time.Duration
		}{{5, time.Minute}, {5, time.Hour}, {3, 2 * time.Hour}, {4, -1000 * time.Hour}, {4, -999 * time.Hour}, {9, -998 * time.Hour}} {
			x.tell.counts = []resolver.Count{{Agency: "ministry", Policy: "ban", List: "tiktok", Action: policy.Refuse, N: at.n}}
			x.tick(begin.Add(at.after))
		}
		x.begin()
		x.end()
		var got []uint64
		for e, err := range audit.Read(dir, time.Time{}, time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == audit.Counted {
				got = append(got, e.Counts[0].Refused)
			}
			if e.Kind == audit.Counted && e.Since.After(e.Time) {
				t.Errorf("counts from %v to %v", e.Since, e.Time)
			}
		}
		if !slices.Equal(got, []uint64{5, 3, 1, 5}) {
			t.Errorf("the counts are %v", got)
		}
	})
}

// A clock that steps back: what the server does then is what the log says.
func TestAClockThatStepsBackIsNoBeginning(t *testing.T) {
	text := `
timezone: UTC
lists: [{name: tiktok, names: [tiktok.com]}]
policies: [{name: ban, from: 2000-01-02, lists: [tiktok]}]
agencies: [{name: ministry, networks: [10.1.0.0/16]}]
exceptions: [{name: press, agency: ministry, reason: r, approved_by: a, until: 2000-01-02T12:00}]
`
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, text)
		day := 24 * time.Hour
		x.catchUp(t.Context())
		begin := time.Now()
		for _, after := range []time.Duration{day, 2 * day, 0, day, 3 * day} {
			x.tick(begin.Add(after))
		}
		x.begin()
		x.want(" policy-began exception-lapsed")
		x.end()
	})
}

// What is over already and comes into the files, again or for the first time, is added with its dates: it neither begins nor ends then.
func TestWhatIsOverAndComesBackDoesNotBegin(t *testing.T) {
	over := strings.Replace(auditedPolicy, "policies: [{name: ban, lists: [tiktok]}]",
		"policies: [{name: ban, lists: [tiktok]}, {name: past, from: 1999-01-01, until: 1999-02-01, lists: [tiktok]}]", 1) + `
  - {name: old, agency: ministry, reason: r, approved_by: a, from: 1999-01-01, until: 1999-02-01}
  - {name: taken, agency: ministry, reason: r, approved_by: a, from: 1999-01-01, until: 2001-02-01, revoked: 1999-02-01, revoked_by: b}
`
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		x.begin()
		time.Sleep(time.Minute)
		for range 2 {
			x.look(generationOf(t, over), nil, time.Now())
			time.Sleep(time.Minute)
			x.look(generationOf(t, auditedPolicy), nil, time.Now())
			time.Sleep(time.Minute)
		}
		if got, want := x.kinds(), strings.Repeat(" exception-added exception-added snapshot snapshot", 2); !strings.HasSuffix(got, want) {
			t.Errorf("entries are %q, want …%q", got, want)
		}
		x.end()
		for e, err := range audit.Read(dir, time.Time{}, time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if day := time.Date(1999, 2, 1, 0, 0, 0, 0, time.UTC); e.Exception == "taken" && !e.Until.Equal(day) {
				t.Errorf("it is over since %v, want %v", e.Until, day)
			}
		}
		// A crash before the snapshot that follows: the next start knows that it is over.
		begin := audit.Entry{Kind: audit.ExceptionAdded, Time: time.Now(), Exception: "old", Until: time.Now().Add(-time.Hour)}
		s, fresh, err := recall(func(yield func(audit.Entry, error) bool) {
			_ = yield(audit.Entry{Kind: audit.Snapshot}, nil) && yield(begin, nil)
		})
		if err != nil || fresh {
			t.Error(err, fresh)
		}
		if got := s.terms[termKey{exception: true, name: "old"}].State; got != audit.Over {
			t.Errorf("the state is %q", got)
		}
	})
}

// What goes wrong in telling does not end the server.
func TestAFaultInTheAuditorIsSurvived(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		x := newAuditTest(t, dir, auditedPolicy)
		x.failing = func() []string { panic("a fault") }
		var log safeBuffer
		x.log = slog.New(slog.NewTextHandler(&log, nil))
		x.begin()
		time.Sleep(10 * time.Second)
		x.end()
		x.want(" stop")
		if !strings.Contains(log.String(), "a fault") {
			t.Errorf("the log is %q", log.String())
		}
	})
}

// A stop in the middle of a reload: what could not be read for that has no fault.
func TestAStopHoldsNothing(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "policy", "list.txt")
	if err := os.Mkdir(filepath.Dir(list), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(dir, "cordon.yaml"): "listen: {dns: [\"127.0.0.1:0\"], admin: off}\nupstreams: [{address: 192.0.2.53}]\n" +
			"policy_dir: policy\naudit: {dir: audit}\n",
		filepath.Join(dir, "policy", "all.yaml"): "lists: [{name: mine, source: \"file:list.txt\"}]\npolicies: [{name: ban, lists: [mine]}]\n",
		list:                                     "tiktok.com\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := newServer(t.Context(), filepath.Join(dir, "cordon.yaml"), nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer s.listener.Close()
	s.audit.begin()
	if err := os.WriteFile(list, []byte("capcut.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stopping, stop := context.WithCancel(t.Context())
	stop()
	s.reload(stopping)
	s.audit.end()
	x := auditTest{t: t, dir: filepath.Join(dir, "audit")}
	if got := x.kindsNow(); !strings.HasSuffix(got, " snapshot stop") {
		t.Errorf("entries are %q, want … snapshot stop", got)
	}
}

func TestNoAuditorTellsNothing(t *testing.T) {
	var a *auditor
	a.begin()
	a.end()
	new(server).audited()
}

func TestTheAuditLogIsInTheStateDirectoryIfNothingElseIsSaid(t *testing.T) {
	for _, test := range []struct{ state, dir, want string }{
		{"", "", ""}, {"s", "", filepath.Join("s", "audit")}, {"", "d", "d"}, {"s", "d", "d"},
	} {
		if got := auditDir(&config.Service{StateDir: test.state, Audit: config.Audit{Dir: test.dir}}); got != test.want {
			t.Errorf("state_dir %q, audit.dir %q: %q, want %q", test.state, test.dir, got, test.want)
		}
	}
}

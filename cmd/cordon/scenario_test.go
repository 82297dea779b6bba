package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/tools/txtar"

	"cordon/resolver/cache"
	"cordon/resolver/policy"
)

// A scenario is one behaviour that somebody outside can see, through the whole path: files, loader, snapshot, resolver,
// groups of upstreams. Only sockets are missing: clients are wire.Query values, upstreams are pipes. It runs in a bubble
// whose clock begins at 2000-01-01T00:00:00Z and costs nothing.
//
// It is one txtar archive in testdata/scenarios, named after the behaviour. Its comment says more. Sections: cordon.yaml,
// policy/... and lists/... are the files at the start (left out: defaultService, defaultPolicy); script is the script; all
// others are material for write. A line of the script is a command and words, split at blanks, with '...' around a word
// that has some; # begins a comment. In brackets is what may be left out, + is "one or more".
//
//	upstream [ADDR] NAME TYPE RDATA [/ RDATA]+ [ttl=N] [signed] [bogus]
//	      what upstreams say from now on: those records, of A and AAAA one a word; ttl is 300 if left out;
//	      signed: with RRSIG for who sets DO; bogus: SERVFAIL for who does not set CD
//	upstream [ADDR] NAME TYPE many=N                 N addresses
//	upstream [ADDR] NAME TYPE chain=N ADDRESS        N aliases and then an address
//	upstream [ADDR] NAME TYPE NODATA|RCODE [soa=ZONE] [minimum=N] [ttl=N]       TYPE * is every type
//	upstream [ADDR] MANNER+                          how they say it from now on: see newManner; ok: plainly
//	query CLIENT NAME [TYPE] [OPTION+] want RCODE [WANT+]    ask: see ask for options, want for what can be wanted
//	raw CLIENT [HEX+] [tcp] want RCODE [WANT+]       the same with the octets of a query
//	go query ...                                     the same without waiting; join waits for all of these
//	N [go] query ...                                 N of these at once; % in the name is the number of each
//	explain CLIENT NAME ACTION [POLICY]              what policy says of a name: pass, refuse, observe, except
//	asked [ADDR|NAME] N [tcp]                        queries that upstreams got: all, that server, about that name
//	elapse D                                         time goes on
//	clock-step D                                     the wall clock alone is set
//	publish LIST SECTION|fail                        what the source of a list from elsewhere has from now on; the sections
//	      remote/LIST are what they have at the start
//	fetch                                            all sources are asked, and what is new is taken over
//	tick                                             what the server does each hour
//	follow D                                         the server's own loop runs for so long, by its timers; not after clock-step
//	accept LIST                                      an administrator believes a list that is held
//	write FILE SECTION, delete FILE, reload, restart what administrators do; reload is what follows a change
//	sighup                                           an administrator asks for a reload
//	stop, start                      the two halves of restart
//	held [FILE|'list NAME']+                         exactly these are held; without any: nothing is
//	hash same|changed                                the policy's, against what it was at the last hash or start
//	log WORD+, nolog WORD+                           a line that was logged since the last reload has them all, or none has
//
// A fake upstream is a resolver: it follows CNAME and DNAME through what it was told. A question that it was told nothing
// about is an error of the script. After every query, explain must have said the same as the answer did: see agree. At the end neither the
// log nor the metrics have anything of who asked and what: see keepQuiet.

// defaultService is cordon.yaml if the archive has none.
const defaultService = `
policy_dir: policy
upstreams: [{address: 192.0.2.53}]
`

// defaultPolicy is the policy if the archive has none.
const defaultPolicy = `
timezone: UTC
lists: [{name: tiktok, names: [tiktok.com]}]
policies: [{name: ban, lists: [tiktok]}]
agencies: [{name: ministry, networks: [10.1.0.0/16]}]
`

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { runScenario(t, file, dir, archive) })
		})
	}
}

// scenario is one that runs. Its goroutines are those of the server and of queries under way.
type scenario struct {
	t        *testing.T
	file     string
	dir      string
	sections map[string][]byte
	line     atomic.Int64 // of the script, in file

	net    *fakeNet
	server *server
	log    safeBuffer
	heard  string        // the log since the last reload
	clock  *policy.Clock // sees what the resolver's clock sees
	step   time.Duration
	hash   string
	found  int // entries of the audit log up to the one that was found last

	publishers map[string]*publisher // of the lists from elsewhere, by name
	stop       context.CancelFunc    // ends the copying of lists

	private        sync.Map     // addresses of clients and names that they asked for, lower case
	asked, replied atomic.Int64 // calls of Start and of what they call back
	background     sync.WaitGroup
}

func runScenario(t *testing.T, file, dir string, archive *txtar.Archive) {
	x := &scenario{
		t: t, file: file, dir: dir, sections: map[string][]byte{"cordon.yaml": []byte(defaultService)}, publishers: map[string]*publisher{},
	}
	x.net = newFakeNet(x)
	hasPolicy := false
	for _, f := range archive.Files {
		x.sections[f.Name] = f.Data
		if list, ok := strings.CutPrefix(f.Name, "remote/"); ok {
			x.publishers[list] = &publisher{content: f.Data}
		}
		hasPolicy = hasPolicy || strings.HasPrefix(f.Name, "policy/")
	}
	if !hasPolicy {
		x.sections["policy/all.yaml"] = []byte(defaultPolicy)
	}
	for name := range x.sections {
		if name == "cordon.yaml" || strings.HasPrefix(name, "policy/") || strings.HasPrefix(name, "lists/") {
			x.write(name, name)
		}
	}
	script, first := x.script()
	x.line.Store(int64(first))
	x.start()
	for i, line := range script {
		x.line.Store(int64(first + i))
		x.run(line)
	}
	x.background.Wait()
	time.Sleep(time.Minute) // in the bubble: whatever is under way ends
	x.stop()
	x.keepQuiet()
	if asked, replied := x.asked.Load(), x.replied.Load(); asked != replied {
		x.errorf("%d queries waited, %d were replied to", asked, replied)
	}
}

// keepQuiet looks for clients and names in what was logged and counted, but for those that stand in a file as well.
func (x *scenario) keepQuiet() {
	lines := []string{x.log.all()}
	families, err := x.server.registry.Gather()
	if err != nil {
		x.errorf("%v", err)
	}
	for _, family := range families {
		lines = append(lines, family.String())
	}
	told := strings.ToLower(strings.Join(lines, "\n"))
	var files []byte
	for name, content := range x.sections {
		if name != "script" {
			files = append(files, content...)
		}
	}
	x.private.Range(func(key, _ any) bool {
		secret := key.(string) //nolint:forcetypeassert // see do
		if strings.Contains(told, secret) && !bytes.Contains(bytes.ToLower(files), []byte(secret)) {
			x.errorf("the log or a metric has %q:\n%s", secret, told)
		}
		return true
	})
}

// script is the lines of the script and the number of the first in the file.
func (x *scenario) script() ([]string, int) {
	const header = "-- script --\n"
	text, err := os.ReadFile(x.file)
	if err != nil {
		x.t.Fatal(err)
	}
	at := bytes.Index(text, []byte(header))
	if at < 0 {
		x.t.Fatalf("%s: no section script", x.file)
	}
	return strings.Split(string(x.sections["script"]), "\n"), bytes.Count(text[:at+len(header)], []byte("\n")) + 1
}

func (x *scenario) errorf(format string, args ...any) {
	x.t.Helper()
	x.errorAt(x.line.Load(), format, args...)
}

func (x *scenario) errorAt(line int64, format string, args ...any) {
	x.t.Helper()
	x.t.Errorf("%s:%d: %s", x.file, line, fmt.Sprintf(format, args...))
}

func (x *scenario) fatalf(format string, args ...any) {
	x.t.Helper()
	x.errorf(format, args...)
	x.t.FailNow()
}

// start is newServer but for the sockets.
func (x *scenario) start() {
	s := &server{
		level: new(slog.LevelVar), registry: prometheus.NewRegistry(), outcome: newReloads(), path: x.path("cordon.yaml"),
		remote: x.remote,
	}
	err := s.readService(&x.log)
	if err == nil {
		s.state, err = openState(s.service.StateDir)
	}
	if err == nil {
		s.earlier = s.state.seen()
		err = s.newLoader(&progress{})
	}
	if err == nil {
		err = s.firstPolicy(context.Background(), &x.log)
	}
	var answers *cache.Cache
	if err == nil {
		answers, err = s.newResolver(1, x.net.dial)
	}
	if err != nil {
		x.fatalf("start: %v\n%s", err, x.log.String())
	}
	s.registry.MustRegister(s.resolver, policy.NewCollector(s.inForce), cache.NewCollector(answers), s.outcome)
	s.resolver.Publish(s.loader.good.snapshot)
	s.rememberTime(x.now())
	s.save()
	var ctx context.Context
	ctx, x.stop = context.WithCancel(context.Background())
	if s.copies != nil {
		go func() { _ = s.copies.Run(ctx) }()
	}
	if bytes.Contains(x.sections["script"], []byte("audit ")) { // else nobody looks, and it would cost the time of every tick
		s.openAudit()
		s.audit.begin()
		cancel := x.stop
		x.stop = sync.OnceFunc(func() {
			s.audit.end()
			cancel()
		})
		x.t.Cleanup(x.stop)
	}
	x.clock = new(policy.Clock)
	x.clock.Raise(s.earlier)
	x.server, x.hash = s, s.resolver.Snapshot().Hash()
	x.heard = x.log.take()
}

// now is the wall clock.
func (x *scenario) now() time.Time { return time.Now().Add(x.step) }

func (x *scenario) run(line string) {
	words, err := splitWords(line)
	if err != nil {
		x.fatalf("%v", err)
	}
	if len(words) == 0 {
		return
	}
	if n, err := strconv.Atoi(words[0]); err == nil {
		x.crowd(n, words[1:])
		return
	}
	command := commands()[words[0]]
	if command == nil {
		x.fatalf("no command %q: want one of %v", words[0], slices.Sorted(maps.Keys(commands())))
	}
	if err := command(x, words[1:]); err != nil {
		x.fatalf("%s: %v", words[0], err)
	}
}

var errUsage = errors.New("see the comment over TestScenarios for how it is written")

// commands are the commands of the script by their first word.
func commands() map[string]func(x *scenario, args []string) error {
	return map[string]func(*scenario, []string) error{
		"upstream":   func(x *scenario, args []string) error { return x.net.script(args) },
		"query":      func(x *scenario, args []string) error { return x.query("query", args) },
		"raw":        func(x *scenario, args []string) error { return x.query("raw", args) },
		"go":         (*scenario).startQuery,
		"explain":    (*scenario).wantExplained,
		"join":       func(x *scenario, _ []string) error { x.background.Wait(); return nil },
		"asked":      (*scenario).wantAsked,
		"elapse":     (*scenario).elapse,
		"clock-step": (*scenario).stepClock,
		"publish":    (*scenario).publish,
		"fetch":      (*scenario).fetch,
		"tick":       (*scenario).tick,
		"follow":     (*scenario).follow,
		"accept":     (*scenario).accept,
		"write":      (*scenario).writeFile,
		"delete":     (*scenario).deleteFile,
		"reload":     (*scenario).reload,
		"sighup":     (*scenario).hangUp,
		"restart":    (*scenario).restart,
		"stop":       (*scenario).stopServer,
		"start":      func(x *scenario, _ []string) error { x.start(); return nil },
		"held":       (*scenario).wantHeld,
		"hash":       (*scenario).wantHash,
		"log":        (*scenario).wantLog,
		"nolog":      (*scenario).wantNoLog,
		"audit":      (*scenario).wantAudit,
		"noaudit":    (*scenario).wantNoAudit,
	}
}

func (x *scenario) elapse(args []string) error {
	d, err := duration(args)
	time.Sleep(d) // in the bubble
	return err
}

func (x *scenario) stepClock(args []string) error {
	d, err := duration(args)
	x.step += d
	return err
}

func duration(args []string) (time.Duration, error) {
	if len(args) != 1 {
		return 0, errUsage
	}
	return time.ParseDuration(args[0])
}

func (x *scenario) path(name string) string { return filepath.Join(x.dir, filepath.FromSlash(name)) }

// write puts a section of the archive into a file, as an administrator with mv would.
func (x *scenario) write(name, section string) {
	content, ok := x.sections[section]
	if !ok {
		x.fatalf("no section %q", section)
	}
	path := x.path(name)
	err := errors.Join(
		os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path+".new", content, 0o600), os.Rename(path+".new", path),
	)
	if err != nil {
		x.fatalf("%v", err)
	}
}

func (x *scenario) writeFile(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	x.write(args[0], args[1])
	return nil
}

func (x *scenario) deleteFile(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return os.Remove(x.path(args[0]))
}

func (x *scenario) reload([]string) error {
	x.log.take()
	x.server.reload(context.Background())
	x.heard = x.log.take()
	return nil
}

func (x *scenario) hangUp([]string) error {
	x.log.take()
	x.server.readAgain(context.Background())
	x.heard = x.log.take()
	return nil
}

// restart ends the process, as far as there is one, and starts another on the same files.
func (x *scenario) restart([]string) error {
	err := x.stopServer(nil)
	x.start()
	return err
}

func (x *scenario) stopServer([]string) error {
	time.Sleep(time.Minute) // in the bubble
	x.stop()
	return nil
}

func (x *scenario) wantHeld(args []string) error {
	var held []string
	all := maps.Clone(x.server.own.holds)
	if all == nil {
		all = map[string]hold{}
	}
	maps.Copy(all, x.server.loader.holds)
	for what := range all {
		if relative, err := filepath.Rel(x.dir, what); err == nil && filepath.IsAbs(what) {
			what = filepath.ToSlash(relative)
		}
		held = append(held, what)
	}
	slices.Sort(held)
	slices.Sort(args)
	if !slices.Equal(held, args) {
		x.errorf("held are %q, want %q", held, args)
	}
	return nil
}

func (x *scenario) wantHash(args []string) error {
	before := x.hash
	x.hash = x.server.resolver.Snapshot().Hash()
	switch {
	case len(args) != 1 || args[0] != "same" && args[0] != "changed":
		return errUsage
	case (before == x.hash) != (args[0] == "same"):
		x.errorf("the hash was %s and is %s, want it %s", before, x.hash, args[0])
	}
	return nil
}

func (x *scenario) wantLog(args []string) error {
	if !x.logged(args) {
		x.errorf("no line of the log has %q:\n%s", args, x.heard)
	}
	return nil
}

func (x *scenario) wantNoLog(args []string) error {
	if x.logged(args) {
		x.errorf("a line of the log has %q:\n%s", args, x.heard)
	}
	return nil
}

// logged says whether one line of what was logged lately has all of these words.
func (x *scenario) logged(words []string) bool {
	x.heard += x.log.take()
	for line := range strings.Lines(x.heard) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			return true
		}
	}
	return false
}

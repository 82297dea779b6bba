package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cordon/blocklists/domain"
	"cordon/config"
	"cordon/resolver/policy"
)

// desk is a policy directory with a loader that follows it.
type desk struct {
	t      *testing.T
	dir    string
	log    strings.Builder
	loader *loader
	state  *stateDir
}

func newDesk(t *testing.T, state *stateDir) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), state: state}
	d.loader = &loader{log: slog.New(slog.NewTextHandler(&d.log, nil)), state: state}
	return d
}

// The files that most tests begin with: a list and a ban in one, an agency in another.
const (
	banFile    = "lists: [{name: tiktok, names: [tiktok.com]}]\npolicies: [{name: ban, lists: [tiktok]}]\n"
	agencyFile = "agencies: [{name: ministry, networks: [10.1.0.0/16], policies: [ban]}]\n"
	brokenFile = "polices: []\n"
)

// begun is a desk with those files in force.
func begun(t *testing.T, state *stateDir) *desk {
	t.Helper()
	d := newDesk(t, state)
	d.write("a.yaml", banFile)
	d.write("b.yaml", agencyFile)
	d.mustLoad()
	return d
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) remove(name string) {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.dir, name)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) load() error {
	d.t.Helper()
	files, err := config.ReadPolicyDir(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	_, err = d.loader.load(context.Background(), files)
	return err
}

func (d *desk) mustLoad() {
	d.t.Helper()
	if err := d.load(); err != nil {
		d.t.Fatal(err)
	}
}

// wantHeld checks that exactly those are held: files by their names in the directory, lists as "list NAME".
func (d *desk) wantHeld(want ...string) {
	d.t.Helper()
	var held []string
	for what := range d.loader.holds {
		held = append(held, strings.TrimPrefix(what, d.dir+string(filepath.Separator)))
	}
	slices.Sort(held)
	if !slices.Equal(held, want) {
		d.t.Errorf("held are %q, want %q", held, want)
	}
}

// wantRefused checks which of all names are refused to a client of the ministry.
func (d *desk) wantRefused(want ...string) {
	d.t.Helper()
	s := d.loader.good.snapshot
	asker, _ := s.Asker(netip.MustParseAddr("10.1.0.1"))
	var refused []string
	for _, name := range []string{"tiktok.com", "new.example", "other.example"} {
		if s.Decide(asker, []byte(domain.MustParse(name)), policy.Instant{Now: time.Now()}).Action == policy.Refuse {
			refused = append(refused, name)
		}
	}
	if !slices.Equal(refused, want) {
		d.t.Errorf("refused are %q, want %q", refused, want)
	}
}

func (d *desk) reason(name string) string { return d.loader.holds[filepath.Join(d.dir, name)].reason }

func TestFirstLoadWithFaultsSaysAllAndChangesNothing(t *testing.T) {
	d := newDesk(t, nil)
	d.write("a.yaml", brokenFile)
	d.write("b.yaml", "agencies: [{name: ministry, networks: [10.1.2.3/16], policies: [gone]}]\n")
	err := d.load()
	if err == nil {
		t.Fatal("files with faults were loaded")
	}
	faults, ok := errors.AsType[config.Faults](err)
	if !ok || len(faults) < 2 {
		t.Errorf("the error is %T with %v, want the faults of both files", err, err)
	}
	if d.loader.good != nil || len(d.loader.holds) != 0 {
		t.Errorf("in force is %v, held %v, want nothing", d.loader.good, d.loader.holds)
	}
}

func TestAFileWithAFaultIsHeldAlone(t *testing.T) {
	d := begun(t, nil)
	d.write("a.yaml", brokenFile)
	d.write("b.yaml", agencyFile+"lists: [{name: new, names: [new.example]}]\npolicies: [{name: more, lists: [new]}]\n")
	d.mustLoad()
	d.wantHeld("a.yaml")
	if reason := d.reason("a.yaml"); !strings.Contains(reason, `:1:1: unknown key "polices": did you mean "policies"?`) {
		t.Errorf("held for %q, want the place and what would be right", reason)
	}
	d.wantRefused("tiktok.com")
	if len(d.loader.good.snapshot.Policies()) != 2 {
		t.Error("the file without a fault was not put in force")
	}
}

func TestANewFileWithAFaultHoldsNothingElse(t *testing.T) {
	d := begun(t, nil)
	d.write("c.yaml", brokenFile)
	d.mustLoad()
	d.wantHeld("c.yaml")
	d.wantRefused("tiktok.com")
}

func TestAFaultThatSpansFilesHoldsWhatChanged(t *testing.T) {
	d := begun(t, nil)
	d.write("b.yaml", "agencies: [{name: ministry, networks: [10.1.0.0/16], policies: [gone]}]\n")
	d.write("c.yaml", "lists: [{name: new, names: [new.example]}]\npolicies: [{name: ban2, lists: [new]}]\n")
	d.mustLoad()
	d.wantHeld("b.yaml", "c.yaml")
	d.wantRefused("tiktok.com")
	if reason := d.reason("c.yaml"); !strings.Contains(reason, `"gone"`) {
		t.Errorf("c.yaml is held for %q, want the fault of both together", reason)
	}
}

func TestAFileWithAFaultBesideOnesThatSpan(t *testing.T) {
	d := begun(t, nil)
	d.write("a.yaml", brokenFile)
	d.write("b.yaml", "agencies: [{name: ministry, networks: [10.1.0.0/16], policies: [gone]}]\n")
	d.mustLoad()
	d.wantHeld("a.yaml", "b.yaml")
	d.wantRefused("tiktok.com")
}

func TestADeletedFileIsObeyedIfTheRestCanBe(t *testing.T) {
	d := begun(t, nil)
	d.remove("b.yaml")
	d.mustLoad()
	d.wantHeld()
	if n := len(d.loader.good.snapshot.Agencies()); n != 1 {
		t.Errorf("%d agencies, want only default", n)
	}
	d.write("b.yaml", agencyFile)
	d.mustLoad()
	d.remove("a.yaml")
	d.mustLoad()
	d.wantHeld("a.yaml")
	if reason := d.reason("a.yaml"); !strings.HasPrefix(reason, "it was deleted, but: ") {
		t.Errorf("held for %q", reason)
	}
	d.wantRefused("tiktok.com")
}

func TestAHoldLastsUntilTheFaultIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := begun(t, nil)
		d.write("a.yaml", brokenFile)
		d.mustLoad()
		since := time.Now()
		time.Sleep(time.Hour)
		d.write("a.yaml", "listen: {}\n")
		d.mustLoad()
		for what, h := range d.loader.holds {
			if !h.since.Equal(since) || !strings.Contains(h.reason, "listen") {
				t.Errorf("%s is held since %v for %q, want since %v for the new fault", what, h.since, h.reason, since)
			}
		}
		d.write("a.yaml", "lists: [{name: new, names: [new.example]}]\npolicies: [{name: ban, lists: [new]}]\n")
		d.mustLoad()
		d.wantHeld()
		d.wantRefused("new.example")
		if !strings.Contains(d.log.String(), `msg="no longer held" what=`+filepath.Join(d.dir, "a.yaml")+" held_for=1h") {
			t.Errorf("the end of the hold is not in the log:\n%s", d.log.String())
		}
	})
}

func TestAFaultIsLoggedOnce(t *testing.T) {
	d := begun(t, nil)
	d.write("a.yaml", brokenFile)
	d.mustLoad()
	d.mustLoad()
	if n := strings.Count(d.log.String(), "msg=\"held: "); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, d.log.String())
	}
}

// withListFile is a desk with a list of twelve names in a file.
func withListFile(t *testing.T, state *stateDir) *desk {
	t.Helper()
	d := newDesk(t, state)
	d.write("a.yaml", strings.Replace(banFile, "names: [tiktok.com]", "source: 'file:list.txt'", 1))
	d.write("b.yaml", agencyFile)
	d.write("list.txt", "tiktok.com\n"+elevenNames)
	d.mustLoad()
	return d
}

const elevenNames = "a1.example\na2.example\na3.example\na4.example\na5.example\na6.example\n" +
	"a7.example\na8.example\na9.example\na10.example\na11.example\n"

func TestAListThatCannotBeTrustedIsHeld(t *testing.T) {
	for name, text := range map[string]string{
		"empty":   "",
		"shrunk":  "other.example\n",
		"a page":  "<html><body>503</body></html>\n",
		"rubbish": strings.Repeat("not a name\n", 50),
	} {
		t.Run(name, func(t *testing.T) {
			d := withListFile(t, nil)
			d.write("list.txt", text)
			d.write("b.yaml", agencyFile+"lists: [{name: new, names: [new.example]}]\n")
			d.mustLoad()
			d.wantHeld("list tiktok")
			d.wantRefused("tiktok.com")
			if reason := d.loader.holds["list tiktok"].reason; !strings.Contains(reason, "a.yaml:1: ") {
				t.Errorf("held for %q, want the place where the list is declared", reason)
			}
			if len(d.loader.good.lists) != 2 {
				t.Error("what else changed was not put in force")
			}
			d.write("list.txt", "other.example\n"+elevenNames)
			d.mustLoad()
			d.wantHeld()
			d.wantRefused("other.example")
		})
	}
}

func TestAListThatVanishesIsHeld(t *testing.T) {
	d := withListFile(t, nil)
	d.remove("list.txt")
	d.mustLoad()
	d.wantHeld("list tiktok")
	d.wantRefused("tiktok.com")
}

func TestANewListThatCannotBeLoadedHoldsWhatNamesIt(t *testing.T) {
	d := begun(t, nil)
	d.write("c.yaml", "lists: [{name: new, source: 'file:gone.txt'}]\npolicies: [{name: more, lists: [new]}]\n")
	d.mustLoad()
	d.wantHeld("c.yaml")
	d.wantRefused("tiktok.com")
	d.write("gone.txt", "new.example\n")
	d.mustLoad()
	d.wantHeld()
}

func TestEveryGenerationHasAnotherNumber(t *testing.T) {
	d := begun(t, nil)
	seen := []uint64{d.loader.good.snapshot.ID()}
	hash := d.loader.good.snapshot.Hash()
	for range 3 {
		d.mustLoad()
		seen = append(seen, d.loader.good.snapshot.ID())
		if d.loader.good.snapshot.Hash() != hash {
			t.Error("the hash changed though no file did")
		}
	}
	if !slices.IsSorted(seen) || len(slices.Compact(seen)) != 4 {
		t.Errorf("the numbers are %v, want rising ones", seen)
	}
}

// keep saves what d has in force, as the server does.
func keep(t *testing.T, d *desk) *lastGood {
	t.Helper()
	good := d.loader.good.keep(d.dir)
	mustSave(t, d.state, good)
	return mustLoad(t, d.state)
}

func TestAStartWithFaultsHasTheLastGoodVersions(t *testing.T) {
	d := withListFile(t, newState(t))
	kept := keep(t, d)
	d.write("a.yaml", brokenFile)
	d.remove("list.txt")

	d.loader = &loader{log: d.loader.log, state: d.state}
	if err := d.load(); err == nil {
		t.Fatal("files with faults were loaded without a last good version")
	}
	d.loader.kept = kept
	if err := d.loader.seed(t.Context(), d.dir); err != nil {
		t.Fatal(err)
	}
	d.mustLoad()
	d.wantHeld("a.yaml", "list tiktok")
	d.wantRefused("tiktok.com")

	// The copy of the list stays for the start after this one.
	kept = keep(t, d)
	d.loader = &loader{log: d.loader.log, state: d.state}
	d.loader.kept = kept
	if err := d.loader.seed(t.Context(), d.dir); err != nil {
		t.Fatal(err)
	}
	d.mustLoad()
	d.wantRefused("tiktok.com")
}

func TestAStartWithFaultsInADirectoryThatMoved(t *testing.T) {
	d := begun(t, newState(t))
	kept := keep(t, d)
	d.dir = t.TempDir()
	d.write("a.yaml", brokenFile)
	d.write("b.yaml", strings.Replace(agencyFile, "[ban]", "[more]", 1)+
		"lists: [{name: new, names: [new.example]}]\npolicies: [{name: more, lists: [new]}]\n")
	d.loader = &loader{log: d.loader.log, state: d.state}
	d.loader.kept = kept
	if err := d.loader.seed(t.Context(), d.dir); err != nil {
		t.Fatal(err)
	}
	d.mustLoad()
	d.wantHeld("a.yaml")
	d.wantRefused("new.example")
	if n := len(d.loader.good.snapshot.Policies()); n != 2 {
		t.Errorf("%d policies, want the held one too", n)
	}
}

func TestALastGoodStateWithAFaultIsNotTaken(t *testing.T) {
	for name, kept := range map[string]*lastGood{
		"nothing":            {},
		"a file with faults": {Policy: []goodFile{{Name: "policy/a.yaml", Content: []byte(brokenFile)}}},
		"a list without copy": {Policy: []goodFile{{
			Name: "policy/a.yaml", Content: []byte(strings.Replace(banFile, "names: [tiktok.com]", "source: 'file:gone.txt'", 1)),
		}}},
		"an empty copy": {
			Policy: []goodFile{{
				Name: "policy/a.yaml", Content: []byte(strings.Replace(banFile, "names: [tiktok.com]", "source: 'file:gone.txt'", 1)),
			}},
			Lists: []goodFile{{Name: "tiktok"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := &loader{log: slog.New(slog.DiscardHandler), kept: kept}
			if err := l.seed(t.Context(), "policy"); err == nil || l.good != nil {
				t.Errorf("seed: %v, in force %v, want an error and nothing", err, l.good)
			}
		})
	}
}

func TestTheHashIsOfWhatIsInForce(t *testing.T) {
	d := begun(t, nil)
	hash := d.loader.good.snapshot.Hash()
	other := begun(t, nil) // the same files in another directory
	if other.loader.good.snapshot.Hash() != hash {
		t.Error("two servers with the same files have different hashes")
	}
	d.write("a.yaml", brokenFile)
	d.mustLoad()
	if d.loader.good.snapshot.Hash() != hash {
		t.Error("a held file changed the hash")
	}
	other.write("a.yaml", strings.Replace(banFile, "tiktok.com", "other.example", 1))
	other.mustLoad()
	if other.loader.good.snapshot.Hash() == hash {
		t.Error("another list has the same hash")
	}
}

// An exception that was approved "in the future" counts as approved today, and one of the year after that is too long then.
func TestAClockThatIsBehindWhatWasSeenMakesNoExceptionTooLong(t *testing.T) {
	d := newDesk(t, newState(t))
	d.write("a.yaml", "timezone: UTC\n"+banFile+agencyFile+"exceptions: [{name: e, agency: ministry, reason: r, approved_by: a, "+
		"approved: 2099-06-01, until: 2099-12-31}]\n")
	if err := d.load(); err == nil || !strings.Contains(err.Error(), "more than max_exception") {
		t.Fatalf("before anything was seen: %v", err)
	}
	mustSave(t, d.state, someState())
	if err := d.state.touch(time.Date(2099, 7, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	d.mustLoad()
	d.wantHeld()
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cordon/config"
)

// The files that the tests of owners begin with: a main file, and one each of two agencies.
const (
	mainFile = "timezone: UTC\n" +
		"include: [{file: agencies/army.yaml, owner: army}, {file: agencies/bank.yaml, owner: bank}]\n" +
		"lists: [{name: tiktok, names: [tiktok.com]}]\npolicies: [{name: ban, lists: [tiktok]}]\n" +
		"agencies: [{name: army, networks: [10.1.0.0/16]}, {name: bank, networks: [10.2.0.0/16]}]\n"
	armyFile = "agencies: [{name: barracks, parent: army, networks: [10.1.7.0/24]}]\n"
	bankFile = "agencies: [{name: vault, parent: bank, networks: [10.2.7.0/24]}]\n"
)

// owners is a desk with those files, not loaded yet.
func owners(t *testing.T, state *stateDir) *desk {
	t.Helper()
	d := newDesk(t, state)
	d.write("main.yaml", mainFile)
	d.write("agencies/army.yaml", armyFile)
	d.write("agencies/bank.yaml", bankFile)
	return d
}

// wantAgencies checks which agencies there are, beside default and those of the main file.
func (d *desk) wantAgencies(want ...string) {
	d.t.Helper()
	var found []string
	for _, a := range d.loader.good.set.Agencies {
		if a.Name != "army" && a.Name != "bank" {
			found = append(found, a.Name)
		}
	}
	if strings.Join(found, " ") != strings.Join(want, " ") {
		d.t.Errorf("the owned files have the agencies %q, want %q", found, want)
	}
}

// wantOwner checks whose a file is that is in force.
func (d *desk) wantOwner(name, want string) {
	d.t.Helper()
	if f, there := fileAt(d.loader.good.set.Files, filepath.Join(d.dir, name)); !there || f.Owner != want {
		d.t.Errorf("%s is in force: %t, of the owner %q, want it of %q", name, there, f.Owner, want)
	}
}

// restart is a new process on the same files, which has what an earlier one kept.
func (d *desk) restart(kept *lastGood) {
	d.t.Helper()
	d.loader = &loader{log: d.loader.log, state: d.state, kept: kept}
	if err := d.load(); err == nil {
		return
	}
	if err := d.loader.seed(d.t.Context(), d.dir); err != nil {
		d.t.Fatal(err)
	}
	d.mustLoad()
}

func TestAnOwnedFileWithAFaultIsLeftOutAtAFirstStart(t *testing.T) {
	d := owners(t, nil)
	d.write("agencies/army.yaml", brokenFile)
	d.mustLoad()
	d.wantHeld("agencies/army.yaml")
	d.wantAgencies("vault")
	if h := d.loader.holds[filepath.Join(d.dir, "agencies/army.yaml")]; !h.absent || h.owner != "army" {
		t.Errorf("the hold is %+v, want that nothing of the army's is in force", h)
	}
}

func TestAFirstStartWithABrokenMainFileSaysAllFaults(t *testing.T) {
	d := owners(t, nil)
	d.write("main.yaml", strings.Replace(mainFile, "policies:", "polices:", 1))
	d.write("agencies/army.yaml", brokenFile)
	faults, ok := errors.AsType[config.Faults](d.load())
	if !ok || len(faults) < 2 {
		t.Errorf("the error has %v, want the faults of both files", faults)
	}
}

func TestAListOfAnOwnerHoldsThatOwnerOnly(t *testing.T) {
	const list = "lists: [{name: more, source: 'file:more.txt'}]\npolicies: [{name: own, lists: [more]}]\n"
	d := owners(t, nil)
	d.write("agencies/army.yaml", armyFile+list)
	d.write("agencies/bank.yaml", strings.Replace(bankFile, "vault", "safe", 1))
	d.mustLoad()
	d.wantHeld("agencies/army.yaml")
	d.wantAgencies("safe")
	d.write("agencies/more.txt", "new.example\n")
	d.mustLoad()
	d.wantHeld()
	d.wantAgencies("barracks", "safe")
}

func TestAnOwnedFileFollowsTheMainFileInForce(t *testing.T) {
	for name, broken := range map[string]string{
		"not YAML":         "include: [\n",
		"cut off":          mainFile[:strings.Index(mainFile, "army.yaml")],
		"a misspelt key":   strings.Replace(mainFile, "include:", "inclde:", 1),
		"a fault below":    mainFile + "exceptions: [{name: e}]\n",
		"a fault together": strings.Replace(mainFile, "lists: [tiktok]", "lists: [tiktokk]", 1),
	} {
		t.Run(name, func(t *testing.T) {
			d := owners(t, nil)
			d.mustLoad()
			d.write("main.yaml", broken)
			d.write("agencies/army.yaml", strings.Replace(armyFile, "barracks", "camp", 1))
			d.write("agencies/bank.yaml", strings.Replace(bankFile, "vault", "safe", 1))
			d.mustLoad()
			d.wantHeld("main.yaml")
			d.wantOwner("agencies/army.yaml", "army")
			d.wantOwner("agencies/bank.yaml", "bank")
			d.wantAgencies("camp", "safe")
			d.write("agencies/army.yaml", "policies: [{name: mine, lists: [tiktok], binding: true}]\n")
			d.mustLoad()
			d.wantHeld("agencies/army.yaml", "main.yaml")
			d.wantAgencies("camp", "safe")
		})
	}
}

func TestAFileDirectlyInTheDirectoryIsAMainFileWhoeverIncludesIt(t *testing.T) {
	d := owners(t, nil)
	d.mustLoad()
	d.write("navy.yaml", "agencies: [{name: navy, networks: [10.3.0.0/16]}]\n")
	d.write("main.yaml", strings.Replace(mainFile, "include: [", "include: [{file: navy.yaml, owner: army}, ", 1))
	d.mustLoad()
	d.wantHeld("main.yaml")
	d.wantOwner("navy.yaml", "")
	d.wantAgencies("navy", "barracks", "vault")
}

// Links lead to nothing here, so that nobody can read the main file, not even root.
func TestAMainFileThatCannotBeReadIsHeldWithItsOwnedFiles(t *testing.T) {
	d := owners(t, nil)
	d.mustLoad()
	d.remove("main.yaml")
	if err := os.Symlink("main.yaml", filepath.Join(d.dir, "main.yaml")); err != nil { // to itself
		t.Skip(err)
	}
	d.write("agencies/army.yaml", strings.Replace(armyFile, "barracks", "camp", 1))
	d.write("navy.yaml", "agencies: [{name: navy, networks: [10.3.0.0/16]}]\n")
	d.mustLoad()
	d.wantHeld("main.yaml")
	d.wantOwner("agencies/army.yaml", "army")
	d.wantAgencies("navy", "camp", "vault")
}

func TestAnOwnedFileThatIncludesTheMainOneChangesNothingForIt(t *testing.T) {
	d := owners(t, nil)
	d.mustLoad()
	d.write("agencies/army.yaml", armyFile+"include: [{file: ../main.yaml, owner: army}, {file: bank.yaml, owner: army}]\n")
	d.write("main.yaml", mainFile+"exceptions: []\n")
	d.mustLoad()
	d.wantHeld("agencies/army.yaml")
	d.wantOwner("main.yaml", "")
	d.wantOwner("agencies/bank.yaml", "bank")
	if f, _ := fileAt(d.loader.good.set.Files, filepath.Join(d.dir, "main.yaml")); !bytes.Contains(f.Data, []byte("exceptions")) {
		t.Error("the change of the main file is not in force")
	}
}

func TestAFileThatMovesToAnotherOwner(t *testing.T) {
	d := owners(t, nil)
	d.mustLoad()
	d.write("main.yaml", strings.Replace(mainFile, "army.yaml, owner: army", "army.yaml, owner: bank", 1))
	d.mustLoad()
	d.wantHeld("agencies/army.yaml") // it speaks of the army, whose it no longer is
	d.wantAgencies("vault")
	d.write("agencies/army.yaml", strings.Replace(armyFile, "parent: army, networks: [10.1.7.0/24]", "parent: bank", 1))
	d.mustLoad()
	d.wantHeld()
	d.wantOwner("agencies/army.yaml", "bank")
}

func TestALastGoodVersionThatDoesNotFitAnyMoreIsLeftOutLoudly(t *testing.T) {
	d := owners(t, nil)
	d.mustLoad()
	d.write("agencies/army.yaml", brokenFile)
	d.mustLoad()
	d.wantAgencies("barracks", "vault")
	d.log.Reset()
	d.write("main.yaml", strings.Replace(mainFile, "10.1.0.0/16", "10.1.8.0/24", 1))
	d.mustLoad()
	d.wantHeld("agencies/army.yaml")
	d.wantAgencies("vault")
	for _, want := range []string{
		"held: not in force", "owner=army", "unknown key", "the last good version of it does not fit any more", "10.1.7.0/24",
	} {
		if !strings.Contains(d.log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, d.log.String())
		}
	}
}

func TestAFileThatGetsAnotherOwnerIsLogged(t *testing.T) {
	d := owners(t, nil)
	d.write("agencies/army.yaml", "lists: []\n")
	d.mustLoad()
	d.write("main.yaml", strings.Replace(mainFile, "owner: army", "owner: bank", 1))
	d.mustLoad()
	d.wantHeld()
	d.wantOwner("agencies/army.yaml", "bank")
	want := `msg="a policy file has another owner" what=` + filepath.Join(d.dir, "agencies/army.yaml") + " owner=bank before=army"
	if !strings.Contains(d.log.String(), want) {
		t.Errorf("it is not in the log:\n%s", d.log.String())
	}
}

func TestAMainFileWithAFaultAmongMainsDoesNotHoldTheOwnersChanges(t *testing.T) {
	d := owners(t, nil)
	d.write("more.yaml", "lists: [{name: new, names: [new.example]}]\npolicies: [{name: more, lists: [new]}]\n")
	d.mustLoad()
	d.write("more.yaml", "lists: [{name: tiktok, names: [new.example]}]\npolicies: [{name: more, lists: [tiktok]}]\n")
	d.write("agencies/army.yaml", strings.Replace(armyFile, "barracks", "camp", 1))
	d.write("agencies/bank.yaml", brokenFile)
	d.mustLoad()
	d.wantHeld("agencies/bank.yaml", "more.yaml")
	d.wantAgencies("camp", "vault")
}

func TestTheOwnersOfAHundredFilesThatCollide(t *testing.T) {
	d := newDesk(t, nil)
	var includes, agencies strings.Builder
	var want []string
	const owners = 100
	for i := range owners {
		fmt.Fprintf(&includes, "  - {file: agencies/%03d.yaml, owner: a%d}\n", i, i)
		fmt.Fprintf(&agencies, "  - {name: a%d}\n", i)
		d.write(fmt.Sprintf("agencies/%03d.yaml", i), fmt.Sprintf("agencies: [{name: same, parent: a%d}, {name: own%d, parent: a%[1]d}]\n", i, i))
		if i > 0 {
			want = append(want, fmt.Sprintf("agencies/%03d.yaml", i))
		}
	}
	text := "include:\n" + includes.String() + banFile + "agencies:\n" + agencies.String()
	d.write("main.yaml", text)
	d.mustLoad()
	d.wantHeld(want...)

	d.write("main.yaml", text+"  - {name: new, policies: [gone]}\n") // a main file's fault, and it may be anywhere
	d.mustLoad()
	d.wantHeld(append(want, "main.yaml")...)
}

func TestARestartKeepsOwnedFilesByTheirPaths(t *testing.T) {
	d := newDesk(t, newState(t))
	d.write("main.yaml", strings.NewReplacer("agencies/army.yaml", "army/own.yaml", "agencies/bank.yaml", "bank/own.yaml").Replace(mainFile))
	d.write("army/own.yaml", armyFile)
	d.write("bank/own.yaml", bankFile)
	d.mustLoad()
	kept := keep(t, d)
	for _, f := range kept.Policy {
		want := map[string]string{"main.yaml": "", "army/own.yaml": "army", "bank/own.yaml": "bank"}
		if owner, known := want[f.Name]; !known || owner != f.Owner || (owner != "") != (f.Order != 0) {
			t.Errorf("kept is %q of the owner %q with the order %d", f.Name, f.Owner, f.Order)
		}
	}
	d.write("army/own.yaml", brokenFile)
	d.write("bank/own.yaml", brokenFile)
	d.write("main.yaml", brokenFile)
	d.restart(kept)
	d.wantHeld("army/own.yaml", "bank/own.yaml", "main.yaml")
	d.wantAgencies("barracks", "vault")
	d.wantOwner("bank/own.yaml", "bank")
}

func TestARestartWithoutALastGoodVersionOfAnOwnedFile(t *testing.T) {
	d := owners(t, newState(t))
	d.write("agencies/army.yaml", brokenFile)
	d.mustLoad()
	d.restart(keep(t, d))
	d.wantHeld("agencies/army.yaml")
	d.wantAgencies("vault")
	d.write("agencies/army.yaml", armyFile)
	d.mustLoad()
	d.wantHeld()
}

// A command that only reads has an owned file's last good version in its place, if it may read the state of that server.
func TestACommandGoesByTheLastGoodVersionOfABrokenOwnedFile(t *testing.T) {
	d := owners(t, newState(t))
	d.mustLoad()
	kept := keep(t, d)
	d.write("agencies/army.yaml", brokenFile)
	d.loader = &loader{log: d.loader.log, state: d.state, kept: kept, reads: true}
	d.mustLoad()
	d.wantHeld("agencies/army.yaml")
	d.wantAgencies("barracks", "vault")

	d.loader = &loader{log: d.loader.log, state: d.state, kept: kept, reads: true, anywhere: true}
	d.mustLoad()
	d.wantHeld("agencies/army.yaml")
	d.wantAgencies("vault")

	d.write("main.yaml", brokenFile)
	d.loader = &loader{log: d.loader.log, state: d.state, kept: kept, reads: true}
	if err := d.load(); err == nil {
		t.Error("a broken main file is held")
	}
}

// A state file names files; only main files say which files are owned, and by whom.
func TestAStateFileLeadsNowhere(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	if err := os.WriteFile(outside, []byte(armyFile), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &loader{log: slog.New(slog.DiscardHandler), kept: &lastGood{Policy: []goodFile{
		{Name: "../../old/policy/main.yaml", Content: []byte(mainFile)}, // a main file as it was named once
		{Name: outside, Owner: "army", Order: 1, Content: []byte(armyFile)},
		{Name: "../outside.yaml", Owner: "army", Order: 2, Content: []byte(armyFile)},
		{Name: "agencies/bank.yaml", Owner: "army", Order: 3, Content: []byte(bankFile)},
	}}}
	dir := t.TempDir()
	if err := l.seed(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range l.good.set.Files {
		found = append(found, nameIn(dir, f.Path)+" "+f.Owner)
	}
	if got := strings.Join(found, ", "); got != "agencies/bank.yaml bank, main.yaml " {
		t.Errorf("in force are the files %s", got)
	}
}

// The directory of an owned file, and whatever is in it, is changed in every way.
func TestAChangeOfAnOwnedFileIsNoticedWithinASecond(t *testing.T) {
	volume := func(d *desk, version, text string) {
		d.write("agencies/.."+version+"/army.yaml", text)
		link := filepath.Join(d.dir, "agencies", "..data")
		if err := errors.Join(os.Symlink(".."+version, link+version), os.Rename(link+version, link)); err != nil {
			t.Fatal(err)
		}
	}
	more := armyFile + "lists: [{name: more, source: 'file:more.txt'}]\npolicies: [{name: own, lists: [more]}]\n"
	for name, test := range map[string]struct {
		before, change func(d *desk)
	}{
		"written in place": {
			func(d *desk) { d.write("agencies/army.yaml", armyFile) },
			func(d *desk) { d.write("agencies/army.yaml", armyFile+"\n") },
		},
		"renamed over": {
			func(d *desk) { d.write("agencies/army.yaml", armyFile) },
			func(d *desk) {
				d.write("agencies/.new", armyFile+"\n")
				if err := os.Rename(filepath.Join(d.dir, "agencies/.new"), filepath.Join(d.dir, "agencies/army.yaml")); err != nil {
					t.Fatal(err)
				}
			},
		},
		"a fault mended": {
			func(d *desk) { d.write("agencies/army.yaml", brokenFile) },
			func(d *desk) { d.write("agencies/army.yaml", armyFile) },
		},
		"created, with its directory": {
			func(*desk) {},
			func(d *desk) { d.write("agencies/army.yaml", armyFile) },
		},
		"a Kubernetes volume swapped": {
			func(d *desk) {
				volume(d, "1", armyFile)
				if err := os.Symlink("..data/army.yaml", filepath.Join(d.dir, "agencies/army.yaml")); err != nil {
					t.Fatal(err)
				}
			},
			func(d *desk) { volume(d, "2", armyFile+"\n") },
		},
		"its list created": {
			func(d *desk) { d.write("agencies/army.yaml", more) },
			func(d *desk) { d.write("agencies/more.txt", "new.example\n") },
		},
		"while the main file is broken": {
			func(d *desk) {
				d.write("agencies/army.yaml", brokenFile)
				d.mustLoad()
				d.write("main.yaml", "include: [\n")
			},
			func(d *desk) { d.write("agencies/army.yaml", armyFile) },
		},
		"its list, while the main file is broken": {
			func(d *desk) {
				d.mustLoad()
				d.write("main.yaml", "include: [\n")
				d.write("agencies/army.yaml", more)
			},
			func(d *desk) { d.write("agencies/more.txt", "new.example\n") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, nil)
			d.write("main.yaml", strings.Replace(mainFile, ", {file: agencies/bank.yaml, owner: bank}", "", 1))
			test.before(d)
			d.mustLoad()
			s := &server{service: &config.Service{PolicyDir: d.dir, Upstreams: make([]config.Upstream, 1)}, loader: d.loader}
			s.watchFor(d.loader.read)
			synctest.Test(t, func(t *testing.T) {
				w, err := config.NewWatcher(config.WatcherConfig{Paths: s.watchedFiles, Log: slog.New(slog.DiscardHandler), PollOnly: true})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { _ = w.Run(ctx) }()
				synctest.Wait()
				test.change(d)
				select {
				case <-w.Changes():
				case <-time.After(time.Second):
					t.Fatal("it is not noticed")
				}
				d.mustLoad()
				for what, h := range d.loader.holds {
					if filepath.Base(what) != "main.yaml" {
						t.Errorf("%s is held: %s", what, h.reason)
					}
				}
			})
		})
	}
}

func TestWhatAnOwnerHasLinksToElsewhereIsNotWatched(t *testing.T) {
	d := owners(t, nil)
	elsewhere := t.TempDir()
	d.write("agencies/lists/a.txt", "a.example\n")
	d.write("agencies/army.yaml", "lists: [{name: more, source: 'file:*/*.txt'}]\npolicies: [{name: own, lists: [more]}]\n")
	if err := os.WriteFile(filepath.Join(elsewhere, "secret.txt"), []byte("secret.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(d.dir, "agencies", "out")); err != nil {
		t.Skip(err)
	}
	d.mustLoad()
	d.wantHeld()
	s := &server{service: &config.Service{PolicyDir: d.dir, Upstreams: make([]config.Upstream, 1)}, loader: d.loader}
	s.watchFor(d.loader.read)
	var found []string
	for _, w := range s.watchedFiles() {
		found = append(found, nameIn(d.dir, w.Path)+" "+filepath.Base(w.Within))
	}
	slices.Sort(found)
	policy := filepath.Base(d.dir)
	want := []string{". .", "agencies/army.yaml " + policy, "agencies/bank.yaml " + policy, "agencies/lists/a.txt " + policy}
	if found = slices.Compact(found); !slices.Equal(found, want) {
		t.Errorf("watched are %q, want %q", found, want)
	}
}

// Whatever owners and the administrators of the main file save, every load ends, the ban is in force, and an owned file is held only if it
// does not fit what is in force beside it.
func TestWhateverIsSavedOnlyWhatDoesNotFitIsHeld(t *testing.T) {
	const owners = 4
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 0))
		d := newDesk(t, newState(t))
		d.write("main.yaml", randomMain(random, owners, true))
		for step := range 15 {
			for owner := range owners {
				if step == 0 || random.IntN(3) == 0 {
					d.saveRandom(random, owner)
				}
			}
			if step > 0 && random.IntN(4) == 0 {
				d.write("main.yaml", randomMain(random, owners, false))
			}
			if step > 0 && random.IntN(8) == 0 {
				d.restart(keep(t, d))
			} else {
				d.mustLoad()
			}
			d.wantOnlyMisfitsHeld(fmt.Sprintf("seed %d, step %d", seed, step))
		}
	}
}

// randomMain is a main file of so many owners, which may have a fault unless it is to be good.
func randomMain(random *rand.Rand, owners int, good bool) string {
	var includes, agencies strings.Builder
	for i := range owners {
		if good || random.IntN(6) > 0 {
			fmt.Fprintf(&includes, "  - {file: agencies/%d.yaml, owner: a%d}\n", i, i)
		}
		if fmt.Fprintf(&agencies, "  - {name: a%d}\n", i); !good && random.IntN(8) == 0 {
			fmt.Fprintf(&agencies, "  - {name: n%d}\n", random.IntN(owners)) // a name that an owner may have
		}
	}
	text := banFile + "agencies:\n" + agencies.String()
	if includes.Len() > 0 {
		text = "include:\n" + includes.String() + text
	}
	faults := []string{"include: [\n", "polices: []\n", "exceptions: [{name: e, agency: gone, reason: r, approved_by: a, until: 2100-01-01}]\n"}
	if good || random.IntN(3) > 0 {
		return text
	}
	return text + faults[random.IntN(len(faults))]
}

// saveRandom saves or removes an owner's file.
func (d *desk) saveRandom(random *rand.Rand, owner int) {
	name := fmt.Sprintf("agencies/%d.yaml", owner)
	switch random.IntN(8) {
	case 0:
		d.write(name, brokenFile)
	case 1:
		d.write(name, fmt.Sprintf("agencies: [{name: below%d, parent: a%d, policies: [gone]}]\n", owner, owner))
	case 2:
		if err := os.RemoveAll(filepath.Join(d.dir, name)); err != nil {
			d.t.Fatal(err)
		}
	default:
		taken := random.Perm(4)[:1+random.IntN(2)]
		var text strings.Builder
		text.WriteString("agencies:\n")
		for _, n := range taken {
			text.WriteString(fmt.Sprintf("  - {name: n%d, parent: a%d}\n", n, owner))
		}
		d.write(name, text.String())
	}
}

func (d *desk) wantOnlyMisfitsHeld(when string) {
	d.t.Helper()
	d.wantRefused("tiktok.com")
	inForce := d.loader.good.set.Files
	for what, h := range d.loader.holds {
		if filepath.Base(what) == "main.yaml" {
			continue
		}
		files, included := slices.DeleteFunc(slices.Clone(inForce), func(f config.File) bool { return f.Path == what }), false
		for _, f := range config.Included(mainsOf(files), func(path string) config.File { return config.ReadOwned(d.dir, path) }) {
			if f.Path == what { // beside others that are left out
				files, included = append(files, f), true
			}
		}
		if !included {
			continue // by the main file in force
		}
		if _, faults := config.LoadPolicy(files, checkOptions(time.Time{})); !faults.Bad() {
			d.t.Errorf("%s: %s is held, and would fit: %s", when, what, h.reason)
		}
	}
}

// mainsOf are the main files of a policy.
func mainsOf(files []config.File) []config.File {
	return slices.DeleteFunc(slices.Clone(files), func(f config.File) bool { return f.Order != 0 })
}

package main

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"cordon/blocklists"
)

// newState is a state directory in a directory that is not there yet.
func newState(t *testing.T) *stateDir {
	t.Helper()
	d, err := openState(filepath.Join(t.TempDir(), "var", "cordon"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// someState has a file of each kind, but no list.
func someState() *lastGood {
	return &lastGood{
		Service: &goodFile{Name: "cordon.yaml", Content: []byte("log: {level: info}\n")},
		Policy:  []goodFile{{Name: "policy/a.yaml", Content: []byte("a")}, {Name: "policy/b.yaml", Content: []byte{}}},
	}
}

func mustSave(t *testing.T, d *stateDir, good *lastGood) {
	t.Helper()
	if err := d.save(good); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, d *stateDir) *lastGood {
	t.Helper()
	good, err := d.load()
	if err != nil {
		t.Fatal(err)
	}
	return good
}

// filesBelow are the files below dir.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestStateComesBackAsItWasSaved(t *testing.T) {
	d := newState(t)
	if good := mustLoad(t, d); good != nil {
		t.Fatalf("load before the first save: %v, want nil", good)
	}
	want := someState()
	mustSave(t, d, want)
	if good := mustLoad(t, d); !reflect.DeepEqual(good, want) {
		t.Errorf("loaded %+v, want %+v", good, want)
	}
	again, err := openState(d.path)
	if err != nil {
		t.Fatal(err)
	}
	if good := mustLoad(t, again); !reflect.DeepEqual(good, want) {
		t.Errorf("loaded after opening again %+v, want %+v", good, want)
	}
}

// fileList is a list from a file with that text.
func fileList(t *testing.T, text string) *blocklists.List {
	t.Helper()
	src := blocklists.Source{Name: "extra", Source: "file:extra.txt", Dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(src.Dir, "extra.txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := blocklists.Load(t.Context(), src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A list is kept as it was compiled, and comes back as that, by its name and source.
func TestStateOfAList(t *testing.T) {
	d := newState(t)
	list := fileList(t, "tiktok.com\n")
	good := &lastGood{Lists: []goodFile{{Name: "extra", Source: list.Source(), List: list}}}
	mustSave(t, d, good)
	object := d.object(good.Lists[0].SHA256)
	kept := mustLoad(t, d).Lists[0]
	again, err := d.list(kept)
	if err != nil {
		t.Fatal(err)
	}
	if again.Name() != "extra" || again.Source() != list.Source() || again.Hash() != list.Hash() || again.Content() != list.Content() {
		t.Errorf("it comes back as %s from %s", again.Name(), again.Source())
	}
	before, err := os.Stat(object)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		mustSave(t, d, &lastGood{Lists: []goodFile{{Name: "extra", Source: list.Source(), List: again}}})
		if after, err := os.Stat(object); err != nil || !os.SameFile(before, after) {
			t.Errorf("what is there already was written again: %v", err)
		}
	}
	if err := os.Truncate(object, before.Size()-1); err != nil {
		t.Fatal(err)
	}
	if list, err := d.list(kept); err == nil || !strings.Contains(err.Error(), "last good state of list extra: "+object) {
		t.Errorf("a list that was cut comes back as %v, %v", list, err)
	}
	mustSave(t, d, &lastGood{})
	if _, err := os.Stat(object); !os.IsNotExist(err) {
		t.Errorf("a list that is not in force any more is still there: %v", err)
	}
}

// The set of all lists is kept too, and serves for these very lists only.
func TestStateOfASet(t *testing.T) {
	d := newState(t)
	lists := []*blocklists.List{fileList(t, "tiktok.com\n"), fileList(t, "capcut.com\n")}
	set, err := blocklists.Compile(lists, nil)
	if err != nil {
		t.Fatal(err)
	}
	mustSave(t, d, &lastGood{Set: &goodFile{Name: "all lists", Set: set}})
	kept := mustLoad(t, d)
	again := d.set(kept, lists)
	if again == nil {
		t.Fatal("it does not come back")
	}
	if compiled, err := blocklists.Compile(lists, again); err != nil || compiled != again {
		t.Errorf("it is compiled again: %v", err)
	}
	if other := d.set(kept, lists[:1]); other != nil {
		t.Error("it serves for other lists")
	}
	if err := os.Truncate(d.object(kept.Set.SHA256), 10); err != nil {
		t.Fatal(err)
	}
	if cut := d.set(kept, lists); cut != nil {
		t.Error("it comes back though it was cut")
	}
}

func TestStateOfWhatWasAccepted(t *testing.T) {
	d := newState(t)
	if content, err := d.accepted("extra"); err != nil || content != (blocklists.Content{}) {
		t.Errorf("before anything was accepted: %s, %v", content, err)
	}
	want := fileList(t, "tiktok.com\n").Content()
	if err := d.accept("extra", want); err != nil {
		t.Fatal(err)
	}
	if content, err := d.accepted("extra"); err != nil || content != want {
		t.Errorf("accepted is %s, %v, want %s", content, err, want)
	}
	if err := os.WriteFile(d.acceptance("extra"), []byte("yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.accepted("extra"); err == nil || !strings.Contains(err.Error(), "want 64 hexadecimal digits") {
		t.Errorf("what is no content is accepted: %v", err)
	}
}

func TestStateHasNoMoreThanTheLastSave(t *testing.T) {
	d := newState(t)
	mustSave(t, d, someState())
	leftovers := []string{filepath.Join(d.path, ".new-1"), filepath.Join(d.path, objectsDir, ".new-2")} // of a crash
	for _, path := range leftovers {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if good := mustLoad(t, d); len(good.Policy) != 2 {
		t.Errorf("loaded %+v beside the leftovers of a crash, want what was saved", good)
	}
	mustSave(t, d, &lastGood{Policy: []goodFile{{Name: "policy/a.yaml", Content: []byte("a")}}})
	want := []string{filepath.Join(d.path, indexFile), d.object(checksum([]byte("a")))}
	if found := filesBelow(t, d.path); !reflect.DeepEqual(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}

// The programs before the form had a version wrote none.
func TestStateWithoutAVersionIsRead(t *testing.T) {
	d := newState(t)
	mustSave(t, d, someState())
	text, err := os.ReadFile(d.index())
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Replace(text, []byte(`  "version": 1,`+"\n"), nil, 1)
	if bytes.Equal(before, text) {
		t.Fatalf("there is no version in %s", text)
	}
	if err := os.WriteFile(d.index(), before, 0o600); err != nil {
		t.Fatal(err)
	}
	if good := mustLoad(t, d); len(good.Policy) != 2 || good.Service == nil {
		t.Errorf("loaded %+v", good)
	}
}

func TestStateThatIsNotWhatWasSavedIsAnError(t *testing.T) {
	object := checksum([]byte("a"))
	for name, test := range map[string]struct {
		path, text string // written over, or removed if there is no text
		want       string
	}{
		"an object was changed":       {filepath.Join(objectsDir, object), "b", "of policy/a.yaml: "},
		"an object was cut off":       {filepath.Join(objectsDir, object), " ", "was changed since it was saved"},
		"a newer program wrote it":    {indexFile, `{"version": 2, "policy": {"parts": []}}`, "a newer cordon has written it, in version 2"},
		"a newer one, in this shape":  {indexFile, `{"version": 2, "policy": []}`, "a newer cordon has written it"},
		"an object is gone":           {filepath.Join(objectsDir, object), "", "no such file"},
		"the index is cut off":        {indexFile, `{"policy": [`, indexFile + ": unexpected end of JSON input"},
		"the index is not JSON":       {indexFile, "policy:\n", indexFile + ": invalid character"},
		"the index leads elsewhere":   {indexFile, `{"policy": [{"name": "p", "sha256": "../../../../etc/passwd"}]}`, "is not a checksum"},
		"the index has no checksum":   {indexFile, `{"policy": [{"name": "p"}]}`, "is not a checksum"},
		"the index has a short one":   {indexFile, `{"policy": [{"name": "p", "sha256": "00ff"}]}`, "is not a checksum"},
		"the index names another one": {indexFile, `{"policy": [{"name": "p", "sha256": "` + checksum(nil) + `"}]}`, "of p: "},
	} {
		t.Run(name, func(t *testing.T) {
			d := newState(t)
			mustSave(t, d, &lastGood{Policy: []goodFile{{Name: "policy/a.yaml", Content: []byte("a")}}})
			path := filepath.Join(d.path, test.path)
			err := os.Remove(path)
			if test.text != "" {
				err = os.WriteFile(path, []byte(test.text), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			good, err := d.load()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("load: %+v, %v; want an error with %q", good, err, test.want)
			}
			mustSave(t, d, someState())
			if good := mustLoad(t, d); !reflect.DeepEqual(good, someStateSaved(d)) {
				t.Errorf("after the next save: %+v", good)
			}
		})
	}
}

// someStateSaved is someState with the checksums.
func someStateSaved(d *stateDir) *lastGood {
	good := someState()
	_ = d.save(good)
	return good
}

func TestStateIsForNobodyElse(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are those of Unix")
	}
	d := newState(t)
	mustSave(t, d, someState())
	for path, want := range map[string]fs.FileMode{
		d.path:                            0o750,
		filepath.Join(d.path, objectsDir): 0o750,
		filepath.Join(d.path, indexFile):  0o640,
		d.object(checksum([]byte("a"))):   0o640,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got&^want != 0 {
			t.Errorf("%s has the mode %o, want at most %o", path, got, want)
		}
	}
}

func TestStateThatCannotBeSavedStaysWhatItWas(t *testing.T) {
	d := newState(t)
	mustSave(t, d, someState())
	want := mustLoad(t, d)
	objects := filepath.Join(d.path, objectsDir)
	if err := os.Rename(objects, objects+".away"); err != nil {
		t.Fatal(err)
	}
	err := d.save(&lastGood{Policy: []goodFile{{Name: "policy/c.yaml", Content: []byte("c")}}})
	if err == nil || !strings.Contains(err.Error(), "saving the last good state: ") {
		t.Fatalf("save without a directory for objects: %v", err)
	}
	if err := os.Rename(objects+".away", objects); err != nil {
		t.Fatal(err)
	}
	if good := mustLoad(t, d); !reflect.DeepEqual(good, want) {
		t.Errorf("after a save that failed: %+v, want %+v", good, want)
	}
}

func TestNoStateKeepsNothing(t *testing.T) {
	d, err := openState("")
	if d != nil || err != nil {
		t.Fatalf("openState of nothing: %v, %v", d, err)
	}
	if good, err := d.load(); good != nil || err != nil {
		t.Errorf("load: %v, %v", good, err)
	}
	if err := d.save(someState()); err != nil {
		t.Errorf("save: %v", err)
	}
}

func TestStateThatCannotBeOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openState(filepath.Join(file, "state"))
	if err == nil || !strings.Contains(err.Error(), "it must be writable for the user that runs cordon") {
		t.Errorf("openState below a file: %v", err)
	}
}

func TestTheStateIsSavedWhenAnswersAreGiven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	service := "listen: {dns: [\"127.0.0.1:0\"], admin: off}\nupstreams: [{address: 192.0.2.53}]\nstate_dir: state\n"
	if err := os.WriteFile(filepath.Join(dir, "cordon.yaml"), []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := newServer(t.Context(), filepath.Join(dir, "cordon.yaml"), nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := s.state.load(); kept != nil || err != nil {
		t.Errorf("found a state before anything is served: %v, %v", kept, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.run(ctx); err != nil {
		t.Error(err)
	}
	if kept, err := s.state.load(); kept == nil || err != nil {
		t.Errorf("there is no state when the server has run: %v", err)
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"cordon/blocklists"
	"cordon/cmd/cordon/files"
)

// stateDir keeps the last good version of every file, so that a restart with a broken file, or without a network, goes on with what
// was in force.
//
//	last-good.json    which versions were in force together, written last and in one step
//	objects/SHA-256   the versions themselves: texts of policy files, lists as they were compiled; those that last-good.json
//	                  doesn't name are removed
//	mirror/           copies of lists that lie elsewhere, see package mirror
//	accepted/NAME     the content of a list that somebody has looked at and believes, whatever the guards say
//
// A nil stateDir keeps nothing. It is used by one goroutine at a time.
type stateDir struct {
	path   string
	stored map[io.WriterTo]string // checksums of the lists and the set that are in objects
}

// lastGood is what was in force together.
type lastGood struct {
	Version int        `json:"version"`           // of the form of the directory; 0 is as 1
	Service *goodFile  `json:"service,omitempty"` // nil: the embedded default
	Policy  []goodFile `json:"policy"`
	Lists   []goodFile `json:"lists"`
	Hosts   []goodFile `json:"hosts,omitempty"` // hosts files, by their paths
	Set     *goodFile  `json:"set,omitempty"`   // the lists, and those that need no keeping, compiled into one
}

// goodFile is one version of one file: what it is called (a policy file's path in the policy directory, a list's name) and its content.
type goodFile struct {
	Name    string           `json:"name"`
	Owner   string           `json:"owner,omitempty"` // of an owned policy file
	Order   int              `json:"order,omitempty"`
	Source  string           `json:"source,omitempty"` // of a list
	SHA256  string           `json:"sha256"`
	Content []byte           `json:"-"` // of a policy, service or hosts file
	List    *blocklists.List `json:"-"` // when a list is saved
	Set     *blocklists.Set  `json:"-"` // when a set is saved
}

// stateVersion is the form that is read and written here. What an earlier program can't read without a mistake needs the next one; what
// it would only pass over does not.
const stateVersion = 1

const (
	indexFile   = "last-good.json"
	objectsDir  = "objects"
	mirrorDir   = "mirror"
	acceptedDir = "accepted"
	// Nobody but the server reads its state: lists and policy may be confidential.
	dirMode, fileMode = 0o750, 0o640
)

// openState is the state directory at path, made if need be; nil if path is empty.
func openState(path string) (*stateDir, error) {
	if path == "" {
		return nil, nil
	}
	for _, dir := range []string{objectsDir, acceptedDir} {
		if err := os.MkdirAll(filepath.Join(path, dir), dirMode); err != nil {
			return nil, fmt.Errorf("state directory: %w; it must be writable for the user that runs cordon", err)
		}
	}
	return &stateDir{path: path, stored: map[io.WriterTo]string{}}, nil
}

// ownPatience is how long a server waits for another to give up the state directory: a little more than that one takes to stop, so that
// one can be started while the one before ends.
const ownPatience = 5 * time.Second

// own takes the directory for this process alone, until release. Where the file system has no locks, that is only
// warned of.
func (d *stateDir) own(ctx context.Context, log *slog.Logger) (release func(), err error) {
	if d == nil {
		return func() {}, nil
	}
	release, err = files.Own(ctx, d.path, ownPatience, func(e *files.HeldError) {
		log.Warn("another server uses the state directory: waiting for its end", "state_dir", d.path, "process", e.Holder)
	})
	if held, ok := errors.AsType[*files.HeldError](err); ok {
		return nil, fmt.Errorf("state directory: %w and has not ended within %s: stop it, or give this server a state_dir of its own",
			held, ownPatience)
	}
	if err != nil && ctx.Err() == nil {
		log.Warn("the state directory can't be locked: see to it that no other server uses it", "state_dir", d.path, "error", err)
		return func() {}, nil
	}
	return release, err
}

// load is what the last save saved, with its contents but those of lists, see [stateDir.list]; nil without an error if there is
// none. If a file is not what it was when it was saved, there is an error, and nothing but the lists.
func (d *stateDir) load() (*lastGood, error) {
	if d == nil {
		return nil, nil
	}
	text, err := os.ReadFile(d.index())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("last good state: %w", err)
	}
	good := new(lastGood)
	if err := decodeIndex(text, good); err != nil {
		return nil, fmt.Errorf("last good state: %s: %w", d.index(), err)
	}
	for _, f := range good.texts() {
		if err := d.read(f); err != nil { // better none than a part; the lists are as good as they were
			return &lastGood{Lists: good.Lists, Set: good.Set}, err
		}
	}
	return good, nil
}

// decodeIndex reads the index, whose form may be one that only its version can be read of.
func decodeIndex(text []byte, good *lastGood) error {
	var form struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &form); err != nil {
		return err
	}
	if form.Version > stateVersion {
		return fmt.Errorf("a newer cordon has written it, in version %d, and this program knows version %d at most: it is passed over, "+
			"and replaced once a policy is in force", form.Version, stateVersion)
	}
	return json.Unmarshal(text, good)
}

func (d *stateDir) read(f *goodFile) error {
	path, err := d.objectOf(f)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("last good state of %s: %w", f.Name, err)
	}
	if checksum(content) != f.SHA256 {
		return fmt.Errorf("last good state of %s: %s was changed since it was saved", f.Name, path)
	}
	f.Content = content
	return nil
}

// list is the list that was saved as f.
func (d *stateDir) list(f goodFile) (*blocklists.List, error) {
	if d == nil {
		return nil, errors.New("there is no state directory")
	}
	path, err := d.objectOf(&f)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("last good state of list %s: %w", f.Name, err)
	}
	defer file.Close()
	list, err := blocklists.ReadList(file, f.Name, f.Source)
	if err != nil {
		return nil, fmt.Errorf("last good state of list %s: %s: %w", f.Name, path, err)
	}
	d.stored[list] = f.SHA256
	return list, nil
}

// set is the set of these lists that was saved, nil if there is none: then it is compiled anew.
func (d *stateDir) set(good *lastGood, lists []*blocklists.List) *blocklists.Set {
	if d == nil || good == nil || good.Set == nil {
		return nil
	}
	path, err := d.objectOf(good.Set)
	if err != nil {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	set, err := blocklists.ReadSet(file, lists)
	if err != nil {
		return nil
	}
	d.stored[set] = good.Set.SHA256
	return set
}

func (d *stateDir) objectOf(f *goodFile) (path string, err error) {
	if _, err := hex.DecodeString(f.SHA256); err != nil || len(f.SHA256) != 2*sha256.Size {
		return "", fmt.Errorf("last good state of %s: %q is not a checksum", f.Name, f.SHA256)
	}
	return d.object(f.SHA256), nil
}

// save makes good what the next load loads. Nothing changes if it fails, and a crash leaves the old or the new.
func (d *stateDir) save(good *lastGood) error {
	if d == nil {
		return nil
	}
	if err := d.saveAll(good); err != nil {
		return fmt.Errorf("saving the last good state: %w", err)
	}
	return nil
}

func (d *stateDir) saveAll(good *lastGood) (err error) {
	named := map[string]bool{}
	for _, f := range good.texts() {
		if f.SHA256, err = d.store(f.Content); err != nil {
			return err
		}
		named[f.SHA256] = true
	}
	stored := map[io.WriterTo]string{}
	for f, content := range good.compiled() {
		if f.SHA256, err = d.storeCompiled(content); err != nil {
			return err
		}
		named[f.SHA256], stored[content] = true, f.SHA256
	}
	good.Version = stateVersion
	text, err := json.MarshalIndent(good, "", "  ")
	if err != nil {
		return err
	}
	seen := d.seen()
	if err := files.Replace(d.index(), append(text, '\n'), fileMode); err != nil {
		return err
	}
	d.stored = stored
	if err := d.touch(seen); err != nil { // in case the clock is behind
		return err
	}
	return d.sweep(named)
}

// touch notes that the server has seen this moment, and seen is the latest one noted, zero if none was. A server whose clock
// is behind what an earlier one has seen goes by the later of the two, see [policy.Instant].
func (d *stateDir) touch(now time.Time) error {
	if d == nil || d.seen().After(now) {
		return nil
	}
	return os.Chtimes(d.index(), now, now)
}

func (d *stateDir) seen() time.Time {
	if d == nil {
		return time.Time{}
	}
	info, err := os.Stat(d.index())
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// store keeps content, to be named by the next save, and returns its checksum.
func (d *stateDir) store(content []byte) (sum string, err error) {
	sum = checksum(content)
	if kept, err := os.ReadFile(d.object(sum)); err == nil && bytes.Equal(kept, content) {
		return sum, nil
	}
	return sum, files.Replace(d.object(sum), content, fileMode)
}

// storeCompiled keeps a list or a set as it was compiled, to be named by the next save, and returns its checksum.
func (d *stateDir) storeCompiled(content io.WriterTo) (sum string, err error) {
	if sum, ok := d.stored[content]; ok {
		if _, err := os.Stat(d.object(sum)); err == nil {
			return sum, nil
		}
	}
	whole := sha256.New()
	err = files.ReplaceWith(d.path, fileMode, func(w io.Writer) error {
		_, err := content.WriteTo(io.MultiWriter(w, whole))
		return err
	}, func() string { return d.object(hex.EncodeToString(whole.Sum(nil))) })
	return hex.EncodeToString(whole.Sum(nil)), err
}

// accepted is the content of the list called name that somebody believes, zero for none.
func (d *stateDir) accepted(name string) (blocklists.Content, error) {
	if d == nil {
		return blocklists.Content{}, nil
	}
	text, err := os.ReadFile(d.acceptance(name))
	if errors.Is(err, fs.ErrNotExist) {
		return blocklists.Content{}, nil
	}
	if err != nil {
		return blocklists.Content{}, err
	}
	content, err := blocklists.ParseContent(string(text))
	if err != nil {
		return content, fmt.Errorf("%s: %w", d.acceptance(name), err)
	}
	return content, nil
}

// accept notes that somebody believes content of the list called name.
func (d *stateDir) accept(name string, content blocklists.Content) error {
	dir, err := os.Stat(filepath.Join(d.path, acceptedDir))
	if err != nil {
		return err
	}
	return files.ReplaceFor(dir, d.acceptance(name), []byte(content.String()+"\n"), fileMode)
}

func (d *stateDir) acceptance(name string) string { return filepath.Join(d.path, acceptedDir, name) }

// sweep removes the objects that are not named, and what a crash left half written.
func (d *stateDir) sweep(named map[string]bool) error {
	objects, err := os.ReadDir(filepath.Join(d.path, objectsDir))
	if err != nil {
		return fmt.Errorf("clearing old state: %w", err)
	}
	old, err := files.Drafts(d.path)
	for _, o := range objects {
		if !named[o.Name()] {
			old = append(old, d.object(o.Name()))
		}
	}
	for _, path := range old {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return fmt.Errorf("clearing old state: %w", err)
	}
	return nil
}

// index is the path of the file that says what was in force together.
func (d *stateDir) index() string { return filepath.Join(d.path, indexFile) }

func (d *stateDir) object(sum string) string { return filepath.Join(d.path, objectsDir, sum) }

// list is the kept list called name. g may be nil.
func (g *lastGood) list(name string) (goodFile, bool) {
	if g == nil {
		return goodFile{}, false
	}
	i := slices.IndexFunc(g.Lists, func(f goodFile) bool { return f.Name == name })
	if i < 0 {
		return goodFile{}, false
	}
	return g.Lists[i], true
}

// hasPolicy says whether there are policy files. g may be nil.
func (g *lastGood) hasPolicy() bool { return g != nil && len(g.Policy) > 0 }

// compiled are the files whose content is a list or a set.
func (g *lastGood) compiled() iter.Seq2[*goodFile, io.WriterTo] {
	return func(yield func(*goodFile, io.WriterTo) bool) {
		for i := range g.Lists {
			if f := &g.Lists[i]; !yield(f, f.List) {
				return
			}
		}
		if g.Set != nil {
			yield(g.Set, g.Set.Set)
		}
	}
}

// texts are the files that are kept as they are written.
func (g *lastGood) texts() []*goodFile {
	var all []*goodFile
	if g.Service != nil {
		all = append(all, g.Service)
	}
	for i := range g.Policy {
		all = append(all, &g.Policy[i])
	}
	for i := range g.Hosts {
		all = append(all, &g.Hosts[i])
	}
	return all
}

func checksum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

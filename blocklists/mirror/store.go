package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// store is the directory of the copies.
//
//	NAME-ID.json    what is known of a list's copy, replaced in one step, after the content that it names is on the disk
//	NAME-ID.SHA256  the content; that of the version before stays until the next one comes, for whoever is about to open it
//	.new-*          a file while it is written
//
// ID is a hash of name and identity, so a list whose source was changed, and changed back, finds its copy.
type store struct{ dir string }

const (
	// Nobody but the server reads its copies: lists may be confidential.
	dirMode, fileMode = 0o750, 0o640
	halfFile          = ".new-*"
	recordSuffix      = ".json"

	unusedFor  = 7 * 24 * time.Hour // after that, files that no known list has are removed
	halfFor    = 24 * time.Hour     // likewise of half files
	idOctets   = 8
	maxContent = 1 << 40 // octets: a file that is larger is not even read
)

// stem is the beginning of the names of a list's files. name is a valid name.
func stem(name, identity string) string {
	id := sha256.Sum256([]byte(name + "\n" + identity))
	return name + "-" + hex.EncodeToString(id[:idOctets])
}

func (s *store) open() error {
	if err := os.MkdirAll(s.dir, dirMode); err != nil {
		return adviseWrite(err)
	}
	return nil
}

// draft is a new file to write at most so many octets to.
func (s *store) draft(most int64) (*draft, error) {
	if err := s.open(); err != nil { // somebody may have removed it
		return nil, err
	}
	f, err := os.CreateTemp(s.dir, halfFile)
	if err != nil {
		return nil, adviseWrite(err)
	}
	return newDraft(f, most), nil
}

// load is the copy of the list, nil if there is none. One that is not what it was when it was written is an error.
func (s *store) load(name, identity string) (*kept, error) {
	path := s.record(name, identity)
	text, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k, err := parseRecord(text, name, identity)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	k.Path = s.content(k)
	if err := k.verify(); err != nil {
		return nil, fmt.Errorf("%s: %w", k.Path, err)
	}
	return k, nil
}

// commit puts d in place as k, which has no path yet, in one step, and removes what came before the version that k replaces. before is
// that version, nil for none.
func (s *store) commit(d *draft, k, before *kept) error {
	k.Path = s.content(k)
	if err := place(d.file, k.Path); err != nil {
		return err
	}
	syncDir(s.dir)
	if err := k.look(); err != nil {
		return err
	}
	if err := s.note(k); err != nil {
		_ = os.Remove(k.Path)
		return err
	}
	s.removeOthers(k, before)
	return nil
}

// note puts what is known of k in place.
func (s *store) note(k *kept) error {
	text, err := k.record()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, halfFile)
	if err != nil {
		return adviseWrite(err)
	}
	if _, err := f.Write(text); err != nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
		return adviseWrite(err)
	}
	if err := place(f, s.record(k.name, k.Identity)); err != nil {
		return err
	}
	syncDir(s.dir)
	return nil
}

// place closes f and gives it its name, so that a reader, or a crash, finds the old file or the new, whole. It is gone after an error.
func place(f *os.File, path string) error {
	err := errors.Join(f.Chmod(fileMode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return adviseWrite(err)
	}
	return nil
}

// syncDir sees to it that what was renamed in dir is so after a crash, before anything that comes later. Where a directory can't
// be synced, that is left to the system.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// removeOthers removes the contents of the list but for those of a and b, which may be nil. What can't be removed is left to sweep.
func (s *store) removeOthers(a, b *kept) {
	all, _ := filepath.Glob(filepath.Join(s.dir, stem(a.name, a.Identity)+".*"))
	for _, path := range all {
		if filepath.Ext(path) != recordSuffix && path != a.Path && (b == nil || path != b.Path) {
			_ = os.Remove(path)
		}
	}
}

// touch makes now the last use of the list's copy.
func (s *store) touch(name, identity string, now time.Time) {
	_ = os.Chtimes(s.record(name, identity), now, now) // there may be none
}

// sweep removes what belongs to no list whose stem is known and was not used for a while. It touches no file that can't be its own.
func (s *store) sweep(known map[string]bool, now time.Time) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	files := sorted(entries)
	for stem, f := range files.lists {
		if !known[stem] && now.Sub(f.used) > unusedFor {
			err = errors.Join(err, s.remove(f.names))
		}
	}
	for _, f := range files.half {
		if now.Sub(f.ModTime()) > halfFor {
			err = errors.Join(err, s.remove([]string{f.Name()}))
		}
	}
	return err
}

func (s *store) remove(names []string) (err error) {
	for _, name := range names {
		if e := os.Remove(filepath.Join(s.dir, name)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// found is what is in the directory.
type found struct {
	lists map[string]listFiles // by stem
	half  []fs.FileInfo
}

// listFiles are the files with one stem.
type listFiles struct {
	names []string
	used  time.Time // that of the record, or of the newest content if there is no record
	known bool      // there is a record
}

var listFile = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.+-[0-9a-f]{16})\.(json|[0-9a-f]{64})$`) })

func sorted(entries []fs.DirEntry) found {
	all := found{lists: map[string]listFiles{}}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if half, _ := filepath.Match(halfFile, e.Name()); half {
			all.half = append(all.half, info)
		} else if parts := listFile().FindStringSubmatch(e.Name()); parts != nil {
			all.lists[parts[1]] = all.lists[parts[1]].with(info, parts[2] == "json")
		}
	}
	return all
}

func (f listFiles) with(info fs.FileInfo, record bool) listFiles {
	f.names = append(f.names, info.Name())
	switch {
	case record:
		f.used, f.known = info.ModTime(), true
	case !f.known && info.ModTime().After(f.used):
		f.used = info.ModTime()
	}
	return f
}

func (s *store) record(name, identity string) string {
	return filepath.Join(s.dir, stem(name, identity)+recordSuffix)
}

func (s *store) content(k *kept) string {
	return filepath.Join(s.dir, stem(k.name, k.Identity)+"."+hex.EncodeToString(k.SHA256[:]))
}

// readSmall is the content of a record's file.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxRecord {
		return nil, fmt.Errorf("%s: it has more than %d octets, so it is none of ours", path, maxRecord)
	}
	return text, nil
}

// adviseWrite adds what to do to an error that names the path.
func adviseWrite(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: make room there, or put state_dir where there is some", err)
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: state_dir must be writable for the user that runs cordon", err)
	default:
		return err
	}
}

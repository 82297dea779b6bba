package blocklists

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"cordon/blocklists/signature"
)

const (
	// MaxSize is the size of the largest list that is read, in octets as they lie on the disk: some twenty million names.
	MaxSize = 512 << 20

	// MaxSizeWithin is that of a list that has to stay within a directory, which others than those who run the server write.
	MaxSizeWithin = 512 << 10

	// SignatureExtension is what the name of a file's signature has after the name of the file.
	SignatureExtension = ".minisig"

	// MaxMatches is how many files a pattern may match.
	MaxMatches = 1024

	readChunk = 256 << 10 // octets
)

// file is an open list.
type file struct {
	*os.File
	name string // what people know it by: its path or, of a copy, what it is a copy of
	size int64
}

// openFiles opens the files with the content, in the order of their paths.
func (src *Source) openFiles() ([]*file, error) {
	paths, err := src.paths()
	if err != nil {
		return nil, err
	}
	var files []*file
	var total int64
	for _, path := range paths {
		f, err := src.open(path)
		if err != nil {
			closeFiles(files)
			return nil, err
		}
		if path == src.Copy {
			f.name = src.Source
		}
		files = append(files, f)
		if total += f.size; total > src.maxSize() {
			closeFiles(files)
			return nil, fmt.Errorf("file %s: it has %d octets, with those before it: want at most %d", path, total, src.maxSize())
		}
	}
	return files, nil
}

// maxSize is the most that the files of the list may have together, in octets.
func (src *Source) maxSize() int64 {
	if src.Within != "" {
		return MaxSizeWithin
	}
	return MaxSize
}

// matching is path itself if it is a file or no pattern, else what it matches.
func (src *Source) matching(path string) ([]string, error) {
	if !strings.ContainsAny(path, "*?[") {
		return []string{path}, nil
	}
	paths, err := src.glob(path)
	paths = slices.DeleteFunc(paths, func(p string) bool { return strings.HasPrefix(filepath.Base(p), ".") }) // an editor's
	switch {
	case err != nil:
		return nil, fmt.Errorf("pattern %s: %w", path, err)
	case len(paths) == 0:
		return nil, fmt.Errorf("no file matches %s: create one, or correct the pattern", path)
	case len(paths) > MaxMatches:
		return nil, fmt.Errorf("%d files match %s: want at most %d", len(paths), path, MaxMatches)
	}
	slices.Sort(paths)
	return paths, nil
}

// glob is path alone if there is a file of that name, else what it matches as a pattern. Where files must lie somewhere, no link is
// followed that leads elsewhere.
func (src *Source) glob(path string) ([]string, error) {
	if src.Within == "" {
		if _, err := os.Stat(path); err == nil {
			return []string{path}, nil
		}
		return filepath.Glob(path)
	}
	root, err := src.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	pattern, err := filepath.Rel(src.Dir, path)
	if err != nil {
		return nil, err
	}
	if _, err := root.Stat(pattern); err == nil {
		return []string{path}, nil
	}
	names, err := fs.Glob(root.FS(), filepath.ToSlash(pattern))
	for i, name := range names {
		names[i] = filepath.Join(src.Dir, filepath.FromSlash(name))
	}
	return names, err
}

// root is Dir, as far as that lies in Within.
func (src *Source) root() (*os.Root, error) {
	within, err := os.OpenRoot(src.Within)
	if err != nil {
		return nil, err
	}
	defer within.Close()
	name, err := filepath.Rel(src.Within, src.Dir)
	if err != nil {
		return nil, err
	}
	root, err := within.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("directory %s: it must lie in %s, and no link on its way may leave that: %w", src.Dir, src.Within, err)
	}
	return root, nil
}

func closeFiles(files []*file) {
	for _, f := range files {
		_ = f.Close() // nothing was written
	}
}

// open opens a file of the list.
func (src *Source) open(path string) (*file, error) {
	if src.Within == "" || path == src.Copy {
		return openFile(path, path, os.Stat, os.OpenFile)
	}
	root, err := src.root()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name, err := filepath.Rel(src.Dir, path)
	if err != nil {
		return nil, err
	}
	if _, err := root.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("file %s: it must lie in %s, and no link on its way may leave that: %w", path, src.Dir, err)
	}
	return openFile(path, name, root.Stat, root.OpenFile)
}

// openFile opens a regular file, called name by look and open. A named pipe or a device is not even opened: that could wait for ever.
func openFile(path, name string, look func(string) (fs.FileInfo, error),
	open func(path string, flag int, perm os.FileMode) (*os.File, error),
) (*file, error) {
	info, err := look(name)
	if err != nil {
		return nil, adviseOpen(path, err)
	}
	if err := checkRegular(path, info); err != nil {
		return nil, err
	}
	f, err := open(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, adviseOpen(path, err)
	}
	info, err = f.Stat()
	if err == nil {
		err = checkRegular(path, info) // somebody may have made it a pipe since
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &file{File: f, name: path, size: info.Size()}, nil
}

func checkRegular(path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("file %s: it is a directory: name one file in it, or %s", path, filepath.Join(path, "*.txt"))
	case !info.Mode().IsRegular():
		return fmt.Errorf("file %s: it is a %s: want a regular file", path, info.Mode().Type())
	case info.Size() > MaxSize:
		return fmt.Errorf("file %s: it has %d octets: want at most %d", path, info.Size(), int64(MaxSize))
	}
	return nil
}

// adviseOpen adds what to do to an error that already names the path.
func adviseOpen(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("file %s: it does not exist: create it, or correct the path: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("file %s: it may not be read: give the user that this process runs as the right to: %w", path, err)
	default:
		return err
	}
}

// wrong is err as one of this file, or that ctx ended.
func (f *file) wrong(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("file %s: %w", f.name, err)
}

// Content is the SHA-256 of a list's files and of what their meaning depends on beside them: two lists with the same Content have the
// same rules. The zero value is none.
type Content [sha256.Size]byte

// String is c in hexadecimal digits.
func (c Content) String() string { return hex.EncodeToString(c[:]) }

// ParseContent reads what [Content.String] wrote.
func ParseContent(text string) (c Content, err error) {
	octets, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(octets) != len(c) {
		return Content{}, fmt.Errorf("found %q, want %d hexadecimal digits", text[:min(len(text), 80)], 2*len(c))
	}
	return Content(octets), nil
}

// fingerprint reads files to their ends, for their Content, and goes back to their beginnings.
func (src *Source) fingerprint(ctx context.Context, files []*file) (Content, error) {
	sum := src.newFingerprint()
	for _, f := range files {
		if err := drain(sum.from(ctx, f, nil)); err != nil {
			return Content{}, f.wrong(ctx, err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return Content{}, err
		}
	}
	return sum.sum(), nil
}

// drain reads r to its end, in larger steps than io.Copy does.
func drain(r io.Reader) error {
	buffer := make([]byte, readChunk)
	for {
		switch _, err := r.Read(buffer); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// reading is the version of how a file is read: a higher one reads what is kept as compiled anew.
const reading = 1

// fingerprint is a Content on its way.
type fingerprint struct{ all, one hash.Hash }

// newFingerprint begins with all that the rules of src depend on beside its files.
func (src *Source) newFingerprint() *fingerprint {
	f := &fingerprint{all: sha256.New()}
	key := "unsigned"
	if src.Guards.Key != nil {
		key = fmt.Sprint(*src.Guards.Key)
	}
	fmt.Fprintf(f.all, "%d %s %s %q %s\n", reading, suffixes().version, src.Format, src.OwnZones, key)
	return f
}

// from is a reader of the next file.
func (p *fingerprint) from(ctx context.Context, f *file, progress func(read, size int64)) io.Reader {
	p.close()
	p.one = sha256.New()
	fmt.Fprintf(p.all, "%q\n", f.name)
	return &contentReader{ended: ctx.Err, file: f, sum: p.one, progress: progress}
}

func (p *fingerprint) close() {
	if p.one != nil {
		p.all.Write(p.one.Sum(nil))
	}
}

func (p *fingerprint) sum() Content {
	p.close()
	p.one = nil
	return Content(p.all.Sum(nil))
}

// contentReader reads a file, up to the size that it had when it was opened, and fails as soon as ended does.
type contentReader struct {
	ended    func() error // a context's Err
	file     *file
	sum      hash.Hash
	read     int64
	progress func(read, size int64) // may be nil
}

func (r *contentReader) Read(p []byte) (int, error) {
	if err := r.ended(); err != nil {
		return 0, err
	}
	n, err := r.file.Read(p[:min(len(p), readChunk)])
	r.read += int64(n)
	if r.read > r.file.size {
		return 0, errors.New("it changed while it was read: write a new file beside it and rename that")
	}
	_, _ = r.sum.Write(p[:n]) // never fails
	if r.progress != nil {
		r.progress(r.read, r.file.size)
	}
	return n, err
}

// verify checks the signature of a list that must have one. The files are at their beginnings before and after.
func (src *Source) verify(files []*file) (signature.Signature, error) {
	key := src.Guards.Key
	if key == nil {
		return signature.Signature{}, nil
	}
	f := files[0] // a signed list is one file
	text, where := src.Signature, "its source"
	if src.Copy == "" {
		where = f.name + SignatureExtension
		var err error
		if text, err = src.readSignature(where); err != nil {
			return signature.Signature{}, err
		}
	}
	if len(text) == 0 {
		return signature.Signature{}, fmt.Errorf("file %s: it must be signed (signed_by), and there is no signature at %s", f.name, where)
	}
	signed, err := signature.Verify(*key, f, text)
	if err != nil {
		return signature.Signature{}, fmt.Errorf("file %s: %w", f.name, err)
	}
	_, err = f.Seek(0, io.SeekStart)
	return signed, err
}

func (src *Source) readSignature(path string) ([]byte, error) {
	f, err := src.open(path)
	if err != nil {
		return nil, fmt.Errorf("it must be signed (signed_by): %w", err)
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, signature.MaxSize))
}

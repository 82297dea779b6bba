package blocklists

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// MaxSize is the size of the largest file that is read, in octets: some twenty million names.
const MaxSize = 512 << 20

// file is an open list and what it looked like before it was read.
type file struct {
	*os.File
	path string
	size int64
	time time.Time
}

// openFile opens a regular file. A named pipe or a device is not even opened: that could wait for ever.
func openFile(path string) (*file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, adviseOpen(path, err)
	}
	switch {
	case info.IsDir():
		return nil, fmt.Errorf("file %s: it is a directory: name one file in it", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("file %s: it is a %s: want a regular file", path, info.Mode().Type())
	case info.Size() > MaxSize:
		return nil, fmt.Errorf("file %s: it has %d octets: want at most %d", path, info.Size(), int64(MaxSize))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, adviseOpen(path, err)
	}
	return &file{File: f, path: path, size: info.Size(), time: info.ModTime()}, nil
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

// unchanged returns an error if the file is not what was opened any more, or if its size isn't what was read: somebody is
// writing into it, and what was read may be half of a list.
func (f *file) unchanged(read int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != read || info.Size() != f.size || !info.ModTime().Equal(f.time) {
		return fmt.Errorf("file %s: it changed while it was read: write a new file beside it and rename that", f.path)
	}
	return nil
}

var errTooLarge = fmt.Errorf("it has more than %d octets", int64(MaxSize))

// boundedReader reads at most left octets, copies them to keep, and fails as soon as ended does.
type boundedReader struct {
	ended func() error // a context's Err
	from  io.Reader
	keep  io.Writer // may be nil
	left  int64
}

func (r *boundedReader) Read(p []byte) (int, error) {
	if err := r.ended(); err != nil {
		return 0, err
	}
	n, err := r.from.Read(p)
	if int64(n) > r.left {
		return 0, errTooLarge
	}
	r.left -= int64(n)
	if r.keep != nil {
		_, _ = r.keep.Write(p[:n])
	}
	return n, err
}

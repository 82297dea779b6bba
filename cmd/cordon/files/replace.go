package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// draft is what a file is called while it is written.
const draft = ".new-*"

// Replace writes content to path, with the permissions of mode, so that a reader, or a crash, finds the old or the new, whole. It takes
// the place of a symbolic link, not of what that leads to. After an error, path is as it was. The error names the draft or path.
func Replace(path string, content []byte, mode fs.FileMode) error {
	return replace(filepath.Dir(path), always(path), func(f *os.File) error {
		_, err := f.Write(content)
		return errors.Join(err, f.Chmod(mode))
	})
}

// ReplaceLike is [Replace] with the permissions of old, and on Linux with its owner and group, which it is an error not to be able to
// give.
func ReplaceLike(path string, content []byte, old fs.FileInfo) error {
	return replace(filepath.Dir(path), always(path), func(f *os.File) error {
		_, err := f.Write(content)
		return errors.Join(err, keepOwner(f, old), f.Chmod(old.Mode().Perm()))
	})
}

// ReplaceFor is [Replace], and on Linux the file gets the owner and the group of the directory dir, which it is an error not to be able
// to give: one who may write there for another leaves nothing that the other can't read.
func ReplaceFor(dir fs.FileInfo, path string, content []byte, mode fs.FileMode) error {
	return replace(filepath.Dir(path), always(path), func(f *os.File) error {
		_, err := f.Write(content)
		return errors.Join(err, keepOwner(f, dir), f.Chmod(mode))
	})
}

// ReplaceWith is [Replace] for what write writes, which may be large. The draft is in dir, which is in the file system of the file; path
// is called when write has returned, so that the file can be called after its content.
func ReplaceWith(dir string, mode fs.FileMode, write func(io.Writer) error, path func() string) error {
	return replace(dir, path, func(f *os.File) error { return errors.Join(write(f), f.Chmod(mode)) })
}

// Drafts are the paths of what crashes left half written in dir, and of what is being written there.
func Drafts(dir string) ([]string, error) { return filepath.Glob(filepath.Join(dir, draft)) }

func always(path string) func() string { return func() string { return path } }

// replace gives what write writes its path. Until write says otherwise, it is for nobody else to read.
func replace(dir string, path func() string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(dir, draft)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	err = errors.Join(write(f), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	to := path()
	if err = os.Rename(f.Name(), to); err != nil {
		return err
	}
	syncDir(filepath.Dir(to))
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

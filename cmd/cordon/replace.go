package main

import (
	"errors"
	"os"
	"path/filepath"
)

// replaceFile writes content to path so that a reader, or a crash, finds the old or the new, whole.
func replaceFile(path string, content []byte) error {
	return replaceWith(func() string { return path }, filepath.Dir(path), func(f *os.File) error {
		_, err := f.Write(content)
		return errors.Join(err, f.Chmod(fileMode))
	})
}

// replaceWith is replaceFile for what write writes, which is written in dir, for nobody else to read unless write says so, and then gets
// the path that it is to have.
func replaceWith(path func() string, dir string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(dir, halfFile)
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
	if err = os.Rename(f.Name(), path()); err != nil {
		return err
	}
	syncDir(filepath.Dir(path()))
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

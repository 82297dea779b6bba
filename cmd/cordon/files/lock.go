package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// HeldError says that another process has the lock of a directory.
type HeldError struct {
	Path   string
	Holder string // the number of the process, "" if it is not known
}

func (e *HeldError) Error() string { return "another process" + e.who() + " has the lock of " + e.Path }

func (e *HeldError) who() string {
	if e.Holder == "" {
		return ""
	}
	return " (process " + e.Holder + ")"
}

// Lock takes the lock of the directory at path, so that of two edits one sees what the other has done. The directory has to be open to
// who asks for reading, no more. A lock that somebody has is waited for as long as patience, or until ctx is done; say is told that, once,
// in words for a person. unlock gives the lock back, and is called once. Where there is no flock(2) for directories, which is everywhere
// but on Linux, nothing is locked.
func Lock(ctx context.Context, path string, patience time.Duration, say func(text string)) (unlock func(), err error) {
	unlock, err = take(ctx, path, patience, func(e *HeldError) { say("waiting for another edit of " + path + e.who()) })
	if held, ok := errors.AsType[*HeldError](err); ok {
		return nil, fmt.Errorf("another edit of %s%s has not ended within %s: nothing is written", path, held.who(), patience)
	}
	return unlock, err
}

// Own is [Lock] for a process that has the directory for itself for as long as it runs. The error is a [*HeldError] if another process
// has it for longer than patience; waiting is told, once, that it has it at all.
func Own(ctx context.Context, path string, patience time.Duration, waiting func(*HeldError)) (release func(), err error) {
	return take(ctx, path, patience, waiting)
}

func take(ctx context.Context, path string, patience time.Duration, waiting func(*HeldError)) (unlock func(), err error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = dir.Close()
		}
	}()
	const pause = 50 * time.Millisecond
	said := false
	for end := time.Now().Add(patience); ; {
		taken, err := tryLock(dir)
		if err != nil {
			return nil, fmt.Errorf("lock the directory %s: %w", path, err)
		}
		if !taken {
			return func() { _ = dir.Close() }, nil
		}
		held := &HeldError{Path: path, Holder: lockHolder(dir)}
		if !time.Now().Before(end) {
			return nil, held
		}
		if !said {
			waiting(held)
			said = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

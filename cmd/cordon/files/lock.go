package files

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Lock takes the lock of the directory at path, so that of two edits one sees what the other has done. The directory has to be open to
// who asks for reading, no more. A lock that somebody has is waited for as long as patience, or until ctx is done; say is told that, once,
// in words for a person. unlock gives the lock back, and is called once. Where there is no flock(2) for directories, which is everywhere
// but on Linux, nothing is locked.
func Lock(ctx context.Context, path string, patience time.Duration, say func(text string)) (unlock func(), err error) {
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
		if !time.Now().Before(end) {
			return nil, fmt.Errorf("another edit of %s%s has not ended within %s: nothing is written", path, heldBy(dir), patience)
		}
		if !said {
			say("waiting for another edit of " + path + heldBy(dir))
			said = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// heldBy is the end of a message about the lock of dir: which process has it, if that is known.
func heldBy(dir *os.File) string {
	if pid := lockHolder(dir); pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// lockPatience is how long an edit waits for another one.
const lockPatience = 10 * time.Second

// lockDir takes the lock of a policy directory, so that of two edits one sees what the other has done. It lies on the directory itself,
// which everybody who may read the policy can open. Waiting is said on w; unlock gives the lock back.
func lockDir(ctx context.Context, w io.Writer, path string, patience time.Duration) (unlock func(), err error) {
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
			return nil, fmt.Errorf("lock the policy directory %s: %w", path, err)
		}
		if !taken {
			return func() { _ = dir.Close() }, nil
		}
		if !time.Now().Before(end) {
			return nil, fmt.Errorf("another edit of %s%s has not ended within %s: nothing is written", path, heldBy(dir), patience)
		}
		if !said {
			fmt.Fprintf(w, "cordon: waiting for another edit of %s%s\n", path, heldBy(dir))
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

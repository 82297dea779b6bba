//go:build !linux

package systemd

import "time"

// monotonic is not known where there is no such manager.
func monotonic() time.Duration { return 0 }

// isSocket is left to package net where there is no such manager.
func isSocket(int) bool { return true }

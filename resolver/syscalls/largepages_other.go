//go:build !linux || !(amd64 || arm64)

package syscalls

// LargePages does nothing here.
func LargePages() (n int) { return 0 }

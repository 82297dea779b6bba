//go:build !unix

package resolver_test

import "time"

// begun is when the process began, or nearly.
var begun = time.Now()

// cpuTime is the time since the process began, where nobody says how much of it was the process's.
func cpuTime() time.Duration { return time.Since(begun) }

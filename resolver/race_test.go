//go:build race

package resolver_test

// race says that the race detector is on, under which a sync.Pool drops some of what it is given.
const race = true

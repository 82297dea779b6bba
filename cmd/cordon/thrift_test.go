package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"weak"
)

//nolint:paralleltest // there is one garbage collector
func TestThriftLeavesTheGarbageCollectorAsItWas(t *testing.T) {
	for _, test := range []struct{ before, meanwhile int }{{100, thriftyPercent}, {5, 5}, {-1, -1}} {
		first := debug.SetGCPercent(test.before)
		var lists thrift
		lists.begin()
		lists.begin()
		lists.end()
		meanwhile := debug.SetGCPercent(test.before)
		debug.SetGCPercent(meanwhile)
		lists.end()
		after := debug.SetGCPercent(first)
		if meanwhile != test.meanwhile || after != test.before {
			t.Errorf("GOGC of %d is %d while there is work, then %d, want %d and what it was", test.before, meanwhile, after, test.meanwhile)
		}
	}
}

func TestASightThatIsToldIsLetGo(t *testing.T) {
	t.Parallel()
	a := &auditor{wake: make(chan struct{}, 1)}
	first := weak.Make(lookOnce(a))
	lookOnce(a)
	if _, after, found := a.seen(); !found || after != 1 {
		t.Fatalf("found %v with %d after it, want one with one after it", found, after)
	}
	runtime.GC()
	if first.Value() != nil {
		t.Error("the auditor still holds the policy of a sight that it has told")
	}
	runtime.KeepAlive(a)
}

// lookOnce lets a see a generation of its own.
//
//go:noinline
func lookOnce(a *auditor) *generation {
	g := new(generation)
	a.look(g, nil, a.last)
	return g
}

package selftest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

// What a probe expects, as metrics say it.
const (
	Refuse = "refuse"
	Pass   = "pass"
)

// Config is what a Tester needs.
type Config struct {
	Addresses func() []netip.AddrPort                   // where the server is asked; called from [Tester.Run] on
	InForce   func() (*policy.Snapshot, policy.Instant) // what answers at this moment; only its number is looked at, and the time
	Read      func() uint64                             // how many queries of others were read so far
	Log       *slog.Logger                              // nil: nothing is logged
}

// Outcome is what came of one probe.
type Outcome struct {
	Agency string
	Expect string // Refuse or Pass
	Name   string // that was asked, without the last dot
	OK     bool
	Reason string    // what was found, and what would be right; empty if OK
	At     time.Time // when it was last asked
	Since  time.Time // when OK became what it is

	wrong bool // not OK because of an answer, rather than for want of one
}

// Tester is made by [New]. Its methods may be called from any goroutine; those that a server without a self-test calls may be called of a
// nil Tester too.
type Tester struct {
	c       Config
	secret  [secretLen]byte
	neutral domain.Name                    // must pass
	socket  atomic.Pointer[netip.AddrPort] // that a round has open at the moment; nil: none
	pulse   atomic.Pointer[netip.AddrPort] // that Alive has open
	plan    atomic.Pointer[plan]           // nil before the first Publish
	changed chan struct{}                  // has a value when plan is new

	between  time.Duration // betweenAsks
	patience time.Duration // patience

	next  int // place in the plan of the agency whose turn it is; of Run alone
	turns int // rounds so far; of Run alone

	mu       sync.Mutex
	outcomes map[key]Outcome
	failures map[string]uint64 // by what was expected
	last     time.Time         // when the last round ended; zero: none did
	took     time.Duration     // the last round
	passed   bool              // some round
	wrong    error             // why the server is not ready, found by the last round
	silent   int               // rounds in a row in which nobody was heard
	read     uint64            // queries of others at the last round
}

// key tells one probe from another.
type key struct{ agency, expect string }

// New makes a Tester without a policy, which asks nothing before it runs.
func New(c Config) *Tester {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	t := &Tester{
		c: c, neutral: newNeutralName(), changed: make(chan struct{}, 1), between: betweenAsks, patience: patience,
		outcomes: map[key]Outcome{}, failures: map[string]uint64{Refuse: 0, Pass: 0},
	}
	_, _ = rand.Read(t.secret[:]) // it has no error
	return t
}

// Publish has c, which is in force by now, tested at once. It keeps c's elements, which must not change.
func (t *Tester) Publish(c policy.Config) {
	if t == nil {
		return
	}
	t.plan.Store(newPlan(c))
	select {
	case t.changed <- struct{}{}:
	default: // it is to be tested already
	}
}

// Outcomes are those of the last whole round, by agency; of agencies whose turn it was not, of the last round that was theirs.
func (t *Tester) Outcomes() []Outcome {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Outcome, 0, len(t.outcomes))
	for _, o := range t.outcomes {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(a.Agency, b.Agency), -cmp.Compare(a.Expect, b.Expect))
	})
	return all
}

var errNotYet = errors.New("the self-test has not passed yet since the start")

// Ready is nil if the server answers as it must, else what it does not. It has no agency and no name: everybody may ask for it.
func (t *Tester) Ready() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wrong == nil && !t.passed {
		return errNotYet
	}
	return t.wrong
}

// The times between two rounds.
const (
	interval = time.Minute
	soon     = 5 * time.Second // while something is wrong or lost
	atOnce   = time.Second     // the least, and until the first one has passed
)

// Run asks until ctx ends.
func (t *Tester) Run(ctx context.Context) {
	for ctx.Err() == nil {
		pause := t.test(ctx)
		least := time.NewTimer(atOnce)
		most := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-most.C:
		case <-t.changed:
			select {
			case <-ctx.Done():
			case <-least.C:
			}
		}
		least.Stop()
		most.Stop()
	}
}

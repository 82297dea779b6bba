package querylog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"cordon/cmd/cordon/files"
)

// KeeperConfig is what a Keeper needs and keeps.
type KeeperConfig struct {
	Dir     string                                      // for requests, the state and the files of incidents; made if need be
	Log     *Log                                        // not nil
	Logger  *slog.Logger                                // not nil
	Max     time.Duration                               // the longest incident
	Keep    time.Duration                               // how long after its last write the file of an incident is kept
	Seen    time.Time                                   // what an earlier process has seen of the time; zero for nothing
	Audited func() error                                // says why the audit log can't have an incident; nil from it: it can; not nil
	Known   func(agency string) bool                    // says whether there is such an agency; nil: every one is
	Began   func(i *Incident)                           // has it noted in the audit log; not nil
	Ended   func(i *Incident, at time.Time, why string) // the same
	Changed func()                                      // is called when an incident has begun, goes on or has ended; not nil
}

// Keeper begins and ends incidents, as requests in its directory ask for. An incident goes on over a restart, to the same end.
//
//	request.json   what the command wants, which the server takes away; how long the incident is to last counts from then
//	state.json     the incident that is under way, with the last moment of it; and what became of the last request
//	incident-….jsonl   what was logged, see file
type Keeper struct {
	mu     sync.Mutex // of Max and Keep
	config KeeperConfig

	// Of the goroutine of Run.
	state State
	end   time.Time // of the incident under way, by a clock that nobody sets
	dirty bool      // state is not as state.json has it
	swept time.Time // when files that are too old were looked for
}

// Request is what the command asks the server for: an incident, or the end of the one that there is.
type Request struct {
	Incident

	Asked time.Time     `json:"asked"`
	For   time.Duration `json:"for"` // how long it is to last, in nanoseconds; Begun and Until are the server's
	Stop  bool          `json:"stop"`
}

// State is how it is with incidents.
type State struct {
	Running *Incident     `json:"running"`           // nil: none
	Seen    time.Time     `json:"seen"`              // the last moment at which it was under way
	Left    time.Duration `json:"left"`              // how long it was still to last then, by a clock that nobody sets; in nanoseconds
	Request string        `json:"request"`           // the ID of the last request
	Refused string        `json:"refused,omitempty"` // why that was refused; "": it was not
}

const (
	requestFile, stateFile = "request.json", "state.json"

	look     = 500 * time.Millisecond // between two looks for a request
	noting   = time.Minute            // between two notes of the time in an incident
	sweeping = 10 * time.Minute       // between two looks for files that are too old
	maxState = 64 << 10               // octets of a file
	staleAt  = time.Minute            // a request that is older is one that nobody waits for
)

// NewKeeper makes a Keeper. It touches nothing.
func NewKeeper(c KeeperConfig) *Keeper { return &Keeper{config: c} }

// Set changes the longest time of an incident, for those to come, and how long files are kept.
func (k *Keeper) Set(longest, keep time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.config.Max, k.config.Keep = longest, keep
}

func (k *Keeper) limits() (longest, keep time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.config.Max, k.config.Keep
}

// Run takes requests, until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	if err := os.MkdirAll(k.config.Dir, dirMode); err != nil {
		k.config.Logger.Error("query log: there can be no incident mode", "error", err)
		return
	}
	k.resume(time.Now())
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		k.tick(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// resume goes on with the incident that an earlier process was in.
func (k *Keeper) resume(now time.Time) {
	state, err := ReadState(k.config.Dir)
	if err != nil {
		k.config.Logger.Error("query log: whether there was an incident can't be read: there is none now", "error", err)
		return
	}
	k.state = *state
	if i := state.Running; i != nil {
		seen := latest(now, state.Seen, k.config.Seen)
		left := min(i.Until.Sub(seen), state.Left)
		k.end = now.Add(left)
		if left > 0 {
			k.config.Log.begin(i, filepath.Join(k.config.Dir, i.File()), k.end)
			k.config.Changed()
			k.shout()
		}
	}
}

func latest(all ...time.Time) (t time.Time) {
	for _, one := range all {
		if one.After(t) {
			t = one
		}
	}
	return t
}

// shout says that there is an incident.
func (k *Keeper) shout() {
	k.config.Logger.Warn("incident mode: queries are logged with the addresses of clients; the audit log says which, and why",
		"until", k.state.Running.Until)
}

// tick does what is to be done at now.
func (k *Keeper) tick(now time.Time) {
	if i := k.state.Running; i != nil {
		switch u := (&underway{Incident: *i, end: k.end}); {
		case u.over(now):
			k.finish(now, "its time is over")
		case since(k.state.Seen, now) >= noting:
			k.state.Seen, k.state.Left, k.dirty = now, k.end.Sub(now), true
		}
	}
	if request := k.request(); request != nil {
		k.answer(request, now)
	}
	if k.dirty {
		k.save()
	}
	if k.swept.IsZero() || now.Sub(k.swept) >= sweeping {
		k.swept = now
		k.sweep(now)
	}
}

// request takes the request that there is, nil if there is none.
func (k *Keeper) request() *Request {
	path := filepath.Join(k.config.Dir, requestFile)
	text, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	request := new(Request)
	if err == nil {
		err = json.Unmarshal(text, request)
	}
	if removeErr := os.Remove(path); removeErr != nil { // else it would be asked for again and again
		k.config.Logger.Error("incident mode: a request can't be taken", "error", removeErr)
		return nil
	}
	if err != nil {
		k.config.Logger.Error("incident mode: a request can't be read", "error", err)
		return nil
	}
	return request
}

// answer does what r asks for, or says why not.
func (k *Keeper) answer(r *Request, now time.Time) {
	err := k.obey(r, now)
	k.state.Request, k.state.Refused, k.dirty = r.ID, "", true
	if err != nil {
		k.state.Refused = err.Error()
		k.config.Logger.Error("incident mode: a request is refused", "reason", err)
	}
}

func (k *Keeper) obey(r *Request, now time.Time) error {
	if age := now.Sub(r.Asked); age > staleAt || age < -staleAt {
		return fmt.Errorf("it was made %s ago: ask again", age.Round(time.Second))
	}
	if r.Stop {
		if k.state.Running == nil {
			return errors.New("there is no incident to end")
		}
		k.finish(now, "ended by request")
		return nil
	}
	if err := k.mayBegin(r); err != nil {
		return err
	}
	return k.start(r, now)
}

// mayBegin says why there can't be the incident that r asks for.
func (k *Keeper) mayBegin(r *Request) error {
	if err := k.config.Audited(); err != nil {
		return err
	}
	longest, _ := k.limits()
	switch {
	case k.state.Running != nil:
		return fmt.Errorf("there is one already, until %s: end it first", k.state.Running.Until.UTC().Format(time.RFC3339))
	case r.For <= 0 || r.For > longest:
		return fmt.Errorf("it is to last %s: want more than nothing and %s at most (query_log.incident.max)", r.For, longest)
	case r.Agency != "" && k.config.Known != nil && !k.config.Known(r.Agency):
		return fmt.Errorf("there is no agency %q", r.Agency)
	}
	return r.check()
}

// start begins the incident, if it can be noted for a restart.
func (k *Keeper) start(r *Request, now time.Time) error {
	i := r.Incident
	i.Begun, i.Until = now.UTC().Truncate(time.Second), now.Add(r.For).UTC().Truncate(time.Second)
	before := k.state
	k.state = State{Running: &i, Seen: now, Left: r.For, Request: r.ID}
	if err := k.write(); err != nil {
		k.state = before
		return fmt.Errorf("it could not be noted: %w", err)
	}
	k.end = now.Add(r.For)
	k.config.Began(&i)
	k.config.Log.begin(&i, filepath.Join(k.config.Dir, i.File()), k.end)
	k.config.Changed()
	k.shout()
	return nil
}

// finish ends the incident that there is.
func (k *Keeper) finish(now time.Time, why string) {
	i := k.state.Running
	k.state.Running, k.dirty = nil, true
	k.config.Log.end()
	k.config.Ended(i, now, why)
	k.config.Changed()
	k.config.Logger.Warn("incident mode: it ends: addresses of clients are not logged any more", "because", why, "begun", i.Begun)
}

// save writes the state. What can't be written is tried again.
func (k *Keeper) save() {
	err := k.write()
	k.dirty = err != nil
	if err != nil && k.state.Running == nil { // at least it must not begin again
		err = os.Remove(filepath.Join(k.config.Dir, stateFile))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		k.config.Logger.Error("incident mode: how it is can't be noted", "error", err)
	}
}

func (k *Keeper) write() error {
	text, err := json.Marshal(k.state)
	if err != nil {
		return err
	}
	return files.Replace(filepath.Join(k.config.Dir, stateFile), append(text, '\n'), fileMode)
}

// sweep removes the files of incidents that are too old.
func (k *Keeper) sweep(now time.Time) {
	_, keep := k.limits()
	current := ""
	if i := k.state.Running; i != nil {
		current = i.File()
	}
	entries, err := os.ReadDir(k.config.Dir)
	for _, e := range entries {
		info, infoErr := e.Info()
		if !strings.HasPrefix(e.Name(), incidentPrefix) || current != "" && strings.HasPrefix(e.Name(), current) ||
			infoErr != nil || !info.Mode().IsRegular() || now.Sub(info.ModTime()) <= keep {
			continue
		}
		err = errors.Join(err, os.Remove(filepath.Join(k.config.Dir, e.Name())))
		k.config.Logger.Info("incident mode: a log is older than it is kept for and was removed", "file", e.Name())
	}
	if err != nil {
		k.config.Logger.Error("incident mode: logs that are too old are still there", "error", err)
	}
}

// ReadState is how it is with incidents in the directory of a Keeper.
func ReadState(dir string) (*State, error) {
	path := filepath.Join(dir, stateFile)
	text, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return new(State), nil
	}
	state := new(State)
	if err == nil {
		err = json.Unmarshal(text, state)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if i := state.Running; i != nil {
		if err := i.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return state, nil
}

// Ask gives the server that has the directory dir a request. dir is there, made by that server.
func Ask(dir string, r *Request) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return files.ReplaceFor(info, filepath.Join(dir, requestFile), append(text, '\n'), fileMode)
}

// Withdraw takes the request back. The error is [fs.ErrNotExist] if it is not there any more, for the server has taken it.
func Withdraw(dir string) error { return os.Remove(filepath.Join(dir, requestFile)) }

// readSmall is the content of a small regular file, to which no link leads.
func readSmall(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New(path + " is not a regular file")
	}
	return files.ReadSmall(path, maxState)
}

// since is the time from then to now, 0 if the clock stepped back.
func since(then, now time.Time) time.Duration { return max(now.Sub(then), 0) }

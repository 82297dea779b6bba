package querylog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// house is a Keeper that runs, with its log, and what it had noted in the audit log.
type house struct {
	t       *testing.T
	dir     string
	log     *Log
	journal *journal

	mu    sync.Mutex
	noted []string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return &house{t: t, dir: filepath.Join(t.TempDir(), "incident")}
}

// run runs a Keeper, with what change changes, until stop is called or the test ends.
func (h *house) run(change func(*KeeperConfig)) (stop func()) {
	h.t.Helper()
	h.log, _, h.journal = newLog(h.t, Config{})
	c := KeeperConfig{
		Dir: h.dir, Log: h.log, Logger: h.journal.logger(), Max: 24 * time.Hour, Keep: 7 * 24 * time.Hour, Audited: func() error { return nil },
		Known:   func(agency string) bool { return agency == "defence" },
		Began:   func(i *Incident) { h.note("began, for %s, %q by %s", i.Until.Sub(i.Begun), i.Reason, i.ApprovedBy) },
		Ended:   func(i *Incident, at time.Time, why string) { h.note("ended after %s: %s", at.Sub(i.Begun), why) },
		Changed: func() {},
	}
	if change != nil {
		change(&c)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		NewKeeper(c).Run(ctx)
	}()
	synctest.Wait()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	h.t.Cleanup(stop)
	return stop
}

func (h *house) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.noted = append(h.noted, fmt.Sprintf(format, args...))
}

func (h *house) wantNoted(want ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.noted, want) {
		h.t.Errorf("noted are\n%q, want\n%q", h.noted, want)
	}
	h.noted = nil
}

// request is one for an incident of an hour.
func request() *Request {
	return &Request{Incident: Incident{ID: "one", Reason: "a botnet", ApprovedBy: "the head"}, Asked: time.Now(), For: time.Hour}
}

// ask asks, and is told how it is then.
func (h *house) ask(r *Request) *State {
	h.t.Helper()
	if err := Ask(h.dir, r); err != nil {
		h.t.Fatal(err)
	}
	time.Sleep(look)
	synctest.Wait()
	return h.state()
}

func (h *house) state() *State {
	h.t.Helper()
	state, err := ReadState(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	return state
}

// on says whether addresses are logged at this moment.
func (h *house) on() bool {
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	return h.log.incident != nil && !h.log.incident.over(time.Now())
}

func TestAnIncidentEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.run(nil)
		if s := h.ask(request()); s.Running == nil || s.Request != "one" || s.Refused != "" || !h.on() {
			t.Fatalf("there is none: %+v", s)
		}
		h.wantNoted(`began, for 1h0m0s, "a botnet" by the head`)
		if _, err := os.Stat(filepath.Join(h.dir, requestFile)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the request is still there: %v", err)
		}
		if said := h.journal.String(); !strings.Contains(said, "level=WARN") || strings.Contains(said, "botnet") {
			t.Errorf("it was logged: %s", said)
		}
		time.Sleep(time.Hour - time.Second - look)
		if !h.on() {
			t.Error("it is over before its time")
		}
		time.Sleep(time.Second + look)
		synctest.Wait()
		if s := h.state(); s.Running != nil || h.on() {
			t.Errorf("it is not over: %+v", s)
		}
		h.wantNoted("ended after 1h0m0s: its time is over")
	})
}

func TestAnIncidentIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.run(nil)
		end := &Request{Incident: Incident{ID: "two"}, Stop: true, Asked: time.Now()}
		if s := h.ask(end); s.Request != "two" || s.Refused != "there is no incident to end" {
			t.Errorf("%+v", s)
		}
		h.ask(request())
		if s := h.ask(end); s.Running != nil || s.Request != "two" || s.Refused != "" || h.on() {
			t.Errorf("it goes on: %+v", s)
		}
		h.wantNoted(`began, for 1h0m0s, "a botnet" by the head`, "ended after 500ms: ended by request")
	})
}

func TestAnIncidentIsRefused(t *testing.T) {
	for want, change := range map[string]func(*Request, *KeeperConfig){
		"there is no audit log": func(_ *Request, c *KeeperConfig) {
			c.Audited = func() error { return errors.New("there is no audit log") }
		},
		"it is to last 24h0m1s: want more":   func(r *Request, _ *KeeperConfig) { r.For = 24*time.Hour + time.Second },
		"it is to last 1h0m0s: want":         func(_ *Request, c *KeeperConfig) { c.Max = time.Minute },
		"it is to last 0s":                   func(r *Request, _ *KeeperConfig) { r.For = 0 },
		"it is to last -1h0m0s":              func(r *Request, _ *KeeperConfig) { r.For = -time.Hour },
		"a reason is missing":                func(r *Request, _ *KeeperConfig) { r.Reason = " " },
		"who approved it is missing":         func(r *Request, _ *KeeperConfig) { r.ApprovedBy = "" },
		"an identity is missing":             func(r *Request, _ *KeeperConfig) { r.ID = "" },
		"more than 500 octets, or control":   func(r *Request, _ *KeeperConfig) { r.Reason = strings.Repeat("x", 501) },
		"500 octets, or control characters":  func(r *Request, _ *KeeperConfig) { r.ApprovedBy = "a\nb" },
		`there is no agency "defense"`:       func(r *Request, _ *KeeperConfig) { r.Agency = "defense" },
		"it was made 1h0m0s ago: ask again":  func(r *Request, _ *KeeperConfig) { r.Asked = r.Asked.Add(-time.Hour) },
		"it was made -1h0m0s ago: ask again": func(r *Request, _ *KeeperConfig) { r.Asked = r.Asked.Add(time.Hour) },
	} {
		synctest.Test(t, func(t *testing.T) {
			h, r := newHouse(t), request()
			h.run(func(c *KeeperConfig) { change(r, c) })
			r.Asked = r.Asked.Add(look) // it is read as late
			if s := h.ask(r); s.Running != nil || !strings.Contains(s.Refused, want) || h.on() {
				t.Errorf("%+v, want %q", s, want)
			}
			h.wantNoted()
		})
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.run(nil)
		h.ask(request())
		again := request()
		again.ID = "two"
		if s := h.ask(again); s.Running == nil || s.Running.ID != "one" || !strings.Contains(s.Refused, "there is one already, until 2000-01-01T01:00:00Z") {
			t.Errorf("%+v, want that there is one already", s)
		}
	})
}

// A request that is no request begins nothing, and is there no more.
func TestARequestThatCanNotBeRead(t *testing.T) {
	for what, text := range map[string]string{
		"no JSON": "{", "another type": `{"for": "2h"}`, "a number too large": `{"for": 1e300}`, "too long": strings.Repeat(" ", maxState+1), "nothing": "",
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			h.run(nil)
			path := filepath.Join(h.dir, requestFile)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(look)
			synctest.Wait()
			if _, err := os.Stat(path); err == nil || h.state().Running != nil || !strings.Contains(h.journal.String(), "can't be read") {
				t.Errorf("%s: %v, %+v, %s", what, err, h.state(), h.journal)
			}
			h.wantNoted()
		})
	}
}

// A restart neither ends an incident nor makes it longer, and what the clock shows then does not matter.
func TestAnIncidentGoesOnOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		stop := h.run(nil)
		h.ask(request())
		time.Sleep(20 * time.Minute)
		stop()
		h.wantNoted(`began, for 1h0m0s, "a botnet" by the head`)
		time.Sleep(20 * time.Minute)
		h.run(nil)
		if !h.on() {
			t.Error("it does not go on")
		}
		time.Sleep(20*time.Minute + look)
		synctest.Wait()
		if h.on() {
			t.Error("it goes on after its end")
		}
		h.wantNoted("ended after 1h0m0s: its time is over")
	})
}

func TestAnIncidentThatWasOverWhenTheServerStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		stop := h.run(nil)
		h.ask(request())
		stop()
		h.wantNoted(`began, for 1h0m0s, "a botnet" by the head`)
		time.Sleep(2 * time.Hour)
		h.run(nil)
		if h.on() || h.state().Running != nil {
			t.Error("it goes on")
		}
		h.wantNoted("ended after 2h0m0.5s: its time is over")
	})
}

// A clock that was set back while no server ran gives an incident no time that it had used up.
func TestAClockThatStepsBackMakesNoIncidentLonger(t *testing.T) {
	for what, seen := range map[string]func(state *State, c *KeeperConfig, at time.Time){
		"by the last note in it":          func(state *State, _ *KeeperConfig, at time.Time) { state.Seen = at },
		"by what an earlier process says": func(_ *State, c *KeeperConfig, at time.Time) { c.Seen = at },
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			if err := os.MkdirAll(h.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			later := time.Now().Add(48 * time.Hour) // the clock was there before it was set back to now
			i := request().Incident
			i.Begun, i.Until = later.Add(-50*time.Minute), later.Add(10*time.Minute)
			state := State{Running: &i, Left: time.Hour}
			stop := h.run(func(c *KeeperConfig) {
				seen(&state, c, later)
				text, err := json.Marshal(state)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(h.dir, stateFile), text, 0o600); err != nil {
					t.Fatal(err)
				}
			})
			time.Sleep(10*time.Minute - time.Second)
			if !h.on() {
				t.Errorf("%s: it is over before its time", what)
			}
			time.Sleep(time.Second)
			if h.on() {
				t.Errorf("%s: it goes on after its time", what)
			}
			stop()
		})
	}
}

// A clock that is set back while an incident is logged gives it no time either, not even with a restart: how long it is still to last is noted
// by a clock that nobody sets.
func TestAClockThatStepsBackInAnIncidentMakesItNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		stop := h.run(nil)
		h.ask(request())
		time.Sleep(50 * time.Minute)
		stop()
		state := h.state() // as it is where the clock now shows the beginning again
		state.Running.Begun, state.Running.Until = state.Running.Begun.Add(50*time.Minute), state.Running.Until.Add(50*time.Minute)
		text, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(h.dir, stateFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		h.run(nil)
		if !h.on() {
			t.Error("it is over before its time")
		}
		time.Sleep(10*time.Minute + noting + look)
		synctest.Wait()
		if h.on() {
			t.Error("it goes on after its time")
		}
	})
}

// Either clock ends an incident: the one that goes on when the other is set, and the one that people read.
func TestEitherClockEndsAnIncident(t *testing.T) {
	now := time.Now()
	for what, test := range map[string]struct {
		end, until time.Duration
		over       bool
	}{
		"both are before":           {time.Second, time.Second, false},
		"the clock was set back":    {-time.Second, 24 * time.Hour, true},
		"the clock was set forward": {time.Hour, -time.Second, true},
		"the moment itself":         {0, time.Second, true},
	} {
		u := &underway{Incident: Incident{Until: now.Add(test.until).Round(0)}, end: now.Add(test.end)}
		if got := u.over(now); got != test.over {
			t.Errorf("%s: over is %t", what, got)
		}
	}
}

// An address of one link has a zone, and a network has none.
func TestAnIncidentCoversClientsOfALink(t *testing.T) {
	u := &underway{Incident: Incident{Network: netip.MustParsePrefix("fe80::/64")}}
	for client, want := range map[string]bool{"fe80::1%eth0": true, "fe80::1": true, "fe80:0:0:1::1%eth0": false} {
		if got := u.covers(&event{client: netip.MustParseAddr(client)}); got != want {
			t.Errorf("%s: covered is %t", client, got)
		}
	}
}

// The state says at least each minute how far the incident is, so that no crash gives it more than that.
func TestTheTimeOfAnIncidentIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.run(nil)
		h.ask(request())
		time.Sleep(30*time.Minute + look)
		synctest.Wait()
		state := h.state()
		if time.Since(state.Seen) > noting+look {
			t.Errorf("the last note was %s ago", time.Since(state.Seen))
		}
		if left := time.Until(state.Running.Until); state.Left < left || state.Left > left+noting+time.Second {
			t.Errorf("it has noted %s, with %s left", state.Left, left)
		}
	})
}

func TestAnIncidentThatCanNotBeNotedDoesNotBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.run(nil)
		if err := os.MkdirAll(filepath.Join(h.dir, stateFile, "in the way"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := Ask(h.dir, request()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(look)
		synctest.Wait()
		if h.on() || !strings.Contains(h.journal.String(), "it could not be noted") {
			t.Errorf("it began: %s", h.journal)
		}
		h.wantNoted()
	})
}

func TestAStateThatIsNoneBeginsNothing(t *testing.T) {
	for _, text := range []string{"{", `{"running": {"id": "x", "until": "2999-01-01T00:00:00Z"}}`} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			if err := os.MkdirAll(h.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(h.dir, stateFile), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			h.run(nil)
			if h.on() || !strings.Contains(h.journal.String(), "can't be read") {
				t.Errorf("%s: %s", text, h.journal)
			}
		})
	}
}

func TestLogsOfIncidentsAreRemovedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		if err := os.MkdirAll(h.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		put := func(name string, age time.Duration) {
			path := filepath.Join(h.dir, name)
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, time.Now().Add(-age), time.Now().Add(-age)); err != nil {
				t.Fatal(err)
			}
		}
		const day = 24 * time.Hour
		put("incident-a.jsonl", 8*day)
		put("incident-b.jsonl", 6*day)
		put("other", 100*day)
		h.run(nil)
		h.ask(request())
		put(h.state().Running.File(), 100*day) // it is under way
		time.Sleep(sweeping)
		synctest.Wait()
		var names []string
		entries, err := os.ReadDir(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if want := []string{"incident-20000101T000000Z.jsonl", "incident-b.jsonl", "other", "state.json"}; !slices.Equal(names, want) {
			t.Errorf("there are %q, want %q", names, want)
		}
	})
}

// An end that can't be noted is an end all the same: what says that there is an incident is removed.
func TestAnEndThatCanNotBeNotedIsAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		stop := h.run(nil)
		h.ask(request())
		path := filepath.Join(h.dir, stateFile)
		if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil { // nothing can be written there, but it can be removed
			t.Fatal(err)
		}
		if err := Ask(h.dir, &Request{Incident: Incident{ID: "two"}, Asked: time.Now(), Stop: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(look)
		synctest.Wait()
		stop()
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is still there: %v", err)
		}
		h.run(nil)
		if h.on() {
			t.Error("it begins again")
		}
	})
}

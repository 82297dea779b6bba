package querylog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cordon/resolver/policy"
)

// running is a Log that runs until the end of the test, or until stop is called.
func running(t *testing.T, l *Log) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return stop
}

// settle waits until what was observed is written, or waits for somebody else.
func settle() {
	time.Sleep(2 * pace)
	synctest.Wait()
}

// told is what the file at path says: verdict, client and agency of each line.
func told(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var all []string
	for one := range strings.Lines(string(text)) {
		var l line
		if err := json.Unmarshal([]byte(one), &l); err != nil {
			t.Fatalf("%q: %v", one, err)
		}
		all = append(all, l.Verdict+" "+l.Client+" "+l.Agency)
	}
	return all
}

func wantTold(t *testing.T, what, path string, want ...string) {
	t.Helper()
	if got := told(t, path); !slices.Equal(got, want) {
		t.Errorf("%s: got\n%q, want\n%q", what, got, want)
	}
}

func TestNothingIsLoggedUnlessSomebodySaysWhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "q")
		file := FileConfig{Path: path, MaxSize: 1 << 20, Keep: time.Hour, Total: 1 << 50}
		l, watched, _ := newLog(t, Config{})
		stop := running(t, l)
		observe := func() {
			l.Observe(refused("10.10.7.42"))
			l.Observe(excepted("10.10.7.42"))
			l.Observe(passed("10.10.7.42"))
			settle()
		}
		set := func(s Settings, watch string) {
			t.Helper()
			s.Naming = Truncated
			if err := l.Set(s); err != nil {
				t.Error(err)
			}
			settle()
			if watched.String() != watch {
				t.Errorf("the resolver tells of %s, want %s", watched, watch)
			}
		}
		observe()
		set(Settings{What: []policy.Action{policy.Refuse}}, "[]")
		set(Settings{File: file}, "[]")
		observe()
		if l.rings.Load() != nil {
			t.Error("there are rings, and nobody wants anything")
		}
		set(Settings{What: []policy.Action{policy.Refuse, policy.Except}, File: file}, "[refuse except]")
		observe()
		refusal, exception := "refuse 10.10.7.0/24 defence", "except 10.10.7.0/24 defence"
		wantTold(t, "refusals and exceptions", path, refusal, exception)
		set(Settings{What: []policy.Action{policy.Except}, File: file}, "[except]")
		observe()
		wantTold(t, "exceptions", path, refusal, exception, exception)
		set(Settings{}, "[]")
		observe()
		wantTold(t, "nothing", path, refusal, exception, exception)
		if got := total(l, toFile); got != "3 written, 0 dropped, 0 errors" {
			t.Error(got)
		}
		stop()
	})
}

func TestWhatIsObservedLastIsWrittenAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "q")
		l, watched, _ := newLog(t, Config{})
		stop := running(t, l)
		err := l.Set(Settings{
			What: []policy.Action{policy.Refuse}, Naming: Nameless, File: FileConfig{Path: path, MaxSize: 1 << 20, Keep: time.Hour, Total: 1 << 50},
		})
		if err != nil {
			t.Fatal(err)
		}
		settle()
		for range 100 {
			l.Observe(refused("10.10.7.42"))
		}
		stop()
		if got := len(told(t, path)); got != 100 || watched.String() != "[]" {
			t.Errorf("%d lines, want 100; the resolver tells of %s", got, watched)
		}
	})
}

// A reader that never reads and a disk that never answers make nobody wait, neither queries nor other outputs; what is lost is counted.
func TestSlowReadersAndDisksHoldNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		blocked := &slowDisk{gate: gate}
		reader := silentReader(t)
		quick := filepath.Join(t.TempDir(), "incident")
		l, _, _ := newLog(t, Config{
			open: func(path string) (disk, error) {
				if path == quick {
					return openFile(path)
				}
				return blocked, nil
			},
			dial: func(context.Context, string, string) (net.Conn, error) { return reader, nil },
		})
		stop := running(t, l)
		err := l.Set(Settings{
			What: []policy.Action{policy.Refuse}, Naming: Nameless,
			File:   FileConfig{Path: filepath.Join(t.TempDir(), "q"), MaxSize: 1 << 40, Keep: time.Hour, Total: 1 << 50},
			Dnstap: RemoteConfig{Network: "tcp", Address: "192.0.2.7:6000"},
		})
		if err != nil {
			t.Fatal(err)
		}
		l.begin(&Incident{ID: "i", Until: time.Now().Add(time.Hour)}, quick, time.Now().Add(time.Hour))
		settle()
		const rounds, each = 6, 500 // more than the buffers of both hold
		large := refused("10.10.7.42")
		large.Verdict.List = strings.Repeat("l", 8<<10)
		begun := time.Now()
		for range rounds {
			for range each {
				l.Observe(large)
			}
			settle()
		}
		if took := time.Since(begun); took > rounds*2*pace {
			t.Errorf("it took %s", took) // in the time of the bubble, in which waiting is all that takes any
		}
		if got := total(l, toIncident); got != "3000 written, 0 dropped, 0 errors" {
			t.Errorf("the output that is quick: %s", got)
		}
		for _, name := range []string{toFile, toDnstap} {
			if c := l.counts[name]; c.dropped.Load() == 0 || c.written.Load()+c.dropped.Load() > rounds*each {
				t.Errorf("%s: %s", name, total(l, name))
			}
		}
		begun = time.Now()
		stop()
		if took := time.Since(begun); took > stopPatience {
			t.Errorf("the end took %s", took)
		}
		close(gate)
		synctest.Wait()
		for _, name := range []string{toFile, toDnstap} {
			if c := l.counts[name]; c.written.Load()+c.dropped.Load() != rounds*each {
				t.Errorf("%s: %s, want %d in all", name, total(l, name), rounds*each)
			}
		}
	})
}

// silentReader is a connection to a reader of dnstap that says it takes frames and then takes none.
func silentReader(t *testing.T) net.Conn {
	t.Helper()
	here, there := net.Pipe()
	go func() {
		var frame [12 + len(dnstapField)]byte
		_, _ = there.Read(frame[:])
		_, _ = there.Write(control(accept, dnstapField))
		_, _ = there.Read(frame[:])
	}()
	t.Cleanup(func() { _ = there.Close() })
	return here
}

func TestARingThatIsFullCountsForEveryOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, _ := newLog(t, Config{})
		stop := running(t, l)
		_ = l.Set(Settings{
			What: []policy.Action{policy.Refuse}, File: FileConfig{Path: filepath.Join(t.TempDir(), "q"), MaxSize: 1 << 40, Keep: time.Hour, Total: 1 << 50},
		})
		settle()
		for range ringSize + 7 {
			l.Observe(refused("10.10.7.42"))
		}
		stop()
		if got, want := total(l, toFile), fmt.Sprintf("%d written, 7 dropped, 0 errors", ringSize); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestAnIncidentHasAddressesInItsOwnFileOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "q")
		l, watched, _ := newLog(t, Config{})
		stop := running(t, l)
		observe := func() {
			l.Observe(refused("10.10.7.42"))
			l.Observe(refused("10.10.8.42"))
			l.Observe(passed("10.10.7.42"))
			l.Observe(passed("10.10.8.42"))
			settle()
		}
		_ = l.Set(Settings{
			What: []policy.Action{policy.Refuse}, Naming: Nameless, File: FileConfig{Path: path, MaxSize: 1 << 20, Keep: time.Hour, Total: 1 << 50},
		})
		for i, test := range []struct {
			incident Incident
			watch    string
			want     []string
		}{
			{Incident{}, "[pass refuse observe except]", []string{
				"refuse 10.10.7.42 defence", "refuse 10.10.8.42 defence", "pass 10.10.7.42 press", "pass 10.10.8.42 press",
			}},
			{Incident{Agency: "press"}, "[pass refuse observe except]", []string{"pass 10.10.7.42 press", "pass 10.10.8.42 press"}},
			{Incident{Listed: true}, "[refuse observe except]", []string{"refuse 10.10.7.42 defence", "refuse 10.10.8.42 defence"}},
			{Incident{Network: netip.MustParsePrefix("10.10.7.0/24"), Agency: "defence"}, "[pass refuse observe except]", []string{
				"refuse 10.10.7.42 defence",
			}},
		} {
			one := filepath.Join(dir, fmt.Sprint("incident", i))
			test.incident.Until = time.Now().Add(time.Minute)
			l.begin(&test.incident, one, test.incident.Until)
			settle()
			if watched.String() != test.watch {
				t.Errorf("the resolver tells of %s, want %s", watched, test.watch)
			}
			observe()
			wantTold(t, test.incident.Scope(), one, test.want...)
			time.Sleep(time.Minute)
			observe() // nobody has ended it, and it is over
			wantTold(t, "after its end: "+test.incident.Scope(), one, test.want...)
		}
		l.end()
		settle()
		if watched.String() != "[refuse]" {
			t.Errorf("after the end, the resolver tells of %s", watched)
		}
		for _, one := range told(t, path) {
			if one != "refuse  defence" {
				t.Errorf("the log that is always there has %q", one)
			}
		}
		stop()
	})
}

// The address of a client is in no error and no line of the server's own log, and neither is a name.
func TestTheServersLogHasNoClientAndNoName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, j := newLog(t, Config{open: func(string) (disk, error) { return nil, errFull }})
		stop := running(t, l)
		_ = l.Set(Settings{What: []policy.Action{policy.Refuse}, File: FileConfig{Path: filepath.Join(t.TempDir(), "q"), MaxSize: 1, Keep: time.Hour, Total: 1 << 50}})
		l.begin(&Incident{ID: "i", Reason: "because", Until: time.Now().Add(time.Hour)}, filepath.Join(t.TempDir(), "i"), time.Now().Add(time.Hour))
		settle()
		l.Observe(refused("10.10.7.42"))
		settle()
		stop()
		if said := j.String(); !strings.Contains(said, errFull.Error()) || strings.Contains(said, "10.10.7") || strings.Contains(said, "tiktok") {
			t.Errorf("it was logged:\n%s", said)
		}
	})
}

func TestAKeyFileThatCanNotBeReadLeavesTheKeyBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	l, _, _ := newLog(t, Config{})
	if err := l.Set(Settings{KeyFile: path}); err == nil || l.key != nil {
		t.Errorf("without the file: %v, %q", err, l.key)
	}
	key := strings.Repeat("k", 32)
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Set(Settings{KeyFile: path}); err != nil || string(l.key) != key {
		t.Errorf("with it: %v, %q", err, l.key)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := l.Set(Settings{KeyFile: path}); err == nil || string(l.key) != key {
		t.Errorf("when it is gone: %v, %q", err, l.key)
	}
	if err := l.Set(Settings{}); err != nil || l.key != nil {
		t.Errorf("when nobody names it: %v, %q", err, l.key)
	}
}

// Another key calls clients otherwise, from the first record on; a reload that changes none does not.
func TestAnotherKeyIsUsedAtOnce(t *testing.T) {
	dir := t.TempDir()
	l, _, _ := newLog(t, Config{})
	client := netip.MustParseAddr("192.0.2.1")
	names := map[string]string{}
	for _, set := range []struct{ what, key string }{{"own", ""}, {"same", ""}, {"first", "k"}, {"second", "m"}, {"own again", ""}} {
		var s Settings
		if set.key != "" {
			s.KeyFile = filepath.Join(dir, "key")
			if err := os.WriteFile(s.KeyFile, []byte(strings.Repeat(set.key, minKeyFile)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Set(s); err != nil {
			t.Fatal(err)
		}
		l.apply()
		names[set.what] = l.namer.of(client, time.Now()).text
	}
	if names["own"] != names["same"] {
		t.Error("a reload is a new key")
	}
	delete(names, "same")
	if all := slices.Compact(slices.Sorted(maps.Values(names))); len(all) != len(names) {
		t.Errorf("names by four keys are %v", names)
	}
}

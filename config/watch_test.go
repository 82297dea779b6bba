package config_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cordon/config"
)

// noticed is how soon a change must be announced.
const noticed = time.Second

// kubernetes makes a directory as a Kubernetes volume has it: a.yaml -> ..data/a.yaml, ..data -> ..1.
func kubernetes(t *testing.T, dir string) {
	t.Helper()
	write(t, filepath.Join(mkdir(t, dir, "..1"), "a.yaml"), "before")
	symlink(t, "..1", filepath.Join(dir, "..data"))
	symlink(t, "..data/a.yaml", filepath.Join(dir, "a.yaml"))
}

// inPlace writes without making the file shorter first.
func inPlace(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// Every kind of change to what is read at <dir>/policy (a directory), and at <dir>/list.txt.
var changes = []struct {
	name   string
	before func(t *testing.T, dir string)
	change func(t *testing.T, dir string)
}{
	{
		"written in place",
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "policy", "a.yaml"), "before") },
		func(t *testing.T, dir string) {
			inPlace(t, filepath.Join(dir, "policy", "a.yaml"), "after, and longer")
		},
	},
	{
		"written in place with the same size and time",
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "policy", "a.yaml"), "before") },
		func(t *testing.T, dir string) {
			path := filepath.Join(dir, "policy", "a.yaml")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			inPlace(t, path, "behind")
			if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
	},
	{
		"renamed over",
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "policy", "a.yaml"), "before") },
		func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "policy", ".a.yaml.new"), "after")
			rename(t, filepath.Join(dir, "policy", ".a.yaml.new"), filepath.Join(dir, "policy", "a.yaml"))
		},
	},
	{
		"created",
		func(*testing.T, string) {},
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "policy", "a.yaml"), "after") },
	},
	{
		"deleted",
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "policy", "a.yaml"), "before") },
		func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "policy", "a.yaml")); err != nil {
				t.Fatal(err)
			}
		},
	},
	{
		"swapped by a Kubernetes volume",
		func(t *testing.T, dir string) { kubernetes(t, filepath.Join(dir, "policy")) },
		func(t *testing.T, dir string) {
			policy := filepath.Join(dir, "policy")
			write(t, filepath.Join(mkdir(t, policy, "..2"), "a.yaml"), "after")
			symlink(t, "..2", filepath.Join(policy, "..data_tmp"))
			rename(t, filepath.Join(policy, "..data_tmp"), filepath.Join(policy, "..data"))
			if err := os.RemoveAll(filepath.Join(policy, "..1")); err != nil {
				t.Fatal(err)
			}
		},
	},
	{
		"the directory replaced by another",
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "policy", "a.yaml"), "before") },
		func(t *testing.T, dir string) {
			write(t, filepath.Join(mkdir(t, dir, "next"), "a.yaml"), "after")
			rename(t, filepath.Join(dir, "policy"), filepath.Join(dir, "last"))
			rename(t, filepath.Join(dir, "next"), filepath.Join(dir, "policy"))
		},
	},
	{
		"the target of a link written elsewhere",
		func(t *testing.T, dir string) {
			write(t, filepath.Join(mkdir(t, dir, "elsewhere"), "real"), "before")
			symlink(t, "elsewhere/real", filepath.Join(dir, "list.txt"))
		},
		func(t *testing.T, dir string) { inPlace(t, filepath.Join(dir, "elsewhere", "real"), "after") },
	},
	{
		"a list written",
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "list.txt"), "before") },
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "list.txt"), "after") },
	},
	{
		"a list that was not there created",
		func(*testing.T, string) {},
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "list.txt"), "after") },
	},
	{
		"a large list written in place with the same size and time",
		func(t *testing.T, dir string) { write(t, filepath.Join(dir, "list.txt"), strings.Repeat("a", 5<<20)) },
		func(t *testing.T, dir string) {
			path := filepath.Join(dir, "list.txt")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			inPlace(t, path, "b")
			if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
	},
}

// watch starts a watcher of dir/policy and dir/list.txt that ends with the test.
func watch(t *testing.T, dir string, c config.WatcherConfig) *config.Watcher {
	t.Helper()
	c.Paths = func() []config.Watched {
		return []config.Watched{{Path: filepath.Join(dir, "policy")}, {Path: filepath.Join(dir, "list.txt")}}
	}
	c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	w, err := config.NewWatcher(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return w
}

func TestEveryKindOfChangeIsNoticedWithinASecond(t *testing.T) {
	for _, test := range changes {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			mkdir(t, dir, "policy")
			test.before(t, dir)
			w := watch(t, dir, config.WatcherConfig{})
			test.change(t, dir)
			select {
			case <-w.Changes():
			case <-time.After(noticed):
				t.Error("it is not noticed")
			}
		})
	}
}

// The same by polling alone, in a bubble whose clock costs nothing.
func TestEveryKindOfChangeIsNoticedByPolling(t *testing.T) {
	for _, test := range changes {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			mkdir(t, dir, "policy")
			test.before(t, dir)
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, dir, config.WatcherConfig{PollOnly: true})
				synctest.Wait()
				test.change(t, dir)
				start := time.Now()
				<-w.Changes()
				if took := time.Since(start); took > noticed {
					t.Errorf("it is noticed after %s", took)
				}
				quiet(t, w)
			})
		})
	}
}

// quiet is a failure if w announces something within a minute.
func quiet(t *testing.T, w *config.Watcher) {
	t.Helper()
	select {
	case <-w.Changes():
		t.Error("nothing changed, but a change is announced")
	case <-time.After(time.Minute):
	}
}

func TestNothingIsAnnouncedWhenContentsStayTheSame(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(mkdir(t, dir, "policy"), "a.yaml")
	write(t, path, "text")
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, dir, config.WatcherConfig{PollOnly: true})
		quiet(t, w)
		write(t, path+".new", "text")
		rename(t, path+".new", path)
		write(t, filepath.Join(dir, "policy", ".a.yaml.swp"), "an editor's")
		quiet(t, w)
	})
}

func TestABurstIsOneChangeAndTheLastStateIsSeen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(mkdir(t, dir, "policy"), "a.yaml")
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, dir, config.WatcherConfig{PollOnly: true})
		for i := range 50 {
			write(t, path, strings.Repeat("x", i+1))
			time.Sleep(time.Millisecond)
		}
		<-w.Changes()
		if text, err := os.ReadFile(path); err != nil || len(text) != 50 {
			t.Errorf("announced when the file had %d octets (%v), want the last state", len(text), err)
		}
		quiet(t, w)
	})
}

func TestAChangeBetweenTheFirstLookAndRunIsNotMissed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(mkdir(t, dir, "policy"), "a.yaml")
	write(t, path, "before")
	w, err := config.NewWatcher(config.WatcherConfig{
		Paths: func() []config.Watched { return []config.Watched{{Path: path}} }, Log: slog.New(slog.DiscardHandler), PollOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "after")
	ctx, cancel := context.WithTimeout(t.Context(), noticed)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { _ = w.Run(ctx) })
	select {
	case <-w.Changes():
	case <-ctx.Done():
		t.Error("it is missed")
	}
	cancel()
	wg.Wait()
}

func TestAWatcherNeedsPathsAndALog(t *testing.T) {
	if _, err := config.NewWatcher(config.WatcherConfig{}); err == nil {
		t.Error("there is no error")
	}
}

// Somebody else may have made the link: what it leads to may be large, never end, or be nobody's business.
func TestALinkThatLeadsOutIsNotFollowed(t *testing.T) {
	for target, noticed := range map[string]bool{"../secret.yaml": false, "real.yaml": true} {
		synctest.Test(t, func(t *testing.T) {
			top := t.TempDir()
			dir := mkdir(t, top, "policy")
			write(t, filepath.Join(top, "secret.yaml"), "a")
			write(t, filepath.Join(dir, "real.yaml"), "a")
			link := filepath.Join(dir, "link.yaml")
			symlink(t, target, link)
			w, err := config.NewWatcher(config.WatcherConfig{
				Paths: func() []config.Watched { return []config.Watched{{Path: link, Within: dir}} },
				Log:   slog.New(slog.DiscardHandler), PollOnly: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { _ = w.Run(ctx) }()
			synctest.Wait()
			inPlace(t, filepath.Join(dir, target), "b")
			select {
			case <-w.Changes():
				if !noticed {
					t.Errorf("a change of %s is noticed", target)
				}
			case <-time.After(time.Second):
				if noticed {
					t.Errorf("a change of %s is not noticed", target)
				}
			}
		})
	}
}

package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cordon/config"
)

func TestTrafficLogsSoManyLinesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log safeBuffer
		limit := newLogLimit(slog.NewTextHandler(&log, nil), 20)
		traffic := slog.New(limit.handler()).With("upstream", "192.0.2.53").WithGroup("of")
		for second := range 3 {
			for i := range 1000 {
				traffic.Info("flood", "i", i)
			}
			text := log.take()
			if n := strings.Count(text, "\n"); n != 5 {
				t.Errorf("second %d: %d lines of one text, want a quarter of 20", second, n)
			}
			if !strings.Contains(text, "msg=flood upstream=192.0.2.53 of.i=0\n") {
				t.Errorf("attributes and groups are lost: %s", text)
			}
			for i := range 100 {
				traffic.Info(fmt.Sprint("text ", i)) //nolint:sloglint // many texts are meant
			}
			if n := strings.Count(log.take(), "\n"); n != 15 {
				t.Errorf("second %d: %d lines of other texts, want the 15 that are left", second, n)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(untilDropsAreSaid)
		want := `level=WARN msg="log lines were dropped: there were more than log.max_per_second" lines=3240 such_as="text 99"` + "\n"
		if text := log.take(); strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, want) {
			t.Errorf("of what was dropped it says %s\nwant once: %s", text, want)
		}
		if got := limit.dropped.Load(); got != 3240 {
			t.Errorf("%d are counted, want 3240", got)
		}
		limit.say()
		if text := log.take(); text != "" {
			t.Errorf("it is said again: %s", text)
		}
		limit.set(1)
		traffic.Info("flood")
		traffic.Info("flood")
		if n := strings.Count(log.take(), "\n"); n != 1 {
			t.Errorf("%d lines, want the one of the new limit", n)
		}
	})
}

// A text that comes after a flood of another is not lost, and texts are not kept for longer than a second.
func TestOneTextLeavesRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log safeBuffer
		limit := newLogLimit(slog.NewTextHandler(&log, nil), 20)
		traffic := slog.New(limit.handler())
		for range 10_000 {
			traffic.Warn("a NOTIFY is not signed as it should be")
		}
		traffic.Warn("upstream server is failing")
		if text := log.take(); !strings.Contains(text, "failing") {
			t.Errorf("the one line of another kind is lost: %s", text)
		}
		for i := range 10_000 {
			traffic.Warn(fmt.Sprint("text ", i)) //nolint:sloglint // many texts are meant
		}
		if n := len(limit.lines); n > 20 {
			t.Errorf("%d texts are kept, want at most 20", n)
		}
	})
}

// What is said of the configuration is never dropped, whatever traffic there is.
func TestConfigurationIsLoggedBesideAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log safeBuffer
		s := &server{level: new(slog.LevelVar)}
		s.newLog(&log, &config.Service{Log: config.Log{Level: "info", MaxPerSecond: 4}})
		for range 50 {
			s.traffic.Error("a question was lost")
			s.log.Error("held: the last good version stays in force")
		}
		text := log.take()
		if held, lost := strings.Count(text, "held"), strings.Count(text, "lost"); held != 50 || lost != 1 {
			t.Errorf("%d lines about the configuration and %d about traffic, want 50 and 1", held, lost)
		}
	})
}

func TestAReloadChangesTheLimitOfTheLog(t *testing.T) {
	const service = "listen: {dns: ['127.0.0.1:0'], admin: off}\nupstreams: [{address: 192.0.2.53}]\nlog: {max_per_second: %d}\n"
	path := filepath.Join(t.TempDir(), "cordon.yaml")
	write := func(limit int) {
		if err := os.WriteFile(path, fmt.Appendf(nil, service, limit), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(4)
	s, err := newServer(t.Context(), path, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer s.listener.Close()
	if got := s.limit.perSecond.Load(); got != 4 {
		t.Errorf("the limit is %d, want 4", got)
	}
	write(4000)
	s.reloadService()
	if got := s.limit.perSecond.Load(); got != 4000 {
		t.Errorf("the limit is %d after the reload, want 4000", got)
	}
}

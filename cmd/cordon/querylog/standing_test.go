package querylog

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"cordon/resolver/policy"
)

func TestStanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := New(Config{Workers: 1, Watch: func(...policy.Action) {}, Words: words, Log: slog.New(slog.DiscardHandler)})
		wantStanding := func(what string, dropped uint64, incident bool, outputs ...OutputCounts) {
			t.Helper()
			settle()
			s := l.Standing()
			if s.Dropped != dropped || (s.Incident != nil) != incident || len(s.Outputs) != len(outputs) {
				t.Fatalf("%s: found %+v", what, s)
			}
			for i, want := range outputs {
				if s.Outputs[i] != want {
					t.Errorf("%s: found %+v, want %+v", what, s.Outputs[i], want)
				}
			}
		}
		running(t, l)
		wantStanding("without settings", 0, false)
		settings := Settings{What: []policy.Action{policy.Refuse}, File: FileConfig{Path: filepath.Join(dir, "log"), MaxSize: 1 << 20, Total: 1 << 21}}
		if err := l.Set(settings); err != nil {
			t.Fatal(err)
		}
		wantStanding("before the first query", 0, false, OutputCounts{Name: toFile})
		l.Observe(refused("192.0.2.1"))
		wantStanding("with one", 0, false, OutputCounts{Name: toFile, Written: 1})
		now := time.Now()
		i := &Incident{ID: "one", Network: netip.MustParsePrefix("192.0.2.1/32"), Begun: now, Until: now.Add(time.Hour)}
		l.begin(i, filepath.Join(dir, i.File()), i.Until)
		settle()
		l.Observe(refused("192.0.2.1"))
		wantStanding("in an incident", 0, true, OutputCounts{Name: toFile, Written: 2}, OutputCounts{Name: toIncident, Written: 1})
		l.end()
		l.counts[toFile].dropped.Add(3)
		wantStanding("after it", 3, false, OutputCounts{Name: toFile, Written: 2, Dropped: 3})
		if err := l.Set(Settings{File: settings.File}); err != nil {
			t.Fatal(err)
		}
		wantStanding("of nothing that is to be logged", 3, false)
	})
}

package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionSaysWhatWasBuilt(t *testing.T) {
	settings := func(pairs ...string) []debug.BuildSetting {
		var all []debug.BuildSetting
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, debug.BuildSetting{Key: pairs[i], Value: pairs[i+1]})
		}
		return all
	}
	for want, info := range map[string]debug.BuildInfo{
		"cordon v1.2.3, commit 0123abcd of 2026-11-28T09:00:00Z, go1.26.8\n": {
			GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"},
			Settings: settings("-trimpath", "true", "vcs.revision", "0123abcd", "vcs.time", "2026-11-28T09:00:00Z", "vcs.modified", "false"),
		},
		"cordon (devel), commit 0123abcd and local changes of 2026-11-28T09:00:00Z, go1.26.8\n": {
			GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"},
			Settings: settings("vcs.modified", "true", "vcs.revision", "0123abcd", "vcs.time", "2026-11-28T09:00:00Z"),
		},
		"cordon unknown, commit unknown, go1.26.8\n": {GoVersion: "go1.26.8"},
	} {
		var b strings.Builder
		if err := buildOf(&info).write(&b); err != nil || b.String() != want {
			t.Errorf("%q, %v; want %q", b.String(), err, want)
		}
	}
}

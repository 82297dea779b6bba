package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the README shows of dnsmasq and Kea stands in the files that the end-to-end test runs.
func TestReadmeShowsTestedDHCP(t *testing.T) {
	files := map[string][]string{}
	for server, names := range map[string][]string{"dnsmasq": {"dnsmasq.conf"}, "Kea": {"kea-dhcp4.conf", "kea-dhcp6.conf"}} {
		for _, name := range names {
			for line := range strings.Lines(page(t, filepath.Join("cmd/cordon/package/dhcp", name))) {
				files[server] = append(files[server], strings.TrimSpace(line))
			}
		}
	}
	_, section, _ := strings.Cut(readme(t), "## Pointing DHCP at it\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := fences(section, "")
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want one", len(blocks))
	}
	var server string
	checked := 0
	for line := range strings.Lines(blocks[0]) {
		line = strings.TrimSpace(line)
		if comment, is := strings.CutPrefix(line, "# "); is {
			server, _, _ = strings.Cut(comment, ",")
		} else if line != "" {
			checked++
			if !slices.Contains(files[server], line) {
				t.Errorf("the files for %q do not have the line %s", server, line)
			}
		}
	}
	if checked < 5 {
		t.Errorf("%d lines, want some more", checked)
	}
}

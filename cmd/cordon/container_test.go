package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cordon/config"
)

// As delivered, the container tells nothing to strangers: by itself it listens on its own loopback, and beside Prometheus it asks for the
// token that Prometheus shows.
func TestTheContainerTellsStrangersNothing(t *testing.T) {
	text := func(name string) string {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(repository, "docker", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	file := config.NewFile("cordon.yaml", []byte(text("cordon.yaml")))
	alone, faults := config.ParseService(&file, nil)
	if len(faults) > 0 || !alone.Listen.Admin.IsPrivate() {
		t.Errorf("alone it listens on %s: %v", alone.Listen.Admin, faults)
	}
	compose := text("compose.yaml")
	for _, m := range regexp.MustCompile(`(?m)^ {6}(CORDON_\w+): "?(.*?)"?$`).FindAllStringSubmatch(compose, -1) {
		t.Setenv(m[1], m[2])
	}
	beside, faults := config.ParseService(&file, nil)
	if len(faults) > 0 || beside.Listen.Admin.IsPrivate() || beside.Admin.TokenFile == "" {
		t.Errorf("beside Prometheus it listens on %s, with the token in %q: %v", beside.Listen.Admin, beside.Admin.TokenFile, faults)
	}
	if shown := "credentials_file: " + beside.Admin.TokenFile + "\n"; !strings.Contains(text("prometheus/prometheus.yml"), shown) {
		t.Errorf("prometheus/prometheus.yml does not show it: want %s", shown)
	}
	secret := filepath.Base(beside.Admin.TokenFile)
	if n := strings.Count(compose, "secrets: ["+secret+"]"); n != 2 {
		t.Errorf("%d services have the secret %s, want two", n, secret)
	}
	if context := text(".dockerignore"); !strings.Contains(context, "\n*\n") || strings.Contains(context, secret) {
		t.Error("the secret reaches the image")
	}
	if !strings.Contains(text(filepath.Join("..", ".gitignore")), "docker/"+secret+"\n") {
		t.Error("the secret reaches the repository")
	}
	if strings.Contains(compose, ":9353/tcp") || strings.Contains(text("Dockerfile"), "9353") {
		t.Error("the port is published")
	}
}

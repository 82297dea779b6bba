package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The tests of this file hold what watches Cordon, in docker/, to what there is to see: dashboards, rules, and the pages about them.

// dashboard is what of Grafana's JSON is looked at.
type dashboard struct {
	file       string
	UID        string `json:"uid"`
	Title      string `json:"title"`
	Links      []struct{ URL string }
	Templating struct {
		List []struct{ Name, Query string }
	}
	Panels []panel `json:"panels"`
}

type panel struct {
	ID          int               `json:"id"`
	Type        string            `json:"type"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Datasource  map[string]string `json:"datasource"`
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct{ RefID, Expr string }
	FieldConfig struct {
		Defaults struct {
			Unit       string
			Thresholds struct{ Steps []any }
		}
	}
}

func dashboards(t *testing.T) []dashboard {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, "docker/grafana/dashboards/*.json"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%d dashboards, want 3: %v", len(files), err)
	}
	var all []dashboard
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := dashboard{file: filepath.Base(file)}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, d)
	}
	return all
}

func TestDashboardsAreWhole(t *testing.T) {
	all := dashboards(t)
	for _, d := range all {
		if d.UID+".json" != d.file || d.Title == "" {
			t.Errorf("%s has the uid %q and the title %q", d.file, d.UID, d.Title)
		}
		if len(d.Links) != len(all)-1 {
			t.Errorf("%s: %d links, want one to each of the others", d.file, len(d.Links))
		}
		for _, link := range d.Links {
			if !slices.ContainsFunc(all, func(other dashboard) bool { return other.file != d.file && link.URL == "/d/"+other.UID }) {
				t.Errorf("%s: the link %s leads nowhere", d.file, link.URL)
			}
		}
		for i := range d.Panels {
			d.checkPanel(t, i)
		}
	}
}

// checkPanel looks at a panel by itself, and beside those before it.
func (d *dashboard) checkPanel(t *testing.T, i int) {
	p := &d.Panels[i]
	for j := range i {
		other := &d.Panels[j]
		if p.ID == other.ID || p.overlaps(other) {
			t.Errorf("%s: panel %d %q has the number of %q, or lies on it", d.file, p.ID, p.Title, other.Title)
		}
	}
	if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W < 1 || p.GridPos.H < 1 || p.Title == "" {
		t.Errorf("%s: panel %d %q is outside of the grid, or has no title", d.file, p.ID, p.Title)
	}
	if p.Type == "row" {
		return
	}
	if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.FieldConfig.Defaults.Thresholds.Steps) == 0 || len(p.Targets) == 0 {
		t.Errorf("%s: panel %q lacks a description, a unit, thresholds or a query", d.file, p.Title)
	}
	if p.Datasource["uid"] != "${datasource}" {
		t.Errorf("%s: panel %q has the data source %q, want that of the variable", d.file, p.Title, p.Datasource["uid"])
	}
	var refs []string
	for _, target := range p.Targets {
		if slices.Contains(refs, target.RefID) {
			t.Errorf("%s: panel %q has the query %s twice", d.file, p.Title, target.RefID)
		}
		refs = append(refs, target.RefID)
		d.checkVariables(t, target.Expr)
	}
}

func (p *panel) overlaps(other *panel) bool {
	a, b := p.GridPos, other.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// checkVariables holds that every variable is Grafana's or the dashboard's.
func (d *dashboard) checkVariables(t *testing.T, expr string) {
	for _, m := range regexp.MustCompile(`\$(\w+)`).FindAllStringSubmatch(expr, -1) {
		known := strings.HasPrefix(m[1], "__")
		for _, v := range d.Templating.List {
			known = known || v.Name == m[1]
		}
		if !known {
			t.Errorf("%s: there is no variable %s, in %s", d.file, m[1], expr)
		}
	}
}

// What dashboards, rules and their tests ask for is there.
func TestWhatIsWatchedIsThere(t *testing.T) {
	known := registeredMetrics(t)
	var files []string
	for _, pattern := range []string{"grafana/dashboards/*", "prometheus/*", "prometheus/*/*.yml"} {
		matches, err := filepath.Glob(filepath.Join(repository, "docker", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, matches...)
	}
	named := regexp.MustCompile(`[a-z_:]*cordon_[a-z_]+[a-z]`)
	seen := 0
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			continue
		}
		for _, name := range named.FindAllString(page(t, strings.TrimPrefix(filepath.ToSlash(file), repository+"/")), -1) {
			if strings.Contains(name, ":") { // of a recording rule
				continue
			}
			seen++
			base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			if !slices.Contains(known, name) && !slices.Contains(known, base) {
				t.Errorf("%s asks for %s, which is no metric", file, name)
			}
		}
	}
	if seen < 200 {
		t.Errorf("only %d metrics are named: are these the files?", seen)
	}
}

type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Alert       string
			Record      string
			Labels      map[string]string
			Annotations map[string]string
		}
	}
}

// alertRules are the alerts by their names, with their annotations and labels in one.
func alertRules(t *testing.T) map[string]map[string]string {
	t.Helper()
	var rules ruleFile
	if err := yaml.Unmarshal([]byte(page(t, "docker/prometheus/rules/alerts.yml")), &rules); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			said := map[string]string{"severity": rule.Labels["severity"]}
			maps.Copy(said, rule.Annotations)
			all[rule.Alert] = said
		}
	}
	return all
}

// Every alert says what it is about, and leads to its paragraph of the runbook; every such paragraph has its alert.
func TestEveryAlertIsInTheRunbook(t *testing.T) {
	alerts, text := alertRules(t), page(t, runbook)
	if len(alerts) < 20 {
		t.Fatalf("%d alerts, want some more", len(alerts))
	}
	if count := fmt.Sprintf("%d alerts", len(alerts)); !strings.Contains(page(t, watchPage), count) {
		t.Errorf("%s does not say that there are %s", watchPage, count)
	}
	paragraph := regexp.MustCompile(`(?m)^### (Cordon\w+)\n\n(.+)$`)
	described := map[string]bool{}
	for _, m := range paragraph.FindAllStringSubmatch(text, -1) {
		described[m[1]] = true
		if alerts[m[1]] == nil {
			t.Errorf("%s: there is no alert %s", runbook, m[1])
		}
	}
	for name, said := range alerts {
		if !described[name] {
			t.Errorf("%s says nothing of %s", runbook, name)
		}
		if want := runbook + "#" + strings.ToLower(name); said["runbook"] != want {
			t.Errorf("%s leads to %q, want %q", name, said["runbook"], want)
		}
		if said["summary"] == "" || said["description"] == "" || said["severity"] != "critical" && said["severity"] != "warning" {
			t.Errorf("%s says too little: %v", name, said)
		}
	}
}

// Every alert has a unit test in which it fires, and a moment in one at which it does not.
func TestEveryAlertIsTested(t *testing.T) {
	type alertTest struct {
		Alertname string
		ExpAlerts []any `yaml:"exp_alerts"`
	}
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, path := range []string{"docker/prometheus/tests/alerts.yml", "docker/prometheus/tests/dates.yml"} {
		var file struct {
			Tests []struct {
				Alerts []alertTest `yaml:"alert_rule_test"`
			}
		}
		if err := yaml.Unmarshal([]byte(page(t, path)), &file); err != nil {
			t.Fatal(err)
		}
		for _, test := range file.Tests {
			for _, a := range test.Alerts {
				if len(a.ExpAlerts) > 0 {
					fires[a.Alertname] = true
				} else {
					quiet[a.Alertname] = true
				}
			}
		}
	}
	for name := range alertRules(t) {
		if !fires[name] || !quiet[name] {
			t.Errorf("%s: a test in which it fires: %t; one in which it does not: %t", name, fires[name], quiet[name])
		}
	}
}

package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cordon/config"
)

const securityPage = "cmd/cordon/README.md"

// Every row of the page about security has tests, and each of them is there.
func TestSecurityPageNamesTests(t *testing.T) {
	text := page(t, securityPage)
	known := knownTests(t)
	if len(known) < 500 {
		t.Fatalf("%d tests found, want all of the repository", len(known))
	}
	rows := faultRows(text)
	for i, row := range rows {
		if row[0] != strconv.Itoa(i+1) {
			t.Errorf("row %d has the number %q", i+1, row[0])
		}
		if len(quoted(row[3])) == 0 {
			t.Errorf("row %d has no test", i+1)
		}
		for _, name := range missing(row[3], known) {
			t.Errorf("row %d: there is no test %s", i+1, name)
		}
	}
	if len(rows) != 33 {
		t.Errorf("%d rows, want 33", len(rows))
	}
	for _, name := range quoted(text) {
		if regexp.MustCompile("^(Test|Fuzz)[A-Za-z0-9]+$").MatchString(name) && !known[name] {
			t.Errorf("there is no test %s", name)
		}
	}
}

// faultRows are the cells of the rows that have a number.
func faultRows(text string) (rows [][]string) {
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if _, err := strconv.Atoi(cells[0]); err == nil && len(cells) == 4 {
			rows = append(rows, cells)
		}
	}
	return rows
}

func quoted(text string) (words []string) {
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		words = append(words, m[1])
	}
	return words
}

// missing are the tests that text names and that are not known.
func missing(text string, known map[string]bool) []string {
	return slices.DeleteFunc(quoted(text), func(name string) bool { return known[name] })
}

// knownTests are the names of the tests, the fuzz targets and the scenarios of the repository.
func knownTests(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	err := filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case filepath.Ext(path) == ".txtar" && filepath.Base(filepath.Dir(path)) == "scenarios":
			known[strings.TrimSuffix(d.Name(), ".txtar")] = true
		case strings.HasSuffix(path, "_test.go"):
			return addTests(known, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func addTests(known map[string]bool, path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Fuzz")) {
			known[f.Name.Name] = true
		}
	}
	return nil
}

func TestMissingTestsAreFound(t *testing.T) {
	known := knownTests(t)
	for _, name := range []string{"TestMissingTestsAreFound", "FuzzStream", "any-is-answered-here"} {
		if !known[name] {
			t.Errorf("%s is not known", name)
		}
	}
	got := missing("`TestMissingTestsAreFound`, `TestNothing`, `any-is-answered-there`", known)
	if want := []string{"TestNothing", "any-is-answered-there"}; !slices.Equal(got, want) {
		t.Errorf("missing are %q, want %q", got, want)
	}
}

// The table of limits has every one of them, with the default of the program.
func TestSecurityPageNamesLimits(t *testing.T) {
	named := map[string]string{}
	_, text, _ := strings.Cut(page(t, securityPage), "\n## Limits\n")
	text, _, _ = strings.Cut(text, "\n## ")
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 {
			continue
		}
		settings, defaults := quoted(cells[2]), strings.Split(cells[3], ", ")
		if len(settings) == 1 {
			defaults = []string{strings.ReplaceAll(cells[3], ",", "")}
		}
		for i, setting := range settings {
			named[setting] = strings.TrimSpace(defaults[min(i, len(defaults)-1)])
		}
	}
	for field := range reflect.TypeFor[config.Limits]().Fields() {
		key := "limits: " + field.Tag.Get("yaml")
		said, ok := named[key]
		delete(named, key)
		switch {
		case field.Tag.Get("yaml") == "":
		case !ok:
			t.Errorf("the table of limits does not have %s", key)
		case field.Name != "QueriesUnlimited" && strings.ReplaceAll(said, " ", "") != field.Tag.Get("default"):
			t.Errorf("the default of %s is %s, the page says %s", key, field.Tag.Get("default"), said)
		}
	}
	for setting := range named {
		section, key, _ := strings.Cut(setting, ": ")
		object, ok := map[string]any{"cache": config.Cache{}, "log": config.Log{}}[section]
		if !ok || !slices.Contains(slices.Collect(config.Keys(object)), key) {
			t.Errorf("there is no setting %s", setting)
		}
	}
}

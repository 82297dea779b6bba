package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// mayImport says which packages of this module each package may import: imports point down, cmd → resolver → policy → blocklists →
// domain, and the leaves import nothing. A new package is a new line. Tests are not bound by it, but for package config.
var mayImport = map[string][]string{
	"blocklists/domain":      {},
	"blocklists/format":      {"blocklists/domain"},
	"blocklists/builtin":     {"blocklists/domain", "blocklists/format"},
	"blocklists/builtin/gen": {"blocklists/domain"},
	"blocklists/gen":         {"blocklists/domain"},
	"blocklists/signature":   {},
	"blocklists/mirror":      {},
	"blocklists/fetch":       {"blocklists/mirror"},
	"blocklists/transfer":    {"blocklists/domain", "blocklists/mirror"},
	"blocklists":             {"blocklists/builtin", "blocklists/domain", "blocklists/format", "blocklists/signature"},
	"resolver/wire":          {},
	"resolver/agency":        {},
	"resolver/policy":        {"blocklists", "blocklists/domain", "resolver/agency", "resolver/wire"},
	"resolver/answer":        {"blocklists/domain", "resolver/policy", "resolver/wire"},
	"resolver/cache":         {"resolver/wire"},
	"resolver/syscalls":      {},
	"resolver/limit":         {},
	"resolver/histogram":     {},
	"resolver/upstream":      {"resolver/syscalls", "resolver/wire"},
	"resolver/names":         {"blocklists/domain", "resolver/answer", "resolver/wire"},
	"resolver/listen":        {"resolver/histogram", "resolver/limit", "resolver/syscalls", "resolver/wire"},
	"resolver": {
		"blocklists/domain", "resolver/agency", "resolver/answer", "resolver/cache", "resolver/limit", "resolver/names", "resolver/policy",
		"resolver/upstream", "resolver/wire",
	},
	"config":              {"blocklists/domain", "blocklists/format"},
	"cmd/cordon/admin":    {"cmd/cordon/files"},
	"cmd/cordon/systemd":  {},
	"cmd/cordon/audit":    {},
	"cmd/cordon/endtoend": {},
	"cmd/cordon/effect":   {"cmd/cordon/wording", "blocklists", "blocklists/builtin", "blocklists/domain", "resolver/policy"},
	"cmd/cordon/explain": {
		"cmd/cordon/status", "cmd/cordon/wording", "blocklists/builtin", "blocklists/domain", "config", "resolver/policy",
	},
	"cmd/cordon/export":   {"cmd/cordon/wording", "blocklists", "blocklists/domain", "resolver/policy"},
	"cmd/cordon/files":    {},
	"cmd/cordon/wording":  {},
	"cmd/cordon/report":   {"cmd/cordon/audit", "config", "resolver/policy"},
	"cmd/cordon/selftest": {"cmd/cordon/wording", "blocklists", "blocklists/domain", "resolver/agency", "resolver/policy", "resolver/wire"},
	"cmd/dnsload":         {"resolver/syscalls", "resolver/wire"},
	"config/gen":          {},
	"cmd/cordon/status":   {"cmd/cordon/wording"},
	"cmd/cordon/hosts":    {"config", "resolver/names"},
	"cmd/cordon/manual":   {"config"},
	"cmd/cordon/querylog": {"cmd/cordon/files", "blocklists/domain", "resolver", "resolver/limit", "resolver/policy", "resolver/wire"},
	"cmd/cordon": {
		"cmd/cordon/admin", "cmd/cordon/audit", "cmd/cordon/effect", "cmd/cordon/explain", "cmd/cordon/export", "cmd/cordon/files", "cmd/cordon/hosts",
		"cmd/cordon/manual", "cmd/cordon/querylog", "cmd/cordon/report", "cmd/cordon/selftest", "cmd/cordon/status",
		"cmd/cordon/systemd", "cmd/cordon/wording",
		"blocklists", "blocklists/builtin", "blocklists/domain", "blocklists/fetch", "blocklists/format", "blocklists/mirror",
		"blocklists/signature", "blocklists/transfer",
		"config", "resolver", "resolver/answer", "resolver/cache", "resolver/limit", "resolver/listen", "resolver/names",
		"resolver/policy", "resolver/syscalls", "resolver/upstream", "resolver/wire",
	},
}

// onlyIn says where a module (or a package with all below it) may be imported; what is not here may be imported everywhere.
var onlyIn = []struct {
	module string
	why    string
	ok     func(f sourceFile) bool
}{
	{"cordon/config", "config is imported by cmd alone", func(f sourceFile) bool {
		return f.within("cmd") || f.test && f.dir == "config"
	}},
	{"cordon/.ci", "the gate is no part of the program", func(sourceFile) bool { return false }},
	{"github.com/miekg/dns", "queries and answers are octets; this is for zones, records, names of types, and the oracle of tests", func(f sourceFile) bool {
		return f.dir == "blocklists/transfer" || f.dir == "resolver/names" || f.test && (f.within("resolver") || f.within("cmd")) ||
			slices.Contains([]string{"cmd/cordon/explain.go", "cmd/cordon/querylog.go"}, f.path)
	}},
	{"github.com/spf13/viper", "files, environment and flags are merged in config", func(f sourceFile) bool { return f.within("config") }},
	{"go.yaml.in/yaml", "files are decoded in config", func(f sourceFile) bool { return f.within("config") || f.test }},
	{"github.com/spf13/cobra", "commands are in cmd", func(f sourceFile) bool { return f.within("cmd") }},
	{"github.com/prometheus/client_golang", "metrics are in metrics.go", func(f sourceFile) bool {
		return f.test || f.name() == "metrics.go" ||
			slices.Contains([]string{"cmd/cordon/admin.go", "cmd/cordon/serve.go", "cmd/cordon/upstreams.go"}, f.path)
	}},
	{"github.com/prometheus/client_golang/prometheus/promauto", "there is no global registry", func(sourceFile) bool { return false }},
	{"testing", "this is for tests", testOnly},
	{"net/http/httptest", "this is for tests", testOnly},
	{"golang.org/x/tools", "this is for tests", testOnly},
	{"github.com/santhosh-tekuri/jsonschema", "this is for tests", testOnly},
	{"github.com/rogpeppe/go-internal", "this is for tests, but for the diff of an edit", func(f sourceFile) bool {
		return f.test || f.path == "cmd/cordon/exceptionedit.go"
	}},
	{"log", "log by the logger that was given: log/slog", func(f sourceFile) bool { return f.test || f.dir == "blocklists/builtin/gen" }},
}

func testOnly(f sourceFile) bool { return f.test }

// sourceFile is a Go file by its path from the top of the repository.
type sourceFile struct {
	path, dir string
	test      bool
}

func newSourceFile(p string) sourceFile {
	return sourceFile{path: p, dir: path.Dir(p), test: strings.HasSuffix(p, "_test.go")}
}

func (f sourceFile) name() string { return path.Base(f.path) }

// within says whether f is in dir or below it.
func (f sourceFile) within(dir string) bool { return isOrBelow(f.dir, dir) }

func isOrBelow(p, ancestor string) bool { return p == ancestor || strings.HasPrefix(p, ancestor+"/") }

func TestImportsPointDown(t *testing.T) {
	wrong, err := violations(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

// violations are the imports in tree that break a rule, and the packages without a comment.
func violations(tree fs.FS) ([]string, error) {
	var wrong []string
	documented := map[string]bool{}
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(p) != ".go":
			return nil
		}
		text, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), p, text, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		f := newSourceFile(p)
		if !f.test {
			documented[f.dir] = documented[f.dir] || len(strings.Fields(parsed.Doc.Text())) > 5
		}
		wrong = append(wrong, f.wrongImports(parsed)...)
		return nil
	})
	for dir, yes := range documented {
		if !yes {
			wrong = append(wrong, dir+" has no package comment")
		}
		if _, known := mayImport[dir]; !known {
			wrong = append(wrong, dir+" is not in the table of imports_test.go")
		}
	}
	slices.Sort(wrong)
	return wrong, err
}

func (f sourceFile) wrongImports(parsed *ast.File) (wrong []string) {
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return append(wrong, fmt.Sprintf("%s: %v", f.path, err))
		}
		inside, ours := strings.CutPrefix(imported, "cordon/")
		if ours && !f.test && !slices.Contains(mayImport[f.dir], inside) {
			wrong = append(wrong, fmt.Sprintf("%s imports %s: %s may import %q of this module", f.path, imported, f.dir, mayImport[f.dir]))
		}
		for _, rule := range onlyIn {
			if isOrBelow(imported, rule.module) && !rule.ok(f) && !(rule.module == "log" && imported != "log") {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", f.path, imported, rule.why))
			}
		}
	}
	return wrong
}

func TestViolationsAreFound(t *testing.T) {
	const doc = "// Package p has a comment of more than a few words.\n"
	for name, test := range map[string]struct {
		file, text string
		want       string // "": there is none
	}{
		"as it should be":           {"resolver/policy/a.go", doc + `package policy; import "cordon/blocklists"`, ""},
		"a leaf":                    {"resolver/wire/a.go", doc + `package wire; import "cordon/blocklists/domain"`, "resolver/wire/a.go imports cordon/blocklists/domain"},
		"upwards":                   {"blocklists/a.go", doc + `package blocklists; import "cordon/resolver/policy"`, "blocklists/a.go imports"},
		"config below cmd":          {"resolver/a.go", doc + `package resolver; import "cordon/config"`, "config is imported by cmd alone"},
		"config in another's test":  {"resolver/a_test.go", `package resolver; import "cordon/config"`, "config is imported by cmd alone"},
		"config in its own test":    {"config/a_test.go", `package config_test; import "cordon/config"`, ""},
		"any import in a test":      {"blocklists/a_test.go", `package blocklists; import "cordon/resolver"`, ""},
		"dns in the resolver":       {"resolver/a.go", doc + `package resolver; import "github.com/miekg/dns"`, "imports github.com/miekg/dns"},
		"dns in a resolver's test":  {"resolver/wire/a_test.go", `package wire; import "github.com/miekg/dns"`, ""},
		"viper in cmd":              {"cmd/cordon/a.go", doc + `package main; import "github.com/spf13/viper"`, "merged in config"},
		"metrics elsewhere":         {"resolver/cache/cache.go", doc + `package cache; import "github.com/prometheus/client_golang/prometheus"`, "in metrics.go"},
		"metrics in metrics.go":     {"resolver/cache/metrics.go", doc + `package cache; import "github.com/prometheus/client_golang/prometheus"`, ""},
		"a global registry":         {"resolver/cache/metrics.go", doc + `package cache; import "github.com/prometheus/client_golang/prometheus/promauto"`, "no global"},
		"a test's import":           {"config/a.go", doc + `package config; import "testing/fstest"`, "for tests"},
		"the gate":                  {"config/a.go", doc + `package config; import "cordon/.ci/tools"`, "the gate"},
		"the old logger":            {"config/a.go", doc + `package config; import "log"`, "log/slog"},
		"the new logger":            {"config/a.go", doc + `package config; import "log/slog"`, ""},
		"no comment":                {"config/a.go", `package config`, "config has no package comment"},
		"a comment without content": {"config/a.go", "// Package config.\npackage config", "config has no package comment"},
		"a package without a line":  {"util/a.go", doc + `package util`, "util is not in the table"},
		"what is hidden":            {".ci/a.go", `package ci; import "cordon/config"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			wrong, err := violations(fstest.MapFS{test.file: {Data: []byte(test.text)}})
			if err != nil {
				t.Fatal(err)
			}
			found := strings.Join(wrong, "\n")
			if (found == "") != (test.want == "") || !strings.Contains(found, test.want) {
				t.Errorf("found %q, want %q", found, test.want)
			}
		})
	}
}

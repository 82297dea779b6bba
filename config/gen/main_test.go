package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"testing"
)

const source = `package config

// Audit is the log. See [Reader].
//
// Its files start in StateDir.
type Audit struct {
	Place
	// Keep is how long it is kept,
	// in Dir. Zero: for ever, see [Forever].
	//
	//	1d   a day
	//	7d   a week
	//
	// No more.
	Keep time.Duration ` + "`yaml:\"keep\"`" + `
	// Dir has it, MaxFile bounds one. Default: Keep.
	Dir     string ` + "`yaml:\"dir\"`" + `
	MaxFile Size   ` + "`yaml:\"max_file\"`" + `
	Within  string
	Extra   []Extra ` + "`yaml:\"extra\"`" + `
}

// Extra is more.
type Extra struct {
	Place
	// StateDir is [Audit]'s. Empty: none.
	StateDir string ` + "`yaml:\"state_dir\"`" + `
}
`

func objectsOf(t *testing.T, text string) (objects []object) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "audit.go", text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range file.Decls {
		if group, ok := one.(*ast.GenDecl); ok {
			objects = append(objects, objectsIn(group)...)
		}
	}
	return objects
}

func TestCommentsBecomeTextsThatSpeakOfKeys(t *testing.T) {
	texts, err := describe(objectsOf(t, source))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{
		"Audit": {
			"":         "Audit is the log.\n\nIts files start in state_dir.",
			"keep":     "keep is how long it is kept, in dir. Left out: for ever.\n\n\t1d   a day\n\t7d   a week\n\nNo more.",
			"dir":      "dir has it, max_file bounds one. Default: keep.",
			"max_file": "dir has it, max_file bounds one. Default: keep.",
			"extra":    "extra is more.",
		},
		"Extra": {"": "Extra is more.", "state_dir": "state_dir is Audit's. Left out: none."},
	}
	for name, keys := range want {
		if !maps.Equal(texts[name], keys) {
			t.Errorf("%s:\nhave %q\nwant %q", name, texts[name], keys)
		}
	}
	if len(texts) != len(want) {
		t.Errorf("have %d types, want %d", len(texts), len(want))
	}
}

func TestAKeyWithoutACommentIsAFault(t *testing.T) {
	_, err := describe(objectsOf(t, "package config\n\ntype Bare struct {\n\tKey string `yaml:\"key\"`\n}\n"))
	if err == nil {
		t.Error("there is none")
	}
}

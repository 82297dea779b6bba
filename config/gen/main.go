// Gen writes descriptions.json, which has what the comments of package config say of each key of the files. It is run by go generate in
// that package:
//
//	type Limits struct {
//		Place
//		// TCPIdle is how long a TCP connection may be silent.        ─▶  {"Limits": {"": "…", "tcp_idle": "tcp_idle is how long …"}}
//		TCPIdle time.Duration `yaml:"tcp_idle"`
//
// People who read it know keys, not fields: a comment has the names of fields, and its text those of keys.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

const output = "descriptions.json" // seen from package config, where go generate runs

func main() {
	if err := run(); err != nil {
		slog.Error("generate the descriptions of keys", "err", err)
		os.Exit(1)
	}
}

func run() error {
	objects, err := read(".")
	if err != nil {
		return err
	}
	texts, err := describe(objects)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(texts); err != nil {
		return err
	}
	return os.WriteFile(output, out.Bytes(), 0o644) //nolint:gosec // a source file, as readable as the others
}

// object is a struct type whose fields have keys.
type object struct {
	name, doc string
	fields    []field
}

// field is a field with a key. Its doc is that of the field above it if that speaks of both.
type field struct {
	name, key, doc, kind string
}

// read finds the objects in the Go files of a directory.
func read(dir string) ([]object, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var objects []object
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, one := range file.Decls {
			if group, ok := one.(*ast.GenDecl); ok && group.Tok == token.TYPE {
				objects = append(objects, objectsIn(group)...)
			}
		}
	}
	if len(objects) == 0 {
		return nil, errors.New("there is no type whose fields have keys")
	}
	return objects, nil
}

func objectsIn(group *ast.GenDecl) (objects []object) {
	for _, spec := range group.Specs {
		declared, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		if of, ok := declared.Type.(*ast.StructType); ok {
			if fields := fieldsOf(of); len(fields) > 0 {
				objects = append(objects, object{name: declared.Name.Name, doc: group.Doc.Text(), fields: fields})
			}
		}
	}
	return objects
}

func fieldsOf(of *ast.StructType) (fields []field) {
	above := ""
	for _, one := range of.Fields.List {
		key := keyOf(one)
		if key == "" || len(one.Names) != 1 {
			continue
		}
		f := field{name: one.Names[0].Name, key: key, doc: one.Doc.Text(), kind: kindOf(one.Type)}
		if f.doc == "" && regexp.MustCompile(`\b`+f.name+`\b`).MatchString(above) {
			f.doc = above
		}
		above = f.doc
		fields = append(fields, f)
	}
	return fields
}

// keyOf is the key in the tag of a field, "" for none.
func keyOf(one *ast.Field) string {
	if one.Tag == nil {
		return ""
	}
	tag, err := strconv.Unquote(one.Tag.Value)
	if err != nil {
		return ""
	}
	return reflect.StructTag(tag).Get("yaml")
}

// kindOf is the name of the type, or of the elements of a list of such, "" for one of another package.
func kindOf(t ast.Expr) string {
	if list, ok := t.(*ast.ArrayType); ok {
		t = list.Elt
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// describe is the text for every object, under the key "", and for each of its keys.
func describe(objects []object) (map[string]map[string]string, error) {
	docs, keys := map[string]string{}, map[string]string{}
	for _, o := range objects {
		docs[o.name] = o.doc
		for name, key := range o.keys() {
			if severalWords.MatchString(name) { // nothing else is called that
				keys[name] = key
			}
		}
	}
	texts := map[string]map[string]string{}
	for _, o := range objects {
		texts[o.name] = map[string]string{"": plain(o.doc, nil, keys)}
		own := o.keys()
		for _, f := range o.fields {
			switch {
			case f.doc != "":
				texts[o.name][f.key] = plain(f.doc, own, keys)
			case docs[f.kind] != "":
				texts[o.name][f.key] = plain(docs[f.kind], map[string]string{f.kind: f.key}, keys) // the key is what people know it by
			default:
				return nil, fmt.Errorf("the field %s of %s has no comment, which is what people are told of %s", f.name, o.name, f.key)
			}
		}
	}
	return texts, nil
}

// keys are those of an object by the names of their fields.
func (o *object) keys() map[string]string {
	keys := map[string]string{}
	for _, f := range o.fields {
		keys[f.name] = f.key
	}
	return keys
}

var (
	severalWords = regexp.MustCompile(`[a-z][A-Z]|[A-Z]{2}[a-z]`)

	word     = regexp.MustCompile(`\[?\b[A-Z][A-Za-z0-9]*\b\]?`)
	seeAlso  = regexp.MustCompile(`[,;]\s+see\s+\[\w+\]|\s+See\s+\[\w+\]\.`)
	zeroWord = regexp.MustCompile(`\b(Zero|Empty)(: |, the default: )`)
	lineEnd  = regexp.MustCompile(`([^\n])\n([^\n\t])`)
)

// plain is a comment for who knows keys alone, without what it says to see in the source. own are the keys of the object in hand by the
// names of their fields, others those of all objects. The lines of a paragraph become one; what is indented stays.
func plain(doc string, own, others map[string]string) string {
	text := zeroWord.ReplaceAllString(seeAlso.ReplaceAllString(strings.TrimSpace(doc), ""), "Left out$2")
	text = word.ReplaceAllStringFunc(text, func(name string) string {
		bare := strings.Trim(name, "[]")
		if key, ok := own[bare]; ok {
			return key
		}
		if key, ok := others[bare]; ok {
			return key
		}
		return bare
	})
	return lineEnd.ReplaceAllString(text, "$1 $2")
}

package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"cordon/config"
)

// compiled is the schema of a kind of file, after it was held against that of draft 7.
func compiled(t *testing.T, kind config.FileKind) *jsonschema.Schema {
	t.Helper()
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema(kind)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("cordon.schema.json", text); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("cordon.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is text as an editor sees it, which knows YAML 1.2: a date is text there. Its error is that it is no YAML.
func asJSON(text []byte) (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	return nodeAsJSON(&doc)
}

func nodeAsJSON(n *yaml.Node) (value any, err error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return nodeAsJSON(n.Content[0])
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, one := range n.Content {
			if list[i], err = nodeAsJSON(one); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if object[key], err = nodeAsJSON(n.Content[i+1]); err != nil {
				return nil, err
			}
		}
		return object, nil
	case yaml.ScalarNode:
		if n.ShortTag() == "!!timestamp" {
			return n.Value, nil
		}
		var one any
		if err := n.Decode(&one); err != nil {
			return nil, err
		}
		return one, nil
	case yaml.AliasNode:
	}
	return nil, fmt.Errorf("found %q", n.Value)
}

// good are files that have no fault by themselves, by their paths and kinds: all that the repository has.
func good(t *testing.T) map[config.FileKind]map[string][]byte {
	t.Helper()
	found := map[config.FileKind]map[string][]byte{config.ServiceFile: {}, config.PolicyFile: {}}
	add := func(path string, text []byte) {
		file := config.NewFile(path, text)
		if strings.HasPrefix(filepath.Base(path), "service-") || filepath.Base(path) == "cordon.yaml" {
			if _, faults := config.ParseService(&file, nil); !faults.Bad() {
				found[config.ServiceFile][path] = text
			}
			return
		}
		if _, faults := config.ParsePolicy([]config.File{file}); !faults.Bad() {
			found[config.PolicyFile][path] = text
		}
	}
	for _, dir := range []string{".", "../docker", "../cmd/cordon/testdata"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			switch filepath.Ext(path) {
			case ".yaml":
				if filepath.Base(path) != "compose.yaml" {
					add(path, text)
				}
			case ".txtar":
				for _, f := range txtar.Parse(text).Files {
					if filepath.Ext(f.Name) == ".yaml" {
						add(path+"/"+f.Name, f.Data)
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func TestTheSchemaTakesWhatTheDecoderTakes(t *testing.T) {
	both := compiled(t, "")
	for kind, files := range good(t) {
		one, other := compiled(t, kind), compiled(t, map[config.FileKind]config.FileKind{
			config.ServiceFile: config.PolicyFile, config.PolicyFile: config.ServiceFile,
		}[kind])
		if least := map[config.FileKind]int{config.ServiceFile: 20, config.PolicyFile: 150}[kind]; len(files) < least {
			t.Errorf("there are %d good files of the kind %s, want %d", len(files), kind, least)
		}
		for path, text := range files {
			value, err := asJSON(text)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if err := one.Validate(value); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if err := both.Validate(value); err != nil {
				t.Errorf("%s, by the schema of both: %v", path, err)
			}
			if object, ok := value.(map[string]any); ok && len(object) > 1 && other.Validate(value) == nil {
				t.Errorf("%s is a file of the other kind, too", path)
			}
		}
	}
}

// beyond are the invalid files that the schema takes, by what it would have to know.
func beyond() map[string]string {
	names := map[string]string{}
	for why, files := range map[string]string{
		"what else is in the file": `policy-blanket-exception-forbidden policy-circle-of-parents policy-clients-of-another-agency
			policy-default-agency-with-networks policy-duplicate-names policy-forwarders-of-others policy-same-network-twice
			policy-too-many-parents policy-unknown-names policy-without-policies policy-without-lists policy-exception-revoked-by-nobody
			service-admin-certificate-without-key service-admin-key-without-certificate service-admin-for-strangers
			service-forward-zone-twice service-forward-networks-twice service-forward-too-many-zones service-upstream-is-this-server service-empty-upstreams
			service-query-log-without-room`,
		"the calendar": `policy-dates-on-a-change-of-the-clocks policy-ends-before-it-begins policy-exception-ends-before-it-begins
			policy-exception-longer-than-a-year policy-exception-too-long policy-local-time-that-does-not-exist
			policy-local-time-that-is-there-twice policy-timezone-of-the-machine policy-unknown-timezone policy-year-out-of-range`,
		"what a text means":       "policy-host-bits service-host-bits policy-links-contacts-and-languages policy-own-zones policy-max-exception",
		"how the text is written": "service-duplicate-key service-several-documents service-tagged-value",
	} {
		for name := range strings.FieldsSeq(files) {
			names[name] = why
		}
	}
	return names
}

func TestTheSchemaRefusesWhatTheDecoderRefuses(t *testing.T) {
	paths, err := filepath.Glob("testdata/invalid/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files: %v", err)
	}
	left := beyond()
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		value, err := asJSON(text)
		if err != nil {
			continue // no YAML
		}
		kind := config.PolicyFile
		if strings.HasPrefix(name, "service-") || name == "only-comments" {
			kind = config.ServiceFile
		}
		passes := compiled(t, kind).Validate(value) == nil
		if _, expected := left[name]; expected != passes {
			t.Errorf("%s passes: %t", name, passes)
		}
		delete(left, name)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		t.Errorf("there is no file %s, beyond a schema for %s", name, left[name])
	}
}

func TestTheSchemaTellsEditorsWhatAKeyIs(t *testing.T) {
	var s struct {
		Properties map[string]struct {
			Description string
			Default     any
			Properties  map[string]struct {
				Description, Pattern string
				Default              any
			}
		}
	}
	if err := json.Unmarshal(config.Schema(config.ServiceFile), &s); err != nil {
		t.Fatal(err)
	}
	idle := s.Properties["limits"].Properties["tcp_idle"]
	if !strings.HasPrefix(idle.Description, "tcp_idle is how long") || idle.Default != "10s" || idle.Pattern == "" {
		t.Errorf("tcp_idle: %+v", idle)
	}
	if got := s.Properties["canaries"].Properties["firefox"].Default; got != true {
		t.Errorf("firefox is %v by default", got)
	}
	if got := s.Properties["limits"].Properties["tcp_connections"].Default; got != 1024.0 {
		t.Errorf("tcp_connections is %v by default", got)
	}
}

package config

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

//go:embed default
var defaults embed.FS

// Default is what `cordon init` writes out: cordon.yaml and the directory policy. The service without a file ([ParseService]
// with nil) is that of this cordon.yaml, but for its policy_dir: it has [DefaultPolicy].
func Default() fs.FS {
	sub, err := fs.Sub(defaults, "default")
	if err != nil {
		panic("config: " + err.Error()) // only for a name that is not one
	}
	return sub
}

// DefaultPolicy are the policy files inside the binary, for a service without a policy directory. Their paths begin with
// "embedded/policy/".
func DefaultPolicy() []File {
	entries, err := fs.ReadDir(defaults, "default/policy")
	if err != nil {
		panic("config: " + err.Error()) // the directory is embedded
	}
	files := make([]File, 0, len(entries))
	for _, entry := range entries {
		data, err := defaults.ReadFile(path.Join("default/policy", entry.Name()))
		if err != nil {
			panic("config: " + err.Error()) // the file is embedded
		}
		files = append(files, NewFile(path.Join("embedded/policy", entry.Name()), data))
	}
	return files
}

//go:embed examples
var examples embed.FS

// Example is the example of that name, as `cordon init --example` writes it out: cordon.yaml and the directory policy. Its error says
// which there are.
func Example(name string) (fs.FS, error) {
	if names := exampleNames(); !slices.Contains(names, name) {
		return nil, fmt.Errorf("there is no example %s: want %s", quote(name), enumerate("or", names))
	}
	return fs.Sub(examples, path.Join("examples", name))
}

func exampleNames() []string {
	entries, err := fs.ReadDir(examples, "examples")
	if err != nil {
		panic("config: " + err.Error()) // the directory is embedded
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

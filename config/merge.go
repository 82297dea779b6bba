package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// envPrefix is what the names of our environment variables begin with.
const envPrefix = "CORDON_"

// AddFlags adds to flags those that set a key of [Service]: --listen, --admin, --policy-dir, --state-dir and --log-level.
// [ParseService] takes the same set, after it was parsed.
func AddFlags(flags *pflag.FlagSet) {
	var s Service
	for _, l := range leavesOf(reflect.ValueOf(&s).Elem(), paths{""}) {
		if l.flag != "" {
			flags.String(l.flag, "", strings.ReplaceAll(l.help, "'", "`")) // what pflag calls the value; a tag can have no `
		}
	}
}

// FindService is the path of the service file: explicit if it is not empty, or the cordon.yaml in it if it is a directory, else
// ./cordon.yaml, else /etc/cordon/cordon.yaml, else "" for the embedded default. A file that is there but can't be looked at is an
// error, and never passed over.
func FindService(explicit string) (path string, err error) {
	if explicit != "" {
		info, err := os.Stat(explicit)
		if err == nil && info.IsDir() {
			explicit = filepath.Join(explicit, "cordon.yaml")
			_, err = os.Stat(explicit)
		}
		if err != nil {
			return "", fmt.Errorf("find the configuration: %s: %w", explicit, withoutPath(err))
		}
		return explicit, nil
	}
	for _, path = range []string{"cordon.yaml", "/etc/cordon/cordon.yaml"} {
		_, err = os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find the configuration: %s: %w", path, withoutPath(err))
		}
	}
	return "", nil
}

// ParseService is the service that file, the environment and flags make together; see [Service] for what goes before what.
// A nil file is the embedded default, nil flags are none. The service is never nil, but only without faults (warnings
// aside) is it to be used.
func ParseService(file *File, flags *pflag.FlagSet) (*Service, Faults) {
	s := new(Service)
	root := reflect.ValueOf(s).Elem()
	setDefaults(root)
	var faults Faults
	texts := make(map[string][]byte)
	if file != nil {
		faults = s.read(file)
		texts[file.Path] = file.Data
	}
	leaves := leavesOf(root, paths{""})
	merged := merge(leaves, flags)
	for _, l := range leaves {
		if text, ok := merged.Get(l.paths[0]).(string); ok {
			faults = append(faults, l.override(text, flags)...)
		}
	}
	faults = append(faults, strangeVariables(leaves)...)
	faults = append(faults, checkService(s)...)
	return s, faults.sorted().bounded().excerpted(texts)
}

// read fills the service from its file.
func (s *Service) read(file *File) Faults {
	if file.Err != nil {
		return Faults{{File: file.Path, Message: fmt.Sprintf("the file can't be read: %v", file.Err)}}
	}
	root, faults := parseYAML(file.Path, file.Data)
	if root == nil {
		return faults
	}
	d := decoder{file: file.Path, dir: filepath.Dir(file.Path)}
	if d.current(root, reflect.TypeFor[Service]()) {
		d.object(root, reflect.ValueOf(s).Elem(), "")
	}
	return d.faults
}

// leaf is a key of the service that one text can set.
type leaf struct {
	*field
	paths paths  // listen.dns
	owner *Place // of the object that has the key
	value reflect.Value
}

// paths are those of one key: as it is called now, and then as it was before.
type paths []string

// to are the paths of the key of f in what these lead to.
func (ps paths) to(f *field) paths {
	all := make(paths, 0, len(ps)*(1+len(f.was)))
	for _, p := range ps {
		for _, key := range append([]string{f.key}, f.was...) {
			all = append(all, strings.TrimPrefix(p+"."+key, "."))
		}
	}
	return all
}

// variables are the environment variables for the key, that of now first: CORDON_LISTEN_DNS.
func (ps paths) variables() []string {
	names := make([]string, 0, len(ps))
	for _, p := range ps {
		names = append(names, envPrefix+strings.ToUpper(strings.ReplaceAll(p, ".", "_")))
	}
	return names
}

// leavesOf are the leaves of the object v, whose paths are within.
func leavesOf(v reflect.Value, within paths) []*leaf {
	var leaves []*leaf
	owner := placeOf(v)
	for _, f := range fieldsOf(v.Type()) {
		one := v.Field(f.index)
		switch {
		case isObject(one.Type()):
			leaves = append(leaves, leavesOf(one, within.to(f))...)
		case isLeaf(one.Type()) && !f.fileOnly:
			leaves = append(leaves, &leaf{field: f, paths: within.to(f), owner: owner, value: one})
		}
	}
	return leaves
}

// isLeaf says whether one text can set a key of type t.
func isLeaf(t reflect.Type) bool {
	if t.Kind() == reflect.Slice {
		return isPlain(t.Elem())
	}
	return !isObject(t)
}

// isPlain says whether one text can be a whole value of type t.
func isPlain(t reflect.Type) bool { return !isObject(t) || shortField(fieldsOf(t)) != nil }

// standing is what viper holds for a key in the file, or in none: the service has that value already.
type standing struct{}

// merge lets viper decide where each leaf comes from: the text of a flag or variable, else standing. A new Viper for each
// load, because one that is used again races with itself; no keys but ours, because it folds and splits them.
func merge(leaves []*leaf, flags *pflag.FlagSet) *viper.Viper {
	v := viper.New()
	for _, l := range leaves {
		v.SetDefault(l.paths[0], standing{})
		_ = v.BindEnv(append([]string{l.paths[0]}, l.paths.variables()...)...) // an error only without arguments
		if f := l.lookup(flags); f != nil {
			_ = v.BindPFlag(l.paths[0], f) // an error only without a flag
		}
	}
	return v
}

// lookup is the flag for the key, nil if there is none.
func (l *leaf) lookup(flags *pflag.FlagSet) *pflag.Flag {
	if flags == nil || l.flag == "" {
		return nil
	}
	return flags.Lookup(l.flag)
}

// override sets the key by the text of its flag or variable, which the faults name in place of a file.
func (l *leaf) override(text string, flags *pflag.FlagSet) Faults {
	origin, faults := l.origin()
	if f := l.lookup(flags); f != nil && f.Changed {
		origin = "--" + f.Name
	}
	d := decoder{file: origin, owners: []*Place{l.owner}}
	l.owner.set(l.key, whole, Pos{File: origin})
	n := textNode(l.value.Type(), text)
	d.respellWords(n, l.field)
	d.value(n, l.value, l.field)
	return append(faults, d.faults...)
}

// origin is the variable that sets the key, that of now if none does. A warning is about each that has an earlier name.
func (l *leaf) origin() (name string, faults Faults) {
	names := l.paths.variables()
	for _, former := range slices.Backward(names[1:]) {
		if os.Getenv(former) == "" {
			continue
		}
		name = former
		faults = append(faults, Fault{File: former, Warning: true, Message: "it is called " + names[0] + " now: set that"})
	}
	if name == "" || os.Getenv(names[0]) != "" {
		name = names[0]
	}
	return name, faults
}

// strangeVariables warns of variables that look like a misspelt one of ours. Others are left alone: Kubernetes makes
// CORDON_SERVICE_HOST and the like for a service called cordon.
func strangeVariables(leaves []*leaf) Faults {
	known := make([]string, 0, len(leaves))
	for _, l := range leaves {
		for _, name := range l.paths.variables() {
			known = append(known, strings.TrimPrefix(name, envPrefix))
		}
	}
	var faults Faults
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		word, ours := strings.CutPrefix(name, envPrefix)
		if !ours || slices.Contains(known, word) {
			continue
		}
		if near := nearest(word, known); near != "" {
			faults = append(faults, Fault{
				File: name, Warning: true,
				Message: fmt.Sprintf("no such environment variable: did you mean %s%s?", envPrefix, near),
			})
		}
	}
	return faults
}

package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// renamed is a file whose keys and words were called something else once. There is a type of its own for it, so that each form is tested
// whichever of them the files of today happen to have.
type renamed struct {
	Place
	Version int         `yaml:"version" opt:"fileonly" default:"1" min:"1" max:"2"`
	Ends    string      `yaml:"ends" was:"until last_day"`
	Mode    string      `yaml:"mode" oneof:"enforce off" wasoneof:"strict=enforce none=off"`
	Words   []string    `yaml:"words" oneof:"a b" wasoneof:"alpha=a"`
	Limits  innerLimits `yaml:"limits" was:"bounds"`
	Many    []innerItem `yaml:"many" was:"items"`
}

type innerLimits struct {
	Place
	Most int `yaml:"most" was:"max" default:"5" min:"1" max:"100"`
}

type innerItem struct {
	Place
	Name string `yaml:"name" opt:"required" was:"title"`
}

// readRenamed is the object in text, and what is said of it, a line each.
func readRenamed(t *testing.T, text string) (r renamed, said []string) {
	t.Helper()
	root, faults := parseYAML("f.yaml", []byte(text))
	if root == nil {
		t.Fatal(faults)
	}
	d := decoder{file: "f.yaml"}
	if d.current(root, reflect.TypeFor[renamed]()) {
		d.object(root, reflect.ValueOf(&r).Elem(), "")
	}
	for _, f := range d.faults.sorted() {
		said = append(said, f.String())
	}
	return r, said
}

func TestEarlierSpellingsAreReadAndWarnedOf(t *testing.T) {
	r, said := readRenamed(t, `
last_day: friday
mode: strict
words: [b, alpha]
bounds: {max: 7}
items:
  - {title: one}
  - name: two
`)
	want := []string{
		"f.yaml:2:1: warning: last_day is called ends now: write that",
		`f.yaml:3:7: warning: mode: "strict" is called enforce now: write that`,
		`f.yaml:4:12: warning: words: "alpha" is called a now: write that`,
		"f.yaml:5:1: warning: bounds is called limits now: write that",
		"f.yaml:5:10: warning: max is called most now: write that",
		"f.yaml:6:1: warning: items is called many now: write that",
		"f.yaml:7:6: warning: title is called name now: write that",
	}
	if !slices.Equal(said, want) {
		t.Errorf("said:\n%s\nwant:\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	got := fmt.Sprintln(r.Ends, r.Mode, r.Words, r.Limits.Most, r.Many[0].Name, r.Many[1].Name, r.At("ends"), r.Limits.At("most"))
	if want := "friday enforce [b a] 7 one two f.yaml:2 f.yaml:5\n"; got != want {
		t.Errorf("read %s, want %s", got, want)
	}
}

func TestBothSpellingsOfAKeyAreAFault(t *testing.T) {
	for text, want := range map[string]string{
		"until: a\nends: b\n":               "f.yaml:1:1: until is what ends was called before, which is here as well, on line 2: want one of them",
		"until: a\nlast_day: b\n":           "f.yaml:2:1: last_day is what ends was called before, which is here as well, on line 1: want one of them",
		"until: a\nuntil: b\n":              "f.yaml:2:1: until is what ends was called before, which is here as well, on line 1: want one of them",
		"ends: a\nends: b\n":                `f.yaml:2:1: the key "ends" is here twice, first on line 1`,
		"mode: strictly\n":                  `f.yaml:1:7: mode: found "strictly", want enforce or off`,
		"many: [{title: one, name: two}]\n": "f.yaml:1:9: title is what name was called before, which is here as well, on line 1: want one of them",
	} {
		if _, said := readRenamed(t, text); !slices.Contains(said, want) {
			t.Errorf("%q: said %q, want %q", text, said, want)
		}
	}
}

func TestAFileOfALaterVersionIsOneFault(t *testing.T) {
	_, said := readRenamed(t, "version: 3\nunheard_of: 1\nmode: 7\n")
	want := "f.yaml:1:10: version: this file is of version 3, and this program knows versions 1 to 2: run a newer cordon, or put back the " +
		"file as it was before"
	if !slices.Equal(said, []string{want}) {
		t.Errorf("said %q, want %q", said, want)
	}
	for text, want := range map[string]string{
		"version: 2\n":    "",
		"{}\n":            "",
		"version: 0\n":    "f.yaml:1:10: version: 0 is too small: want 1 to 2",
		"version: new\n":  `f.yaml:1:10: version: found "new", want a whole number`,
		"version: [3]\n":  "f.yaml:1:10: version: found a list, want one value",
		"version: null\n": "f.yaml:1:10: version: no value (null): write one, or leave the key out",
	} {
		if _, said := readRenamed(t, text); strings.Join(said, "; ") != want {
			t.Errorf("%q: said %q, want %q", text, said, want)
		}
	}
}

func TestEarlierVariablesAreReadAndWarnedOf(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		most int
		said []string
	}{
		"that of now":         {map[string]string{"CORDON_LIMITS_MOST": "6"}, 6, nil},
		"the key's":           {map[string]string{"CORDON_LIMITS_MAX": "7"}, 7, []string{"CORDON_LIMITS_MAX"}},
		"the section's":       {map[string]string{"CORDON_BOUNDS_MOST": "8"}, 8, []string{"CORDON_BOUNDS_MOST"}},
		"both":                {map[string]string{"CORDON_BOUNDS_MAX": "9"}, 9, []string{"CORDON_BOUNDS_MAX"}},
		"now's before others": {map[string]string{"CORDON_BOUNDS_MAX": "9", "CORDON_LIMITS_MOST": "6"}, 6, []string{"CORDON_BOUNDS_MAX"}},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			var r renamed
			root := reflect.ValueOf(&r).Elem()
			setDefaults(root)
			leaves := leavesOf(root, paths{""})
			merged := merge(leaves, nil)
			var said []string
			for _, l := range leaves {
				text, ok := merged.Get(l.paths[0]).(string)
				if !ok {
					continue
				}
				for _, f := range l.override(text, nil) {
					if want := f.File + ": warning: it is called CORDON_LIMITS_MOST now: set that"; f.String() != want {
						t.Errorf("said %q, want %q", f, want)
					}
					said = append(said, f.File)
				}
			}
			if r.Limits.Most != test.most || !slices.Equal(said, test.said) {
				t.Errorf("most is %d, said of %q; want %d, %q", r.Limits.Most, said, test.most, test.said)
			}
			if faults := strangeVariables(leaves); len(faults) > 0 {
				t.Errorf("strange: %v", faults)
			}
		})
	}
}

func TestNoVariableSetsTheVersionOfAFile(t *testing.T) {
	t.Setenv("CORDON_VERSION", "7.1") // of a package, or of an image, in many a place
	if s, faults := ParseService(nil, nil); len(faults) > 0 || s.Version != 1 {
		t.Errorf("version %d, %v", s.Version, faults)
	}
}

func TestTheSchemaStrikesEarlierSpellingsThrough(t *testing.T) {
	w := schemaWalk{}
	s := w.object(reflect.TypeFor[renamed]())
	properties, _ := s["properties"].(schema)
	old, _ := properties["last_day"].(schema)
	now, _ := properties["ends"].(schema)
	if want := "last_day is called ends now: write that"; old["deprecationMessage"] != want || old["pattern"] != now["pattern"] {
		t.Errorf("last_day is %v", old)
	}
	if now["deprecationMessage"] != nil {
		t.Error("ends is struck through")
	}
	mode, _ := properties["mode"].(schema)
	if got := fmt.Sprint(mode["enum"]); got != "[enforce off none strict]" {
		t.Errorf("mode is one of %s", got)
	}
	item := w.object(reflect.TypeFor[innerItem]())
	if got := fmt.Sprint(item["allOf"]); got != "[map[anyOf:[map[required:[name]] map[required:[title]]]]]" {
		t.Errorf("an item needs %s", got)
	}
}

// Whatever a file says, what is read of it is what is read of it in the spellings of today.
func FuzzEarlierSpellings(f *testing.F) {
	f.Add([]byte("last_day: friday\nmode: strict\nwords: [b, alpha]\nbounds: {max: 7}\nitems:\n  - {title: one}\n  - name: two\n"))
	f.Add([]byte("until: a\nends: b\nlast_day: c\n"))
	f.Add([]byte("version: 3\nlimits: {most: 7, max: 8}\n"))
	f.Add([]byte("items: [title, {title: {title: x}}]\nlimits: [max]\n? [until]\n: x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		root, _ := parseYAML("f.yaml", text)
		if root == nil {
			return
		}
		before := decoder{file: "f.yaml"}
		if !before.current(root, reflect.TypeFor[renamed]()) {
			if !before.faults.Bad() {
				t.Fatal("it is not read, and nothing is said")
			}
			return
		}
		var first, second renamed
		now := decoder{file: "f.yaml"}
		if !now.current(root, reflect.TypeFor[renamed]()) || len(now.faults) > 0 {
			t.Fatalf("what is spelt as today is not: %v", now.faults)
		}
		before.object(root, reflect.ValueOf(&first).Elem(), "")
		now.object(root, reflect.ValueOf(&second).Elem(), "")
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("read %+v, and then %+v", first, second)
		}
	})
}

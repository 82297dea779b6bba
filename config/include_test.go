package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cordon/config"
)

// shown is files in their order: path, and the owner of an owned one, or ? where nobody can say.
func shown(files []config.File) string {
	var all []string
	for i, f := range files {
		switch {
		case f.Order == 0:
			all = append(all, f.Path)
		case f.Owner == "":
			all = append(all, f.Path+"=?")
		default:
			all = append(all, fmt.Sprintf("%s=%d:%s", f.Path, f.Order, f.Owner))
		}
		if f.Order > 0 && f.Owner == "" && f.Err == nil {
			all[i] += " without an error"
		}
	}
	return strings.Join(all, " ")
}

func TestAFileThatIsIncludedIsNeverAMainFile(t *testing.T) {
	for _, c := range []struct{ name, files, want string }{
		{"beside", "m: d=def, t:", "m t d=1:def"},
		{"below", "m: sub/d=def", "m sub/d=1:def"},
		{"in the order of the includes", "m: z=def b=hea, a: c=tax", "a m c=1:tax z=2:def b=3:hea"},
		{"twice", "m: d=def d=hea, n: d=tax", "m n d=1:def"},
		{"outside of the directory", "m: ../d=def", "m"},
		{"itself", "m: m=def", "m"},
		{"an owned file includes nothing", "m: d=def, d: t=def sub/x=def, t:", "m t d=1:def"},
		{"an owned file includes the one that includes it, and that another includes", "m: d=def, d: m=x, a: d=def", "a m d=1:def"},
		{"a circle", "m: d=def, d: m=x, t:", "t d=? m=?"},
		{"without an owner", "m: d=, d:", "m d=?"},
		{"a fault elsewhere", "m: d=def fault, d:, e:", "e m d=1:def"},
		{"a broken file claims what it names", "m: dd=def broken, dd:, ee:", "ee m dd=?"},
		{"an include of a wrong form", "m: d=def e oops, d:, e:", "m d=1:def e=?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var files []config.File
			for text := range strings.SplitSeq(c.files, ", ") {
				name, includes, _ := strings.Cut(text, ":")
				files = append(files, config.NewFile(name, []byte(included(strings.Fields(includes)))))
			}
			got := shown(config.Included(files, func(path string) config.File {
				if slices.ContainsFunc(files, func(f config.File) bool { return f.Path == path }) {
					t.Errorf("%s is read, which is there", path)
				}
				return config.NewFile(path, nil)
			}))
			if got != c.want {
				t.Errorf("have %s, want %s", got, c.want)
			}
		})
	}
}

// included is the text of a file with those includes.
func included(words []string) string {
	text := "lists: []\ninclude:\n"
	for _, word := range words {
		switch path, owner, ok := strings.Cut(word, "="); {
		case word == "broken":
			text += "@\n"
		case word == "oops", word == "fault":
		case !ok:
			text += "  - {fil: " + path + ", owner: x}\n"
		case owner == "":
			text += "  - {file: " + path + "}\n"
		default:
			text += "  - {file: " + path + ", owner: " + owner + "}\n"
		}
	}
	if len(words) == 0 {
		text = "lists: []\n"
	}
	if slices.Contains(words, "fault") {
		text += "policies: [{nmae: p}]\n"
	}
	return text
}

// The loader goes on with the last good text of a main file that has a fault. What the new text includes is no main file for that.
func TestAFileThatWasOwnedIsNeverAMainFileInAMixOfTexts(t *testing.T) {
	main := func(text string) config.File { return config.NewFile("m", []byte(text)) }
	none := func(path string) config.File { return config.NewFile(path, nil) }
	evil := config.NewFile("evil", []byte("lists: []\n"))

	written := config.Included([]config.File{main("include: [{file: evil, owner: x}]\nfault: 1\n"), evil}, none)
	if got := shown(written); got != "m evil=1:x" {
		t.Fatalf("as written: %s", got)
	}
	written[0] = main("lists: []\n")
	if got := shown(config.Included(written, none)); got != "m" {
		t.Errorf("with the last good text: %s", got)
	}

	broken := config.Included([]config.File{main("include: [{file: evil, owner: x}]\n@"), evil}, none)
	if got := shown(broken); got != "m evil=?" {
		t.Fatalf("with a broken text: %s", got)
	}
	broken[0] = main("include: [{file: evil, owner: x}]\n")
	mixed := config.Included(broken, none)
	if got := shown(mixed); got != "m evil=1:x" || mixed[1].Err != nil {
		t.Errorf("with the last good text in place of the broken one: %s, %v", got, mixed[1].Err)
	}

	circle := []config.File{main("include: [{file: d, owner: x}]"), config.NewFile("d", []byte("include: [{file: m, owner: x}]"))}
	circle[1].Owner, circle[1].Order = "x", 1
	if got := shown(config.Included(circle, none)); got != "m d=1:x" {
		t.Errorf("a circle of which an earlier owner is known: %s", got)
	}
}

func TestIncludedPathsAreThoseOfTheOwnedFiles(t *testing.T) {
	files := []config.File{config.NewFile("p/m", []byte("include: [{file: a/b, owner: x}, {file: ../c, owner: y}, {file: d, owner: z}]"))}
	if got := config.IncludedPaths(files); !slices.Equal(got, []string{"p/a/b", "p/d"}) {
		t.Errorf("have %v", got)
	}
}

func TestTheHashTellsOwnedFilesApart(t *testing.T) {
	hash := func(dir, path, owner string) string {
		main := config.NewFile(dir+"/m.yaml", []byte("x: 1"))
		owned := config.NewFile(dir+"/"+path, []byte("x: 2"))
		owned.Owner, owned.Order = owner, 1
		set, _ := config.ParsePolicy([]config.File{main, owned})
		return set.Hash
	}
	first := hash("/a", "x/o.yaml", "x")
	if first != hash("/b/c", "x/o.yaml", "x") {
		t.Error("the same files in another directory have another hash")
	}
	if first == hash("/a", "y/o.yaml", "x") || first == hash("/a", "x/o.yaml", "y") {
		t.Error("another directory of an owned file, or another owner, has the same hash")
	}
}

func TestAnOwnedFileHasBounds(t *testing.T) {
	for key, text := range map[string]string{
		"lists":    "lists:\n" + strings.Repeat("  - {name: l, names: [example.com]}\n", 33),
		"policies": "policies:\n" + strings.Repeat("  - {name: p, lists: [l]}\n", 33),
		"agencies": "agencies:\n" + strings.Repeat("  - {name: a, parent: x}\n", 257),
		"exceptions": "exceptions:\n" + strings.Repeat("  - {name: e, agency: x, policies: [p], reason: r, approved_by: a, until: 2027-01-01}\n",
			4097),
	} {
		file := config.NewFile("o.yaml", []byte(text))
		file.Owner, file.Order = "x", 1
		_, faults := config.LoadPolicy([]config.File{file}, options())
		want := key + ": found "
		if !slices.ContainsFunc(faults, func(f config.Fault) bool { return strings.HasPrefix(f.Message, want) && f.Line == 2 }) {
			t.Errorf("too many %s: %v", key, faults.Err())
		}
		file.Owner, file.Order = "", 0
		if _, faults = config.LoadPolicy([]config.File{file}, options()); slices.ContainsFunc(faults, func(f config.Fault) bool {
			return strings.HasPrefix(f.Message, want)
		}) {
			t.Errorf("a main file has a bound for %s", key)
		}
	}
}

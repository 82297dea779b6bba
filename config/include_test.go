package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cordon/config"
)

func TestOwnedFilesAreThoseInSubdirectoriesThatMainFilesInclude(t *testing.T) {
	for _, c := range []struct{ name, files, want string }{
		{"one", "m: a/d=def, t:", "m t a/d=1:def"},
		{"in the order of the includes", "m: a/z=def a/b=hea, c: a/c=tax", "c m a/c=1:tax a/z=2:def a/b=3:hea"},
		{"twice", "m: a/d=def a/d=hea, n: a/d=tax", "m n a/d=1:def"},
		{"twice, written in another way", "m: a/d=def ./a/../a/d=hea", "m a/d=1:def"},
		{"directly in the directory", "m: d=def m=def a/../d=def, d:", "d m"},
		{"outside of the directory", "m: ../d=def ../a/d=def /a/d=def a/../../a/d=def", "m"},
		{"the directory", "m: .=def", "m"},
		{"without an owner, and then with one", "m: a/d= a/d=def", "m a/d=1:def"},
		{"a fault elsewhere", "m: a/d=def fault", "m a/d=1:def"},
		{"an include of a wrong form", "m: a/d=def oops a/e, f: a/f=def", "f m a/f=1:def a/d=2:def"},
		{"not YAML", "m: a/d=def broken, n: a/d=hea", "m n a/d=1:hea"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var files []config.File
			for text := range strings.SplitSeq(c.files, ", ") {
				name, includes, _ := strings.Cut(text, ":")
				files = append(files, config.NewFile(name, []byte(including(strings.Fields(includes)))))
			}
			var got []string
			for _, f := range config.Included(files, func(path string) config.File {
				return config.NewFile(path, []byte(including([]string{"x/x=x"}))) // which is not followed
			}) {
				if f.Order == 0 {
					got = append(got, f.Path)
				} else {
					got = append(got, fmt.Sprintf("%s=%d:%s", f.Path, f.Order, f.Owner))
				}
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("have %s, want %s", got, c.want)
			}
		})
	}
}

// including is the text of a file with those includes.
func including(words []string) string {
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
	many := func(format string) string {
		var b strings.Builder
		for i := range 4097 {
			fmt.Fprintf(&b, format, i/256, i%256)
		}
		return b.String()
	}
	for key, text := range map[string]string{
		"agencies: found 4097 networks in all": "agencies:\n  - {name: x, networks: [" + many("10.1.%d.%d,") + "]}\n",
		"exceptions: found 4097 clients in all": "exceptions:\n  - {name: e, agency: x, policies: [p], reason: r, approved_by: a, until: 2027-01-01, " +
			"clients: [" + many("10.1.%d.%d,") + "]}\n",
		"lists":    "lists:\n" + strings.Repeat("  - {name: l, names: [example.com]}\n", 33),
		"policies": "policies:\n" + strings.Repeat("  - {name: p, lists: [l]}\n", 33),
		"agencies": "agencies:\n" + strings.Repeat("  - {name: a, parent: x}\n", 257),
		"exceptions": "exceptions:\n" + strings.Repeat("  - {name: e, agency: x, policies: [p], reason: r, approved_by: a, until: 2027-01-01}\n",
			1025),
	} {
		file := config.NewFile("o.yaml", []byte(text))
		file.Owner, file.Order = "x", 1
		_, faults := config.LoadPolicy([]config.File{file}, options())
		want, _, _ := strings.Cut(key, ":")
		if want += ": found "; strings.Contains(key, ":") {
			want = key
		}
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

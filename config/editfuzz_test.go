package config_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/config"
)

// FuzzEdit edits any text that is a policy file. What it says of everything else is the same afterwards, and so is every octet that was
// there, but for an end that is extended and an empty list that is filled. A form that is not understood is an error, never a wrong edit.
func FuzzEdit(f *testing.F) {
	for _, text := range editable(f) {
		f.Add(text, "a reason: \"with\" # all\n - sorts", "2099-01-01")
	}
	f.Fuzz(func(t *testing.T, text []byte, reason, until string) {
		file := config.NewFile("p.yaml", text)
		before, faults := config.ParsePolicy([]config.File{file})
		if faults.Bad() {
			return
		}
		e := press()
		e.Name, e.Reason, e.Until, e.ApprovedBy = "added-by-the-test", reason, until, reason
		added, err := config.AddException(file, e)
		if err != nil {
			checkUnchanged(t, file, added)
			return
		}
		after := parsed(t, added)
		if n := len(after.Exceptions) - 1; n != len(before.Exceptions) || after.Exceptions[n].Reason != reason {
			t.Fatalf("%d exceptions, of which the last has the reason %q", n+1, after.Exceptions[n].Reason)
		}
		wantSame(t, before, after, len(before.Exceptions))
		wantKept(t, text, added.Data, len(emptyList.Find(text)))

		extended, err := config.ExtendException(added, e.Name, config.Extension{Until: "2199-12-30", ApprovedBy: reason, Now: e.Now})
		if err != nil {
			t.Fatalf("what was written can't be extended: %v\n%s", err, added.Data)
		}
		wantSame(t, before, parsed(t, extended), len(before.Exceptions))
		revoked, err := config.RevokeException(extended, e.Name, config.Revocation{By: reason, Now: e.Now})
		if err != nil {
			t.Fatalf("what was written can't be revoked: %v\n%s", err, extended.Data)
		}
		last := parsed(t, revoked).Exceptions[len(before.Exceptions)]
		if len(last.Extended) != 2 || last.RevokedBy != reason || !last.Revoked.Equal(e.Now.Truncate(time.Minute)) {
			t.Fatalf("read back: %+v", last)
		}
		wantKept(t, added.Data, revoked.Data, len(until))
		editExisting(t, file, before)
	})
}

// emptyList is one that gives way to a block.
var emptyList = regexp.MustCompile(`[ \t]*\[[ \t]*\]`)

// editExisting extends and revokes the exceptions of a file.
func editExisting(t *testing.T, file config.File, before *config.PolicySet) {
	t.Helper()
	for i, e := range before.Exceptions {
		now := e.Until.AddDate(0, 0, -1)
		extended, err := config.ExtendException(file, e.Name, config.Extension{Until: "2199-12-30", ApprovedBy: "x", Approved: "1999-01-01", Now: now})
		if err == nil {
			after := parsed(t, extended)
			if got := after.Exceptions[i]; !got.Until.After(e.Until) || len(got.Extended) <= len(e.Extended) {
				t.Fatalf("extended: %+v", got)
			}
			wantSame(t, before, after, i)
			wantKept(t, file.Data, extended.Data, 40)
		}
		revoked, err := config.RevokeException(file, e.Name, config.Revocation{By: "x", Now: now})
		if err == nil {
			after := parsed(t, revoked)
			if got := after.Exceptions[i]; !got.End().Equal(now.Truncate(time.Minute)) {
				t.Fatalf("revoked: %+v", got)
			}
			wantSame(t, before, after, i)
			wantKept(t, file.Data, revoked.Data, 0)
		}
	}
}

// editable are the texts of the corpus that are policy files.
func editable(t testing.TB) (texts [][]byte) {
	t.Helper()
	for _, pattern := range []string{"default/policy/*.yaml", "examples/belgium/policy/*.yaml", "examples/belgium/policy/agencies/*.yaml", "testdata/warn/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no files match %s (%v)", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, faults := config.ParsePolicy([]config.File{config.NewFile(path, text)}); !faults.Bad() {
				texts = append(texts, text)
			}
		}
	}
	return append(texts, []byte(policyBefore), []byte(strings.ReplaceAll(policyBefore, "\n", "\r\n")), []byte(head+"exceptions: ["+flowFirst+", ]"))
}

func TestEveryFileOfTheCorpusCanBeEdited(t *testing.T) {
	for _, text := range editable(t) {
		if _, err := config.AddException(config.NewFile("p.yaml", text), press()); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
	}
}

func parsed(t *testing.T, f config.File) *config.PolicySet {
	t.Helper()
	set, faults := config.ParsePolicy([]config.File{f})
	if faults.Bad() {
		t.Fatalf("%s\nin\n%s", faults.Errors().Render(), f.Data)
	}
	return set
}

func checkUnchanged(t *testing.T, before, after config.File) {
	t.Helper()
	if !bytes.Equal(before.Data, after.Data) {
		t.Fatalf("an edit that was refused has changed the file to\n%s", after.Data)
	}
}

// wantSame holds everything in two sets against each other, but for the one exception with that index.
func wantSame(t *testing.T, before, after *config.PolicySet, but int) {
	t.Helper()
	describe := func(s *config.PolicySet) (all []string) {
		for _, l := range s.Lists {
			all = append(all, describeFields(reflect.ValueOf(*l)))
		}
		for _, p := range s.Policies {
			all = append(all, describeFields(reflect.ValueOf(*p)))
		}
		for _, a := range s.Agencies {
			all = append(all, describeFields(reflect.ValueOf(*a)))
		}
		for i, e := range s.Exceptions {
			if i != but {
				all = append(all, describeFields(reflect.ValueOf(*e)))
			}
		}
		for _, z := range s.OwnZones {
			all = append(all, z.String())
		}
		return append(all, s.MaxException.String())
	}
	if a, b := describe(before), describe(after); !slices.Equal(a, b) {
		t.Fatalf("something else has changed: before\n%s\nafter\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

// wantKept holds that every octet of before is in after, in its order, but for at most so many of them.
func wantKept(t *testing.T, before, after []byte, lost int) {
	t.Helper()
	prefix := 0
	for prefix < min(len(before), len(after)) && before[prefix] == after[prefix] {
		prefix++
	}
	missing := 0
	for at := prefix; at < len(before); at++ {
		next := bytes.IndexByte(after[min(prefix, len(after)):], before[at])
		if next < 0 {
			missing++
			continue
		}
		prefix += next + 1
	}
	if missing > lost {
		t.Fatalf("%d octets are gone, want %d at most, of\n%s\nin\n%s", missing, lost, before, after)
	}
}

// describeFields is what an object says, without where that stands.
func describeFields(v reflect.Value) string {
	var b strings.Builder
	for i := range v.NumField() {
		if v.Type().Field(i).Name == "Place" || !v.Type().Field(i).IsExported() {
			continue
		}
		one := v.Field(i)
		if one.Type() == reflect.TypeFor[[]config.Prolonged]() {
			for j := range one.Len() {
				b.WriteString(describeFields(one.Index(j)))
			}
			continue
		}
		b.WriteString(v.Type().Field(i).Name + ": ")
		fmt.Fprintf(&b, "%v; ", one.Interface())
	}
	return b.String()
}

package hosts_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/cmd/cordon/hosts"
	"cordon/resolver/names"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheLastGoodVersionStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "192.0.2.1 a.example\n")
	var f hosts.Files
	first, err := f.Read([]string{path})
	if err != nil || len(first.Held) != 0 {
		t.Fatalf("%v, held %v", err, first)
	}
	if again, err := f.Read([]string{path}); err != nil || again.Print != first.Print {
		t.Errorf("the same file is not the same: %v", err)
	}
	f.Accept(first)
	for text, want := range map[string]string{
		"":                 "no name any more, and had 1",
		"# all gone\n":     "no name any more, and had 1",
		"<html>\n":         "no line of it can be used",
		"192.0.2.1 a\x00b": "NUL octet",
	} {
		write(t, path, text)
		held, err := f.Read([]string{path})
		if err != nil || held.Held[path] == nil || !strings.Contains(held.Held[path].Error(), want) || held.Hosts[0].Names() != 1 {
			t.Errorf("%q: %v, got %+v, want %q", text, err, held, want)
			continue
		}
		if held.Print != first.Print {
			t.Errorf("%q: what is in force is not the same", text)
		}
		f.Accept(held)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if gone, err := f.Read([]string{path}); err != nil || gone.Held[path] == nil || gone.Hosts[0].Names() != 1 {
		t.Errorf("%v, got %+v", err, gone)
	}
	write(t, path, "192.0.2.2 b.example\n")
	if back, err := f.Read([]string{path}); err != nil || len(back.Held) != 0 || back.Print == first.Print {
		t.Errorf("%v, got %+v", err, back)
	}
}

func TestWithoutAGoodVersionAFileIsAFault(t *testing.T) {
	dir := t.TempDir()
	good, missing, page := filepath.Join(dir, "good"), filepath.Join(dir, "missing"), filepath.Join(dir, "page")
	write(t, good, "192.0.2.1 a.example\n")
	write(t, page, "<html>\n")
	var f hosts.Files
	_, err := f.Read([]string{good, missing, page, dir})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Fatalf("got %v, want three faults", err)
	}
	if wrong, ok := errors.AsType[*hosts.FileError](err); !ok || wrong.Index != 1 || wrong.Path != missing || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the first is %+v", wrong)
	}
	f.Earlier = func(path string) []byte {
		if path == good {
			return nil
		}
		return []byte("192.0.2.9 kept.example\n")
	}
	kept, err := f.Read([]string{good, missing, page})
	if err != nil || len(kept.Held) != 2 || len(kept.Hosts) != 3 {
		t.Errorf("with what an earlier process had: %v, %+v", err, kept)
	}
	f.Accept(kept)
	if text := f.Good()[missing]; string(text) != "192.0.2.9 kept.example\n" {
		t.Errorf("kept is %q", text)
	}
}

func TestAFileThatIsTooLargeIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	write(t, path, "192.0.2.1 a.example\n")
	if err := os.Truncate(path, 1<<30); err != nil {
		t.Skip(err)
	}
	_, err := new(hosts.Files).Read([]string{path})
	if err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("a file of 1 GiB: %v", err)
	}
}

func TestALinkIsFollowed(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "hosts"), filepath.Join(dir, "link")
	write(t, path, "192.0.2.1 a.example\n")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	read, err := new(hosts.Files).Read([]string{link})
	if err != nil {
		t.Fatal(err)
	}
	made, _ := names.New(names.Config{Hosts: read.Hosts})
	if made.Len() != 2 {
		t.Errorf("got %d names, want the name and the address", made.Len())
	}
}

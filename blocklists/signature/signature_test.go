package signature_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"cordon/blocklists/signature"
)

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parseKey(t testing.TB, text string) signature.Key {
	t.Helper()
	key, err := signature.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// wants fails t unless err says want; "" is no error.
func wants(t testing.TB, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestSignaturesOfMinisign(t *testing.T) {
	t.Parallel()
	key, content := parseKey(t, read(t, "publisher.pub")), read(t, "list.txt")
	tests := []struct {
		file, comment string
		time          int64 // in seconds since 1970; 0: none
	}{
		{"hashed.minisig", "timestamp:1700000000\tfile:list.txt\thashed", 1700000000},
		{"unhashed.minisig", "timestamp:1710000000\tfile:list.txt", 1710000000},
		{"undated.minisig", "the list of the week", 0},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			text := read(t, test.file)
			for _, form := range []string{text, strings.ReplaceAll(text, "\n", "\r\n"), strings.TrimSpace(text), text + "\n\n"} {
				got, err := signature.Verify(key, iotest.OneByteReader(strings.NewReader(content)), []byte(form))
				if err != nil {
					t.Fatalf("%q: %v", form, err)
				}
				var want time.Time
				if test.time != 0 {
					want = time.Unix(test.time, 0)
				}
				if got.Comment != test.comment || !got.Time.Equal(want) || got.KeyID != key.ID() {
					t.Errorf("got %q of %v by %v", got.Comment, got.Time, got.KeyID)
				}
			}
			for _, other := range []string{"", content[1:], content + "\n", strings.ToUpper(content)} {
				_, err := signature.Verify(key, strings.NewReader(other), []byte(text))
				wants(t, err, "signed other content than this")
			}
		})
	}
}

func TestSignaturesThatAreNone(t *testing.T) {
	t.Parallel()
	key, good := parseKey(t, read(t, "publisher.pub")), read(t, "hashed.minisig")
	lines := strings.Split(good, "\n")
	// with is good with another text in line i, from 1.
	with := func(i int, text string) string {
		changed := append([]string(nil), lines...)
		changed[i-1] = text
		return strings.Join(changed, "\n")
	}
	flipped := func(line string, at int, bits byte) string {
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		raw[at] ^= bits
		return base64.StdEncoding.EncodeToString(raw)
	}
	tests := []struct{ about, text, want string }{
		{"as it should be", good, ""},
		{"the untrusted comment is anybody's", with(1, "untrusted comment: anything"), ""},
		{"empty", "", `it begins with "", want a line "untrusted comment: …"`},
		{"a page", "<!DOCTYPE html>\n<html>\n</html>\n", `it begins with "<!DOCTYPE html>"`},
		{"a long line", strings.Repeat("x", 3000), strings.Repeat("x", 80) + "…"},
		{"binary", "\x00\xff\x1b[2J", `it begins with "\x00\xff\x1b[2J"`},
		{"too long", good + strings.Repeat("\n", signature.MaxSize), "want at most 4096"},
		{"cut short", strings.Join(lines[:2], "\n"), "it has 2 lines, want 4"},
		{"five lines", good + "more", "it has 5 lines, want 4"},
		{"no base64", with(2, "RU?"), `line 2 is "RU?", want the signature: 74 octets`},
		{"too short", with(2, lines[1][:96]), "line 2 is"},
		{"no comment", with(3, "comment: timestamp:1700000000"), `line 3 is "comment: timestamp:1700000000", want a line "trusted comment: …"`},
		{"control characters", with(3, "trusted comment: \x1b[2J"), `"\x1b[2J" has control characters`},
		{"no signature of the comment", with(4, "===="), `line 4 is "====", want the signature of the trusted comment: 64 octets`},
		{"another algorithm", with(2, flipped(lines[1], 1, 1)), `its algorithm is "EE", want "ED" or "Ed"`},
		{"another key id", with(2, flipped(lines[1], 2, 1)), "want one made with " + key.ID().String()},
		{"another comment", with(3, "trusted comment: timestamp:1800000000"), `its trusted comment "timestamp:1800000000" is not what the key`},
		{"another signature of the content", with(2, flipped(lines[1], 20, 1)), "is not what the key"},
		{"another signature of the comment", with(4, flipped(lines[3], 0, 1)), "is not what the key"},
		{"the other form", with(2, flipped(lines[1], 1, 'D'^'d')), "signed other content than this"},
		{"another publisher", read(t, "other.minisig"), "it was made with the key " + parseKey(t, read(t, "other.pub")).ID().String() +
			", want one made with " + key.ID().String()},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			t.Parallel()
			_, err := signature.Verify(key, strings.NewReader(read(t, "list.txt")), []byte(test.text))
			wants(t, err, test.want)
		})
	}
	_, err := signature.Open(signature.Key{}, []byte(good))
	wants(t, err, "want one made with 0000000000000000")
	wants(t, signature.Signature{}.Verify(strings.NewReader("")), "signed other content")
}

func TestKeys(t *testing.T) {
	t.Parallel()
	file := read(t, "publisher.pub")
	first, line, _ := strings.Cut(strings.TrimSpace(file), "\n")
	id := first[strings.LastIndexByte(first, ' ')+1:] // minisign wrote it there
	for _, text := range []string{file, line, " " + line + "\r\n", strings.ReplaceAll(file, "\n", "\r\n")} {
		if key := parseKey(t, text); key.ID().String() != id {
			t.Errorf("key %q: got the id %s, want %s", text, key.ID(), id)
		}
	}
	secret := base64.StdEncoding.EncodeToString(append([]byte("EdScB2"), make([]byte, 152)...))
	tests := []struct{ text, want string }{
		{"", "it is empty"},
		{first + "\n", "not base64"},
		{"minisign.key", "its 12 characters are not base64"},
		{line[:40], "it has 30 octets, a key has 42"},
		{"AAAA" + line[4:], `its algorithm is "\x00\x00", a minisign key has "Ed"`},
		{secret, "it is a SECRET key"},
	}
	for _, test := range tests {
		_, err := signature.ParseKey(test.text)
		wants(t, err, test.want)
		if err != nil && test.text != "" && strings.Contains(err.Error(), test.text) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

// TestNoGoingBack has a signature of 1700000000, one of 1710000000 and one without a time.
func TestNoGoingBack(t *testing.T) {
	t.Parallel()
	key := parseKey(t, read(t, "publisher.pub"))
	open := func(name string) signature.Signature {
		s, err := signature.Open(key, []byte(read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	older, newer, undated, none := open("hashed.minisig"), open("unhashed.minisig"), open("undated.minisig"), signature.Signature{}
	tests := []struct {
		about       string
		before, now signature.Signature
		want        string
	}{
		{"forward", older, newer, ""},
		{"the same again", newer, newer, ""},
		{"the first", none, older, ""},
		{"the first, without a time", none, undated, ""},
		{"never a time", undated, undated, ""},
		{"a time from now on", undated, older, ""},
		{"back", newer, older, "this one was made on 2023-11-14T22:13:20Z, the one before on 2024-03-09T16:00:00Z: it is an older version"},
		{"no time any more", newer, undated, "does not state when it was made, the one before is of 2024-03-09T16:00:00Z"},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			t.Parallel()
			wants(t, signature.Newer(test.before, test.now), test.want)
		})
	}
}

func TestErrorsOfTheContent(t *testing.T) {
	t.Parallel()
	key, broken := parseKey(t, read(t, "publisher.pub")), errors.New("the disk is on fire")
	for _, name := range []string{"hashed.minisig", "unhashed.minisig"} {
		_, err := signature.Verify(key, iotest.ErrReader(broken), []byte(read(t, name)))
		if !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want the error of the content", name, err)
		}
	}
}

// zeros is so many octets of nothing.
func zeros(n int64) io.Reader { return io.LimitReader(endless{}, n) }

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestLargeContentIsNotKept is about the memory of the form of today; the old form is bounded. It is not parallel: it counts what
// is allocated.
func TestLargeContentIsNotKept(t *testing.T) {
	key := parseKey(t, read(t, "publisher.pub"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := signature.Verify(key, zeros(200<<20), []byte(read(t, "hashed.minisig")))
	runtime.ReadMemStats(&after)
	wants(t, err, "signed other content")
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d octets were allocated, want at most 1 MiB", used)
	}
	_, err = signature.Verify(key, endless{}, []byte(read(t, "unhashed.minisig")))
	wants(t, err, "more than the 67108864 octets")
}

// FuzzOpen holds that nothing panics, that every error is one line of printable text, and that what opens has the comment that it
// shows.
func FuzzOpen(f *testing.F) {
	key := parseKey(f, read(f, "publisher.pub"))
	for _, name := range []string{"hashed.minisig", "unhashed.minisig", "undated.minisig", "other.minisig", "list.txt", "publisher.pub"} {
		f.Add([]byte(read(f, name)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := signature.Open(key, text)
		if err == nil {
			if !bytes.Contains(text, []byte("\ntrusted comment: "+s.Comment)) || s.KeyID != key.ID() {
				t.Errorf("opened as %q by %s", s.Comment, s.KeyID)
			}
			return
		}
		if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) || len(err.Error()) > 5*signature.MaxSize {
			t.Errorf("the error is %q", err)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add(read(f, "publisher.pub"))
	f.Add("RWQ")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := signature.ParseKey(text)
		if err != nil && len(text) > 20 && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the key: %v", err)
		}
		if err == nil && len(key.ID().String()) != 16 {
			t.Errorf("the id is %s", key.ID())
		}
	})
}

package format //nolint:testpackage // the bound on the text is too large for a test: a small one is set inside

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
)

const plain = "# list\na.example\nb.example\n"

func gzipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return out.String()
}

func zstandard(text string, options ...zstd.EOption) string {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, options...)
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return out.String()
}

func utf16Text(order unicode.Endianness, text string) string {
	out, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		panic(err)
	}
	return out
}

// names are the names that r yields, with the error that ends them.
func names(r *Reader) string {
	var found []string
	for rule, err := range r.Rules() {
		if err != nil {
			found = append(found, "error: "+err.Error())
			continue
		}
		found = append(found, rule.Name.String())
	}
	return strings.Join(found, " ")
}

func TestDecode(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(plain, 10_000)
	const good = "a.example b.example"
	for about, test := range map[string]struct{ data, want string }{
		"text":                  {plain, good},
		"UTF-8 with a mark":     {"\xef\xbb\xbf" + plain, good},
		"gzip":                  {gzipped(plain), good},
		"gzip, two members":     {gzipped("a.example\n") + gzipped("b.example\n"), good},
		"zstd":                  {zstandard(plain), good},
		"zstd, two frames":      {zstandard("a.example\n") + zstandard("b.example\n"), good},
		"gzip, UTF-8 with mark": {gzipped("\xef\xbb\xbf" + plain), good},
		"UTF-16, big end":       {utf16Text(unicode.BigEndian, plain), good},
		"UTF-16, little end":    {utf16Text(unicode.LittleEndian, "a.example\r\nb.example\r\n"), good},
		"UTF-16, other letters": {utf16Text(unicode.LittleEndian, "\u6296\u97f3.example"), "xn--pruv10j.example"},
		"UTF-16 in zstd":        {zstandard(utf16Text(unicode.LittleEndian, plain)), good},
		"gzip, cut":             {gzipped(long)[:len(gzipped(long))-9], "…the gzip data is cut short"},
		"gzip, cut in its head": {gzipped(plain)[:5], "…the gzip data is cut short"},
		"gzip, damaged":         {gzipped(plain)[:len(gzipped(plain))-8] + "12345678", "…decompress gzip data: gzip: invalid checksum"},
		"gzip and something":    {gzipped(plain) + "something else", "…decompress gzip data: gzip: invalid header"},
		"zstd, cut":             {zstandard(long)[:len(zstandard(long))-9], "…the zstd data is cut short"},
		"zstd, cut in its head": {zstandard(plain)[:5], "…zstd data"},
		"zstd, damaged":         {zstandard(plain)[:12] + "xxxxxxxx" + zstandard(plain)[20:], "…decompress zstd data"},
		"zstd, a wide window":   {wideWindow(), "…looks back further than 8 MiB"},
		"gzip in gzip":          {gzipped(gzipped(plain)), "…found gzip data in gzip data, want it compressed once"},
		"zstd in gzip":          {gzipped(zstandard(plain)), "…found zstd data in gzip data, want it compressed once"},
		"xz in gzip":            {gzipped("\xfd7zXZ\x00...."), "…found xz data"},
		"HTML in gzip":          {gzipped("<html>"), "…found an HTML page"},
		"a NUL far behind":      {long + "c.example\x00\n", "…line 30001: found binary data (a NUL octet)"},
		"a NUL octet in gzip":   {gzipped(plain + "\x00"), "…found binary data (a NUL octet)"},
		"more than may be":      {strings.Repeat("#\n", 1<<20) + "a.example", "…the text has more than 1048576 octets"},
		"a bomb":                {gzipped(strings.Repeat("#\n", 10<<20)), "…the text has more than 1048576 octets"},
		"a bomb, zstd":          {zstandard(strings.Repeat("#\n", 10<<20)), "…the text has more than 1048576 octets"},
		"a bomb without an end": {gzipped(strings.Repeat("x", 10<<20)), "…the text has more than 1048576 octets"},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			for _, from := range []io.Reader{strings.NewReader(test.data), iotest.HalfReader(strings.NewReader(test.data))} {
				r := NewReader(Names, from)
				r.limit = 1 << 20
				got := names(r)
				part, fails := strings.CutPrefix(test.want, "…")
				if !fails && got != test.want || fails && !(strings.Contains(got, "error: read list: ") && strings.Contains(got, part)) {
					t.Errorf("got %.200q, want %q", got, test.want)
				}
			}
		})
	}
}

// wideWindow is a zstd frame without content that asks for a window of 128 MiB (RFC 8878, section 3.1.1.1).
func wideWindow() string { return "\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00" }

func TestErrorOfTheSourceIsNotForgotten(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, data := range []string{plain, gzipped(plain)[:20], zstandard(plain)[:10], utf16Text(unicode.BigEndian, plain), "a", ""} {
		// The source goes on after its error, as some do.
		from := io.MultiReader(strings.NewReader(data), &once{err: broken}, strings.NewReader(plain))
		var last error
		for _, err := range NewReader(Names, from).Rules() {
			last = err
		}
		if !errors.Is(last, broken) {
			t.Errorf("%.10q: ended with %v, want %v", data, last, broken)
		}
	}
}

// once fails once and is at its end then.
type once struct{ err error }

func (o *once) Read([]byte) (int, error) {
	err := o.err
	o.err = io.EOF
	return 0, err
}

// FuzzDecode looks for data that keeps the decoders from ending, and checks that text comes back as it was, however packed.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{plain, gzipped(plain), zstandard(plain), utf16Text(unicode.LittleEndian, plain), wideWindow(), "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 20
		text, err := unpack(data, limit)
		if err != nil {
			return
		}
		if len(text) > limit || bytes.IndexByte(text, 0) >= 0 {
			t.Fatalf("%d octets of text", len(text))
		}
		if signature(text) != "" || packingOf(text) != "" || utf16(text) {
			return
		}
		for _, packed := range []string{gzipped(string(text)), zstandard(string(text))} {
			if again, err := unpack([]byte(packed), limit); err != nil || !bytes.Equal(again, text) {
				t.Fatalf("packed and unpacked %q is %q, %v", text, again, err)
			}
		}
	})
}

func unpack(data []byte, limit int64) ([]byte, error) {
	r, err := decode(bytes.NewReader(data), limit)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	defer r.Close()
	return io.ReadAll(r)
}

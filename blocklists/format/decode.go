package format

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
)

const (
	// MaxText is how much text a list may have, in octets, after decompression: more is an error.
	MaxText = 1 << 30

	maxWindow = 8 << 20 // octets that zstd may look back (RFC 8878, section 3.1.1.1.2)
)

// decode returns the text in r in UTF-8: decompressed, no longer than limit, without NUL octets. It knows by the first octets
// what r holds. The caller closes the text.
func decode(r io.Reader, limit int64) (io.ReadCloser, error) {
	in := bufio.NewReader(&steady{in: r})
	content, packing, err := decompress(in)
	if err != nil {
		return nil, fmt.Errorf("read list: %w", unpackError(packing, err))
	}
	if packing != "" {
		in = bufio.NewReader(&steady{in: content, packing: packing})
		if inner := packingOf(start(in)); inner != "" {
			content.Close()
			return nil, fmt.Errorf("read list: found %s in %s, want it compressed once", inner, packing)
		}
	}
	if found := signature(start(in)); found != "" {
		content.Close()
		return nil, unwanted(found)
	}
	text := io.Reader(in)
	if utf16(start(in)) {
		text = unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Reader(in)
	}
	return &bounded{Closer: content, in: text, limit: limit, left: limit}, nil
}

// start is the next eight octets of in, fewer if there are not as many: the error that says why comes again.
func start(in *bufio.Reader) []byte {
	head, _ := in.Peek(8)
	return head
}

// packingOf is what the data that begins with head is compressed as, "" if it is not, or not in a way that is read here.
func packingOf(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "gzip data"
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return "zstd data"
	default:
		return ""
	}
}

// utf16 reports whether head begins with the byte order mark of UTF-16, and not of UTF-32.
func utf16(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xfe\xff")) ||
		bytes.HasPrefix(head, []byte("\xff\xfe")) && !bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00"))
}

// decompress returns the content of in, and what in is: "" if it is not compressed.
func decompress(in *bufio.Reader) (content io.ReadCloser, packing string, err error) {
	packing = packingOf(start(in))
	switch packing {
	case "gzip data":
		content, err = gzip.NewReader(in)
	case "zstd data":
		var decoder *zstd.Decoder
		decoder, err = zstd.NewReader(in,
			zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			content = decoder.IOReadCloser()
		}
	default:
		content = io.NopCloser(in)
	}
	return content, packing, err
}

func unpackError(packing string, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the %s is cut short: %w", packing, err)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("the %s looks back further than %d MiB, want it compressed without --long and --ultra: %w",
			packing, maxWindow>>20, err)
	default:
		return fmt.Errorf("decompress %s: %w", packing, err)
	}
}

// steady repeats its error when it is asked again, and says what was decompressed if something was.
type steady struct {
	in      io.Reader
	packing string
	fault   error
}

func (s *steady) Read(to []byte) (n int, err error) {
	if s.fault != nil {
		return 0, s.fault
	}
	n, s.fault = s.in.Read(to)
	if s.packing != "" && s.fault != nil && !errors.Is(s.fault, io.EOF) {
		s.fault = unpackError(s.packing, s.fault)
	}
	return n, s.fault
}

var errNUL = errors.New("found binary data (a NUL octet), want a text with one rule a line")

// bounded lets no more than left octets through, and no NUL octet: a file system leaves whole blocks of them after a crash.
type bounded struct {
	io.Closer
	in    io.Reader
	limit int64
	left  int64
	fault error
}

func (b *bounded) Read(to []byte) (int, error) {
	if b.fault != nil {
		return 0, b.fault
	}
	n, err := b.in.Read(to)
	if int64(n) > b.left {
		n = int(b.left)
		err = fmt.Errorf("the text has more than %d octets, want a list of names", b.limit)
	}
	if nul := bytes.IndexByte(to[:n], 0); nul >= 0 {
		n, err = nul, errNUL
	}
	b.left -= int64(n)
	b.fault = err
	return n, err
}

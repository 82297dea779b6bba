package mirror

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
)

// draft is what a source writes to: a file that is not in place yet.
type draft struct {
	file *os.File
	buf  *bufio.Writer
	sum  hash.Hash
	size int64 // octets written
	max  int64
	err  error // the first one, which no later write forgets
}

const draftBuffer = 64 << 10

func newDraft(file *os.File, most int64) *draft {
	return &draft{file: file, buf: bufio.NewWriterSize(file, draftBuffer), sum: sha256.New(), max: most}
}

func (d *draft) Write(p []byte) (int, error) {
	if d.err == nil && int64(len(p)) > d.max-d.size {
		d.err = fmt.Errorf("it has more than %d octets: if it is meant to be that large, raise the limit of this list", d.max)
	}
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.buf.Write(p)
	d.sum.Write(p[:n])
	d.size += int64(n)
	d.fail(err)
	return n, d.err
}

// Reset throws away what was written so far. If that fails, the next write says so.
func (d *draft) Reset() {
	d.buf.Reset(d.file)
	d.sum.Reset()
	d.size, d.err = 0, nil
	_, err := d.file.Seek(0, io.SeekStart)
	d.fail(errors.Join(err, d.file.Truncate(0)))
}

func (d *draft) fail(err error) {
	if err != nil && d.err == nil {
		d.err = adviseWrite(err)
	}
}

// checksum is that of what was written, once all of it is in the file.
func (d *draft) checksum() (sum [sha256.Size]byte, err error) {
	d.fail(d.buf.Flush())
	d.sum.Sum(sum[:0])
	return sum, d.err
}

// discard removes the file, unless it was put in place.
func (d *draft) discard() {
	_ = d.file.Close()
	_ = os.Remove(d.file.Name())
}

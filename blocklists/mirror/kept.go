package mirror

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// kept is a copy and what only this package wants to know of it. It is immutable.
type kept struct {
	Copy
	name    string        // of the list
	refresh time.Duration // see [Outcome], 0 for what the configuration says
	written time.Time     // when the file was last written to, as the file system says
}

// record is what the small file beside the content says. Identities are kept as hashes: an address may hold what is
// nobody's business.
type record struct {
	List           string    `json:"list"`
	IdentitySHA256 string    `json:"identity_sha256"`
	Version        string    `json:"version"`
	SHA256         string    `json:"sha256"`
	Size           int64     `json:"size"`
	Fetched        time.Time `json:"fetched"`
	Checked        time.Time `json:"checked"`
	Signature      []byte    `json:"signature,omitempty"`
	RefreshSeconds int64     `json:"refresh_seconds,omitempty"`
	ExpireSeconds  int64     `json:"expire_seconds,omitempty"`
}

// maxRecord is the largest record in octets: a version of nothing but control characters is six times as long in JSON.
const maxRecord = 6*maxVersion + 2*maxSignature + 4<<10

// newKept is a copy that has just been fetched, but for its path.
func newKept(name, identity string, sum [sha256.Size]byte, size int64, o Outcome) *kept {
	now := wallTime()
	return &kept{
		Copy: Copy{
			Version: o.Version, Identity: identity, Signature: bytes.Clone(o.Signature), SHA256: sum, Size: size,
			Fetched: now, Checked: now, Expire: o.Expire,
		},
		name:    name,
		refresh: o.Refresh,
	}
}

// checkedAgain is k, whose content is still the newest.
func (k *kept) checkedAgain(o Outcome) *kept {
	next := *k
	next.Version, next.Signature = o.Version, bytes.Clone(o.Signature)
	next.Checked, next.Expire, next.refresh = wallTime(), o.Expire, o.Refresh
	return &next
}

// copied is what everybody else sees of k, nil for nil.
func (k *kept) copied() *Copy {
	if k == nil {
		return nil
	}
	return &k.Copy
}

func (k *kept) record() ([]byte, error) {
	text, err := json.MarshalIndent(record{
		List: k.name, IdentitySHA256: hexSum([]byte(k.Identity)), Version: k.Version, SHA256: hex.EncodeToString(k.SHA256[:]), Size: k.Size,
		Fetched: k.Fetched, Checked: k.Checked, Signature: k.Signature,
		RefreshSeconds: seconds(k.refresh), ExpireSeconds: seconds(k.Expire),
	}, "", "  ")
	return append(text, '\n'), err
}

// parseRecord is what the record of that list says, but for its path.
func parseRecord(text []byte, name, identity string) (*kept, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("it is no record of a copy: %w", err)
	}
	sum, err := hex.DecodeString(r.SHA256)
	switch {
	case err != nil || len(sum) != sha256.Size:
		return nil, fmt.Errorf("%.80q is not a checksum", r.SHA256)
	case r.List != name || r.IdentitySHA256 != hexSum([]byte(identity)):
		return nil, fmt.Errorf("it is about another list: %.80q", r.List)
	case r.Size < 0 || r.Size > maxContent:
		return nil, fmt.Errorf("%d is not the size of a list", r.Size)
	case len(r.Version) > maxVersion || len(r.Signature) > maxSignature:
		return nil, errors.New("its version or its signature is too long")
	}
	return &kept{
		Copy: Copy{
			Version: r.Version, Identity: identity, Signature: r.Signature, SHA256: [sha256.Size]byte(sum), Size: r.Size,
			Fetched: r.Fetched, Checked: r.Checked, Expire: duration(r.ExpireSeconds),
		},
		name:    name,
		refresh: duration(r.RefreshSeconds),
	}, nil
}

// verify reads the content and returns an error if it is not what it was when it was written.
func (k *kept) verify() error {
	if err := k.look(); err != nil {
		return err
	}
	f, err := os.Open(k.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(f, k.Size)); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), k.SHA256[:]) {
		return errors.New("its checksum does not hold: it was changed since it was written")
	}
	return nil
}

// look takes note of what the file looks like. It is an error if it can't be the content.
func (k *kept) look() error {
	info, err := os.Stat(k.Path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("it is a %s: want a regular file", info.Mode().Type())
	case info.Size() != k.Size:
		return fmt.Errorf("it has %d octets and not %d: it was changed since it was written", info.Size(), k.Size)
	}
	k.written = info.ModTime()
	return nil
}

// intact says whether the content is still there and was not written to: what costs nothing to see.
func (k *kept) intact() bool {
	info, err := os.Stat(k.Path)
	return err == nil && info.Mode().IsRegular() && info.Size() == k.Size && info.ModTime().Equal(k.written)
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// seconds is d in whole seconds, and 1 for a part of the first.
func seconds(d time.Duration) int64 {
	if d > 0 && d < time.Second {
		return 1
	}
	return int64(max(d, 0) / time.Second)
}

// duration is that many seconds, within what a duration can say.
func duration(seconds int64) time.Duration {
	const most = 100 * 365 * 24 * 60 * 60
	return time.Duration(min(max(seconds, 0), most)) * time.Second
}

package mirror

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrUnchanged is what a [Source] returns when the copy that there is is the newest version.
var ErrUnchanged = errors.New("unchanged")

// Source is where a list is copied from: package fetch has one for HTTP, package transfer one for zone transfers.
type Source interface {
	// Fetch writes the newest version to w, and returns what it is. have is the copy that there is, nil for none. It returns
	// [ErrUnchanged], with an Outcome whose timers count, if have is the newest version; what was written to w is thrown away then
	// and at every other error. The error says what was attempted, what was found and what would be right, and holds no secret. Fetch is
	// called by one goroutine at a time, and ends soon after ctx does; w is not written to after that.
	//
	// The writer that a [Mirror] gives has a method Reset(), too, which throws away what was written so far: for a source that finds
	// out late that it has to begin again.
	Fetch(ctx context.Context, have *Copy, w io.Writer) (Outcome, error)
}

// Outcome is what a fetch found.
type Outcome struct {
	// Version is the source's own name for what was fetched, handed back as [Copy.Version]: entity tag and date, or a serial. At most
	// 4 KiB.
	Version string
	// Signature is the detached signature of the content, nil if the source has none. At most 4 KiB.
	Signature []byte
	// Refresh is when to ask again, Retry when to ask again after a failure, Expire how long the copy counts as up to date without
	// a successful fetch. Zero: what the [Remote] says. More than a week counts as a week for the first two.
	Refresh, Retry, Expire time.Duration
}

// Copy is a list as it was last fetched. It is immutable.
type Copy struct {
	Path      string // of the content; the file is replaced by a newer one, never written in place
	Version   string // see [Outcome]
	Identity  string // of the source that it was fetched from: a copy of another one is none
	Signature []byte // see [Outcome]; nil for none
	SHA256    [32]byte
	Size      int64
	Fetched   time.Time // when this content came
	Checked   time.Time // when the source was last asked with success, that the content is still the newest included
	Expire    time.Duration
}

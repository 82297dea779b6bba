package blocklists

import (
	"fmt"
	"path/filepath"
	"strings"

	"cordon/blocklists/domain"
	"cordon/blocklists/format"
	"cordon/blocklists/signature"
)

// Source says where a list comes from, and what it takes to be believed.
type Source struct {
	Name   string        // the list's name in the policy
	Source string        // "builtin:NAME", "file:PATH" (or a pattern of paths), "inline" (or ""); anything else is read from Copy
	Dir    string        // a relative PATH starts here
	Within string        // files must lie in Dir, and Dir in this directory, also by symbolic links; "": anywhere
	Copy   string        // the file with a copy of what lies elsewhere
	Inline []string      // the lines of a list that stands in the policy itself
	Format format.Format // of all but built-in lists; Auto looks at the content

	// OwnZones are the organisation's own: they, what holds them, and what is in them can't be listed.
	OwnZones []domain.Name
	Guards   Guards
	// Signature is that of Copy; that of a file lies beside it.
	Signature []byte
	// Accept is the [List.Content] that is believed whatever the guards say, zero for none: somebody has looked at it.
	Accept Content
	// Progress, if not nil, is told from time to time how many of how many octets were read.
	Progress func(read, size int64)
}

// Guards are what a list must hold to be believed. The zero value bears no loss, no growth and hardly a bad line; see [DefaultGuards].
type Guards struct {
	MinEntries     int            // fewer names and networks than this are an error; values below 1 mean 1
	MaxShrink      int            // percent of the entries that may be lost at once; 100 is no bar
	MaxGrowth      int            // percent of the entries that may be gained at once; 0 is no bar
	MaxRejected    int            // percent of the entries that may be unusable; 100 is no bar
	MustContain    []domain.Name  // the list must match each
	MustNotContain []domain.Name  // the list must match none
	EndMarker      bool           // a file without an end marker is an error; one that is there is always checked
	Key            *signature.Key // the list must be signed with it; nil for none
}

// DefaultGuards are those for a list of which nothing else is known.
func DefaultGuards() Guards { return Guards{MaxShrink: 50, MaxGrowth: 400, MaxRejected: 10} }

const (
	builtinScheme = "builtin:"
	fileScheme    = "file:"
	inlineSource  = "inline"
)

// isInline says whether the list stands in the policy itself.
func (src *Source) isInline() bool { return src.Source == "" || src.Source == inlineSource }

// paths are the files with the content.
func (src *Source) paths() ([]string, error) {
	path, ok := strings.CutPrefix(src.Source, fileScheme)
	switch {
	case !ok && src.Copy == "":
		return nil, fmt.Errorf("source %q: there is no copy of it yet", src.Source)
	case !ok:
		return []string{src.Copy}, nil
	case path == "":
		return nil, fmt.Errorf("source %q: want file:PATH", src.Source)
	case !filepath.IsAbs(path):
		path = filepath.Join(src.Dir, path)
	}
	return src.matching(path)
}

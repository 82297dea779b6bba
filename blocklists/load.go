package blocklists

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"cordon/blocklists/builtin"
	"cordon/blocklists/format"
)

// Source says where a list comes from.
type Source struct {
	Name       string        // the list's name in the policy
	Source     string        // "builtin:NAME", "file:PATH", or "inline" (or "") with Inline
	Format     format.Format // of a file or of Inline; Auto looks at the content
	Inline     []string      // the lines of a list that stands in the policy itself
	MinEntries int           // fewer names and networks than this are an error; values below 1 mean 1
}

const (
	builtinScheme = "builtin:"
	fileScheme    = "file:"
	inlineSource  = "inline"
)

// Load reads the list that src names. A relative file path starts at dir.
//
// keep, if not nil, gets the octets of a file as they are read, for a last good copy that [Parse] reads back; it gets none
// of other sources, which need no copy. Errors of keep are not errors of the list and are dropped: pass a [bufio.Writer],
// whose Flush returns them. Throw the copy away when Load fails.
//
// The error says which list, what was found and what would be right. See the package comment for what makes one. When ctx
// ends, so does Load, with its error.
func Load(ctx context.Context, src Source, dir string, keep io.Writer) (*List, error) {
	l, err := load(ctx, src, dir, keep)
	if err != nil {
		return nil, fmt.Errorf("load list %s: %w", src.Name, err)
	}
	return l, nil
}

func load(ctx context.Context, src Source, dir string, keep io.Writer) (*List, error) {
	if name, ok := strings.CutPrefix(src.Source, builtinScheme); ok {
		return loadBuiltin(src, name)
	}
	if path, ok := strings.CutPrefix(src.Source, fileScheme); ok {
		return loadFile(ctx, src, path, dir, keep)
	}
	if src.Source == "" || src.Source == inlineSource {
		return loadInline(src)
	}
	return nil, fmt.Errorf("source %q: want builtin:NAME, file:PATH or names in the policy itself", src.Source)
}

func loadBuiltin(src Source, name string) (*List, error) {
	rules, err := builtin.Open(name)
	if err != nil {
		return nil, err
	}
	return src.gather(rules, "")
}

func loadFile(ctx context.Context, src Source, path, dir string, keep io.Writer) (*List, error) {
	if path == "" {
		return nil, fmt.Errorf("source %q: want file:PATH", src.Source)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := &boundedReader{ended: ctx.Err, from: f, keep: keep, left: MaxSize}
	l, err := src.gather(format.Read(src.Format, content), path)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", path, err)
	}
	if err := f.unchanged(MaxSize - content.left); err != nil {
		return nil, err
	}
	return l, nil
}

// loadInline is stricter than the other sources: a bad line was typed into the policy by hand, so it's an error there.
func loadInline(src Source) (*List, error) {
	if len(src.Inline) == 0 {
		return nil, errors.New("it has neither a source nor names: want source: builtin:NAME or file:PATH, or a list of names")
	}
	for i, text := range src.Inline {
		if strings.ContainsAny(text, "\r\n") {
			return nil, fmt.Errorf("entry %d: %q is more than one line: want one name an entry", i+1, text)
		}
	}
	src.Source = inlineSource
	text := strings.NewReader(strings.Join(src.Inline, "\n"))
	l, err := src.gather(format.Read(src.Format, text), "")
	if err != nil {
		return nil, err
	}
	if l.skipped > 0 {
		return nil, fmt.Errorf("%d of %d entries can't be used: %s", l.skipped, len(src.Inline), quote(l.faults))
	}
	return l, nil
}

// Parse reads a list from r as [Load] reads its file, with the same guards: a last good copy in the state directory, or
// content from elsewhere. path is what [List.Path] will say.
func Parse(src Source, path string, r io.Reader) (*List, error) {
	content := &boundedReader{ended: context.Background().Err, from: r, left: MaxSize}
	l, err := src.gather(format.Read(src.Format, content), path)
	if err != nil {
		return nil, fmt.Errorf("parse list %s: file %s: %w", src.Name, path, err)
	}
	return l, nil
}

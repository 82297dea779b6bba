package blocklists

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"cordon/blocklists/builtin"
	"cordon/blocklists/format"
)

// Load reads the list that src names. before is the version that is in force, or nil: if the content and how it is to be read
// did not change, it is returned itself, without being read again; else what it lost or gained is looked at. A before of another
// source does not count.
//
//	open ──▶ fingerprint ──▶ as before? ─ no ─▶ signature ──▶ parse, in chunks ──▶ the fingerprint still? ──▶ guards ──▶ List
//	         SHA-256             │ yes                        rules by line         else it was written to
//	                             └──────────────────────────────────────────────────────────────────────────▶ guards ──▶ before
//
// The error says which list, what was found and what would be right: a *GuardError for a list that could be read but is not
// believed, see [Source]. When ctx ends, so does Load, with its error.
func Load(ctx context.Context, src Source, before *List) (*List, error) {
	l, err := src.load(ctx, before)
	if err == nil {
		err = src.guard(l, before)
	}
	if err != nil {
		return nil, fmt.Errorf("load list %s: %w", src.Name, err)
	}
	return l, nil
}

func (src *Source) load(ctx context.Context, before *List) (*List, error) {
	if name, ok := strings.CutPrefix(src.Source, builtinScheme); ok {
		return src.loadBuiltin(name)
	}
	if src.isInline() {
		return src.loadInline()
	}
	files, err := src.openFiles()
	if err != nil {
		return nil, err
	}
	defer closeFiles(files)
	content, err := src.fingerprint(ctx, files)
	if err != nil {
		return nil, err
	}
	if before != nil && before.name == src.Name && before.source == src.Source && before.content == content {
		return before, nil
	}
	return src.parse(ctx, files, content, before)
}

// guard looks at a list that was read. What somebody accepted, and what no one can change without changing the policy, needs no guard.
func (src *Source) guard(l, before *List) error {
	if src.isInline() || strings.HasPrefix(src.Source, builtinScheme) || src.Accept == l.content {
		return nil
	}
	err := src.Guards.Check(l, before)
	switch {
	case err == nil:
		return nil
	case len(l.files) > 0:
		return fmt.Errorf("%d files of %s: %w", len(l.files), l.source, err)
	default:
		return fmt.Errorf("file %s: %w", l.path, err)
	}
}

func (src *Source) loadBuiltin(name string) (*List, error) {
	rules, err := builtin.Open(name)
	if err != nil {
		return nil, err
	}
	g := newGathering(&Source{}, nil) // whatever is ours: the program's own lists are as they are
	if err := g.takeAll(rules); err != nil {
		return nil, err
	}
	l, err := g.list(src)
	if err != nil {
		return nil, err
	}
	l.services = builtin.ServicesOf(name)
	return l, nil
}

// loadInline is stricter than the other sources: a bad line was typed into the policy by hand, so it's an error there.
func (src *Source) loadInline() (*List, error) {
	if len(src.Inline) == 0 {
		return nil, errors.New("it has neither a source nor names: want a source, or a list of names")
	}
	for i, text := range src.Inline {
		if strings.ContainsAny(text, "\r\n") {
			return nil, fmt.Errorf("entry %d: %q is more than one line: want one name an entry", i+1, text)
		}
	}
	g := newGathering(&Source{}, nil) // whoever writes the policy may list what is ours
	text := strings.NewReader(strings.Join(src.Inline, "\n"))
	if err := g.takeAll(format.Read(src.Format, text)); err != nil {
		return nil, err
	}
	l, err := g.list(&Source{Name: src.Name, Source: inlineSource})
	switch {
	case err != nil:
		return nil, err
	case l.Rejected() > 0:
		return nil, fmt.Errorf("%d of %d entries can't be used: %s", l.Rejected(), len(src.Inline), l.quoteFaults())
	case l.entries() == 0:
		return nil, errors.New("nothing in it can be used, want at least one name or network")
	}
	return l, nil
}

// parse makes the list of what is in files, whose fingerprint is content.
func (src *Source) parse(ctx context.Context, files []*file, content Content, before *List) (*List, error) {
	signed, err := src.verify(files)
	if err != nil {
		return nil, err
	}
	g := newGathering(src, before)
	if src.Accept != content {
		src.Guards.boundGrowth(g, content, before, src.Source)
	}
	again := src.newFingerprint()
	for _, f := range files {
		g.open(f.name)
		rules := format.NewReader(src.Format, again.from(ctx, f, src.Progress))
		if err := g.takeAll(rules.Rules()); err != nil {
			return nil, f.wrong(ctx, err)
		}
		g.end(rules)
	}
	if again.sum() != content {
		return nil, fmt.Errorf("file %s: it changed while it was read: write a new file beside it and rename that", files[0].name)
	}
	l, err := g.list(src)
	if err != nil {
		return nil, err
	}
	l.content, l.signed = content, signed.Time
	return l, nil
}

// Empty is a list that holds nothing, in place of one that is not known.
func Empty(name, source string) *List {
	return &List{name: name, source: source}
}

// Parse reads the list in r as [Load] reads a file, but asks no guard. path is what places in it are said with.
func Parse(src Source, path string, r io.Reader) (*List, error) {
	g := newGathering(&src, nil)
	g.open(path)
	rules := format.NewReader(src.Format, r)
	if err := g.takeAll(rules.Rules()); err != nil {
		return nil, fmt.Errorf("list %s: %s: %w", src.Name, path, err)
	}
	g.end(rules)
	l, err := g.list(&src)
	if err != nil {
		return nil, fmt.Errorf("list %s: %s: %w", src.Name, path, err)
	}
	return l, nil
}

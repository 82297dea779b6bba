package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cordon/blocklists/domain"
)

// List names a set of domain names, and perhaps of networks, from one source.
type List struct {
	Place
	// Name is what policies and exceptions call it. Required; unique among lists.
	Name string `yaml:"name" opt:"required name"`
	// Source is where it comes from. Either Source or Names.
	//
	//	builtin:tiktok               inside the program
	//	file:lists/extra.txt         a file; relative to the directory of the policy file
	//	file:lists/*.txt             all files that match are one list (path/filepath.Match)
	//	https://lists.example/a.txt  fetched again and again
	//	rpz:rpz.example              a response policy zone, transferred from Primaries
	Source string `yaml:"source"`
	// Names are the entries themselves, in place of Source: "tiktok.com" is that name and all below it, "*.tiktok.com"
	// only those below it, "=tiktok.com" only itself.
	Names []string `yaml:"names" opt:"pattern"`
	// Format is how it is written; default auto. A zone that is transferred is always rpz.
	Format string `yaml:"format" oneof:"auto names hosts networks adblock dnsmasq unbound rpz" default:"auto"`

	// Refresh is how often an https source is asked for a newer version, give or take a tenth. 1 minute to 30 days; default 1
	// hour. A zone says that itself.
	Refresh time.Duration `yaml:"refresh" default:"1h" min:"1m" max:"30d"`
	// Timeout is how long fetching or transferring may take. 1 s to 1 hour; default 2 minutes.
	Timeout time.Duration `yaml:"timeout" default:"2m" min:"1s" max:"1h"`
	// MaxSize is how large it may be, as it is fetched or transferred. 1 KiB to 512 MiB; default 64 MiB.
	MaxSize Size `yaml:"max_size" default:"64MiB" min:"1KiB" max:"512MiB"`
	// TokenFile is a file with the bearer token for an https source (RFC 6750). Empty: none.
	TokenFile string `yaml:"token_file" opt:"path"`
	// CAFile has the certificates, in PEM, by which the server of an https source is known, in place of the system's. Empty: the system's.
	CAFile string `yaml:"ca_file" opt:"path"`
	// Primaries are the servers that a zone is transferred from, the first that answers. Port 53 if none is written.
	Primaries []netip.AddrPort `yaml:"primaries" opt:"upstream"`
	// TSIGFile is a file with the key that transfers are signed with (RFC 8945), in the form that tsig-keygen writes. Empty: unsigned.
	TSIGFile string `yaml:"tsig_file" opt:"path"`

	// SignedBy is the minisign public key that the list must be signed with, as the file FILE.minisig, or URL.minisig, beside it.
	// Empty: no signature is looked for.
	SignedBy string `yaml:"signed_by"`
	// MinEntries is how many entries it must have at least to be believed. 0 to 100 000 000; default 0.
	MinEntries int `yaml:"min_entries" default:"0" min:"0" max:"100000000"`
	// MaxShrink is how much of its entries it may lose at once, and MaxGrowth how many it may gain, as a share of those before;
	// default 50 % and 400 %. Losing up to 10 entries and gaining up to 1000 is never too much; an end marker in the list
	// makes any loss believed.
	MaxShrink Percent `yaml:"max_shrink" default:"50%" min:"0%" max:"100%"`
	MaxGrowth Percent `yaml:"max_growth" default:"400%" min:"0%" max:"1000000%"`
	// MaxRejected is the share of its entries that may be unusable; default 10 %. Up to 5 are never too many.
	MaxRejected Percent `yaml:"max_rejected" default:"10%" min:"0%" max:"100%"`
	// MustContain are names that the list must match, MustNotContain names that it must not. Optional.
	MustContain    []domain.Name `yaml:"must_contain"`
	MustNotContain []domain.Name `yaml:"must_not_contain"`
	// EndMarker is required if a list without the line "# end of list: 1234 entries" at its end is not to be believed. Default optional.
	EndMarker string `yaml:"end_marker" oneof:"optional required" default:"optional"`
	// MaxAge is how old it may be (since a file was written, or a source last answered) before that is said aloud. It stays in force.
	// Zero: what its source says, which is 7 days for https, the zone's expiry for a zone, never for the rest.
	MaxAge time.Duration `yaml:"max_age" min:"1m" max:"3650d"`

	// Dir is the directory of the policy file that has the list. It is not a key.
	Dir string
	// Within is the policy directory if an owned file has the list: its files must lie in Dir, and that in Within, also by symbolic links.
	// "": anywhere. It is not a key.
	Within string
}

// Kind is what kind of source a list has.
type Kind string

// The kinds of sources, by what they begin with.
const (
	Inline  Kind = ""
	Builtin Kind = "builtin"
	OnDisk  Kind = "file"
	HTTPS   Kind = "https"
	HTTP    Kind = "http"
	Zone    Kind = "rpz"
)

// Kind is what Source begins with, and the rest of it, after the colon.
func (l *List) Kind() (kind Kind, rest string) {
	scheme, rest, _ := strings.Cut(l.Source, ":")
	return Kind(scheme), rest
}

// Remote says whether the list is fetched or transferred from elsewhere.
func (l *List) Remote() bool {
	kind, _ := l.Kind()
	return kind == HTTPS || kind == HTTP || kind == Zone
}

// Path is the file, or the pattern of files, of a list on disk, relative to the working directory or absolute; "" for others.
func (l *List) Path() string {
	kind, path := l.Kind()
	switch {
	case kind != OnDisk:
		return ""
	case filepath.IsAbs(path):
		return path
	default:
		return filepath.Join(l.Dir, path)
	}
}

const wantSource = "want builtin:NAME, file:PATH, https://… or rpz:ZONE"

func (l *List) check() Faults {
	switch {
	case l.unread():
		return nil
	case l.Has("source") && l.Has("names"):
		return Faults{faultAt(l.At("names"), "list %q has both source and names: want one of them", l.Name)}
	case !l.Has("source") && !l.Has("names"):
		return Faults{faultAt(l.Pos, `list %q has no source: want source: "builtin:tiktok", source: "file:…" or names: […]`, l.Name)}
	case l.Source == "" && !l.Has("names"):
		return nil // it has its fault already
	}
	if wrong := l.wrongSource(); wrong != "" {
		return Faults{faultAt(l.At("source"), "source: %s", wrong)}
	}
	return append(l.useless(), l.checkRemote()...)
}

// wrongSource says what is wrong with Source, "" if nothing is.
func (l *List) wrongSource() string {
	kind, rest := l.Kind()
	switch {
	case l.Has("names"):
		return ""
	case !strings.Contains(l.Source, ":"):
		return fmt.Sprintf("found %s, %s, such as %q", quote(l.Source), wantSource, "file:"+brief(l.Source))
	case rest == "":
		return fmt.Sprintf("found %s, %s", quote(l.Source), wantSource)
	}
	switch kind {
	case HTTP, HTTPS:
		return wrongURL(l.Source)
	case Zone:
		if _, err := domain.Parse(rest); err != nil {
			return fmt.Sprintf("found %s, want the name of a zone such as rpz:rpz.example", quote(l.Source))
		}
	case OnDisk:
		if _, err := filepath.Match(rest, ""); err != nil {
			return fmt.Sprintf("found %s, want a path or a pattern such as file:lists/*.txt", quote(l.Source))
		}
	case Builtin, Inline:
	default:
		return fmt.Sprintf("there are no lists from %s: %s%s", quote(string(kind)), wantSource,
			didYouMean(string(kind), []string{"builtin", "file", "https", "rpz"}))
	}
	return ""
}

func wrongURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return fmt.Sprintf("found %s, want a URL such as https://lists.example/tiktok.txt", quote(text))
	case u.User != nil:
		return "a URL with a user name or password stands in the log: want a token in a token_file"
	case u.Fragment != "":
		return fmt.Sprintf("found %s, want a URL without #", quote(text))
	}
	return ""
}

// useless finds keys that mean nothing for the list's source.
func (l *List) useless() Faults {
	kind, _ := l.Kind()
	what := map[Kind]string{
		Inline: "a list with names", Builtin: "a built-in list", OnDisk: "a list in a file",
		HTTP: "a list from a URL", HTTPS: "a list from a URL", Zone: "a zone that is transferred",
	}[kind]
	var faults Faults
	for _, key := range []struct {
		name  string
		kinds []Kind
	}{
		{"format", []Kind{OnDisk, HTTP, HTTPS}},
		{"refresh", []Kind{HTTP, HTTPS}},
		{"timeout", []Kind{HTTP, HTTPS, Zone}},
		{"max_size", []Kind{HTTP, HTTPS, Zone}},
		{"token_file", []Kind{HTTP, HTTPS}},
		{"ca_file", []Kind{HTTP, HTTPS}},
		{"primaries", []Kind{Zone}},
		{"tsig_file", []Kind{Zone}},
		{"signed_by", []Kind{OnDisk, HTTP, HTTPS}},
		{"min_entries", []Kind{OnDisk, HTTP, HTTPS, Zone}},
		{"max_shrink", []Kind{OnDisk, HTTP, HTTPS, Zone}},
		{"max_growth", []Kind{OnDisk, HTTP, HTTPS, Zone}},
		{"max_rejected", []Kind{OnDisk, HTTP, HTTPS, Zone}},
		{"must_contain", []Kind{OnDisk, HTTP, HTTPS, Zone}},
		{"must_not_contain", []Kind{OnDisk, HTTP, HTTPS, Zone}},
		{"end_marker", []Kind{OnDisk, HTTP, HTTPS}},
		{"max_age", []Kind{OnDisk, HTTP, HTTPS, Zone}},
	} {
		if l.Has(key.name) && !slices.Contains(key.kinds, kind) {
			faults = append(faults, faultAt(l.At(key.name), "%s: %s has no use for it: leave it out", key.name, what))
		}
	}
	return faults
}

// checkRemote finds what is wrong with, or missing from, what a list from elsewhere needs.
func (l *List) checkRemote() Faults {
	kind, _ := l.Kind()
	var faults Faults
	if kind == Zone && len(l.Primaries) == 0 && !l.faulty {
		faults = append(faults, faultAt(l.At("source"), "list %q has no primaries: want the servers to transfer the zone from, such as "+
			"primaries: [192.0.2.53]", l.Name))
	}
	if kind == HTTP && l.CAFile != "" {
		faults = append(faults, faultAt(l.At("ca_file"), "ca_file: http has no certificates: want https"))
	}
	for _, names := range []struct {
		key   string
		names []domain.Name
	}{{"must_contain", l.MustContain}, {"must_not_contain", l.MustNotContain}} {
		for i, name := range names.names {
			if strings.HasPrefix(name.String(), "*.") {
				faults = append(faults, faultAt(l.AtElement(names.key, i),
					"%s: found %q, want a name that is asked for, such as www.example.com", names.key, name))
			}
		}
	}
	if kind == HTTP && l.TokenFile != "" {
		faults = append(faults, faultAt(l.At("token_file"), "token_file: it would cross the network in the clear: want https"))
	}
	if kind == HTTP && l.SignedBy == "" && !l.faulty {
		faults = append(faults, warningAt(l.At("source"),
			"source: whoever is on the way can change what http brings: want https, or signed_by"))
	}
	return faults
}

package blocklists

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"cordon/blocklists/format"
)

// List is a named set of names and networks from one source, as [Load], [Parse] or [ReadList] made it. It is immutable and safe
// for concurrent use. It keeps 4 octets more for a name than its wire form, and no pointer for it.
type List struct {
	name     string
	source   string
	path     string
	hash     [sha256.Size]byte
	arena    arena
	networks []network
	faults   []format.LineError
	files    []File // in the order of their lines; nil for one source
	loaded   time.Time
	format   format.Format // of the last file
	services []Service     // by line, from 1; nil unless it is from the binary

	content Content   // zero of a list from the policy or from the binary
	signed  time.Time // what the signature says; zero for none
	marked  bool      // every file has an end marker

	records         int // in the arena
	names           int // that block
	blockedNetworks int
	allowed         int // names and networks
	canceled        int
	lines           int // entries that the publisher wrote
	bad             int // of them, those that could not be read
	protected       int // rules for what may not be listed whole
}

// Name is the list's name in the policy.
func (l *List) Name() string { return l.name }

// Source is where the list comes from, as the policy says it: "builtin:tiktok", "file:lists/extra.txt" or "inline".
func (l *List) Source() string { return l.source }

// Path is the file that was read, "" for a list from the binary or from the policy itself.
func (l *List) Path() string { return l.path }

// Hash is the SHA-256 of the rules with their lines. Two lists with one hash decide and report alike; a touched file,
// another comment at the end of a line or other blanks don't change it. The list's name and its rejected lines are not part
// of it.
func (l *List) Hash() [sha256.Size]byte { return l.hash }

// sum makes the hash: of all records, however they lie in chunks, and of the networks.
func (l *List) sum() [sha256.Size]byte {
	sum := sha256.New()
	_, _ = sum.Write(binary.BigEndian.AppendUint64(nil, uint64(l.records)))
	for _, chunk := range l.arena {
		_, _ = sum.Write(chunk[firstRecord:])
	}
	for _, n := range l.networks {
		_, _ = sum.Write(n.append(nil))
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

// count counts what is in the arena and in the networks.
func (l *List) count() {
	for place, name := range l.arena.records() {
		l.records++
		l.countOne(l.arena.ruling(place, len(name)), &l.names)
	}
	for _, n := range l.networks {
		l.countOne(n.said, &l.blockedNetworks)
	}
}

func (l *List) countOne(said ruling, blocking *int) {
	if said.blocks() {
		*blocking++
	}
	if said.allows() {
		l.allowed++
	}
}

// Len is the number of names that are blocked, themselves or what is below them; a name that stands twice counts once.
func (l *List) Len() int { return l.names }

// Networks is the number of networks that are blocked.
func (l *List) Networks() int { return l.blockedNetworks }

// Allowed is the number of names and networks that allow rules are about; a name may be among those of Len too.
func (l *List) Allowed() int { return l.allowed }

// Canceled is the number of rules that block and are not in force because another rule cancels them whatever they are.
func (l *List) Canceled() int { return l.canceled }

// Rejected is the number of entries that are not in force: they could not be read, or they name what may not be listed.
func (l *List) Rejected() int { return l.bad + l.protected }

// Faults returns the first [MaxFaults] rejected entries, in a slice of the caller's own. Their lines are for [List.Place].
func (l *List) Faults() []format.LineError { return slices.Clone(l.faults) }

// Content identifies what the list was read from; zero for a list from the binary or from the policy itself.
func (l *List) Content() Content { return l.content }

// Marked says whether the list ends in an end marker, whose count is right.
func (l *List) Marked() bool { return l.marked }

// Format is what it was read as: of several files the last; [format.Auto] for a list from the binary.
func (l *List) Format() format.Format { return l.format }

// Loaded is when reading ended.
func (l *List) Loaded() time.Time { return l.loaded }

// entries is the number of things that are blocked.
func (l *List) entries() int { return l.names + l.blockedNetworks }

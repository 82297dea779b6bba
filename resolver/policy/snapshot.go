package policy

import (
	"net/netip"
	"slices"
	"time"

	"cordon/blocklists"
	"cordon/resolver/agency"
)

// Snapshot is a whole policy, compiled. It is immutable and safe for concurrent use; it is made by [Compile]. What its
// methods return is shared and must not be changed.
type Snapshot struct {
	id   uint64
	hash string

	lists      []*blocklists.List
	set        *blocklists.Set
	policies   []*Policy
	agencies   []*Agency
	exceptions []*Exception

	networks *agency.Table // leads to askers
	askers   []*Asker
	stranger *Asker   // whoever is in no network
	general  []*Asker // by agency: a client that no exception names
	changes  []Change
}

// ID returns the number of the snapshot, ≥ 1: no two of one process have the same.
func (s *Snapshot) ID() uint64 { return s.id }

// Hash returns the hash of the whole policy, as the caller of Compile made it.
func (s *Snapshot) Hash() string { return s.hash }

// Set returns the compiled lists.
func (s *Snapshot) Set() *blocklists.Set { return s.set }

// Policies returns all policies in the order of the files: Policies()[i].Index is i.
func (s *Snapshot) Policies() []*Policy { return s.policies }

// Agencies returns all agencies in the order of the files, and "default" at the end if nobody wrote it: Agencies()[i].Index
// is i.
func (s *Snapshot) Agencies() []*Agency { return s.agencies }

// Lists returns all lists in the order of Config.Lists: Lists()[i] has the index i.
func (s *Snapshot) Lists() []*blocklists.List { return s.lists }

// Exceptions returns all exceptions in the order of the files: Exceptions()[i].Index is i.
func (s *Snapshot) Exceptions() []*Exception { return s.exceptions }

// Idle returns the exceptions that no client can ever use: all of their clients belong to agencies that they are not for.
func (s *Snapshot) Idle() []*Exception {
	var idle []*Exception
	for _, e := range s.exceptions {
		if !e.used {
			idle = append(idle, e)
		}
	}
	return idle
}

// Asker is what the address of a client leads to. It is immutable and shared by all clients that are alike.
type Asker struct {
	agency      *Agency
	allowed     bool
	mode        AgencyMode
	policies    []*Policy      // its own and its ancestors', in the order of the files
	permissions []*permissions // what it may use: its own, its agency's, those that ancestors give to all below them; none is nil
	named       bool           // an exception names it: it has some of its own
	lastEnd     time.Time      // when the last of them ends; zero without any
}

// Asker returns who asks from the address a, never nil, and whether that address is in a network of an agency or in an allowed
// one. An IPv4-mapped address is the IPv4 address; a zone is disregarded. It allocates nothing.
func (s *Snapshot) Asker(a netip.Addr) (asker *Asker, allowed bool) {
	id, ok := s.networks.Lookup(a)
	if !ok {
		return s.stranger, false
	}
	asker = s.askers[id]
	return asker, asker.allowed
}

// AskersOf returns who can ask for the agency a of s: first a client that no exception names, whether or not there is one, then
// those that exceptions name, in no order. It is slow.
func (s *Snapshot) AskersOf(a *Agency) []*Asker {
	all := []*Asker{s.general[a.Index]}
	for _, asker := range s.askers {
		if asker.agency == a && asker.named {
			all = append(all, asker)
		}
	}
	return all
}

// Agency returns the agency of the asker, never nil.
func (a *Asker) Agency() *Agency { return a.agency }

// Policies returns the policies that the asker has: its agency's own and those of the ancestors, in the order of the files.
func (a *Asker) Policies() []*Policy { return a.policies }

// Exceptions returns the exceptions that can apply to the asker, in the order of the files, whether in force or not. It is slow.
func (a *Asker) Exceptions() []*Exception {
	var all []*Exception
	for _, ps := range a.permissions {
		all = append(all, ps.all...)
	}
	slices.SortFunc(all, byIndex)
	return all
}

// hasExceptions says whether an exception of a is in force or will be.
func (a *Asker) hasExceptions(now Instant) bool {
	return len(a.permissions) > 0 && now.before(a.lastEnd)
}

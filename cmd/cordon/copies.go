package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/blocklists/fetch"
	"cordon/blocklists/mirror"
	"cordon/blocklists/transfer"
	"cordon/config"
)

// Lists from elsewhere are copied into the state directory, in the background, and read from there like any other file. A new copy is
// a change like that of a file.
//
//	https ──▶ fetch ────┐
//	                    ├─▶ mirror ──▶ copy in state_dir ──▶ the reload path
//	zone ───▶ transfer ─┘      ▲
//	            NOTIFY ────────┘

// firstPatience is how long a start waits for lists that were never fetched.
const firstPatience = 30 * time.Second

// remoteFunc is a list from elsewhere and how to get it: by [remoteBy], but in tests. The zone is nil for a list that is none.
type remoteFunc func(*config.List) (mirror.Remote, *transfer.Zone, error)

// remoteBy is a remoteFunc for the network, which logs to log.
func remoteBy(log *slog.Logger) remoteFunc {
	return func(declared *config.List) (mirror.Remote, *transfer.Zone, error) { return remote(declared, log) }
}

// remote is a list from elsewhere and how to get it in the network.
func remote(declared *config.List, log *slog.Logger) (mirror.Remote, *transfer.Zone, error) {
	r := mirror.Remote{
		Name: declared.Name, Identity: remoteIdentity(declared), Refresh: declared.Refresh, MaxSize: int64(declared.MaxSize),
	}
	if kind, name := declared.Kind(); kind == config.Zone {
		zone, err := newZone(declared, name, log)
		r.Source = zone
		return r, zone, err
	}
	c := fetch.Config{
		URL: declared.Source, Timeout: declared.Timeout, MaxSize: int64(declared.MaxSize),
		TokenFile: declared.TokenFile, CAFile: declared.CAFile, Version: thisBuild().version,
	}
	if declared.SignedBy != "" {
		c.SignatureURL = signatureURL(declared.Source)
	}
	client, err := fetch.New(c)
	r.Source = client
	return r, nil, err
}

// newZone is the zone called name, as declared says that it is transferred.
func newZone(declared *config.List, name string, log *slog.Logger) (*transfer.Zone, error) {
	zone, err := domain.Parse(name)
	if err != nil {
		return nil, err
	}
	c := transfer.Config{Zone: zone, Primaries: declared.Primaries, MaxSize: int64(declared.MaxSize), MaxTime: declared.Timeout, Log: log}
	if declared.TSIGFile != "" {
		c.TSIG = &transfer.Key{SecretFile: declared.TSIGFile}
	}
	return transfer.New(c)
}

// remoteIdentity is all that makes a list from elsewhere the list that it is: a copy from another place is a copy of another list, but a
// zone is the same whichever primary it comes from.
func remoteIdentity(declared *config.List) string {
	return fmt.Sprintf("%s signed=%t", declared.Source, declared.SignedBy != "")
}

// signatureURL is where the signature of what lies at address is: beside it, with the ending that minisign gives it.
func signatureURL(address string) string {
	path, query, found := strings.Cut(address, "?")
	path += blocklists.SignatureExtension
	if found {
		path += "?" + query
	}
	return path
}

// remotes are the lists from elsewhere of sets; of two with one name the first counts. A list that can't be set up is left out, and said in
// the error.
func remotes(remote remoteFunc, sets ...*config.PolicySet) (all []mirror.Remote, zones map[string]*transfer.Zone, err error) {
	zones = map[string]*transfer.Zone{}
	seen := map[string]bool{}
	for _, set := range sets {
		for _, declared := range set.Lists {
			if !declared.Remote() || seen[declared.Name] {
				continue
			}
			seen[declared.Name] = true
			r, zone, wrong := remote(declared)
			if wrong != nil {
				err = errors.Join(err, fmt.Errorf("%s: list %s: %w", declared.Pos, declared.Name, wrong))
				continue
			}
			all = append(all, r)
			if zone != nil {
				zones[declared.Name] = zone
			}
		}
	}
	return all, zones, err
}

// newLoader makes the loader, and the mirror that it has copies from.
func (s *server) newLoader(p *progress) (err error) {
	s.loader = &loader{
		log: s.log, allowed: s.service.AllowClients, forward: zonesOf(s.service), state: s.state, progress: p.list, mirrored: s.mirrored,
	}
	if s.remote == nil {
		s.remote = remoteBy(s.traffic)
	}
	s.copied = make(chan struct{}, 1)
	if s.state == nil {
		return nil
	}
	s.copies, err = mirror.New(mirror.Config{Dir: s.state.mirror(), Log: s.log, Changed: func(string) { wake(s.copied) }})
	s.outcome.fetched = s.copies
	return err
}

// wake leaves a value in c, which has room for one, for whoever waits there.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// mirrored is the copy of a list from elsewhere, nil if there is none.
func (s *server) mirrored(declared *config.List) *mirror.Copy {
	if s.copies == nil {
		return nil
	}
	return s.copies.Copy(declared.Name, remoteIdentity(declared))
}

// mirrored is the copy of a list from elsewhere that a server has made, nil if there is none, or if it may not be read. Nothing is fetched.
func (d *stateDir) mirrored(declared *config.List) *mirror.Copy {
	if _, err := os.Stat(d.mirror()); err != nil {
		return nil // and nothing is made there: it would belong to whoever runs this command
	}
	m, err := mirror.New(mirror.Config{Dir: d.mirror(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil
	}
	r, _, err := remote(declared, slog.New(slog.DiscardHandler))
	if err != nil || m.Set([]mirror.Remote{r}) != nil {
		return nil
	}
	return m.Copy(r.Name, r.Identity)
}

func (d *stateDir) mirror() string { return filepath.Join(d.path, mirrorDir) }

// copyFor makes the lists from elsewhere that files and the policy in force name the ones that are copied: those of files first, so
// that what is new comes.
func (s *server) copyFor(files []config.File) {
	written, _ := config.ParsePolicy(files)
	sets := []*config.PolicySet{written}
	if s.loader.good != nil {
		sets = append(sets, s.loader.good.set)
	}
	s.copyAll(sets...)
}

// copyInForce is copyFor, but with those in force first: while a file is held, its lists are kept fresh as they were.
func (s *server) copyInForce(files []config.File) {
	written, _ := config.ParsePolicy(files)
	s.copyAll(s.loader.good.set, written)
}

// copyAll makes the lists from elsewhere of sets the ones that are copied; of two with one name the first counts.
func (s *server) copyAll(sets ...*config.PolicySet) {
	if s.copies == nil {
		return
	}
	all, zones, err := remotes(s.remote, sets...)
	err = errors.Join(err, s.copies.Set(all))
	if err != nil {
		s.log.Error("a list from elsewhere is not copied", "error", err)
	}
	s.remotes = nil
	for _, r := range all {
		s.remotes = append(s.remotes, r.Name)
	}
	s.listenFor(zones)
}

// firstCopies waits, for a while, for lists of which there is no copy at all.
func (s *server) firstCopies(ctx context.Context, stderr io.Writer) {
	if s.copies == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, firstPatience)
	defer cancel()
	if !slices.ContainsFunc(s.remotes, s.neverFetched) {
		return // what there is of them is good enough to begin with
	}
	s.log.Info("waiting for lists that were never fetched", "at_most", firstPatience)
	s.copies.First(ctx)
	for _, name := range s.remotes {
		if status := s.copies.Status(name); status.LastError != "" {
			fmt.Fprintf(stderr, "list %s: %s\n", name, status.LastError)
		}
	}
}

// neverFetched says whether there is neither a copy nor a last good version of the list called name.
func (s *server) neverFetched(name string) bool {
	_, kept := s.loader.kept.list(name)
	return !kept && s.copies.Status(name).LastSuccess.IsZero()
}

// pokeAll has all sources asked now.
func (s *server) pokeAll() {
	for _, name := range s.remotes {
		s.copies.Poke(name)
	}
}

// pokeFailed has the sources asked that failed: what was wrong may be what has changed now, a token or a key.
func (s *server) pokeFailed() {
	for _, name := range s.remotes {
		if s.copies.Status(name).Failures > 0 {
			s.copies.Poke(name)
		}
	}
}

// listenFor has every NOTIFY for one of zones, which are by the names of their lists, lead to a look at its primary.
func (s *server) listenFor(zones map[string]*transfer.Zone) {
	byZone := map[string][]string{}
	table := make([]*transfer.Zone, 0, len(zones))
	for list, zone := range zones {
		byZone[zone.Name()] = append(byZone[zone.Name()], list)
		table = append(table, zone)
	}
	notifies := new(transfer.Notifies)
	notifies.Set(table)
	var heard perSecond
	s.notify = func(dst []byte, client netip.Addr, msg []byte) ([]byte, bool) {
		if !heard.allow(time.Now(), maxNotifies) {
			return dst, false
		}
		answer, zone, ok := notifies.Handle(client, msg)
		for _, list := range byZone[zone] {
			s.copies.Poke(list)
		}
		return append(dst, answer...), ok
	}
	if s.resolver != nil {
		s.resolver.Notify(s.notify)
	}
}

// maxNotifies is how many NOTIFYs a second are looked at: a key is read from its file for each that claims to be a primary's.
const maxNotifies = 50

// perSecond counts what happens within a second. It may be used by any number of goroutines at once.
type perSecond struct{ second, count atomic.Int64 }

// allow says whether less than limit happened in the second of now.
func (p *perSecond) allow(now time.Time, limit int64) bool {
	if second := now.Unix(); p.second.Swap(second) != second {
		p.count.Store(0)
	}
	return p.count.Add(1) <= limit
}

// zonesOf are the zones that have servers of their own, or are answered here: they are the organisation's.
func zonesOf(service *config.Service) []domain.Name {
	zones := slices.Clone(service.Local.Zones)
	for i := range service.Forward {
		zones = append(zones, service.Forward[i].Zones()...)
	}
	slices.Sort(zones)
	return zones
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"cordon/blocklists"
	"cordon/config"
)

// firstPolicy puts the policy in force that is written, or, if that has faults, the last good one with what is not faulty. Nothing is
// saved yet: nobody who asks has to wait for the disk.
func (s *server) firstPolicy(ctx context.Context, stderr io.Writer) error {
	kept, err := s.state.load()
	if err != nil {
		s.log.Error("there is no last good state to fall back on", "error", err)
	}
	s.loader.kept = kept
	files, err := policyFiles(s.service.PolicyDir)
	if err == nil {
		s.copyFor(files)
		s.firstCopies(ctx, stderr)
		err = s.loadFirst(ctx, files)
	}
	if err == nil {
		s.took()
		return nil
	}
	sayFaults(stderr, err)
	if s.loader.kept == nil {
		return errNoPolicy
	}
	if keptErr := s.loader.seed(ctx, s.service.PolicyDir); keptErr != nil {
		return s.withoutKept(ctx, files, keptErr)
	}
	s.log.Error("the policy has faults: starting with the last good one", "state_dir", s.service.StateDir)
	if files == nil {
		s.loader.holdToo(s.service.PolicyDir, err)
		s.took()
		return nil
	}
	if _, err = s.loader.load(ctx, files); err == nil {
		s.took()
	}
	return err
}

// withoutKept puts in force what is written, as far as it can be without the last good policy, which can't be for keptErr.
func (s *server) withoutKept(ctx context.Context, files []config.File, keptErr error) error {
	s.loader.kept.Policy = nil // its lists are good all the same
	err := errNoPolicy
	if files != nil {
		_, err = s.loader.load(ctx, files)
	}
	if err != nil {
		return fmt.Errorf("%w; nor the last good one: %w", errNoPolicy, keptErr)
	}
	s.log.Error("the last good policy can't be used: what has a fault is left out", "error", keptErr)
	s.took()
	return nil
}

// loadFirst loads files. If a list from elsewhere has a copy that can't be used and nothing else, its source is asked again at once: it
// may have been mended since.
func (s *server) loadFirst(ctx context.Context, files []config.File) error {
	_, err := s.loader.load(ctx, files)
	lacking := err != nil && s.loader.kept == nil || err == nil && (s.loader.lacksLists() || len(s.loader.holds) > 0)
	if len(s.remotes) == 0 || !lacking {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, firstPatience)
	defer cancel()
	s.copies.Again(asking)
	_, err = s.loader.load(ctx, files)
	return err
}

// sayFaults says everything that is wrong, with the places if it is about files.
func sayFaults(w io.Writer, err error) {
	if faults, ok := errors.AsType[config.Faults](err); ok {
		io.WriteString(w, faults.Render()) //nolint:errcheck // nobody is left to be told
		return
	}
	fmt.Fprintf(w, "%v\n", err)
}

// follow puts in force what changes in the files, until ctx ends.
func (s *server) follow(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	s.tellReady() // before that, the signal would end the process
	s.survive(s.save)
	s.followAll(ctx, hangup)
}

// followAll is follow with that channel of SIGHUP.
func (s *server) followAll(ctx context.Context, hangup <-chan os.Signal) {
	for {
		s.announce(time.Now())
		s.tellStatus()
		announcement := s.nextAnnouncement()
		select {
		case <-ctx.Done():
			announcement.Stop()
			return
		case <-hangup:
			s.readAgain(ctx)
		case <-s.watcher.Changes():
			s.surviveReload(ctx)
		case <-s.copied:
			s.surviveReload(ctx)
		case <-announcement.C:
		case <-s.incident:
		}
		announcement.Stop()
	}
}

// readAgain reads everything because somebody asked for it, and says what came of that, also if it is no news.
func (s *server) readAgain(ctx context.Context) {
	s.log.Info("reading the configuration again", "because", "SIGHUP")
	s.tellReloading()
	s.pokeAll()
	s.surviveReload(ctx)
	s.tellReady()
	if held := slices.Sorted(maps.Keys(s.held())); len(held) > 0 {
		s.log.Error("the configuration was read: what has a fault is still held", "what", strings.Join(held, ", "))
		return
	}
	s.log.Info("the configuration was read: nothing is held")
}

// surviveReload is reload, but a panic in it leaves what is in force in force.
func (s *server) surviveReload(ctx context.Context) {
	s.survive(func() { s.reload(ctx) })
}

// survive does work aside. A panic in it does not end the server.
func (s *server) survive(work func()) {
	defer func() {
		if p := recover(); p != nil {
			s.outcome.failed()
			s.log.Error("held: reading the configuration ended by a fault in Cordon: please report this", "panic", p)
		}
	}()
	aside(work)
}

// reload reads everything again and puts in force what is without faults.
func (s *server) reload(ctx context.Context) {
	interrupted := false
	defer func() {
		if !interrupted {
			s.audited()
		}
	}()
	s.reloadService()
	begun := time.Now()
	before := s.loader.good.snapshot.Hash()
	files, err := policyFiles(s.service.PolicyDir)
	s.watchFor(files)
	s.copyFor(files)
	s.pokeFailed()
	if err != nil {
		s.loader.holdToo(s.service.PolicyDir, err)
		s.outcome.loaded(s.loader)
		return
	}
	next, err := s.loader.load(ctx, files)
	if interrupted = ctx.Err() != nil; interrupted { // the server stops: what was not read has no fault
		return
	}
	if err != nil {
		s.outcome.failed()
		s.log.Error("held: the policy in force stays", "error", err)
		return
	}
	if len(s.loader.holds) > 0 {
		s.copyInForce(s.loader.read)
	}
	s.publish(next) // of the same policy too: whose queries are answered may have changed
	s.took()
	s.save()
	if next.snapshot.Hash() != before {
		s.log.Info("policy in force", "hash", next.snapshot.Hash(), "names", next.snapshot.Set().Names(),
			"took", time.Since(begun).Round(time.Millisecond))
	}
}

// took records what the loader did, for metrics.
func (s *server) took() {
	s.outcome.loaded(s.loader)
	s.watchFor(s.loader.read) // an owned file may be known from the last good version of a main file alone
}

// save records what is in force, for the next start.
func (s *server) save() {
	good := s.loader.good.keep(s.service.PolicyDir)
	good.Service, good.Hosts = s.goodService, s.own.keep()
	if s.service.PolicyDir == "" {
		good.Policy = nil
	}
	if err := s.state.save(good); err != nil {
		s.outcome.notSaved()
		s.log.Error("the last good state was not saved: a restart with a fault in a file would not find it", "error", err)
	}
	if s.copies != nil && len(s.loader.holds) == 0 { // else a list may only be misspelt
		if err := s.copies.Sweep(); err != nil {
			s.log.Warn("copies of lists that nobody names any more were not removed", "error", err)
		}
	}
}

// policyFiles are the policy files in dir as they are now, those inside the program if dir is "".
func policyFiles(dir string) ([]config.File, error) {
	if dir == "" {
		return config.DefaultPolicy(), nil
	}
	return config.ReadPolicyDir(dir)
}

// watch takes the first look at the files, before they are read for the first time.
func (s *server) watch() error {
	files, err := policyFiles(s.service.PolicyDir)
	if err != nil {
		files = nil // there is something to watch all the same
	}
	s.watchFor(files)
	s.watcher, err = config.NewWatcher(config.WatcherConfig{
		Paths: s.watchedFiles, Log: s.log,
	})
	return err
}

// watchFor makes the service file, what it names, files, and the lists that those and the policy in force name the ones to
// watch: what has a fault now, or is not there yet, may be mended by a change of any of them. The policy directory is watched as a
// whole, an owned file by itself.
func (s *server) watchFor(files []config.File) {
	var all []config.Watched
	add := func(path string) {
		if path != "" {
			all = append(all, config.Watched{Path: path})
		}
	}
	add(s.path)
	add(s.service.PolicyDir)
	add(s.service.QueryLog.KeyFile)
	if len(s.service.Upstreams) == 0 {
		add(s.service.ResolvConf)
	}
	for _, path := range s.own.watched(s.service) {
		add(path)
	}
	written, _ := config.ParsePolicy(files)
	sets := []*config.PolicySet{written}
	if s.loader.good != nil {
		sets = append(sets, s.loader.good.set)
	}
	for _, set := range sets {
		all = append(all, s.ownedPaths(set)...)
		for _, list := range set.Lists {
			all = append(all, s.listPaths(list)...)
		}
	}
	s.watched.Store(&all)
}

// ownedPaths are the owned files of set.
func (s *server) ownedPaths(set *config.PolicySet) []config.Watched {
	var all []config.Watched
	for _, f := range set.Files {
		if f.Order != 0 {
			all = append(all, config.Watched{Path: f.Path, Within: s.service.PolicyDir})
		}
	}
	return all
}

// listPaths are the files, and patterns of files, that a list depends on: its own, the signature beside them, and what was accepted of it.
func (s *server) listPaths(list *config.List) []config.Watched {
	var all []config.Watched
	add := func(path, within string) {
		if path != "" {
			all = append(all, config.Watched{Path: path, Within: within})
		}
	}
	path := list.Path()
	add(path, list.Within)
	if list.SignedBy != "" && !list.Remote() {
		add(path+blocklists.SignatureExtension, list.Within)
	}
	for _, secret := range []string{list.TokenFile, list.CAFile, list.TSIGFile} {
		add(secret, "")
	}
	if s.state != nil && (list.Remote() || path != "") {
		add(s.state.acceptance(list.Name), "")
	}
	return all
}

// watchedFiles are the files and directories to watch now: a pattern may match others than it did.
func (s *server) watchedFiles() []config.Watched {
	watched := *s.watched.Load()
	all := make([]config.Watched, 0, len(watched))
	for _, w := range watched {
		all = append(all, expand(w)...)
	}
	return all
}

// expand is the files that a pattern matches, or the pattern itself if there are none, or more than a list may have.
func expand(pattern config.Watched) []config.Watched {
	if !strings.ContainsAny(pattern.Path, "*?[") {
		return []config.Watched{pattern}
	}
	paths, err := glob(pattern)
	if err != nil || len(paths) == 0 || len(paths) > blocklists.MaxMatches {
		return []config.Watched{pattern}
	}
	all := make([]config.Watched, 0, len(paths))
	for _, path := range paths {
		all = append(all, config.Watched{Path: path, Within: pattern.Within})
	}
	return all
}

// glob is what a pattern matches, by links only as far as those stay within.
func glob(pattern config.Watched) ([]string, error) {
	if pattern.Within == "" {
		return filepath.Glob(pattern.Path)
	}
	root, err := os.OpenRoot(pattern.Within)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	below, err := filepath.Rel(pattern.Within, pattern.Path)
	if err != nil {
		return nil, err
	}
	paths, err := fs.Glob(root.FS(), filepath.ToSlash(below))
	for i, path := range paths {
		paths[i] = filepath.Join(pattern.Within, filepath.FromSlash(path))
	}
	return paths, err
}

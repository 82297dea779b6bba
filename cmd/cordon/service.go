package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"cordon/config"
)

// readService reads the service file for the first time. With a fault in it, the last good one is taken from the state directory,
// if the environment, a flag or what is readable of the file says where that is; else the error says that all was said on stderr.
func (s *server) readService(stderr io.Writer) error {
	service, faults := config.ParseService(s.serviceFile(), s.flags)
	if faults.Bad() {
		io.WriteString(stderr, faults.Render()) //nolint:errcheck // nobody is left to be told
		kept := s.keptService(service.StateDir)
		if kept == nil {
			return errSaid
		}
		service = kept
		defer func() { s.outcome.holdService(faults.Errors().Error()) }()
	}
	s.service = service
	s.log = newLog(stderr, s.level, service)
	for _, w := range faults.Warnings() {
		s.log.Warn("configuration", "warning", w.String())
	}
	if faults.Bad() {
		s.log.Error("held: the last good service file is in force", "what", s.path)
	}
	return nil
}

// serviceFile is the service file as it is now, nil for the embedded default.
func (s *server) serviceFile() *config.File {
	if s.path == "" {
		return nil
	}
	f := config.ReadFile(s.path)
	return &f
}

// keptService is the last good service file in the state directory, nil if there is none.
func (s *server) keptService(dir string) *config.Service {
	state, err := openState(dir)
	if err != nil {
		return nil
	}
	kept, err := state.load()
	if err != nil || kept == nil || kept.Service == nil {
		return nil
	}
	file := config.NewFile(s.path, kept.Service.Content)
	service, faults := config.ParseService(&file, s.flags)
	if faults.Bad() {
		return nil
	}
	return service
}

func newLog(w io.Writer, level *slog.LevelVar, service *config.Service) *slog.Logger {
	setLevel(level, service)
	options := &slog.HandlerOptions{Level: level}
	if service.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func setLevel(level *slog.LevelVar, service *config.Service) {
	if err := level.UnmarshalText([]byte(service.Log.Level)); err != nil {
		level.Set(slog.LevelInfo)
	}
}

// firstPolicy puts the policy in force that is written, or, if that has faults, the last good one with what is not faulty.
func (s *server) firstPolicy(ctx context.Context, stderr io.Writer) error {
	files, err := s.policyFiles()
	if err == nil {
		_, err = s.loader.load(ctx, files)
	}
	if err == nil {
		s.loaded()
		return nil
	}
	sayFaults(stderr, err)
	kept, keptErr := s.state.load()
	if keptErr != nil || kept == nil {
		return errors.Join(errNoPolicy, keptErr)
	}
	if keptErr := s.loader.seed(kept); keptErr != nil {
		return fmt.Errorf("%w; nor the last good one: %w", errNoPolicy, keptErr)
	}
	s.log.Error("the policy has faults: starting with the last good one", "state_dir", s.service.StateDir)
	if files == nil {
		files = s.loader.good.set.Files
		s.loader.report(map[string]hold{s.service.PolicyDir: s.loader.hold(s.service.PolicyDir, err.Error())})
		return nil
	}
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

// policyFiles are the policy files as they are now.
func (s *server) policyFiles() ([]config.File, error) {
	if s.service.PolicyDir == "" {
		return config.DefaultPolicy(), nil
	}
	return config.ReadPolicyDir(s.service.PolicyDir)
}

// watch takes the first look at the files, before they are read for the first time.
func (s *server) watch() error {
	files, err := s.policyFiles()
	if err == nil {
		set, _ := config.ParsePolicy(files) // for the paths of its lists
		s.watchFor(set)
	} else {
		s.watchFor(new(config.PolicySet))
	}
	s.watcher, err = config.NewWatcher(config.WatcherConfig{
		Paths: func() []string { return *s.watched.Load() }, Log: s.log,
	})
	return err
}

// watchFor makes the files and directories behind set, and those of the service, the ones to watch.
func (s *server) watchFor(set *config.PolicySet) {
	var all []string
	if s.path != "" {
		all = append(all, s.path)
	}
	if s.service.PolicyDir != "" {
		all = append(all, s.service.PolicyDir)
	}
	if len(s.service.Upstreams) == 0 {
		all = append(all, s.service.ResolvConf)
	}
	for _, list := range set.Lists {
		if path, isFile := strings.CutPrefix(list.Source, "file:"); isFile {
			if !filepath.IsAbs(path) {
				path = filepath.Join(list.Dir, path)
			}
			all = append(all, path)
		}
	}
	s.watched.Store(&all)
}

// reload reads everything again and puts in force what is without faults.
func (s *server) reload(ctx context.Context) {
	s.reloadService()
	begun := time.Now()
	files, err := s.policyFiles()
	if err != nil {
		s.outcome.failed()
		s.log.Error("held: the policy in force stays", "error", err)
		return
	}
	before := s.loader.good.snapshot.Hash()
	next, err := s.loader.load(ctx, files)
	if err != nil {
		s.outcome.failed()
		s.log.Error("held: the policy in force stays", "error", err)
		return
	}
	s.loaded()
	if next.snapshot.Hash() != before {
		s.resolver.Publish(next.snapshot)
		s.log.Info("policy in force", "hash", next.snapshot.Hash(), "names", next.snapshot.Set().Names(),
			"took", time.Since(begun).Round(time.Millisecond))
	}
}

// loaded records what the loader did, for metrics and for the next start.
func (s *server) loaded() {
	s.outcome.loaded(s.loader)
	s.watchFor(s.loader.good.set)
	good := &lastGood{}
	if s.path != "" && !s.outcome.serviceHeld() {
		f := config.ReadFile(s.path)
		good.Service = &goodFile{Name: s.path, Content: f.Data}
	}
	if s.service.PolicyDir != "" {
		for _, f := range s.loader.good.set.Files {
			good.Policy = append(good.Policy, goodFile{Name: f.Path, Content: f.Data})
		}
	}
	for _, c := range s.loader.good.copies {
		good.Lists = append(good.Lists, c)
	}
	if err := s.state.save(good); err != nil {
		s.log.Error("the last good state was not saved: a restart with a fault in a file would not find it", "error", err)
	}
}

// reloadService puts in force what can change while the server runs, and says what can't.
func (s *server) reloadService() {
	next, faults := config.ParseService(s.serviceFile(), s.flags)
	if faults.Bad() {
		s.outcome.holdService(faults.Errors().Error())
		s.log.Error("held: the last good service file stays in force", "reason", faults.Errors().Error())
		return
	}
	if err := s.upstream.follow(next); err != nil {
		s.outcome.holdService(err.Error())
		s.log.Error("held: the last good service file stays in force", "reason", err.Error())
		return
	}
	s.outcome.releaseService()
	for _, key := range needRestart(s.service, next) {
		s.log.Warn("needs a restart", "key", key)
	}
	s.loader.allowed = next.AllowClients
	setLevel(s.level, next)
	next.Listen, next.StateDir, next.Cache = s.service.Listen, s.service.StateDir, s.service.Cache
	s.service = next
}

// needRestart are the keys that differ and that only a restart puts in force.
func needRestart(old, next *config.Service) []string {
	var keys []string
	for key, pair := range map[string][2]any{
		"listen.dns":   {old.Listen.DNS, next.Listen.DNS},
		"listen.admin": {old.Listen.Admin, next.Listen.Admin},
		"state_dir":    {old.StateDir, next.StateDir},
		"cache":        {old.Cache.MaxBytes, next.Cache.MaxBytes},
		"log.format":   {old.Log.Format, next.Log.Format},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			keys = append(keys, key)
		}
	}
	return keys
}

// announce logs what starts or ends by itself at this moment.
func (s *server) announce(now time.Time) {
	for _, c := range s.loader.good.snapshot.Changes(now.Add(-time.Minute), now) {
		what, name := "policy", ""
		if c.Exception != nil {
			what, name = "exception", c.Exception.Name
		} else {
			name = c.Policy.Name
		}
		if c.Starts {
			s.log.Warn("comes into force now", "what", what, "name", name, "at", c.At)
		} else {
			s.log.Warn("ends now", "what", what, "name", name, "at", c.At)
		}
	}
}

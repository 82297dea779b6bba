package main

import (
	"bytes"
	"io"
	"log/slog"
	"reflect"
	"slices"

	"github.com/spf13/pflag"

	"cordon/config"
)

// readService reads the service file for the first time. With a fault in it, the last good one is taken from the state directory,
// if the environment, a flag or what is readable of the file says where that is; else the error says that all was said on stderr.
func (s *server) readService(stderr io.Writer) error {
	file := serviceFile(s.path)
	service, faults := parseService(file, s.flags)
	if faults.Bad() {
		io.WriteString(stderr, faults.Render()) //nolint:errcheck // nobody is left to be told
		if service = s.keptService(service.StateDir); service == nil {
			return errSaid
		}
		s.outcome.holdService(s.path, reasonOf(faults.Errors()))
	} else {
		s.keepService(file)
	}
	s.service = service
	s.handed.overrule(service)
	s.serving.Store(service)
	s.newLog(stderr, service)
	for _, w := range faults.Warnings() {
		s.log.Warn("configuration", "warning", w.String())
	}
	if faults.Bad() {
		s.log.Error("held: the last good service file is in force", "what", s.path)
	}
	return nil
}

// parseService is [config.ParseService], with what is wrong with records of one's own.
func parseService(file *config.File, flags *pflag.FlagSet) (*config.Service, config.Faults) {
	service, faults := config.ParseService(file, flags)
	_, wrong := ownRecords(service)
	for _, f := range wrong {
		if file != nil && f.File == file.Path {
			f = faultAt([]config.File{*file}, f.Pos(), f.Message)
		}
		faults = append(faults, f)
	}
	return service, faults
}

// serviceFile is the service file at path as it is now, nil for the embedded default, whose path is "".
func serviceFile(path string) *config.File {
	if path == "" {
		return nil
	}
	f := config.ReadFile(path)
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
	service, faults := parseService(&file, s.flags)
	if faults.Bad() {
		return nil
	}
	s.keepService(&file)
	return service
}

// keepService remembers file as the service file in force, for the state directory.
func (s *server) keepService(file *config.File) {
	if file != nil {
		s.goodService = &goodFile{Name: file.Path, Content: file.Data}
	}
}

// newLog makes the two loggers that write to w.
func (s *server) newLog(w io.Writer, service *config.Service) {
	setLevel(s.level, service)
	options := &slog.HandlerOptions{Level: s.level}
	var plain slog.Handler = slog.NewTextHandler(w, options)
	if service.Log.Format == "json" {
		plain = slog.NewJSONHandler(w, options)
	}
	s.limit = newLogLimit(plain, service.Log.MaxPerSecond)
	s.log, s.traffic = slog.New(plain), slog.New(s.limit.handler())
}

func setLevel(level *slog.LevelVar, service *config.Service) {
	if err := level.UnmarshalText([]byte(service.Log.Level)); err != nil {
		level.Set(slog.LevelInfo)
	}
}

// reloadService puts in force what can change while the server runs, and says what can't.
func (s *server) reloadService() {
	file := serviceFile(s.path)
	next, faults := parseService(file, s.flags)
	if faults.Bad() {
		s.holdService(faults.Errors())
		return
	}
	s.handed.overrule(next)
	own, err := s.ownNames(next)
	if err != nil {
		s.holdService(err)
		return
	}
	if err := s.upstream.follow(next, own.table); err != nil {
		s.holdService(err)
		return
	}
	s.tookNames(own)
	if s.outcome.releaseService() {
		s.log.Info("no longer held", "what", s.path)
	}
	if file != nil && (s.goodService == nil || !bytes.Equal(file.Data, s.goodService.Content)) {
		s.log.Info("service file in force", "what", s.path)
	}
	s.keepService(file)
	waiting := needRestart(s.service, next)
	for _, key := range waiting {
		s.log.Warn("needs a restart", "key", key)
	}
	s.restart.Store(&waiting)
	s.loader.allowed, s.loader.forward = next.AllowClients, zonesOf(next)
	s.resolver.SetLimits(limits(next))
	s.rate.Set(rate(next))
	s.resolver.StructureErrors(structuredErrors(next))
	s.setQueryLog(next)
	setLevel(s.level, next)
	s.limit.set(next.Log.MaxPerSecond)
	next.Listen, next.StateDir, next.Cache = s.service.Listen, s.service.StateDir, s.service.Cache
	next.Admin, next.Audit, next.Log.Format = s.service.Admin, s.service.Audit, s.service.Log.Format
	next.Limits.TCPConnections, next.Limits.TCPIdle = s.service.Limits.TCPConnections, s.service.Limits.TCPIdle
	next.Limits.TCPConnectionsPerClient = s.service.Limits.TCPConnectionsPerClient
	s.service = next
	s.serving.Store(next)
}

// holdService leaves the service in force as it is, for wrong.
func (s *server) holdService(wrong error) {
	if s.outcome.holdService(s.path, reasonOf(wrong)) {
		s.log.Error("held: the last good version stays in force", "what", s.path, "reason", reasonOf(wrong))
	}
}

// needRestart are the keys that differ and that only a restart puts in force, in their order.
func needRestart(old, next *config.Service) []string {
	keys := []string{}
	for key, pair := range map[string][2]any{
		"listen.dns":   {old.Listen.DNS, next.Listen.DNS},
		"listen.admin": {old.Listen.Admin, next.Listen.Admin},
		"admin":        {guardOf(old), guardOf(next)},
		"state_dir":    {old.StateDir, next.StateDir},
		"cache": {
			[]any{old.Cache.MaxBytes, old.Cache.ServeStale, old.Cache.MaxStale},
			[]any{next.Cache.MaxBytes, next.Cache.ServeStale, next.Cache.MaxStale},
		},
		"audit": {
			[]any{old.Audit.Dir, old.Audit.Keep, old.Audit.MaxFile}, []any{next.Audit.Dir, next.Audit.Keep, next.Audit.MaxFile},
		},
		"limits.tcp_…": {listenLimits(old), listenLimits(next)},
		"log.format":   {old.Log.Format, next.Log.Format},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

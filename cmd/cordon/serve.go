package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cordon/blocklists/mirror"
	"cordon/cmd/cordon/admin"
	"cordon/cmd/cordon/querylog"
	"cordon/cmd/cordon/selftest"
	"cordon/cmd/cordon/systemd"
	"cordon/config"
	"cordon/resolver"
	"cordon/resolver/cache"
	"cordon/resolver/limit"
	"cordon/resolver/listen"
	"cordon/resolver/names"
	"cordon/resolver/policy"
	"cordon/resolver/upstream"
)

func serveCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer queries",
		Long: "Answer queries by the configuration in --config, else ./cordon.yaml, else /etc/cordon/cordon.yaml,\n" +
			"else the one inside the program. Files are followed while it runs; SIGHUP reads them at once.",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), path, cmd.Flags(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "the service `FILE`, or the directory that it is in")
	config.AddFlags(cmd.Flags())
	return cmd
}

// serve runs the server until ctx ends.
func serve(ctx context.Context, path string, flags *pflag.FlagSet, stdout, stderr io.Writer) error {
	s, err := newServer(ctx, path, flags, stderr)
	if err != nil {
		return err
	}
	s.greet(stdout)
	return s.run(ctx)
}

// server is everything that runs, put together.
type server struct {
	log      *slog.Logger
	limit    *logLimit
	traffic  *slog.Logger // within limit: for what clients and upstreams can make the server say
	level    *slog.LevelVar
	registry *prometheus.Registry

	path        string // of the service file, "" for the embedded default
	flags       *pflag.FlagSet
	started     time.Time
	service     *config.Service                // in force
	serving     atomic.Pointer[config.Service] // service, for who looks at it meanwhile
	restart     atomic.Pointer[[]string]       // keys that differ in the file, and that only a restart puts in force
	goodService *goodFile                      // what service was read from, nil for the embedded default
	handed      handed                         // by a service manager
	state       *stateDir
	release     func()    // gives up the state directory
	earlier     time.Time // what an earlier process has seen, zero for nothing
	loader      *loader
	outcome     *reloads
	upstream    *upstreams
	own         ownNames
	naming      atomic.Pointer[names.Table] // own.table, for who looks at it meanwhile
	watcher     *config.Watcher
	watched     atomic.Pointer[[]config.Watched] // the files, patterns of files and directories to watch
	copies      *mirror.Mirror                   // of lists from elsewhere; nil without a state directory
	copied      chan struct{}                    // has a value when there is a new copy
	remote      remoteFunc
	remotes     []string            // the lists from elsewhere, by name
	notify      resolver.NotifyFunc // hears that a zone has changed
	announcer   announcer           // of what begins and ends by itself
	manager     manager             // of services; it is told how this one is
	stale       map[string]bool     // the lists of which it was said that they are too old

	resolver *resolver.Resolver
	rate     *limit.Rate // what one client may ask; nil before newResolver
	listener *listen.Server
	selftest *selftest.Tester
	admin    *admin.Server // nil if it is off
	audit    *auditor      // nil if no audit log is written

	queries   *querylog.Log
	incidents *querylog.Keeper // nil without a state directory
	incident  chan struct{}    // has a value when one began or ended
}

// newServer reads everything, binds everything, and serves nothing yet. An error leaves nothing behind.
func newServer(ctx context.Context, path string, flags *pflag.FlagSet, stderr io.Writer) (_ *server, failed error) {
	s := &server{
		flags: flags, level: new(slog.LevelVar), registry: prometheus.NewRegistry(), outcome: newReloads(), started: time.Now(),
		incident: make(chan struct{}, 1),
	}
	s.manager.notifier = systemd.NewNotifier()
	var err error
	if s.handed, err = takeSockets(); err != nil {
		return nil, err
	}
	if s.path, err = config.FindService(path); err != nil {
		return nil, err
	}
	if err := s.readService(stderr); err != nil {
		return nil, err
	}
	if s.state, err = openState(s.service.StateDir); err != nil {
		return nil, err
	}
	if s.release, err = s.state.own(ctx, s.log); err != nil {
		return nil, err
	}
	defer func() {
		if failed != nil {
			s.release()
		}
	}()
	s.earlier = s.state.seen()
	progress := newProgress(stderr)
	defer progress.end()
	if err := s.newLoader(progress); err != nil {
		return nil, err
	}
	if err := s.watch(); err != nil {
		return nil, err
	}
	if err := s.firstPolicy(ctx, stderr); err != nil {
		return nil, err
	}
	if err := s.assemble(ctx); err != nil {
		return nil, err
	}
	s.loader.progress = nil // nobody looks any more
	s.publish(s.loader.good)
	s.rememberTime(time.Now())
	s.openAudit()
	s.incidents = s.newIncidents()
	return s, nil
}

// rememberTime goes by what an earlier process has seen if the clock is behind that.
func (s *server) rememberTime(now time.Time) {
	seen := s.earlier
	if !seen.After(now) {
		return
	}
	s.resolver.Remember(seen)
	s.log.Error("the clock is behind what was seen before: bans that had begun are on, exceptions that had ended stay ended",
		"clock", now, "seen", seen, "if_the_clock_is_right", "stop, touch "+s.state.index()+", start")
}

// assemble makes the resolver and binds the sockets.
func (s *server) assemble(ctx context.Context) error {
	s.handed.say(s.log)
	listening := listen.Config{Given: s.handed.dns, Limits: listenLimits(s.service), Log: s.log}
	if len(s.handed.dns) == 0 {
		listening.Addresses = s.service.Listen.DNS
	}
	answers, err := s.newResolver(listening.Listeners(), nil)
	if err != nil {
		return err
	}
	s.newSelftest()
	listening.Handler, listening.Rate, listening.Self = s.resolver, s.rate, s.selftest
	if s.listener, err = listen.New(listening); err != nil {
		return portAdvice(err)
	}
	if s.handed.admin != nil || s.service.Listen.Admin.IsValid() {
		if s.admin, err = s.newAdmin(ctx, s.handed.admin); err != nil {
			s.listener.Close()
			return err
		}
	}
	s.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		s.resolver, policy.NewCollector(s.inForce), s.listener.Collector(), cache.NewCollector(answers), s.outcome, newBuildInfo(),
		newDroppedLines(s.limit), s.selftest,
	)
	return nil
}

// newResolver makes the resolver for so many listeners and the upstreams that it asks, by dial if it is not nil.
func (s *server) newResolver(listeners int, dial upstream.DialFunc) (*cache.Cache, error) {
	answers, err := cache.New(cacheConfig(s.service))
	if err != nil {
		return nil, err
	}
	s.resolver, err = resolver.New(resolver.Config{
		Cache: answers, Workers: listeners, Limits: limits(s.service), Log: s.traffic,
	})
	if err != nil {
		return nil, err
	}
	s.newQueryLog(listeners)
	s.rate = limit.New(rate(s.service))
	s.resolver.Notify(s.notify)
	s.resolver.StructureErrors(structuredErrors(s.service))
	s.upstream = &upstreams{log: s.log, traffic: s.traffic, registry: s.registry, resolver: s.resolver, dial: dial}
	own, err := s.ownNames(s.service)
	if err != nil {
		return nil, err
	}
	if err := s.upstream.follow(s.service, own.table); err != nil {
		return nil, err
	}
	s.tookNames(own)
	return answers, nil
}

// portAdvice is err, with what to do if a port is taken.
func portAdvice(err error) error {
	if _, taken := errors.AsType[*listen.InUseError](err); taken {
		return fmt.Errorf("%w: stop that one, or listen elsewhere by --listen ADDR:PORT or `listen: {dns: [...]}`", err)
	}
	return err
}

// ready says what keeps the server from answering by its policy, nil for nothing.
func (s *server) ready() error {
	if s.resolver.Snapshot() == nil {
		return errors.New("no policy is loaded")
	}
	return s.selftest.Ready()
}

// newSelftest makes the tester of the sockets that are going to be bound.
func (s *server) newSelftest() {
	s.selftest = selftest.New(selftest.Config{
		Addresses: func() []netip.AddrPort { return s.listener.Addrs() },
		InForce:   s.inForce,
		Read:      func() uint64 { return s.listener.Queries() },
		Log:       s.log,
	})
}

// publish puts the snapshot of g in force, and has it tested.
func (s *server) publish(g *generation) {
	s.resolver.Publish(g.snapshot)
	s.selftest.Publish(policyConfig(g.set, g.lists, s.loader.allowed, g.snapshot.ID()))
}

// inForce is the policy in force, and the moment as the resolver sees it.
func (s *server) inForce() (*policy.Snapshot, policy.Instant) {
	return s.resolver.Snapshot(), s.resolver.Instant(time.Now())
}

// run serves until ctx ends, then drains.
func (s *server) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer s.release()
	s.audit.begin()
	var all sync.WaitGroup
	all.Go(func() { s.tellStopping(ctx) })
	all.Go(func() { s.follow(ctx) })
	all.Go(func() { _ = s.watcher.Run(ctx) })
	if s.copies != nil {
		all.Go(func() { _ = s.copies.Run(ctx) })
	}
	if s.admin != nil {
		all.Go(func() { stop(s.admin.Run(ctx)) })
	}
	all.Go(func() { s.assure(ctx, systemd.Watchdog()) })
	all.Go(func() { s.selftest.Run(ctx) })
	if s.incidents != nil {
		all.Go(func() { s.incidents.Run(ctx) })
	}
	logged := s.logQueries()
	err := s.listener.Run(ctx)
	stop(err)
	all.Wait()
	logged()
	s.audit.end()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	if err := s.state.touch(time.Now()); err != nil {
		s.log.Warn("the time of the stop was not noted in the state directory", "error", err)
	}
	s.limit.say()
	s.log.Info("stopped")
	return err
}

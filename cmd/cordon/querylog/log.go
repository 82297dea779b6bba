package querylog

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cordon/resolver"
	"cordon/resolver/policy"
)

// Config is what a Log needs and keeps.
type Config struct {
	Workers  int                             // ≥ 1: events come with 0 ≤ Query.Worker < Workers
	Watch    func(actions ...policy.Action)  // has the resolver tell the log of answers with these verdicts from now on; not nil
	Words    Words                           // no function is nil
	Hostname string                          // of this server, as readers elsewhere are told it
	Version  string                          // of the program
	Log      *slog.Logger                    // not nil
	open     func(path string) (disk, error) // nil: as the system does
	dial     dialFunc                        // nil: as the system does
}

// Settings are what may change while a Log runs. The zero value writes nothing.
type Settings struct {
	What    []policy.Action // the verdicts of what is logged
	Naming  Naming
	KeyFile string // "": each server has keys of its own
	File    FileConfig
	Syslog  SyslogConfig
	Dnstap  RemoteConfig
}

// on says whether anything is written.
func (s *Settings) on() bool {
	outputs := s.outputs()
	return outputs[toFile] || outputs[toSyslog] || outputs[toDnstap]
}

// The outputs, as metrics call them.
const (
	toFile     = "file"
	toSyslog   = "syslog"
	toDnstap   = "dnstap"
	toIncident = "incident"
)

// Log is the query log. It writes nothing before it runs. Set may be called at any time, by any goroutine.
type Log struct {
	config Config
	counts map[string]*counts // by output
	rings  atomic.Pointer[[]*ring]
	wake   chan struct{} // has a value when there is something to apply

	mu       sync.Mutex
	settings Settings
	key      []byte // of the key file; nil: none
	incident *underway
	used     map[string]bool // outputs that there were

	// Of the goroutine of Run.
	outputs map[string]*output
	made    Settings // what outputs were made of
	file    string   // of the incident that outputs were made for
	namer   namer
	now     applied
}

// applied is what Run goes by.
type applied struct {
	what     [policy.Except + 1]bool
	incident *underway
}

// New makes a Log that has no settings yet.
func New(c Config) *Log {
	l := &Log{
		config: c, counts: map[string]*counts{}, wake: make(chan struct{}, 1), outputs: map[string]*output{}, used: map[string]bool{},
	}
	for _, name := range []string{toFile, toSyslog, toDnstap, toIncident} {
		l.counts[name] = new(counts)
	}
	return l
}

// Set puts s in force, and reads its key file. An error says why that could not be read: then the key before is used, and without one each
// server has keys of its own.
func (l *Log) Set(s Settings) error {
	var key []byte
	var err error
	if s.KeyFile != "" {
		key, err = readKey(s.KeyFile)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil || s.KeyFile == "" {
		l.key = key
	}
	l.settings = s
	l.changed()
	return err
}

// begin has what i wants logged until end, by clients' addresses, into the file at path.
func (l *Log) begin(i *Incident, path string, end time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.incident = &underway{Incident: *i, path: path, end: end}
	l.changed()
}

// end ends that.
func (l *Log) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.incident = nil
	l.changed()
}

// IncidentUntil is when the incident that is logged ends, zero if there is none.
func (l *Log) IncidentUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.incident == nil {
		return time.Time{}
	}
	return l.incident.Until
}

// changed wakes Run. The caller holds l.mu.
func (l *Log) changed() {
	select {
	case l.wake <- struct{}{}:
	default: // it has a value
	}
}

// Observe implements [resolver.Observer].
func (l *Log) Observe(a resolver.Answered) {
	if rings := l.rings.Load(); rings != nil {
		(*rings)[a.Query.Worker].put(&a)
	}
}

// pace is how long events wait in the rings at most, if Run keeps up: short, so that what is asked for is soon there to be seen, and long
// enough to be nothing beside the queries.
const pace = 10 * time.Millisecond

// stopPatience is how long the end waits for outputs.
const stopPatience = 2 * time.Second

// Begin has the resolver tell of what is to be logged, so that nothing is missed that is asked from then on. Run follows.
func (l *Log) Begin() { l.apply() }

// Run takes events and gives records to outputs, until ctx ends: then it writes what there is, as far as that takes no longer than two
// seconds.
func (l *Log) Run(ctx context.Context) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		ticks := tick.C
		if l.rings.Load() == nil {
			ticks = nil
		}
		select {
		case <-ctx.Done():
			l.finish()
			return
		case <-l.wake:
			l.apply()
		case <-ticks:
			l.drain(time.Now())
		}
	}
}

// finish writes what is left and ends all outputs.
func (l *Log) finish() {
	l.config.Watch()
	l.drain(time.Now())
	l.stop(l.outputs)
	clear(l.outputs)
}

// stop ends outputs, all at the same time.
func (l *Log) stop(outputs map[string]*output) {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	var all sync.WaitGroup
	for _, o := range outputs {
		all.Go(func() { o.stop(ctx) })
	}
	all.Wait()
}

// apply makes what is set what Run goes by.
func (l *Log) apply() {
	l.mu.Lock()
	s, key, incident := l.settings, l.key, l.incident
	l.mu.Unlock()
	l.drain(time.Now()) // by what was set before
	if s.Naming != l.namer.naming || !slices.Equal(key, l.namer.shared) {
		l.namer = namer{naming: s.Naming, shared: slices.Clone(key)}
	}
	l.now = applied{incident: incident}
	if s.on() {
		for _, action := range s.What {
			l.now.what[action] = true
		}
	}
	l.open(&s, incident)
	l.watch()
}

// open makes the outputs of s and of incident, and ends those that there are no more, or that are others now.
func (l *Log) open(s *Settings, incident *underway) {
	wanted := map[string]func() sink{}
	changed := map[string]bool{toFile: s.File != l.made.File, toSyslog: s.Syslog != l.made.Syslog, toDnstap: s.Dnstap != l.made.Dnstap}
	if s.on() && s.File.Path != "" {
		wanted[toFile] = func() sink { return l.newFile(s.File) }
	}
	if s.on() && s.Syslog.Network != "" {
		wanted[toSyslog] = func() sink { return l.newSyslog(s.Syslog) }
	}
	if s.on() && s.Dnstap.Network != "" {
		wanted[toDnstap] = func() sink { return l.newDnstap(s.Dnstap) }
	}
	path := ""
	if incident != nil {
		path = incident.path
		wanted[toIncident] = func() sink { return l.newFile(FileConfig{Path: path, MaxSize: maxIncidentFile}) }
	}
	changed[toIncident] = path != l.file
	gone := map[string]*output{}
	for name, o := range l.outputs {
		if wanted[name] == nil || changed[name] {
			gone[name] = o
			delete(l.outputs, name)
		}
	}
	l.stop(gone)
	for name, open := range wanted {
		if l.outputs[name] == nil {
			l.outputs[name] = startOutput(name, open(), l.counts[name], l.config.Log)
		}
	}
	l.made, l.file = *s, path
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range wanted {
		l.used[name] = true
	}
}

func (l *Log) newFile(c FileConfig) *file {
	f := newFile(c)
	if l.config.open != nil {
		f.openFile = l.config.open
	}
	return f
}

func (l *Log) newSyslog(c SyslogConfig) *syslog {
	s := newSyslog(c, l.config.Hostname)
	if l.config.dial != nil {
		s.dial = l.config.dial
	}
	return s
}

func (l *Log) newDnstap(c RemoteConfig) *dnstap {
	d := newDnstap(c, l.config.Hostname, "cordon "+l.config.Version)
	if l.config.dial != nil {
		d.dial = l.config.dial
	}
	return d
}

// watch has the resolver tell what anybody wants to know of. The rings come first, and stay.
func (l *Log) watch() {
	var actions []policy.Action
	for action := policy.Pass; action <= policy.Except; action++ {
		if l.now.what[action] || l.now.incident.wants(action) {
			actions = append(actions, action)
		}
	}
	if len(actions) > 0 && l.rings.Load() == nil {
		rings := make([]*ring, l.config.Workers)
		for i := range rings {
			rings[i] = newRing()
		}
		l.rings.Store(&rings)
	}
	l.config.Watch(actions...)
}

// drain gives outputs all that is in the rings.
func (l *Log) drain(now time.Time) {
	rings := l.rings.Load()
	if rings == nil {
		return
	}
	incident := l.now.incident
	if incident != nil && incident.over(now) {
		incident = nil
	}
	for _, r := range *rings {
		for range ringSize { // one that is filled all the time is not for ever
			if !r.take(func(e *event) { l.give(e, incident, now) }) {
				break
			}
		}
		if dropped := r.dropped.Swap(0); dropped > 0 {
			for _, o := range l.outputs {
				o.counts.dropped.Add(dropped)
			}
		}
	}
}

// give gives outputs their records of e.
func (l *Log) give(e *event, incident *underway, now time.Time) {
	if o := l.outputs[toIncident]; o != nil && incident.covers(e) {
		client := plainly(e.client)
		o.add(&record{event: e, client: client, line: encode(e, client, incident.ID, l.config.Words)})
	}
	if !l.now.what[e.action] {
		return
	}
	client := l.namer.of(e.client, now)
	r := record{event: e, client: client}
	if l.outputs[toFile] != nil || l.outputs[toSyslog] != nil {
		r.line = encode(e, client, "", l.config.Words)
	}
	for name, o := range l.outputs {
		if name != toIncident {
			o.add(&r)
		}
	}
}

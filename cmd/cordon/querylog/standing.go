package querylog

import (
	"maps"
	"slices"
)

// Standing is how a Log is at one moment.
type Standing struct {
	Outputs  []OutputCounts // where is written by the settings in force, and by the incident, by name; none: nothing is logged
	Dropped  uint64         // records that were lost, those of outputs that are switched off since included
	Incident *Incident      // nil: there is none
}

// OutputCounts is an output, with what became of its records since the start.
type OutputCounts struct {
	Name                     string
	Written, Dropped, Errors uint64
}

// Incident says whether it is that of an incident.
func (o *OutputCounts) Incident() bool { return o.Name == toIncident }

// Standing is how l is now. It may be called at any time, by any goroutine.
func (l *Log) Standing() Standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	wanted := l.settings.outputs()
	var s Standing
	if l.incident != nil {
		incident := l.incident.Incident
		s.Incident = &incident
		wanted[toIncident] = true
	}
	for _, name := range slices.Sorted(maps.Keys(l.counts)) {
		c := l.counts[name]
		one := OutputCounts{Name: name, Written: c.written.Load(), Dropped: c.dropped.Load(), Errors: c.errors.Load()}
		s.Dropped += one.Dropped
		if wanted[name] {
			s.Outputs = append(s.Outputs, one)
		}
	}
	return s
}

// outputs are those that are wanted by s.
func (s *Settings) outputs() map[string]bool {
	wanted := map[string]bool{}
	if len(s.What) > 0 {
		wanted[toFile], wanted[toSyslog], wanted[toDnstap] = s.File.Path != "", s.Syslog.Network != "", s.Dnstap.Network != ""
	}
	return wanted
}

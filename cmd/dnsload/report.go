package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// report is what came of a run, as JSON has it. Times are in microseconds, shares of the machine in cores.
type report struct {
	Mode    string         `json:"mode"`
	Server  string         `json:"server"`
	Sent    int            `json:"sent"`
	Answers int            `json:"answers"`
	Right   map[string]int `json:"right"` // by class
	Wrong   map[string]int `json:"wrong"` // by what is wrong
	Lost    int            `json:"lost"`
	Late    int            `json:"late"` // answers that came after their query was lost
	Seconds float64        `json:"seconds"`
	QPS     float64        `json:"qps"` // answers a second
	Latency times          `json:"latency_us"`
	Behind  *times         `json:"behind_us,omitempty"` // how late the load itself was, in an open loop
	CPU     *float64       `json:"server_cpu_us,omitempty"`
	Cores   *cores         `json:"cores,omitempty"`
}

type times struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
}

// cores are how many of them were busy with what.
type cores struct {
	Server   float64 `json:"server"`
	Load     float64 `json:"load"`
	Upstream float64 `json:"upstream"`
	Foreign  float64 `json:"foreign"`
	Steal    float64 `json:"steal"`
}

func newReport(o *options, t *tally, s spending) *report {
	r := &report{
		Mode: o.mode.name, Server: o.server.String(), Sent: t.sent, Answers: t.answers, Lost: t.lost, Late: t.late,
		Right: map[string]int{}, Wrong: map[string]int{}, Seconds: t.elapsed.Seconds(), Latency: *timesOf(&t.latency),
	}
	if t.elapsed > 0 {
		r.QPS = float64(t.answers) / t.elapsed.Seconds()
	}
	for c, name := range []string{refused: "refused", hit: "hit", chain: "chain", miss: "miss", echo: "echo"} {
		if o.mode.parts[c] > 0 {
			r.Right[name] = t.kinds[c]
		}
	}
	for v, n := range t.wrong {
		if n > 0 {
			r.Wrong[verdictNames[v]] = n
		}
	}
	if o.rate > 0 {
		r.Behind = timesOf(&t.behind)
	}
	if !s.known {
		return r
	}
	if len(o.pids) > 0 && t.answers > 0 {
		each := micros(s.server) / float64(t.answers)
		r.CPU = &each
	}
	share := func(d time.Duration) float64 { return d.Seconds() / s.during.Seconds() }
	r.Cores = &cores{share(s.server), share(s.own), share(s.upstream), share(s.foreign), share(s.stolen)}
	return r
}

func timesOf(h *histogram) *times {
	at := func(q float64) float64 { return micros(h.quantile(q)) }
	return &times{P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999), Max: micros(h.most)}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// wrong is how many answers were not right.
func (r *report) wrong() (n int) {
	for _, some := range r.Wrong {
		n += some
	}
	return n
}

// fault is an error if the figures mean nothing.
func (r *report) fault() error {
	const tolerated = 1000 // one in so many may be lost
	switch {
	case r.Answers == 0:
		return fmt.Errorf("%s has answered nothing", r.Server)
	case r.wrong() > 0:
		return fmt.Errorf("%d answers were wrong", r.wrong())
	case r.Lost > r.Sent/tolerated:
		return fmt.Errorf("%d of %d queries were lost", r.Lost, r.Sent)
	}
	return nil
}

func (r *report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := io.WriteString(w, r.text())
	return err
}

func (r *report) text() string {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-18s "+format+"\n", append([]any{name}, args...)...)
	}
	row("queries", "%d in %.2f s, to %s (%s)", r.Sent, r.Seconds, r.Server, r.Mode)
	row("answers", "%d right, %d wrong; %d lost, %d late", r.Answers-r.wrong()+r.Wrong[verdictNames[unasked]], r.wrong(), r.Lost, r.Late)
	for name, n := range sorted(r.Wrong) {
		row("  wrong", "%d: %s", n, name)
	}
	if len(r.Right) > 1 {
		for name, n := range sorted(r.Right) {
			row("  right", "%d: %s", n, name)
		}
	}
	row("answers a second", "%.0f", r.QPS)
	row("latency, us", "%s", r.Latency.text())
	if r.Behind != nil {
		row("sent late by, us", "%s", r.Behind.text())
	}
	if r.CPU != nil {
		row("server's CPU time", "%.2f us a query", *r.CPU)
	}
	if c := r.Cores; c != nil {
		row("cores busy", "server %.2f, load %.2f, upstream %.2f, foreign %.2f, stolen by the host %.2f",
			c.Server, c.Load, c.Upstream, c.Foreign, c.Steal)
	}
	return b.String()
}

func (t *times) text() string {
	return fmt.Sprintf("p50 %.0f   p90 %.0f   p99 %.0f   p99.9 %.0f   max %.0f", t.P50, t.P90, t.P99, t.P999, t.Max)
}

// sorted goes through m in the order of its keys.
func sorted(m map[string]int) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}

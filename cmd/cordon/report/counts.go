package report

import (
	"cmp"
	"slices"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/resolver/policy"
)

// mostCells is how many sums are kept: hundreds of agencies with some lists each, through the longest period.
const mostCells = 1 << 19

// counts adds up what the logs counted.
type counts struct {
	period   Period
	in       *scope
	starts   []time.Time
	cells    map[cellKey]*Tally
	covered  []time.Duration // by step, of all logs together
	logs     int
	beyond   int // counts that were left out
	unusable int // entries whose time can't be
}

type cellKey struct {
	step                 int
	agency, policy, list string
}

func newCounts(period Period, in *scope) *counts {
	starts := period.starts(period.unit())
	return &counts{period: period, in: in, starts: starts, cells: map[cellKey]*Tally{}, covered: make([]time.Duration, len(starts))}
}

// add adds an entry of counts.
func (c *counts) add(e *audit.Entry) {
	if !c.period.has(e.Since) {
		return
	}
	step := stepAt(c.starts, e.Since)
	c.covered[step] = max(c.covered[step], time.Millisecond) // what is counted was looked at
	for i := range e.Counts {
		n := &e.Counts[i]
		if !c.in.has(n.Agency) {
			continue
		}
		key := cellKey{step, bounded(n.Agency), bounded(n.Policy), bounded(n.List)}
		if c.cells[key] == nil {
			if len(c.cells) >= mostCells {
				c.beyond++
				continue
			}
			c.cells[key] = new(Tally)
		}
		c.cells[key].add(n)
	}
}

// cover notes that a log covers the time between two moments, and returns how much of the period that is.
func (c *counts) cover(from, until time.Time) (whole time.Duration) {
	if from.Before(c.period.From) {
		from = c.period.From
	}
	if until.After(c.period.End) {
		until = c.period.End
	}
	for from.Before(until) {
		step := stepAt(c.starts, from)
		end := c.end(step)
		if until.Before(end) {
			end = until
		}
		c.covered[step] += end.Sub(from)
		whole += end.Sub(from)
		from = end
	}
	return whole
}

// end is when the step is over.
func (c *counts) end(step int) time.Time {
	if step+1 < len(c.starts) {
		return c.starts[step+1]
	}
	return c.period.End
}

// report puts the sums into r.
func (c *counts) report(r *Report, in *scope) {
	r.Unit = c.period.unit()
	for i, start := range c.starts {
		end := c.end(i)
		last := end.AddDate(0, 0, -1)
		s := Step{
			From: start.Format(time.DateOnly), To: last.Format(time.DateOnly), Seconds: int64(end.Sub(start).Seconds()),
			start: start, last: last,
		}
		if c.covered[i] > 0 {
			s.Covered = int64(c.covered[i].Seconds()) / int64(max(1, c.logs))
			s.Tally = new(Tally)
		}
		r.Steps = append(r.Steps, s)
	}
	r.Counts = c.cellsOf(in.services())
	r.Total = c.nothing(r.Steps)
	agencies, services := newRows(r.Steps), newRows(r.Steps)
	for _, a := range r.Agencies {
		agencies.row(a.Name)
	}
	for i := range r.Counts {
		cell := &r.Counts[i]
		r.Total.plus(&cell.Tally)
		r.Steps[cell.Step].Tally.plus(&cell.Tally)
		agencies.add(cell.Agency, cell)
		services.add(cell.Service, cell)
	}
	for _, a := range r.Agencies {
		if a.Mode == policy.Off.String() {
			agencies.forget(a.Name)
		}
	}
	r.ByAgency, r.ByService = agencies.inOrder(), services.inOrder()
}

// nothing is a tally of zero, nil if no step is covered.
func (c *counts) nothing(steps []Step) *Tally {
	for i := range steps {
		if steps[i].Tally != nil {
			return new(Tally)
		}
	}
	return nil
}

// cellsOf are the sums in order.
func (c *counts) cellsOf(services map[string]string) []Cell {
	cells := []Cell{}
	for key, tally := range c.cells {
		if tally.all() == 0 {
			continue
		}
		cells = append(cells, Cell{
			Step: key.step, Agency: key.agency, Policy: key.policy, List: key.list, Tally: *tally,
			Service: cmp.Or(services[key.list], key.list),
		})
	}
	slices.SortFunc(cells, func(a, b Cell) int { return cmp.Or(cmp.Compare(a.Step, b.Step), byNames(a, b)) })
	return cells
}

func byNames(a, b Cell) int {
	return cmp.Or(cmp.Compare(a.Agency, b.Agency), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.List, b.List))
}

// sum is the total, zero also where there are no data.
func (r *Row) sum() Tally {
	if r.Total == nil {
		return Tally{}
	}
	return *r.Total
}

// rows are rows by their names.
type rows struct {
	steps []Step
	all   map[string]*Row
}

func newRows(steps []Step) *rows { return &rows{steps: steps, all: map[string]*Row{}} }

// row is the row of that name, with zeros where there are data.
func (r *rows) row(name string) *Row {
	if r.all[name] == nil {
		row := &Row{Name: name, Steps: make([]*Tally, len(r.steps))}
		for i := range r.steps {
			if r.steps[i].Tally != nil {
				row.Total, row.Steps[i] = new(Tally), new(Tally)
			}
		}
		r.all[name] = row
	}
	return r.all[name]
}

func (r *rows) add(name string, cell *Cell) {
	row := r.row(name)
	row.Total.plus(&cell.Tally)
	row.Steps[cell.Step].plus(&cell.Tally)
}

// forget has the row of an agency that is switched off tell no zeros: nothing was counted there.
func (r *rows) forget(name string) {
	if row := r.row(name); row.Total != nil && row.Total.all() == 0 {
		r.all[name] = &Row{Name: name, Steps: make([]*Tally, len(r.steps))}
	}
}

// inOrder are the rows, that with the most refusals first.
func (r *rows) inOrder() []Row {
	all := make([]Row, 0, len(r.all))
	for _, row := range r.all {
		all = append(all, *row)
	}
	slices.SortFunc(all, func(a, b Row) int {
		m, n := a.sum(), b.sum()
		return cmp.Or(cmp.Compare(n.Refused, m.Refused), cmp.Compare(n.all(), m.all()), cmp.Compare(a.Name, b.Name))
	})
	return all
}

package report

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// chart is a bar chart as it is drawn: all lengths are in the units of its view box. It is told apart without colours too: what was
// refused is solid, what was observed is hatched, what was excepted is empty, and where there are no data there is a field of dots.
type chart struct {
	ID      string
	Caption string // what stands above it
	Desc    string // the same as a text
	Small   bool

	Width, Height            float64
	Left, Right, Top, Bottom float64 // the edges of the field
	Grid                     []tick
	Gaps                     []gap
	Bars                     []bar
	Marks                    []point // incomplete steps
	Labels                   []label
	Legend                   []legend
}

type (
	tick struct {
		Y, TextY float64
		Text     string
	}
	bar struct {
		X, Y, W, H  float64
		Fill, Title string
	}
	gap struct {
		X, W, TextX, TextY float64
		Text               string
	}
	point struct{ X, Y float64 }
	label struct {
		X, Y, YearY float64
		Text, Year  string
	}
	legend struct{ Fill, Text string }
)

// The fills of bars. The patterns are defined once in the page.
const (
	fillRefused  = "#1b365d"
	fillObserved = "url(#observed)"
	fillExcepted = "#ffffff"
	fillNoData   = "url(#nodata)"
)

// letter is how wide a letter is, roughly, and lineHeight how high a line.
const (
	letter     = 6.2
	lineHeight = 13
)

// wholeChart is the chart of all that was counted.
func (a author) wholeChart() *chart {
	c := &chart{Width: 720, Height: 290, Left: 64, Right: 714, Top: 14, Bottom: 246}
	tallies := make([]*Tally, len(a.Steps))
	for i := range a.Steps {
		tallies[i] = a.Steps[i].Tally
	}
	c.Caption = a.l.say(unitChartPhrases[a.Unit])
	a.draw(c, tallies, 5)
	return c
}

// rowChart is the chart of one agency or service.
func (a author) rowChart(r *Row) *chart {
	c := &chart{Width: 350, Height: 168, Left: 56, Right: 346, Top: 10, Bottom: 128, Small: true, Caption: r.Name}
	a.draw(c, r.Steps, 3)
	return c
}

// draw draws the tallies into c, with about so many lines of a grid.
func (a author) draw(c *chart, tallies []*Tally, lines int) {
	most := uint64(0)
	for _, t := range tallies {
		if t != nil {
			most = max(most, t.all())
		}
	}
	each := niceStep(most, lines)
	top := each * math.Ceil(max(1, float64(most))/each)
	scale := (c.Bottom - c.Top) / top
	for n := 0.0; n <= top; n += each {
		y := c.Bottom - n*scale
		c.Grid = append(c.Grid, tick{round(y), round(y + 4), a.l.number(uint64(min(n, math.MaxInt64)))})
	}
	width := (c.Right - c.Left) / float64(len(tallies))
	for i, t := range tallies {
		if t != nil {
			a.drawBar(c, i, t, width, scale)
		}
	}
	a.drawGaps(c, tallies, width)
	a.drawLabels(c, width)
	c.Desc, c.Legend = a.described(tallies), a.legend(tallies)
}

// niceStep is a step between the lines of a grid: 1, 2 or 5 with zeros, at least 1.
func niceStep(most uint64, lines int) float64 {
	rough := max(1, float64(most)/float64(lines))
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, n := range []float64{1, 2, 5} {
		if n*power >= rough {
			return n * power
		}
	}
	return 10 * power
}

func (a author) drawBar(c *chart, i int, t *Tally, width, scale float64) {
	space := min(width*0.25, 6)
	x, y := c.Left+float64(i)*width+space/2, c.Bottom
	for _, part := range []struct {
		n    uint64
		fill string
	}{{t.Refused, fillRefused}, {t.Observed, fillObserved}, {t.Excepted, fillExcepted}} {
		height := float64(part.n) * scale
		if part.n > 0 {
			c.Bars = append(c.Bars, bar{
				X: round(x), Y: round(y - height), W: round(width - space), H: round(max(height, 0.5)),
				Fill: part.fill, Title: a.barTitle(i, t),
			})
		}
		y -= height
	}
	if a.Steps[i].incomplete() {
		c.Marks = append(c.Marks, point{round(x + (width-space)/2), round(max(y-2, c.Top))})
	}
}

func (a author) barTitle(i int, t *Tally) string {
	l := a.l
	told := func(name string, n uint64) string { return " · " + name + l.colon() + " " + l.number(n) }
	return a.stepName(i) + told(l.say("Refused"), t.Refused) + told(l.say("Observed"), t.Observed) + told(l.say("Exception"), t.Excepted)
}

// drawGaps draws a field over each run of steps without data.
func (a author) drawGaps(c *chart, tallies []*Tally, width float64) {
	for i := 0; i < len(tallies); i++ {
		if tallies[i] != nil {
			continue
		}
		first := i
		for i+1 < len(tallies) && tallies[i+1] == nil {
			i++
		}
		x, wide := c.Left+float64(first)*width, float64(i+1-first)*width
		g := gap{X: round(x), W: round(wide), TextX: round(x + wide/2), TextY: round((c.Top + c.Bottom) / 2)}
		if text := a.l.say("no data"); float64(utf8.RuneCountInString(text)+2)*letter <= wide {
			g.Text = text
		}
		c.Gaps = append(c.Gaps, g)
	}
}

// drawLabels names as many steps below the field as there is room for, with the year where it begins.
func (a author) drawLabels(c *chart, width float64) {
	widest := 0
	for i := range a.Steps {
		widest = max(widest, utf8.RuneCountInString(a.shortName(i)))
	}
	stride := max(1, int(math.Ceil((float64(widest)*letter+6)/width)))
	year := 0
	for i := 0; i < len(a.Steps); i += stride {
		start := a.Steps[i].start
		named := label{
			X: round(c.Left + (float64(i)+0.5)*width), Y: c.Bottom + lineHeight + 1, YearY: c.Bottom + 2*lineHeight + 1,
			Text: a.shortName(i),
		}
		if start.Year() != year {
			year = start.Year()
			named.Year = strconv.Itoa(year)
		}
		c.Labels = append(c.Labels, named)
	}
}

// shortName is the name of a step where there is no room.
func (a author) shortName(i int) string {
	if a.Unit == Month {
		return shortMonths[a.l][a.Steps[i].start.Month()-1]
	}
	return a.l.dayAndMonth(a.Steps[i].start)
}

// described says in a sentence what a chart shows. The numbers themselves stand in a table.
func (a author) described(tallies []*Tally) string {
	best, none := -1, 0
	var whole Tally
	for i, t := range tallies {
		switch {
		case t == nil:
			none++
			continue
		case best < 0 || t.Refused > tallies[best].Refused:
			best = i
		}
		whole.plus(t)
	}
	if best < 0 {
		return a.l.say("No data: no log covers this period.")
	}
	text := a.l.say("In the period %[1]s queries were refused, %[2]s observed and %[3]s allowed by an exception; "+
		"the most refusals: %[4]s (%[5]s).", a.l.number(whole.Refused), a.l.number(whole.Observed), a.l.number(whole.Excepted),
		a.l.number(tallies[best].Refused), a.stepName(best))
	if none > 0 {
		text += " " + a.l.count(none, "No data for %[1]s part of it.", "No data for %[1]s parts of it.")
	}
	return text
}

// legend explains the fills that can be seen.
func (a author) legend(tallies []*Tally) []legend {
	none := false
	for _, t := range tallies {
		none = none || t == nil
	}
	all := []legend{
		{fillRefused, a.l.say("Refused")}, {fillObserved, a.l.say("Observed")}, {fillExcepted, a.l.say("Exception")},
	}
	if none {
		all = append(all, legend{fillNoData, a.l.say("no data")})
	}
	return all
}

// Span is how high the field is.
func (c *chart) Span() float64 { return c.Bottom - c.Top }

// Edge is where the numbers of the grid end.
func (c *chart) Edge() float64 { return c.Left - 6 }

// round keeps the page small.
func round(x float64) float64 { return math.Round(x*10) / 10 }

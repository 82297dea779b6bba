package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	_ "time/tzdata" // a container from scratch has no zone files, and a ban must not depend on them

	"go.yaml.in/yaml/v3"
)

// The years in which a time of a policy can lie. Anything else is a slip of the pen.
const (
	minYear = 1990
	maxYear = 2199
)

// localLayouts are the forms of a time without an offset.
var localLayouts = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05"}

// parseMoment reads an instant:
//
//	2023-09-10                   the beginning of that day in the file's timezone; for until, the end of it, which is
//	                             the beginning of the next: the first instant at which what ends is over
//	2023-09-11T09:00             that time in the file's timezone, with or without seconds
//	2023-09-11T09:00:00+02:00    RFC 3339, section 5.6
//
// A local time that the clocks skip or show twice is refused, because nobody could say which instant is meant.
func (d *decoder) parseMoment(n *yaml.Node, p *time.Time, f *field) error {
	text := n.Value
	zone := d.zone
	if zone == nil {
		zone = time.UTC
	}
	moment, local, err := parseInstant(text, zone, f.lastDay)
	if err != nil {
		return err
	}
	last := moment
	if f.lastDay {
		last = last.Add(-1) // what ends at the turn of a year has its last day in the old one
	}
	if year := last.Year(); year < minYear || year > maxYear {
		return fmt.Errorf("found %s, want a year from %d to %d", quote(text), minYear, maxYear)
	}
	if local && d.local == nil {
		place := d.pos(n)
		d.local = &place
	}
	*p = moment
	return nil
}

// ParseTime reads an instant in a form that the files have, in zone unless it has an offset; a date is its beginning.
func ParseTime(text string, zone *time.Location) (time.Time, error) {
	moment, _, err := parseInstant(text, zone, false)
	return moment, err
}

// parseInstant is parseMoment without the file and its bounds. local says that it depended on the zone.
func parseInstant(text string, zone *time.Location, lastDay bool) (moment time.Time, local bool, err error) {
	if day, dayErr := time.Parse(time.DateOnly, text); dayErr == nil {
		if lastDay {
			day = day.AddDate(0, 0, 1)
		}
		return dayStart(day, zone), true, nil
	}
	if moment, err = time.Parse(time.RFC3339, text); err == nil {
		return moment.In(zone), false, nil
	}
	for _, layout := range localLayouts {
		if wall, wallErr := time.Parse(layout, text); wallErr == nil {
			moment, err = wallTime(wall, zone)
			return moment, true, err
		}
	}
	if noSuchDay(text) {
		return moment, false, fmt.Errorf("found %s, but there is no such day", quote(text))
	}
	return moment, false, fmt.Errorf("found %s, want a date (2023-09-10), a time (2023-09-11T09:00) or an instant "+
		"(2023-09-11T09:00:00+02:00)", quote(text))
}

// noSuchDay says whether text begins like a date, with a month or a day that no calendar has.
func noSuchDay(text string) bool {
	var wrong *time.ParseError
	_, err := time.Parse(time.DateOnly, text[:min(len(text), len(time.DateOnly))])
	return errors.As(err, &wrong) && strings.HasSuffix(wrong.Message, "out of range")
}

// dayStart is the first instant of a day in zone: midnight, or what comes after it where the clocks skip midnight.
func dayStart(day time.Time, zone *time.Location) time.Time {
	year, month, date := day.Date()
	if starts := instants(day, zone); len(starts) > 0 {
		return starts[0]
	}
	after, _ := time.Date(year, month, date, 12, 0, 0, 0, zone).ZoneBounds()
	return after
}

// wallTime is the one instant at which clocks in zone show what wall shows.
func wallTime(wall time.Time, zone *time.Location) (time.Time, error) {
	found := instants(wall, zone)
	shown := wall.Format("2006-01-02T15:04:05")
	switch len(found) {
	case 0:
		return time.Time{}, fmt.Errorf("%s does not exist in %s, where the clocks skip it: want a time before or after", shown, zone)
	case 1:
		return found[0], nil
	}
	return time.Time{}, fmt.Errorf("%s is there twice in %s, when the clocks go back: want %s or %s", shown, zone,
		found[0].Format(time.RFC3339), found[1].Format(time.RFC3339))
}

// instants are all the instants at which clocks in zone show what wall shows (its date and time of day, as UTC), earliest
// first: one, or none or two around a change of the clocks.
func instants(wall time.Time, zone *time.Location) []time.Time {
	_, before := wall.Add(-26 * time.Hour).In(zone).Zone()
	_, after := wall.Add(26 * time.Hour).In(zone).Zone()
	var found []time.Time
	for _, offset := range []int{max(before, after), min(before, after)} {
		moment := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if _, actual := moment.Zone(); actual != offset {
			continue
		}
		if len(found) == 0 || !found[0].Equal(moment) {
			found = append(found, moment)
		}
	}
	return found
}

// parseZone is the timezone of that name in the IANA database.
func parseZone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, errors.New("want a timezone that is the same on every machine, such as Europe/Brussels or UTC")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%s is not in the IANA time zone database: want a name such as Europe/Brussels or UTC", quote(name))
	}
	return zone, nil
}

// textNode is the node for a value that comes from elsewhere than a file: text, or for a list its words, which are divided
// by commas or blanks.
func textNode(t reflect.Type, text string) *yaml.Node {
	if t.Kind() != reflect.Slice {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: word})
	}
	return list
}

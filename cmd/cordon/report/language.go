package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// language is one of [Languages].
type language string

const (
	noBreak       = "\u00a0" // a space at which a line is not broken
	narrowNoBreak = "\u202f"
	dash          = "\u2013"
)

// phrase is a text in English, by which its translations are found. Verbs such as %[1]s stand for what is told in it.
type phrase string

// say is p in the language, with args in it.
func (l language) say(p phrase, args ...any) string {
	text := l.translate(p)
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

func (l language) translate(p phrase) string {
	if text := translations()[p][l]; text != "" {
		return text
	}
	return string(p)
}

// count says how many things there are: one, or, in French, none, is said in the singular.
func (l language) count(n int, one, more phrase) string {
	if n == 1 || n == 0 && l == "fr" {
		return l.say(one, l.number(uint64(max(0, n))))
	}
	return l.say(more, l.number(uint64(max(0, n))))
}

// number is n with its thousands apart, as the language writes it.
func (l language) number(n uint64) string {
	separator := map[language]string{"fr": narrowNoBreak, "nl": ".", "de": ".", "en": ","}[l]
	digits := strconv.FormatUint(n, 10)
	var parts []string
	for len(digits) > 3 {
		parts = append(parts, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	parts = append(parts, digits)
	slices.Reverse(parts)
	return strings.Join(parts, separator)
}

// colon ends a term that something is told of.
func (l language) colon() string {
	if l == "fr" {
		return noBreak + ":"
	}
	return ":"
}

// percent is n per cent.
func (l language) percent(n int) string {
	space := map[language]string{"fr": noBreak, "de": noBreak, "nl": noBreak}[l]
	return strconv.Itoa(n) + space + "%"
}

// share is a part of the whole, in per cent, rounded down, so that 100 is all of it and 0 is nothing.
func (l language) share(part, whole int64) string {
	n := percentOf(part, whole)
	if n == 0 && part > 0 {
		return "< " + l.percent(1)
	}
	return l.percent(n)
}

// months are their names, as in a date.
var months = map[language][12]string{
	"fr": {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	"nl": {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"},
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

// shortMonths are the same where there is little room.
var shortMonths = map[language][12]string{
	"fr": {"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."},
	"nl": {"jan.", "feb.", "mrt.", "apr.", "mei", "jun.", "jul.", "aug.", "sep.", "okt.", "nov.", "dec."},
	"de": {"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."},
	"en": {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
}

// date is the day of t, as in a sentence.
func (l language) date(t time.Time) string {
	return fmt.Sprintf("%s"+noBreak+"%s"+noBreak+"%d", l.dayOfMonth(t), months[l][t.Month()-1], t.Year())
}

// shortDate is the day of t where there is little room.
func (l language) shortDate(t time.Time) string {
	return fmt.Sprintf("%s"+noBreak+"%s"+noBreak+"%d", l.dayOfMonth(t), shortMonths[l][t.Month()-1], t.Year())
}

// dayAndMonth is the day of t without the year, where there is least room.
func (l language) dayAndMonth(t time.Time) string {
	return l.dayOfMonth(t) + noBreak + shortMonths[l][t.Month()-1]
}

// monthAndYear is the month of t.
func (l language) monthAndYear(t time.Time) string {
	return fmt.Sprintf("%s"+noBreak+"%d", shortMonths[l][t.Month()-1], t.Year())
}

func (l language) dayOfMonth(t time.Time) string {
	switch {
	case l == "fr" && t.Day() == 1:
		return "1er"
	case l == "de":
		return strconv.Itoa(t.Day()) + "."
	default:
		return strconv.Itoa(t.Day())
	}
}

// moment is the day and the time of t.
func (l language) moment(t time.Time) string { return l.shortDate(t) + ", " + t.Format("15:04") }

// first is the day, or the moment, from which something is.
func (l language) first(t time.Time) string {
	if midnight(t) {
		return l.shortDate(t)
	}
	return l.moment(t)
}

// last is the last day of something that ends at t, or that moment.
func (l language) last(t time.Time) string {
	if midnight(t) {
		return l.shortDate(t.AddDate(0, 0, -1))
	}
	return l.moment(t)
}

func midnight(t time.Time) bool {
	hour, minute, second := t.Clock()
	return hour == 0 && minute == 0 && second == 0
}

// end says when something ends, and, of a day, that it is all of it.
func (l language) end(t time.Time) string {
	if midnight(t) {
		return l.say("to the end of %[1]s", l.last(t))
	}
	return l.say("until %[1]s", l.last(t))
}

// span is from one moment to the other, either of which may be zero.
func (l language) span(from, until time.Time) string {
	switch {
	case from.IsZero() && until.IsZero():
		return l.say("without beginning and end")
	case until.IsZero():
		return l.say("from %[1]s, without end", l.first(from))
	case from.IsZero():
		return l.end(until)
	default:
		return l.say("from %[1]s", l.first(from)) + " " + l.end(until)
	}
}

// duration is how long something took, by its largest units.
func (l language) duration(seconds int64) string {
	switch d := time.Duration(seconds) * time.Second; {
	case d < time.Minute:
		return l.say("less than a minute")
	case d < 2*time.Hour:
		return l.say("%[1]s min", l.number(uint64(d/time.Minute)))
	case d < 48*time.Hour:
		return l.say("%[1]s h", l.number(uint64(d/time.Hour)))
	default:
		return l.count(int(d/(24*time.Hour)), "%[1]s day", "%[1]s days")
	}
}

// pick is the text in the language, else in a variant of it, in English, or in the first language that there is; "" without any.
func (l language) pick(texts map[string]string) string {
	var best string
	rank := 4
	for _, tag := range sortedKeys(texts) {
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		r := 3
		switch {
		case strings.EqualFold(tag, string(l)):
			r = 0
		case primary == string(l):
			r = 1
		case primary == "en":
			r = 2
		}
		if r < rank && texts[tag] != "" {
			best, rank = texts[tag], r
		}
	}
	return best
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

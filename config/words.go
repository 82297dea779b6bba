package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// checkWord finds what is wrong with the text of a key, if it is there.
func checkWord(place *Place, key, text string, wrong func(string) string) Faults {
	if text == "" {
		return nil
	}
	if want := wrong(text); want != "" {
		return Faults{faultAt(place.At(key), "%s: found %s, %s", key, quote(text), want)}
	}
	return nil
}

// telephone is what follows tel: in its simple form (RFC 3966, section 3).
var telephone = regexp.MustCompile(`^\+?[\d().-]*\d[\d().-]*(;[A-Za-z\d=;+.-]*)?$`)

// wrongContact says what is wrong with a contact, "" if nothing is. It is a URI with one of the schemes that a client may follow without
// a risk (draft-ietf-dnsop-structured-dns-error, section 4).
func wrongContact(text string) string {
	const want = "want a URI such as mailto:dns@ministry.example, tel:+32-2-555-0100 or https://help.example/dns"
	scheme, rest, _ := strings.Cut(text, ":")
	switch scheme {
	case "mailto":
		if address, _, _ := strings.Cut(rest, "?"); plain(rest) && strings.Contains(strings.Trim(address, "@"), "@") {
			return ""
		}
	case "tel":
		if telephone.MatchString(rest) {
			return ""
		}
	case "https":
		if isURL(text, "https") {
			return ""
		}
	}
	return want
}

func wrongLink(text string) string {
	if isURL(text, "https", "http") {
		return ""
	}
	return "want a URL such as https://law.example/decision-1"
}

// isURL says whether text is a URL with a host and one of the schemes.
func isURL(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	return err == nil && plain(text) && u.Host != "" && u.User == nil && slices.Contains(schemes, u.Scheme)
}

// plain says whether text has only what a URI may have, or what stands for it in another script.
func plain(text string) bool { return text != "" && !strings.ContainsAny(text, " \t\n\"<>\\^`{|}") }

func wrongLanguage(text string) string {
	if language.MatchString(text) {
		return ""
	}
	return "want a language such as en, fr or nl-BE"
}

// checkHistory finds what does not fit together in a history of ends: each is decided after the one before and is later, and the last is
// the one that counts.
func checkHistory(key string, all []Prolonged, until time.Time) Faults {
	var faults Faults
	for i := range all {
		one := &all[i]
		if one.On.IsZero() || one.Until.IsZero() {
			return faults // it has its fault already
		}
		if notAfter(one.Until, one.On) {
			faults = append(faults, faultAt(one.At("until"), "%s: the end %s is not after the day on which it was decided, %s", key,
				shown(one.Until), shown(one.On)))
		}
		if i == 0 {
			continue
		}
		before := &all[i-1]
		switch {
		case one.On.Before(before.On):
			faults = append(faults, faultAt(one.At("on"), "%s: %s is before the %s of the entry above it (%s): want them in the order in "+
				"which they were decided", key, shown(one.On), shown(before.On), before.Pos))
		case !one.Until.After(before.Until):
			faults = append(faults, faultAt(one.At("until"), "%s: the end %s is not after the one before, %s (%s)", key, shown(one.Until),
				shown(before.Until), before.Pos))
		case one.On.After(before.Until):
			faults = append(faults, warningAt(one.At("on"), "%s: on %s it had been over since %s", key, shown(one.On), shown(before.Until)))
		}
	}
	if n := len(all); n > 0 && !all[n-1].Until.Equal(until) {
		faults = append(faults, warningAt(all[n-1].At("until"), "%s: the last end is %s, and until is %s, which counts", key,
			shown(all[n-1].Until), shownEnd(until)))
	}
	return faults
}

func shownEnd(t time.Time) string {
	if t.IsZero() {
		return "left out"
	}
	return shown(t)
}

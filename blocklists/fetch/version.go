package fetch

import (
	"net/http"
	"strings"

	"cordon/blocklists/mirror"
)

// maxValidator is the largest entity tag that is worth keeping, in octets.
const maxValidator = 1 << 10

// versionOf is the entity tag and the date of a response, with a line feed between them; "" if it has neither. What could not be sent
// back as it came counts as none.
func versionOf(h http.Header) string {
	tag, date := validator(h.Get("ETag")), validator(h.Get("Last-Modified"))
	if tag == "" && date == "" {
		return ""
	}
	return tag + "\n" + date
}

func validator(text string) string {
	if len(text) > maxValidator || !isPrintable(text) {
		return ""
	}
	return text
}

// conditionsOf are the headers that ask for another version than have's, none if there is none or it has no name (RFC 9110,
// section 13.1).
func conditionsOf(have *mirror.Copy) http.Header {
	if have == nil {
		return nil
	}
	tag, date, ok := strings.Cut(have.Version, "\n")
	if !ok {
		return nil
	}
	h := http.Header{}
	if tag = validator(tag); tag != "" {
		h.Set("If-None-Match", tag)
	}
	if date = validator(date); date != "" {
		h.Set("If-Modified-Since", date)
	}
	return h
}

func isPrintable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

package wording

import (
	"maps"
	"slices"
	"strings"
)

// Title is a title in that language (BCP 47: "nl-BE" is "nl" too), else in English, else in the first language that there is; and the
// language that it is in.
func Title(title map[string]string, language string) (text, in string) {
	if len(title) == 0 {
		return "", ""
	}
	base, _, _ := strings.Cut(language, "-")
	for _, l := range []string{language, base, "en"} {
		if text, ok := title[l]; ok {
			return text, l
		}
	}
	first := slices.Min(slices.Collect(maps.Keys(title)))
	return title[first], first
}

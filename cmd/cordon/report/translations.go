package report

import (
	_ "embed" // the translations
	"encoding/json"
	"strings"
	"sync"
)

// The official words: a policy is an interdiction, a verbod, a Verbot; an exception a derogation, an uitzondering, an Ausnahme; an agency
// an organisme, an instantie, a Behoerde. A test holds the file to the phrases that are said.
//
//go:embed translations.json
var translationsText []byte

// translations are those of each phrase, by language.
var translations = sync.OnceValue(func() map[phrase]map[language]string {
	var all map[phrase]map[language]string
	if err := json.Unmarshal(translationsText, &all); err != nil {
		panic("report: translations.json: " + err.Error()) // it is part of the program
	}
	// A mark that has a space before it in French never begins a line.
	spaces := strings.NewReplacer(" :", noBreak+":", " ;", narrowNoBreak+";", " !", narrowNoBreak+"!", " ?", narrowNoBreak+"?")
	for _, text := range all {
		text["fr"] = spaces.Replace(text["fr"])
	}
	return all
})

package answer_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"cordon/resolver/answer"
	"cordon/resolver/wire"
)

const (
	blocked  = wire.EDEBlocked
	forged   = wire.EDEForged
	censored = wire.EDECode(16)
)

func TestStructuredErrorsSayWhatIsKnown(t *testing.T) {
	all := answer.Reason{Policy: "ban", Title: "TikTok est interdit", Language: "fr", Reference: "Circulaire 716", Operator: "Conseil"}
	for name, c := range map[string]struct {
		code        wire.EDECode
		reason      answer.Reason
		contact     string
		text, short string
	}{
		"all": {
			blocked, all, "mailto:dns@ict.example",
			`{"c":["mailto:dns@ict.example"],"j":"TikTok est interdit (Circulaire 716)","s":6,"o":"Conseil","l":"fr"}`,
			`{"c":["mailto:dns@ict.example"],"s":6}`,
		},
		"a telephone": {
			blocked,
			answer.Reason{Policy: "ban", Title: "Banned", Language: "en"},
			"tel:+32-2-555-0100",
			`{"c":["tel:+32-2-555-0100"],"j":"Banned","s":6,"l":"en"}`, `{"c":["tel:+32-2-555-0100"],"s":6}`,
		},
		"a page is no contact": {
			blocked, all, "https://ict.example/",
			`{"j":"TikTok est interdit (Circulaire 716)","s":6,"o":"Conseil","l":"fr"}`, `{"s":6}`,
		},
		"no contact":           {blocked, answer.Reason{Policy: "ban", Title: "x", Language: "en"}, "", `{"j":"x","s":6,"l":"en"}`, `{"s":6}`},
		"a scheme in capitals": {blocked, answer.Reason{Policy: "ban", Title: "x", Language: "en"}, "MAILTO:a@b.example", `{"c":["MAILTO:a@b.example"],"j":"x","s":6,"l":"en"}`, `{"c":["MAILTO:a@b.example"],"s":6}`},
		"a scheme alone":       {blocked, answer.Reason{Policy: "ban", Title: "x", Language: "en"}, "mailto:", `{"j":"x","s":6,"l":"en"}`, `{"s":6}`},
		"a contact with a line break": {
			blocked, answer.Reason{Policy: "ban", Title: "x", Language: "en"}, "mailto:a@b.example\r\nBcc: c", `{"j":"x","s":6,"l":"en"}`, `{"s":6}`,
		},
		"Censored has no number": {
			censored, all, "mailto:dns@ict.example",
			`{"c":["mailto:dns@ict.example"],"j":"TikTok est interdit (Circulaire 716)","o":"Conseil","l":"fr"}`,
			`{"c":["mailto:dns@ict.example"]}`,
		},
		"Censored without a contact": {
			censored, all, "", `{"j":"TikTok est interdit (Circulaire 716)","o":"Conseil","l":"fr"}`, "",
		},
		"Forged Answer becomes Blocked": {forged, answer.Reason{Policy: "ban", Title: "x", Language: "en"}, "", `{"j":"x","s":6,"l":"en"}`, `{"s":6}`},
		"no title":                      {blocked, answer.Reason{Policy: "ban", Reference: "716"}, "", `{"j":"716","s":6,"l":"und"}`, `{"s":6}`},
		"neither title nor reference":   {blocked, answer.Reason{Policy: "ban"}, "", `{"j":"policy ban","s":6,"l":"und"}`, `{"s":6}`},
		"nothing but a name, Censored":  {censored, answer.Reason{Policy: "ban"}, "", `{"j":"policy ban","l":"und"}`, ""},
		"what JSON escapes": {
			blocked,
			answer.Reason{Policy: "ban", Title: `"\<&>` + "\u2028 é\x01😀", Language: "en"},
			`mailto:"a\b"@b.example`,
			`{"c":["mailto:\"a\\b\"@b.example"],"j":"\"\\<&> é 😀","s":6,"l":"en"}`, `{"c":["mailto:\"a\\b\"@b.example"],"s":6}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.reason.Code = c.code
			contact, _ := answer.NewContact(c.contact)
			s := c.reason.Structured()
			ede := s.EDE(&contact)
			if got := ede.Lead + ede.Text; got != c.text {
				t.Errorf("got  %s\nwant %s", got, c.text)
			}
			if ede.Short != c.short {
				t.Errorf("short: got %s, want %s", ede.Short, c.short)
			}
			want := c.code
			if c.code == forged {
				want = blocked
			}
			if ede.Code != want {
				t.Errorf("code %d, want %d", ede.Code, want)
			}
		})
	}
}

// FuzzStructured holds what is made of any texts to what a client may expect: I-JSON of bounded size, in which the texts are the same.
func FuzzStructured(f *testing.F) {
	f.Add("TikTok", "716", "Council", "mailto:a@b.example", "fr", true)
	f.Add("\x00\"\\\xff\ufdd0\u202e</script>", "\u2028", "", "tel:1\n", "", false)
	f.Fuzz(func(t *testing.T, title, reference, operator, uri, language string, block bool) {
		if len(language) > 10 || !utf8.ValidString(language) {
			return // package config takes tags alone
		}
		r := answer.Reason{Code: censored, Policy: "ban", Title: title, Reference: reference, Operator: operator, Language: language}
		if block {
			r.Code = blocked
		}
		contact, good := answer.NewContact(uri)
		s := r.Structured()
		ede := s.EDE(&contact)
		for _, text := range []string{ede.Lead + ede.Text, ede.Short} {
			if text == "" && !block && !good {
				continue // nothing is short enough
			}
			checkObject(t, text, block, good)
		}
		if plain := r.EDE().Text; len(plain) > 240 || strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r == 0x7F }) {
			t.Errorf("plain text %q", plain)
		}
	})
}

func checkObject(t *testing.T, text string, block, contact bool) {
	t.Helper()
	var o struct {
		C []string `json:"c"`
		J string   `json:"j"`
		S int      `json:"s"`
		O string   `json:"o"`
		L string   `json:"l"`
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil || d.More() || !utf8.ValidString(text) {
		t.Fatalf("%q is no JSON: %v", text, err)
	}
	if len(text) > 1300 || len(o.J) > 240 || len(o.O) > 120 {
		t.Errorf("%d octets: %q", len(text), text)
	}
	if block != (o.S == 6) || contact != (len(o.C) == 1) || (o.J != "" || o.O != "") && o.L == "" {
		t.Errorf("%q does not have the members that it should", text)
	}
	if o.J == "" && o.S == 0 && len(o.C) == 0 {
		t.Errorf("a client must disregard %q", text)
	}
}

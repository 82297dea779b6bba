package answer_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"cordon/resolver/answer"
	"cordon/resolver/wire"
)

func TestReasonNamesTitleReferenceAndPolicy(t *testing.T) {
	const circular = "Circular 716, numac 2023030807"
	for name, c := range map[string]struct {
		reason answer.Reason
		want   string
	}{
		"all": {
			answer.Reason{Title: "TikTok is banned from service devices", Reference: circular},
			"TikTok is banned from service devices (Circular 716, numac 2023030807) [ban]",
		},
		"no reference":            {answer.Reason{Title: "TikTok est interdit"}, "TikTok est interdit [ban]"},
		"no title":                {answer.Reason{Reference: circular, Operator: "Council"}, "policy ban"},
		"a title of nothing":      {answer.Reason{Title: " \t\n", Reference: circular}, "policy ban"},
		"several lines":           {answer.Reason{Title: "one\r\n  two\u2028three\n", Reference: "a\tb"}, "one two three (a b) [ban]"},
		"control characters":      {answer.Reason{Title: "a\x00b\x1b[31mc\u0085d"}, "a b [31mc d [ban]"},
		"direction of writing":    {answer.Reason{Title: "a\u202egro.live\u2066"}, "agro.live [ban]"},
		"octets that are no text": {answer.Reason{Title: "a\xffb\ufdd0\U0001fffe"}, "a\ufffdb [ban]"},
	} {
		t.Run(name, func(t *testing.T) {
			c.reason.Code, c.reason.Policy = wire.EDEBlocked, "ban"
			want := wire.EDE{Code: wire.EDEBlocked, Text: c.want, Short: "policy ban"}
			if got := c.reason.EDE(); got != want {
				t.Errorf("got %+q, want %+q", got.Text, want.Text)
			}
		})
	}
}

func TestReasonIsCutToWhatFits(t *testing.T) {
	for name, r := range map[string]answer.Reason{
		"title":          {Title: strings.Repeat("a long title ", 300)},
		"reference":      {Title: "title", Reference: strings.Repeat("numac 2023030807 ", 300)},
		"both":           {Title: strings.Repeat("x", 4096), Reference: strings.Repeat("y", 4096)},
		"wide runes":     {Title: strings.Repeat("禁", 1000), Reference: strings.Repeat("é", 1000)},
		"wider runes":    {Title: "x" + strings.Repeat("😀", 1000), Reference: "xx" + strings.Repeat("😀", 1000)},
		"the longest ID": {Title: strings.Repeat("x", 4096), Reference: strings.Repeat("y", 4096), Policy: strings.Repeat("p", 63)},
	} {
		t.Run(name, func(t *testing.T) {
			if r.Policy == "" {
				r.Policy = "ban"
			}
			text := r.EDE().Text
			if len(text) > 240 || !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
				t.Errorf("%d octets: %q", len(text), text)
			}
			if !strings.Contains(text, "…") || !strings.HasSuffix(text, " ["+r.Policy+"]") || strings.Contains(text, " …") {
				t.Errorf("%q is not cut as it should be", text)
			}
			if r.Reference != "" && !strings.Contains(text, " ("+r.Reference[:1]) {
				t.Errorf("%q is without the reference", text)
			}
		})
	}
}

package report

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"html/template"
	"sync"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

// page is the template of the page. html/template escapes what it is given by where it stands.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"tidy":  tidy,
		"depth": func(n int) int { return min(n, mostDepth) },
	}).Parse(pageText))
})

// htmlPage is what the template gets.
type htmlPage struct {
	*document

	Style template.CSS // page.css
	Hash  string       // its SHA-256 as a Content-Security-Policy has it: no other style, and no script at all, is allowed
}

// writeHTML writes d as one page that needs nothing from elsewhere.
func writeHTML(w *bufio.Writer, d *document) error {
	sum := sha256.Sum256([]byte(styleText))
	return page().Execute(w, htmlPage{
		document: d, Style: template.CSS(styleText), //nolint:gosec // it is a constant
		Hash: base64.StdEncoding.EncodeToString(sum[:]),
	})
}

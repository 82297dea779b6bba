package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// faultLimit is the most of an error's text that is said, in octets: it may quote the server.
const faultLimit = 400

// leastSecret is the length of the shortest value in a URL's query that may be a secret.
const leastSecret = 6

// fault is an error whose text may be shown: it is short, printable and without secrets.
type fault struct {
	text  string
	cause error
}

func (f *fault) Error() string { return f.text }

func (f *fault) Unwrap() error { return f.cause }

// fault says what was asked, where that led to, and what came of it.
func (v *visit) fault(asked, at *url.URL, err error) error {
	where := "GET " + redacted(asked)
	if !sameOrigin(asked, at) {
		where += fmt.Sprintf(", redirected to %.80s", at.Scheme+"://"+at.Host)
	}
	text := err.Error()
	if errors.Is(v.ctx.Err(), context.DeadlineExceeded) {
		text = fmt.Sprintf("it was not there, whole, after %s", time.Since(v.began).Round(time.Millisecond))
	}
	return &fault{text: where + ": " + printable(v.scrub(text+advice(err)), faultLimit), cause: err}
}

// advice is what to do about err, "" if that goes without saying.
func advice(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return ": if its certificate is from an authority of your own, name the file with that authority's certificate"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return ": if it should be valid, look at this machine's clock"
	}
	return ""
}

// redacted is u without its query, which may hold a secret.
func redacted(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	text := printable(shown.String(), faultLimit)
	if u.RawQuery != "" {
		text += "?..."
	}
	return text
}

// secrets are what must not be said, the longest first.
func (v *visit) secrets() []string {
	var all []string
	for _, u := range []*url.URL{v.client.content, v.client.signature} {
		if u == nil {
			continue
		}
		all = append(all, u.RawQuery)
		for _, values := range u.Query() {
			all = append(all, values...)
		}
	}
	all = append(slices.DeleteFunc(all, func(s string) bool { return len(s) < leastSecret }), v.token)
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

func (v *visit) longestSecret() int {
	if all := v.secrets(); len(all) > 0 {
		return len(all[0])
	}
	return 0
}

func (v *visit) scrub(text string) string {
	for _, secret := range v.secrets() {
		text = strings.ReplaceAll(text, secret, "[secret]")
	}
	return text
}

// printable is the first octets of text, at most so many, with a blank for whatever can't be printed in a line.
func printable(text string, most int) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
		if b.Len() > most {
			return b.String()[:most]
		}
	}
	return b.String()
}

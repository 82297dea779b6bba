package fetch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// quoted is how many octets of an unexpected response are said.
const quoted = 80

// The bounds of what a server may ask for with Retry-After.
const (
	leastRetry = time.Second
	mostRetry  = 24 * time.Hour
)

// response is the end of a chain of redirects.
type response struct {
	*http.Response

	visit     *visit
	asked, at *url.URL // where the chain began, and where it ended
}

func (r *response) close() { _ = r.Body.Close() }

// copyTo writes the content to w, if it is content, whole, and of at most so many octets.
func (r *response) copyTo(w io.Writer, most int64) error {
	if r.StatusCode != http.StatusOK {
		return r.unexpected()
	}
	if err := r.checkHeader(most); err != nil {
		return r.visit.fault(r.asked, r.at, err)
	}
	body := &noted{from: r.Body}
	n, err := io.Copy(w, io.LimitReader(body, most+1))
	switch {
	case body.err != nil:
		return r.visit.fault(r.asked, r.at, fmt.Errorf("it broke off after %d octets%s: %w", n, r.announced(), body.err))
	case n > most:
		return r.visit.fault(r.asked, r.at, tooLarge(most))
	default:
		return err // of w
	}
}

func tooLarge(most int64) error {
	return fmt.Errorf("it has more than %d octets: if it is meant to be that large, raise the limit", most)
}

func (r *response) checkHeader(most int64) error {
	encoding := strings.TrimSpace(strings.Join(r.Header.Values("Content-Encoding"), ", "))
	switch {
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return fmt.Errorf("it is encoded as %.20q, which was not asked for: want it as it is, or a gzip file sent as a file", encoding)
	case r.ContentLength > most:
		return tooLarge(most)
	case r.ContentLength < 0 && r.ProtoMajor == 1 && len(r.TransferEncoding) == 0:
		return errors.New("it says neither its length nor where it ends, so a cut list would look like a whole one: " +
			"want a Content-Length")
	}
	return nil
}

// announced is how much was to come, for an error; "" if that is not known.
func (r *response) announced() string {
	if r.ContentLength < 0 {
		return ""
	}
	return " of " + strconv.FormatInt(r.ContentLength, 10)
}

// unexpected is the error for a response that is not content.
func (r *response) unexpected() error {
	if r.StatusCode == http.StatusNotModified {
		return r.visit.fault(r.asked, r.at, fmt.Errorf("%s, but it was not asked whether it was modified: want 200 OK", r.status()))
	}
	// As much as it takes to see a secret whole that begins in what is said.
	text, _ := io.ReadAll(io.LimitReader(r.Body, int64(quoted+r.visit.longestSecret())))
	said := printable(r.visit.scrub(string(text)), quoted)
	if said != "" {
		said = fmt.Sprintf(", and says %q", said)
	}
	return r.visit.fault(r.asked, r.at, fmt.Errorf("%s%s: want 200 OK", r.status(), said))
}

// status is the code, and the reason if it is a known one: the server's own words for it are anything.
func (r *response) status() string {
	return strings.TrimSpace(strconv.Itoa(r.StatusCode) + " " + http.StatusText(r.StatusCode))
}

// retryAfter is how long the server asks to be left alone, within bounds, 0 if it doesn't (RFC 9110, section 10.2.3).
func (r *response) retryAfter() time.Duration {
	text := strings.TrimSpace(r.Header.Get("Retry-After"))
	if text == "" || r.StatusCode == http.StatusOK {
		return 0
	}
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(max(time.Duration(seconds)*time.Second, leastRetry), mostRetry)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(r.Header.Get("Date")) // the clock that until was made with
	if err != nil {
		now = time.Now()
	}
	return min(max(until.Sub(now), leastRetry), mostRetry)
}

// noted reads, and keeps the error that ended it, to tell it from one of writing.
type noted struct {
	from io.Reader
	err  error
}

func (n *noted) Read(p []byte) (int, error) {
	k, err := n.from.Read(p)
	if err != nil && err != io.EOF {
		n.err = err
	}
	return k, err
}

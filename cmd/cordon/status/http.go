package status

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

// Config is where the resources get what they show. Both functions are called from any goroutine, but from few at a time.
type Config struct {
	Host   string       // of the machine, "" if it has no name
	Log    *slog.Logger // hears of a page that can't be made, which is a fault in Cordon
	Status func() *Status
	// Explain says what client gets for name, by the policy in force, both as they were typed: at most maxName and maxClient octets. The
	// error is for who typed them.
	Explain func(name, client string) (*Explanation, error)
}

const (
	maxName, maxClient = 1024, 64     // octets of what is typed: a name may be typed in any script
	atOnce             = 4            // answers that are made or sent; who comes then waits
	minRefresh         = 10           // seconds
	maxRefresh         = 24 * 60 * 60 // seconds
)

// Handle adds the resources to mux: GET / and GET /explain for people, GET /status for programs. /explain is JSON for who accepts that.
func Handle(mux *http.ServeMux, c Config) {
	r := &resources{Config: c, places: make(chan struct{}, atOnce)}
	mux.HandleFunc("GET /{$}", r.bounded(r.page))
	mux.HandleFunc("GET /status", r.bounded(r.status))
	mux.HandleFunc("GET /explain", r.bounded(r.explain))
}

type resources struct {
	Config

	places chan struct{}
}

// bounded lets few requests at a time come to serve. Its answers are kept by nobody, and are nobody else's.
func (r *resources) bounded(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		select {
		case r.places <- struct{}{}:
			defer func() { <-r.places }()
		case <-request.Context().Done():
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		serve(w, request)
	}
}

func (r *resources) page(w http.ResponseWriter, request *http.Request) {
	refresh, err := strconv.Atoi(request.URL.Query().Get("refresh"))
	if err != nil || refresh < minRefresh || refresh > maxRefresh {
		refresh = 0
	} else {
		w.Header().Set("Refresh", strconv.Itoa(refresh))
	}
	r.send(w, http.StatusOK, func(to io.Writer) error { return writePage(to, r.Status(), refresh) })
}

func (r *resources) status(w http.ResponseWriter, _ *http.Request) { tell(w, r.Status()) }

// explain answers the form. An address without a question shows the form.
func (r *resources) explain(w http.ResponseWriter, request *http.Request) {
	given := request.URL.Query()
	asked := question{Name: strings.TrimSpace(given.Get("name")), Client: strings.TrimSpace(given.Get("client"))}
	found, wrong := r.answer(asked)
	status := http.StatusOK
	if wrong != "" {
		status = http.StatusBadRequest
	}
	w.Header().Set("Vary", "Accept")
	switch programs := strings.Contains(request.Header.Get("Accept"), "application/json"); {
	case programs && found != nil:
		tell(w, found.Programs)
	case programs:
		http.Error(w, wrong, http.StatusBadRequest)
	default:
		r.send(w, status, func(to io.Writer) error { return writeExplanation(to, r.Host, asked, found, wrong) })
	}
}

// answer is what was found for what is asked, or what is wrong with it; neither if nothing is asked.
func (r *resources) answer(asked question) (found *Explanation, wrong string) {
	switch {
	case asked == question{}:
		return nil, ""
	case asked.Name == "":
		return nil, "The name is missing: want one such as www.tiktok.com"
	case asked.Client == "":
		return nil, "The address of the client is missing: want one such as 192.0.2.7 or 2001:db8::7"
	case len(asked.Name) > maxName || len(asked.Client) > maxClient:
		return nil, "What was typed is too long to be a name and an address"
	}
	found, err := r.Explain(asked.Name, asked.Client)
	if err != nil {
		return nil, err.Error()
	}
	return found, ""
}

// send sends a page, whole or not at all.
func (r *resources) send(w http.ResponseWriter, status int, write func(io.Writer) error) {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		r.Log.Error("the status page was not made, by a fault in Cordon: please report this", "error", err)
		http.Error(w, "the page was not made, by a fault in Cordon: please report this", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", contentPolicy())
	w.WriteHeader(status)
	_, _ = text.WriteTo(w) // an error is that nobody is left to be told
}

// tell sends v as JSON.
func tell(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // an error is that nobody is left to be told
}

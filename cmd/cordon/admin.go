package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"cordon/cmd/cordon/admin"
	"cordon/cmd/cordon/status"
)

// openPaths are those that strangers may ask for: orchestrators and load balancers have no place for a token, and what these say in one
// word is what any DNS query shows.
func openPaths() []string { return []string{"/healthz", "/readyz"} }

// newAdmin makes the admin listener: metrics, health, status, and the state of lists. It binds it, unless it is one that was handed over.
func (s *server) newAdmin(ctx context.Context, handed net.Listener) (*admin.Server, error) {
	listener := handed
	if listener == nil {
		var err error
		network, address := endpointOf(s.service.Listen.Admin)
		if listener, err = admin.Listen(ctx, network, address); err != nil {
			return nil, fmt.Errorf("admin listener: %w; another address: --admin ADDR:PORT or `listen: {admin: …}`", err)
		}
	}
	server, err := admin.New(admin.Config{
		Listener: listener, Guard: guardOf(s.service), Handler: s.resources(), Open: openPaths(), Log: s.traffic,
	})
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("admin listener: %w", err)
	}
	return server, nil
}

// resources are what the admin listener has. It takes GET and nothing else.
func (s *server) resources() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.traffic.Handler(), slog.LevelError), MaxRequestsInFlight: 4,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { say(w, s.ready()) })
	mux.HandleFunc("GET /lists", func(w http.ResponseWriter, _ *http.Request) { tell(w, s.outcome.lists(time.Now())) })
	mux.HandleFunc("GET /lists/{name}", func(w http.ResponseWriter, r *http.Request) {
		list, err := s.outcome.list(r.PathValue("name"), time.Now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		tell(w, list)
	})
	status.Handle(mux, status.Config{Host: hostName(), Log: s.traffic, Status: s.status, Explain: s.explain})
	return mux
}

// say writes "ok", or 503 and what is wrong.
func say(w http.ResponseWriter, wrong error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if wrong != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, wrong)
		return
	}
	fmt.Fprintln(w, "ok")
}

// tell writes v as JSON.
func tell(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = writeJSON(w, v) // an error is that nobody is left to be told
}

package status

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// resourcesOf are the resources of a server that says what the sample says, and explains www.tiktok.com alone.
func resourcesOf(count func() *Status) http.Handler {
	mux := http.NewServeMux()
	Handle(mux, Config{
		Host: "ns1.example", Log: slog.New(slog.DiscardHandler), Status: count,
		Explain: func(name, client string) (*Explanation, error) {
			if name != "www.tiktok.com" || client != "10.10.7.42" {
				return nil, errors.New("found " + name + " and " + client)
			}
			return explained(), nil
		},
	})
	return mux
}

func get(h http.Handler, method, target, accept string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, http.NoBody)
	request.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request)
	return w
}

func TestResources(t *testing.T) {
	h := resourcesOf(sample)
	const page, data = "text/html; charset=utf-8", "application/json"
	for _, test := range []struct {
		method, target, accept string
		status                 int
		kind, has              string
	}{
		{"GET", "/", "*/*", 200, page, "Cordon on <bdi>ns1.example</bdi>"},
		{"HEAD", "/", "*/*", 200, page, ""},
		{"GET", "/?refresh=60", "*/*", 200, page, "This page is read again after 60 seconds."},
		{"GET", "/status", "*/*", 200, data, `"hash":"b35c10c0c7c5c25394c7541ff754ef27"`},
		{"GET", "/explain", "*/*", 200, page, "The question"},
		{"GET", "/explain?name=&client=", "*/*", 200, page, "The question"},
		{"GET", "/explain?name=+www.tiktok.com+&client=10.10.7.42", "text/html", 200, page, "Because"},
		{"GET", "/explain?name=www.tiktok.com&client=10.10.7.42", "application/json", 200, data, `"verdict":"refuse"`},
		{"GET", "/explain?name=www.tiktok.com", "*/*", 400, page, "The address of the client is missing"},
		{"GET", "/explain?client=10.10.7.42", "*/*", 400, page, "The name is missing"},
		{"GET", "/explain?name=%3Cb%3E&client=x", "*/*", 400, page, "found &lt;b&gt; and x"},
		{"GET", "/explain?name=%3Cb%3E&client=x", "application/json", 400, "text/plain; charset=utf-8", "found <b> and x"},
		{"GET", "/explain?client=x&name=" + strings.Repeat("x", maxName+1), "*/*", 400, page, "too long"},
		{"GET", "/explain?name=x&client=" + strings.Repeat("1", maxClient+1), "*/*", 400, page, "too long"},
		{"GET", "/none", "*/*", 404, "text/plain; charset=utf-8", ""},
		{"POST", "/explain", "*/*", 405, "text/plain; charset=utf-8", ""},
	} {
		w := get(h, test.method, test.target, test.accept)
		if w.Code != test.status || w.Header().Get("Content-Type") != test.kind || !strings.Contains(w.Body.String(), test.has) {
			t.Errorf("%s %.60s: %d, %s, want %d, %s with %q; found:\n%.1000s",
				test.method, test.target, w.Code, w.Header().Get("Content-Type"), test.status, test.kind, test.has, w.Body)
		}
		if w.Code == http.StatusNotFound || w.Code == http.StatusMethodNotAllowed {
			continue
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Set-Cookie": "",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", test.target, name, got, want)
			}
		}
		policy := w.Header().Get("Content-Security-Policy")
		if test.kind == page && (!strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe")) {
			t.Errorf("%s: the policy of the page is %q", test.target, policy)
		}
	}
}

func TestAWallAsksAgainAsOftenAsItMay(t *testing.T) {
	h := resourcesOf(sample)
	for asked, want := range map[string]string{
		"": "", "60": "60", "10": "10", "9": "", "0": "", "-1": "", "1e9": "", "99999999": "", "60;url=https://x.example": "",
	} {
		if got := get(h, "GET", "/?refresh="+strings.ReplaceAll(asked, ";", "%3B"), "*/*").Header().Get("Refresh"); got != want {
			t.Errorf("%q: %q, want %q", asked, got, want)
		}
	}
}

// However many ask, few are answered at a time, and who leaves gives up its place in the line.
func TestFewAreAnsweredAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inside, most atomic.Int64
		on := make(chan struct{})
		h := resourcesOf(func() *Status {
			most.Store(max(most.Load(), inside.Add(1)))
			<-on
			inside.Add(-1)
			return sample()
		})
		done := make(chan int)
		for range 3 * atOnce {
			go func() { done <- get(h, "GET", "/", "*/*").Code }()
		}
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan string)
		go func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/status", http.NoBody))
			left <- w.Body.String()
		}()
		synctest.Wait()
		leave()
		if got := <-left; got != "" {
			t.Errorf("who left got %.60q", got)
		}
		close(on)
		for range 3 * atOnce {
			if status := <-done; status != http.StatusOK {
				t.Errorf("status %d", status)
			}
		}
		if most.Load() != atOnce {
			t.Errorf("%d at a time, want %d", most.Load(), atOnce)
		}
	})
}

// What a program reads is what there is, and reads back as the same.
func TestStatusIsReadBack(t *testing.T) {
	text := get(resourcesOf(sample), "GET", "/status", "*/*").Body.Bytes()
	var back Status
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	first, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(first) {
		t.Errorf("read back:\n%s\nwant:\n%s", again, first)
	}
}

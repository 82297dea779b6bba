package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cordon/cmd/cordon/explain"
	"cordon/cmd/cordon/status"
)

// statusPolicy is a policy with an exception for one client, whose address nobody else needs to know.
func statusPolicy() string {
	return strings.ReplaceAll(`timezone: Europe/Brussels
lists: [{name: tiktok, names: [tiktok.com]}]
policies:
  - {name: ban, title: {en: "No TikTok", nl: "Geen TikTok"}, from: 2023-03-10, review: 2199-01-01, lists: [tiktok]}
  - {name: later, from: 2198-01-01, lists: [tiktok]}
agencies:
  - {name: federal, networks: [10.10.0.0/16], policies: [ban, later]}
  - {name: defence, parent: federal, networks: [10.10.7.0/24], language: nl}
exceptions:
  - {name: press, agency: defence, clients: [10.10.7.42, 10.10.7.43], reason: "It answers there", approved_by: "Chair",
     until: IN_A_MONTH}
`, "IN_A_MONTH", inAMonth())
}

func inAMonth() string { return time.Now().AddDate(0, 1, 0).Format(time.DateOnly) }

// statusServer is a server with that policy, and more of it in other files, which does not run, and its policy file.
func statusServer(t testing.TB, policy string, more ...string) (s *server, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "policy", "all.yaml")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	const service = "listen: {dns: ['127.0.0.1:0'], admin: off}\nupstreams: [{address: 192.0.2.53}]\npolicy_dir: policy\n" +
		"forward: [{zone: internal.example, upstreams: [{address: 192.0.2.54}]}]\n"
	files := map[string]string{filepath.Join(dir, "cordon.yaml"): service, file: policy}
	for i, text := range more {
		files[filepath.Join(dir, "policy", fmt.Sprintf("more%d.yaml", i))] = text
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	s, err := newServer(t.Context(), filepath.Join(dir, "cordon.yaml"), nil, &said)
	if err != nil {
		t.Fatal(err, &said)
	}
	t.Cleanup(s.listener.Close)
	return s, file
}

// told is what the admin listener has at target.
func told(t testing.TB, s *server, target string) string {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
	if strings.HasSuffix(target, "&json") {
		request.Header.Set("Accept", "application/json")
	}
	w := httptest.NewRecorder()
	s.resources().ServeHTTP(w, request)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d: %s", target, w.Code, w.Body)
	}
	return w.Body.String()
}

func TestStatusIsThatOfTheServer(t *testing.T) {
	s, file := statusServer(t, statusPolicy())
	var got status.Status
	if err := json.Unmarshal([]byte(told(t, s, "/status")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Snapshot.Hash != s.resolver.Snapshot().Hash() || got.Snapshot.From != filepath.Dir(file) || got.PoliciesInForce() != 1 {
		t.Errorf("the policy in force is %+v", got.Snapshot)
	}
	if len(got.Next) != 1 || got.Next[0].What != "the exception press ends" {
		t.Errorf("next is %+v", got.Next)
	}
	if p := got.Policies[0]; p.Title != "No TikTok" || p.Language != "en" || p.State != status.InForce || p.Strength != "ban" ||
		!strings.HasSuffix(p.Source, "all.yaml:4") {
		t.Errorf("the first policy is %+v", p)
	}
	if a := got.Agencies[1]; a.Name != "defence" || a.Depth != 1 || len(a.Policies) != 1 || a.Policies[0] != "ban" {
		t.Errorf("the second agency is %+v", a)
	}
	if e := got.Exceptions[0]; e.Clients != 2 || e.DaysLeft < 27 {
		t.Errorf("the exception is %+v", e)
	}
	if len(got.Routes) != 2 || got.Routes[0].Zone != "." || got.Routes[1].Servers[0].Address != "192.0.2.54:53" {
		t.Errorf("the upstreams are %+v", got.Routes)
	}
	const notYet = "not ready: the self-test has not passed yet since the start" // the server does not run
	if wrong := got.Wrong(); len(wrong) != 1 || wrong[0] != notYet || got.Held == nil {
		t.Errorf("wrong is %q, held is %v", wrong, got.Held)
	}
}

// What only a restart puts in force stays in the status until then, or until the file says what is in force.
func TestStatusSaysWhatWaitsForARestart(t *testing.T) {
	s, file := statusServer(t, statusPolicy())
	service := filepath.Join(filepath.Dir(filepath.Dir(file)), "cordon.yaml")
	was, err := os.ReadFile(service)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(was) + "log: {format: json}\nlimits: {tcp_idle: 9s}\ncache: {max_bytes: 8MiB}\n"
	for _, step := range []struct {
		text string
		want []string
	}{
		{changed, []string{"cache", "limits.tcp_…", "log.format"}},
		{changed + "canaries: {firefox: false}\n", []string{"cache", "limits.tcp_…", "log.format"}},
		{string(was), []string{}},
	} {
		if err := os.WriteFile(service, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.reload(t.Context())
		if got := s.status().Restart; got == nil || !slices.Equal(got, step.want) {
			t.Errorf("with\n%sa restart is needed for %q, want %q", step.text, got, step.want)
		}
		if page := told(t, s, "/"); strings.Contains(page, "A restart is needed") != (len(step.want) > 0) {
			t.Errorf("with\n%sthe page does not say so", step.text)
		}
	}
}

// Who looks at the status learns no client of an exception: not in what there is, nor in what is held.
func TestStatusHasNoAddressOfAClient(t *testing.T) {
	s, file := statusServer(t, statusPolicy())
	if err := os.WriteFile(file, []byte(strings.Replace(statusPolicy(), "10.10.7.43]", "10.99.0.43]", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(t.Context())
	for _, target := range []string{"/status", "/"} {
		text := told(t, s, target)
		if !strings.Contains(text, "[address]") || !strings.Contains(text, "all.yaml:10:") {
			t.Errorf("%s does not say what is held and where: %s", target, text)
		}
		for _, client := range []string{"10.10.7.42", "10.10.7.43", "10.99.0.43"} {
			if strings.Contains(strings.ReplaceAll(text, "such as 10.10.7.42", ""), client) {
				t.Errorf("%s has %s", target, client)
			}
		}
	}
}

// The page explains what is in force, in the words of the command, and reads no file for it: what is held, or gone, is in force all the same.
func TestThePageExplainsWhatIsInForce(t *testing.T) {
	s, file := statusServer(t, statusPolicy())
	questions := [][2]string{
		{"www.tiktok.com", "10.10.1.1"},
		{"www.tiktok.com", "10.10.7.42"},
		{"news.example", "10.10.7.42"},
		{"tiktok.com", "192.0.2.1"},
		{"localhost", "10.10.1.1"},
		{"use-application-dns.net", "10.10.1.1"},
	}
	said := map[[2]string]string{}
	for _, q := range questions {
		var stdout, stderr bytes.Buffer
		if run(t.Context(), []string{"explain", "--config", s.path, q[0], "--client", q[1]}, &stdout, &stderr) != 0 {
			t.Fatal(stderr.String())
		}
		_, text, _ := strings.Cut(stdout.String(), "\n")
		said[q] = strings.TrimSpace(text)
	}
	check := func() {
		t.Helper()
		for q, want := range said {
			x, err := s.explain(q[0], q[1])
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			status.WriteFacts(&b, x.Facts)
			if len(x.Because) > 0 {
				b.WriteString("\n")
				status.WriteFacts(&b, x.Because)
			}
			if got := strings.TrimSpace(b.String()); got != want {
				t.Errorf("%v: the page says\n%s\nthe command said\n%s", q, got, want)
			}
		}
	}
	check()
	if err := os.WriteFile(file, []byte(strings.Replace(statusPolicy(), "[tiktok.com]", "[tiktok.com", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(t.Context())
	if held := s.status().Held; len(held) != 1 {
		t.Fatalf("held is %v", held)
	}
	check()
	if err := os.RemoveAll(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	check()
}

func TestExplainSaysWhatIsWrongWithTheQuestion(t *testing.T) {
	s, _ := statusServer(t, statusPolicy())
	for _, test := range [][3]string{
		{"10.10.7.42", "10.10.7.42", "10.10.7.42 is an address: want a name"},
		{"a..b", "10.10.7.42", "the name: "},
		{"https://www.tiktok.com/@a?b", "10.10.7.42", `is the address of a page: want the name in it, "www.tiktok.com"`},
		{strings.Repeat("a.", 200), "10.10.7.42", "the name: "},
		{"www.tiktok.com", "10.10.7", `"10.10.7" is no IP address`},
		{"www.tiktok.com", "10.10.7.0/24", `"10.10.7.0/24" is no IP address`},
	} {
		if _, err := s.explain(test[0], test[1]); err == nil || !strings.Contains(err.Error(), test[2]) {
			t.Errorf("%.40s, %s: %v, want %q", test[0], test[1], err, test[2])
		}
	}
	var e explain.Explained
	if err := json.Unmarshal([]byte(told(t, s, "/explain?name=WWW.TikTok.com.&client=::ffff:10.10.1.1&json")), &e); err != nil {
		t.Fatal(err)
	}
	if e.Name != "www.tiktok.com" || e.Verdict != "refuse" || e.Policy.Name != "ban" {
		t.Errorf("found %+v", e)
	}
}

// What was asked is in no line of the log.
func TestQuestionsToThePageAreNotLogged(t *testing.T) {
	s, _ := statusServer(t, statusPolicy())
	var log bytes.Buffer
	s.newLog(&log, s.service)
	_, _ = s.explain("secret.example", "10.10.7.42")
	_, _ = s.explain("secret..example", "10.10.7.42")
	told(t, s, "/explain?name=secret.example&client=10.10.7.42")
	if log.Len() > 0 {
		t.Errorf("logged: %s", &log)
	}
}

// The status is looked at while policies change, by several at once.
func TestStatusWhileThePolicyChanges(t *testing.T) {
	s, file := statusServer(t, statusPolicy())
	resources, done := s.resources(), make(chan struct{})
	var looking sync.WaitGroup
	for _, target := range []string{"/", "/status", "/explain?name=www.tiktok.com&client=10.10.7.42", "/metrics", "/lists"} {
		looking.Go(func() {
			for {
				w := httptest.NewRecorder()
				resources.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody))
				if w.Code != http.StatusOK {
					t.Errorf("%s: %d: %s", target, w.Code, w.Body)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 20 {
		text := strings.Replace(statusPolicy(), "review: 2199", fmt.Sprintf("review: 21%02d", i), 1)
		if i%3 == 2 {
			text = "policies: ["
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.reload(t.Context())
	}
	close(done)
	looking.Wait()
}

func TestTheStatusLineBeginsWithWhatIsWrong(t *testing.T) {
	s, file := statusServer(t, statusPolicy())
	hash := s.resolver.Snapshot().Hash()[:8]
	if got, want := s.statusLine(), "policy "+hash+"; in force: ban with 1 exception"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	list := filepath.Join(filepath.Dir(file), "extra.txt")
	written := time.Date(2026, 2, 3, 4, 5, 0, 0, time.Local)
	text := strings.Replace(statusPolicy(), "lists: [{", "lists: [{name: extra, source: 'file:extra.txt'}, {", 1)
	for path, content := range map[string]string{list: "extra.example\n", file: text} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(list, written, written); err != nil {
		t.Fatal(err)
	}
	s.reload(t.Context())
	hash = s.resolver.Snapshot().Hash()[:8]
	if err := os.WriteFile(file, []byte("policies: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(t.Context())
	want := "1 fault held: see cordon status; policy " + hash + "; oldest list extra, current " + written.Format("2006-01-02 15:04 MST") +
		"; in force: ban with 1 exception"
	if got := s.statusLine(); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

// large is a policy of n agencies, and another file with an exception for each.
func large(n int) (agencies, exceptions string) {
	var b, x strings.Builder
	b.WriteString("lists: [{name: tiktok, names: [tiktok.com]}]\npolicies: [{name: ban, lists: [tiktok]}]\nagencies:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {name: a%d, networks: [10.%d.%d.0/24], policies: [ban]}\n", i, i/256, i%256)
	}
	x.WriteString("exceptions:\n")
	for i := range n {
		fmt.Fprintf(&x, "  - {name: x%d, agency: a%d, clients: [10.%d.%d.7], reason: r, approved_by: b, until: %s}\n", i, i, i/256, i%256, inAMonth())
	}
	return b.String(), x.String()
}

// BenchmarkStatus is what a look at a server of 10,000 agencies and exceptions costs.
func BenchmarkStatus(b *testing.B) {
	agencies, exceptions := large(10_000)
	s, _ := statusServer(b, agencies, exceptions)
	for _, target := range []string{"/", "/status", "/explain?name=www.tiktok.com&client=10.30.30.7", "/explain?name=www.example&client=10.30.30.9"} {
		b.Run(target, func(b *testing.B) {
			for b.Loop() {
				told(b, s, target)
			}
		})
	}
}

// What is held of the names of one's own is held, like all else, and their number is told.
func TestStatusHasHostsFiles(t *testing.T) {
	s, file := statusServer(t, statusPolicy())
	dir := filepath.Dir(filepath.Dir(file))
	service, hosts := filepath.Join(dir, "cordon.yaml"), filepath.Join(dir, "hosts")
	text, err := os.ReadFile(service)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{service: string(text) + "local: {hosts: [hosts]}\n", hosts: "192.0.2.7 a.corp.example\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.reload(t.Context())
	if got := s.status(); got.LocalNames == 0 || len(got.Held) != 0 {
		t.Errorf("%d local names, held is %+v", got.LocalNames, got.Held)
	}
	if err := os.WriteFile(hosts, []byte("<html> 192.0.2.99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(t.Context())
	got := s.status()
	if len(got.Held) != 1 || got.Held[0].What != hosts || got.Held[0].Reason == "" || got.LocalNames == 0 {
		t.Errorf("%d local names, held is %+v", got.LocalNames, got.Held)
	}
	if wrong := got.Wrong(); len(wrong) != 2 || wrong[1] != "1 fault held" {
		t.Errorf("wrong is %q", wrong)
	}
}

func TestStatusHasTheQueryLog(t *testing.T) {
	s, file := statusServer(t, statusPolicy())
	if got := s.status().QueryLog; len(got.Outputs) != 0 || got.Incident != nil || got.What != nil {
		t.Errorf("it is off, and the status has %+v", got)
	}
	service := filepath.Join(filepath.Dir(filepath.Dir(file)), "cordon.yaml")
	text, err := os.ReadFile(service)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "query_log: {file: {path: queries.jsonl}, what: [refusals], clients: truncated}\n"...)
	if err := os.WriteFile(service, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(t.Context())
	got := s.status().QueryLog
	if len(got.Outputs) != 1 || got.Outputs[0].Name != "file" || got.Rule() != "refusals, clients by their network" {
		t.Errorf("the status has %+v", got)
	}
}

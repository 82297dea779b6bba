//go:build linux

package endtoend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"cordon/cmd/cordon/status"
)

// The status page of a running server, in Debian's Chromium: what a policy file has in it is text there, whatever it looks like, the browser
// has nothing to complain of, and the token is a password. With CORDON_SHOTS=DIR the pictures are left there, to be looked at.
func TestE2EStatusPage(t *testing.T) {
	endToEnd(t, "nsd", "dig", "chromium")
	const token = "0123456789abcdef0123456789abcdef"
	c := newCordon(t, []string{startNSD(t).address}, "policy_dir: policy\nadmin: {token_file: token}\n"+
		"state_dir: state\nlocal: {hosts: [house.hosts]}\nquery_log: {what: [refusals], file: {path: queries.jsonl}}\n")
	c.write("192.0.2.7 files.corp.example\n", "house.hosts")
	c.write(token+"\n", "token")
	if err := os.Chmod(c.path("token"), 0o600); err != nil {
		t.Fatal(err)
	}
	const evil = `<script>document.title=\"owned\"</script>'\"><img src=x onerror=\"document.title='owned'\">\u202e\u2067 \u05e9\u05dc\u05d5\u05dd`
	policy := strings.NewReplacer(
		"{name: ban, ", "{name: ban, title: {he: \""+evil+"\"}, authority: \""+evil+"\", legal_reference: \""+evil+"\", ",
		"The press office answers there", evil, "Head of security", evil,
	).Replace(federal())
	c.write(policy, "policy/federal.yaml")
	c.start()
	c.dig("www.tiktok.com", "-b", "127.0.1.7")
	c.dig("www.tiktok.com", "-b", "127.0.1.42")
	c.dig("www.example", "-b", "127.0.1.7")
	c.write("policies: [{name: ban, title: {en: \"<b>\"}, lists: [none]}]", "policy/more.yaml")
	c.write("<!DOCTYPE html>\n", "house.hosts")
	c.logs(0, "held", "more.yaml")
	c.logs(0, "held", "house.hosts")
	if code, text := c.run("incident", "start", "--for", "2h", "--network", "127.0.1.9", "--reason", "botnet", "--approved-by", "the head"); code != 0 {
		t.Fatalf("incident start: exit status %d: %s", code, text)
	}

	if code, text := c.get("/"); code != 401 || strings.Contains(text, "ban") {
		t.Errorf("a stranger got %d: %s", code, text)
	}
	b := newBrowser(t)
	base := "http://anybody:" + token + "@" + c.admin
	page := b.open(base+"/", "page.png", 1280)
	wantText(t, page, "the page", "Well: nothing is held, nothing fails", false)
	for _, want := range []string{
		"2 faults held", "house.hosts", "the addresses of clients are logged, of all queries of all clients in [address]",
		"refusals, clients by a pseudonym of the day", "policy/more.yaml", "<script>document.title=\"owned\"</script>", "press", "federal", "שלום",
	} {
		wantText(t, page, "the page", want, true)
	}
	explanation := b.open(base+"/explain?name=www.tiktok.com&client=127.0.1.7", "explanation.png", 1280)
	for _, want := range []string{"What 127.0.1.7 gets for www.tiktok.com", "refuse: by the ban ban", "NXDOMAIN", "policy/federal.yaml:"} {
		wantText(t, explanation, "the explanation", want, true)
	}
	wrong := b.open(base+"/explain?name=%3Cscript%3Edocument.title%3D1%3C/script%3E&client=%22%3E%3Cimg%20src=x%3E", "question.png", 390)
	wantText(t, wrong, "what is wrong", "The question", true)
	c.statusCommand()
}

// statusCommand checks that the command says the same as the page.
func (c *cordon) statusCommand() {
	c.t.Helper()
	code, text := c.run("status")
	if code != 0 {
		c.t.Fatalf("cordon status: exit status %d: %s", code, text)
	}
	c.saysAll(text, "2 faults held", "INCIDENT   until", "held: house.hosts", "held: policy/more.yaml", "press", "federal", "answers")
	code, text = c.run("status", "--json")
	var s status.Status
	if err := json.Unmarshal([]byte(text), &s); code != 0 || err != nil {
		c.t.Fatalf("cordon status --json: exit status %d: %v", code, err)
	}
	if s.Traffic.Refused != 1 || s.Traffic.Excepted != 1 || s.Snapshot.Hash == "" {
		c.t.Errorf("it says %+v, of the policy %s", s.Traffic, s.Snapshot.Hash)
	}
}

// browser is a headless Chromium, started anew for each page.
type browser struct {
	t     *testing.T
	home  string
	shots string
}

func newBrowser(t *testing.T) *browser {
	b := &browser{t: t, home: t.TempDir(), shots: os.Getenv("CORDON_SHOTS")}
	if b.shots == "" {
		b.shots = t.TempDir()
	}
	return b
}

// run runs Chromium with args on url, and returns what it wrote. It must have no complaint about the page.
func (b *browser) run(url string, args ...string) []byte {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	args = append(args, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
		"--disable-background-networking", "--enable-logging=stderr", "--user-data-dir="+filepath.Join(b.home, "profile"), url)
	cmd := exec.CommandContext(ctx, "chromium", args...)
	cmd.Env = append(os.Environ(), "HOME="+b.home)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		b.t.Fatalf("chromium: %v:\n%s", err, lastLines(log.String(), 20))
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "CONSOLE") || strings.Contains(line, "Content Security Policy") {
			b.t.Errorf("the browser says of %s: %s", url[strings.LastIndexByte(url, '@')+1:], line)
		}
	}
	return out.Bytes()
}

// open is the page at url, as it is in the browser when it is loaded, and leaves a picture of it. Nothing in it may have run, or be there
// that is not ours.
func (b *browser) open(url, picture string, width int) *html.Node {
	b.t.Helper()
	const height = 2000
	path := filepath.Join(b.shots, picture)
	doc, err := html.Parse(bytes.NewReader(b.run(url, "--dump-dom", "--screenshot="+path, fmt.Sprintf("--window-size=%d,%d", width, height))))
	if err != nil {
		b.t.Fatal(err)
	}
	b.checkPicture(path, width)
	found := 0
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.ElementNode && n.Data == "title":
			found++
			if title := n.FirstChild.Data; !strings.Contains(title, " · Cordon") {
				b.t.Errorf("the title is %q", title)
			}
		case n.Type == html.ElementNode && slices.Contains([]string{"script", "img", "b", "iframe", "object", "link", "base"}, n.Data):
			b.t.Errorf("there is a <%s>", n.Data)
		}
	}
	if found != 1 {
		b.t.Errorf("%d titles, want 1", found)
	}
	return doc
}

// checkPicture checks that a picture is so wide, and not empty.
func (b *browser) checkPicture(path string, width int) {
	b.t.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		b.t.Fatal(err)
	}
	size := picture.Bounds()
	if size.Dx() != width {
		b.t.Errorf("%s is %d wide, want %d", filepath.Base(path), size.Dx(), width)
	}
	background, other := picture.At(0, size.Dy()-1), 0
	for y := range size.Dy() {
		for x := range size.Dx() {
			if picture.At(x, y) != background {
				other++
			}
		}
	}
	if least := 5000; other < least {
		b.t.Errorf("%s has %d points that are not background, want %d", filepath.Base(path), other, least)
	}
}

// wantText checks whether text is in what a reader of doc sees.
func wantText(t *testing.T, doc *html.Node, what, text string, there bool) {
	t.Helper()
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			b.WriteString(n.Data)
		}
	}
	if seen := strings.Join(strings.Fields(b.String()), " "); strings.Contains(seen, text) != there {
		t.Errorf("%s: %q is there: %t, want %t, in:\n%s", what, text, !there, there, seen)
	}
}

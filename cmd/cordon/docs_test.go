package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/selftest"
	"cordon/config"
	"cordon/resolver/cache"
	"cordon/resolver/policy"
)

// The tests of this file hold the pages for the administrator to the program: what they show works, what they name is there.

const (
	repository = "../.."
	listsPage  = "blocklists/README.md"
	policyPage = "config/README.md"
	speedPage  = "resolver/README.md"
	auditPage  = "cmd/cordon/audit/README.md"
	watchPage  = "docker/README.md"
	queryPage  = "cmd/cordon/querylog/README.md"
	runbook    = "RUNBOOK.md"
	dhcpPage   = "cmd/cordon/package/dhcp/README.md"
	privacy    = "PRIVACY.md"
)

// pages are all of them, from the top of the repository.
func pages() []string {
	return []string{
		"README.md", listsPage, policyPage, speedPage, auditPage, securityPage, watchPage, queryPage, runbook, dhcpPage, privacy,
	}
}

func readme(t *testing.T) string {
	t.Helper()
	return page(t, "README.md")
}

func page(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fences are the contents of the fenced blocks of text in one of the languages.
func fences(text string, languages ...string) (blocks []string) {
	fence := regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)\n```$")
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if slices.Contains(languages, m[1]) {
			blocks = append(blocks, m[2])
		}
	}
	return blocks
}

func TestReadmeConfigurationIsWithoutFaults(t *testing.T) {
	for path, least := range map[string]int{"README.md": 2, listsPage: 1, dhcpPage: 1, queryPage: 1} {
		blocks := fences(page(t, path), "yaml")
		if len(blocks) < least {
			t.Fatalf("%s has %d yaml blocks, want at least %d", path, len(blocks), least)
		}
		for _, block := range blocks {
			file := config.NewFile(path, []byte(block))
			var faults config.Faults
			if policyKey.MatchString(block) {
				_, faults = config.LoadPolicy([]config.File{file}, checkOptions(time.Time{}))
			} else {
				_, faults = config.ParseService(&file, nil)
			}
			if faults.Bad() {
				t.Errorf("in\n%s\n%s", block, faults.Render())
			}
		}
	}
}

// The page about policy has a main file and the file of an agency that it includes.
func TestPolicyPageIsAPolicyWithoutFaults(t *testing.T) {
	blocks := fences(page(t, policyPage), "yaml")
	if len(blocks) != 3 {
		t.Fatalf("%s has %d yaml blocks, want a main file, an owned one and one of names", policyPage, len(blocks))
	}
	service := config.NewFile("cordon.yaml", []byte(blocks[2]))
	if _, faults := parseService(&service, nil); faults.Bad() {
		t.Error(faults.Render())
	}
	main := config.NewFile("policy/main.yaml", []byte(blocks[0]))
	files := config.Included([]config.File{main}, func(path string) config.File { return config.NewFile(path, []byte(blocks[1])) })
	if len(files) != 2 || files[1].Owner == "" {
		t.Fatalf("the main file includes %d files, want one with an owner", len(files)-1)
	}
	if _, faults := config.LoadPolicy(files, checkOptions(time.Now())); faults.Bad() {
		t.Error(faults.Render())
	}
}

// Every key of a list stands on the page about lists, every other key of policy files on that about policy, those of the query log on its own.
func TestPagesNameEveryKey(t *testing.T) {
	for path, objects := range map[string][]any{
		listsPage:  {config.List{}},
		queryPage:  {config.QueryLog{}, config.QueryFile{}, config.QuerySyslog{}, config.QueryDnstap{}, config.Incident{}},
		policyPage: {config.Local{}, config.Forward{}, config.Include{}, config.Policy{}, config.Prolonged{}, config.Agency{}, config.Exception{}},
	} {
		text := page(t, path)
		for _, object := range objects {
			for key := range config.Keys(object) {
				if !strings.Contains(text, "`"+key+"`") && !strings.Contains(text, "`"+key+":") && !strings.Contains(text, key+":") {
					t.Errorf("%s does not name the key %s of %T", path, key, object)
				}
			}
		}
	}
}

func TestReadmeCommandsAreThere(t *testing.T) {
	var lines []string
	for path, least := range map[string]int{
		"README.md": 5, listsPage: 4, policyPage: 6, auditPage: 5, securityPage: 1, runbook: 3, queryPage: 3, privacy: 2,
	} {
		found := commandLines(page(t, path))
		if len(found) < least {
			t.Errorf("%s has %d commands, want some more", path, len(found))
		}
		lines = append(lines, found...)
	}
	for _, line := range lines {
		if wrong := wrongCommand(rootCommand(), line); wrong != "" {
			t.Errorf("cordon %s: %s", line, wrong)
		}
	}
	for _, flag := range regexp.MustCompile("`(--[a-z-]+)[^`]*`").FindAllStringSubmatch(readme(t), -1) {
		known := slices.ContainsFunc(rootCommand().Commands(), func(c *cobra.Command) bool {
			return c.Flags().Lookup(flag[1][2:]) != nil
		})
		if !known {
			t.Errorf("no command has the flag %s", flag[1])
		}
	}
}

// commandLines is what text tells to type after "cordon": in blocks for a shell, and between back quotes.
func commandLines(text string) (lines []string) {
	var typed strings.Builder
	typed.WriteString(strings.Join(fences(text, "sh", "console"), "\n"))
	for _, m := range regexp.MustCompile("`(cordon [^`]+)`").FindAllStringSubmatch(text, -1) {
		typed.WriteString("\n" + m[1])
	}
	comment := regexp.MustCompile(`\s#.*`)
	goesOn := regexp.MustCompile(`\\\n\s*`)
	command := regexp.MustCompile(`(?m)^(?:\$ )?(?:go run \S*/cordon|(?:\S*/)?cordon) (.*)$`)
	for _, m := range command.FindAllStringSubmatch(goesOn.ReplaceAllString(comment.ReplaceAllString(typed.String(), ""), ""), -1) {
		lines = append(lines, strings.TrimSpace(m[1]))
	}
	return lines
}

// wrongCommand says what of line (after "cordon") is not there, "" if all is.
func wrongCommand(root *cobra.Command, line string) string {
	cmd, args, err := root.Find(regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1))
	switch {
	case err != nil:
		return err.Error()
	case cmd == root:
		return "it names no command"
	}
	if err := cmd.ParseFlags(args); err != nil {
		return err.Error()
	}
	if cmd.Flags().NArg() == 0 {
		return "" // it is only named, or takes none
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err.Error()
	}
	return ""
}

func TestWrongCommandsAreFound(t *testing.T) {
	text := "`cordon serv` and `cordon check --foo`\n```sh\n./cordon explain a b   # too many\ngo run ./cmd/cordon check /etc/cordon\n```\n"
	var wrong []string
	for _, line := range commandLines(text) {
		if w := wrongCommand(rootCommand(), line); w != "" {
			wrong = append(wrong, line)
		}
	}
	if want := []string{"explain a b", "serv", "check --foo"}; !slices.Equal(wrong, want) {
		t.Errorf("wrong are %q, want %q", wrong, want)
	}
}

func TestThePagesNameEveryMetric(t *testing.T) {
	registered := registeredMetrics(t)
	text := page(t, watchPage)
	named := regexp.MustCompile(`cordon_[a-z_]+[a-z]`)
	var table []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			table = append(table, named.FindAllString(line, -1)...)
		}
	}
	for _, name := range registered {
		if !slices.Contains(table, name) {
			t.Errorf("the table of metrics does not have %s", name)
		}
	}
	for _, path := range pages() {
		for _, name := range named.FindAllString(page(t, path), -1) {
			if !slices.Contains(registered, name) {
				t.Errorf("%s: there is no metric %s", path, name)
			}
		}
	}
}

// registeredMetrics are the names of the metrics of a server as it is put together, those without a value too.
func registeredMetrics(t *testing.T) []string {
	t.Helper()
	service := "listen: {dns: ['127.0.0.1:0'], admin: '127.0.0.1:0'}\nupstreams: [{address: 192.0.2.53}]\n"
	path := filepath.Join(t.TempDir(), "cordon.yaml")
	if err := os.WriteFile(path, []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := newServer(t.Context(), path, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer s.listener.Close()
	defer s.admin.Close()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
	}
	collectors := []prometheus.Collector{s.resolver, policy.NewCollector(s.inForce), s.listener.Collector(), cache.NewCollector(new(cache.Cache)), s.outcome, newBuildInfo(), new(audit.Log), new(selftest.Tester), s.queries}
	for _, group := range s.upstream.groups {
		collectors = append(collectors, group.Collector())
	}
	for _, c := range collectors {
		names = append(names, described(c)...)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return !strings.HasPrefix(name, "cordon_") })
}

// described are the names of the metrics that c may have.
func described(c prometheus.Collector) (names []string) {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	for d := range descs {
		names = append(names, name.FindStringSubmatch(d.String())[1])
	}
	return names
}

func TestReadmeLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, path := range pages() {
		for _, m := range link.FindAllStringSubmatch(page(t, path), -1) {
			if wrong := wrongLink(t, path, m[1]); wrong != "" {
				t.Errorf("%s: the link %s leads nowhere: %s", path, m[1], wrong)
			}
		}
	}
	for wrong, why := range map[string]string{"no/such/page.md": "no such file", "RUNBOOK.md#no-such-heading": "no heading", "#nor-this": "no heading"} {
		if got := wrongLink(t, "README.md", wrong); !strings.Contains(got, why) {
			t.Errorf("the link %s is found to be %q, want %q", wrong, got, why)
		}
	}
}

// wrongLink says why a link on the page at path leads nowhere, "" if it leads somewhere or out of the repository.
func wrongLink(t *testing.T, path, link string) string {
	t.Helper()
	target, heading, _ := strings.Cut(link, "#")
	if strings.Contains(target, "://") {
		return ""
	}
	to := path
	if target != "" {
		to = filepath.Join(filepath.Dir(path), filepath.FromSlash(target))
	}
	if _, err := os.Stat(filepath.Join(repository, to)); errors.Is(err, fs.ErrNotExist) {
		return "no such file"
	}
	if heading != "" && !slices.Contains(headings(page(t, to)), heading) {
		return "no heading"
	}
	return ""
}

// headings are those of a page as links have them.
func headings(text string) (found []string) {
	unlinked := regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		found = append(found, strings.ReplaceAll(unlinked.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return found
}

func TestInitWritesTheDefaultFiles(t *testing.T) {
	dir := t.TempDir()
	if status := run(t.Context(), []string{"init", dir}, io.Discard, io.Discard); status != 0 {
		t.Fatalf("cordon init: exit status %d", status)
	}
	source := os.DirFS(filepath.Join(repository, "config", "default"))
	for what, other := range map[string]fs.FS{"those inside the program": config.Default(), "config/default": source} {
		want, got := contents(t, other), contents(t, os.DirFS(dir))
		if len(want) < 2 {
			t.Errorf("%s: %d files, want cordon.yaml and a policy", what, len(want))
		}
		for path, text := range want {
			if !bytes.Equal(got[path], text) {
				t.Errorf("init wrote another %s than %s", path, what)
			}
		}
		if len(got) != len(want) {
			t.Errorf("init wrote %d files, %s are %d", len(got), what, len(want))
		}
	}
}

// contents are the files of a tree by their paths.
func contents(t *testing.T, tree fs.FS) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[path], err = fs.ReadFile(tree, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheContainerHasTheDefaultPolicy(t *testing.T) {
	shipped, err := fs.Sub(config.Default(), "policy")
	if err != nil {
		t.Fatal(err)
	}
	want := contents(t, shipped)
	for _, dir := range []string{"docker/policy", "docker/kubernetes/plain/policy"} {
		got := contents(t, os.DirFS(filepath.Join(repository, dir)))
		if len(want) == 0 || len(got) != len(want) {
			t.Errorf("%s has %d files, want the %d of config/default/policy", dir, len(got), len(want))
		}
		for path, text := range want {
			if !bytes.Equal(got[path], text) {
				t.Errorf("%s/%s is not that of config/default/policy", dir, path)
			}
		}
	}
}

// The commands of the pipeline on the page are there, in the order in which they are of use.
func TestThePipelineOfThePageIsOne(t *testing.T) {
	blocks := fences(page(t, policyPage), "yml")
	if len(blocks) != 2 {
		t.Fatalf("%s has %d yml blocks, want a pipeline and a line for editors", policyPage, len(blocks))
	}
	run := regexp.MustCompile(`(?m)^ +- run: (.*)$`).FindAllStringSubmatch(blocks[0], -1)
	var commands []string
	for _, m := range run {
		if line, ok := strings.CutPrefix(m[1], "cordon "); ok {
			commands = append(commands, line)
			if wrong := wrongCommand(rootCommand(), line); wrong != "" {
				t.Errorf("cordon %s: %s", line, wrong)
			}
		}
	}
	if want := []string{"check --strict policy", "diff /tmp/main/policy policy"}; !slices.Equal(commands, want) {
		t.Errorf("the pipeline has %q, want %q", commands, want)
	}
}

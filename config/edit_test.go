package config_test

import (
	"strings"
	"testing"
	"time"

	"cordon/config"
)

// press is an exception with little in it, so that the tests show where it goes.
func press() config.NewException {
	return config.NewException{
		Name: "press", Agency: "default", Names: []string{"www.tiktok.com"}, Reason: "news", ApprovedBy: "head",
		Approved: "2026-11-20", Until: "2027-06-30", Now: today,
	}
}

// policyBefore has an exception in the usual form, and a comment on every line where one may be lost.
const policyBefore = `# about
timezone: Europe/Brussels # zone
lists: [{name: l, names: [tiktok.com]}]
policies: [{name: p, lists: [l]}]
exceptions: # who may
  # the first
  - name: first   # name
    agency: default
    names: [www.tiktok.com]
    reason: "news"
    approved_by: 'the "head"'
    approved: 2026-03-13
    until: 2027-03-31     # required
    ticket: "1"

# the end
`

const pressBlock = `  - name: press
    agency: default
    names: [www.tiktok.com]
    reason: "news"
    approved_by: "head"
    approved: 2026-11-20
    until: 2027-06-30
`

const pressFlow = `{name: press, agency: default, names: [www.tiktok.com], reason: "news", approved_by: "head", approved: 2026-11-20, until: 2027-06-30}`

const flowFirst = `{name: first, agency: default, names: [tiktok.com], reason: r, approved_by: a, approved: 2026-03-13, until: 2027-03-31}`

const head = "lists: [{name: l, names: [tiktok.com]}]\npolicies: [{name: p, lists: [l]}]\ntimezone: UTC\n"

func TestAnExceptionIsAddedWhereItsSiblingsAre(t *testing.T) {
	entry := "name: first\n    agency: default\n    names: [a.example]\n    reason: r\n    approved_by: a\n    until: 2027-03-31"
	for name, test := range map[string]struct{ before, after string }{
		"below the last one, above what comes after": {
			policyBefore, strings.Replace(policyBefore, "    ticket: \"1\"\n", "    ticket: \"1\"\n"+pressBlock, 1),
		},
		"in a file without exceptions":     {head, head + "exceptions:\n" + pressBlock},
		"without a line break at the end":  {strings.TrimSpace(head), head + "exceptions:\n" + strings.TrimSuffix(pressBlock, "\n")},
		"below the comments at the end":    {head + "# exceptions:\n#   - …\n", head + "# exceptions:\n#   - …\nexceptions:\n" + pressBlock},
		"before the end of the document":   {"---\n" + head + "...\n# end\n", "---\n" + head + "exceptions:\n" + pressBlock + "...\n# end\n"},
		"in place of an empty list":        {head + "exceptions: []\n", head + "exceptions:\n" + pressBlock},
		"beside the comment of that":       {head + "exceptions: [ ]  # none\n# end\n", head + "exceptions:  # none\n" + pressBlock + "# end\n"},
		"in place of no value":             {head + "exceptions: # none\n# end\n", head + "exceptions: # none\n" + pressBlock + "# end\n"},
		"in an empty list with a comment":  {head + "exceptions: [\n  # none\n]\n", head + "exceptions: [" + pressFlow + "\n  # none\n]\n"},
		"between brackets":                 {head + "exceptions: [" + flowFirst + "] # end\n", head + "exceptions: [" + flowFirst + ", " + pressFlow + "] # end\n"},
		"between brackets, with a comma":   {head + "exceptions: [" + flowFirst + " , ]\n", head + "exceptions: [" + flowFirst + ", " + pressFlow + " , ]\n"},
		"between brackets, a line each":    {head + "exceptions: [\n  " + flowFirst + " # 1\n]\n", head + "exceptions: [\n  " + flowFirst + ", # 1\n  " + pressFlow + "\n]\n"},
		"and with a comma":                 {head + "exceptions: [\n  " + flowFirst + ", # 1\n]\n", head + "exceptions: [\n  " + flowFirst + ", # 1\n  " + pressFlow + ",\n]\n"},
		"below one between braces":         {head + "exceptions:\n  - " + flowFirst + "\n", head + "exceptions:\n  - " + flowFirst + "\n" + pressBlock},
		"with the dash below the key":      {head + "exceptions:\n- " + flowFirst + "\n", head + "exceptions:\n- " + flowFirst + "\n" + strings.ReplaceAll(pressBlock[2:], "\n  ", "\n")},
		"as other lists of the file":       {"own_zones:\n- a.example\n" + head, "own_zones:\n- a.example\n" + head + "exceptions:\n" + strings.ReplaceAll(pressBlock[2:], "\n  ", "\n")},
		"behind a wide dash":               {head + "exceptions:\n  -   " + strings.ReplaceAll(entry, "\n", "\n  ") + "\n", head + "exceptions:\n  -   " + strings.ReplaceAll(entry, "\n", "\n  ") + "\n" + strings.ReplaceAll(strings.Replace(pressBlock, "- ", "-   ", 1), "\n    ", "\n      ")},
		"an empty line apart, as they are": {head + "exceptions:\n  - " + entry + "\n\n  # 2\n  - " + strings.Replace(entry, "first", "second", 1) + "\n", head + "exceptions:\n  - " + entry + "\n\n  # 2\n  - " + strings.Replace(entry, "first", "second", 1) + "\n\n" + pressBlock},
		"below a comment that is its":      {head + "exceptions:\n  - " + entry + "\n    # its\n  # not its\n", head + "exceptions:\n  - " + entry + "\n    # its\n" + pressBlock + "  # not its\n"},
		"below a text of many lines":       {head + "exceptions:\n  - " + entry + "\n    ticket: |+\n      a\n      # b\n\n\n# end\n", head + "exceptions:\n  - " + entry + "\n    ticket: |+\n      a\n      # b\n\n\n" + pressBlock + "# end\n"},
		"below a folded one":               {head + "exceptions:\n  - " + entry + "\n    ticket: >-\n      a\n\n      # b\n\n# end\n", head + "exceptions:\n  - " + entry + "\n    ticket: >-\n      a\n\n      # b\n" + pressBlock + "\n# end\n"},
		"below one over two lines":         {head + "exceptions:\n  - " + entry + "\n    ticket: a\n      # b\nown_zones: [a.example]\n", head + "exceptions:\n  - " + entry + "\n    ticket: a\n      # b\n" + pressBlock + "own_zones: [a.example]\n"},
		"below quotes over two lines":      {head + "exceptions:\n  - " + entry + "\n    ticket: \"a\\\"\n      # b\"\n", head + "exceptions:\n  - " + entry + "\n    ticket: \"a\\\"\n      # b\"\n" + pressBlock},
		"in a file between braces":         {"{policies: [{name: p, lists: [l]}], lists: [{name: l, names: [tiktok.com]}],\ntimezone: UTC}", "{policies: [{name: p, lists: [l]}], lists: [{name: l, names: [tiktok.com]}],\ntimezone: UTC, exceptions: [" + pressFlow + "]}"},
	} {
		t.Run(name, func(t *testing.T) {
			for form, as := range map[string]func(string) string{
				"LF":                            func(s string) string { return s },
				"CR LF, with a byte order mark": func(s string) string { return "\ufeff" + strings.ReplaceAll(s, "\n", "\r\n") },
			} {
				f := config.NewFile("p.yaml", []byte(as(test.before)))
				f.Owner, f.Order = "default", 7
				got, err := config.AddException(f, press())
				if err != nil {
					t.Fatalf("%s: %v", form, err)
				}
				if string(got.Data) != as(test.after) {
					t.Errorf("%s: got\n%s\nwant\n%s", form, got.Data, as(test.after))
				}
				if got.Owner != "default" || got.Order != 7 || got.Path != "p.yaml" || got.Hash != config.NewFile("", got.Data).Hash {
					t.Error("the file is not itself any more")
				}
			}
		})
	}
}

func TestEveryValueOfANewExceptionIsReadAsItWasGiven(t *testing.T) {
	e := config.NewException{
		Name: "yes", Agency: "2023", Descendants: true, Clients: []string{"10.10.7.42", "2001:db8::", "2001:db8::/48"},
		Policies: []string{"p", "null"}, Names: []string{"www.tiktok.com", "xn--bcher-kva.example"}, Lists: []string{"1e3", "off"},
		Class: "dedicated-device", Reason: "*a: \"b\" # c\\d\n\te 'f' \U0001F600é\u00a0\u2028\ufeff", ApprovedBy: "- x", Approved: "2026-11-19",
		From: "2026-11-20 08:00", Until: "2027-06-30T12:00:00+02:00", Ticket: "0042", Now: today,
	}
	f, err := config.AddException(config.NewFile("p.yaml", []byte(head)), e)
	if err != nil {
		t.Fatal(err)
	}
	const want = head + `exceptions:
  - name: "yes"
    agency: "2023"
    descendants: true
    clients: [10.10.7.42, "2001:db8::", "2001:db8::/48"]
    policies: [p, "null"]
    names: [www.tiktok.com, xn--bcher-kva.example]
    lists: ["1e3", "off"]
    class: dedicated-device
    reason: "*a: \"b\" # c\\d\n\te 'f' 😀é\u00A0\u2028\uFEFF"
    approved_by: "- x"
    approved: 2026-11-19
    from: 2026-11-20 08:00
    until: 2027-06-30T12:00:00+02:00
    ticket: "0042"
`
	if string(f.Data) != want {
		t.Errorf("got\n%s\nwant\n%s", f.Data, want)
	}
	set, _ := config.ParsePolicy([]config.File{f})
	if got := set.Exceptions[0]; got.Reason != e.Reason || got.Ticket != e.Ticket || got.Name != e.Name {
		t.Errorf("read back: %+v", got)
	}
}

func TestTheDayOfApprovalIsThatOfTheFilesTimezone(t *testing.T) {
	e := press()
	e.Approved, e.Now = "", time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC)
	for zone, want := range map[string]string{"UTC": "2026-11-22", "Europe/Brussels": "2026-11-23"} {
		f, err := config.AddException(config.NewFile("p.yaml", []byte(strings.Replace(head, "UTC", zone, 1))), e)
		if err != nil || !strings.Contains(string(f.Data), "approved: "+want+"\n") {
			t.Errorf("%s: %v, want it approved on %s:\n%s", zone, err, want, f.Data)
		}
	}
}

func TestAnEndIsExtendedAndTheFirstOneKept(t *testing.T) {
	first := "extended:\n      - {on: 2026-03-13, until: 2027-03-31, approved_by: \"the \\\"head\\\"\"}\n"
	second := "      - {on: 2026-11-22, until: 2027-12-31, reference: \"letter: 5\", approved_by: \"deputy\"}\n"
	once := strings.Replace(policyBefore, "    until: 2027-03-31     # required\n", "    until: 2027-12-31     # required\n    "+first+second, 1)
	third := "      - {on: 2026-11-22, until: 2028-06-30, reference: \"letter: 5\", approved_by: \"deputy\"}\n"
	flow := `- {name: first, agency: default, names: [a.example], reason: r, approved_by: a, approved: 2026-03-13, until: '2027-03-31'}`
	for name, test := range map[string]struct{ before, until, after string }{
		"without a history": {policyBefore, "2027-12-31", once},
		"with one":          {once, "2028-06-30", strings.Replace(strings.Replace(once, "until: 2027-12-31  ", "until: 2028-06-30  ", 1), second, second+third, 1)},
		"between braces": {head + "exceptions:\n  " + flow + "\n", "2027-12-31", head + "exceptions:\n  " + strings.Replace(flow, "until: '2027-03-31'",
			`until: '2027-12-31', extended: [{on: 2026-03-13, until: 2027-03-31, approved_by: "a"}, {on: 2026-11-22, until: 2027-12-31, reference: "letter: 5", approved_by: "deputy"}]`, 1) + "\n"},
		"with an empty history": {
			strings.Replace(policyBefore, "    ticket:", "    extended: []\n    ticket:", 1), "2027-12-31",
			strings.Replace(strings.Replace(policyBefore, "    ticket:", "    "+first+second+"    ticket:", 1), "2027-03-31   ", "2027-12-31   ", 1),
		},
		"with a history of blocks": {
			strings.Replace(policyBefore, "    ticket:", "    extended:\n    - on: 2026-03-13\n      until: 2027-03-31\n    ticket:", 1), "2027-12-31",
			strings.Replace(strings.Replace(policyBefore, "    ticket:", "    extended:\n    - on: 2026-03-13\n      until: 2027-03-31\n"+
				"    - on: 2026-11-22\n      until: 2027-12-31\n      reference: \"letter: 5\"\n      approved_by: \"deputy\"\n    ticket:", 1), "2027-03-31   ", "2027-12-31   ", 1),
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := config.ExtendException(config.NewFile("p.yaml", []byte(test.before)), "first",
				config.Extension{Until: test.until, ApprovedBy: "deputy", Reference: "letter: 5", Now: today})
			if err != nil || string(f.Data) != test.after {
				t.Errorf("%v, got\n%s\nwant\n%s", err, f.Data, test.after)
			}
		})
	}
}

func TestARevokedExceptionStaysInTheFile(t *testing.T) {
	flow := `{name: first, agency: default, names: [a.example], reason: r, approved_by: a, until: 2027-03-31, extended: [{on: 2026-03-13, until: 2027-03-31}]}`
	for name, test := range map[string]struct{ before, at, after string }{
		"now": {policyBefore, "", strings.Replace(policyBefore, "# required\n", "# required\n    revoked: 2026-11-22T13:00\n    revoked_by: \"deputy\"\n", 1)},
		"at the end of the file": {
			strings.TrimSuffix(policyBefore, "    ticket: \"1\"\n\n# the end\n"), "2026-12-01",
			strings.TrimSuffix(policyBefore, "\n    ticket: \"1\"\n\n# the end\n") + "\n    revoked: 2026-12-01\n    revoked_by: \"deputy\"\n",
		},
		"between braces": {head + "exceptions: [" + flow + "]\n", "2026-12-01T09:30", head + "exceptions: [" +
			strings.TrimSuffix(flow, "}") + `, revoked: 2026-12-01T09:30, revoked_by: "deputy"}]` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := config.RevokeException(config.NewFile("p.yaml", []byte(test.before)), "first",
				config.Revocation{By: "deputy", At: test.at, Now: today})
			if err != nil || string(f.Data) != test.after {
				t.Errorf("%v, got\n%s\nwant\n%s", err, f.Data, test.after)
			}
		})
	}
}

func TestTheTimeOfARevocationCanBeReadOneWayOnly(t *testing.T) {
	for _, test := range []struct{ zone, now, want string }{
		{"Europe/Brussels", "2026-10-25T00:59:59Z", "2026-10-25T02:59:00+02:00"}, // the first of two 02:59
		{"Europe/Brussels", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00"}, // the second 02:30
		{"Europe/Brussels", "2026-10-25T02:00:00Z", "2026-10-25T03:00"},
		{"Europe/Brussels", "2026-03-29T01:00:00Z", "2026-03-29T03:00"},
		{"", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"}, // without a timezone
	} {
		zone := "timezone: " + test.zone + "\n"
		if test.zone == "" {
			zone = ""
		}
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		f := config.NewFile("p.yaml", []byte(strings.Replace(policyBefore, "timezone: Europe/Brussels # zone\n", zone, 1)))
		f, err = config.RevokeException(f, "first", config.Revocation{By: "deputy", Now: now})
		if err != nil || !strings.Contains(string(f.Data), "revoked: "+test.want+"\n") {
			t.Errorf("%s %s: %v, want %s:\n%s", test.zone, test.now, err, test.want, f.Data)
			continue
		}
		set, _ := config.ParsePolicy([]config.File{f})
		if got := set.Exceptions[0].Revoked; !got.Equal(now.Truncate(time.Minute)) {
			t.Errorf("%s %s: read as %s", test.zone, test.now, got)
		}
	}
}

func TestAnEditThatCanNotBeMeantIsRefused(t *testing.T) {
	with := func(change func(e *config.NewException)) func(config.File) (config.File, error) {
		return func(f config.File) (config.File, error) {
			e := press()
			change(&e)
			return config.AddException(f, e)
		}
	}
	extend := func(name, until, by, approved string) func(config.File) (config.File, error) {
		return func(f config.File) (config.File, error) {
			return config.ExtendException(f, name, config.Extension{Until: until, ApprovedBy: by, Approved: approved, Now: today})
		}
	}
	revoke := func(name, at, by string) func(config.File) (config.File, error) {
		return func(f config.File) (config.File, error) {
			return config.RevokeException(f, name, config.Revocation{At: at, By: by, Now: today})
		}
	}
	unsigned := strings.Replace(policyBefore, "    approved: 2026-03-13\n", "", 1)
	revoked := strings.Replace(policyBefore, "    ticket:", "    revoked: 2026-11-01\n    ticket:", 1)
	ended := strings.Replace(policyBefore, "2027-03-31", "2026-11-21", 1)
	for _, test := range []struct {
		what, text string
		edit       func(config.File) (config.File, error)
		want       string
	}{
		{"a client", head, with(func(e *config.NewException) { e.Clients = []string{"10.1.1"} }), `--client: found "10.1.1", want a network`},
		{"a client twice", head, with(func(e *config.NewException) { e.Clients = []string{"10.1.1.1", "10.1.1.1"} }), `--client: "10.1.1.1" is in this list twice`},
		{"a class", head, with(func(e *config.NewException) { e.Class = "dedicated" }), `--class: found "dedicated", want dedicated-device, law`},
		{"no approver", head, with(func(e *config.NewException) { e.ApprovedBy = "" }), "--approved-by: it is missing"},
		{"no end", head, with(func(e *config.NewException) { e.Until = "" }), "--until: it is missing"},
		{"no date", head, with(func(e *config.NewException) { e.Until = "30/6/2027" }), `--until: found "30/6/2027", want a date`},
		{"the past", head, with(func(e *config.NewException) { e.Until = "2026-11-21" }), "--until: that is over already, since 2026-11-22T00:00Z"},
		{"approval to come", head, with(func(e *config.NewException) { e.Approved = "2026-11-23" }), "--approved: 2026-11-23 is to come"},
		{"an end before the begin", head, with(func(e *config.NewException) { e.From = "2027-07-01" }), "--until: it ends at 2027-07-01T00:00Z, which is not after its from"},
		{"a bad name", head, with(func(e *config.NewException) { e.Name = "a b" }), `NAME: found "a b", want 1 to 63`},
		{"octets", head, with(func(e *config.NewException) { e.Reason = "a\xff" }), `--reason: found "a\xff", want UTF-8 text`},
		{"a control character", head, with(func(e *config.NewException) { e.Reason = "a\x1b" }), "--reason: found a control character"},
		{"a file that is none", "a: [\n", with(func(*config.NewException) {}), "p.yaml:1:1: not YAML"},
		{"a form that is too much", head + "exceptions: !!seq\n  - {name: x}\n", with(func(*config.NewException) {}), "edit it by hand"},
		{"nobody to extend", policyBefore, extend("nobody", "2028-01-01", "x", ""), `p.yaml: there is no exception "nobody" here`},
		{"an earlier end", policyBefore, extend("first", "2027-03-30", "x", ""), "--until: the end 2027-03-31T00:00+02:00 is not after the one"},
		{"the same end", policyBefore, extend("first", "2027-03-31", "x", ""), "(p.yaml:13): to end it before its time, revoke it"},
		{"an extension that nobody signed", policyBefore, extend("first", "2027-04-30", "", ""), "--approved-by: it is missing"},
		{"no day of the first approval", unsigned, extend("first", "2027-04-30", "x", ""), `--approved: it is missing: the file does not say when "first" was approved (p.yaml:7), and its history begins with that: want the day`},
		{"what was revoked", revoked, extend("first", "2027-04-30", "x", ""), "p.yaml:14:14: exception \"first\" was revoked"},
		{"what is over", ended, extend("first", "2027-04-30", "x", ""), "p.yaml:13:12: exception \"first\" has been over since"},
		{"revoked by nobody", policyBefore, revoke("first", "", ""), "--by: it is missing"},
		{"revoked in the past", policyBefore, revoke("first", "2026-11-22T12:59", "x"), "--at: 2026-11-22T12:59+01:00 is past"},
		{"revoked after the end", policyBefore, revoke("first", "2027-04-01", "x"), `--at: the exception "first" ends at 2027-04-01T00:00+02:00 by itself (p.yaml:13)`},
		{"revoked twice", revoked, revoke("first", "", "x"), "p.yaml:14:14: exception \"first\" was revoked"},
	} {
		t.Run(test.what, func(t *testing.T) {
			before := config.NewFile("p.yaml", []byte(test.text))
			f, err := test.edit(before)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want one with %q", err, test.want)
			}
			if string(f.Data) != test.text {
				t.Errorf("the file has changed:\n%s", f.Data)
			}
		})
	}
	if _, err := extend("first", "2027-04-30", "x", "2026-03-01")(config.NewFile("p.yaml", []byte(unsigned))); err != nil {
		t.Error(err)
	}
}

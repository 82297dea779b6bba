package main

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"cordon/cmd/cordon/audit"
)

func (x *scenario) wantAudit(words []string) error {
	entries := x.entries()
	at := slices.IndexFunc(entries[x.found:], func(e string) bool { return hasAll(e, words) })
	if at < 0 {
		x.errorf("no entry of the audit log has %q:\n%s", words, strings.Join(entries[x.found:], "\n"))
		return nil
	}
	x.found += at + 1
	return nil
}

func (x *scenario) wantNoAudit(words []string) error {
	for _, e := range x.entries()[x.found:] {
		if hasAll(e, words) {
			x.errorf("an entry of the audit log has %q:\n%s", words, e)
		}
	}
	return nil
}

// entries are all entries of the audit log, as they are written, but with paths from the directory of the scenario on.
func (x *scenario) entries() []string {
	x.settle()
	dir := auditDir(x.server.service)
	if _, err := audit.Verify(dir, ""); err != nil {
		x.errorf("the audit log is not intact: %v", err)
	}
	var all []string
	for e, err := range audit.Read(dir, time.Time{}, time.Time{}) {
		if err != nil {
			x.fatalf("%v", err)
		}
		text, err := json.Marshal(e)
		if err != nil {
			x.fatalf("%v", err)
		}
		all = append(all, strings.ReplaceAll(string(text), x.dir+"/", ""))
	}
	return all
}

func hasAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

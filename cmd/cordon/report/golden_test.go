package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/report"
)

// smallReport is that of three days, of which the log covers two.
func smallReport(t *testing.T) *report.Report {
	t.Helper()
	zone := brussels(t)
	facts := sampleFacts(zone)
	facts.Made = time.Date(2026, 6, 4, 9, 0, 0, 0, zone)
	from := day(zone, "2026-06-01")
	log := []audit.Entry{{Kind: audit.Start, Time: from}, {Kind: audit.Snapshot, Time: from}}
	for h := range 48 {
		e := hour(from.Add(time.Duration(h) * time.Hour))
		if h%12 == 9 {
			e.Counts = []audit.Count{
				{Agency: "defence", Policy: "nsc-2023-03-10", List: "tiktok", Refused: 1200, Excepted: 3},
				{Agency: "finance", Policy: "editing-apps", List: "capcut", Observed: 7},
			}
		}
		log = append(log, e)
	}
	log = append(log,
		audit.Entry{Kind: audit.ExceptionUsed, Time: from.Add(48 * time.Hour), Exception: "press-phone"},
		audit.Entry{Kind: audit.Rejected, Time: from.Add(48 * time.Hour), What: "policy/defence.yaml", Reason: "policy/defence.yaml:3:1: unknown key"},
		audit.Entry{Kind: audit.Stop, Time: from.Add(48 * time.Hour)})
	return report.New(facts, mustPeriod(t, "2026-06-01", "2026-06-03", zone), report.Log{
		Name: "audit", Entries: entries(log...), Checked: report.Check{Intact: true, Head: "00ff", Entries: uint64(len(log))},
	})
}

// UPDATE_GOLDEN=1 in the environment writes the files anew.
func TestGolden(t *testing.T) {
	r := smallReport(t)
	for _, format := range []string{"md", "csv", "json"} {
		var got bytes.Buffer
		if err := r.Write(&got, format, "en"); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "small."+format)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s is\n%s", path, got.Bytes())
		}
	}
}

// Programs can rely on lists that are lists.
func TestNothingInJSONIsNullButWhatHasNoData(t *testing.T) {
	p := mustPeriod(t, "2026-06-01", "2026-06-03", time.UTC)
	var b bytes.Buffer
	if err := report.New(report.Facts{Zone: time.UTC}, p).Write(&b, "json", "en"); err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(b.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	for key, value := range all {
		if value == nil && key != "total" {
			t.Errorf("%s is null", key)
		}
	}
}

// The page allows nothing from elsewhere, says its language, and each chart has a title and a description.
func TestPageStandsAlone(t *testing.T) {
	r := smallReport(t)
	for _, lang := range report.Languages() {
		var b bytes.Buffer
		if err := r.Write(&b, "html", lang); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, want := range []string{`<html lang="` + lang + `">`, `content="default-src 'none'; style-src 'sha256-`, "@page", "thead { display: table-header-group; }"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page does not have %q", lang, want)
			}
		}
		for _, forbidden := range []string{"<script", "<link", "<img", "@import", "src=", "style=\"", "ZgotmplZ", "%!"} {
			if strings.Contains(text, forbidden) {
				t.Errorf("%s: the page has %q", lang, forbidden)
			}
		}
		charts := strings.Count(text, `role="img"`)
		if n := strings.Count(text, "<desc id="); charts == 0 || n != charts {
			t.Errorf("%s: %d charts, %d descriptions", lang, charts, n)
		}
	}
}

func TestUnknownFormatsAndLanguages(t *testing.T) {
	r := smallReport(t)
	for _, test := range [][3]string{
		{"pdf", "en", `found the format "pdf", want one of md, html, csv, json`},
		{"md", "es", `found the language "es", want one of fr, nl, de, en`},
	} {
		var b bytes.Buffer
		if err := r.Write(&b, test[0], test[1]); err == nil || err.Error() != test[2] || b.Len() > 0 {
			t.Errorf("%v, want %s", err, test[2])
		}
	}
}

package report_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cordon/blocklists/domain"
	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/report"
	"cordon/config"
	"cordon/resolver/policy"
)

// brussels is the time zone of the tests.
func brussels(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// day is the beginning of a day in zone.
func day(zone *time.Location, text string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		panic(err)
	}
	return t
}

func mustPeriod(t testing.TB, from, to string, zone *time.Location) report.Period {
	t.Helper()
	p, err := report.NewPeriod(from, to, zone)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sampleFacts are those of a federal state with two ministries.
func sampleFacts(zone *time.Location) report.Facts {
	on := func(text string) time.Time { return day(zone, text) }
	ban := &policy.Policy{
		Name: "nsc-2023-03-10", Authority: "National Security Council", LegalReference: "Circular 716, numac 2023030807",
		Link:    "https://www.ejustice.just.fgov.be/cgi/article.pl?language=fr&numac_search=2023030807",
		Title:   map[string]string{"fr": "Interdiction de TikTok sur les appareils de service", "nl": "Verbod op TikTok op diensttoestellen", "de": "Verbot von TikTok auf Dienstgeräten", "en": "TikTok is banned from service devices"},
		Decided: on("2023-03-10"), From: on("2023-03-10"), Until: on("2026-09-11"), Review: on("2026-06-01"),
		Prolonged: []policy.Prolonged{
			{On: on("2023-09-08"), Until: on("2024-03-11"), Reference: "NSC 2023-09-08"},
			{On: on("2024-03-01"), Until: on("2026-09-11"), Reference: "NSC 2024-03-01"},
		},
		Lists: []string{"tiktok", "bytedance-networks"}, Contact: "mailto:dns@ict.example",
	}
	local := &policy.Policy{
		Name: "defence-2026", Authority: "Chief of staff", From: on("2026-02-16"), Lists: []string{"defence-extra"}, Within: "defence",
		Title: map[string]string{"en": "Look-alike sites named by the defence CERT"},
	}
	advice := &policy.Policy{
		Name: "editing-apps", Authority: "Federal ICT service", From: on("2025-01-01"), Lists: []string{"capcut", "lemon8"}, Recommendation: true,
		Title: map[string]string{"fr": "Applications de montage", "nl": "Bewerkingsapps", "en": "Editing apps"},
	}
	agency := func(name, parent string, mode policy.AgencyMode, networks int, policies ...*policy.Policy) report.AgencyFacts {
		return report.AgencyFacts{Agency: &policy.Agency{Name: name, Parent: parent, Mode: mode, Networks: make([]netip.Prefix, networks)}, Policies: policies}
	}
	return report.Facts{
		Made: time.Date(2026, 12, 1, 9, 30, 0, 0, zone), Zone: zone, Hash: "a688bcfd525e6b383e54f9286ba63ca0",
		Policies: []*policy.Policy{ban, local, advice},
		Agencies: []report.AgencyFacts{
			agency("federal", "", policy.Enforce, 14, ban),
			agency("finance", "federal", policy.Enforce, 6, ban, advice),
			agency("finance-customs", "finance", policy.Enforce, 3, ban, advice),
			agency("defence", "federal", policy.Enforce, 9, ban, local),
			agency("defence-academy", "defence", policy.ObserveOnly, 1, ban, local),
			agency("byod", "federal", policy.ObserveOnly, 2, ban),
			agency("health", "", policy.Enforce, 4, ban, advice),
			agency("health-lab", "health", policy.Off, 1),
			agency("default", "", policy.Enforce, 0, ban),
		},
		Exceptions: []*config.Exception{
			{
				Name: "press-phone", Agency: "defence", Clients: []netip.Prefix{netip.MustParsePrefix("10.10.7.42/32")},
				Policies: []string{"nsc-2023-03-10"}, Names: make([]domain.Name, 2), Class: "dedicated-device",
				Reason:     "The press office answers on the platform, from one telephone that is used for nothing else",
				ApprovedBy: "Head of security", Approved: on("2025-12-20"), From: on("2025-12-20"), Until: on("2026-12-21"), Ticket: "SEC-2025-0042",
				Extended: []config.Prolonged{{On: on("2026-06-15"), Until: on("2026-12-21"), ApprovedBy: "Head of security"}},
			},
			{
				Name: "misinformation-study", Agency: "health", Descendants: true, Lists: []string{"tiktok"}, Class: "security-research",
				Reason: "The lab studies health misinformation", ApprovedBy: "Data protection officer", Approved: on("2026-02-01"),
				From: on("2026-02-15"), Until: on("2026-08-01"), Ticket: "HLT-118",
			},
			{
				Name: "customs-inspection", Agency: "finance-customs", Clients: []netip.Prefix{netip.MustParsePrefix("10.10.16.0/28"), netip.MustParsePrefix("2001:db8:10::7/128")},
				Class: "law-enforcement", Reason: "Inspection of counterfeit goods that are offered in live streams", ApprovedBy: "Administrator-general",
				Approved: on("2026-03-02"), From: on("2026-03-02"), Until: on("2026-12-01"), Revoked: on("2026-05-04"), RevokedBy: "Administrator-general",
			},
		},
		Lists: []report.List{
			{Name: "tiktok", Source: "builtin:tiktok", State: "in force", Names: 214},
			{Name: "bytedance-networks", Source: "builtin:bytedance-networks", State: "in force", Networks: 162},
			{Name: "capcut", Source: "builtin:service/capcut", State: "in force", Names: 16},
			{Name: "lemon8", Source: "builtin:service/lemon8", State: "in force", Names: 7},
			{Name: "defence-extra", Source: "https://lists.cert.example/feeds/lookalike-domains.txt", State: "held", Names: 1241, Current: on("2026-11-20")},
		},
	}
}

// sampleLog is what a server may log from one day to another: working hours, a stop, a crash, an outage, a broken file, a held list.
func sampleLog(from, to time.Time, seed uint64) iter.Seq2[audit.Entry, error] {
	return func(yield func(audit.Entry, error) bool) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := uint64(0)
		say := func(e audit.Entry) bool {
			n++
			e.Sequence, e.Time = n, e.Time.UTC()
			return yield(e, nil)
		}
		ok := say(audit.Entry{Kind: audit.Start, Time: from}) && say(audit.Entry{Kind: audit.Snapshot, Time: from})
		hour := time.Hour
		for t := from; ok && t.Before(to); t = t.Add(hour) {
			since := int(t.Sub(from) / hour)
			switch since {
			case 700:
				ok = say(audit.Entry{Kind: audit.Rejected, Time: t, What: "policy/defence.yaml", Reason: "policy/defence.yaml:14:5: until: 2026-02-30 is not a day"}) &&
					say(audit.Entry{Kind: audit.Released, Time: t.Add(17 * time.Minute), What: "policy/defence.yaml"})
			case 1500:
				ok = say(audit.Entry{Kind: audit.Stop, Time: t.Add(20 * time.Minute)}) && say(audit.Entry{Kind: audit.Start, Time: t.Add(26 * time.Minute)}) &&
					say(audit.Entry{Kind: audit.Snapshot, Time: t.Add(26 * time.Minute)})
				continue
			case 2000:
				ok = say(audit.Entry{Kind: audit.UpstreamsLost, Time: t, What: "."}) && say(audit.Entry{Kind: audit.UpstreamsBack, Time: t.Add(4 * time.Minute), What: "."})
			case 2600:
				t = t.Add(3 * 24 * hour)
				ok = say(audit.Entry{Kind: audit.Start, Time: t}) && say(audit.Entry{Kind: audit.Snapshot, Time: t})
			case 3500:
				ok = say(audit.Entry{Kind: audit.Held, Time: t, What: "list defence-extra", Reason: "it has 12 entries in place of 1241: it lost more than half"})
			}
			ok = ok && sampleHour(say, r, t, since)
		}
	}
}

func sampleHour(say func(audit.Entry) bool, r *rand.Rand, t time.Time, since int) bool {
	busy := 0.05
	if h := t.Hour(); t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && h >= 7 && h < 19 {
		busy = 1
	}
	count := func(agency, policy, list string, refused, observed, excepted float64) audit.Count {
		n := func(mean float64) uint64 { return uint64(mean * busy * (0.5 + r.Float64())) }
		return audit.Count{Agency: agency, Policy: policy, List: list, Refused: n(refused), Observed: n(observed), Excepted: n(excepted)}
	}
	e := audit.Entry{Kind: audit.Counted, Since: t, Time: t.Add(time.Hour), Counts: []audit.Count{
		count("federal", "nsc-2023-03-10", "tiktok", 310, 0, 0), count("federal", "nsc-2023-03-10", "bytedance-networks", 12, 0, 0),
		count("finance", "nsc-2023-03-10", "tiktok", 120, 0, 0), count("finance", "editing-apps", "capcut", 0, 25, 0),
		count("finance-customs", "nsc-2023-03-10", "tiktok", 41, 0, 9), count("defence", "nsc-2023-03-10", "tiktok", 22, 0, 14),
		count("defence", "defence-2026", "defence-extra", 3, 0, 0), count("byod", "nsc-2023-03-10", "tiktok", 0, 260, 0),
		count("defence-academy", "nsc-2023-03-10", "tiktok", 0, 31, 0), count("health", "nsc-2023-03-10", "tiktok", 77, 0, 18),
		count("health", "editing-apps", "lemon8", 0, 3, 0), count("default", "nsc-2023-03-10", "tiktok", 2, 0, 0),
	}}
	if t.Hour() == 8 && busy == 1 && !say(audit.Entry{Kind: audit.ExceptionUsed, Time: t.Add(11 * time.Minute), Exception: "press-phone", Agency: "defence"}) {
		return false
	}
	if since%170 == 9 && !t.Before(day(t.Location(), "2026-02-15")) && !say(audit.Entry{Kind: audit.ExceptionUsed, Time: t.Add(30 * time.Minute), Exception: "misinformation-study"}) {
		return false
	}
	return say(e)
}

// TestSample writes a sample in all forms and languages to the directory in REPORT_SAMPLE, for eyes.
func TestSample(t *testing.T) {
	dir := os.Getenv("REPORT_SAMPLE")
	if dir == "" {
		t.Skip("REPORT_SAMPLE names no directory to write samples to")
	}
	zone := brussels(t)
	check := report.Check{Intact: true, Head: "3f0c9b2e77d15a0c6b9f4d6a1f9a51c4be0a3d2f9a0b7c1e5d4c3b2a19087f6e", Entries: 5231}
	broken := report.Check{Broken: "audit-000000000001.jsonl:88: altered: its hash is not what the line after it remembers", Entries: 87}
	for name, period := range map[string][2]string{"half": {"2026-01-01", "2026-06-30"}, "year": {"2025-07-01", "2026-06-30"}, "month": {"2026-03-01", "2026-03-31"}} {
		logs := []report.Log{{Name: "/srv/audit/ns1", Entries: sampleLog(day(zone, "2025-12-01"), day(zone, "2026-06-30"), 1), Checked: check}}
		if name == "year" {
			logs = append(logs, report.Log{Name: "/srv/audit/ns2", Entries: sampleLog(day(zone, "2025-10-15"), day(zone, "2026-06-30"), 2), Checked: broken})
		}
		r := report.New(sampleFacts(zone), mustPeriod(t, period[0], period[1], zone), logs...)
		for _, lang := range report.Languages() {
			for _, format := range report.Formats() {
				f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%s.%s", name, lang, format)))
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Write(f, format, lang); err != nil {
					t.Fatal(err)
				}
				f.Close()
			}
		}
	}
}

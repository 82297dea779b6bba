package report

// The words for what has a name in the program.

var modePhrases = map[string]phrase{"enforce": "Enforced", "observe": "Only observed", "off": "Switched off"}

var strengthPhrases = map[string]phrase{"ban": "Ban", "recommendation": "Recommendation (observed, not refused)"}

var statePhrases = map[string]phrase{"in force": "in force", "held": "held", "stale": "out of date", "absent": "absent"}

var unitPhrases = map[Unit]phrase{Day: "By day", Week: "By week", Month: "By month"}

var unitChartPhrases = map[Unit]phrase{Day: "Queries by day", Week: "Queries by week", Month: "Queries by month"}

var eventPhrases = map[EventKind]phrase{Granted: "Granted", Extended: "Extended", Lapsed: "Lapsed", Revoked: "Revoked"}

var classPhrases = map[string]phrase{
	"dedicated-device":  "Dedicated device",
	"law-enforcement":   "Law enforcement",
	"national-security": "National security",
	"security-research": "Security research",
	"oversight":         "Oversight and inspection",
	"communications":    "Public communication",
	"emergency":         "Emergency",
}

var incidentPhrases = map[IncidentKind]phrase{
	FileHeld:   "Change rejected",
	ListHeld:   "List held",
	NoUpstream: "No upstream answered",
	NotRunning: "Server not running",
	Crashed:    "Server ended without a stop",
	LogGap:     "Gap in the audit log",
}

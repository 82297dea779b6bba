// Package report makes the report on the bans that a parliament or a minister asks for: what was in force in a period, for whom, what
// it did, who was excepted by whom, and what went wrong.
//
//	policy files ─▶ Facts ───────┐
//	                             ├─▶ New ─▶ Report ─┬─▶ json, csv                        for programs: one language
//	audit logs ─▶ Log, a stream ─┘                  └─▶ document ─┬─▶ markdown            for people: fr, nl, de, en
//	              of entries                                      └─▶ html, with charts
//
// [New] is pure: it reads the entries once, in their order, and keeps sums only. How much it keeps does not grow with the length of the
// logs, and what somebody could make grow by writing strange entries (names, incidents) has a bound; what is beyond is counted and said.
//
// # What is counted, and what is not known
//
// An entry of counts is of the time between two moments, an hour as a rule. It belongs to the step of the period (a day, a week or a
// month) in which that time begins. An hour in which nothing was counted has no entry; that it was looked at shows in a later entry of the
// same process. So the log says which part of each step it covers. A step that no log covers has no numbers:
// its Tally is nil, which is "no data" for people and empty or null for programs. Zero is said of a time that was looked at, and of no
// other.
//
// Several logs are those of several servers, each of which saw other queries: their counts are added. A step that one of two servers
// covers has a number that is too low; it is marked as incomplete.
//
// Bans, agencies, lists and exceptions are those of the policy files as they are now. An exception that is no longer in the files is told
// from the logs, as far as they go.
//
// # What is never in it
//
// The address of a client, or a name that somebody asked for. The clients of an exception are addresses, so only their number is given,
// and so it is with the names that it lifts: with the days of its use and one client, they come near to saying who asked for what. An
// address in a text that somebody wrote (a reason, say) is taken out.
//
// All texts are hostile here: each form escapes them in its own way. No form links to, or loads, anything but what a policy names as its
// link, and only over http or https.
//
// It is not the job of this package to read files, to know which files there are, or to verify a log: the command does, and says what came
// of it in [Log].
package report

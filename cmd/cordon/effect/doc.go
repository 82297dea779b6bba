// Package effect says what a change of the policy changes in effect: who is newly refused what, from when to when, and by which
// decision. It does not compare texts; two policies that are written in different ways may do the same.
//
//	old, new Snapshot ──▶ grounds ───▶ pairs ─────┐
//	                      clients that  of regimes, │
//	                      are alike     with spans  ├──▶ verdicts ──▶ Difference ──▶ Write, Sentences, JSON
//	                                                │    old and new
//	                  ──▶ points ────▶ classes ─────┘    by THE RULE
//	                      where a       of points that
//	                      verdict may   policy can't tell
//	                      turn          apart
//
// Words. A ground is the addresses that are in the same networks of both policies: their clients have one asker in the old one and one
// in the new. A regime is all that verdicts on an asker depend on from a moment on: the mode of its agency, its policies, its
// exceptions. A point is a name that some rule or exception speaks of, with those below it, or a network that a rule speaks of: between
// points nothing turns. Points that the same lists hold and the same exceptions cover are a class, and one of them is asked for all. A
// span is the time between two boundaries: within it no policy and no exception begins or ends.
//
// Every verdict comes from [policy.Snapshot.Decide] and DecideAnswer, so that nothing here can be of another opinion. The rest is to ask
// few questions: regimes that are alike are asked once, and where policies and exceptions are alike, only about the rules that differ.
// Two lists with equal hashes cost nothing then. What it may cost in all is bounded; clients with thousands of exceptions that begin and
// end are asked about last, and have a gap.
//
// Not its job: what a query by a name alone can't show (that an exception for a question covers its whole answer), exceptions that name
// a suffix shared by a CDN's customers, the networks of allow_clients, what changed before the moment from which on it compares, and to
// say who changed the files.
package effect

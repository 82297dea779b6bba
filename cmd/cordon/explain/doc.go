// Package explain says what a client gets for a name, and why: which agency, list, policy and exception decided, each with the place where
// it is written. It is for people, as facts in words, and for programs, as JSON.
//
//	Question ─▶ policy.Snapshot.ExplainAnswer ─▶ Of ───────▶ places ─────▶ idle ───────────▶ Follow ──────▶ Explained ─▶ Write, JSON,
//	            the decision itself              as facts    lines of      exceptions that   what the                    Summary, Argument
//	                                                         the files     can lift nothing  answer leads to
//
// Every verdict comes from the snapshot, so that nothing here can be of another opinion. Agencies has the verdicts for all agencies.
//
// Not its job: to read the files, to choose the moment, to know what a server answers itself or whom it asks (cmd/cordon).
package explain

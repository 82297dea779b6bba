// Package policy decides whether an asker may have what a name leads to.
//
//	 lists    policies   agencies   exceptions
//	   │          │          │          │
//	   └──────────┴─────┬────┴──────────┘
//	                 Compile                        everything that can be worked out before a query comes
//	                    ▼
//	                Snapshot                        immutable, read by all, replaced whole
//	                    │
//	client ── Asker ────┤  agency, its policies, the exceptions that can apply to this address: one look-up
//	name ──── Decide ───┤  THE RULE, see [Snapshot.Decide]
//	answer ── DecideAnswer   the same rule for what the answer leads to
//	                    ▼
//	                 Verdict                        pass, refuse, observe or except, with its reason
//
// The tree of agencies is flattened. Every network of an agency and every network of an exception's clients is one row of a
// longest-prefix table, and leads to an [Asker]:
//
//	10.10.0.0/16   federal   its bans
//	10.10.7.0/24   defence   federal's bans and its own
//	10.10.7.42/32  defence   the same, and the exception "press-phone"
//	(elsewhere)    default   every ban
//
// Words. A policy bears on a name if a rule of its lists matches it. It is within an agency if only that one and those below it
// can have it. It is in force from From to Until. An exception covers a match if its lists and names do; it lifts a policy if it is
// in force too. A policy that bears, is in force and is not lifted stands.
//
// Time. Nothing here reads a clock: callers pass an [Instant], made by a [Clock] that remembers the latest time it has seen.
// After a step back of the clock bans are on and exceptions that had ended stay ended.
//
// Nothing in a Snapshot changes after Compile, so a query needs no lock, and a verdict allocates nothing.
//
// Not its job: files and their positions (config), what matches (blocklists), the answer to a refusal (answer), counting and
// logging (the resolver), and to remember a verdict: it is decided afresh for every query.
package policy

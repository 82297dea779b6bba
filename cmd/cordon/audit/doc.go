// Package audit keeps the log of what was in force when, and what it did: JSON lines, append-only, each with the hash of the one before.
//
//	Append ─▶ queue ─▶ one goroutine, Run ─▶ audit-000000000001.jsonl ─ full ─▶ audit-000000000412.jsonl ─▶ …
//	never     bounded   number, chain,          {"seq":1,"prev":"0000…",…}          {"seq":412,"prev":SHA-256 of line 411,…}
//	blocks              write, sync                                                  │
//	                                                                                 ▼
//	                                             head: the SHA-256 of the last line, in the metrics and in the server's log
//
// Words. An [Entry] is one line. The chain is that each line has the SHA-256 of the line before; it goes on across files. The head is the
// hash of the last line. Who alters, removes or inserts a line breaks the chain, unless they write all that follows anew; then, and when
// they cut the end off, the heads that Prometheus and the journal hold are not in the log any more. [Verify] looks for all of that,
// [Read] gives the entries to who wants to know what was, [ReadState] those that say how things are.
//
// What is not written stays known: entries that the disk refuses are kept in memory up to a bound and tried again, those beyond it are
// counted, and a [Gap] entry says how many are missing. A server that starts while another still writes
// the log keeps its entries so too, and goes on where that one ended. A line that a crash left unfinished is cut off at the next start, and
// a [Torn] entry says so.
// A file that is older than it has to be kept is removed with a [Removed] entry for it, which says where the chain begins from then on: a
// beginning that no such entry accounts for was cut by somebody.
//
// Not its job: to know what is worth an entry (cmd/cordon), to make sense of entries (package report), to keep anybody who can write the
// directory from writing it anew: that is what the heads elsewhere are for.
package audit

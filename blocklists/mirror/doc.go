// Package mirror keeps copies of lists that lie elsewhere, so that a list from afar is a file like any other to those who load it.
//
//	Remote: name, identity,            the state directory
//	source, how often                  NAME-ID.json    what is known of the copy
//	     │                             NAME-ID.SHA256  its content
//	     ▼                                   ▲   │
//	wait until it is due ──▶ ask the ──▶ put in place, in one step
//	or poked, one of four     Source         │   │
//	     ▲                      │            │   └──▶ Copy: a path, for the loader
//	     └── unchanged, failed ─┘            └──▶ Changed
//
// The words: a remote is a list and where it comes from; its identity is everything that makes it the list that it is (an
// address, a zone, its primaries), but no secret; a copy is the newest content that came, whole and with its checksum.
//
// # What holds
//
//  1. A copy is replaced by a newer one, whole, or it stays: neither a failed fetch, a full disk nor a crash changes it.
//  2. Content and what is said of it always match: the content is in a file that is called by its checksum, and the small file that
//     names it is renamed into place last. A content that is not what its checksum says is no copy.
//  3. A copy belongs to an identity. A list with another address has no copy until that one has answered; with its old address it
//     has its old copy again.
//  4. What is on the disk of lists that are not known any more stays for a week: a mistake in a configuration costs nothing.
//  5. A source is asked by one goroutine at a time, at most four sources at once, and none again before its time, a restart included.
//     What it does wrong (fail, panic, hang, send too much) is a failure of that list alone.
//
// # When a source is asked
//
// After a success: after the refresh time, 10 % more or less, so that many servers don't ask in step. After a failure: between the
// least wait and a most that doubles with every failure in a row, up to the refresh time, by chance. The least wait is what the source
// asked for, or a second; the first most is the retry time. [Mirror.Poke] asks at once, but not twice within a second. Waiting goes by
// the monotonic clock, so a clock that is set changes nothing; only a start goes by the time of day, and it never waits for longer
// than the refresh time.
//
// Not its job: to judge what a list holds (blocklists), to speak to anybody (fetch, transfer), to export metrics (cmd, by [Mirror.Status]).
package mirror

// Package upstream asks other DNS servers: one question in, one answer or one error out, within five seconds.
//
//	Ask(question, deadline, done)
//	 │  rank: the fast and healthy first, in random order; the failing last, probed beside
//	 ▼
//	flight ──▶ attempt 1: server A ─ UDP ─┬─ matching answer ───────────────────────────▶ done(answer)
//	 │ no answer within A's patience      ├─ cut (TC), or a wrong ID was seen ─▶ TCP ─▶ done(answer)
//	 │ (0.4 to 1 s), or a failure         ├─ FORMERR, NOTIMP, BADVERS ─▶ again without EDNS
//	 ▼                                    └─ anything else: not heard, the wait goes on
//	       ──▶ attempt 2: server B ─ …      (A is still listened to: who answers first, wins)
//	 ▼
//	       ──▶ … at most 3 queries a server and transport, 12 packets, 5 s ─────────────▶ done(error)
//
// Words. A [Group] is the servers of one route, all of which know the same names. A flight is what one Ask sets in motion;
// it makes attempts, one server each. A server's patience is how long a flight waits for it before it also asks the next.
//
// What is believed. Every UDP query leaves from its own connected socket: the kernel picks a random port and drops what
// comes from another address, so that nobody on the outside learns the port by asking (SAD DNS). The ID is random from
// crypto/rand, the name is in lower case. A datagram is the answer if its ID, QR, opcode and its one question are those of
// the query; any other is as if it had not come (TuDoor, CVE-2023-29483). A wrong ID is a sign of somebody guessing: the
// attempt goes on over TCP, and only if the server has no TCP is the socket read again, up to a few wrong IDs (RFC 5452).
//
// So a FORMERR without a question, as very old servers send it, is not heard either.
//
// What an answer is: NOERROR or NXDOMAIN, all of which parses. With any other response code the next server is asked; one
// that answers then shows that the code was the other server's own fault. If none does, the code is the error.
//
// What is remembered of a server: its smoothed response time, failures in a row, and whether it chokes on EDNS. No goroutine
// watches over servers. A server that failed three times in a row is asked last; once a second a question that a client
// asked anyway goes to it as well, and its answer only tells that it is back.
//
// Hop by hop: the query has RD, CD and DO as asked, AD towards a trusted validator (RFC 6840, section 5.7), and an OPT
// record with nothing in it but the UDP size of 1232 octets. No client subnet, no cookie and no padding is ever sent.
//
// Not its job: to keep answers or failures (package cache), to join equal questions into one flight (package resolver), to
// look behind the question of an answer, to validate DNSSEC, to follow referrals or aliases.
package upstream

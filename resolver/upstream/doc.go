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
// it makes attempts, one server each. A server's patience is how long a flight waits for it before it also asks the next. A
// port is a connected UDP socket, of which each server has a pool; a link is how a port's datagrams move.
//
// A question costs no goroutine, no timer and no socket of its own, and no memory that is not used again:
//
//	Ask ─▶ flight ─▶ port (random, of the server's pool) ─▶ link ─▶ the server         in the caller's goroutine
//	         ▲ ▲      │ ID ─▶ question                       │
//	         │ └──────┴──────────────────────────────────────┘ datagram, or error       one goroutine for all sockets
//	         └─ clock: patience is over, time is up                                     one timer for all flights
//
// A flight is a state under a lock; whoever brings an event moves it on, and calls done when that was the end. TCP is rare and
// has a goroutine for each exchange. On Linux the sockets of a group share an epoll descriptor; elsewhere, and with
// [Config.Dial], each has a goroutine that reads.
//
// What is believed. A port is connected: the kernel picks a random number and drops what comes from another address, so that
// nobody on the outside learns the number by asking (SAD DNS). Each question goes through a random one of 64 ports, under an
// ID that this port has not used before, both from crypto/rand; the name is in lower case. A datagram is the answer if its ID,
// QR, opcode and its one question are those of a question that is open at this port; with the right ID and anything else wrong
// it is as if it had not come (TuDoor, CVE-2023-29483). An ID that was never used at this port is a sign of somebody guessing:
// the questions that are open there go on over TCP, and only if the server has no TCP is UDP heard again, up to a few wrong IDs
// a port (RFC 5452). Then the port is closed, and with it whatever somebody has learnt of it. A datagram for a question that is
// over is late or comes twice; it says nothing.
//
// The odds. Who forges an answer to a given question without seeing it must hit the one port that it left from, of the 28,232 that
// Linux chooses from, and its ID, of 65,536: one in 1.85 thousand million for each datagram, as with a socket for each question
// (RFC 5452, section 7.2, with one address). What a pool gives away is time: a port stays for up to 10 seconds or 1,024 questions
// instead of one round trip, so it may pay to look for its number first. Who has found it has five guesses at an ID, of 64,513 or
// more that are left, and if the server has TCP, one for each question: 1 in 12,900. Then the port is closed, and the number of
// the next one is unknown again.
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

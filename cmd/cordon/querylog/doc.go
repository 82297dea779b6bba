// Package querylog writes what was asked and what became of it, for those who have to know: nothing at all by default.
//
//	resolver ─▶ Observe ─▶ ring of the listener ─▶ Run ─▶ record ──▶ buffer ─▶ goroutine ─▶ file     JSON lines, by day and size
//	            copies,    bounded                 who    the client  bounded   of its own ▶ syslog   RFC 5424
//	            no lock    full: dropped           wants  by another  full:                ▶ dnstap   frame streams
//	                                               it?    name        dropped              ▶ incident a file, the client by its address
//
// Words. An event is one question with its verdict and answer; a record is the event as outputs get it, in which the client has another
// name. An output is where records go: file, syslog, dnstap, and during an incident the file of that. The client's name is a pseudonym,
// the HMAC of its address with the key of the day; or its network; or nothing. An incident is a bounded time in which somebody who signed
// for it has what is asked logged with the addresses of clients, into a file of its own that is removed soon. A request is how the command
// asks the server for one.
//
// What a client waits for is the copy into the ring and no more. Nobody waits for a disk or a reader but the goroutine of its own output:
// what finds a ring or a buffer full is dropped and counted by output. Addresses leave Run only into the file of an incident.
//
// The keys of pseudonyms are in memory only and new each day, so that who has the log can't ask of an address whether it is there, nor
// follow a client over days. Servers that share a key file derive the key of a day from it, by HKDF (RFC 5869), and give a client the same
// name.
//
// Not its job: to decide (package policy); to know the files of the service (package config); the audit log, which hears of incidents from
// the caller.
package querylog

// Package listen takes queries from sockets and gives answers back: UDP and TCP, whatever the address family.
//
//	           one address
//	┌──────────────────────────────┐
//	UDP socket 0 ─ worker 0 ─┐                       ┌─ ok: sent by the worker, in its read loop
//	UDP socket 1 ─ worker 1 ─┼─▶ wire.Query.Parse ─▶ Handler.Answer
//	…  (SO_REUSEPORT)        │                       └─ not ok: Handler.Start … reply, from any goroutine
//	TCP listener ─ table of ─┘
//	               connections, one reader each
//
// A worker is one goroutine with one socket, its own buffers and its own counters: a query that the first door answers
// costs no allocation, no lock and no other goroutine. Between worker and socket stands a seam, [socket], that moves
// datagrams in batches: as many as are there, without waiting for more, and their answers in one go. On Linux a batch is one
// system call each way (recvmmsg, sendmmsg), which takes a quarter off what a query costs; elsewhere it is one datagram. An
// answer that comes later leaves by itself. A socket bound to a wildcard notes which address was asked, and the answer leaves
// from there: clients (and firewalls) drop an answer from any other.
//
// A client that asks more than its rate ([cordon/resolver/limit]) costs no more than the reading: its datagrams are dropped before
// they are looked at, but for some that are told to come over TCP, and its streams are not read on until its time has come.
//
// A stream (TCP; any net.Listener whose connections carry the same framing, RFC 1035, section 4.2.2) has one reader. Queries
// are pipelined and answered in whatever order the answers come (RFC 7766, section 6.2.1.1). Answers are queued, and
// whoever finds nobody writing writes all that is queued in one go, so a reply never waits for a client:
//
//	reader:  read ─▶ Answer ─▶ queue ─▶ … no whole message left ─▶ write all
//	reply:   queue ─▶ nobody writing? a goroutine writes until the queue is empty
//
// What a client may hold is bounded: connections in all and per address (the longest idle one makes way), queries in flight
// and octets unwritten per connection, and the time that a silence, a message and a write may take ([Limits]).
//
// The first socket of an address is bound alone, without SO_REUSEPORT: so a server that is there already, another Cordon
// too, is found ([InUseError]) instead of losing half of its queries to us. It is opened to our own further sockets afterwards.
//
// Sockets that somebody else has bound for us are taken as they are ([Given]): then no privilege is needed for a port below 1024.
//
// Not its job: to know what a query means, who may ask, how many queries may wait for upstreams, or how long they wait.
package listen

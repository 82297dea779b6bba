// Package wire reads queries and writes answers as bytes, without building message objects.
//
//	          0        12                  len
//	query     | header | one question | … OPT … |
//	             │           │             │
//	             ▼           ▼             ▼
//	Query      ID, Flags   Name, Type,   OPT, UDPSize, DO,
//	                       Class         Signals
//	             │           │             │
//	             ▼           ▼             ▼
//	answer    | header | the same question, octet for octet | records | OPT with EDE |
//
// [Query] is a view of the listener's buffer: it is parsed in place and it is dead when the buffer is used again. The one
// thing that is copied is the name, in canonical form (lower case), so that policy and cache compare octets.
// [Begin] and [Finish] write the two ends of an answer. What stands between them belongs to the callers: packages answer
// (what we make up) and cache (what an upstream said, read with [Message]).
//
// Not its job: to decide anything about a name, to keep anything, to know a socket.
package wire

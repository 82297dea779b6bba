// Package cache keeps what upstreams said, as bytes that are ready to be sent.
//
//	upstream's message ─▶ Keep ─▶ Entry ─▶ Put ─▶ Cache ─▶ Get ─▶ Entry.Append ─▶ answer
//	  any record order     │        │                               aged TTLs, AD, EDE, TC
//	                       │        └─ Names, Addrs: what the answer leads to, for policy
//	                       └─ the chain from the question, the RRset at its end, the proof of a negative; nothing else
//
//	Cache   buckets of one cache line   | 7 tags, 7 use bits | 7 pointers to entries |
//	                                       picked by a seeded hash of the key
//	Entry   one block of octets         | name | records | offsets of their TTLs | names and addresses it leads to |
//	                                             └ stands behind the question as it is: its compression pointers count
//	                                               from a message whose question has this name
//
// A hit is: hash the key, read one line of the table, compare the key with the entry's, copy the records, write the TTLs.
// It takes no lock and allocates nothing. A miss reads one line. Writers lock a stripe of the table.
//
// An entry never changes, but for three marks that are atomic: used lately, clean under a snapshot, next attempt put off. The first and
// the last also tell which entries are due: worth renewing before they expire.
// The cache is bounded in octets. Room is made by a hand that goes round the buckets: what is of no use any more goes
// first, then what was not used since the hand last came by. So a flood of names that nobody asks for again pushes out
// itself and not what is asked for all the time.
//
// What is kept is for every client alike: the key has no agency and no address, and a verdict is never stored.
//
// Not its job: to decide who may see an answer, to ask an upstream, to choose between a stale answer and a wait, to
// validate DNSSEC, to count hits.
package cache

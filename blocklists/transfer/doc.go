// Package transfer copies a zone from its primaries, so that a response policy zone (RPZ) is a list like any other.
//
//	primary 1, 2, …                                     a declared primary
//	   │  SOA ─ serial as before ─▶ mirror.ErrUnchanged      │ NOTIFY
//	   │      ─ older ────────────▶ error, the copy stays    ▼
//	   ▼  newer                                           Notifies.Handle ─▶ answer, and the zone to ask for
//	  IXFR ─ any fault ─▶ AXFR
//	   │  every message: frame, question, TSIG, then record by record:
//	   │  class IN, in the zone, data of the type's form, a place in the order of SOA records
//	   ▼
//	 records in canonical form (RFC 4034, section 6), sorted, without repetitions
//	   │  ZONEMD
//	   ▼
//	 a zone file: the same zone is the same octets
//
// Words. A [Zone] is a [mirror.Source] whose versions are serials. The copy is the zone file that an earlier fetch wrote; a
// difference is what an IXFR removes and adds between two serials.
//
// What is believed. A primary is who answers at its address; with a TSIG key, who has the key: every answer must be signed, each
// message of it or at least every hundredth and the last (RFC 8945, section 5.3.1), and an answer that is cut, spliced, or mixed
// with another's records fails as a whole. IXFR is believed as far as it fits: it must begin at the copy's serial, remove only what
// is there, add only what is not, join without a gap and end at the announced version, else the whole zone is transferred. A ZONEMD
// record says that the zone is what its maker made, whoever carried it; it needs DNSSEC or TSIG to say more. Serials go round (RFC
// 1982): a primary that is older than the copy is no source, the next one is asked.
//
// What is bounded: records, octets, messages (each has a record), the time of each step and of the whole. Nothing is written until
// all is checked. Names are in lower case in the copy, in the owner and where RFC 4034, section 6.2, says so.
//
// github.com/miekg/dns makes queries, and text of the data of the rarer types. Answers are read as octets here, because a million
// records as objects are a gigabyte; TSIG is here for the reason that tsig.go gives.
//
// Not its job: when to fetch, keeping copies (package mirror), what the records mean (package format), sockets that NOTIFY comes
// from (package listen), transfers to others, TLS (RFC 9103).
package transfer

// Package selftest asks the server, through its own sockets, what it must refuse and what it must let pass, for each agency.
//
//	policy files ──▶ plan: for each agency an address, and a name that is banned for it
//	                   │
//	                   ▼  each minute, after a start and after a reload at once
//	          a query with a claim ──▶ UDP, TCP ──▶ listen ──▶ agency ──▶ policy ──▶ answer
//	                   │                            believes the claim                 │
//	                   ▼                                                               ▼
//	          outcomes by agency ◀────────────────── is it what is written? ◀──────────┘
//	                   │
//	                   └──▶ /metrics, /readyz, log
//
// Words. A probe is what is asked for one agency: a name that it must be refused, or one that must pass. A question is a probe that is
// asked once at one address. Wrong is an answer that is not what is written; lost is a question without an answer.
//
// A claim. The tester can't send from the addresses of agencies, so its query says whose it is to be judged as, in an EDNS option: 16
// random octets of this process, and the address. The listener believes it only of a query that came from a socket that the tester has
// open at the moment, and that has these octets, compared in constant time. From all others it is an unknown option, and it goes no
// further than the listener: neither the cache nor upstreams see options of clients. Other ways that were weighed: a door of its own into
// the resolver would leave out sockets and loops, which is what fails; addresses of agencies on this host need privileges and would take
// traffic; a source address alone, without the secret, depends on what other networks and the system let through.
//
// What is not to be seen of it. A query of our own is not counted, not held to a rate, and never asked of an upstream: what policy lets
// pass and is not known here is answered by that alone. So no failure of upstreams is a failure of the test, because a server whose
// upstreams fail still refuses, and gives what it has: it must not leave the network. That upstreams answer has metrics of its own.
//
// Which names. What an agency must be refused is worked out from what is written in the policy files, in the words of [policy.Config], and
// from the rules of the lists in the order of their source: not from the snapshot, the tables and the look-ups that answer. It is the
// first name of the first list of the first ban that is in force and that no exception may lift, so it stays the same over time. An agency
// that is refused nothing has no such probe: its mode is observe or off, no ban is in force, or all are lifted. Where it is not plain
// whether an exception lifts a name, that name is not taken. What must pass is one name that nobody lists, see [newNeutralName].
//
// What becomes of it. A wrong answer is asked for again, and believed if it stays wrong for seconds; then the server is not ready, until it
// is right. A lost question is reported and never held against the server as long as any other is answered, or queries of others are
// read: in a flood our own are lost like everybody's, and a server that left then would leave its load to the next.
//
// Not its job: whether upstreams, lists or reloads are well.
package selftest

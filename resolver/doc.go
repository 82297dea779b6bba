// Package resolver takes a query through the stages, in order.
//
//	client ─▶ listen ─▶ agency ───▶ policy ────┬─ refuse ──────────────────────────────▶ answer ─▶ client
//	          parse     who asks?   may they?  │
//	                                           └─ pass ─▶ cache ─ hit ─┬─▶ policy again, on what the answer
//	                                                        │ miss     │   leads to (CNAME, DNAME, SVCB/HTTPS
//	                                                        └▶ upstream┘   targets and hints, addresses)
//
// The order, and why it may not change:
//
//  1. agency before policy: the exception belongs to the asker.
//  2. policy before cache: a cached answer of one agency must never reach a refused client of another. The reward: a policy
//     reload never flushes the cache, and the cache knows no agency.
//  3. policy again after the cache, for every query: a name that is not listed may lead to one that is. What an answer leads to
//     is extracted once, when it is kept; the one fact remembered beside it is "nothing in it matches any list of snapshot N".
//  4. one upstream flight for one cache key, however many clients wait; a waiter leaves when its own time is up.
//  5. a query loads the state once; one that waited for an upstream loads the current one and decides name and answer afresh.
//
// Names of one's own (package names) are answered between policy and cache; what they lead to is judged as well. An alias of one's own that
// leads elsewhere has a route of its own, which asks for its end, so that the answer is kept and judged like any other.
//
// A hit on an answer that is much asked for, and about to expire, opens a flight that nobody waits for, once it is given to a client.
//
// There are two doors. [Resolver.Answer] never waits: a refusal, a cached answer, a local name, an error. What it can't answer
// goes to [Resolver.Start], which never blocks its caller and calls back when there is an answer.
//
// Words: an agency is a body whose clients share policy; a verdict is what policy says of one query, with its reason; a snapshot is
// the whole compiled policy; a route is the group of upstreams chosen for a name; a flight is one question under way to a route,
// with the clients that wait for it.
//
// Not its job: sockets (listen), files (config), which lists there are (blocklists).
package resolver

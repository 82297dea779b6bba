// Package admin is the HTTP listener for the administrator's machines, without what it has to say: who may reach it, who may ask, and how
// long that may take.
//
//	unix socket, 0660 ──┐
//	loopback ───────────┼─▶ Listener ─▶ at most so many connections ─▶ TLS, if it has ─▶ Guard ─┬─ a stranger: 401
//	any other address ──┘                                              a certificate             └─ the handler
//
// Words. A stranger is who shows neither the token nor a certificate of the client authorities. A listener is private if no other host
// reaches it: a unix socket, or a loopback address. One that is not private asks for one of the two, or [New] makes no server of it. One
// that is private asks if it is told to.
//
// Some resources are open: whether the server lives and whether it is ready are for orchestrators and load balancers, which often have no
// place for a token; they are one word, and any DNS query tells as much. All else, also what there is not, is 401 for strangers, so that
// they do not learn what there is.
//
// A browser shows the token as a password. Where nobody is asked for anything, a page from elsewhere must not read what is here through the
// browser of somebody at this host: such a listener answers to addresses and to localhost, and to no other name.
//
// Tokens, certificates and keys are in files, which are looked at again for each request or connection, so that new ones need no reload. A
// token file that is gone or unfit lets nobody in. New certificate files that do not fit together, as while they are being replaced, leave
// the ones before in force.
//
// Not its job: to know what is told (the handler); to end TLS for others; to count or to log who asked.
package admin

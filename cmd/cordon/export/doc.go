// Package export writes what policies refuse in the words of other programs: a response policy zone for a DNS server, or sets of networks
// for a firewall.
//
//	policies ─┐           names      ┌─ canonical order ─▶ owners and wildcards ─┐
//	          ├─▶ bans ──────────────┤                     RFC 4592              ├──▶ RPZ.Write
//	lists ────┤   rulings            └─ addresses ───────▶ regions ─▶ prefixes ──┘
//	          │   by name, by address
//	          └─▶ networks ─────────────────────────────▶ regions ─▶ ranges ────────▶ NFTables.Write
//
// Words. Bans are policies with their lists, for everybody: no agencies, no exceptions. A ruling is what the bans say of one name or one
// address; they are weighed as package policy weighs them. An action is how a zone says a ruling. A path is a name from the top, so that
// the paths below a name are those that begin with its path. A region is a run of addresses of which the same is said.
//
// Both forms say no more than they have to: a name or a network has a record only where something else is said of it than what is said
// already. Neither depends on the order of the lists' lines, so the same bans are the same octets, and a difference between two exports
// is one between the bans. Who reads a zone may ask: does it refuse what Cordon refuses to a client without exceptions? It does, for
// names and for addresses in answers; what it can't say stands in comments at its top.
//
// Nothing here keeps anything between two calls, reads a file or knows the time. What people call policies
// and lists goes into comments alone, on one line each whatever is in it.
//
// Not its job: to read the configuration, to choose which policies or lists to export, to find a serial (cmd/cordon); to read zones of
// others (package blocklists/format); to load what it writes anywhere.
package export

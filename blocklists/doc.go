// Package blocklists says which lists hold a name or an address. It is the part of the reload path between a list's file and
// the lookup that every query makes.
//
//	source              format       guards
//
//	builtin:tiktok  ─┐
//	file:lists/*.txt ┤
//	copies of feeds ─┼─▶ rules, ───▶ Load, ─▶ List ─┐
//	names inline    ─┘   faults      each     List ─┼─▶ Compile ─▶ Set ─▶ Match, MatchAddr
//	                     by line     name     List ─┘   one table         every query
//	                                 once               over all lists
//
// A [List] is one source, read and checked. [List.WriteTo] keeps it in a compiled form, from which [ReadList] has it back without
// parsing: it is read and checked, never mapped. A [Set] is the lists in force, compiled; the caller publishes it and drops the
// one before. [Set.WriteTo] and [ReadSet] do the same for it, given its lists, so that a start need not compile them again. Both are
// immutable, so queries read them without a lock while the next ones are made in fresh memory.
//
// # What a rule matches
//
// Names are compared label by label, in lower case. A list that holds the rule on the left gives:
//
//	rule           matches                            doesn't match
//	tiktok.com     tiktok.com, www.tiktok.com,        nottiktok.com, tiktok.com.example.org,
//	               a.b.tiktok.com                     tiktok.co, com
//	*.tiktok.com   www.tiktok.com, a.b.tiktok.com     tiktok.com
//	=tiktok.com    tiktok.com                         www.tiktok.com
//
// More exactly:
//
//  1. The name itself is looked up, and every parent of it, on label borders. Of one list, the rule with the longest name
//     wins: with tiktok.com and www.tiktok.com on a list, a.www.tiktok.com is matched by the second.
//  2. Every list that holds the name matches, each with one match: which of them counts is policy.
//  3. A name that a CDN carries, <name>.<shared suffix>, is looked up as <name> too, by rule 1; and if the last label of
//     <name> is one that the CDNs' operators put there ("c", "w", "cdn", …), also without it. The suffixes and labels are
//     closed lists of package builtin. What is found in front of a suffix is not split again. Of one list, a match by
//     rule 1 comes first.
//
// With tiktok.com as the one rule:
//
//	www.tiktok.com.edgesuite.net       matches: carried by Akamai
//	www.tiktok.com.c.footprint.net     matches: "c" is an operator's label
//	tiktok.com.cdn.cloudflare.net      matches: the longest suffix counts, here cdn.cloudflare.net
//	nottiktok.com.edgesuite.net        doesn't: nottiktok.com is not listed
//	www.tiktok.com.x.y.footprint.net   doesn't: at most one operator's label
//	tiktok.com.example.org             doesn't: example.org is nobody's CDN
//	edgesuite.net                      doesn't: nothing is carried
//
// # What a list allows
//
// Some formats have rules that allow (package format says which). They concern their own list only: what another list
// blocks stays blocked. With the rules on the left in one list:
//
//	tiktok.com  allow www.tiktok.com                    blocks x.tiktok.com; not www.tiktok.com, a.www.tiktok.com
//	tiktok.com  allow www.tiktok.com  a.www.tiktok.com  blocks a.www.tiktok.com: the longer name wins
//	tiktok.com  allow tiktok.com                        blocks nothing: of two for one name, the one that allows wins
//	*.tiktok.com  allow =tiktok.com                     blocks www.tiktok.com; not tiktok.com
//	www.tiktok.com  allow tiktok.com                    blocks www.tiktok.com: the longer name wins
//	www.tiktok.com  cancel tiktok.com                   blocks nothing: a rule that cancels (Adblock's @@) takes out what is
//	                                                    at and below its name when the list is made, and allows then
//	tiktok.com  allow tiktok.com.edgesuite.net          blocks tiktok.com.edgekey.net; not tiktok.com.edgesuite.net: rule 1
//	                                                    comes before rule 3 here too
//	192.0.2.0/24  allow 192.0.2.128/25                  blocks 192.0.2.1; not 192.0.2.129: the longer prefix wins
//
// # What a list may not hold
//
// A rule that would take in names of many owners is skipped, counted and reported with its line: the root, a top-level
// domain, a public suffix such as co.uk, a suffix shared by the customers of a CDN (see [Protected]), the organisation's own zones;
// a network wider than /8 (IPv4) or /16 (IPv6). What lies below such a name may be listed, and so may the name alone (exact). A rule that
// cancels is bound in the same way, since it would lift what the list says of many owners; one that allows lifts nothing
// below its name and may be for any.
//
// # When a list does not load
//
// One bad line costs that line. [Load] refuses a list that can't be read whole: HTML, JSON or binary, cut short, larger than [MaxSize],
// changed while it was read, wrongly signed. It refuses a list that is more likely broken than edited by the guards of its [Source],
// which compare it with the version in force: that is a [GuardError], and somebody who has looked at the list can have it believed. The
// caller keeps the last good list then.
//
// Not its job: to fetch (fetch, transfer, mirror), to watch files or keep last good lists (cmd), to say what a match means
// (resolver/policy), to read the syntax of a list (format), to know what a name is (domain), to know ByteDance (builtin).
package blocklists

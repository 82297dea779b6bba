// Package status says how a running server is: one value, and three ways to show it.
//
//	the running server ─▶ Status ─┬─▶ GET /status   JSON, for programs ─▶ cordon status ─▶ a table (Write)
//	 (collected elsewhere)        └─▶ GET /         a page for people
//	 Explanation ─────────────────────▶ GET /explain the same page, with a verdict and how it came about
//
// A [Status] is made at one moment, and is the same for all three: what a person reads on the page, another reads in the terminal. It has
// everything, however much that is; the page and the table show of a long list what needs somebody first, and say how much more there is
// and where. It has no address of a client of an exception, whose number is enough here, and no name that anybody asked for.
//
// The page is HTML and one style sheet, and needs nothing else: no script, no font, no image, no cookie. Its Content-Security-Policy
// allows that one style by its hash and forms that come back here. Every text from a policy file stands in an element that keeps its
// writing direction to itself, so that a title in Hebrew, or one made to mislead, turns nothing around it. What colour says, a word says
// too. It is read by keyboard and by screen reader: landmarks, one h1, tables with captions and scopes, a label for each field.
//
// Its forms use GET, so that there is no state to protect. What a help desk asks is in the address of the page: it is not logged here, and
// the page forbids to keep it or to pass it on; a proxy in front should not log it either.
//
// Not its job: to collect what it shows, to decide who may see it (package admin), and to explain (the commands).
package status

// Package format reads list files: it turns the text that somebody publishes into rules, each with its line number,
// and says which lines are none and why.
//
//	                    ┌─ HTML, JSON, gzip, UTF-16, NUL … ─▶ error that says what was found
//	r ─▶ head, ≤ 4 KiB ─┤
//	       │            └─ Auto: which format do most of its lines have?
//	       ▼
//	     lines ─▶ names     tiktok.com                      ─┐
//	     ≤ 64 KiB hosts     0.0.0.0 tiktok.com tiktokv.com   ├─▶ Rule, or *LineError: skipped, reading goes on
//	     each     networks  192.0.2.0/24                    ─┘
//
// What the lines of each format mean, by examples:
//
//	names      tiktok.com          the name and everything below it: www.tiktok.com, but not xtiktok.com
//	           *.tiktok.com        only what is below it: www.tiktok.com, but not tiktok.com
//	           =tiktok.com         only the name: not www.tiktok.com
//	           tiktok.com  # why   a comment begins at the start of a line or after a blank
//	hosts      0.0.0.0 tiktok.com  the name and everything below it, whatever the address; several names on a line
//	           ::1 localhost       nothing: the lines that every hosts file has (localhost, broadcasthost, ip6-…) are passed over
//	networks   192.0.2.0/24        the addresses in it
//	           2001:db8::1         one address
//
// A hosts file has no way to say "and everything below". A list that bans a name bans what is below it, in this
// format too: the publisher wrote one line a host for want of something better, and hosts appear faster than lists
// do.
//
// In every format a byte order mark, CRLF line ends, blank lines and comments are passed over; a final dot, upper
// case and letters beyond ASCII are understood as package domain does.
//
// To add a format: a constant and a row of the table in format.go, a file with its reader, and a case of kindOf in
// kind.go, by which [Detect] and the reasons of the other formats know it.
//
// Not its job: where the text comes from, whether there are enough rules in it, what may be listed at all (package
// blocklists). Which domain names there are is package domain's.
package format

// Package format reads list files: it turns what somebody publishes into rules, each with its line number, and says which
// entries are none and why.
//
//	                 ┌─ xz, zip, PDF, UTF-32, NUL …; HTML, JSON; cut or damaged data; > 1 GiB ─▶ error that says what was found
//	r ─▶ decode ─────┤
//	     gzip, zstd, └─ text in UTF-8
//	     UTF-16            │  Auto: which format do its first entries have? ≤ 4 KiB, ≤ 64 KiB if they are comments
//	                       ▼
//	                     entries ─▶ names     tiktok.com                        ─┐
//	                     ≤ 64 KiB   hosts     0.0.0.0 tiktok.com tiktokv.com     │
//	                     each       networks  192.0.2.0/24                       │
//	                       │        adblock   ||tiktok.com^                      ├─▶ Rule, or *LineError: skipped,
//	                       │        dnsmasq   local=/tiktok.com/                 │   reading goes on
//	                       │        unbound   local-zone: tiktok.com always_null │
//	                       │        rpz       *.tiktok.com CNAME .              ─┘
//	                       ▼
//	                     end marker: is it the whole list?
//
// # What the lines of each format mean
//
// Where nothing else is said, the rule is [Block]. "And below" is www.tiktok.com for tiktok.com, but not xtiktok.com.
//
//	names      tiktok.com                    the name and below
//	           *.tiktok.com                  only below: not tiktok.com
//	           =tiktok.com                   only the name: not www.tiktok.com
//	           tiktok.com  # why             a comment begins at the start of a line or after a blank
//	hosts      0.0.0.0 tiktok.com a.example  each name and below, whatever the address
//	           ::1 localhost                 nothing: the lines that every hosts file has (localhost, broadcasthost, ip6-…)
//	networks   192.0.2.0/24                  the addresses in it
//	           2001:db8::1                   one address
//	adblock    ||tiktok.com^                 the name and below; ||tiktok.com too, and ||tiktok.com^|
//	           @@||tiktok.com^               [Cancel]: the name and below are not on this list, whatever lines say of names below
//	           ||*.tiktok.com^               only below; *.tiktok.com^ and .tiktok.com^ too
//	           |tiktok.com^                  only the name
//	           tiktok.com                    only the name, as AdGuard reads it: who means more here writes ||tiktok.com^
//	           0.0.0.0 tiktok.com            only the name, for the same reason
//	           ||tiktok.com^$important       as without: @@ takes a name off this list all the same
//	           ||tiktok.com^$all             as without, and so are $document and $popup; not in a line with @@
//	           tiktok.com^  |tiktok  @@x     rejected: they match within labels
//	           ||tiktok.com^$client=…        rejected, as is every other modifier: it says who asks, or what a browser sees
//	dnsmasq    address=/tiktok.com/          the name and below, with any address, # (which is 0.0.0.0 and ::) or none
//	           local=/tiktok.com/a.example/  each name and below; server=/tiktok.com/ is the same
//	           address=/*.tiktok.com/        only below
//	           server=/www.tiktok.com/#      [Allow]: the name and below are resolved as usual
//	           server=/tiktok.com/192.0.2.1  rejected: forwarding
//	           address=/*tiktok.com/         rejected, as are /#/ and //: they match within labels, or everything
//	unbound    local-zone: tiktok.com static the name and below, with every type that does not let names through
//	           local-zone: a.example inform  [Allow], with transparent, typetransparent, always_transparent and nodefault too
//	           local-data: "a.example A ::"  nothing within the local-zone last read, if it blocks; else only the name
//	           server:                       nothing
//	rpz        tiktok.com CNAME .            only the name
//	           *.tiktok.com CNAME .          only below
//	           24.0.2.0.192.rpz-ip CNAME .   the addresses 192.0.2.0/24; 32.zz.db8.2001.rpz-ip is 2001:db8::/32
//	           a.example CNAME *.            blocks like CNAME . does, and so do rpz-drop. and data: A, AAAA, TXT, CNAME elsewhere
//	           a.example CNAME rpz-passthru. [Allow]; the old form a.example CNAME a.example. too
//	           a.example CNAME rpz-tcp-only. rejected, as are rpz-client-ip, rpz-nsip, rpz-nsdname, $INCLUDE, $GENERATE, DNAME
//	           @ SOA …, NS, RRSIG, …         nothing: they serve the zone itself, as does every record of its own name
//
// A hosts file has no way to say "and everything below". A list that bans a name bans what is below it, in this format too: the
// publisher wrote one line a host for want of something better, and hosts appear faster than lists do.
//
// A wildcard of a zone covers everything below it: with *.tiktok.com and www.tiktok.com in the zone a.www.tiktok.com is blocked
// too, where a name server would find a hole behind www.tiktok.com. A name in a zone stands below the name of the zone, which is
// that of the SOA record, or the first $ORIGIN above all records. If neither says it, names without a final dot are taken as
// written, and those with one are rejected.
//
// In every format blank lines, comments, CRLF line ends and a byte order mark are passed over; a final dot, upper case and letters
// beyond ASCII are understood as package domain does. Escapes (\DDD) stand in zone files only. Regular expressions are rejected,
// and so is a "*" anywhere but as the first label.
//
// # The end marker
//
// A last line "# end of list: 1234 entries", written as a comment of the format, says how many entries stand above it, as
// [Reader.Lines] counts them: in most formats that is the number of lines that are neither blank nor comments. Another number,
// or an entry behind it, is an error: the file was cut, or changed while it was written. Whether there must be one is for the
// caller to say.
//
// To add a format: a constant and a row of the table in format.go, a file with its parser, a case of kindOf in kind.go, by which
// Auto and the reasons of the other formats know it, and lists under testdata/corpus.
//
// Not its job: where the text comes from, whether there are enough rules in it, what may be listed at all (package blocklists).
// Which domain names there are is package domain's.
package format

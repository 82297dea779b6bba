// Package domain holds one thing: a domain name in the one form that lists, policy and queries are compared in.
//
//	"WWW.TikTok.com."                      what people write (RFC 1035, section 5.1; IDNA for other letters)
//	       │ Parse
//	       ▼
//	 3 w w w  6 t i k t o k  3 c o m  0    Name: the wire form (RFC 1035, section 3.1), in lower case
//	 │        │              │       └─ the root label
//	 │        │              └───────── Within, Parent, Ancestry and Labels walk on these borders
//	 │        └──────────────────────── and never inside of a label: "xtiktok.com" is not within "tiktok.com"
//	 └───────────────────────────────── every label has its length in front
//	       │ String, AppendText
//	       ▼
//	"www.tiktok.com"                       what people read: plain ASCII, without the final dot
//
// One form means that two names are the same name exactly when their octets are the same: a Name is compared with ==,
// it is a map key, and a suffix of it that begins on a label border is a Name again and costs nothing.
//
// A Name may hold any octets, because a query may. Text may not: only letters, digits, '-', '_' and '*' stand for
// themselves, everything else is written \DDD (and \. or \\ for a dot or a backslash in a label), so the text of a
// name can be put in a log line, a metric label or a YAML file without a second thought, and a URL or a rule of
// another list format is never taken for a name. For every name n, Parse(n.String()) is n.
//
// Not its job: what a list means by a "*" label (package format does), which names may be listed (package
// blocklists), name compression and the rest of a message (resolver/wire).
package domain

// Package names has names of one's own: records that are answered here, before any upstream is asked.
//
//	records of cordon.yaml ─▶ ParseRecord ─┐
//	                                       ├─▶ New ─▶ Table ─▶ Look ─┬─ Here ─▶ Answer.Append
//	files of hosts(5) ──────▶ ParseHosts ──┘                         └─ Away ─▶ Chain: who is asked for the end of it, then Join
//
// A Table is one block of names in the order of their labels from the root on, so that what is below a name stands behind it, with a table
// of hashes in front of it: a name that is not there costs one hash and one look. It holds no pointer for each name.
//
//   - A name that is there has exactly what is written for it: of other types there is no record (NODATA), and no upstream is asked.
//     What is not there is none of its business: whether that is forwarded or denied is for package answer and the routes.
//   - "*.apps.example" stands for every name below apps.example that is not there and lies below no other name that is (RFC 4592).
//   - An alias (CNAME) is followed. Where it leads away from the table, the route for its target is asked, and both are put together.
//   - A record goes before hosts files: they add nothing to a name of the same type, and nothing at all to an alias.
//
// Not its job: policy, which goes before, and after, for what an answer leads to; reading files.
package names

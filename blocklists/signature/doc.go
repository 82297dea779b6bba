// Package signature verifies minisign signatures (https://jedisct1.github.io/minisign), so that a list from afar is believed only
// if its publisher signed it.
//
//	key RWQ… ───────┐
//	signature text ─┴▶ Open ──────────▶ Signature ─▶ Verify ─▶ nil: the content is the publisher's
//	                   form, key id,    │               ▲
//	                   trusted comment  └▶ Newer        └─ content
//	                                       than the one before?
//
// A signature file has four lines. The first is for people and proves nothing; the third is the trusted comment, in which minisign
// writes the time of signing unless it is told otherwise:
//
//	untrusted comment: signature from minisign secret key
//	RUQ…                                                     algorithm, key id, signature of the content
//	trusted comment: timestamp:1700000000	file:list.txt	hashed
//	…==                                                      signature of the second and third line
//
// The trusted comment is verified without the content, so an old version is refused before a large file is read.
//
// Both forms of signature are known. That of today (ED) signs the BLAKE2b-512 of the content, which is read as a stream; the old
// one (Ed) signs the content itself, which must be in memory for it and is bounded by [MaxUnhashed].
//
// The scheme is two calls of the standard library's Ed25519. It is written out here because the libraries for it answer yes or no,
// and an administrator must be told which of key, content, comment and form it was.
//
// Not its job: to fetch a signature (package mirror), to hold a list back (cmd), to sign.
package signature

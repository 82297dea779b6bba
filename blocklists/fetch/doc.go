// Package fetch copies lists over HTTP and HTTPS: it is a source of package mirror.
//
//	secrets ─▶ GET content ─▶ redirect? ─▶ 304 ───────────────────────────────────────────▶ unchanged
//	           if it is not      │  ▲      200, whole ─▶ GET signature ─▶ same content? ───▶ changed
//	           have's version    ▼  │      anything else ─▶ an error      no: once more
//	                           may it lead there?
//
// A server may be slow, broken or hostile, and it may be somebody else's by tomorrow. So:
//
//  1. Only 200 is content, and only if it is whole: of the length that was announced, in chunks up to the last, or by HTTP/2. A response
//     that ends when its connection does is refused, over TLS too, since a cut list would look like a whole one.
//  2. 304 means unchanged only if that was asked. The version is the entity tag and the date (RFC 9110, section 8.8), as they came.
//  3. No content encoding: what is written is what the server has. A list in a gzip file is no encoding, but a file.
//  4. The timeout is one for everything, from the first name that is looked up to the last octet of the signature, so a server that
//     drips gains nothing. Beside it, connecting, the TLS handshake and waiting for headers have limits of their own.
//  5. A redirect (RFC 9110, section 15.4), at most five, never leads from https to http, to another scheme, or to an address that is
//     not public, unless the server that is written in the configuration has an address of the same kind. Judged is the address that is
//     dialled, so a name that changes where it points to gains nothing. A proxy is the administrator's, and may be anywhere; what lies
//     behind it is for the proxy to judge, except for addresses and names that say in a redirect what they are.
//  6. The bearer token (RFC 6750, section 2.1) goes to the scheme, host and port that are written in the configuration, over https or
//     to this machine, and never again after a redirect has led elsewhere.
//  7. No secret is in an error: neither the token, nor the query of a URL, nor where a redirect leads but for its host.
//
// Certificates are checked against the authorities of the system, or, if there is a CA file, against those in it and no others: then
// no public authority can vouch for the server. It is for https proxies too. Files of secrets and authorities are read at each fetch, so
// new ones need no reload; so are the proxy variables of the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) once, by net/http.
//
// Names are looked up by the system's resolver. If this machine's resolver is this very server, then a list that has no copy yet can't
// be found before the server answers, and is fetched when it does; use an address or /etc/hosts where that must not be.
//
// Not its job: to keep copies and to say when to ask (mirror), to judge content or verify signatures (blocklists).
package fetch

package resolver

import (
	"time"

	"cordon/resolver/answer"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

// refusalTTL is what a refusal may be kept for, in seconds: short, because exceptions come and bans end. The same bounds what
// a client may keep of a listed name that passes.
const refusalTTL = 30

// refuse appends the refusal that v calls for. NXDOMAIN would deny every name below (RFC 8020), so it turns into NODATA where
// the client has an exception, where the rule is for one name only, and where it was the answer that matched, not the name.
func (r *Resolver) refuse(dst []byte, q *wire.Query, s *state, v *policy.Verdict) []byte {
	r.counts.verdict(s, q, v)
	audience := &s.audiences[v.Agency.Index]
	how := audience.refusals[v.Policy.Index]
	mode, owner, ede := how.mode, v.Start, &how.plain
	if s.structured.Option != 0 && q.Signals(s.structured.Option) {
		structured := how.structured.EDE(audience.contactFor(how))
		mode, ede = how.truthful, &structured
	}
	if mode == answer.NXDomain && (v.InAnswer || v.HasExceptions || v.Exact) {
		mode, owner = answer.NoData, 0
	}
	if v.CDN {
		owner = 0 // the listed name is not a suffix of this one
	}
	refusal := answer.Refusal{Mode: mode, Owner: owner, TTL: ttlUntil(v.Boundary, q.Now), EDE: ede}
	if s.watch.wants[policy.Refuse] {
		return s.watch.refuse(dst, q, v, refusal)
	}
	return answer.AppendRefusal(dst, q, refusal)
}

// ttlCap is the most that a client may keep of an answer that passes, in seconds, 0 for no cap: a listed name that passes today
// may be refused tomorrow.
func ttlCap(v *policy.Verdict, now time.Time) uint32 {
	if !v.Listed {
		return 0
	}
	return ttlUntil(v.Boundary, now)
}

// ttlUntil is refusalTTL, or less if boundary (zero: none) comes before, at least 1.
func ttlUntil(boundary, now time.Time) uint32 {
	if boundary.IsZero() {
		return refusalTTL
	}
	left := boundary.Sub(now) / time.Second
	return uint32(min(max(left, 1), refusalTTL))
}

//go:build linux

package endtoend

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// fields are what is compared of an answer, by name.
type fields map[string]string

// fieldNames are all of them. A field that an answer does not have is empty.
var fieldNames = []string{
	"reply", "rcode", "opcode", "aa", "tc", "rd", "ra", "z", "ad", "cd", "question", "answer", "order", "answer ttl", "authority",
	"authority ttl", "additional", "opt", "options",
}

// byRcode are the fields of which answers with different response codes can only agree by chance: both have nothing, say.
var byRcode = []string{
	"aa", "tc", "ra", "ad", "answer", "order", "answer ttl", "authority", "authority ttl", "additional", "opt", "options",
}

// dissect reads an answer to p.
func dissect(p probe, reply []byte) fields {
	if reply == nil {
		return fields{"reply": "none"}
	}
	var m dns.Msg
	switch err := m.Unpack(reply); {
	case err != nil:
		return fields{"reply": "malformed: " + err.Error()}
	case m.Id != p.m.Id || !m.Response:
		return fields{"reply": "to something else"}
	case len(reply) > p.limit():
		return fields{"reply": fmt.Sprintf("%d octets for a client that takes %d", len(reply), p.limit())}
	}
	f := fields{
		"reply": "one", "rcode": rcodeName(m.Rcode), "opcode": fmt.Sprint(m.Opcode),
		"aa": bit(m.Authoritative), "tc": bit(m.Truncated), "rd": bit(m.RecursionDesired), "ra": bit(m.RecursionAvailable),
		"z": bit(m.Zero), "ad": bit(m.AuthenticatedData), "cd": bit(m.CheckingDisabled),
		"answer": recordSet(m.Answer), "order": recordOrder(m.Answer), "answer ttl": ttls(m.Answer),
		"authority": recordSet(m.Ns), "authority ttl": ttls(m.Ns),
	}
	for _, q := range m.Question {
		f["question"] += fmt.Sprintf("%s %d %d;", q.Name, q.Qclass, q.Qtype)
	}
	others := slices.DeleteFunc(slices.Clone(m.Extra), func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT })
	f["additional"] = recordSet(others)
	for _, rr := range m.Extra {
		if opt, ok := rr.(*dns.OPT); ok {
			f["opt"] += fmt.Sprintf("version=%d size=%d flags=%#x;", opt.Version(), opt.UDPSize(), opt.Hdr.Ttl&0xFFFF)
			f["options"] += optionCodes(opt)
		}
	}
	return f
}

// limit is how long an answer to p may be, in octets.
func (p probe) limit() int {
	if p.tcp {
		return dns.MaxMsgSize
	}
	limit := dns.MinMsgSize
	if opt := p.m.IsEdns0(); opt != nil {
		limit = max(limit, min(1232, int(opt.UDPSize())))
	}
	return limit
}

func bit(set bool) string {
	if set {
		return "1"
	}
	return "0"
}

func rcodeName(rcode int) string {
	if rcode == dns.RcodeBadVers {
		return "BADVERS" // the library has two names for it
	}
	return cmp.Or(dns.RcodeToString[rcode], fmt.Sprint(rcode))
}

// recordSet is records without their TTLs, in an order of its own.
func recordSet(records []dns.RR) string {
	var lines []string
	for _, rr := range records {
		lines = append(lines, record(rr))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// record is a record without its TTL. A name is the same in every spelling, so it is in small letters where a server may spell it as
// another name in the message; all else is as it came.
func record(rr dns.RR) string {
	rr = dns.Copy(rr)
	rr.Header().Ttl = 0
	header := rr.Header().String()
	data := strings.TrimPrefix(rr.String(), header)
	switch rr.Header().Rrtype {
	case dns.TypeNS, dns.TypeCNAME, dns.TypeSOA, dns.TypePTR, dns.TypeMX, dns.TypeDNAME, dns.TypeSRV:
		data = strings.ToLower(data)
	}
	return strings.ToLower(header) + data
}

// recordOrder is the order in which sets stand: owners and types, signatures left out.
func recordOrder(records []dns.RR) string {
	var sets []string
	for _, rr := range records {
		set := fmt.Sprintf("%s %s", strings.ToLower(rr.Header().Name), dns.Type(rr.Header().Rrtype))
		if rr.Header().Rrtype != dns.TypeRRSIG && !slices.Contains(sets, set) {
			sets = append(sets, set)
		}
	}
	return strings.Join(sets, ", ")
}

// ttlSteps are the TTLs in the zones, in seconds, farther from each other than the test takes: a TTL that has run down says where it
// began.
var ttlSteps = []uint32{0, 900, 3600, 86400}

// longestRun is more than the test takes, in seconds.
const longestRun = 600

// ttls is the TTL with which each set began, as far as can be told.
func ttls(records []dns.RR) string {
	var lines []string
	for _, rr := range records {
		ttl, about := rr.Header().Ttl, ""
		if i, _ := slices.BinarySearch(ttlSteps, ttl); i < len(ttlSteps) && ttlSteps[i]-ttl < longestRun {
			ttl, about = ttlSteps[i], "≤ "
		}
		lines = append(lines, fmt.Sprintf("%s %s %s%d", strings.ToLower(rr.Header().Name), dns.Type(rr.Header().Rrtype), about, ttl))
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// optionCodes are the EDNS options without the extended errors: every server has its own of these.
func optionCodes(opt *dns.OPT) string {
	var codes []string
	for _, o := range opt.Option {
		if o.Option() != dns.EDNS0EDE {
			codes = append(codes, fmt.Sprint(o.Option()))
		}
	}
	slices.Sort(codes)
	return strings.Join(codes, " ")
}

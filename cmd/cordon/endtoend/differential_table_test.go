//go:build linux

package endtoend

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// difference is a field in which Cordon differs from the others, which agree.
type difference struct {
	probe
	field                     string
	cordon, others, authority fields
}

func (d difference) String() string {
	var text strings.Builder
	text.WriteString(d.probe.String())
	for _, who := range []struct {
		name   string
		answer fields
	}{{"cordon", d.cordon}, {"unbound and named", d.others}, {"nsd", d.authority}} {
		fmt.Fprintf(&text, "\n  %s: %s tc=%s %s: %s", who.name, who.answer["rcode"], who.answer["tc"], d.field,
			strings.ReplaceAll(who.answer[d.field], "\n", "\n    "))
	}
	return text.String()
}

// reason is a row of the table of differences.
type reason struct {
	text string
	is   func(d difference) bool
}

// reasons are the table: the first one that is true counts.
var reasons = []reason{
	{"another opcode than QUERY is not implemented, whatever is in the message", func(d difference) bool {
		return d.is("rcode") && d.m.Opcode != dns.OpcodeQuery && d.cordon.errs("NOTIMP")
	}},
	{"an error repeats a question if that is a query's only one", func(d difference) bool {
		return d.is("question") && d.cordon["question"] == "" && (d.m.Opcode != dns.OpcodeQuery || len(d.m.Question) == 2)
	}},
	{"an error says that recursion is available, as every answer does", func(d difference) bool {
		return d.is("ra") && d.cordon["ra"] == "1" && d.cordon.errs("FORMERR", "NOTIMP", "REFUSED", "BADVERS")
	}},
	{"an error repeats no options", func(d difference) bool {
		return d.is("options") && d.cordon["options"] == "" && d.cordon.errs("FORMERR", "NOTIMP", "REFUSED", "BADVERS")
	}},
	{"an answer that is cut has no records", func(d difference) bool {
		return d.cordon["tc"] == "1" && d.cordon[d.field] == "" &&
			d.is("answer", "order", "answer ttl", "authority", "authority ttl", "additional")
	}},
	{"cookies are not used (RFC 7873), so a broken one is no error", func(d difference) bool {
		return d.edns == "cookie-short" && d.others.errs("FORMERR")
	}},
	{"classes other than IN are refused", func(d difference) bool {
		return d.question().Qclass != dns.ClassINET && d.cordon.errs("REFUSED")
	}},
	{"types that are no data are not asked for (RFC 6895, section 3.1)", func(d difference) bool {
		return isNoData(d.question().Qtype) && d.cordon.errs("FORMERR", "NOTIMP")
	}},
	{"ANY is answered with one HINFO record (RFC 8482, section 4.2)", func(d difference) bool {
		return d.question().Qtype == dns.TypeANY && strings.Contains(d.cordon["answer"], "RFC8482")
	}},
	{"there are no addresses beside an answer", func(d difference) bool {
		return d.is("additional") && d.cordon["additional"] == ""
	}},
	{"signatures that are asked for by themselves have the lowest TTL of them", func(d difference) bool {
		return d.is("answer ttl") && d.question().Qtype == dns.TypeRRSIG
	}},
	{aliases, func(d difference) bool {
		return strings.EqualFold(d.question().Name, "alias12.example.") && d.others.errs("SERVFAIL") && d.cordon.errs("NOERROR")
	}},
	{"a name that a DNAME record makes too long (YXDOMAIN: RFC 6672, section 2.2) is a failure, as every error is", func(d difference) bool {
		return d.others.errs("YXDOMAIN") && d.cordon.errs("SERVFAIL")
	}},
	{"nsd follows no alias for NSEC3, and Cordon relays that; the others follow what they have in their caches", func(d difference) bool {
		return d.question().Qtype == dns.TypeNSEC3 && d.relayed()
	}},
	{"nsd's proofs behind a DNAME record are not whole, and Cordon relays them; the others ask for what it leads to", func(d difference) bool {
		return d.is("authority", "authority ttl", "tc") && strings.Contains(d.authority["order"], "DNAME") && d.relayed()
	}},
}

// aliases is the one reason that need not be seen: what the others have in their caches makes chains shorter for them.
const aliases = "a chain may have 12 aliases"

func (d difference) is(fields ...string) bool { return slices.Contains(fields, d.field) }

// relayed says whether Cordon's answer is the authority's, less the name servers in its authority section.
func (d difference) relayed() bool {
	if d.cordon["tc"] == "1" || d.authority["tc"] == "1" {
		return d.cordon["rcode"] == d.authority["rcode"]
	}
	proofs := slices.DeleteFunc(strings.Split(d.authority["authority"], "\n"), func(line string) bool {
		return strings.Contains(line, "\tns\t") || strings.Contains(line, "\trrsig\tNS ")
	})
	return d.cordon["rcode"] == d.authority["rcode"] && d.cordon["order"] == d.authority["order"] &&
		d.cordon["answer"] == d.authority["answer"] && d.cordon["authority"] == strings.Join(proofs, "\n")
}

// errs says whether the response code is one of rcodes.
func (f fields) errs(rcodes ...string) bool { return slices.Contains(rcodes, f["rcode"]) }

func isNoData(rtype uint16) bool {
	switch rtype {
	case dns.TypeNone, dns.TypeOPT, dns.TypeTKEY, dns.TypeTSIG, dns.TypeMAILA, dns.TypeMAILB:
		return true
	}
	return false
}

// differences counts them by their reasons.
type differences struct {
	mu          sync.Mutex
	probes      int
	counts      []int // by index in reasons
	examples    []string
	unexplained map[string][]difference // by field
	agreed      map[string]int          // answers in which the others agree, by field
}

func newDifferences() *differences {
	return &differences{
		counts: make([]int, len(reasons)), examples: make([]string, len(reasons)),
		unexplained: map[string][]difference{}, agreed: map[string]int{},
	}
}

func (ds *differences) add(p probe, r replies) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	ds.probes++
	for _, name := range fieldNames {
		if r.unbound[name] != r.named[name] || slices.Contains(byRcode, name) && r.unbound["rcode"] != r.named["rcode"] {
			continue
		}
		ds.agreed[name]++
		if r.cordon[name] != r.named[name] {
			ds.explain(difference{p, name, r.cordon, r.named, r.authority})
		}
	}
}

func (ds *differences) explain(d difference) {
	for i, r := range reasons {
		if r.is(d) {
			ds.counts[i]++
			if ds.examples[i] == "" {
				ds.examples[i] = d.field + " of " + d.probe.String()
			}
			return
		}
	}
	ds.unexplained[d.field] = append(ds.unexplained[d.field], d)
}

// allRows is how many probes show every row of the table but one: a row that none of so many shows is out of date.
const allRows = 20_000

func (ds *differences) report(t *testing.T) {
	t.Helper()
	t.Log("differences from unbound and named where those agree, and why:")
	for i, r := range reasons {
		t.Logf("%6d  %s\n        for example %s", ds.counts[i], r.text, ds.examples[i])
		if ds.counts[i] == 0 && ds.probes >= allRows && r.text != aliases {
			t.Errorf("no probe shows this difference any longer: %s", r.text)
		}
	}
	for _, name := range fieldNames {
		t.Logf("%6d answers in whose %s unbound and named agree", ds.agreed[name], name)
		if found := ds.unexplained[name]; len(found) > 0 {
			t.Errorf("%d differences of %s that nothing explains; the first of them:", len(found), name)
			for _, d := range found[:min(len(found), 12)] {
				t.Errorf("%v", d)
			}
		}
	}
}

package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// want is what follows the word want in a query line: drop, or an RCODE or NODATA, and then
//
//	192.0.2.1 CNAME:a.example   the answer section, record by record: RDATA, with TYPE: before it but for A and AAAA, and
//	                            _ for a blank; left out: an empty one. n=N is that many records instead
//	ttl=N ttl<=N                of every record, and MINIMUM of an SOA record that is our own
//	soa=NAME nosoa              the owner of the SOA record
//	ede=N ede-text=TEXT         left out: there is none
//	tc ad                       left out: not set
//	after=D after<=D            how long it took, exactly or at most; left out: any time
type want struct {
	drop     bool
	rcode    string
	data     []string
	count    int // -1: as data
	ede      int // -1: none
	edeText  string
	tc, ad   bool
	soa      string
	noSOA    bool
	ttl      bound
	duration bound
}

// bound is a number that something is, or is at most. Its zero value is no bound.
type bound struct {
	set, atMost bool
	n           int64
}

func (b bound) holds(n int64) bool { return !b.set || n == b.n || b.atMost && n < b.n }

func (b bound) String() string {
	if b.atMost {
		return fmt.Sprintf("at most %d", b.n)
	}
	return strconv.FormatInt(b.n, 10)
}

func newWant(words []string) (want, error) {
	w := want{rcode: words[0], count: -1, ede: -1}
	switch {
	case w.rcode == "drop":
		w.drop = true
	case w.rcode == "NODATA":
		w.rcode = "NOERROR"
	case w.rcode == "BADVERS":
		w.rcode = dns.RcodeToString[dns.RcodeBadVers] // the same number has two names
	default:
		if _, ok := dns.StringToRcode[w.rcode]; !ok {
			return w, fmt.Errorf("%q is no RCODE", w.rcode)
		}
	}
	for _, word := range words[1:] {
		if err := w.set(word); err != nil {
			return w, fmt.Errorf("want %s: %w", word, err)
		}
	}
	return w, nil
}

func (w *want) set(word string) (err error) {
	key, value, _ := strings.Cut(word, "=")
	less := strings.HasSuffix(key, "<")
	switch strings.TrimSuffix(key, "<") {
	case "n":
		w.count, err = strconv.Atoi(value)
	case "ttl":
		w.ttl = bound{set: true, atMost: less}
		w.ttl.n, err = strconv.ParseInt(value, 10, 64)
	case "after":
		var d time.Duration
		d, err = time.ParseDuration(value)
		w.duration = bound{true, less, int64(d)}
	case "ede":
		w.ede, err = strconv.Atoi(value)
	case "ede-text":
		w.edeText = value
	case "soa":
		w.soa = value
	case "nosoa":
		w.noSOA = true
	case "tc":
		w.tc = true
	case "ad":
		w.ad = true
	default:
		w.data = append(w.data, word)
	}
	return err
}

// unlike says in what m, which took so long, is not what is wanted.
func (w *want) unlike(m *dns.Msg, took time.Duration) (wrong []string) {
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	code, text := extended(m)
	must(dns.RcodeToString[m.Rcode] == w.rcode, "want %s", w.rcode)
	must(w.count >= 0 || slices.Equal(rdata(m.Answer), w.data), "got %q, want %q", rdata(m.Answer), w.data)
	must(w.count < 0 || len(m.Answer) == w.count, "got %d records, want %d", len(m.Answer), w.count)
	must(code == w.ede, "got EDE %d, want %d (-1: none)", code, w.ede)
	must(w.edeText == "" || text == w.edeText, "got EDE text %q, want %q", text, w.edeText)
	must(m.Truncated == w.tc && m.AuthenticatedData == w.ad, "got TC=%t AD=%t", m.Truncated, m.AuthenticatedData)
	must(w.duration.holds(int64(took)), "it took %v, want %v ns", took, w.duration)
	soa := soaOf(m)
	must(w.soa == "" || soa != nil && soa.Hdr.Name == dns.Fqdn(w.soa), "want the SOA of %s", w.soa)
	must(!w.noSOA || soa == nil, "want no SOA")
	for _, rr := range slices.Concat(m.Answer, m.Ns) {
		must(w.ttl.holds(int64(rr.Header().Ttl)), "got TTL %d, want %v", rr.Header().Ttl, w.ttl)
	}
	must(soa == nil || soa.Ns != "localhost." || w.ttl.holds(int64(soa.Minttl)), "the SOA's MINIMUM is not as wanted")
	must(!w.ttl.set || len(m.Answer)+len(m.Ns) > 0, "no record has a TTL")
	return wrong
}

// extended is the extended error of m, -1 for none.
func extended(m *dns.Msg) (code int, text string) {
	code = -1
	opt := m.IsEdns0()
	if opt == nil {
		return code, ""
	}
	for _, o := range opt.Option {
		if ede, ok := o.(*dns.EDNS0_EDE); ok {
			code, text = int(ede.InfoCode), ede.ExtraText
		}
	}
	return code, text
}

func soaOf(m *dns.Msg) *dns.SOA {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa
		}
	}
	return nil
}

// rdata is the records as want writes them.
func rdata(records []dns.RR) []string {
	var all []string
	for _, rr := range records {
		all = append(all, rdataOf(rr))
	}
	return all
}

func rdataOf(rr dns.RR) string {
	h := rr.Header()
	kind := dns.Type(h.Rrtype).String()
	if h.Rrtype == dns.TypeRRSIG {
		return "RRSIG:" + dns.Type(rr.(*dns.RRSIG).TypeCovered).String() //nolint:forcetypeassert // its type says so
	}
	words := strings.Fields(strings.TrimPrefix(rr.String(), h.String()))
	for i, word := range words {
		if word != "." {
			words[i] = strings.TrimSuffix(word, ".")
		}
	}
	data := strings.Join(words, "_")
	if h.Rrtype == dns.TypeA || h.Rrtype == dns.TypeAAAA {
		return data
	}
	return kind + ":" + data
}

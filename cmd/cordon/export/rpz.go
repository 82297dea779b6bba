package export

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"cordon/blocklists"
	"cordon/blocklists/domain"
	"cordon/cmd/cordon/wording"
	"cordon/resolver/policy"
)

// RPZ is a response policy zone (draft-vixie-dnsop-dns-rpz) that refuses the names that its policies refuse, and no others, and the
// addresses in answers. It is only read.
type RPZ struct {
	// Origin is the name of the zone, not the root. Listed names that are too long below it are left out, and counted in a comment.
	Origin domain.Name
	// TTL is how long clients may keep a refusal: a second or more. What is beyond whole seconds is cut off.
	TTL time.Duration
	// Serial is that of the zone's SOA record. It should rise with every change.
	Serial uint32
	// Policies are in the order of the files, which is their order in a snapshot. All of them are taken to be in force; what they are
	// bound to, and their exceptions, are not looked at.
	Policies []*policy.Policy
	// Lists has at least those that Policies name, in the order of the files. Others are left out.
	Lists []*blocklists.List
	// Networks says whether answers with addresses in listed networks are refused too.
	Networks bool
	// Exceptions is how many exceptions there are, for the comment that they are not in the zone.
	Exceptions int
}

// Write writes the zone as a zone file (RFC 1035, section 5). The error is one of w, or of compiling the lists together, before
// anything is written.
func (z RPZ) Write(w io.Writer) error {
	b, err := newBans(z.Lists, z.Policies)
	if err != nil {
		return err
	}
	paths, probe, skipped := listedPaths(z.Origin, b.names())
	out := bufio.NewWriterSize(w, 64<<10)
	z.writeHead(out, skipped)
	record := func(owner string, a rpzAction) {
		for _, data := range a.data() {
			fmt.Fprintf(out, "%s\t%s\n", owner, data)
		}
	}
	judge := func(name []byte) rpzAction { return b.ofName(name).action() }
	(&rpzNames{zone: z.Origin, judge: judge, write: record, probe: probe}).writeAll(paths)
	if z.Networks {
		writeNetworks(b, record)
	}
	return out.Flush()
}

// writeHead writes what the zone is and what it leaves out, and the records that every zone has.
func (z RPZ) writeHead(out io.Writer, skipped int) {
	say := func(format string, args ...any) { fmt.Fprintf(out, "; "+format+"\n", args...) }
	say("Response policy zone, made by cordon export rpz.")
	for _, p := range z.Policies {
		say("Policy %s, in force %s, answer %s", commentText(p.Name), wording.Span(p.From, p.Until), p.Answer)
		if p.Answer == policy.Refused {
			say("  REFUSED can't be said here: it is NXDOMAIN, or NODATA where that would deny names that pass.")
		}
	}
	say("It holds for everybody who asks the server that loads it. Not in it, because RPZ has no words for it:")
	say("- agencies, and %s", wording.Count(z.Exceptions, "exception"))
	say("- names in front of a suffix that the customers of a CDN share, such as www.tiktok.com.edgesuite.net: only those that are listed")
	say("- what the HTTPS and SVCB records of an answer lead to")
	if skipped > 0 {
		say("- %s that can't stand in it: too long, with a label *, or below a label that begins with rpz-",
			wording.Count(skipped, "listed name"))
	}
	if !z.Networks {
		say("- networks: they were not wanted")
	}
	ttl := int(z.TTL / time.Second)
	fmt.Fprintf(out, "$TTL %d\n$ORIGIN %s.\n", ttl, z.Origin)
	fmt.Fprintf(out, "@\tSOA\tlocalhost. nobody.invalid. %d 300 60 604800 %d\n@\tNS\tlocalhost.\n", z.Serial, ttl)
}

// writeNetworks calls write for every network that a zone needs to say what b says of addresses in answers. What is refused for its
// answer gets NODATA where a name gets NXDOMAIN, as from Cordon: the name is there.
func writeNetworks(b *bans, write func(owner string, a rpzAction)) {
	networks := networksOf(b.lists)
	for _, r := range regionsOf(networks, func(a netip.Addr) rpzAction { return b.ofAddress(a).action() }) {
		if r.says == rpzNXDomain {
			r.says = rpzNoData
		}
		for _, p := range r.prefixes() {
			write(rpzIP(p), r.says)
		}
	}
}

// rpzIP is the owner of the trigger for answers with addresses in p: its length, then the address from its end, where zz stands for the
// first of the longest runs of two zeros or more. BIND takes no other form.
func rpzIP(p netip.Prefix) string {
	words := []string{strconv.Itoa(p.Bits())}
	if octets := p.Addr().AsSlice(); p.Addr().Is4() {
		for _, o := range slices.Backward(octets) {
			words = append(words, strconv.Itoa(int(o)))
		}
	} else {
		words = append(words, rpzIPv6Words(octets)...)
	}
	return strings.Join(append(words, "rpz-ip"), ".")
}

func rpzIPv6Words(octets []byte) []string {
	var words []string
	for i := len(octets) - 2; i >= 0; i -= 2 {
		words = append(words, strconv.FormatUint(uint64(octets[i])<<8|uint64(octets[i+1]), 16))
	}
	begin, longest := 0, 1
	for i := range words {
		zeros := 0
		for i+zeros < len(words) && words[i+zeros] == "0" {
			zeros++
		}
		if zeros > longest {
			begin, longest = i, zeros
		}
	}
	if longest < 2 {
		return words
	}
	return slices.Replace(words, begin, begin+longest, "zz")
}

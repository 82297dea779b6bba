package export

import (
	"strings"

	"cordon/blocklists/domain"
	"cordon/resolver/policy"
)

// rpzAction is what a response policy zone says of a name.
type rpzAction uint8

const (
	rpzNothing  rpzAction = iota // no record
	rpzNXDomain                  // CNAME .
	rpzNoData                    // CNAME *.
	rpzNullIP                    // A 0.0.0.0 and AAAA ::
	rpzPass                      // CNAME rpz-passthru., for what passes below a refused name
)

// data is the types and data of the records that say a.
func (a rpzAction) data() []string {
	switch a {
	case rpzNXDomain:
		return []string{"CNAME\t."}
	case rpzNoData:
		return []string{"CNAME\t*."}
	case rpzNullIP:
		return []string{"A\t0.0.0.0", "AAAA\t::"}
	case rpzPass:
		return []string{"CNAME\trpz-passthru."}
	case rpzNothing:
	}
	return nil
}

// action is how a zone says r. REFUSED is no action of RPZ: NXDOMAIN is the default of policies, and stands for it.
func (r ruling) action() rpzAction {
	switch {
	case !r.refused:
		return rpzNothing
	case r.answer == policy.NullIP:
		return rpzNullIP
	case r.answer == policy.NoData, r.exact:
		return rpzNoData
	default:
		return rpzNXDomain
	}
}

// rpzNames turns what is said of names into the records of a zone. A listed name is one that a rule is about; what is said of any
// other name is what is said below the nearest listed name above it. So it is enough to say of every listed name what becomes of it
// and of what is below it, where that differs from what is said below the nearest name above it that is in the zone.
//
// A look-up in the zone is a look-up in the DNS (RFC 4592): a name that has a record, or has a name with one below it, hides the
// wildcards above it. So below a wildcard, every name in the zone says both things, and so do the names between it and the wildcard:
//
//	tiktok.com is listed,        tiktok.com        CNAME .
//	and the list allows          *.tiktok.com      CNAME .
//	a.b.tiktok.com               b.tiktok.com      CNAME .                 ; else it would be empty, and pass
//	                             *.b.tiktok.com    CNAME .                 ; else c.b.tiktok.com would find no wildcard
//	                             a.b.tiktok.com    CNAME rpz-passthru.
//	                             *.a.b.tiktok.com  CNAME rpz-passthru.
//
// Where there is no wildcard above, what passes has no record.
type rpzNames struct {
	zone   domain.Name
	judge  func(name []byte) rpzAction // name is in canonical wire form, and only read
	write  func(owner string, a rpzAction)
	probe  string        // a label, with its length octet, that no listed name begins with
	above  []rpzAncestor // the names in the zone above the one at hand, from the top
	buffer [domain.MaxWire]byte
}

// rpzAncestor is a name in the zone with what is said below it.
type rpzAncestor struct {
	path  string
	below rpzAction
}

// writeAll calls z.write for every owner that the zone needs, in the order of paths, which are those of listedPaths.
func (z *rpzNames) writeAll(paths []string) {
	for _, path := range paths {
		z.name(path)
	}
}

// name says what is to be said of the listed name at path and of what is below it.
func (z *rpzNames) name(path string) {
	for len(z.above) > 0 && !strings.HasPrefix(path, z.above[len(z.above)-1].path) {
		z.above = z.above[:len(z.above)-1]
	}
	said, from := rpzNothing, 0
	if n := len(z.above); n > 0 {
		said, from = z.above[n-1].below, len(z.above[n-1].path)
	}
	at, below := z.action("", path).after(said), z.action(z.probe, path).after(said)
	if at == said && below == said {
		return
	}
	if said != rpzNothing {
		for end := nextLabel(path, from); end < len(path); end = nextLabel(path, end) {
			z.put(path[:end], said, said)
		}
	}
	z.put(path, at, below)
}

// action is what is said of the name at path, or of the one with label, if it is not empty, in front of it.
func (z *rpzNames) action(label, path string) rpzAction {
	name := append(z.buffer[:0], label...)
	if len(label)+len(path)+1 > domain.MaxWire {
		return rpzNothing // there is no such name
	}
	return z.judge(appendName(name, path))
}

// after is a where said is what a wildcard above says.
func (a rpzAction) after(said rpzAction) rpzAction {
	if a == rpzNothing && said != rpzNothing {
		return rpzPass
	}
	return a
}

// put writes the records of the name at path. A wildcard that is too long for the zone has no names to cover in it.
func (z *rpzNames) put(path string, at, below rpzAction) {
	z.above = append(z.above, rpzAncestor{path, below})
	name := appendName(z.buffer[:0], path)
	text := string(domain.AppendText(nil, name))
	if !isHostName(name) {
		at, below = at.withoutAddress(), below.withoutAddress()
	}
	if at != rpzNothing {
		z.write(text, at)
	}
	if below != rpzNothing && len(name)+len("\x01*")+len(z.zone)-1 <= domain.MaxWire {
		z.write("*."+text, below)
	}
}

// isHostName says whether a server takes address records for the canonical name: BIND throws out a zone with one of another name
// (RFC 952; RFC 1123, section 2.1).
func isHostName(name []byte) bool {
	for at := 0; name[at] != 0; at += 1 + int(name[at]) {
		label := name[at+1 : at+1+int(name[at])]
		if label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return true
}

// withoutAddress is a, or NODATA, which refuses as well, in place of addresses.
func (a rpzAction) withoutAddress() rpzAction {
	if a == rpzNullIP {
		return rpzNoData
	}
	return a
}

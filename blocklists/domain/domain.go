package domain

import "iter"

const (
	// MaxWire is the greatest length of a name in wire form, in octets, with the root label (RFC 1035, section 2.3.4).
	MaxWire = 255
	// MaxLabel is the greatest length of a label in octets, without its length octet (RFC 1035, section 2.3.4).
	MaxLabel = 63
)

// Name is a domain name in canonical wire form (RFC 1035, section 3.1; RFC 4034, section 6.2): not compressed, ASCII
// letters in lower case, with the final root label, at most [MaxWire] octets. The zero value "" is no name; every
// other Name is made by Parse or FromWire, or is a suffix of such a one. A Name is immutable: it may be shared,
// compared with == and used as a map key.
type Name string

// Root is the name of the root, the only one without a parent.
const Root Name = "\x00"

// FromWire copies the name in wire and folds its letters to lower case. It reports false if wire is not exactly one
// whole name: cut short, followed by more octets, compressed (RFC 1035, section 4.1.4), or longer than [MaxWire]
// octets.
func FromWire(wire []byte) (Name, bool) {
	if len(wire) == 0 || len(wire) > MaxWire {
		return "", false
	}
	var buf [MaxWire]byte
	copy(buf[:], wire)
	at := 0
	for {
		size := int(wire[at])
		if size == 0 {
			break
		}
		end := at + 1 + size
		if size > MaxLabel || end >= len(wire) {
			return "", false
		}
		for i := at + 1; i < end; i++ {
			buf[i] = lower(wire[i])
		}
		at = end
	}
	if at+1 != len(wire) {
		return "", false
	}
	return Name(buf[:len(wire)]), true
}

// Labels counts the labels of n without the root: 2 for "tiktok.com", 0 for the root and for "".
func (n Name) Labels() int {
	count := 0
	for next := n.next(); next != ""; next = next.next() {
		count++
	}
	return count
}

// Parent is n without its first label. It reports false for the root and for "", which have none. It does not allocate.
func (n Name) Parent() (Name, bool) {
	next := n.next()
	return next, next != ""
}

// Ancestry yields n, its parent, and so on up to and without the root. It does not allocate.
func (n Name) Ancestry() iter.Seq[Name] {
	return func(yield func(Name) bool) {
		for next := n.next(); next != ""; n, next = next, next.next() {
			if !yield(n) {
				return
			}
		}
	}
}

// Within reports whether n is ancestor or lies below it, on label borders: "www.tiktok.com" is within "tiktok.com",
// "xtiktok.com" is not. Every name is within the root. No name is within "", and "" is within none. It does not
// allocate.
func (n Name) Within(ancestor Name) bool {
	for len(n) > len(ancestor) {
		n = n.next()
	}
	return n == ancestor && n != ""
}

// next is n without its first label, "" if there is none. It never reads past n, whatever octets n holds.
func (n Name) next() Name {
	if n == "" || n[0] == 0 || int(n[0])+1 >= len(n) {
		return ""
	}
	return n[int(n[0])+1:]
}

// String is n as people read it: labels with dots between them and none at the end, "." for the root, "" for "".
// Octets of a label other than letters, digits, '-', '_' and '*' are escaped as AppendText says.
func (n Name) String() string {
	var buf [MaxWire]byte
	return string(AppendText(buf[:0], []byte(n)))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

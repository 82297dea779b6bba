package blocklists

import "cordon/blocklists/domain"

// Protected says why a name may not be listed whole, if it may not: so many owners live below it that a rule for it is a
// slip. These are the root, a top-level domain, a public suffix (https://publicsuffix.org, both parts of the list), a suffix
// shared by the customers of a CDN or cloud, and what holds such a suffix. A name below one of these is not protected.
//
//	com                 com is a top-level domain
//	co.uk               co.uk is a public suffix: anybody can register names below it
//	akamai.net          akamai.net is shared (Akamai), most names below it …
//	www.akamai.net      not protected
func Protected(n domain.Name) (why string, yes bool) {
	switch labels := n.Labels(); {
	case labels == 0:
		return "the root holds every name", true
	case labels == 1:
		return n.String() + " is a top-level domain", true
	}
	if why, ok := suffixes().protected[n]; ok {
		return why, true
	}
	if isPublicSuffix(n) {
		return n.String() + " is a public suffix: anybody can register names below it", true
	}
	return "", false
}

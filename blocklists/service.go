package blocklists

import (
	"slices"

	"cordon/blocklists/builtin"
)

// Service is the service that a built-in rule is about: see [builtin.Service].
type Service = builtin.Service

// Services is how many values a Service can have.
const Services = builtin.Services

// Service returns the service that the rule in line of the list is about, 0 unless the list is from the binary. It allocates nothing.
func (l *List) Service(line int) Service {
	if uint(line-1) >= uint(len(l.services)) {
		return 0
	}
	return l.services[line-1]
}

// Services returns the services that the list is about, each once, in the order of its lines, in the caller's own slice: nil unless it is a
// list of names from the binary.
func (l *List) Services() []Service {
	return slices.Compact(slices.Clone(l.services)) // those of one service stand together
}

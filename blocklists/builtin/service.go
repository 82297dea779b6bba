package builtin

import (
	"strings"
	"sync"
)

// Service is the service that a rule of a list is about, as a small number. It is one of this build: another may number them otherwise.
// The zero value is no service of ours: networks, and all that is not from a built-in list.
type Service uint8

// Services is how many values there are: every Service is less.
const Services = 27

// String returns the name of the service, "capcut" for the list service/capcut, and "other" for none.
func (s Service) String() string {
	if names := serviceNames(); s > 0 && int(s) <= len(names) {
		return names[s-1]
	}
	return "other"
}

var serviceNames = sync.OnceValue(func() []string {
	all := services()
	names := make([]string, 0, len(all))
	for _, service := range all {
		names = append(names, strings.TrimPrefix(service.list, servicePrefix))
	}
	return names
})

// ServicesOf returns the services that the lines of the list called name are about: that of line n is at n-1. It is nil for a list of
// networks, and if there is no such list. The caller owns it.
func ServicesOf(name string) []Service {
	files, err := filesOf(name)
	if err != nil {
		return nil
	}
	var all []Service
	for _, file := range files {
		service := numberOf(file)
		if service == 0 {
			return nil
		}
		for range strings.Count(file.text, "\n") {
			all = append(all, service)
		}
	}
	return all
}

// numberOf is the service that file is of, 0 for none.
func numberOf(file file) Service {
	for i, name := range serviceNames() {
		if file.list == servicePrefix+name {
			return Service(i + 1)
		}
	}
	return 0
}

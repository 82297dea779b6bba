package builtin_test

import (
	"strings"
	"testing"

	"cordon/blocklists/builtin"
)

func TestEveryRuleIsOfTheServiceOfItsPlace(t *testing.T) {
	t.Parallel()
	seen := map[builtin.Service]string{}
	for _, name := range builtin.Names() {
		services := builtin.ServicesOf(name)
		if strings.HasPrefix(name, "bytedance-networks") || strings.HasPrefix(name, "bytedance-addresses") {
			if services != nil {
				t.Errorf("list %s has services, but it is of networks", name)
			}
			continue
		}
		for _, rule := range open(t, name) {
			service := services[rule.Line-1]
			if want := "builtin:service/" + service.String() + ":"; !strings.HasPrefix(builtin.Place(name, rule.Line), want) {
				t.Fatalf("line %d of list %s stands in %s, want it in %s", rule.Line, name, builtin.Place(name, rule.Line), want)
			}
			if service == 0 || service >= builtin.Services {
				t.Fatalf("list %s: service %d, want 1 to %d", name, service, builtin.Services-1)
			}
			seen[service] = service.String()
		}
	}
	if len(seen) != builtin.Services-1 {
		t.Errorf("%d services, but Services is %d: want one more than there are", len(seen), builtin.Services)
	}
	if other := builtin.Service(0).String(); other != "other" || builtin.Service(255).String() != "other" {
		t.Errorf("no service is called %q", other)
	}
	if builtin.ServicesOf("nowhere") != nil {
		t.Error("a list that is not there has services")
	}
}

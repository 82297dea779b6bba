package builtin //nolint:testpackage // no two services share a name today: the exported functions cannot show it

import (
	"iter"
	"slices"
	"strings"
	"testing"

	"cordon/blocklists/format"
)

func TestRuleComesOnce(t *testing.T) {
	t.Parallel()
	rules := once(func() iter.Seq2[format.Rule, error] {
		return format.Read(format.Names, strings.NewReader("a.example\n=a.example\nb.example\na.example\n*.a.example\n=a.example\n"))
	})
	for range 2 { // the second time it begins anew
		var lines []int
		for rule, err := range rules {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, rule.Line)
		}
		if want := []int{1, 2, 3, 5}; !slices.Equal(lines, want) {
			t.Errorf("the rules of lines %d, want %d", lines, want)
		}
	}
}

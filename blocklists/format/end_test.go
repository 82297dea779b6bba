package format_test

import (
	"errors"
	"strings"
	"testing"

	"cordon/blocklists/format"
)

func TestEndMarker(t *testing.T) {
	t.Parallel()
	tests := []struct {
		about  string
		format format.Format
		text   string
		lines  int
		end    format.End
		fault  string
	}{
		{"none", format.Names, "a.example\n", 1, format.End{}, ""},
		{"names", format.Names, "# x\na.example\n\nb c\n# End of List: 2 entries\n", 2, format.End{Line: 5, Count: 2}, ""},
		{"one entry, blanks", format.Names, "a.example\n \t#  end of list:1 ENTRY \r\n# x\n\n", 1, format.End{Line: 2, Count: 1}, ""},
		{"no entry", format.Hosts, "# end of list: 0 entries", 0, format.End{Line: 1}, ""},
		{"hosts, with its own lines", format.Hosts, "::1 localhost\n0.0.0.0 a.example b.example\n# end of list: 2 entries\n", 2, format.End{Line: 3, Count: 2}, ""},
		{"networks", format.Networks, "192.0.2.0/24\n# end of list: 1 entries\n", 1, format.End{Line: 2, Count: 1}, ""},
		{"adblock", format.Adblock, "[Adblock Plus]\n||a.example^\n! end of list: 1 entries\n", 1, format.End{Line: 3, Count: 1}, ""},
		{"dnsmasq", format.Dnsmasq, "local=/a.example/\n# end of list: 1 entries\n", 1, format.End{Line: 2, Count: 1}, ""},
		{"unbound", format.Unbound, "server:\nlocal-zone: a.example static\n# end of list: 2 entries\n", 2, format.End{Line: 3, Count: 2}, ""},
		{"RPZ", format.RPZ, "$TTL 1\n@ SOA a. b. (\n1 1 1\n1 1)\na.example CNAME .\n;; end of list: 3 entries\n", 3, format.End{Line: 6, Count: 3}, ""},
		{"a comment of another format", format.RPZ, "a.example CNAME .\n# end of list: 7 entries\n", 2, format.End{}, ""},
		{"no number", format.Names, "a.example\n# end of list: many entries\n# end of list: -1 entries\n# end of list: 5 lines\n", 1, format.End{}, ""},
		{"more words", format.Names, "a.example\n# end of list: 7 entries, thanks\n", 1, format.End{}, ""},
		{"in a line", format.Names, "a.example # end of list: 7 entries\n", 1, format.End{}, ""},
		{"cut", format.Names, "a.example\n# end of list: 3 entries\n", 1, format.End{Line: 2, Count: 3}, "the end marker on line 2 says 3 entries, found 1: the file was cut or changed"},
		{"too many", format.Names, "a.example\nb.example\n# end of list: 1 entries\n", 2, format.End{Line: 3, Count: 1}, "says 1 entries, found 2"},
		{"an entry behind it", format.Names, "a.example\n# end of list: 1 entries\n# x\nb.example\n", 2, format.End{Line: 2, Count: 1}, "line 4: an entry stands behind the end marker on line 2"},
		{"twice", format.Names, "a.example\n# end of list: 1 entry\n# end of list: 1 entry\n", 1, format.End{Line: 3, Count: 1}, ""},
		{"a number too large", format.Names, "a.example\n# end of list: 99999999999999999999 entries\n", 1, format.End{}, ""},
	}
	for _, test := range tests {
		t.Run(test.about, func(t *testing.T) {
			t.Parallel()
			r := format.NewReader(test.format, strings.NewReader(test.text))
			var fatal error
			for _, err := range r.Rules() {
				if _, skipped := errors.AsType[*format.LineError](err); !skipped {
					fatal = err
				}
			}
			end, marked := r.End()
			if r.Lines() != test.lines || end != test.end || marked != (test.end.Line > 0) {
				t.Errorf("%d lines, end %+v, %v, want %d, %+v", r.Lines(), end, marked, test.lines, test.end)
			}
			if (fatal == nil) != (test.fault == "") || fatal != nil && !strings.Contains(fatal.Error(), test.fault) {
				t.Errorf("error %v, want one with %q", fatal, test.fault)
			}
		})
	}
}

package querylog

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"
)

var syslogHeader = regexp.MustCompile(`^[1-9]\d* <134>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ns1\.example cordon \d+ refuse - $`)

func TestAMessageOfSyslog(t *testing.T) {
	e := eventOf(refused("10.10.7.42"))
	e.time = time.Date(2027, 3, 4, 5, 6, 7, 8999, time.UTC)
	r := &record{event: e, line: []byte(`{"a":1}`)}
	for _, test := range []struct {
		network, hostname string
		facility          int
		want              string
	}{
		{"unix", "ns1.example", 3, "<30>1 2027-03-04T05:06:07.000008Z ns1.example cordon %d refuse - {\"a\":1}"},
		{"udp", "a host\nof mine\u00e9", 16, "<134>1 2027-03-04T05:06:07.000008Z ahostofmine cordon %d refuse - {\"a\":1}"},
		{"udp", "", 16, "<134>1 2027-03-04T05:06:07.000008Z - cordon %d refuse - {\"a\":1}"},
	} {
		s := newSyslog(SyslogConfig{RemoteConfig: RemoteConfig{Network: test.network}, Facility: test.facility}, test.hostname)
		want := fmt.Sprintf(test.want, os.Getpid())
		if got := string(s.encode([]byte("before "), r)); got != "before "+want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		s.Network = "tcp"
		if got, want := string(s.encode([]byte("before "), r)), fmt.Sprintf("before %d %s", len(want), want); got != want {
			t.Errorf("over TCP\ngot  %q\nwant %q", got, want)
		}
	}
}

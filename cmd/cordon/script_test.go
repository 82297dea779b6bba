package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the command as an administrator does: each file of testdata/script is one behaviour, in the language of testscript.
// A script begins in an empty directory, without any CORDON_… variable. Beside the usual commands there are:
//
//	occupy VAR              take a port for DNS on 127.0.0.1 and put its address into VAR
//	unused VAR              put an address into VAR on which nothing listens
//	http VAR STATUS TEXT    answer every request over HTTP like that, at the address in VAR
//
// $EXAMPLE is config/examples/belgium; $TODAY, $IN_A_MONTH, $IN_TWO_MONTHS and $MONTH_AGO are dates in UTC. The condition [installed]
// says that this machine has a configuration in /etc/cordon.
// UPDATE_SCRIPTS=1 in the environment of the test writes the golden texts anew.
func TestScripts(t *testing.T) {
	example, err := filepath.Abs("../../config/examples/belgium")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLE", example)
			env.Setenv("TZ", "UTC")
			const month = 30 * 24 * time.Hour
			for name, after := range map[string]time.Duration{
				"MONTH_AGO": -month, "TODAY": 0, "IN_A_MONTH": month, "IN_TWO_MONTHS": 2 * month,
			} {
				env.Setenv(name, time.Now().UTC().Add(after).Format(time.DateOnly))
			}
			env.Setenv("GORACE", "atexit_sleep_ms=0") // with the race detector, each process would end a second late
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"occupy": occupy, "unused": unused, "http": serveHTTP},
		Condition: func(cond string) (bool, error) {
			if cond != "installed" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := os.Stat("/etc/cordon/cordon.yaml")
			return err == nil, nil
		},
	})
}

func occupy(ts *testscript.TestScript, _ bool, args []string) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = conn.Close() })
	ts.Setenv(args[0], conn.LocalAddr().String())
}

func unused(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], listener.Addr().String())
	ts.Check(listener.Close())
}

func serveHTTP(ts *testscript.TestScript, _ bool, args []string) {
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintln(w, args[2])
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], strings.TrimPrefix(server.URL, "http://"))
}

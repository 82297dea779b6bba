package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of what can be asked for.
const (
	maxSeconds     = 3600
	maxCount       = math.MaxInt32
	maxRate        = 10_000_000
	maxSockets     = 1024
	maxOutstanding = 4096
	maxClients     = 1 << 23
	maxPids        = 256

	defaultOutstanding = 8    // of a closed loop: 16 sockets with 8 each keep a fast server busy
	openOutstanding    = 1024 // of an open loop, that a server may stand still for a second
)

// options are those of the command line, checked.
type options struct {
	server       netip.AddrPort
	echo         netip.AddrPort // not valid: none
	mode         mode
	files        [classes]string
	missPattern  string
	refusedRcode byte
	qtype        uint16
	edns         bool

	seconds     float64
	count       int
	rate        float64 // queries a second; 0: closed loop
	sockets     int
	outstanding int // on each socket
	tcp         bool
	clients     int // 0: the address that the system chooses
	timeout     time.Duration
	warm        bool

	pids, upstreamPids []int
	json               bool
}

const usage = `dnsload asks a DNS server as much as it can answer, or at a steady rate, and says what that costs.

  dnsload -server 127.0.0.1:53 -mode hit -hits names.txt -warm -pid $(pidof cordon)
  dnsload -server 127.0.0.1:53 -mode mixed -hits names.txt -refused banned.txt -misses 'u{n}.wild.example.net' -rate 10000 -seconds 30
  dnsload -server 127.0.0.1:53 -mode hit -hits names.txt -tcp 20
  dnsload -echo 127.0.0.1:5300        in one window: a server that only sends back what it gets, and in the other
  dnsload -server 127.0.0.1:5300 -mode echo    what the system itself takes for a query

What is asked (-mode):
  refused  names that the server refuses                       -refused FILE
  hit      names that it knows                                 -hits FILE
  chain    names that it knows, behind three CNAMEs            -chains FILE
  miss     names that nobody has asked for before              -misses PATTERN
  mixed    80 % hits, 15 % refused, 5 % misses                 all three
  echo     a name, of dnsload -echo

Files have one name a line; blank lines and lines that begin with # are passed over. In the pattern, {n} becomes another number for
each query. Each answer is checked: its ID, its question, its RCODE, how many records it has. "foreign" is how many cores were busy
with neither the server (-pid), nor its upstream (-upstream-pid), nor this load: above 0.2, measure again. The exit status is 1 if an
answer was wrong, or more than one in a thousand was lost.

Options:
`

// flags are the options as they are written, before they are checked.
type flags struct {
	server, echo, mode, rcode, qtype, pids, upstreamPids string
	tcp                                                  int
	mine                                                 bool
}

// parseOptions reads the command line. Usage goes to stderr; its error is then flag.ErrHelp.
func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o, f := &options{}, flags{}
	set := flag.NewFlagSet("dnsload", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.server, "server", "127.0.0.1:53", "`ADDRESS` and port of the server")
	set.StringVar(&f.echo, "echo", "", "be a server at this `ADDRESS` and port that sends back what it gets, for -seconds")
	set.StringVar(&f.mode, "mode", "", "what is asked: refused, hit, chain, miss, mixed, echo")
	set.StringVar(&o.files[refused], "refused", "", "`FILE` of names that are refused")
	set.StringVar(&o.files[hit], "hits", "", "`FILE` of names that are known")
	set.StringVar(&o.files[chain], "chains", "", "`FILE` of names behind three CNAMEs")
	set.StringVar(&o.missPattern, "misses", "", "`PATTERN` of unique names, with {n} where they differ")
	set.StringVar(&f.rcode, "refused-rcode", "NXDOMAIN", "the `RCODE` of a refusal; NOERROR for one that is NODATA or a null address")
	set.StringVar(&f.qtype, "type", "A", "the `TYPE` asked for: A, AAAA, TXT, HTTPS, or a number")
	set.BoolVar(&o.edns, "edns", false, "ask with EDNS")
	set.Float64Var(&o.seconds, "seconds", 3, "how long it asks, up to 3600")
	set.IntVar(&o.count, "count", 0, "after how many queries it ends before that; 0: none")
	set.Float64Var(&o.rate, "rate", 0, "queries a second, an open loop; 0: a closed loop, as much as the server answers")
	set.IntVar(&o.sockets, "sockets", 16, "UDP sockets, up to 1024")
	set.IntVar(&o.outstanding, "outstanding", 0, "queries under way on each socket, up to 4096 (default 8, or 1024 with -rate)")
	set.IntVar(&f.tcp, "tcp", 0, "ask over this `NUMBER` of TCP connections in place of UDP")
	set.IntVar(&o.clients, "clients", 0, "ask from so many addresses of 127.0.0.0/8, from 127.1.0.1 on; 0: from one")
	set.DurationVar(&o.timeout, "timeout", time.Second, "after which a query is lost")
	set.BoolVar(&o.warm, "warm", false, "ask for each name of the files once, before anything is measured")
	set.StringVar(&f.pids, "pid", "", "process `ID`s of the server, with commas; their children are theirs too")
	set.StringVar(&f.upstreamPids, "upstream-pid", "", "process `ID`s of the server's upstream")
	set.BoolVar(&o.json, "json", false, "write the report as JSON")
	set.BoolVar(&f.mine, "i-run-this-server", false, "needed for a server that is not on this machine: it is yours, and it may be flooded")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stderr, usage)
			set.SetOutput(stderr)
			set.PrintDefaults()
		}
		return nil, err
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("found the argument %q, want none", set.Arg(0))
	}
	return o, errors.Join(o.read(f), o.check(f))
}

// read takes over what needs reading, and fills in what was left out.
func (o *options) read(f flags) (err error) {
	if f.echo != "" {
		if o.echo, err = netip.ParseAddrPort(f.echo); err != nil {
			return fmt.Errorf("-echo: found %q, want an address and a port, such as 127.0.0.1:5300", f.echo)
		}
		return nil
	}
	if o.server, err = netip.ParseAddrPort(f.server); err != nil {
		return fmt.Errorf("-server: found %q, want an address and a port, such as 127.0.0.1:53", f.server)
	}
	if o.mode, err = parseMode(f.mode); err != nil {
		return err
	}
	if o.refusedRcode, err = parseRcode(f.rcode); err != nil {
		return err
	}
	if o.qtype, err = parseType(f.qtype); err != nil {
		return err
	}
	if o.pids, err = parsePids("-pid", f.pids); err != nil {
		return err
	}
	if o.upstreamPids, err = parsePids("-upstream-pid", f.upstreamPids); err != nil {
		return err
	}
	if f.tcp > 0 {
		o.tcp, o.sockets = true, f.tcp
	}
	if o.outstanding == 0 {
		o.outstanding = defaultOutstanding
		if o.rate > 0 {
			o.outstanding = openOutstanding
		}
	}
	if o.count == 0 {
		o.count = maxCount
	}
	return nil
}

// check says what is out of bounds.
func (o *options) check(f flags) error {
	inside := []struct {
		name       string
		value      float64
		least, max float64
	}{
		{"-seconds", o.seconds, 0.1, maxSeconds},
		{"-count", float64(o.count), 0, maxCount},
		{"-rate", o.rate, 0, maxRate},
		{"-sockets", float64(o.sockets), 1, maxSockets},
		{"-outstanding", float64(o.outstanding), 0, maxOutstanding},
		{"-tcp", float64(f.tcp), 0, maxSockets},
		{"-clients", float64(o.clients), 0, maxClients},
		{"-timeout", o.timeout.Seconds(), 0.001, 60},
	}
	for _, v := range inside {
		if !(v.value >= v.least && v.value <= v.max) { // a NaN is outside
			return fmt.Errorf("%s: found %v, want %v to %v", v.name, v.value, v.least, v.max)
		}
	}
	where := o.server
	if o.echo.IsValid() {
		where = o.echo
	}
	if where.IsValid() && !where.Addr().Unmap().IsLoopback() && !f.mine {
		return fmt.Errorf("%s is not on this machine: with -i-run-this-server you say that it is yours, and may be flooded", where)
	}
	if o.clients > 0 && !(o.server.Addr().Is4() && o.server.Addr().IsLoopback()) {
		return errors.New("-clients: the server has to be at an address of 127.0.0.0/8")
	}
	return nil
}

func parseRcode(text string) (byte, error) {
	known := []string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"}
	if i := slices.Index(known, strings.ToUpper(text)); i >= 0 {
		return byte(i), nil
	}
	return 0, fmt.Errorf("-refused-rcode: found %q, want one of %s", text, strings.Join(known, ", "))
}

func parseType(text string) (uint16, error) {
	known := map[string]uint16{"A": 1, "NS": 2, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "SVCB": 64, "HTTPS": 65}
	if n, ok := known[strings.ToUpper(text)]; ok {
		return n, nil
	}
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return uint16(n), nil
	}
	return 0, fmt.Errorf("-type: found %q, want A, NS, MX, TXT, AAAA, SRV, SVCB, HTTPS or a number", text)
}

func parsePids(option, text string) ([]int, error) {
	if text == "" {
		return nil, nil
	}
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	if len(fields) > maxPids {
		return nil, fmt.Errorf("%s: found %d processes, want at most %d", option, len(fields), maxPids)
	}
	var pids []int
	for _, field := range fields {
		pid, err := strconv.Atoi(field)
		if err != nil || pid < 1 {
			return nil, fmt.Errorf("%s: found %q, want numbers of processes, such as 4711,4712", option, text)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

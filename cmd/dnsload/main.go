// Command dnsload asks a DNS server as much as it can answer, or at a steady rate, and says what that costs.
//
//	options     what is asked, of whom, how fast, for how long
//	   │
//	source      the next question: refused, hit, chain, miss, or a mix of them
//	   │
//	engine ───▶ network      one loop for all sockets: batches of datagrams on Linux, package net elsewhere and for TCP
//	   │   ◀───
//	   │
//	check       is it the answer to what was asked, and of the kind that it should be?
//	   │
//	report      answers a second, latency, CPU time of the server a query, and what else kept the machine busy
//
// A closed loop has so many queries outstanding all the time: it finds out what the server can do, and its latency says only how many
// wait. An open loop asks at a steady rate, whatever becomes of the queries before; its latency counts from the moment at which
// a query was due, so that a server that stands still is charged for all that should have been asked meanwhile.
//
// The figure to compare is CPU time a query: (user and system time of the server's processes) / answers. It is the one least moved
// by what else the machine does. The load itself costs about what a server does that only sends back what it gets (-echo), and less than
// one that answers.
//
// It is a tool for those who run a server, to find out what a machine of theirs can bear. It is bounded in time and in number, and
// asks no server that is not on this machine unless told whose it is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run returns the exit status: 0, or 1 if something went wrong, wrong or lost answers included, or 2 for a wrong command line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "dnsload: %v; `dnsload -help` has all options\n", err)
		return 2
	}
	if o.echo.IsValid() {
		err = serveEcho(ctx, o)
	} else {
		err = load(ctx, o, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "dnsload: %v\n", err)
		return 1
	}
	return 0
}

// load asks, and writes the report.
func load(ctx context.Context, o *options, stdout io.Writer) error {
	s, err := newSource(o)
	if err != nil {
		return err
	}
	net, err := openNetwork(ctx, o)
	if err != nil {
		return err
	}
	defer net.close()
	if err := prepare(ctx, o, net, s); err != nil {
		return err
	}
	meter, err := newMeter(os.DirFS("/proc"), o.pids, o.upstreamPids)
	if err != nil {
		return err
	}
	e := newEngine(net, s, pace{rate: o.rate, seconds: o.seconds, count: o.count, timeout: o.timeout}, o.outstanding)
	if err := e.run(ctx); err != nil {
		return err
	}
	spent, err := meter.stop()
	if err != nil {
		return err
	}
	r := newReport(o, &e.tally, spent)
	if err := r.write(stdout, o.json); err != nil {
		return err
	}
	return r.fault()
}

// prepare finds out whether the server answers at all and, if asked to, asks for each name once: servers may keep refusals too.
func prepare(ctx context.Context, o *options, net network, s *source) error {
	const patience = 3
	for range patience {
		probe := newEngine(net, s, pace{seconds: o.seconds, count: 1, timeout: o.timeout}, 1)
		if err := probe.run(ctx); err != nil {
			return err
		}
		if probe.tally.answers > 0 {
			return warm(ctx, o, net, s)
		}
	}
	return fmt.Errorf("%s does not answer: %d queries, one after the other, had no answer within %s", o.server, patience, o.timeout)
}

func warm(ctx context.Context, o *options, net network, s *source) error {
	const limit = 60 // seconds
	names := s.once()
	if !o.warm || names == nil {
		return nil
	}
	e := newEngine(net, names, pace{seconds: limit, count: names.length(), timeout: o.timeout}, min(o.outstanding, defaultOutstanding))
	return e.run(ctx)
}

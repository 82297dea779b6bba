// Package limit bounds how many queries a second one client may ask, so that one that floods takes nothing from the others.
//
//	address ─▶ its network ─▶ one of a fixed number of cells ─▶ within its rate?
//	           /32, /64       by a keyed hash                   a few nanoseconds, no lock, no allocation
//
// Who has how many places to wait, or connections, is counted elsewhere, by [Client].
//
// A cell holds a client's debt: the moment at which it would be within its rate again if it asked nothing more (the generic cell rate
// algorithm, ITU-T I.371). A client whose debt has come to nothing needs no cell, so cells are taken by those that are above
// their rate at the moment, however many addresses ask. When the few cells of a hash are all taken, the smallest debt is forgotten:
// then somebody gets more than his share, and nobody less.
//
// Not its job: what is done with a query that is too many, and how many queries may wait for an answer.
package limit

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// Rules say what a client may ask. The zero value is no limit.
type Rules struct {
	PerSecond int // queries a second of one network; 0: no limit
	Burst     int // queries at once after a silence; less than 1 counts as 1
	// IPv4Bits and IPv6Bits are how long the network of a client is: its address has as many bits in common with that of another
	// client that shares its rate. 0 to 32, 0 to 128.
	IPv4Bits, IPv6Bits int
	Unlimited          []netip.Prefix // clients without a limit, such as forwarders that ask for many others
}

// Rate counts by the rules in force. It is made by [New], and safe for concurrent use.
type Rate struct {
	rules atomic.Pointer[rules]
	seed  maphash.Seed
	start time.Time // moments are nanoseconds since then
	lines []line
}

// rules are Rules as they are needed.
type rules struct {
	Rules
	interval int64 // nanoseconds from one query to the next
	ahead    int64 // nanoseconds of debt that a client may have
}

// line is the cells of one hash: a line of the processor's cache.
type line [4]cell

// cell is the debt of one client. Key and debt are not changed together: a client that gets another's cell at that very moment may
// count one query too many or too few.
type cell struct {
	key atomic.Uint64 // hash of the client's network; 0: nobody's
	due atomic.Int64  // the moment at which the client owes nothing
}

// lines is how many there are: 256 KiB, for 16,384 clients above their rate at once.
const lines = 4096

// New makes a Rate with these rules.
func New(r Rules) *Rate {
	rate := &Rate{seed: maphash.MakeSeed(), start: time.Now(), lines: make([]line, lines)}
	rate.Set(r)
	return rate
}

// Set puts r in force at once. Debts stay, but for what is above the most that a client may owe from now on.
func (r *Rate) Set(by Rules) {
	next := &rules{Rules: by}
	next.Unlimited = slices.Clone(by.Unlimited)
	if by.PerSecond > 0 {
		next.interval = max(int64(time.Second)/int64(by.PerSecond), 1)
		next.ahead = next.interval * int64(max(by.Burst, 1))
	}
	r.rules.Store(next)
	r.forgive(int64(time.Since(r.start)) + next.ahead)
}

// forgive lowers the debts that are paid off after most.
func (r *Rate) forgive(most int64) {
	for i := range r.lines {
		for j := range r.lines[i] {
			c := &r.lines[i][j]
			for due := c.due.Load(); due > most; due = c.due.Load() {
				c.due.CompareAndSwap(due, most)
			}
		}
	}
}

// Take counts a query of client at now and returns 0 if it is within the rate; else it is not counted, and the result is how long
// the client has to wait until one is. client is not an IPv4-mapped address.
func (r *Rate) Take(client netip.Addr, now time.Time) (wait time.Duration) {
	by := r.rules.Load()
	if by.interval == 0 {
		return 0
	}
	moment := int64(now.Sub(r.start))
	c := r.cell(by.network(client, r.seed), moment)
	for {
		due := c.due.Load()
		next := max(due, moment) + by.interval
		if over := next - moment - by.ahead; over > 0 {
			if by.unlimited(client) {
				return 0
			}
			return time.Duration(over)
		}
		if c.due.CompareAndSwap(due, next) {
			return 0
		}
	}
}

// Client is the address that stands for client where places are counted, not queries: all of an IPv6 /64 are one, for a device can have
// as many addresses of its network as it likes. Link-local addresses are of one network, and stand for themselves.
func Client(client netip.Addr) netip.Addr {
	if client.Is4() || client.IsLinkLocalUnicast() {
		return client
	}
	network, _ := client.Prefix(64) // an IPv6 address has as many bits
	return network.Addr()
}

// network is the hash of the network of client, never 0.
func (by *rules) network(client netip.Addr, seed maphash.Seed) uint64 {
	length := by.IPv6Bits
	if client.Is4() {
		length = by.IPv4Bits
	}
	network := client.As16()
	cut(network[len(network)-client.BitLen()/8:], length)
	return max(maphash.Bytes(seed, network[:]), 1)
}

// cut clears all but the first bits of octets.
func cut(octets []byte, bits int) {
	for i := range octets {
		keep := min(max(bits-8*i, 0), 8)
		octets[i] &= ^(0xFF >> keep)
	}
}

// cell is that of key, or one that it can have.
func (r *Rate) cell(key uint64, moment int64) *cell {
	cells := &r.lines[key%lines]
	for i := range cells {
		if cells[i].key.Load() == key {
			return &cells[i]
		}
	}
	least := &cells[0]
	for i := range cells[1:] {
		if c := &cells[i+1]; c.due.Load() < least.due.Load() {
			least = c
		}
	}
	least.key.Store(key)
	least.due.Store(moment)
	return least
}

// unlimited is asked of those above the rate only.
func (by *rules) unlimited(client netip.Addr) bool {
	return slices.ContainsFunc(by.Unlimited, func(p netip.Prefix) bool { return p.Contains(client) })
}

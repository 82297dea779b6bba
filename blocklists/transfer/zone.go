package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/blocklists/mirror"
)

// What a [Config] means where it is zero.
const (
	DefaultMaxRecords = 20_000_000
	DefaultMaxSize    = 512 << 20 // octets
	DefaultTimeout    = 10 * time.Second
	DefaultMaxTime    = 15 * time.Minute
)

// MaxPrimaries is how many primaries a zone may have.
const MaxPrimaries = 16

// The timers of a SOA record are taken within these bounds.
const (
	minRefresh, maxRefresh = time.Minute, 24 * time.Hour
	minRetry, maxRetry     = 30 * time.Second, time.Hour
	minExpire, maxExpire   = time.Hour, 30 * 24 * time.Hour
)

// Config is what a zone needs. All of it belongs to the zone from [New] on.
type Config struct {
	Zone       domain.Name
	Primaries  []netip.AddrPort // 1 to MaxPrimaries, tried in order
	NotifyFrom []netip.Addr     // further addresses that may say that the zone changed; those of Primaries always may
	TSIG       *Key             // signs queries, and must sign answers; nil: none
	// RequireTSIG is whether a NOTIFY must be signed with TSIG. One that is signed is checked in any case. Knot signs with the key of
	// the transfer; BIND and NSD sign only if their notify lines name a key, and all that a NOTIFY does is that we ask for the serial.
	RequireTSIG bool
	Digest      Digest        // what becomes of ZONEMD records
	MaxRecords  int           // of the zone, and of those received in one transfer; 0: DefaultMaxRecords
	MaxSize     int64         // of the text, and of the records in memory, in octets; 0: DefaultMaxSize
	Timeout     time.Duration // of a connection to open, and of each message to come; 0: DefaultTimeout
	MaxTime     time.Duration // of a whole fetch; 0: DefaultMaxTime
	Dial        DialFunc      // nil: the network of this host
	Log         *slog.Logger  // nil: nothing is logged
}

// Zone is a zone that is copied from its primaries: a [mirror.Source] whose versions are serials. It is safe for concurrent use,
// has no goroutines, and keeps nothing between two fetches.
type Zone struct {
	c    Config
	text string // its name
}

var _ mirror.Source = (*Zone)(nil)

// New makes a zone. It reads no file and asks nobody. The error says which part of c is wrong.
func New(c Config) (*Zone, error) {
	z := &Zone{c: c, text: c.Zone.String()}
	if err := z.check(); err != nil {
		return nil, fmt.Errorf("transfer of the zone %q: %w", z.text, err)
	}
	z.c.MaxRecords = cmp.Or(c.MaxRecords, DefaultMaxRecords)
	z.c.MaxSize = cmp.Or(c.MaxSize, DefaultMaxSize)
	z.c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	z.c.MaxTime = cmp.Or(c.MaxTime, DefaultMaxTime)
	if c.Log == nil {
		z.c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil {
		z.c.Dial = func(ctx context.Context, network string, addr netip.AddrPort) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr.String())
		}
	}
	return z, nil
}

// Name is the name of the zone, as [Notifies.Handle] returns it.
func (z *Zone) Name() string { return z.text }

func (z *Zone) check() error {
	switch {
	case z.c.Zone == "":
		return errors.New("it has no name")
	case len(z.c.Primaries) == 0 || len(z.c.Primaries) > MaxPrimaries:
		return fmt.Errorf("%d primaries, want 1 to %d", len(z.c.Primaries), MaxPrimaries)
	case z.c.MaxRecords < 0 || z.c.MaxSize < 0 || z.c.Timeout < 0 || z.c.MaxTime < 0:
		return errors.New("a negative limit")
	case z.c.Digest > DigestIgnored:
		return fmt.Errorf("digest policy %d is unknown", z.c.Digest)
	case z.c.RequireTSIG && z.c.TSIG == nil:
		return errors.New("NOTIFY must be signed, but there is no key")
	}
	for i, p := range z.c.Primaries {
		if !p.IsValid() || p.Port() == 0 || p.Addr().IsUnspecified() || p.Addr().IsMulticast() {
			return fmt.Errorf("primary %s, want an address and a port such as 192.0.2.53:53", p)
		}
		if slices.Contains(z.c.Primaries[:i], p) {
			return fmt.Errorf("primary %s is there twice", p)
		}
	}
	if slices.ContainsFunc(z.c.NotifyFrom, func(a netip.Addr) bool { return !a.IsValid() }) {
		return errors.New("an address that may send NOTIFY is none")
	}
	if z.c.TSIG != nil {
		return z.c.TSIG.check()
	}
	return nil
}

// Fetch is [mirror.Source]'s. It asks one primary after the other, and writes to w only when a whole zone has come and its digest
// is right. The memory that it takes is some 70 octets a record, and as much again while a copy is changed by IXFR.
func (z *Zone) Fetch(ctx context.Context, have *mirror.Copy, w io.Writer) (mirror.Outcome, error) {
	limited, cancel := context.WithTimeout(ctx, z.c.MaxTime)
	defer cancel()
	outcome, err := z.fetch(limited, have, w)
	switch {
	case err == nil || errors.Is(err, mirror.ErrUnchanged):
		return outcome, err
	case ctx.Err() != nil:
		err = ctx.Err()
	case limited.Err() != nil:
		err = fmt.Errorf("not finished within %v: %w", z.c.MaxTime, err)
	}
	return mirror.Outcome{}, fmt.Errorf("transfer of the zone %s: %w", z.text, err)
}

func (z *Zone) fetch(ctx context.Context, have *mirror.Copy, w io.Writer) (mirror.Outcome, error) {
	key, err := z.loadKey()
	if err != nil {
		return mirror.Outcome{}, err
	}
	old := &held{zone: z, copy: have}
	old.serial, old.known = serialOf(have)
	faults := make([]string, 0, len(z.c.Primaries))
	for _, addr := range z.c.Primaries {
		p := &primary{zone: z.c.Zone, addr: addr, key: key, timeout: z.c.Timeout, dial: z.c.Dial}
		newest, err := z.newest(ctx, p, old)
		if errors.Is(err, mirror.ErrUnchanged) {
			return newest.soa.outcome(), mirror.ErrUnchanged
		}
		if err == nil {
			return newest.soa.outcome(), newest.write(ctx, w, z.c.Zone, z.c.MaxSize)
		}
		if ctx.Err() != nil {
			return mirror.Outcome{}, err
		}
		faults = append(faults, fmt.Sprintf("primary %s: %v", addr, err))
	}
	return mirror.Outcome{}, errors.New(strings.Join(faults, "; "))
}

func (z *Zone) loadKey() (*secretKey, error) {
	if z.c.TSIG == nil {
		return nil, nil //nolint:nilnil // no key is no fault
	}
	return z.c.TSIG.load()
}

// held is the copy that there is.
type held struct {
	zone   *Zone
	copy   *mirror.Copy
	serial uint32
	known  bool // there is one

	read    bool
	content contents
}

// serialOf is the serial that a copy has as its version.
func serialOf(have *mirror.Copy) (serial uint32, known bool) {
	if have == nil {
		return 0, false
	}
	number, err := strconv.ParseUint(have.Version, 10, 32)
	return uint32(number), err == nil
}

// base is the records of the copy, which is read once; nil if it cannot be.
func (h *held) base(ctx context.Context) *records {
	if h.read || !h.known {
		return h.content.records
	}
	h.read = true
	content, err := readCopy(ctx, h.copy, h.zone.c.Zone, h.zone.limits())
	if err == nil && content.soa.serial != h.serial {
		err = fmt.Errorf("it has the serial %d, want %d", content.soa.serial, h.serial)
	}
	if err != nil {
		h.zone.c.Log.Warn("a copy cannot be used for IXFR, all of the zone is transferred",
			"zone", h.zone.text, "path", h.copy.Path, "error", err)
		return nil
	}
	h.content = content
	return content.records
}

func (z *Zone) limits() limits { return limits{count: z.c.MaxRecords, size: z.c.MaxSize} }

// newest is the zone of a primary. The error is [mirror.ErrUnchanged] if old is as new; the contents have a SOA record then.
func (z *Zone) newest(ctx context.Context, p *primary, old *held) (contents, error) {
	version, err := p.version(ctx)
	if err == nil && old.known {
		err = compareSerials(version.serial, old.serial)
	}
	if err != nil {
		return contents{soa: version}, err
	}
	if base := old.base(ctx); base != nil {
		changed, err := z.transfer(ctx, p, dns.TypeIXFR, old, base)
		if err == nil || errors.Is(err, mirror.ErrUnchanged) || ctx.Err() != nil {
			return changed, err
		}
		z.c.Log.Info("IXFR failed, AXFR follows", "zone", z.text, "primary", p.addr.String(), "error", err)
	}
	return z.transfer(ctx, p, dns.TypeAXFR, old, nil)
}

// transfer is one AXFR, or one IXFR that changes base.
func (z *Zone) transfer(ctx context.Context, p *primary, qtype uint16, old *held, base *records) (contents, error) {
	a := &assembly{limits: z.limits(), have: old.serial, known: old.known, base: base}
	err := p.transfer(ctx, qtype, a)
	if err != nil {
		if !errors.Is(err, mirror.ErrUnchanged) {
			err = fmt.Errorf("%s: %w", typeText(qtype), err)
		}
		return contents{soa: a.first}, err
	}
	c, err := a.contents()
	if err == nil {
		err = z.checkDigest(c)
	}
	if err != nil {
		return contents{}, fmt.Errorf("%s: %w", typeText(qtype), err)
	}
	return c, nil
}

// checkDigest does what the policy about ZONEMD says.
func (z *Zone) checkDigest(c contents) error {
	if z.c.Digest == DigestIgnored {
		return nil
	}
	err := c.checkDigest(z.c.Zone)
	if !errors.Is(err, errNoDigest) || z.c.Digest == DigestRequired {
		return err
	}
	if len(c.zonemds()) > 0 {
		z.c.Log.Warn("the digest of a zone cannot be checked", "zone", z.text, "serial", c.soa.serial, "error", err)
	}
	return nil
}

// outcome is what a fetch found out of the version and its timers.
func (s soa) outcome() mirror.Outcome {
	within := func(seconds uint32, low, high time.Duration) time.Duration {
		return min(max(time.Duration(seconds)*time.Second, low), high)
	}
	return mirror.Outcome{
		Version: strconv.FormatUint(uint64(s.serial), 10),
		Refresh: within(s.refresh, minRefresh, maxRefresh),
		Retry:   within(s.retry, minRetry, maxRetry),
		Expire:  within(s.expire, minExpire, maxExpire),
	}
}

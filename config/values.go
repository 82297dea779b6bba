package config

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"cordon/blocklists/domain"

	"go.yaml.in/yaml/v3"
)

// Size is a number of octets. In a file it has a unit: 512KiB, 256MiB, 2GiB (powers of 1024), 500kB, 256MB, 2GB (powers of
// 1000), or 4096B.
type Size int64

// Percent is a whole number of hundredths, written with its sign: 50%.
type Percent int

// maxTextLen is the longest free text, in octets.
const maxTextLen = 4096

// objectName is what lists, policies, agencies and exceptions may be called: their names are metric labels and stand in
// answers, so they are short and plain. Titles are for everything else.
var objectName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// parse reads the text of n into v, one plain value, as v's type and f ask for. The error says what would be right.
func (d *decoder) parse(n *yaml.Node, v reflect.Value, f *field) error {
	text := n.Value
	if f.off && text == "off" {
		v.SetZero()
		return nil
	}
	switch p := v.Addr().Interface().(type) {
	case *string:
		return d.parseText(text, p, f)
	case *bool:
		return into(p, parseBool, text)
	case *int:
		return ranged(p, strconvInt, text, f)
	case *time.Duration:
		return ranged(p, parseDuration, text, f)
	case *Size:
		return ranged(p, parseSize, text, f)
	case *Percent:
		return ranged(p, parsePercent, text, f)
	case *netip.Prefix:
		return into(p, parsePrefix, text)
	case *netip.AddrPort:
		if f.upstream {
			return into(p, parseUpstream, text)
		}
		return into(p, func(text string) (netip.AddrPort, error) { return parseListen(text, "53") }, text)
	case *Endpoint:
		return into(p, func(text string) (Endpoint, error) { return parseEndpoint(text, d.dir) }, text)
	case *Remote:
		return into(p, func(text string) (Remote, error) { return parseRemote(text, d.dir) }, text)
	case *domain.Name:
		return into(p, parseName, text)
	case *time.Time:
		return d.parseMoment(n, p, f)
	}
	panic("config: no way to read a " + v.Type().String()) // a field of ours with a type that is not above
}

func into[T any](p *T, read func(string) (T, error), text string) error {
	value, err := read(text)
	if err == nil {
		*p = value
	}
	return err
}

// ranged reads a value that has a smallest and a largest one.
func ranged[T ~int | ~int64](p *T, read func(string) (T, error), text string, f *field) error {
	value, err := read(text)
	if err != nil {
		return err
	}
	if low, lowErr := read(f.min); lowErr == nil && value < low {
		return fmt.Errorf("%s is too small: want %s to %s", brief(text), f.min, f.max)
	}
	if high, highErr := read(f.max); highErr == nil && value > high {
		return fmt.Errorf("%s is too large: want %s to %s", brief(text), f.min, f.max)
	}
	*p = value
	return nil
}

func (d *decoder) parseText(text string, p *string, f *field) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("the text is empty: write it, or leave the key out")
	case len(text) > maxTextLen:
		return fmt.Errorf("the text has %d octets: want %d at most", len(text), maxTextLen)
	case strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) >= 0:
		return fmt.Errorf("found a control character in %s", quote(text))
	case f.name && !objectName.MatchString(text):
		return fmt.Errorf("found %s, want 1 to 63 ASCII letters, digits, '.', '_' or '-', the first a letter or digit", quote(text))
	case len(f.oneOf) > 0 && !slices.Contains(f.oneOf, text):
		return fmt.Errorf("found %s, want %s%s", quote(text), enumerate("or", f.oneOf), didYouMean(text, f.oneOf))
	case f.pattern:
		return into(p, parsePattern, text)
	case f.path && !filepath.IsAbs(text):
		text = filepath.Join(d.dir, text)
	}
	*p = text
	return nil
}

func parseBool(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("found %s, want true or false", quote(text))
}

func strconvInt(text string) (int, error) {
	value, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("found %s, want a whole number", quote(text))
	}
	return value, nil
}

// parseDuration reads 500ms, 30s, 15m, 24h, 1h30m or whole days as 7d. A number without a unit is refused: 30 would be 30
// nanoseconds to a machine and half a minute to its owner.
func parseDuration(text string) (time.Duration, error) {
	if isNumber(text) {
		return 0, fmt.Errorf("%s has no unit: want %ss, %sm or %sh", brief(text), brief(text), brief(text), brief(text))
	}
	if count, ok := strings.CutSuffix(text, "d"); ok {
		days, err := strconv.ParseUint(count, 10, 16) // 65 535 days fit a time.Duration
		if err == nil {
			return time.Duration(days) * 24 * time.Hour, nil
		}
	}
	value, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("found %s, want a duration such as 30s, 15m, 24h or 7d", quote(text))
	}
	return value, nil
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789.") == "" }

// sizeUnits has every unit before the ones that it ends in.
var sizeUnits = []struct {
	name   string
	octets int64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"B", 1},
}

func parseSize(text string) (Size, error) {
	if isNumber(text) {
		return 0, fmt.Errorf("%s has no unit: want a size such as 256MiB, or %sB for octets", brief(text), brief(text))
	}
	for _, unit := range sizeUnits {
		count, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		value, err := strconv.ParseInt(strings.TrimSpace(count), 10, 64)
		if err != nil || value < 0 || value > math.MaxInt64/unit.octets {
			break
		}
		return Size(value * unit.octets), nil
	}
	return 0, fmt.Errorf("found %s, want a whole number with B, KiB, MiB, GiB, kB, MB or GB, such as 256MiB", quote(text))
}

func parsePercent(text string) (Percent, error) {
	count, ok := strings.CutSuffix(text, "%")
	value, err := strconv.Atoi(strings.TrimSpace(count))
	switch {
	case err != nil:
		return 0, fmt.Errorf("found %s, want a percentage such as 50%%", quote(text))
	case !ok:
		return 0, fmt.Errorf("%s has no %% sign: want %s%%", brief(text), brief(text))
	}
	return Percent(value), nil
}

// parsePrefix reads a network, or an address as the network of that one.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return prefix, fmt.Errorf("found %s, want a network such as 192.0.2.0/24 or 2001:db8::/32, or an address", quote(text))
	case prefix.Addr().Is4In6():
		return prefix, fmt.Errorf("%s is an IPv4 network written as IPv6: write it as IPv4", quote(text))
	case prefix != prefix.Masked():
		return prefix, fmt.Errorf("%s has host bits set: the network is %s, the address alone is %s", quote(text),
			prefix.Masked(), prefix.Addr())
	}
	return prefix, nil
}

// parseListen reads an address with its port, on which we listen; example is the port of the examples in its error. Port 0 is any free one.
func parseListen(text, example string) (netip.AddrPort, error) {
	if host, port, ok := strings.Cut(text, ":"); ok && host == "" {
		return netip.AddrPort{}, fmt.Errorf("%s has no address: want 0.0.0.0:%s for all of IPv4, [::]:%s for all of IPv6",
			quote(text), brief(port), brief(port))
	}
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		return addr, fmt.Errorf("found %s, want an address with a port such as 127.0.0.1:%s or [::1]:%s", quote(text), example, example)
	}
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), nil
}

// parseUpstream reads the address of a server that we ask, with or without a port.
func parseUpstream(text string) (netip.AddrPort, error) {
	if scheme, _, ok := strings.Cut(text, "://"); ok {
		switch scheme {
		case "tls", "https", "quic", "h3":
			return netip.AddrPort{}, fmt.Errorf("found %s, but encrypted upstreams are not supported yet: want an address "+
				"such as 192.0.2.53", quote(text))
		case "udp", "tcp":
			return netip.AddrPort{}, fmt.Errorf("found %s: leave %s:// out, UDP is tried first and TCP where it is needed",
				quote(text), scheme)
		}
	}
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		host, hostErr := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
		if hostErr != nil {
			return addr, fmt.Errorf("found %s, want an IP address with or without a port, such as 192.0.2.53 or "+
				"[2001:db8::53]:53", quote(text))
		}
		addr = netip.AddrPortFrom(host, 53)
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	if addr.Port() == 0 || addr.Addr().IsUnspecified() || addr.Addr().IsMulticast() {
		return addr, fmt.Errorf("%s is not an address that a server can be asked at", quote(text))
	}
	return addr, nil
}

func parseName(text string) (domain.Name, error) {
	name, err := domain.Parse(text)
	if wrong, ok := errors.AsType[*domain.ParseError](err); ok {
		return name, fmt.Errorf("%s is not a domain name: %s", quote(text), wrong.Reason)
	}
	return name, err
}

// parsePattern reads a name of an inline list, which may have *. or = before it. What comes back is in canonical form, so that
// the same pattern is the same text.
func parsePattern(text string) (string, error) {
	mark := ""
	for _, m := range []string{"*.", "="} {
		if strings.HasPrefix(text, m) {
			mark = m
			break
		}
	}
	name, err := parseName(text[len(mark):])
	if err != nil {
		return "", err
	}
	return mark + name.String(), nil
}

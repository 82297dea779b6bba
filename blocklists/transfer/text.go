package transfer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/blocklists/mirror"
)

// A copy is a zone file (RFC 1035, section 5.1) in one form, so that the same zone is the same octets: absolute names in lower
// case, one record a line, five fields with tabs between them, the SOA record first and the others in canonical order. The last
// line is a comment with the number of records.
const (
	endPrefix = "; end of list: "
	endSuffix = " entries"
	maxLine   = 1 << 19 // octets; the longest data have 65535, four octets of text each at most
)

// write writes the zone. The error is that of w, or says that the text has more than limit octets.
func (c contents) write(ctx context.Context, w io.Writer, zone domain.Name, limit int64) error {
	out := bufio.NewWriterSize(&bounded{ctx: ctx, w: w, left: limit, limit: limit}, 1<<16)
	line := appendRecord(nil, zone, []byte(c.soa.key), c.soa.ttl)
	_, _ = out.Write(line)
	for _, r := range c.refs {
		key, ttl := c.at(r)
		line = appendRecord(line[:0], zone, key, ttl)
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(out, "%s%d%s\n", endPrefix, len(c.refs)+1, endSuffix)
	return out.Flush()
}

// bounded is a writer that ends with its context, and before it has written more than limit octets.
type bounded struct {
	ctx         context.Context //nolint:containedctx // it lives as long as one call
	w           io.Writer
	left, limit int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, fmt.Errorf("the zone has more than %d octets of text: raise max_size if it is meant to be as large", b.limit)
	}
	return b.w.Write(p)
}

// interrupted is a reader that ends with its context.
type interrupted struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call
	r   io.Reader
}

func (i interrupted) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// appendRecord appends the line of a record.
func appendRecord(dst []byte, zone domain.Name, key []byte, ttl uint32) []byte {
	var buf [domain.MaxWire]byte
	owner, rtype, data := splitKey(buf[:0], key, zone)
	dst = appendAbsolute(dst, owner)
	dst = append(dst, '\t')
	dst = strconv.AppendUint(dst, uint64(ttl), 10)
	dst = append(dst, "\tIN\t"...)
	dst = append(dst, typeText(rtype)...)
	dst = append(dst, '\t')
	dst = appendDataText(dst, rtype, data)
	return append(dst, '\n')
}

// appendAbsolute appends the text of a name with the final dot.
func appendAbsolute(dst, wire []byte) []byte {
	dst = domain.AppendText(dst, wire)
	if len(wire) > 1 {
		dst = append(dst, '.')
	}
	return dst
}

// appendDataText appends the text of the data of a record. What has no text that means the same data is written as RFC 3597,
// section 5, says.
func appendDataText(dst []byte, rtype uint16, data []byte) []byte {
	switch rtype {
	case dns.TypeCNAME, dns.TypeNS, dns.TypePTR, dns.TypeDNAME:
		return appendAbsolute(dst, data)
	case dns.TypeA, dns.TypeAAAA:
		addr, _ := netip.AddrFromSlice(data)
		return addr.AppendTo(dst)
	}
	if text, ok := readable(rtype, data); ok {
		return append(dst, text...)
	}
	dst = fmt.Appendf(dst, `\# %d`, len(data))
	if len(data) > 0 {
		dst = hex.AppendEncode(append(dst, ' '), data)
	}
	return dst
}

// readable is the text of data by miekg/dns, if that reads it as the same data again.
func readable(rtype uint16, data []byte) (string, bool) {
	rr, err := unpackData(rtype, data)
	if err != nil || len(data) == 0 {
		return "", false
	}
	text := strings.TrimPrefix(rr.String(), rr.Header().String())
	if _, unknown := rr.(*dns.RFC3597); unknown || strings.ContainsAny(text, "\n\r") {
		return "", false
	}
	again, err := parseData(rtype, text)
	return text, err == nil && bytes.Equal(again, data)
}

// parseData is the canonical form of data that are written as text.
func parseData(rtype uint16, text string) ([]byte, error) {
	switch rtype {
	case dns.TypeCNAME, dns.TypeNS, dns.TypePTR, dns.TypeDNAME:
		name, err := domain.Parse(text)
		return []byte(name), err
	case dns.TypeA, dns.TypeAAAA:
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Is4() != (rtype == dns.TypeA) || addr.Zone() != "" {
			return nil, errors.New("not an address of the type")
		}
		return addr.AsSlice(), nil
	}
	if octets, ok := strings.CutPrefix(text, `\# `); ok {
		return parseOctets(rtype, octets)
	}
	rr, err := dns.NewRR(". 0 IN " + typeText(rtype) + " " + text)
	if err != nil || rr == nil {
		return nil, errors.New("the data are not of the type's form")
	}
	packed := make([]byte, dns.Len(rr)+headerLen)
	end, err := dns.PackRR(rr, packed, 0, nil, false)
	if err != nil {
		return nil, err
	}
	const head = 1 + 10 // the root, type, class, TTL and length
	return canonicalData(rtype, packed[head:end])
}

// parseOctets reads what follows \# (RFC 3597, section 5): the length and the octets in hexadecimal digits.
func parseOctets(rtype uint16, text string) ([]byte, error) {
	length, digits, _ := strings.Cut(text, " ")
	octets, err := hex.DecodeString(digits)
	if err != nil || strconv.Itoa(len(octets)) != length {
		return nil, errors.New("the data are not as many octets as they say")
	}
	return canonicalData(rtype, octets)
}

func canonicalData(rtype uint16, octets []byte) ([]byte, error) {
	data, ok := appendData(nil, rtype, octets, 0, len(octets))
	if !ok {
		return nil, errors.New("the data are not of the type's form")
	}
	return data, nil
}

// readCopy reads what write wrote. Any doubt about it is an error: the whole zone is transferred then.
func readCopy(ctx context.Context, have *mirror.Copy, zone domain.Name, l limits) (contents, error) {
	file, err := os.Open(have.Path)
	if err != nil {
		return contents{}, err
	}
	defer file.Close()
	sum := sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(interrupted{ctx, file}, sum), maxLine)
	c := &copyReader{zone: zone, contents: contents{records: &records{limits: l}}}
	for {
		line, err := in.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err != nil {
			return contents{}, err
		}
		c.line++
		if err := c.take(line[:len(line)-1]); err != nil {
			return contents{}, fmt.Errorf("line %d: %w", c.line, err)
		}
	}
	if !c.ended || [sha256.Size]byte(sum.Sum(nil)) != have.SHA256 {
		return contents{}, errors.New("the copy is not what was written")
	}
	return c.contents, nil
}

// copyReader reads a copy line by line.
type copyReader struct {
	contents
	zone  domain.Name
	line  int
	ended bool
	key   []byte // of the record at hand
	last  []byte // of the record before it, nil behind the SOA record
}

func (c *copyReader) take(line []byte) error {
	if c.ended {
		return errors.New("something follows the end of the list")
	}
	if rest, ok := bytes.CutPrefix(line, []byte(endPrefix)); ok {
		c.ended = string(rest) == strconv.Itoa(c.line-1)+endSuffix && c.line > 1
		return nil
	}
	r, err := parseRecord(c.key[:0], line, c.zone)
	if err != nil {
		return err
	}
	c.key = r.key
	if isSOA := r.rtype == dns.TypeSOA && r.apex; isSOA != (c.line == 1) {
		return errors.New("want the SOA record first, and only there")
	} else if isSOA {
		c.soa = newSOA(r)
		return nil
	}
	if bytes.Compare(c.last, r.key) >= 0 {
		return errors.New("the records are not in canonical order")
	}
	c.last = append(c.last[:0], r.key...)
	return c.add(r)
}

// parseRecord reads the line of a record; the key is in buf.
func parseRecord(buf, line []byte, zone domain.Name) (record, error) {
	fields := bytes.SplitN(line, []byte("\t"), 5)
	if len(fields) != 5 || string(fields[2]) != "IN" {
		return record{}, errors.New("want owner, TTL, IN, type and data with tabs between them")
	}
	owner, err := domain.ParseBytes(fields[0])
	if err != nil || !owner.Within(zone) {
		return record{}, errors.New("the owner is not in the zone")
	}
	ttl, err := strconv.ParseUint(string(fields[1]), 10, 32)
	if err != nil {
		return record{}, errors.New("the TTL is not a number")
	}
	rtype, err := parseType(string(fields[3]))
	if err != nil {
		return record{}, err
	}
	data, err := parseData(rtype, string(fields[4]))
	if err != nil {
		return record{}, err
	}
	key := appendOwner(buf, []byte(owner[:len(owner)-len(zone)]))
	key = append(key, byte(rtype>>8), byte(rtype))
	return record{key: append(key, data...), ttl: uint32(ttl), rtype: rtype, apex: len(owner) == len(zone)}, nil
}

func parseType(text string) (uint16, error) {
	if rtype, ok := dns.StringToType[text]; ok {
		return rtype, nil
	}
	number, err := strconv.ParseUint(strings.TrimPrefix(text, "TYPE"), 10, 16)
	if err != nil {
		return 0, errors.New("the type is unknown")
	}
	return uint16(number), nil
}

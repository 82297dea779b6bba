// Gen writes public-suffixes.bits, by which package blocklists knows of most names at once that they are no public suffix. It is run
// by go generate in that package, after each update of golang.org/x/net:
//
//	the rules of golang.org/x/net/publicsuffix, out of its test ─▶ version, line end, two bits set for each rule's hash
//
// The bits are those of the package's own hash over the wire form of the rule's name without the root label; of
// "*.ck", over that of "ck", and then a "*". Exceptions ("!www.ck") are no suffixes and need none.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

	"cordon/blocklists/domain"
)

const (
	output = "public-suffixes.bits" // seen from package blocklists, where go generate runs
	octets = 32 << 10
)

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("generate the filter of public suffixes", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dir, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "golang.org/x/net/publicsuffix").Output()
	if err != nil {
		return fmt.Errorf("find the source of the public suffix list: %w", err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "table_test.go"))
	if err != nil {
		return fmt.Errorf("read its rules: %w", err)
	}
	set, rules, err := filter(source)
	if err != nil {
		return err
	}
	if rules < 5_000 {
		return fmt.Errorf("found %d rules, want thousands: its test has another form now", rules)
	}
	content := append([]byte(publicsuffix.List.String()+"\n"), set...)
	return os.WriteFile(output, content, 0o644) //nolint:gosec // a source file, as readable as the others
}

// filter sets the bits of the rules in source, up to the list of nodes that stands behind them.
func filter(source []byte) (set []byte, rules int, err error) {
	set = make([]byte, octets)
	lines := bufio.NewScanner(bytes.NewReader(source))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "}" {
			break
		}
		rule, err := strconv.Unquote(strings.TrimSuffix(line, ","))
		if err != nil || strings.HasPrefix(rule, "!") {
			continue
		}
		text, wild := strings.CutPrefix(rule, "*.")
		name, err := domain.Parse(text)
		if err != nil {
			return nil, 0, fmt.Errorf("rule %q: %w", rule, err)
		}
		hash := hashSuffix(string(name[:len(name)-1]))
		if wild {
			hash = addToHash(hash, '*')
		}
		for _, bit := range [2]uint64{hash % (8 * octets), hash >> 32 % (8 * octets)} {
			set[bit/8] |= 1 << (bit % 8)
		}
		rules++
	}
	return set, rules, lines.Err()
}

// hashSuffix is the hash of package blocklists: what it says of every rule must be what is asked there.
func hashSuffix(name string) uint64 {
	const group = 8
	hash := uint64(len(name))
	if len(name) < group {
		return addToHash(hash, binary.LittleEndian.Uint64(append([]byte(name), make([]byte, group)...)))
	}
	hash = addToHash(hash, binary.LittleEndian.Uint64([]byte(name[len(name)-group:])))
	for ; len(name) > group; name = name[group:] {
		hash = addToHash(hash, binary.LittleEndian.Uint64([]byte(name)))
	}
	return hash
}

func addToHash(hash, group uint64) uint64 {
	const factor = 0x9e3779b97f4a7c15
	high, low := bits.Mul64(hash^group, factor)
	return high ^ low
}

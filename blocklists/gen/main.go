// Gen writes public-suffixes.bits, by which package blocklists knows of most names at once that they are no public suffix. It is run
// by go generate in that package, after each update of golang.org/x/net:
//
//	the rules of golang.org/x/net/publicsuffix, out of its test ─▶ version, line end, one bit set for each rule's hash
//
// The bit is that of FNV-1a over the wire form of the rule's name without the root label; of "*.ck", over that of "ck" and a "*".
// Exceptions ("!www.ck") are no suffixes and need none.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
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
	bits, rules, err := filter(source)
	if err != nil {
		return err
	}
	if rules < 5_000 {
		return fmt.Errorf("found %d rules, want thousands: its test has another form now", rules)
	}
	content := append([]byte(publicsuffix.List.String()+"\n"), bits...)
	return os.WriteFile(output, content, 0o644) //nolint:gosec // a source file, as readable as the others
}

// filter sets the bits of the rules in source, up to the list of nodes that stands behind them.
func filter(source []byte) (bits []byte, rules int, err error) {
	bits = make([]byte, octets)
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
		key := string(name[:len(name)-1])
		if wild {
			key += "*"
		}
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(key))
		bit := sum.Sum64() % (8 * octets)
		bits[bit/8] |= 1 << (bit % 8)
		rules++
	}
	return bits, rules, lines.Err()
}

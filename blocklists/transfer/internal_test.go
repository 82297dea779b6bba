package transfer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
)

func TestNewer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b uint32
		want bool
	}{
		{1, 0, true},
		{0, 1, false},
		{5, 5, false},
		{0, 1<<32 - 1, true},
		{1<<32 - 1, 0, false},
		{1<<31 - 1, 0, true},
		{1 << 31, 0, false},
		{0, 1 << 31, false},
		{44, 0, true},
		{0, 1<<31 + 1, true},
	} {
		if got := newer(test.a, test.b); got != test.want {
			t.Errorf("newer(%d, %d) is %v", test.a, test.b, got)
		}
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	const good = "c2VjcmV0IG9mIHRoZSB0cmFuc2ZlciB0ZXN0cw=="
	const statement = "key \"k.example\" {\n\talgorithm hmac-sha512; // strong\n\tsecret \"" + good + "\";\n};\n"
	for name, test := range map[string]struct {
		key        Key
		text, want string // want of the error, or the name and algorithm
	}{
		"a secret":             {Key{Name: "k.example"}, good + "\r\n", "k.example hmac-sha256"},
		"a secret, SHA-384":    {Key{Name: "K.example.", Algorithm: "HMAC-SHA384."}, "  " + good, "k.example hmac-sha384"},
		"a statement":          {Key{}, "# made\n/* by */" + statement, "k.example hmac-sha512"},
		"both":                 {Key{Name: "K.example.", Algorithm: "hmac-sha512"}, statement, "k.example hmac-sha512"},
		"without quotes":       {Key{}, "key k.example{algorithm hmac-sha224;secret " + good + ";}", "k.example hmac-sha224"},
		"another name":         {Key{Name: "l.example"}, statement, `name "k.example", declared is "l.example"`},
		"another algorithm":    {Key{Algorithm: "hmac-sha256"}, statement, `algorithm "hmac-sha512", declared is "hmac-sha256"`},
		"no name":              {Key{}, good, "has no name"},
		"empty":                {Key{Name: "k"}, "", "neither a secret"},
		"two secrets":          {Key{Name: "k"}, good + "\n" + good, "neither a secret"},
		"not base64":           {Key{Name: "k"}, "not-base64!", "not base64"},
		"too short":            {Key{Name: "k"}, "c2hvcnQ=", "5 octets, want 16"},
		"MD5":                  {Key{}, strings.Replace(statement, "hmac-sha512", "hmac-md5", 1), "too weak"},
		"two keys":             {Key{}, statement + statement, "one key a file"},
		"no end":               {Key{}, strings.Replace(statement, "}", "", 1), "does not end"},
		"no semicolon":         {Key{}, strings.Replace(statement, "sha512;", "sha512", 1), "; is missing"},
		"no secret":            {Key{}, "key k { algorithm hmac-sha256; };", "no secret"},
		"something else":       {Key{}, "key k { server 192.0.2.1; };", "neither algorithm nor secret"},
		"a quote without end":  {Key{}, "key \"k", "does not end"},
		"a file of everything": {Key{Name: "k"}, strings.Repeat("A", maxKeyFile+1), "more than 8192 octets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.key.SecretFile = filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(test.key.SecretFile, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			key, err := test.key.load()
			var got string
			if err != nil {
				got = err.Error()
			} else {
				got = key.name.String() + " " + key.algorithm.String()
			}
			if !strings.Contains(got, test.want) || strings.Contains(got, good) || strings.Contains(got, "c2hv") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if _, err := (&Key{Name: "k", SecretFile: t.TempDir()}).load(); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a directory: %v", err)
	}
}

// FuzzKeyFile: a key that is read is whole, and the same key when it is written as BIND does.
func FuzzKeyFile(f *testing.F) {
	for _, text := range []string{
		"c2VjcmV0", "key \"a.example\" { algorithm hmac-sha256; secret \"c2VjcmV0\"; };", "key a { secret x; algorithm y; }",
		"# x\n// y\n/* z */ key a {\n\talgorithm hmac-sha512;\n\tsecret \"x==\";\n};\n", "key a { algorithm", "key \"a", "/*", "key a { secret ; algorithm ; };", ";", "key } { algorithm { ; secret { ; } ;",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := parseKey(text)
		if err != nil || key.name == "" {
			return
		}
		if key.secret == "" || key.algorithm == "" {
			t.Fatalf("%q: a key without %+v", text, key)
		}
		again, err := parseKey(fmt.Sprintf("key \"%s\" {\n\talgorithm \"%s\";\n\tsecret \"%s\";\n};\n", key.name, key.algorithm, key.secret))
		if !strings.Contains(key.name+key.algorithm+key.secret, `"`) && (err != nil || again != key) {
			t.Errorf("%q: got %+v, and then %+v, %v", text, key, again, err)
		}
	})
}

// FuzzRecord: a record that is taken is the same record again when it was written as text, and miekg/dns reads that text.
func FuzzRecord(f *testing.F) {
	for _, text := range []string{
		"a.rpz.example. 60 IN CNAME .", "rpz.example. 1 IN SOA a. b. 1 2 3 4 5", `\000\001.b\..rpz.example. 1 IN TXT "a" "\"\\;\200"`,
		"x.rpz.example. 1 IN SRV 1 2 3 A.example.", "x.rpz.example. 1 IN NAPTR 1 2 \"u\" \"e\" \"!\" A.example.", "x.rpz.example. 1 IN HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1",
		"x.rpz.example. 1 IN RRSIG A 13 1 86400 20300101000000 20200101000000 1 Example. AAAA", "x.rpz.example. 1 IN LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
		"x.rpz.example. 1 IN CAA 0 issue \"ca.example\"", "x.rpz.example. 1 IN TYPE65400 \\# 3 010203", "x.rpz.example. 1 IN AAAA ::ffff:192.0.2.1",
	} {
		m := dns.Msg{Answer: []dns.RR{mustRR(text)}}
		packed, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	zone := domain.MustParse("rpz.example")
	f.Fuzz(func(t *testing.T, octets []byte) {
		m, err := parseMessage(octets)
		if err != nil {
			return
		}
		for at, i := m.records, 0; i < m.answers; i++ {
			raw, _ := m.record(at)
			at = raw.end
			r, err := readRecord(nil, zone, &m, raw)
			if err != nil {
				continue
			}
			line := appendRecord(nil, zone, r.key, r.ttl)
			again, err := parseRecord(nil, bytes.TrimSuffix(line, []byte("\n")), zone)
			if err != nil || !bytes.Equal(again.key, r.key) || again.ttl != r.ttl || again.rtype != r.rtype || again.apex != r.apex {
				t.Fatalf("%q is not read as %x again, but as %x: %v", line, r.key, again.key, err)
			}
			if form, _ := canonicalLayout(r.rtype); form.rest < 0 {
				continue // what follows the name is not looked at
			}
			if _, err := dns.NewRR(string(line)); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
		}
	})
}

func mustRR(text string) dns.RR {
	rr, err := dns.NewRR(text)
	if err != nil {
		panic(err)
	}
	return rr
}

// FuzzDifferences applies differences, and does the same slowly with a map. Each octet of script is a record, or a SOA record.
func FuzzDifferences(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{0xFF, 1, 0xFF, 4, 5, 0xFF})
	f.Add([]byte{1, 2, 3}, []byte{1, 0xFF, 1, 0xFF, 1, 0xFF, 2, 0xFF})
	f.Add([]byte{}, []byte{0xFF, 9, 0xFF})
	f.Fuzz(func(t *testing.T, start, script []byte) {
		l := limits{count: 1000, size: 1 << 20}
		base, model := &records{limits: l}, map[byte]bool{}
		for _, b := range start {
			if b == 0xFF || base.add(octetRecord(b)) != nil {
				return
			}
			model[b] = true
		}
		base.sort()
		d, adding := newDelta(base), false
		for _, b := range script {
			if b == 0xFF {
				adding = !adding
				continue
			}
			change := d.remove
			if adding {
				change = d.add
			}
			if err := change(octetRecord(b)); (err == nil) != (model[b] != adding) {
				t.Fatalf("%d: %v", b, err)
			} else if err != nil {
				return
			}
			model[b] = adding
		}
		merged, err := d.apply()
		if err != nil {
			t.Fatal(err)
		}
		var got, want []byte
		for _, r := range merged.refs {
			got = append(got, merged.key(r)[0])
		}
		for b := range 0xFF {
			if model[byte(b)] {
				want = append(want, byte(b))
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func octetRecord(b byte) record { return record{key: []byte{b, 0, 0, 1, 192, 0, 2, b}, ttl: uint32(b)} }

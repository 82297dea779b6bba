package transfer_test

import (
	"slices"
	"strings"
	"testing"

	"cordon/blocklists/domain"
	"cordon/blocklists/transfer"
)

const (
	simpleZone = `example. 86400 IN SOA ns1.example. admin.example. 2018031900 1800 900 604800 86400
example. 86400 IN NS ns1.example.
example. 86400 IN NS ns2.example.
ns1.example. 3600 IN A 203.0.113.63
ns2.example. 3600 IN AAAA 2001:db8::63
`
	simpleDigest = "example. 86400 IN ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c\n"
	// complexZone is without the out-of-zone record, which no transfer may have.
	complexZone = `example. 86400 IN SOA ns1.example. admin.example. 2018031900 1800 900 604800 86400
example. 86400 IN NS ns1.example.
example. 86400 IN NS ns2.example.
example. 86400 IN ZONEMD 2018031900 1 1 a3b69bad980a3504e1cffcb0fd6397f93848071c93151f552ae2f6b1711d4bd2d8b39808226d7b9db71e34b72077f8fe
ns1.example. 3600 IN A 203.0.113.63
NS2.example. 3600 IN AAAA 2001:db8::63
occluded.sub.example. 7200 IN TXT "I'm occluded but must be digested"
sub.example. 7200 IN NS ns1.example.
duplicate.example. 300 IN TXT "I must be digested just once"
duplicate.example. 300 IN TXT "I must be digested just once"
UPPERCASE.example. 3600 IN TXT "canonicalize uppercase owner names"
*.example. 777 IN PTR dont-forget-about-wildcards.example.
mail.example. 3600 IN MX 20 MAIL1.example.
mail.example. 3600 IN MX 10 Mail2.Example.
sortme.example. 3600 IN AAAA 2001:db8::5:61
sortme.example. 3600 IN AAAA 2001:db8::3:62
sortme.example. 3600 IN AAAA 2001:db8::4:63
sortme.example. 3600 IN AAAA 2001:db8::1:65
sortme.example. 3600 IN AAAA 2001:db8::2:64
non-apex.example. 900 IN ZONEMD 2018031900 1 1 616c6c6f776564206275742069676e6f7265642e20616c6c6f776564206275742069676e6f7265642e20616c6c6f7765
`
	sha384  = "example. 86400 IN ZONEMD 2018031900 1 1 62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306\n"
	sha512  = "example. 86400 IN ZONEMD 2018031900 1 2 08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2fa9a5e6eb85f37c8a4e114d884e66f176eab121cb02db7d652e0cc4827e7a3204f166b47e5613fd27\n"
	private = "example. 86400 IN ZONEMD 2018031900 1 240 e2d523f654b9422a96c5a8f44607bbee\n"
	scheme  = "example. 86400 IN ZONEMD 2018031900 241 1 e1846540e33a9e4189792d18d5d131f605fc283e\n"
)

// The zones are those of RFC 8976, appendix A.
func TestZONEMD(t *testing.T) {
	t.Parallel()
	multiple := strings.Replace(simpleZone, "\nns1.", "\nNS1.", 1)
	otherSHA512 := strings.Replace(sha512, "08cf", "08ce", 1)
	const wrong = "is not what its ZONEMD record says"
	for name, test := range map[string]struct {
		zone     string
		policy   transfer.Digest
		want     string // of the error
		required string // of the error if a digest is required; want if ""
	}{
		"none":                        {zone: simpleZone, required: "no ZONEMD"},
		"simple":                      {zone: simpleZone + simpleDigest},
		"complex":                     {zone: complexZone},
		"the RRSIG of it is left out": {zone: simpleZone + simpleDigest + "example. 86400 IN RRSIG ZONEMD 13 1 86400 20300101000000 20200101000000 1 example. AAAA\n"},
		"another RRSIG is not":        {zone: simpleZone + simpleDigest + "example. 86400 IN RRSIG NS 13 1 86400 20300101000000 20200101000000 1 example. AAAA\n", want: wrong},
		"a record more":               {zone: simpleZone + simpleDigest + "a.example. 1 IN A 192.0.2.1\n", want: wrong},
		"another TTL":                 {zone: strings.Replace(simpleZone, "3600", "3601", 1) + simpleDigest, want: wrong},
		"another digest":              {zone: multiple + sha384 + sha512 + private + scheme, want: wrong},
		"unknown ones alone":          {zone: simpleZone + private + scheme, required: "no ZONEMD"},
		"one of two is right":         {zone: simpleZone + simpleDigest + otherSHA512},
		"another serial":              {zone: simpleZone + strings.Replace(simpleDigest, "2018031900", "2018031901", 1), want: "is of serial 2018031901, the zone of 2018031900"},
		"twins are none":              {zone: simpleZone + simpleDigest + strings.Replace(simpleDigest, "c680", "c681", 1), required: "no ZONEMD"},
		"cut short":                   {zone: simpleZone + simpleDigest[:len(simpleDigest)-9] + "\n", required: "no ZONEMD"},
		"ignored":                     {zone: complexZone + sha384, policy: transfer.DigestIgnored},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := strings.Split(strings.TrimSpace(test.zone), "\n")
			f := &fake{soa: records[0], axfr: [][]string{append(records, records[0])}}
			c := config(t, f)
			c.Zone, c.Digest = domain.MustParse("example"), test.policy
			checkError(t, fetch(t, newZone(t, c), nil), test.want)
			if test.policy == transfer.DigestIgnored {
				return
			}
			c.Digest = transfer.DigestRequired
			if test.required == "" {
				test.required = test.want
			}
			checkError(t, fetch(t, newZone(t, c), nil), test.required)
		})
	}
}

func checkError(t *testing.T, got fetched, want string) {
	t.Helper()
	if (got.err != nil) != (want != "") || got.err != nil && !strings.Contains(got.err.Error(), want) || (got.text == "") != (want != "") {
		t.Errorf("got %v, want %q", got.err, want)
	}
}

// An IXFR whose result does not have the digest is followed by an AXFR.
func TestZONEMDAfterIXFR(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(simpleZone+simpleDigest), "\n")
	oldSOA := strings.Replace(lines[0], "2018031900", "2018031899", 1)
	first := &fake{soa: oldSOA, axfr: [][]string{append([]string{oldSOA}, append(lines[1:4:4], oldSOA)...)}}
	c := config(t, first)
	c.Zone = domain.MustParse("example")
	old := fetch(t, newZone(t, c), nil)
	if old.err != nil {
		t.Fatal(old.err)
	}
	for name, test := range map[string]struct {
		added []string
		asked string
	}{
		"right": {lines[4:], "udp SOA,tcp IXFR"},
		"wrong": {[]string{lines[5], "ns2.example. 3600 IN AAAA 2001:db8::64"}, "udp SOA,tcp IXFR,tcp AXFR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{soa: lines[0], ixfr: [][]string{append([]string{lines[0], oldSOA, lines[0]}, append(slices.Clip(test.added), lines[0])...)}}
			f.axfr = [][]string{append(slices.Clip(lines), lines[0])}
			c := config(t, f)
			c.Zone, c.Digest = domain.MustParse("example"), transfer.DigestRequired
			got := fetch(t, newZone(t, c), copyOf(t, old.text, "2018031899"))
			if asked := f.wasAsked(); got.err != nil || asked != test.asked || !strings.Contains(got.text, "2001:db8::63") {
				t.Errorf("asked %s, got %+v", asked, got)
			}
		})
	}
}

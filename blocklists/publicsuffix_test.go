package blocklists_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"

	"cordon/blocklists"
	"cordon/blocklists/domain"
)

func TestSuffixFilterIsOfThisVersion(t *testing.T) {
	t.Parallel()
	if !blocklists.FiltersSuffixes() {
		t.Error("golang.org/x/net has another public suffix list: run go generate in blocklists")
	}
}

// TestSuffixFilterHidesNoSuffix asks the library about names all over its list: every top-level domain with the labels that suffixes have.
func TestSuffixFilterHidesNoSuffix(t *testing.T) {
	t.Parallel()
	labels := strings.Fields("com co org net edu gov ac go ne or city blogspot github s3 compute elb kawasaki tokyo oslo vgs asn id nom sch www " +
		"cloudfront appspot web pages herokuapp azurewebsites eu us-east-1 k12 lib cc state ca pvt gs hamar vercel netlify workers r2 lambda-url")
	zones := strings.Fields("com net org io ck jp uk us br no au in tr app dev cloud co.uk com.au kawasaki.jp amazonaws.com amazonaws.com.cn " +
		"k12.ca.us us-east-1.amazonaws.com compute.amazonaws.com er fk mm np pg bd kh xn--fiqs8s github.io elb.amazonaws.com on.aws")
	suffixes := 0
	check := func(text string) {
		suffix, _ := publicsuffix.PublicSuffix(text)
		if got := blocklists.IsPublicSuffix(domain.MustParse(text)); got != (suffix == text) {
			t.Errorf("%s is a public suffix: %t, want %t", text, got, !got)
		} else if got {
			suffixes++
		}
	}
	for _, zone := range zones {
		check(zone)
		for _, label := range labels {
			check(label + "." + zone)
			check("any." + label + "." + zone)
		}
	}
	r := rand.New(rand.NewPCG(5, 5))
	for range 20_000 {
		check(labels[r.IntN(len(labels))] + "." + labels[r.IntN(len(labels))] + "." + zones[r.IntN(len(zones))])
	}
	if suffixes < 200 {
		t.Errorf("met %d suffixes, want hundreds", suffixes)
	}
}

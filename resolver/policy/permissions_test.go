package policy_test

import (
	"fmt"
	"testing"

	"cordon/resolver/policy"
)

// crowd is an agency with n exceptions for single names of its ban.
func crowd(t testing.TB, n int) (*policy.Snapshot, *policy.Asker) {
	conf := world(t)
	for i := range n {
		exceptions(policy.Exception{Name: fmt.Sprintf("name-%d", i), Names: names(fmt.Sprintf("n%d.tiktok.com", i))})(conf)
	}
	s := compile(t, conf)
	return s, asker(t, s, "10.10.1.1")
}

func TestEachOfManyExceptionsLifts(t *testing.T) {
	const n = 1000
	s, a := crowd(t, n)
	for i := range n {
		v := s.Decide(a, wire(fmt.Sprintf("www.n%d.tiktok.com", i)), noon)
		if v.Action != policy.Except || v.Exception.Name != fmt.Sprintf("name-%d", i) {
			t.Fatalf("n%d.tiktok.com: %v by %v, want the exception name-%[1]d", i, v.Action, v.Exception)
		}
	}
	if v := s.Decide(a, wire("www.tiktok.com"), noon); v.Action != policy.Refuse {
		t.Errorf("a name of no exception: %v, want refuse", v.Action)
	}
	if got := len(a.Exceptions()); got != n {
		t.Errorf("%d exceptions, want %d", got, n)
	}
}

func BenchmarkDecideAmongExceptions(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		s, a := crowd(b, n)
		for _, text := range []string{"www.tiktok.com", "www.n0.tiktok.com"} {
			b.Run(fmt.Sprintf("%d/%s", n, text), func(b *testing.B) {
				name := wire(text)
				for b.Loop() {
					s.Decide(a, name, noon)
				}
			})
		}
	}
}

package histogram_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"cordon/resolver/histogram"
)

var desc = prometheus.NewDesc("took_seconds", "How long it took.", []string{"label"}, nil)

func written(t testing.TB, hs ...*histogram.Histogram) *dto.Histogram {
	t.Helper()
	metric, err := histogram.Metric(desc, time.Unix(1, 0), hs, "value")
	if err != nil {
		t.Fatal(err)
	}
	var out dto.Metric
	if err := metric.Write(&out); err != nil {
		t.Fatal(err)
	}
	if len(out.GetLabel()) != 1 || out.GetLabel()[0].GetValue() != "value" {
		t.Errorf("labels %v, want that of the caller", out.GetLabel())
	}
	return out.GetHistogram()
}

// ofTheLibrary is a histogram of client_golang's own with the same scales, the oracle.
func ofTheLibrary() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "took_seconds", Help: "How long it took.", Buckets: prometheus.ExponentialBuckets(0.00003125, 2, 19),
		NativeHistogramBucketFactor: 1.1, NativeHistogramZeroThreshold: math.Ldexp(1, -20),
	})
}

// durations are every bound and its neighbours, and some by chance, from nothing to 16 s.
func durations() []time.Duration {
	all := []time.Duration{0, 1, 953, 954, 16 * time.Second}
	for i := -20 * 8; i <= 4*8; i++ {
		bound := time.Duration(math.Exp2(float64(i)/8) * 1e9)
		all = append(all, bound-1, bound, bound+1)
	}
	for bound := 31250 * time.Nanosecond; bound < 16*time.Second; bound *= 2 {
		all = append(all, bound-1, bound, bound+1)
	}
	dice := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		all = append(all, time.Duration(math.Exp2(dice.Float64()*34)))
	}
	return all
}

// Each duration by itself, and all together, are in the buckets in which client_golang puts them.
func TestBucketsAreThoseOfTheLibrary(t *testing.T) {
	all, oracle := new(histogram.Histogram), ofTheLibrary()
	for _, took := range durations() {
		if took > 16*time.Second {
			continue
		}
		one, want := new(histogram.Histogram), ofTheLibrary()
		one.Add(took, 1)
		want.Observe(took.Seconds())
		all.Add(took, 1)
		oracle.Observe(took.Seconds())
		if t.Failed() {
			return
		}
		same(t, took.String(), written(t, one), fromTheLibrary(t, want))
	}
	same(t, "all", written(t, all), fromTheLibrary(t, oracle))
}

func fromTheLibrary(t testing.TB, h prometheus.Histogram) *dto.Histogram {
	t.Helper()
	var out dto.Metric
	if err := h.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetHistogram()
}

func same(t *testing.T, what string, got, want *dto.Histogram) {
	t.Helper()
	if got.GetSampleCount() != want.GetSampleCount() || math.Abs(got.GetSampleSum()-want.GetSampleSum()) > 1e-6 {
		t.Errorf("%s: %d in %v s, want %d in %v s", what, got.GetSampleCount(), got.GetSampleSum(), want.GetSampleCount(), want.GetSampleSum())
	}
	if len(got.GetBucket()) != len(want.GetBucket()) {
		t.Fatalf("%s: %d classic buckets, want %d", what, len(got.GetBucket()), len(want.GetBucket()))
	}
	for i, bucket := range want.GetBucket() {
		if g := got.GetBucket()[i]; g.GetUpperBound() != bucket.GetUpperBound() || g.GetCumulativeCount() != bucket.GetCumulativeCount() {
			t.Errorf("%s: classic bucket %d: %v, want %v", what, i, g, bucket)
		}
	}
	if got.GetSchema() != want.GetSchema() || got.GetZeroThreshold() != want.GetZeroThreshold() || got.GetZeroCount() != want.GetZeroCount() {
		t.Errorf("%s: schema %d, zero threshold %v, zero count %d; want %d, %v, %d", what, got.GetSchema(), got.GetZeroThreshold(),
			got.GetZeroCount(), want.GetSchema(), want.GetZeroThreshold(), want.GetZeroCount())
	}
	g, w := buckets(got), buckets(want)
	for i := range g {
		if g[i] != w[i] {
			t.Errorf("%s: native bucket %d has %d, want %d", what, i, g[i], w[i])
		}
	}
	if len(g) != len(w) {
		t.Errorf("%s: %d native buckets, want %d", what, len(g), len(w))
	}
}

// buckets are the native buckets that are not empty, by their numbers.
func buckets(h *dto.Histogram) map[int32]int64 {
	all := map[int32]int64{}
	var index int32
	var n int64
	deltas := h.GetPositiveDelta()
	for _, span := range h.GetPositiveSpan() {
		index += span.GetOffset()
		for range span.GetLength() {
			n += deltas[0]
			deltas = deltas[1:]
			if n > 0 {
				all[index] = n
			}
			index++
		}
	}
	return all
}

func TestWhatIsOutsideTheScaleIsCounted(t *testing.T) {
	h := new(histogram.Histogram)
	h.Add(-time.Second, 2)
	h.Add(time.Hour, 3)
	h.Add(time.Second, 0)
	h.Add(time.Second, -1)
	got := written(t, h)
	if got.GetSampleCount() != 5 || got.GetZeroCount() != 2 || got.GetSampleSum() != 3*3600 || buckets(got)[4*8] != 3 {
		t.Errorf("got %v, want two of no time and three above all bounds", got)
	}
	last := got.GetBucket()[len(got.GetBucket())-1]
	if last.GetUpperBound() != 8.192 || last.GetCumulativeCount() != 2 {
		t.Errorf("the last classic bucket is %v, want 2 up to 8.192 s", last)
	}
}

// A scrape in the middle of it all adds up.
func TestMetricAmongManyWhoAdd(t *testing.T) {
	hs := []*histogram.Histogram{new(histogram.Histogram), new(histogram.Histogram)}
	const each = 2000
	var all sync.WaitGroup
	for _, h := range append(hs, hs...) {
		all.Go(func() {
			for i := range each {
				h.Add(time.Duration(i)*time.Microsecond, 3)
			}
		})
	}
	for range 50 {
		got := written(t, hs...)
		sum := got.GetZeroCount()
		for _, n := range buckets(got) {
			sum += uint64(n)
		}
		if sum != got.GetSampleCount() {
			t.Fatalf("%d in buckets, %d in all", sum, got.GetSampleCount())
		}
	}
	all.Wait()
	if got := written(t, hs...); got.GetSampleCount() != 4*3*each {
		t.Errorf("%d, want %d", got.GetSampleCount(), 4*3*each)
	}
}

func TestWrongLabelsAreAnError(t *testing.T) {
	if _, err := histogram.Metric(desc, time.Unix(1, 0), nil, "one", "too many"); err == nil {
		t.Error("no error")
	}
}

func BenchmarkAdd(b *testing.B) {
	h := new(histogram.Histogram)
	for b.Loop() {
		h.Add(87*time.Microsecond, 8)
	}
}

func BenchmarkAddAndReadTheClock(b *testing.B) {
	h, begun := new(histogram.Histogram), time.Now()
	for b.Loop() {
		h.Add(time.Since(begun), 8)
	}
}

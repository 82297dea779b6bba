package selftest_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cordon/blocklists"
	"cordon/cmd/cordon/selftest"
	"cordon/resolver"
	"cordon/resolver/cache"
	"cordon/resolver/limit"
	"cordon/resolver/listen"
	"cordon/resolver/policy"
	"cordon/resolver/upstream"
)

// world is a whole server without files, and its tester.
type world struct {
	*testing.T
	resolver *resolver.Resolver
	server   *listen.Server
	tester   *selftest.Tester
	asked    atomic.Int64 // questions to upstreams
	others   atomic.Uint64
	looked   func() // at what is in force; nil: nothing comes of it
	log      safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Ask is an upstream that fails.
func (w *world) Ask(_ upstream.Question, _ time.Time, done func(upstream.Result)) {
	w.asked.Add(1)
	done(upstream.Result{Err: &upstream.Error{Kind: upstream.Timeout}})
}

// newWorld serves on addresses, by default one of IPv4 with a free port.
func newWorld(t *testing.T, rules limit.Rules, addresses ...string) *world {
	t.Helper()
	w := &world{T: t}
	if len(addresses) == 0 {
		addresses = []string{"127.0.0.1:0"}
	}
	config := listen.Config{Workers: 1, Rate: limit.New(rules)}
	for _, a := range addresses {
		config.Addresses = append(config.Addresses, netip.MustParseAddrPort(a))
	}
	answers, err := cache.New(cache.Config{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if w.resolver, err = resolver.New(resolver.Config{Cache: answers, Workers: config.Listeners()}); err != nil {
		t.Fatal(err)
	}
	if err := w.resolver.Configure(resolver.Routing{Default: resolver.Route{Zone: "\x00", Upstreams: w}}); err != nil {
		t.Fatal(err)
	}
	w.tester = selftest.New(selftest.Config{
		Addresses: func() []netip.AddrPort { return w.server.Addrs() },
		InForce: func() (*policy.Snapshot, policy.Instant) {
			if w.looked != nil {
				w.looked()
			}
			return w.resolver.Snapshot(), w.resolver.Instant(time.Now())
		},
		Read: w.others.Load,
		Log:  slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	w.tester.Hurry(200 * time.Millisecond)
	config.Handler, config.Self = w.resolver, w.tester
	if w.server, err = listen.New(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.server.Close)
	return w
}

// serve reads the sockets until the test ends.
func (w *world) serve() {
	ctx, stop := context.WithCancel(w.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.server.Run(ctx)
	}()
	w.Cleanup(func() { stop(); <-ended })
}

func (w *world) publish(c policy.Config) {
	w.Helper()
	w.resolver.Publish(compile(w, c))
	w.tester.Publish(c)
}

// want says what outcomes there are: "agency expect" for what is right, with a ! before it for what is not; and what keeps from being ready.
func (w *world) want(ready string, outcomes ...string) {
	w.Helper()
	var got []string
	for _, o := range w.tester.Outcomes() {
		text := o.Agency + " " + o.Expect
		if !o.OK {
			text = "!" + text
		}
		if o.OK != (o.Reason == "") || o.At.IsZero() || o.Since.IsZero() || o.Since.After(o.At) {
			w.Errorf("found %+v", o)
		}
		got = append(got, text)
	}
	if strings.Join(got, ", ") != strings.Join(outcomes, ", ") {
		w.Errorf("found %q, want %q\n%s", got, outcomes, w.log.String())
	}
	wrong := ""
	if err := w.tester.Ready(); err != nil {
		wrong = err.Error()
	}
	if ready == "" && wrong != "" || !strings.Contains(wrong, ready) {
		w.Errorf("ready: %q, want %q", wrong, ready)
	}
}

// gathered are the values of c by metric and labels.
func gathered(t testing.TB, c prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var key strings.Builder
			key.WriteString(family.GetName())
			for _, label := range m.GetLabel() {
				key.WriteString(" " + label.GetValue())
			}
			values[key.String()] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

func list(t testing.TB, name string, names ...string) *blocklists.List {
	t.Helper()
	l, err := blocklists.Load(context.Background(), blocklists.Source{Name: name, Inline: names}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func compile(t testing.TB, c policy.Config) *policy.Snapshot {
	t.Helper()
	s, err := policy.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func networks(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// ministries has agencies of all kinds.
func ministries(t testing.TB, id uint64) policy.Config {
	until := time.Now().Add(24 * time.Hour)
	return policy.Config{
		ID:    id,
		Lists: []*blocklists.List{list(t, "tiktok", "tiktok.com", "musical.ly"), list(t, "other", "bytedance.com")},
		Policies: []policy.Policy{
			{Name: "ban", Lists: []string{"tiktok"}},
			{Name: "later", Lists: []string{"other"}, From: until},
			{Name: "advice", Lists: []string{"other"}, Recommendation: true},
		},
		Agencies: []policy.Agency{
			{Name: "federal", Networks: networks("10.10.0.0/16", "2001:db8:10::/48"), Policies: []string{"ban"}},
			{Name: "defence", Parent: "federal", Networks: networks("10.10.0.0/24")},
			{Name: "byod", Parent: "federal", Networks: networks("10.10.200.0/22"), Mode: policy.ObserveOnly},
			{Name: "police", Networks: networks("10.20.0.0/16"), Policies: []string{"ban"}},
			{Name: "press", Networks: networks("10.30.0.0/16"), Policies: []string{"ban"}},
			{Name: "future", Networks: networks("10.40.0.0/16"), Policies: []string{"later", "advice"}},
			{Name: "nobody"},
		},
		Exceptions: []policy.Exception{
			{Name: "all", Agency: "police", Until: until},
			{Name: "one", Agency: "press", Clients: networks("10.30.0.0/17"), Until: until},
		},
	}
}

var rightOutcomes = []string{
	"byod pass", "defence refuse", "defence pass", "federal refuse", "federal pass", "future pass", "police pass", "press refuse", "press pass",
}

// Each agency is refused what is written, and nothing of that is counted as clients' traffic or asked of an upstream.
func TestEachAgencyIsAnsweredAsItMust(t *testing.T) {
	addresses := []string{"127.0.0.1:0", "0.0.0.0:0"}
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		_ = l.Close()
		addresses = append(addresses, "[::1]:0")
	}
	w := newWorld(t, limit.Rules{}, addresses...)
	w.want("has not passed yet")
	w.serve()
	w.publish(ministries(t, 1))
	for range 3 { // each by another address
		if pause := w.tester.Test(t.Context()); pause != time.Minute {
			t.Errorf("the next round is in %s, want a minute", pause)
		}
		w.want("", rightOutcomes...)
	}
	for _, o := range w.tester.Outcomes() {
		if want := map[string]string{"refuse": "tiktok.com", "pass": neutral(w)}[o.Expect]; o.Name != want {
			t.Errorf("%s was asked for %s, want %s", o.Agency, o.Name, want)
		}
	}
	if n := w.server.Queries(); n != 0 {
		t.Errorf("%d queries are counted", n)
	}
	if n := len(w.resolver.Counts()) + len(w.resolver.Uses()); n != 0 {
		t.Errorf("%d verdicts and uses are counted", n)
	}
	for name, n := range gathered(t, w.resolver) {
		if n != 0 && (strings.HasPrefix(name, "cordon_dns_") || strings.HasPrefix(name, "cordon_cache_")) {
			t.Errorf("%s is %v", name, n)
		}
	}
	for name, n := range gathered(t, w.server.Collector()) {
		if n != 0 && strings.HasPrefix(name, "cordon_dns_request_duration_seconds") {
			t.Errorf("%s has %v answers", name, n)
		}
	}
	if n := w.asked.Load(); n != 0 {
		t.Errorf("upstreams were asked %d questions", n)
	}
	if text := w.log.String(); text != "" {
		t.Errorf("logged: %s", text)
	}
}

// A server that lets pass what it must refuse is not ready at once, and ready as soon as it is mended. The policy that answers need not have
// another number for that.
func TestProtectionThatIsOffIsFound(t *testing.T) {
	w := newWorld(t, limit.Rules{})
	w.serve()
	c := ministries(t, 1)
	w.publish(c)
	w.tester.Test(t.Context())
	w.want("", rightOutcomes...)
	since := w.tester.Outcomes()[1].Since

	broken := c
	broken.Lists = []*blocklists.List{list(t, "tiktok", "unknown.example"), list(t, "other", "bytedance.com")}
	w.resolver.Publish(compile(t, broken))
	if pause := w.tester.Test(t.Context()); pause > 5*time.Second {
		t.Errorf("the next round is in %s, want it soon", pause)
	}
	w.want("an answer for 3 agencies where policy refuses",
		"byod pass", "!defence refuse", "defence pass", "!federal refuse", "federal pass", "future pass", "police pass", "!press refuse", "press pass")
	if o := w.tester.Outcomes()[1]; !o.Since.After(since) || !strings.Contains(o.Reason, "found RCODE 0 with 0 records and EDE 0, want a refusal") {
		t.Errorf("found %+v", o)
	}
	if n := gathered(t, w.tester)["cordon_selftest_failures_total refuse"]; n < 3 {
		t.Errorf("%v failures are counted", n)
	}
	w.resolver.Publish(compile(t, c))
	w.tester.Test(t.Context())
	w.want("", rightOutcomes...)
	for _, words := range []string{"agency=defence expect=refuse", "not ready", "ready again", "as it must be again"} {
		if !strings.Contains(w.log.String(), words) {
			t.Errorf("%q is not logged:\n%s", words, w.log.String())
		}
	}
	if strings.Contains(w.log.String(), "tiktok") {
		t.Errorf("a name is logged:\n%s", w.log.String())
	}
}

// neutral is the name that must pass, as the outcomes have it.
func neutral(w *world) string {
	for _, o := range w.tester.Outcomes() {
		if o.Expect == selftest.Pass && strings.HasPrefix(o.Name, "must-pass-") && strings.HasSuffix(o.Name, ".example") {
			return o.Name
		}
	}
	w.Fatal("no name was asked for that must pass")
	return ""
}

// Who writes a list can't know what must pass, and so can't take the servers that follow it out of service by listing it.
func TestNoListHasWhatMustPass(t *testing.T) {
	names := map[string]bool{"must-pass.example": true}
	for range 3 {
		w := newWorld(t, limit.Rules{})
		w.serve()
		c := ministries(t, 1)
		listed := []string{"tiktok.com"}
		for name := range names {
			listed = append(listed, name)
		}
		c.Lists = []*blocklists.List{list(t, "tiktok", listed...), c.Lists[1]}
		w.publish(c)
		w.tester.Test(t.Context())
		w.want("", rightOutcomes...)
		names[neutral(w)] = true
	}
}

// So is one that refuses everything, or whoever asks.
func TestWhatMustPassPasses(t *testing.T) {
	w := newWorld(t, limit.Rules{})
	w.serve()
	c := ministries(t, 1)
	w.publish(c)
	broken := c
	w.tester.Test(t.Context())
	broken.Lists = []*blocklists.List{list(t, "tiktok", "tiktok.com", "="+neutral(w)), c.Lists[1]}
	w.resolver.Publish(compile(t, broken))
	w.tester.Test(t.Context())
	w.want("was refused for 3 agencies what nothing bans",
		"byod pass", "defence refuse", "!defence pass", "federal refuse", "!federal pass", "future pass", "police pass", "press refuse", "!press pass")
	strange := policy.Config{ID: 1, Agencies: []policy.Agency{{Name: "elsewhere", Networks: networks("192.0.2.0/24")}}}
	w.resolver.Publish(compile(t, strange))
	w.tester.Test(t.Context())
	w.want("an answer for 3 agencies where policy refuses",
		"!byod pass", "!defence refuse", "!defence pass", "!federal refuse", "!federal pass", "!future pass", "!police pass", "!press refuse", "!press pass")
}

// What comes by a reload while it is asked is no mistake.
func TestReloadsRaiseNoAlarm(t *testing.T) {
	w := newWorld(t, limit.Rules{})
	w.serve()
	w.publish(ministries(t, 1))
	for n := range uint64(200) {
		next := ministries(t, n+2)
		if n%2 == 0 {
			next.Policies[0].Recommendation = true
		}
		published := make(chan struct{})
		go func() {
			defer close(published)
			w.publish(next)
		}()
		w.tester.Test(t.Context())
		<-published
		if err := w.tester.Ready(); err != nil {
			t.Fatalf("reload %d: %v\n%s", n, err, w.log.String())
		}
	}
}

// Nor is what the tester hears of late: a round begins and ends while another policy than the one that it goes by is in force.
func TestALatePlanRaisesNoAlarm(t *testing.T) {
	w := newWorld(t, limit.Rules{})
	w.serve()
	w.publish(ministries(t, 1))
	next := ministries(t, 2)
	next.Policies[0].Recommendation = true
	w.resolver.Publish(compile(t, next))
	looks := 0
	w.looked = func() {
		if looks++; looks == 6 { // in the second round
			w.tester.Publish(next)
		}
	}
	w.tester.Test(t.Context())
	if err := w.tester.Ready(); err != nil || looks < 6 {
		t.Errorf("%v after %d looks\n%s", err, looks, w.log.String())
	}
}

// Nor is a policy or an exception that begins or ends meanwhile.
func TestBoundariesRaiseNoAlarm(t *testing.T) {
	w := newWorld(t, limit.Rules{})
	w.serve()
	for n := range 200 {
		c := ministries(t, uint64(n)+1)
		boundary := time.Now().Add(time.Millisecond + time.Duration(n)*10*time.Microsecond)
		switch n % 3 {
		case 0:
			c.Policies[0].From = boundary
		case 1:
			c.Policies[0].Until = boundary
		default:
			c.Exceptions[0].From = boundary
		}
		w.publish(c)
		for range 3 {
			w.tester.Test(t.Context())
			if err := w.tester.Ready(); err != nil {
				t.Fatalf("boundary %d: %v\n%s", n, err, w.log.String())
			}
		}
	}
}

// A server that reads nothing is not ready after some rounds, unless it reads what others ask: then it is flooded, and its own is lost. But
// it does not become ready by that.
func TestWhatIsLostCountsOnlyIfNobodyIsHeard(t *testing.T) {
	w := newWorld(t, limit.Rules{})
	w.serve()
	w.publish(ministries(t, 1))
	var nothing []string
	for _, right := range rightOutcomes {
		nothing = append(nothing, "!"+right)
	}
	w.tester.Hurry(1) // no answer comes in a nanosecond
	flooded := func() {
		t.Helper()
		w.others.Add(1)
		w.tester.Test(t.Context())
	}
	flooded()
	w.want("has not passed yet", nothing...)
	w.tester.Hurry(time.Second)
	w.tester.Test(t.Context())
	w.want("", rightOutcomes...)
	w.tester.Hurry(1)
	for range 5 {
		flooded()
		w.want("", nothing...)
	}
	for range 2 {
		w.tester.Test(t.Context())
		w.want("", nothing...)
	}
	w.tester.Test(t.Context())
	w.want("does not answer its own queries", nothing...)
	flooded()
	w.want("", nothing...)
	for range 3 {
		w.tester.Test(t.Context())
	}
	w.want("does not answer its own queries", nothing...)
	w.tester.Hurry(time.Second)
	w.tester.Test(t.Context())
	w.want("", rightOutcomes...)
}

// A rate that lets nobody ask lets us.
func TestNoRateKeepsUsFromAsking(t *testing.T) {
	w := newWorld(t, limit.Rules{PerSecond: 1, Burst: 1, IPv4Bits: 32})
	w.serve()
	w.publish(ministries(t, 1))
	for range 3 {
		w.tester.Test(t.Context())
		w.want("", rightOutcomes...)
	}
	for name, n := range gathered(t, w.server.Collector()) {
		if strings.HasPrefix(name, "cordon_dns_rate_limited_total") && n != 0 {
			t.Errorf("%s is %v", name, n)
		}
	}
}

// An address that is not of this host is not asked: another server may have it at the moment.
func TestAnAddressOfAnotherHostIsNotAsked(t *testing.T) {
	w := newWorld(t, limit.Rules{})
	elsewhere := selftest.New(selftest.Config{
		Addresses: func() []netip.AddrPort { return []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")} },
		InForce: func() (*policy.Snapshot, policy.Instant) {
			return w.resolver.Snapshot(), w.resolver.Instant(time.Now())
		},
		Read: func() uint64 { return 0 },
	})
	if conn, err := net.Dial("udp", "192.0.2.1:53"); err != nil {
		t.Skipf("there is no way to other hosts: %v", err)
	} else {
		_ = conn.Close()
	}
	w.publish(ministries(t, 1))
	elsewhere.Publish(ministries(t, 1))
	elsewhere.Test(t.Context())
	if err := elsewhere.Ready(); err != nil || len(elsewhere.Outcomes()) != 0 {
		t.Errorf("ready: %v, outcomes %v", err, elsewhere.Outcomes())
	}
	if err := elsewhere.Alive(t.Context(), time.Second); err != nil {
		t.Error(err)
	}
}

// manyAgencies are agencies with a network each, and one ban for all of them.
func manyAgencies(t testing.TB, n int) policy.Config {
	t.Helper()
	c := policy.Config{
		ID: 1, Lists: []*blocklists.List{list(t, "tiktok", "tiktok.com")}, Policies: []policy.Policy{{Name: "ban", Lists: []string{"tiktok"}}},
	}
	for i := range n {
		network := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		c.Agencies = append(c.Agencies, policy.Agency{Name: "a" + string(rune('0'+i%10)) + network.Addr().String(), Networks: []netip.Prefix{network}})
	}
	return c
}

// Of very many agencies some have their turn each round, all of them in the end.
func TestManyAgenciesHaveTheirTurn(t *testing.T) {
	w := newWorld(t, limit.Rules{})
	w.serve()
	w.tester.Hurry(5 * time.Second)
	const many = 5000
	c := manyAgencies(t, many)
	w.publish(c)
	for _, want := range []int{2048, 4096, many} {
		w.tester.Test(t.Context())
		if got := len(w.tester.Outcomes()) / 2; got != want {
			t.Errorf("%d agencies were asked for, want %d", got, want)
		}
	}
}

// One that is answered wrongly keeps the server from being ready while others have their turn, too.
func TestAMistakeCountsUntilItsTurnComesAgain(t *testing.T) {
	w := newWorld(t, limit.Rules{})
	w.serve()
	w.tester.Hurry(5 * time.Second)
	c := manyAgencies(t, 3000)
	w.publish(c)
	broken := c
	broken.Agencies = slices.Clone(c.Agencies)
	broken.Agencies[1500].Mode = policy.Off // whose turn it is in the first round, not in the second, and in the third
	w.resolver.Publish(compile(t, broken))
	for range 2 {
		if pause := w.tester.Test(t.Context()); pause > 5*time.Second {
			t.Errorf("the next round is in %s, want it soon", pause)
		}
		if err := w.tester.Ready(); err == nil || !strings.Contains(err.Error(), "an answer for 1 agency where policy refuses") {
			t.Errorf("ready: %v", err)
		}
	}
	w.resolver.Publish(compile(t, c))
	w.tester.Test(t.Context())
	if err := w.tester.Ready(); err != nil {
		t.Error(err)
	}
}

// The first round is at once, the next after a minute, and one after a reload at once.
func TestRoundsComeEachMinuteAndAfterAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rounds []time.Duration
		begun := time.Now()
		tester := selftest.New(selftest.Config{
			Addresses: func() []netip.AddrPort { rounds = append(rounds, time.Since(begun)); return nil },
			InForce:   func() (*policy.Snapshot, policy.Instant) { return nil, policy.Instant{Now: time.Now()} },
			Read:      func() uint64 { return 0 },
		})
		c := policy.Config{ID: 1, Agencies: []policy.Agency{{Name: "a", Networks: networks("192.0.2.0/24")}}}
		tester.Publish(c)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			tester.Run(ctx)
		}()
		time.Sleep(130 * time.Second)
		tester.Publish(c)
		time.Sleep(30 * time.Second)
		stop()
		<-ended
		want := []time.Duration{0, time.Minute, 2 * time.Minute, 130 * time.Second}
		if len(rounds) != len(want) {
			t.Fatalf("rounds at %v, want %v", rounds, want)
		}
		for i := range want {
			if rounds[i] != want[i] {
				t.Errorf("rounds at %v, want %v", rounds, want)
			}
		}
	})
}

package querylog

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"cordon/blocklists/domain"
	"cordon/resolver"
	"cordon/resolver/policy"
	"cordon/resolver/wire"
)

var words = Words{
	Type:  func(n uint16) string { return dns.Type(n).String() },
	Class: func(n uint16) string { return dns.Class(n).String() },
	Rcode: func(n int) string { return dns.RcodeToString[n] },
}

// world is what verdicts refer to.
var world = struct {
	defence, press *policy.Agency
	ban            *policy.Policy
	phone          *policy.Exception
}{
	&policy.Agency{Name: "defence"}, &policy.Agency{Name: "press"}, &policy.Policy{Name: "ban"}, &policy.Exception{Name: "phone"},
}

// answered is a question of client with a verdict and an answer.
func answered(client, name string, v policy.Verdict, rcode wire.Rcode) resolver.Answered {
	asked := domain.MustParse(name)
	q := &wire.Query{Type: wire.TypeA, Class: wire.ClassINET, Client: netip.AddrPortFrom(netip.MustParseAddr(client), 5353), Now: time.Now()}
	q.Name = []byte(asked)
	if v.Name == nil && v.Policy != nil {
		v.Name = q.Name
	}
	return resolver.Answered{Query: q, Verdict: v, Message: []byte{0, 1, 0x81, 0x80 | byte(rcode), 0, 1, 0, 0, 0, 0, 0, 0}}
}

// refused is www.tiktok.com refused to client.
func refused(client string) resolver.Answered {
	return answered(client, "www.tiktok.com", policy.Verdict{
		Action: policy.Refuse, Agency: world.defence, Policy: world.ban, List: "tiktok", Start: 4,
	}, wire.NXDomain)
}

// passed is www.example answered to client.
func passed(client string) resolver.Answered {
	return answered(client, "www.example", policy.Verdict{Agency: world.press}, wire.Success)
}

// excepted is one that an exception let pass.
func excepted(client string) resolver.Answered {
	return answered(client, "www.tiktok.com", policy.Verdict{
		Action: policy.Except, Agency: world.defence, Policy: world.ban, Exception: world.phone, List: "tiktok", Start: 4,
	}, wire.Success)
}

// eventOf is a as an event.
func eventOf(a resolver.Answered) *event {
	e := new(event)
	e.set(&a)
	return e
}

// journal is a logger's lines.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// slowDisk is a disk that keeps what is written in memory, and waits or fails when it is told to.
type slowDisk struct {
	mu    sync.Mutex
	text  []byte
	gate  chan struct{} // what is written waits for it to close; nil: it does not wait
	fails error
	room  int // octets that it takes before it fails; 0: all
}

func (d *slowDisk) Write(p []byte) (int, error) {
	if d.gate != nil {
		<-d.gate
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails == nil {
		d.text = append(d.text, p...)
		return len(p), nil
	}
	n := min(len(p), d.room)
	d.text = append(d.text, p[:n]...)
	return n, d.fails
}

func (d *slowDisk) Close() error               { return nil }
func (d *slowDisk) Stat() (fs.FileInfo, error) { return os.Stat(os.TempDir()) }
func (d *slowDisk) Truncate(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.text = d.text[:size]
	return nil
}

func (d *slowDisk) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(d.text)
}

func (d *slowDisk) fail(err error, room int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails, d.room = err, room
}

var errFull = errors.New("no space left on device")

// newLog is a Log whose resolver is told of nothing but what wanted has then.
func newLog(t *testing.T, c Config) (l *Log, told *watched, j *journal) {
	t.Helper()
	told, j = new(watched), new(journal)
	c.Workers, c.Words, c.Hostname, c.Version, c.Log, c.Watch = 2, words, "ns1.example", "1.0", j.logger(), told.watch
	return New(c), told, j
}

// watched is what a resolver was last told to tell of.
type watched struct {
	mu      sync.Mutex
	actions []policy.Action
}

func (w *watched) watch(actions ...policy.Action) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.actions = actions
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprint(w.actions)
}

// total are the counts of an output in words.
func total(l *Log, name string) string {
	c := l.counts[name]
	return fmt.Sprintf("%d written, %d dropped, %d errors", c.written.Load(), c.dropped.Load(), c.errors.Load())
}

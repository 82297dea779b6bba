package listen_test

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"cordon/resolver/listen"
)

func TestDrainOfDatagrams(t *testing.T) { bothWays(t, testDrainOfDatagrams) }

func testDrainOfDatagrams(t *testing.T, batch int) {
	h := newHandler()
	s, stop := serve(t, listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 1, Batch: batch, Handler: h})
	addr := s.Addrs()[0]
	conn := dial(t, "udp", addr)
	send(t, conn, query(1, "slow.example"))
	waiting := <-h.started
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	for { // until the port refuses: then the server is draining
		tcp, err := dialOnce(addr.String())
		if err != nil {
			break
		}
		_ = tcp.Close()
	}
	select {
	case <-stopped:
		t.Fatal("Run returned before the reply")
	default:
	}
	waiting.answer()
	if id, _ := receive(t, conn); id != 1 {
		t.Errorf("got answer %d, want 1", id)
	}
	<-stopped
}

// Everything that a server and its clients held comes back.
func TestNothingIsLeftBehind(t *testing.T) {
	round := func() {
		h := newHandler()
		s, err := listen.New(listen.Config{Addresses: addrs("127.0.0.1:0"), Workers: 4, Handler: h})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		for range 20 {
			udp, tcp := dial(t, "udp", s.Addrs()[0]), dial(t, "tcp", s.Addrs()[0])
			send(t, udp, query(1, "slow.example"))
			send(t, tcp, framed(query(1, "slow.example"), query(2, "www.example")))
			(<-h.started).answer()
			(<-h.started).answer()
			receive(t, udp)
			readFramed(t, tcp)
			_ = udp.Close()
			_ = tcp.Close()
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	round()
	goroutines, files := runtime.NumGoroutine(), descriptors()
	round()
	limit := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > goroutines && time.Now().Before(limit) {
		runtime.Gosched()
	}
	if got := runtime.NumGoroutine(); got > goroutines {
		t.Errorf("%d goroutines, want %d as before", got, goroutines)
	}
	if got := descriptors(); got > files {
		t.Errorf("%d descriptors open, want %d as before", got, files)
	}
}

// descriptors is how many descriptors are open, or 0 where that is not to be known.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

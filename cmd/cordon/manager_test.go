//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// idleServer is a server that does not run, with a manager that hears what it tells.
func idleServer(t *testing.T) (*server, *net.UnixConn) {
	t.Helper()
	dir := t.TempDir()
	text := "listen: {dns: ['127.0.0.1:0'], admin: off}\nallow_clients: [192.0.2.0/24]\nupstreams: [{address: 192.0.2.53}]\n"
	if err := os.WriteFile(filepath.Join(dir, "cordon.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	short, err := os.MkdirTemp("", "m") //nolint:usetesting // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	heard, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(short, "s"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = heard.Close() })
	t.Setenv("NOTIFY_SOCKET", heard.LocalAddr().String())
	s, err := newServer(t.Context(), filepath.Join(dir, "cordon.yaml"), nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.listener.Close)
	return s, heard
}

// A server whose read loops stand still does not say that it is well; one that refuses whoever asks does.
func TestTheWatchdogIsToldOnlyWhatIsSo(t *testing.T) {
	s, heard := idleServer(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	const patience = 200 * time.Millisecond
	go s.assure(ctx, patience)
	var buf [64]byte
	if err := heard.SetReadDeadline(time.Now().Add(3 * patience)); err != nil {
		t.Fatal(err)
	}
	if n, err := heard.Read(buf[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("told %q (%v), though nobody reads the sockets", buf[:n], err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.listener.Run(ctx)
	}()
	if err := heard.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var counted [3]uint64
	for i := range counted {
		if n, err := heard.Read(buf[:]); err != nil || string(buf[:n]) != "WATCHDOG=1\n" {
			t.Errorf("told %q, %v", buf[:n], err)
		}
		counted[i] = s.listener.Queries() // with those that were read too late to be known as ours
	}
	if counted[1] != counted[2] {
		t.Errorf("%d queries are counted, then %d, though nobody else asks", counted[1], counted[2])
	}
	stop()
	<-ended
}

func TestWithoutAWatchdogNothingIsAsked(t *testing.T) {
	s, _ := idleServer(t)
	s.assure(t.Context(), 0) // returns
	if n := s.listener.Queries(); n != 0 {
		t.Errorf("%d queries", n)
	}
}

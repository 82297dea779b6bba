package systemd

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Notifier tells the manager how the process is. The zero Notifier, and nil, tell nobody. It is safe for concurrent use.
type Notifier struct {
	socket string // of the manager, "" for none
}

// NewNotifier is the way to the manager that the environment names.
func NewNotifier() *Notifier { return &Notifier{socket: os.Getenv("NOTIFY_SOCKET")} }

// Ready tells that the service is up, or that it has read its configuration again; status is one line for a person.
func (n *Notifier) Ready(status string) error { return n.tell("READY=1", statusLine(status)) }

// Reloading tells that the configuration is being read again. Ready ends that.
func (n *Notifier) Reloading() error {
	lines := []string{"RELOADING=1"}
	if now := monotonic(); now > 0 {
		lines = append(lines, fmt.Sprintf("MONOTONIC_USEC=%d", now.Microseconds()))
	}
	return n.tell(lines...)
}

// Status tells what is to be shown of the service, in one line.
func (n *Notifier) Status(status string) error { return n.tell(statusLine(status)) }

// Stopping tells that the service has begun to end.
func (n *Notifier) Stopping() error { return n.tell("STOPPING=1") }

// Alive tells that the service is well, see [Watchdog].
func (n *Notifier) Alive() error { return n.tell("WATCHDOG=1") }

// statusLine is status in one line that is not too long for a datagram, nor for a person.
func statusLine(status string) string {
	const most = 300 // octets
	if len(status) > most {
		status = strings.ToValidUTF8(status[:most], "") + " …"
	}
	return "STATUS=" + strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, status)
}

// tell sends lines as one datagram. It waits for a manager that is slow, but not for ever.
func (n *Notifier) tell(lines ...string) error {
	if n == nil || n.socket == "" {
		return nil
	}
	const patience = time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unixgram", n.socket) // an @ at its beginning is package net's, too
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	defer conn.Close()
	_ = conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}

// Watchdog is after how long without [Notifier.Alive] the manager ends the process; 0 if it does not look.
func Watchdog() time.Duration {
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	micros, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	const longest = int64(365 * 24 * time.Hour / time.Microsecond)
	if err != nil || micros <= 0 || micros > longest {
		return 0
	}
	return time.Duration(micros) * time.Microsecond
}

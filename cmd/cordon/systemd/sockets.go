package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// firstDescriptor is that of the first socket that is handed over, maxSockets how many there can be.
const firstDescriptor, maxSockets = 3, 1024

// Socket is one that was bound before the process began. One of the two is not nil, and belongs to whoever asked for it.
type Socket struct {
	Name   string       // FileDescriptorName= of its unit, else the unit's name; "" if it has none
	UDP    *net.UDPConn // of a ListenDatagram=
	Stream net.Listener // of a ListenStream=, TCP or a unix socket
}

// Addr is where it listens.
func (s *Socket) Addr() net.Addr {
	if s.UDP != nil {
		return s.UDP.LocalAddr()
	}
	return s.Stream.Addr()
}

// Close closes the socket for this process; the manager's own stays open.
func (s *Socket) Close() error {
	if s.UDP != nil {
		return s.UDP.Close()
	}
	return s.Stream.Close()
}

// Sockets are those that the manager hands to this process, in its order; none without a manager that does. It is asked once: a second
// call finds none, and a child process does not get them. An error leaves none open.
func Sockets() ([]Socket, error) {
	count, names, err := handed()
	if err != nil || count == 0 {
		return nil, err
	}
	all := make([]Socket, 0, count)
	for i := range count {
		name := ""
		if i < len(names) {
			name = names[i]
		}
		s, err := open(firstDescriptor+i, name)
		if err != nil {
			for j := range all {
				_ = all[j].Close()
			}
			return nil, err // what comes after it may not be ours
		}
		all = append(all, s)
	}
	return all, nil
}

// handed is how many sockets there are, with their names, by the environment, which is cleared of that.
func handed() (count int, names []string, err error) {
	pid, fds, list := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES")
	for _, v := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(v) // an error only for a name that is none
	}
	if fds == "" || pid != strconv.Itoa(os.Getpid()) {
		return 0, nil, nil // they are for a parent of ours
	}
	count, err = strconv.Atoi(fds)
	if err != nil || count < 0 || count > maxSockets {
		return 0, nil, fmt.Errorf("LISTEN_FDS is %q, want a number of sockets up to %d", fds, maxSockets)
	}
	if list != "" {
		names = strings.Split(list, ":")
	}
	return count, names, nil
}

// open is the socket with a descriptor, which is closed: package net has one of its own then, which no child gets.
func open(descriptor int, name string) (Socket, error) {
	if !isSocket(descriptor) {
		return Socket{}, fmt.Errorf("socket %d, %q: the descriptor is no socket", descriptor, name)
	}
	file := os.NewFile(uintptr(descriptor), name)
	defer file.Close()
	stream, err := net.FileListener(file)
	if err == nil && stream.Addr().Network() != "unixgram" {
		return Socket{Name: name, Stream: stream}, nil
	}
	if err == nil {
		_ = stream.Close()
	}
	conn, err := net.FilePacketConn(file)
	if err != nil {
		return Socket{}, fmt.Errorf("socket %d, %q: %w; want sockets of ListenDatagram= and ListenStream=", descriptor, name, err)
	}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		_ = conn.Close()
		return Socket{}, fmt.Errorf("socket %d, %q: found %s, want UDP for a ListenDatagram=", descriptor, name, conn.LocalAddr().Network())
	}
	return Socket{Name: name, UDP: udp}, nil
}

package upstream

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"cordon/resolver/syscalls"
)

func hostNetwork() network { return new(sockets) }

// sockets is a network of sockets that Go's poller knows nothing of: for it, each would be a goroutine that is woken for one datagram.
// They have an epoll descriptor, Go's poller waits for that, and one goroutine reads whatever there is:
//
//	socket ─┐
//	socket ─┼─▶ epoll ─▶ Go's poller ─▶ listen ─▶ port.heard
//	socket ─┘
//
// The descriptor and the goroutine are there as long as a socket is.
type sockets struct {
	mu    sync.Mutex
	epoll *os.File
	fd    int       // of epoll
	all   []*socket // by place, which is what epoll tells; nil: free
	free  []int     // places
}

// socket is a link.
type socket struct {
	network *sockets
	port    *port
	place   int

	mu     sync.Mutex // held during system calls: what is closed is another's
	fd     int
	closed bool
}

func (ss *sockets) open(to netip.AddrPort, p *port) (link, error) {
	fd, err := connect(to)
	if err != nil {
		return nil, err
	}
	s := &socket{network: ss, port: p, fd: fd}
	if err = ss.add(s); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return s, nil
}

// connect is a socket from a random port of the system's choice to an address.
func connect(to netip.AddrPort) (fd int, err error) {
	family, peer, err := sockaddr(to)
	if err != nil {
		return 0, err
	}
	fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	if err = unix.Connect(fd, peer); err != nil {
		_ = unix.Close(fd)
		return 0, os.NewSyscallError("connect", err)
	}
	return fd, nil
}

func sockaddr(to netip.AddrPort) (family int, peer unix.Sockaddr, err error) {
	if to.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}, nil
	}
	zone, err := zoneID(to.Addr().Zone())
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16(), ZoneId: zone}, err
}

// zoneID is the number of an interface, by its name or as it is; 0 for none.
func zoneID(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	i, err := net.InterfaceByName(zone)
	if err == nil {
		return uint32(i.Index), nil
	}
	if number, wrong := strconv.ParseUint(zone, 10, 32); wrong == nil {
		return uint32(number), nil
	}
	return 0, err
}

// add has s listened to.
func (ss *sockets) add(s *socket) error {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.epoll == nil {
		if err := ss.start(); err != nil {
			return err
		}
	}
	if len(ss.free) == 0 {
		ss.all = append(ss.all, nil)
		ss.free = append(ss.free, len(ss.all)-1)
	}
	last := len(ss.free) - 1
	s.place = ss.free[last]
	err := unix.EpollCtl(ss.fd, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.place)})
	if err != nil {
		ss.stopIfEmpty()
		return os.NewSyscallError("epoll_ctl", err)
	}
	ss.free = ss.free[:last]
	ss.all[s.place] = s
	return nil
}

// remove has s no longer listened to; the system does its part when s is closed.
func (ss *sockets) remove(s *socket) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.all[s.place] = nil
	ss.free = append(ss.free, s.place)
	ss.stopIfEmpty()
}

// start is done with mu held.
func (ss *sockets) start() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err = unix.SetNonblock(fd, true); err != nil { // so that package os gives it to Go's poller
		_ = unix.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	ss.epoll, ss.fd = os.NewFile(uintptr(fd), "epoll"), fd
	go ss.listen(ss.epoll)
	return nil
}

// stopIfEmpty is done with mu held.
func (ss *sockets) stopIfEmpty() {
	if len(ss.free) == len(ss.all) {
		_ = ss.epoll.Close() // ends listen
		ss.epoll, ss.all, ss.free = nil, nil, nil
	}
}

// listen reads from the sockets that have something, one datagram each, until epoll is closed.
func (ss *sockets) listen(epoll *os.File) {
	raw, err := epoll.SyscallConn()
	if err != nil {
		return // it is closed already
	}
	var (
		ready [64]unix.EpollEvent
		buf   [bufferLen]byte
		n     int
	)
	some := func(fd uintptr) bool {
		n, _ = unix.EpollWait(int(fd), ready[:], 0) // what can fail has not: it is an epoll descriptor
		return n > 0
	}
	for raw.Read(some) == nil {
		for _, event := range ready[:n] {
			if s := ss.at(int(event.Fd)); s != nil {
				s.receive(buf[:])
			}
		}
	}
}

// at is the socket at a place, nil if it has just been closed.
func (ss *sockets) at(place int) *socket {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if place >= len(ss.all) {
		return nil
	}
	return ss.all[place]
}

// receive takes what is there: a datagram, or an error. Only that the port of the server is closed is no reason to give s up.
func (s *socket) receive(buf []byte) {
	n, err := s.read(buf)
	switch {
	case err == nil:
		s.port.heard(buf[:n])
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR), errors.Is(err, net.ErrClosed):
	default:
		s.port.broke(os.NewSyscallError("read", err), !errors.Is(err, unix.ECONNREFUSED))
	}
}

func (s *socket) read(buf []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	n, errno := syscalls.Read(s.fd, buf)
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

// send sends again if it is told that the port of the server is closed: that was said of an earlier datagram and is forgotten by being
// told. If it is still so, this one learns it too, with all others.
func (s *socket) send(msg []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	_, errno := syscalls.Write(s.fd, msg)
	if errno == unix.ECONNREFUSED {
		_, errno = syscalls.Write(s.fd, msg)
	}
	if errno != 0 {
		return os.NewSyscallError("write", errno)
	}
	return nil
}

func (s *socket) close() {
	s.network.remove(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = unix.Close(s.fd)
}

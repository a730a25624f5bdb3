package bridge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// epollEvents is how many events one call of epoll_wait brings at most.
	epollEvents = 256
	// epollBuffer is what the sockets of one poller share to read into, one after the other.
	epollBuffer = 64 << 10
	// writeTimeout is how long the kernel goes on sending what a peer does not acknowledge. Pings go out every three
	// seconds, so a peer that is gone is noticed that soon after; the stock client has given up long before.
	writeTimeout = 30 * time.Second

	readEvents = unix.EPOLLIN | unix.EPOLLRDHUP
)

func newPoller(portable bool) (poller, error) {
	if portable {
		return newPortablePoller(), nil
	}
	return newEpoll()
}

// epoll is a poller with one goroutine for all its sockets, level-triggered. The epoll descriptor itself sits in
// Go's own poller, so that waiting costs no thread.
type epoll struct {
	file    *os.File // the epoll descriptor
	fd      int
	stopped chan struct{}

	// owned by run
	ready   [epollEvents]unix.EpollEvent
	scratch [epollBuffer]byte

	mu         sync.Mutex // guards the following
	closed     bool
	sockets    []*epollSocket // by slot
	free       []int32        // slots
	generation int32
}

func newEpoll() (*epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	// Only a non-blocking descriptor is taken into Go's poller.
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("set the epoll descriptor non-blocking: %w", err)
	}
	p := &epoll{file: os.NewFile(uintptr(fd), "epoll"), fd: fd, stopped: make(chan struct{})}
	go p.run()
	return p, nil
}

func (p *epoll) run() {
	defer close(p.stopped)
	wait, err := p.file.SyscallConn()
	if err != nil {
		return
	}
	for {
		var n int
		var failed error
		err := wait.Read(func(fd uintptr) bool {
			n, failed = epollWait(int(fd), p.ready[:])
			return n != 0
		})
		if err != nil || failed != nil {
			return // stop has closed the file
		}
		for i := range n {
			p.dispatch(&p.ready[i])
		}
	}
}

// epollWait asks without waiting.
func epollWait(fd int, ready []unix.EpollEvent) (int, error) {
	for {
		n, err := unix.EpollWait(fd, ready, 0)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func (p *epoll) dispatch(event *unix.EpollEvent) {
	s := p.socket(event.Fd, event.Pad)
	if s == nil {
		return // an earlier event of the same batch ended it
	}
	if event.Events&unix.EPOLLOUT != 0 {
		s.forget(unix.EPOLLOUT)
		s.handler.writable()
	}
	if event.Events&(unix.EPOLLIN|unix.EPOLLRDHUP) != 0 && s.isOpen() {
		n, err := read(s.fd, p.scratch[:])
		switch {
		case n > 0:
			s.handler.readable(p.scratch[:n])
			return // what else is there comes with the next round, after the other sockets' turn
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		default:
			p.hangup(s)
			return
		}
	}
	if event.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		p.hangup(s)
	}
}

func (p *epoll) socket(slot, generation int32) *epollSocket {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.sockets[slot]; s != nil && s.generation == generation {
		return s
	}
	return nil
}

// hangup does nothing the second time: a socket that is only just started may be stop's as well.
func (p *epoll) hangup(s *epollSocket) {
	p.mu.Lock()
	known := p.sockets[s.slot] == s
	if known {
		p.sockets[s.slot] = nil
		p.free = append(p.free, s.slot)
	}
	p.mu.Unlock()
	if !known {
		return
	}
	s.release()
	s.handler.hangup()
}

func (p *epoll) add(conn net.Conn, h handler) (socket, error) {
	if session, ok := conn.(*tls.Conn); ok {
		return p.addSecure(session, h)
	}
	return p.attach(conn, h)
}

func (p *epoll) attach(conn net.Conn, h handler) (*epollSocket, error) {
	fd, err := detach(conn)
	if err != nil {
		return nil, err
	}
	s := &epollSocket{poller: p, handler: h, fd: int32(fd), events: readEvents} //nolint:gosec // descriptors are an int32
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = unix.Close(fd)
		return nil, net.ErrClosed
	}
	if n := len(p.free); n > 0 {
		s.slot, p.free = p.free[n-1], p.free[:n-1]
		p.sockets[s.slot] = s
	} else {
		s.slot = int32(len(p.sockets)) //nolint:gosec // fewer sockets than descriptors, which are an int32
		p.sockets = append(p.sockets, s)
	}
	p.generation++
	s.generation = p.generation
	return s, nil
}

func (p *epoll) stop() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.file.Close() // wakes run
	<-p.stopped
	p.mu.Lock()
	left := slices.Clone(p.sockets) // no more come: run is gone and add refuses
	p.mu.Unlock()
	for _, s := range left {
		if s != nil {
			p.hangup(s)
		}
	}
}

// detach takes the descriptor out of a net.Conn and so off Go's poller, which would keep a record and wake a goroutine
// for it.
func detach(conn net.Conn) (int, error) {
	defer conn.Close() // the duplicate lives on
	source, ok := conn.(syscall.Conn)
	if !ok {
		return -1, fmt.Errorf("%T has no descriptor", conn)
	}
	raw, err := source.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("get the socket's descriptor: %w", err)
	}
	fd, failed := -1, error(nil)
	err = raw.Control(func(original uintptr) {
		fd, failed = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err = errors.Join(err, failed); err != nil {
		return -1, fmt.Errorf("duplicate the socket's descriptor: %w", err)
	}
	// Fails on a Unix socket, where the peer can't vanish without the kernel knowing.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(writeTimeout.Milliseconds()))
	return fd, nil
}

// epollSocket is a bare descriptor. Only the poller's goroutine closes it, and so may read it without mu.
type epollSocket struct {
	poller     *epoll
	handler    handler
	slot       int32
	generation int32

	mu      sync.Mutex // guards the following
	fd      int32      // -1 once released
	events  uint16     // what epoll is asked for
	shut    bool       // close was called
	started bool       // epoll knows it
}

func (s *epollSocket) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.shut
}

func (s *epollSocket) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = unix.Close(int(s.fd))
	s.fd, s.shut = -1, true
}

// start makes the socket known to epoll. Not before: epoll tells of a hangup whether one asks for it or not.
func (s *epollSocket) start() {
	s.mu.Lock()
	s.started = true
	event := unix.EpollEvent{Events: uint32(s.events), Fd: s.slot, Pad: s.generation}
	err := unix.EpollCtl(s.poller.fd, unix.EPOLL_CTL_ADD, int(s.fd), &event)
	s.mu.Unlock()
	if err != nil { // the kernel watches no more sockets, or the poller has been stopped
		s.poller.hangup(s)
	}
}

func (s *epollSocket) pauseReading() { s.forget(readEvents) }

func (s *epollSocket) resumeReading() { s.want(readEvents) }

func (s *epollSocket) awaitWritable() { s.want(unix.EPOLLOUT) }

func (s *epollSocket) want(events uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setEventsLocked(s.events | events)
}

func (s *epollSocket) forget(events uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setEventsLocked(s.events &^ events)
}

func (s *epollSocket) setEventsLocked(events uint16) {
	if s.fd < 0 || events == s.events {
		return
	}
	s.events = events
	if !s.started {
		return
	}
	event := unix.EpollEvent{Events: uint32(events), Fd: s.slot, Pad: s.generation}
	// It can only fail for a descriptor that is not there, which fd excludes, or for want of kernel memory, where
	// the next ping finds the socket.
	_ = unix.EpollCtl(s.poller.fd, unix.EPOLL_CTL_MOD, int(s.fd), &event)
}

func (s *epollSocket) touch() int { return int(s.generation) } // next to what mu guards

func (s *epollSocket) tryWrite(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return 0, net.ErrClosed
	}
	return written(send(s.fd, p))
}

func (s *epollSocket) writeAll(buffers net.Buffers) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return 0, net.ErrClosed
	}
	return written(unix.Writev(int(s.fd), buffers))
}

// written takes a full socket for what it is: nothing written, and no error.
func written(n int, err error) (int, error) {
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return max(n, 0), err
}

// close leaves the descriptor to the poller's goroutine: elsewhere its number could be another socket's by the time
// it is used.
func (s *epollSocket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return
	}
	s.shut = true
	_ = unix.Shutdown(int(s.fd), unix.SHUT_RDWR) // epoll answers with EPOLLHUP, also where nothing is asked for
}

package bridge

import (
	"crypto/tls"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	// portableBuffer is what each socket of the portable poller reads into.
	portableBuffer = 4096
	// goodbyeWithin is how long the end of a TLS session waits for what the session is still writing.
	goodbyeWithin = time.Second
)

// portablePoller gives each socket a goroutine that reads, and one that writes while there is something to write.
// It serves systems without epoll, and connections that are no plain sockets.
type portablePoller struct {
	running sync.WaitGroup

	mu      sync.Mutex // guards the following
	stopped bool
	sockets map[*portableSocket]struct{}
}

func newPortablePoller() *portablePoller {
	return &portablePoller{sockets: make(map[*portableSocket]struct{})}
}

func (p *portablePoller) add(conn net.Conn, h handler) (socket, error) {
	s := &portableSocket{poller: p, conn: conn, handler: h}
	s.changed.L = &s.mu
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	p.sockets[s] = struct{}{}
	return s, nil
}

// run runs f in a goroutine that stop waits for, and is false when stop has been called.
func (p *portablePoller) run(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped {
		p.running.Go(f)
	}
	return !p.stopped
}

func (p *portablePoller) remove(s *portableSocket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sockets, s)
}

func (p *portablePoller) stop() {
	p.mu.Lock()
	p.stopped = true
	sockets := slices.Collect(maps.Keys(p.sockets))
	p.mu.Unlock()
	for _, s := range sockets {
		s.close()
	}
	p.running.Wait()
}

// portableSocket waits in goroutines of its own for what epoll would tell.
type portableSocket struct {
	poller  *portablePoller
	conn    net.Conn
	handler handler

	mu      sync.Mutex // guards the following
	changed sync.Cond  // reading or closed has changed
	reading bool
	closed  bool
}

func (s *portableSocket) read() {
	buffer := make([]byte, portableBuffer)
	for s.awaitReading() {
		n, err := s.conn.Read(buffer)
		if n > 0 {
			s.handler.readable(buffer[:n])
		}
		if err != nil {
			break
		}
	}
	s.close()
	s.poller.remove(s)
	s.handler.hangup()
}

// awaitReading waits while reading is off, and is false once the socket is closed.
func (s *portableSocket) awaitReading() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.reading && !s.closed {
		s.changed.Wait()
	}
	return !s.closed
}

func (s *portableSocket) start() {
	s.setReading(true)
	if !s.poller.run(s.read) {
		s.close()
		s.handler.hangup()
	}
}

func (s *portableSocket) pauseReading() { s.setReading(false) }

func (s *portableSocket) resumeReading() { s.setReading(true) }

func (s *portableSocket) setReading(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading = on
	s.changed.Broadcast()
}

func (s *portableSocket) touch() int { return 0 }

// tryWrite writes nothing: a write on a net.Conn may wait, and this one must not.
func (s *portableSocket) tryWrite([]byte) (int, error) { return 0, nil }

func (s *portableSocket) writeAll(buffers net.Buffers) (int, error) {
	n, err := buffers.WriteTo(s.conn)
	return int(n), err
}

func (s *portableSocket) awaitWritable() { s.poller.run(s.handler.writable) }

func (s *portableSocket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.changed.Broadcast()
	if _, ok := s.conn.(*tls.Conn); ok {
		s.poller.running.Go(s.closeSession)
		return
	}
	_ = s.conn.Close() // nothing is left to tell anyone
}

// closeSession says goodbye (close_notify), which may wait for a peer that does not read: for no longer than crypto/tls allows, once a
// write that is under way has been interrupted.
func (s *portableSocket) closeSession() {
	_ = s.conn.SetWriteDeadline(time.Now().Add(goodbyeWithin))
	_ = s.conn.Close()
}

package bridge

import (
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
)

// A socket is the transport under a Connection. Nobody waits on it: it tells its handler when there is something to do.
//
// All methods may be called from any goroutine, and none of them waits for the peer but writeAll, where that says so.
type socket interface {
	// start begins to read.
	start()
	// tryWrite writes what it can without waiting. Fewer bytes than asked for, without an error, means that the
	// socket is full.
	tryWrite(p []byte) (int, error)
	// writeAll does the same for several buffers. Where tryWrite never writes (the portable socket), it waits.
	writeAll(buffers net.Buffers) (int, error)
	// awaitWritable has handler.writable called once, as soon as there is room.
	awaitWritable()
	pauseReading()
	resumeReading()
	// touch reads of the socket's memory what tryWrite needs, for touchMembers.
	touch() int
	// close ends the socket; what the kernel has taken is still sent. handler.hangup follows, once.
	close()
}

// A handler is told what happens to its socket. readable and hangup are called from one goroutine at a time; hangup is
// the last of them.
type handler interface {
	// readable has bytes that came in. They are the handler's during the call only, and it may change them.
	readable(p []byte)
	writable()
	hangup()
}

// A poller waits for many sockets at once.
type poller interface {
	// add takes a connection over, its file descriptor included, even where it fails. The socket reads nothing
	// before start.
	add(conn net.Conn, h handler) (socket, error)
	// stop ends the poller and every socket that is still its own, and waits for that.
	stop()
}

// pollers spreads sockets over several pollers.
type pollers struct {
	each     []poller
	portable *portablePoller // for connections that have no descriptor: a pipe, TLS that is not a TLSListener's
	next     atomic.Uint32
}

// newPollers makes as many pollers as there are cores to read with, of the kind that the system has: epoll on Linux, a
// goroutine for each socket elsewhere, and where portable asks for it.
func newPollers(portable bool) (*pollers, error) {
	p := &pollers{portable: newPortablePoller()}
	for range runtime.GOMAXPROCS(0) {
		one, err := newPoller(portable)
		if err != nil {
			p.stop()
			return nil, fmt.Errorf("bridge: make a poller: %w", err)
		}
		p.each = append(p.each, one)
	}
	return p, nil
}

func (p *pollers) add(conn net.Conn, h handler) (socket, error) {
	if _, ok := transport(conn).(syscall.Conn); !ok {
		return p.portable.add(conn, h)
	}
	n := p.next.Add(1)
	return p.each[int(n)%len(p.each)].add(conn, h)
}

func (p *pollers) stop() {
	for _, one := range p.each {
		one.stop()
	}
	p.portable.stop()
}

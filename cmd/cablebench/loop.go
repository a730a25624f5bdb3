//go:build linux

package main

import (
	"errors"
	"math/rand"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

type loop struct {
	id    int
	cfg   *config
	addr  unix.SockaddrInet4 // its own: Connect writes into it
	epfd  int
	evfd  int
	cmds  chan func()
	conns []*conn // by fd
	live  []*conn
	buf   []byte
	rng   *rand.Rand

	queue    []*conn // waiting to be dialled
	retry    []retryAt
	inflight int
	maxIn    int
	rate     float64 // dials per second, 0 = no limit
	tokens   float64
	tokenAt  int64
	opening  []*conn // in handshake, for the timeouts
	sweepAt  int64
	redial   bool // dial again when the peer closes an established connection
	readyN   atomic.Int64
	s        loopStats
	firstEOF int64
	inflater inflater
	payload  []byte // of the action that is being sent
	frame    []byte
	stop     bool
	stopped  chan struct{}
}

func newLoop(id int, cfg *config) (*loop, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	ev, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	l := &loop{id: id, cfg: cfg, epfd: ep, evfd: ev, addr: cfg.addr, cmds: make(chan func(), 64), stopped: make(chan struct{}),
		buf: make([]byte, 256<<10), rng: rand.New(rand.NewSource(int64(id) + 1)), s: newLoopStats()}
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(ev)}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, ev, &e); err != nil {
		return nil, err
	}
	return l, nil
}

// do runs f on the loop's thread and waits for it.
func (l *loop) do(f func()) {
	done := make(chan struct{})
	l.cmds <- func() { f(); close(done) }
	var one = [8]byte{1}
	_, _ = unix.Write(l.evfd, one[:])
	<-done
}

func (l *loop) run() {
	defer close(l.stopped)
	defer func() { _, _ = unix.Close(l.evfd), unix.Close(l.epfd) }()
	runtime.LockOSThread() // its CPU time is a thread's
	defer runtime.UnlockOSThread()
	events := make([]unix.EpollEvent, 1024)
	for !l.stop {
		timeout := -1
		if len(l.queue) > 0 || len(l.retry) > 0 {
			if l.dialSome(nanos()) {
				timeout = 1
			}
		}
		if len(l.opening) > 0 && timeout < 0 {
			timeout = 200
		}
		n, err := unix.EpollWait(l.epfd, events, timeout)
		if err != nil {
			if errors.Is(err, unix.EINTR) {
				continue
			}
			panic(err)
		}
		for i := 0; i < n; i++ {
			fd := events[i].Fd
			if int(fd) == l.evfd {
				var b [8]byte
				_, _ = unix.Read(l.evfd, b[:])
				for more := true; more; {
					select {
					case f := <-l.cmds:
						f()
					default:
						more = false
					}
				}
				continue
			}
			c := l.conns[fd]
			if c == nil || c.fd != fd {
				continue
			}
			if c.state == stConnecting {
				l.connected(c)
			} else {
				l.readable(c)
			}
		}
		if len(l.opening) > 0 {
			if now := nanos(); now > l.sweepAt {
				l.sweepAt = now + 200e6
				l.sweep(now)
			}
		}
	}
}

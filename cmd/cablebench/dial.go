//go:build linux

package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

type retryAt struct {
	c  *conn
	at int64
}

// dialSome opens as many queued connections as rate and concurrency allow and
// says whether it has to be called again soon.
func (l *loop) dialSome(now int64) bool {
	if len(l.retry) > 0 {
		keep := l.retry[:0]
		for _, r := range l.retry {
			if r.at <= now {
				l.queue = append(l.queue, r.c)
			} else {
				keep = append(keep, r)
			}
		}
		l.retry = keep
	}
	if l.rate > 0 {
		l.tokens += float64(now-l.tokenAt) / 1e9 * l.rate
		l.tokenAt = now
		if burst := max(1, l.rate/100); l.tokens > burst {
			l.tokens = burst
		}
	}
	// A batch is bounded so that replies are read between two batches.
	for batch := 0; batch < 256 && len(l.queue) > 0; batch++ {
		if l.maxIn > 0 && l.inflight >= l.maxIn {
			return len(l.retry) > 0
		}
		if l.rate > 0 {
			if l.tokens < 1 {
				return true
			}
			l.tokens--
		}
		c := l.queue[len(l.queue)-1]
		l.queue = l.queue[:len(l.queue)-1]
		l.dial(c)
	}
	return len(l.queue) > 0 || len(l.retry) > 0
}

func (l *loop) dial(c *conn) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		l.s.failed++
		l.note("socket: " + err.Error())
		l.retry = append(l.retry, retryAt{c, nanos() + 500e6})
		return
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if l.cfg.sources > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		k := int(c.idx)%l.cfg.sources + 2 // 127.0.0.2, 127.0.0.3, ...
		sa := &unix.SockaddrInet4{Addr: [4]byte{127, 0, byte(k / 250), byte(k % 250)}}
		if err := unix.Bind(fd, sa); err != nil {
			l.note("bind: " + err.Error())
		}
	}
	for fd >= len(l.conns) {
		l.conns = append(l.conns, make([]*conn, max(1024, len(l.conns)))...)
	}
	l.conns[fd] = c
	c.fd = int32(fd)
	c.state = stConnecting
	c.pend, c.frag, c.fragOn = nil, nil, false
	c.t0 = nanos()
	c.tWelcome = 0
	c.deadline = c.t0 + int64(l.cfg.handshakeTimeout)
	c.opIdx = int32(len(l.opening))
	l.opening = append(l.opening, c)
	l.inflight++
	err = unix.Connect(fd, &l.addr)
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		l.fail(c, "connect: "+err.Error())
		return
	}
	e := unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(fd)}
	if err := unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, fd, &e); err != nil {
		l.fail(c, "epoll: "+err.Error())
	}
}

func (l *loop) connected(c *conn) {
	if e, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR); err != nil || e != 0 {
		l.fail(c, "connect: "+unix.Errno(e).Error())
		return
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: c.fd}
	if err := unix.EpollCtl(l.epfd, unix.EPOLL_CTL_MOD, int(c.fd), &e); err != nil {
		l.fail(c, "epoll: "+err.Error())
		return
	}
	if l.cfg.raw {
		c.tWelcome = nanos()
		for i := range c.subs {
			c.subs[i].ok = true
		}
		c.unconf = 0
		l.nowReady(c, c.tWelcome)
		return
	}
	c.state = stUpgrading
	l.send(c, l.cfg.upgradeRequest(c.idx))
}

func (l *loop) sweep(now int64) {
	for i := 0; i < len(l.opening); {
		c := l.opening[i]
		if c.deadline < now {
			st := [...]string{"closed", "connect", "upgrade", "welcome", "confirm", "ready"}[c.state]
			l.fail(c, "timeout waiting for "+st)
			continue
		}
		i++
	}
}

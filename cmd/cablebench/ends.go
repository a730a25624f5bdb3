//go:build linux

package main

import "golang.org/x/sys/unix"

func (l *loop) note(s string) {
	if l.s.failNote == "" {
		l.s.failNote = s
	}
}

func (l *loop) endOpening(c *conn) {
	if c.opIdx < 0 {
		return
	}
	last := l.opening[len(l.opening)-1]
	l.opening[c.opIdx] = last
	last.opIdx = c.opIdx
	l.opening = l.opening[:len(l.opening)-1]
	c.opIdx = -1
	l.inflight--
}

// fail ends an attempt that did not become ready and queues another one.
func (l *loop) fail(c *conn, why string) {
	l.s.failed++
	l.note(why)
	l.endOpening(c)
	l.shut(c)
	l.retry = append(l.retry, retryAt{c, nanos() + int64(l.cfg.retryDelay)})
}

// lost handles a connection that broke, in whatever state it was.
func (l *loop) lost(c *conn, why string) {
	if c.state == stClosed {
		return
	}
	if c.state != stReady {
		l.fail(c, why)
		return
	}
	l.s.dropped++
	l.note("dropped: " + why)
	if l.firstEOF == 0 {
		l.firstEOF = nanos()
	}
	l.shut(c)
	if l.redial {
		l.reset(c)
		l.queue = append(l.queue, c)
	}
}

func (l *loop) shut(c *conn) {
	if c.state == stReady {
		l.readyN.Add(-1)
	}
	if c.fd >= 0 {
		l.conns[c.fd] = nil
		_ = unix.Close(int(c.fd))
	}
	c.fd = -1
	c.state = stClosed
	c.pend, c.frag = nil, nil
}

// reset prepares a connection for its next life; delivery counters restart.
func (l *loop) reset(c *conn) {
	for i := range c.subs {
		c.subs[i].ok = false
		c.subs[i].forget()
	}
	c.unconf = int32(len(c.subs))
}

//go:build linux

package main

// delivery counts a message of the measurement that is under way.
func (l *loop) delivery(c *conn, t token, n int, now int64) {
	r := l.cfg.measurement.Load()
	if r == nil || t.run != r.id {
		return // a late message of an earlier run or of the warm-up
	}
	if r.echo {
		l.count(c, t, n, now)
		r.echoDone(l, c, now)
		return
	}
	var sb *sub
	for i := range c.subs {
		if c.subs[i].stream == t.stream {
			sb = &c.subs[i]
			break
		}
	}
	if sb == nil || int(t.msg) >= len(r.left) {
		l.s.foreign++
		return
	}
	switch sb.arrive(t.seq) {
	case duplicate:
		l.s.duplicates++
		return
	case outOfOrder:
		l.s.ooo++
	case inOrder:
	}
	l.count(c, t, n, now)
	r.delivered(t.msg, now)
}

// count adds up what each message is: its text has n bytes.
func (l *loop) count(c *conn, t token, n int, now int64) {
	l.s.lat.Add(now - t.at)
	l.s.received++
	l.s.textBytes += int64(n)
	l.s.wireBytes += int64(c.wire)
	if c.squeezed {
		l.s.compressed++
	}
}

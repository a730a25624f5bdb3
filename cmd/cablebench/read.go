//go:build linux

package main

import (
	"bytes"
	"unsafe"

	"golang.org/x/sys/unix"
)

func rawRead(fd int32, b []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if e != 0 {
		return -1, e
	}
	return int(n), 0
}

func (l *loop) readable(c *conn) {
	n, e := rawRead(c.fd, l.buf)
	l.s.reads++
	if n <= 0 {
		switch {
		case e == unix.EAGAIN || e == unix.EINTR:
		case n == 0:
			l.lost(c, "closed by server")
		default:
			l.lost(c, "read: "+e.Error())
		}
		return
	}
	now := nanos()
	data := l.buf[:n]
	if len(c.pend) > 0 {
		c.pend = append(c.pend, data...)
		data = c.pend
	}
	used := l.consume(c, data, now)
	if c.state == stClosed {
		return
	}
	if rest := data[used:]; len(rest) == 0 {
		c.pend = c.pend[:0]
	} else {
		c.pend = append(c.pend[:0], rest...)
	}
}

func (l *loop) consume(c *conn, data []byte, now int64) int {
	off := 0
	if c.state == stUpgrading {
		i := bytes.Index(data, []byte("\r\n\r\n"))
		if i < 0 {
			return 0
		}
		head := data[:i+2]
		why, deflate := l.cfg.checkUpgrade(head)
		if why != "" {
			l.fail(c, why)
			return 0
		}
		c.deflate = deflate
		off = i + 4
		c.state = stWelcome
	}
	for {
		b := data[off:]
		if len(b) < 2 {
			return off
		}
		h, plen := 2, int(b[1]&0x7f)
		switch plen {
		case 126:
			if len(b) < 4 {
				return off
			}
			h, plen = 4, int(b[2])<<8|int(b[3])
		case 127:
			if len(b) < 10 {
				return off
			}
			h, plen = 10, 0
			for _, x := range b[2:10] {
				plen = plen<<8 | int(x)
			}
		}
		if plen < 0 || plen > 64<<20 || b[1]&0x80 != 0 || b[0]&0x30 != 0 || b[0]&rsv1 != 0 && !l.mayBeCompressed(c, b[0]) {
			l.lost(c, "bad frame from server")
			return 0
		}
		if len(b) < h+plen {
			return off
		}
		pay := b[h : h+plen]
		off += h + plen
		fin := b[0]&0x80 != 0
		switch b[0] & 0x0f {
		case opText, opBinary:
			c.wire, c.squeezed = int32(h+plen), b[0]&rsv1 != 0
			if fin {
				l.whole(c, pay, now)
			} else {
				c.frag = append(c.frag[:0], pay...)
				c.fragOn = true
			}
		case opContinuation:
			if !c.fragOn {
				l.lost(c, "stray continuation frame")
				return 0
			}
			c.frag = append(c.frag, pay...)
			c.wire += int32(h + plen)
			if fin {
				c.fragOn = false
				l.whole(c, c.frag, now)
			}
		case opPing:
			l.send(c, appendFrame(nil, opPong, pay))
		case opPong:
		case opClose:
			l.lost(c, "close frame from server")
		default:
			l.lost(c, "unknown opcode")
		}
		if c.state == stClosed {
			return 0
		}
	}
}

// mayBeCompressed tells whether a frame may have RSV1: the first one of a message, where that was agreed on.
func (l *loop) mayBeCompressed(c *conn, first byte) bool {
	code := first & 0x0f
	return c.deflate && (code == opText || code == opBinary)
}

// whole takes a message in as it came.
func (l *loop) whole(c *conn, p []byte, now int64) {
	if c.squeezed {
		text, err := l.inflater.text(p)
		if err != nil {
			l.lost(c, "compressed message: "+err.Error())
			return
		}
		p = text
	}
	l.message(c, p, now)
}

//go:build linux

package main

import (
	"bytes"
	"encoding/json"

	"golang.org/x/sys/unix"
)

var (
	tokMark   = []byte(`"b":"`)
	mkWelcome = []byte(`"type":"welcome"`)
	mkPing    = []byte(`"type":"ping"`)
	mkConfirm = []byte(`"type":"confirm_subscription"`)
)

func (l *loop) message(c *conn, p []byte, now int64) {
	if c.state == stReady {
		if i := bytes.Index(p, tokMark); i >= 0 {
			if t, ok := parseToken(p[i+len(tokMark):]); ok {
				l.delivery(c, t, len(p), now)
				return
			}
		}
	}
	switch {
	case bytes.Contains(p, mkPing):
		l.s.pings++
		return
	case bytes.Contains(p, mkConfirm):
		l.confirmed(c, p, now)
		return
	case bytes.Contains(p, mkWelcome):
		l.welcomed(c, now)
		return
	}
	// Spaced or unusual JSON: decode it properly.
	var m struct {
		Type       string          `json:"type"`
		Identifier json.RawMessage `json:"identifier"`
		Reason     string          `json:"reason"`
		Message    struct {
			B string `json:"b"`
		} `json:"message"`
	}
	if json.Unmarshal(p, &m) != nil {
		l.s.foreign++
		return
	}
	switch m.Type {
	case "welcome":
		l.welcomed(c, now)
	case "ping":
		l.s.pings++
	case "confirm_subscription":
		l.confirmed(c, p, now)
	case "reject_subscription":
		l.s.rejected++
		l.note("subscription rejected")
		l.lost(c, "subscription rejected")
	case "disconnect":
		l.lost(c, "disconnect message: "+m.Reason)
	default:
		if t, ok := parseToken([]byte(m.Message.B)); ok && c.state == stReady {
			l.delivery(c, t, len(p), now)
			return
		}
		l.s.foreign++
	}
}

func (l *loop) welcomed(c *conn, now int64) {
	if c.state != stWelcome {
		return
	}
	c.tWelcome = now
	l.s.welcome.Add(now - c.t0)
	l.s.lastWelcome = now
	c.state = stConfirm
	if len(c.subs) == 0 {
		l.nowReady(c, now)
		return
	}
	for i := range c.subs {
		if c.state == stConfirm {
			l.send(c, l.cfg.subscribeFrame(int(c.subs[i].stream), c.idx))
		}
	}
}

func (l *loop) confirmed(c *conn, p []byte, now int64) {
	if c.state != stConfirm {
		return
	}
	// Confirmations are matched to subscriptions by identifier only when a
	// connection has several, and even then each one must arrive once.
	c.unconf--
	if c.unconf > 0 {
		return
	}
	for i := range c.subs {
		c.subs[i].ok = true
	}
	l.s.confirm.Add(now - c.tWelcome)
	l.nowReady(c, now)
}

func (l *loop) nowReady(c *conn, now int64) {
	c.state = stReady
	l.endOpening(c)
	l.s.ready.Add(now - c.t0)
	l.s.lastReady = now
	l.readyN.Add(1)
}

func (l *loop) send(c *conn, b []byte) {
	n, err := unix.Write(int(c.fd), b)
	if err != nil || n != len(b) {
		msg := "short write"
		if err != nil {
			msg = "write: " + err.Error()
		}
		l.lost(c, msg)
	}
}

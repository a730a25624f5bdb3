// Package resp sends PUBLISH to Redis, and counts the replies. A client library would cost the load generator more than the
// server that it measures.
package resp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Publisher sends PUBLISH commands on one connection. Replies are read by a
// goroutine, so a caller may keep several commands in flight.
type Publisher struct {
	c       net.Conn
	mu      sync.Mutex
	buf     []byte
	sent    atomic.Int64
	replied atomic.Int64
	zero    atomic.Int64 // replies that said nobody listened
	recv    atomic.Int64 // sum of the receiver counts
	err     atomic.Value
	wake    chan struct{}
}

// Dial connects, and logs in where there is a password.
func Dial(addr, password string, db int) (*Publisher, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	br := bufio.NewReader(c)
	for _, cmd := range [][]string{{"AUTH", password}, {"SELECT", strconv.Itoa(db)}} {
		if cmd[1] == "" || cmd[1] == "0" {
			continue
		}
		if _, err := c.Write(encode(nil, cmd[0], []byte(cmd[1]))); err != nil {
			return nil, err
		}
		l, err := br.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if l[0] == '-' {
			return nil, fmt.Errorf("redis: %s: %s", cmd[0], l)
		}
	}
	p := &Publisher{c: c, wake: make(chan struct{}, 1)}
	go p.read(br)
	return p, nil
}

func encode(b []byte, cmd string, args ...[]byte) []byte {
	b = append(b, '*')
	b = strconv.AppendInt(b, int64(len(args)+1), 10)
	b = append(b, "\r\n$"...)
	b = strconv.AppendInt(b, int64(len(cmd)), 10)
	b = append(b, "\r\n"...)
	b = append(b, cmd...)
	b = append(b, "\r\n"...)
	for _, a := range args {
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(len(a)), 10)
		b = append(b, "\r\n"...)
		b = append(b, a...)
		b = append(b, "\r\n"...)
	}
	return b
}

func (p *Publisher) read(br *bufio.Reader) {
	for {
		l, err := br.ReadSlice('\n')
		if err != nil {
			p.err.CompareAndSwap(nil, err)
			break
		}
		switch {
		case l[0] == ':' && len(l) >= 4:
			n, _ := strconv.ParseInt(string(l[1:len(l)-2]), 10, 64)
			if n == 0 {
				p.zero.Add(1)
			}
			p.recv.Add(n)
		default:
			p.err.CompareAndSwap(nil, fmt.Errorf("redis: %s", l))
		}
		p.replied.Add(1)
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	close(p.wake)
}

// Publish sends one command and does not wait for its reply.
func (p *Publisher) Publish(channel, payload []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.err.Load().(error); ok {
		return e
	}
	p.buf = encode(p.buf[:0], "PUBLISH", channel, payload)
	p.sent.Add(1)
	_, err := p.c.Write(p.buf)
	return err
}

// Drain waits until every command sent so far was answered.
func (p *Publisher) Drain(timeout time.Duration) error {
	t := time.NewTimer(timeout)
	defer t.Stop()
	for p.replied.Load() < p.sent.Load() {
		if e, ok := p.err.Load().(error); ok {
			return e
		}
		select {
		case _, ok := <-p.wake:
			if !ok {
				return io.ErrUnexpectedEOF
			}
		case <-t.C:
			return fmt.Errorf("redis: no reply in %v", timeout)
		}
	}
	return nil
}

// ZeroReplies counts the broadcasts that had no Redis subscriber at all.
func (p *Publisher) ZeroReplies() int64 { return p.zero.Load() }

// Close ends the connection, and the goroutine that reads from it.
func (p *Publisher) Close() { _ = p.c.Close() }

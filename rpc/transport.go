package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// transport sends one try of a call, which it finds in the request's context: along a link, or as the request that it is. It
// takes a place before and gives it back when the answer is closed, so that none is held while a call pauses between tries.
type transport struct {
	secret      []byte
	address     address
	places      *places
	links       *links
	dialTimeout time.Duration
	timeout     time.Duration
	now         func() time.Time
	pool        atomic.Pointer[http.Transport]
	fresh       *http.Transport // a new connection for each request: the next may meet another worker
}

// resize makes the pool fit: as many connections as there are places, all of them kept alive. A transport's limits
// can't change while it is in use, so there is a new one; the old one ends its connections as they become idle.
func (t *transport) resize(connections int) {
	pool := t.newPool()
	pool.MaxIdleConns, pool.MaxIdleConnsPerHost = connections, connections
	pool.MaxConnsPerHost = connections // a connection that has become a link no longer counts
	if old := t.pool.Swap(pool); old != nil {
		old.CloseIdleConnections()
	}
}

func (t *transport) newPool() *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // HTTP_PROXY is not for a neighbour
		DialContext:            t.dial,
		DisableCompression:     true, // between neighbours it costs more than it saves
		IdleConnTimeout:        idleTimeout,
		ResponseHeaderTimeout:  0, // the try's own timeout counts the body as well
		ExpectContinueTimeout:  0,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      false,
		Protocols:              onlyHTTP1(),
	}
}

func (t *transport) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if t.address.network == "unix" {
		network, addr = t.address.network, t.address.address
	}
	dialer := &net.Dialer{Timeout: t.dialTimeout, KeepAlive: 15 * time.Second}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, &dialError{err}
	}
	return &countedConn{Conn: conn}, nil
}

func onlyHTTP1() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return p
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	call := callOf(r.Context())
	if err := t.take(r.Context(), call); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, &notSentError{err}
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), t.timeout, timeoutError(t.timeout))
	done := func() {
		cancel()
		t.places.release(call.event.lane)
	}
	if said, err := t.carry(ctx, call); !errors.Is(err, errNotCarried) {
		_ = r.Body.Close()
		if err != nil {
			done()
			return nil, err
		}
		answer := said.response()
		answer.Body = &body{ReadCloser: answer.Body, ctx: ctx, done: done}
		return answer, nil
	}
	proof, err := prove(t.secret, call.event.name, call.id, digestOf(call.body), t.now())
	if err != nil {
		_ = r.Body.Close()
		done()
		return nil, &notSentError{fmt.Errorf("sign the proof: %w", err)}
	}

	var sent sentBytes
	r = r.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: sent.gotConn}))
	r.Header.Set("Authorization", "Bearer "+proof)
	pool := t.pool.Load()
	if call.event == linking {
		pool = t.fresh
	}
	response, err := pool.RoundTrip(r)
	if err != nil {
		err = because(ctx, err)
		done()
		if dial := (*dialError)(nil); errors.As(err, &dial) || sent.none() {
			return nil, &notSentError{err}
		}
		return nil, err
	}
	if conn, ok := response.Body.(io.ReadWriteCloser); ok && response.StatusCode == http.StatusSwitchingProtocols &&
		response.Header.Get("Upgrade") == linkProtocol {
		response.Body = &switched{ReadWriteCloser: conn, ctx: ctx, done: done}
		return response, nil
	}
	response.Body = &body{ReadCloser: response.Body, ctx: ctx, done: done}
	return response, nil
}

func (t *transport) take(ctx context.Context, call *call) error {
	if call.placed {
		call.placed = false
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !t.places.tryTake(call.event.lane) {
		ctx, cancel := context.WithTimeoutCause(ctx, call.wait, busyError(call.wait))
		defer cancel()
		if err := t.places.take(ctx, call.event.lane); err != nil {
			return err
		}
	}
	if call.tried.IsZero() {
		call.tried = time.Now()
	}
	return nil
}

// leave gives a place back that no try has used.
func (t *transport) leave(call *call) {
	if call.placed {
		call.placed = false
		t.places.release(call.event.lane)
	}
}

// because puts in the place of a cancelled request's error the reason for which it was cancelled.
func because(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, io.EOF) || ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

// body gives the place back when it is closed.
type body struct {
	io.ReadCloser
	ctx  context.Context // ends with the body, as a request's does
	done func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	return n, because(b.ctx, err)
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	if b.done != nil {
		b.done()
		b.done = nil
	}
	return err
}

// switched is a connection that has become a link. The place is given back by done, and the connection stays.
type switched struct {
	io.ReadWriteCloser
	ctx  context.Context // of the try
	done func()
}

// countedConn knows how much was written to it: an event of which no byte left has not run.
type countedConn struct {
	net.Conn
	written atomic.Int64
}

// Write counts before it writes, and takes back what failed: net/http closes the connection of a request that it gives
// up, and a writer that has not counted by then finds it closed.
func (c *countedConn) Write(p []byte) (int, error) {
	c.written.Add(int64(len(p)))
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n - len(p)))
	return n, err
}

// sentBytes tells whether a request got onto its connection, or connections: net/http takes another one when the
// one it took from the pool turns out to be closed before the first byte.
type sentBytes struct {
	conn   atomic.Pointer[countedConn]
	before atomic.Int64
	some   atomic.Bool
}

func (s *sentBytes) gotConn(info httptrace.GotConnInfo) {
	s.some.Store(!s.none())
	conn, ok := info.Conn.(*countedConn)
	if !ok {
		s.some.Store(true)
		return
	}
	s.before.Store(conn.written.Load())
	s.conn.Store(conn)
}

// none may be asked only when the request is over.
func (s *sentBytes) none() bool {
	conn := s.conn.Load()
	return !s.some.Load() && (conn == nil || conn.written.Load() == s.before.Load())
}

// notSentError is why a request did not leave.
type notSentError struct{ error }

func (e *notSentError) Unwrap() error        { return e.error }
func (e *notSentError) Is(target error) bool { return target == ErrNotRun }

type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

type timeoutError time.Duration

func (e timeoutError) Error() string { return "no whole answer within " + time.Duration(e).String() }
func (e timeoutError) Timeout() bool { return true }

type busyError time.Duration

func (e busyError) Error() string {
	return "all of Rails' threads were taken for " + time.Duration(e).String()
}
func (e busyError) Is(target error) bool { return target == ErrBusy }

package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxCarried is how many bytes an event may have that goes along a link without need: a larger one would be in the way of the
// others.
const maxCarried = 64 << 10

// errNotCarried says that no link has taken the event, so that a request may.
var errNotCarried = errors.New("no link takes it")

// carry sends one try of an event that any worker may run along a link. It saves both sides most of what a request costs.
func (t *transport) carry(ctx context.Context, call *call) (*line, error) {
	if !call.carries() || call.refused {
		call.refused = false
		return nil, errNotCarried
	}
	sent := newLinkCall(call.id, eventLine(call.event.name, call.body))
	sent.apply() // nothing that the worker does later has to wait for it
	l := t.links.take(ctx, sent, call.connection)
	if l == nil {
		return nil, errNotCarried
	}
	said, notRun, err := l.ask(ctx, sent)
	switch ended := (*linkEndedError)(nil); {
	case err == nil && said.Status == http.StatusServiceUnavailable: // it has no thread free, or is about to end
		return nil, errNotCarried
	case err == nil && said.problem != "":
		return nil, &AnswerError{Event: call.event.name, Problem: said.problem}
	case err == nil:
		return said, nil
	case notRun && errors.As(err, &ended):
		return nil, errNotCarried
	case notRun:
		return nil, &notSentError{err}
	}
	return nil, err
}

// carryFirst has a link carry the first try, if one does: most events need no other, nor anything that is made for requests. done is
// true where that was the last.
func (c *Client) carryFirst(ctx context.Context, this *call) (done bool, err error) {
	if !this.carries() || !c.links.any() {
		return false, nil
	}
	if err := c.transport.take(ctx, this); err != nil {
		return c.over(ctx, this, nil, &notSentError{err})
	}
	within, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, timeoutError(c.options.Timeout))
	defer cancel()
	said, err := c.transport.carry(within, this)
	if errors.Is(err, errNotCarried) {
		this.placed, this.refused = true, true
		return false, nil
	}
	c.places.release(this.event.lane)
	return c.over(ctx, this, said, err)
}

// over tells whether that was the last try, and pauses where it was not.
func (c *Client) over(ctx context.Context, this *call, said *line, err error) (bool, error) {
	t, status := outcomeOf(ctx, err), 0
	if err == nil {
		status = said.status()
		if status == http.StatusOK {
			err = decode(this.event.name, said.Answer, this.answer)
		} else {
			err = &StatusError{Event: this.event.name, Status: status, Body: excerpt([]byte(said.Error))}
		}
		t = outcomeOfAnswer(ctx, status, err)
	}
	if !c.settle(this, t, status) {
		return true, err
	}
	select {
	case <-time.After(pause(shortestPause, longestPause, 0, nil)):
		return false, nil
	case <-ctx.Done():
		return true, context.Cause(ctx)
	case <-c.life.Done():
		return true, ErrClosed
	}
}

// status is what a request would have been answered with.
func (l *line) status() int {
	if l.Status == 0 {
		return http.StatusOK
	}
	return l.Status
}

// response is the answer as a request would have got it.
func (l *line) response() *http.Response {
	said := []byte(l.Answer)
	if l.status() != http.StatusOK {
		said = []byte(l.Error)
	}
	return &http.Response{StatusCode: l.status(), Body: io.NopCloser(bytes.NewReader(said))}
}

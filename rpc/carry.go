package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
)

// maxCarried is how many bytes an event may have that goes along a link without need: a larger one would be in the way of the
// others.
const maxCarried = 64 << 10

// errNotCarried says that no link has taken the event, so that a request may.
var errNotCarried = errors.New("no link takes it")

// carry sends one try of an event that any worker may run along a link. It saves both sides most of what a request costs.
func (t *transport) carry(ctx context.Context, call *call) (*http.Response, error) {
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
		return said.response(), nil
	case notRun && errors.As(err, &ended):
		return nil, errNotCarried
	case notRun:
		return nil, &notSentError{err}
	}
	return nil, err
}

// response is the answer as a request would have got it.
func (l *line) response() *http.Response {
	if l.Status == 0 {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(l.Answer))}
	}
	return &http.Response{StatusCode: l.Status, Body: io.NopCloser(bytes.NewReader([]byte(l.Error)))}
}

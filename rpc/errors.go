package rpc

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrNotRun is what an error is (errors.Is) when the event has provably not run in Rails. Any other error of a call
// leaves open whether it has.
var ErrNotRun = errors.New("the event has not run")

// What a [StatusError] is (errors.Is), by its status. These errors stay until somebody changes something: a bridge
// that meets one of them at its start should stop.
var (
	ErrUnproven      = errors.New("rails does not accept the proof")     // 401
	ErrNoEndpoint    = errors.New("there is no cablestay in the app")    // 404, 405
	ErrOtherContract = errors.New("rails speaks another contract")       // 409, or such an answer
	ErrMalformed     = errors.New("rails can't read the bridge's event") // 400
)

// ErrClosed is what a call's error is once the client is closed.
var ErrClosed = errors.New("the client is closed")

// ErrBusy is what a call's error is when no thread of Rails became free in time.
var ErrBusy = errors.New("rails is busy")

// ErrWorkerGone is what a call's error is when the worker that holds its subscription or connection is gone, and with it what
// it held.
var ErrWorkerGone = errors.New("the worker that holds it is gone")

var errNoLink = errors.New("there is no link with it")

// workerGoneError says how that showed.
type workerGoneError struct{ error }

func (e *workerGoneError) Unwrap() error        { return e.error }
func (e *workerGoneError) Is(target error) bool { return target == ErrWorkerGone }

// A StatusError is an answer with any status but 200.
type StatusError struct {
	Event  string
	Status int
	Body   string // its error member, or how it begins; printable
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("Rails answered %d", e.Status)
	if name := http.StatusText(e.Status); name != "" {
		text += " " + name
	}
	if e.Body != "" {
		text += ": " + e.Body
	}
	if advice := e.advice(); advice != "" {
		text += " (" + advice + ")"
	}
	return text
}

func (e *StatusError) advice() string {
	switch e.Status {
	case http.StatusUnauthorized:
		return "CABLESTAY_SECRET must be the same in bridge and app, where `rake cablestay:secret` prints it, and their clocks must agree"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return `the app needs the gem "cablestay" in its Gemfile, and the bridge the app's own URL`
	case http.StatusConflict:
		return fmt.Sprintf("this bridge speaks contract %d: install the gem and the bridge of one release", Contract)
	}
	if 300 <= e.Status && e.Status < 400 {
		return "the bridge follows no redirects: give it the URL of Rails itself"
	}
	return ""
}

// Is says which of the errors above it is.
func (e *StatusError) Is(target error) bool {
	switch e.Status {
	case http.StatusBadRequest:
		return target == ErrMalformed
	case http.StatusUnauthorized:
		return target == ErrUnproven || target == ErrNotRun
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return target == ErrNoEndpoint || target == ErrNotRun
	case http.StatusConflict:
		return target == ErrOtherContract || target == ErrNotRun
	}
	return false
}

// An AnswerError is an answer with status 200, or one that opens a link, that the contract does not allow.
type AnswerError struct {
	Event   string
	Status  int // 200 where it is 0
	Problem string
	Body    string // how it begins; printable
	Err     error  // what reading or decoding it ended with, if that is where it failed
}

func (e *AnswerError) Error() string {
	text := fmt.Sprintf("Rails answered %d, but %s", cmp.Or(e.Status, http.StatusOK), e.Problem)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Body != "" {
		text += fmt.Sprintf("; it begins with %q", e.Body)
	}
	return text
}

func (e *AnswerError) Unwrap() error { return e.Err }

// callError adds to the error of a call's last try what its reader needs.
type callError struct {
	event  string
	rails  string
	tries  int
	notRun bool  // in none of the tries
	err    error // of the last try
	ended  error // why the call's context ended, if it did
}

func (e *callError) Error() string {
	text := e.event + ": " + e.rails + ": " + e.err.Error()
	if e.tries > 1 {
		text += fmt.Sprintf(", the last of %d tries", e.tries)
	}
	if e.ended != nil && !errors.Is(e.err, e.ended) {
		text += ": " + e.ended.Error()
	}
	return text
}

// Is knows what all the tries amount to: that the last one did not run says nothing of the others. This is why there
// is no Unwrap.
func (e *callError) Is(target error) bool {
	if target == ErrNotRun {
		return e.notRun
	}
	return errors.Is(e.err, target) || errors.Is(e.ended, target)
}

func (e *callError) As(target any) bool {
	return errors.As(e.err, target) || errors.As(e.ended, target)
}

// excerpt is the beginning of a body, fit for a line of a log.
func excerpt(body []byte) string {
	const most = 120
	cut := len(body) > most
	if cut {
		body = body[:most]
	}
	printable := strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7F || 0x80 <= r && r < 0xA0 || r == '\u2028' || r == '\u2029':
			return '.'
		}
		return r
	}, strings.ToValidUTF8(string(body), "."))
	printable = strings.TrimSpace(printable)
	if cut {
		printable += "…"
	}
	return printable
}

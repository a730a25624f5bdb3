package rpc

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// Pauses between tries: short enough that a restart of Puma is hardly felt, spread so that those who wait for it
// don't all come back at once.
const (
	shortestPause = 50 * time.Millisecond
	longestPause  = 2 * time.Second
)

// policy says when an event is tried again (README.md, "Retries").
type policy int

const (
	// retryAlways is for what runs none of the app's code (hello, link, merge), and for clean-ups that must run and that the gem does not run
	// twice (unsubscribe, disconnect).
	retryAlways policy = iota
	// retryNotRun is for what runs the app's code at most once, as stock does: connect, subscribe, perform and timer go
	// out again only when they never got there.
	retryNotRun
)

func (p policy) allows(t *try) bool {
	return t.err != nil && !t.final && (p == retryAlways || t.notRun)
}

// lasting tells which statuses mean the same however often one asks.
func lasting(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusConflict:
		return true
	}
	return false
}

// pause is how long to wait after so many tries, counted from 0: twice as long each time, by half of it earlier or not.
func pause(shortest, longest time.Duration, tries int, _ *http.Response) time.Duration {
	most := longest
	if tries < 16 {
		most = min(longest, shortest<<tries)
	}
	return most/2 + rand.N(most/2+1)
}

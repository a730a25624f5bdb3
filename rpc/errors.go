package rpc

import "errors"

// ErrNotRun is what an error is (errors.Is) when the event has provably not run in Rails. Any other error leaves
// open whether it has.
var ErrNotRun = errors.New("the event has not run")

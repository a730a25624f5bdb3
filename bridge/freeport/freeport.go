// Package freeport is for tests that start servers which must know their port beforehand, or come back at the same one.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Linux gives clients ports from 32768 on unless it is told otherwise; other systems begin still higher.
const (
	lowest  = 12000
	highest = 32000
)

// Find returns a TCP port of 127.0.0.1 that nobody listens on. It lies below those that the system gives to clients:
// one of them could have it by the time the server starts, or while it is stopped.
func Find(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(lowest + rand.IntN(highest-lowest))
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		_ = listener.Close()
		return port
	}
	t.Fatal("no free port")
	return ""
}

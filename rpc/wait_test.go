package rpc_test

import (
	"sync/atomic"
	"testing"
	"time"
)

// counter counts from any goroutine.
type counter struct{ n atomic.Int64 }

func (c *counter) add() int   { return int(c.n.Add(1)) }
func (c *counter) value() int { return int(c.n.Load()) }

// eventually waits until condition holds.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to that within 10 s")
		}
		time.Sleep(time.Millisecond)
	}
}

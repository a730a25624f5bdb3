//go:build linux

package bridge_test

import (
	"runtime"
	"testing"
	"time"
)

func TestConnection_IdleHasNoGoroutine(t *testing.T) {
	b := startBridge(t, &fakeRails{OnSubscribe: following})
	b.Welcomed().Subscribe("room") // what is made once is there now
	before := runtime.NumGoroutine()
	const connections = 200
	for range connections {
		b.Welcomed().Subscribe("room")
	}
	// The HTTP server's goroutines end a moment after the upgrade.
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before+connections/10 {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections have %d goroutines", connections, runtime.NumGoroutine()-before)
		}
		runtime.Gosched()
	}
}

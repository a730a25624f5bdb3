//go:build linux

package bridge_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

func TestConnection_IdleHasNoGoroutine(t *testing.T) {
	for _, kind := range []polling{native, nativeTLS} {
		t.Run("poller="+string(kind), func(t *testing.T) {
			b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind))
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
		})
	}
}

// What an idle connection with one subscription has in Go's heap, the test's client aside, with little state and few headers.
// go test -v -run IdleCosts ./bridge prints it.
func TestConnection_IdleCosts(t *testing.T) {
	for kind, most := range map[polling]int{native: 3 << 10, nativeTLS: 7 << 10} {
		if kind == native && *overTLS {
			continue
		}
		for name, message := range map[string]string{"Silent": "", "AfterALongMessage": strings.Repeat("x", 100_000)} {
			t.Run("poller="+string(kind)+"/"+name, func(t *testing.T) {
				b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind), func(c *setup) { c.Logger = slog.New(slog.DiscardHandler) })
				b.subscribedAfter(message)
				const connections = 500
				before := heap()
				for range connections {
					b.subscribedAfter(message)
				}
				each := (heap() - before) / connections
				t.Logf("%d bytes", each)
				if each > most {
					t.Errorf("an idle connection has %d bytes, want at most %d", each, most)
				}
			})
		}
	}
}

// subscribedAfter opens a socket that has one subscription, after a message that is no command, and of which the client keeps nothing
// but the descriptor.
func (b *testBridge) subscribedAfter(message string) {
	b.t.Helper()
	conn, early, _, err := ws.Dialer{TLSConfig: b.tls}.Dial(b.t.Context(), strings.Replace(b.URL, "http", "ws", 1)+"/cable")
	if err != nil {
		b.t.Fatal(err)
	}
	c := &client{t: b.t, conn: conn, read: conn}
	if early != nil {
		c.read = io.MultiReader(early, conn)
	}
	c.Expect(`{"type":"welcome"}`)
	if message != "" {
		c.Send(message)
	}
	c.Subscribe("room")
	if session, ok := conn.(*tls.Conn); ok {
		conn = session.NetConn()
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		b.t.Fatal(err)
	}
	_ = raw.Control(func(descriptor uintptr) {
		kept, err := unix.FcntlInt(descriptor, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			b.t.Fatal(err)
		}
		b.t.Cleanup(func() { _ = unix.Close(kept) })
	})
}

func heap() int {
	var m runtime.MemStats
	for range 3 { // pools and finalizers take more than one
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc) //nolint:gosec // it is not that large
}

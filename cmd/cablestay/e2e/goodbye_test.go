//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/gobwas/ws"
)

const goodbyeReason = "it says nothing when its process stops: sockets die, and no unsubscribed or disconnect runs"

func TestGoodbye_OnSIGTERMEveryClientIsToldAndEveryCallbackRunsBeforeTheEnd(t *testing.T) {
	onlyBridged(t, goodbyeReason, func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		consumers := make([]*consumer, 20)
		for n := range consumers {
			c := server.connect(t, handshake{})
			echo := identify("EchoChannel", "name", fmt.Sprint(n))
			c.join(echo)
			c.join(identify("RoomChannel", "room", "r"))
			c.perform(echo, "count", "name", fmt.Sprint(n))
			c.expect(message(echo, fmt.Sprintf(`{"count":1,"names":["%d"],"since":"2001-02-03T04:05:06.000Z"}`, n)))
			consumers[n] = c
		}
		if code := server.bridge.process.stop(t); code != 0 {
			t.Errorf("exit code: got %d, want 0", code)
		}
		for n, c := range consumers {
			c.expect(disconnection("server_restart", true))
			c.expectClose(ws.StatusNormalClosure)
			// No waiting: the process has ended, so it must all be there.
			journal := server.rails.journal(t, c.device)
			want := []string{"connect", "subscribed", "subscribed", "performed", "unsubscribed", "unsubscribed", "disconnect"}
			if got := server.rails.happened(t, c.device); !slices.Equal(got, want) {
				t.Errorf("%s: callbacks: got %q, want %q", c.device, got, want)
				continue
			}
			if e := journal[4]; e.Count != 1 || e.Greeting != fmt.Sprintf("hello %d", n) {
				t.Errorf("instance variables in unsubscribed: got %+v", e)
			}
		}
	})
}

func TestGoodbye_SubscriptionThatIsStillBeingMadeIsUnsubscribedToo(t *testing.T) {
	onlyBridged(t, goodbyeReason, func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		c := server.connect(t, handshake{})
		waiting := identify("EchoChannel")
		c.join(waiting)
		c.perform(waiting, "count", "name", "x")
		c.next()
		c.perform(waiting, "wait", "gate", "goodbye")
		c.subscribe(identify("SlowChannel", "gate", "goodbye"))
		await(t, "both to run", func() bool { return len(server.rails.journal(t, c.device)) == 4 })
		server.bridge.process.signal(t, syscall.SIGTERM)
		c.expect(disconnection("server_restart", true))
		server.rails.openGate(t, "goodbye")
		if code := server.bridge.process.wait(t); code != 0 {
			t.Errorf("exit code: got %d, want 0", code)
		}
		want := []string{"connect", "subscribed", "performed", "subscribed", "unsubscribed", "disconnect"}
		if got := server.rails.happened(t, c.device); !slices.Equal(got, want) { // SlowChannel has no unsubscribed of its own
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
	})
}

func TestGoodbye_SIGINTIsAnOrderlyStopToo(t *testing.T) {
	onlyBridged(t, goodbyeReason, func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		c := server.connect(t, handshake{})
		server.bridge.process.signal(t, syscall.SIGINT)
		if code := server.bridge.process.wait(t); code != 0 {
			t.Errorf("exit code: got %d, want 0", code)
		}
		c.expect(disconnection("server_restart", true))
		if got, want := server.rails.happened(t, c.device), []string{"connect", "disconnect"}; !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
	})
}

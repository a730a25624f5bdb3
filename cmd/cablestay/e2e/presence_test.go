//go:build e2e

package e2e

import (
	"fmt"
	"testing"
)

const ownJoinReason = "whether it hears a broadcast made in subscribed on a cold stream is a race between two connections to Redis, mostly lost"

const warmJoinReason = "it begins to stream on another thread than the one that broadcasts, and of two workers the other may be the one that streams"

func TestPresence_OwnJoinIsHeardOnceOnAColdStream(t *testing.T) {
	states(t, 111)
	onlyBridged(t, ownJoinReason, func(t *testing.T) {
		server := sharedServer(t, bridged)
		for n := range 10 {
			c := server.connect(t, handshake{})
			presence := identify("PresenceChannel", "room", fmt.Sprintf("%s %d", t.Name(), n))
			c.subscribe(presence)
			c.expect(message(presence, object("joined", c.device)), confirmation(presence))
			expectNoEcho(t, server, c, presence, fmt.Sprintf("presence_%s %d", t.Name(), n))
		}
	})
}

func TestPresence_OwnJoinIsHeardOnceOnAWarmStreamAndByTheOthersToo(t *testing.T) {
	onlyBridged(t, ownJoinReason, func(t *testing.T) {
		server := sharedServer(t, bridged)
		witness := server.connect(t, handshake{})
		presence := identify("PresenceChannel", "room", t.Name())
		witness.subscribe(presence)
		witness.expect(message(presence, object("joined", witness.device)), confirmation(presence))
		for range 10 {
			c := server.connect(t, handshake{})
			c.subscribe(presence)
			c.expect(message(presence, object("joined", c.device)), confirmation(presence))
			witness.expect(message(presence, object("joined", c.device)))
			expectNoEcho(t, server, c, presence, "presence_"+t.Name())
			witness.expect(message(presence, object("last of", c.device)))
			c.leave()
		}
	})
}

// In stock the warm half of the promise holds nearly always, in no certain order: the handler is added in memory, but on another
// thread than the one that broadcasts, and with two workers the stream may be warm in the other.
func TestPresence_OwnJoinIsHeardOnAWarmStream(t *testing.T) {
	states(t, 111)
	onlyBridged(t, warmJoinReason, func(t *testing.T) {
		server := sharedServer(t, bridged)
		witness := server.connect(t, handshake{})
		room := "warm " + t.Name()
		server.redis.publish(t, "presence_"+room, `"nobody hears this"`)
		warm := identify("PresenceChannel", "room", room, "warm", true)
		witness.subscribe(warm)
		for witness.next() != confirmation(warm) {
		}
		c := server.connect(t, handshake{})
		presence := identify("PresenceChannel", "room", room)
		c.subscribe(presence)
		want := map[string]bool{confirmation(presence): true, message(presence, object("joined", c.device)): true}
		for range 2 {
			frame := c.next()
			if !want[frame] {
				t.Fatalf("got %s", frame)
			}
			delete(want, frame)
		}
		c.expectNothing()
	})
}

// expectNoEcho proves that the copy of the own join that went through Redis does not follow: what is published later
// is heard later, and it comes next.
func expectNoEcho(t *testing.T, server *server, c *consumer, identifier, broadcasting string) {
	t.Helper()
	last := object("last of", c.device)
	server.redis.publish(t, broadcasting, last)
	c.expect(message(identifier, last))
}

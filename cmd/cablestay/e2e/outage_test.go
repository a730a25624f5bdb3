//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"syscall"
	"testing"
)

func TestOutage_RedisStopsAndStartsWhileClientsStay(t *testing.T) {
	states(t, 135, 136)
	reason := "on Rails 6.1 the whole process dies, on later ones its streams stay dead once reconnect_attempts are used up"
	onlyBridged(t, reason, func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		c := server.connect(t, handshake{})
		room, echo := identify("RoomChannel", "room", "r"), identify("EchoChannel")
		c.join(room)
		c.join(echo)

		server.redis.stop(t)
		c.expectPings(2)
		c.perform(echo, "echo", "text", "without Redis")
		c.expect(message(echo, `{"text":"without Redis","action":"echo"}`))
		newcomer := server.connect(t, handshake{}) // welcome
		newcomer.join(echo)                        // no stream, so confirmed
		waiting := identify("RoomChannel", "room", "waiting")
		newcomer.subscribe(waiting)
		newcomer.expectPings(1)
		c.alive()

		server.redis.start(t)
		newcomer.expect(confirmation(waiting)) // and what was followed before is followed again by then
		server.redis.publish(t, "room_r", `"again"`)
		c.expect(message(room, `"again"`))
		server.redis.publish(t, "room_waiting", `"for the newcomer"`)
		newcomer.expect(message(waiting, `"for the newcomer"`))
		server.redis.publish(t, "action_cable/ann:"+newcomer.device, `{"type":"disconnect"}`)
		if server.rails.atLeast(t, 7, 1) {
			newcomer.expect(disconnection("remote", true))
		}
		newcomer.expectClose(1000)
		await(t, "Rails to publish again", func() bool {
			answer, err := server.rails.http.PostForm("http://rails.test/broadcasts", url.Values{"broadcasting": {"room_r"}, "text": {"by Rails"}})
			if err != nil {
				return false
			}
			_ = answer.Body.Close()
			return answer.StatusCode == http.StatusNoContent
		})
		c.expect(message(room, `{"text":"by Rails"}`))
		c.expectNothing()
	})
}

func TestOutage_RedisConnectionIsKilledAndTheStreamsComeBack(t *testing.T) {
	states(t, 135)
	onlyBridged(t, "on Rails 6.1 the whole process dies", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		c := server.connect(t, handshake{})
		room := identify("RoomChannel", "room", "r")
		c.join(room)
		for n := range 5 {
			if err := server.redis.client.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
				t.Fatal(err)
			}
			await(t, "the stream to be followed again", func() bool { return server.redis.followers(t, "room_r") == 1 })
			server.redis.publish(t, "room_r", fmt.Sprint(n))
			c.expect(message(room, fmt.Sprint(n)))
		}
	})
}

func TestOutage_PumaStopsAndStartsWhileClientsStay(t *testing.T) {
	onlyBridged(t, "its sockets live in Puma and end with it", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		c := server.connect(t, handshake{})
		room, echo := identify("RoomChannel", "room", "r"), identify("EchoChannel", "name", "Zoë")
		c.join(room)
		c.join(echo)
		c.perform(echo, "count", "name", "before")
		c.expect(message(echo, `{"count":1,"names":["before"],"since":"2001-02-03T04:05:06.000Z"}`))

		server.rails.stop(t)
		c.expectPings(1)
		server.redis.publish(t, "room_r", `"without Rails"`)
		c.expect(message(room, `"without Rails"`))
		server.get(t, "/cable", server.upgrade()).expectUnavailable(t)
		c.alive()

		server.rails.start(t)
		c.perform(echo, "count", "name", "after")
		c.expect(message(echo, `{"count":2,"names":["before","after"],"since":"2001-02-03T04:05:06.000Z"}`))
		c.perform(room, "speak", "text", "hello again")
		c.expect(message(room, `{"text":"hello again"}`))
		c.leave()
		journal := server.rails.awaitEvent(t, c.device, "disconnect")
		for _, e := range journal {
			if e.Event == "unsubscribed" && e.Identifier == echo && (e.Count != 2 || e.Greeting != "hello Zoë") {
				t.Errorf("instance variables in unsubscribed: got %+v", e)
			}
		}
	})
}

func TestOutage_ActionThatRunsWhenPumaIsStoppedIsAnswered(t *testing.T) {
	onlyBridged(t, "its sockets end before its actions", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		c.perform(echo, "announce", "gate", "stopping")
		server.rails.awaitEvent(t, c.device, "waiting")
		server.rails.process.signal(t, syscall.SIGTERM)
		if server.rails.workers() == 0 {
			await(t, "Puma to have served its requests", func() bool { return !server.rails.process.hasThread(threadsForRequests) })
		}
		server.rails.openGate(t, "stopping")
		c.expect(message(echo, object("waiting", "stopping")))
		c.expect(message(echo, object("waited", "stopping")))
		server.rails.process.end()

		server.rails.start(t)
		c.perform(echo, "echo")
		c.expect(message(echo, `{"action":"echo"}`))
	})
}

func TestOutage_CommandsWaitForPumaInOrder(t *testing.T) {
	onlyBridged(t, "its sockets live in Puma and end with it", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		c := server.connect(t, handshake{})
		echo, late := identify("EchoChannel"), identify("EchoChannel", "n", "late")
		c.join(echo)
		server.rails.stop(t)
		for n := range 5 {
			c.perform(echo, "echo", "n", n)
		}
		server.rails.start(t)
		for n := range 5 {
			c.expect(message(echo, fmt.Sprintf(`{"n":%d,"action":"echo"}`, n)))
		}
		c.join(late)
	})
}

func TestOutage_ClientThatLeavesWhilePumaIsAwayIsCleanedUpAfter(t *testing.T) {
	onlyBridged(t, "its sockets live in Puma and end with it", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		c := server.connect(t, handshake{})
		c.join(identify("EchoChannel"))
		server.rails.stop(t)
		c.leave()
		server.rails.start(t)
		server.rails.awaitEvent(t, c.device, "disconnect")
		expectCleanUp(t, server, c)
	})
}

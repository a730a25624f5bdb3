//go:build e2e

package e2e

import (
	"net/url"
	"testing"

	"github.com/gobwas/ws"
)

func TestRemoteDisconnect_HitsEveryConnectionOfTheIdentifierAndNoOther(t *testing.T) {
	states(t, 123, 124)
	each(t, func(t *testing.T, server *server) {
		one := server.connect(t, handshake{user: "ann", device: "shared " + t.Name()})
		two := server.connect(t, handshake{user: "ann", device: "shared " + t.Name()})
		other := server.connect(t, handshake{user: "bob", device: "shared " + t.Name()})
		awaitRegistered(t, server, "action_cable/ann:shared "+t.Name())
		echo := identify("EchoChannel")
		one.join(echo)
		server.rails.post(t, "/remote_disconnects", url.Values{"user": {"ann"}, "device": {"shared " + t.Name()}})
		for _, c := range []*consumer{one, two} {
			if server.rails.atLeast(t, 7, 1) {
				c.expect(disconnection("remote", true))
			}
			c.expectClose(ws.StatusNormalClosure)
		}
		await(t, "unsubscribed and two disconnects", func() bool {
			events := map[string]int{}
			for _, e := range server.rails.journal(t, one.device) {
				if e.User == "ann" {
					events[e.Event]++
				}
			}
			return events["unsubscribed"] == 1 && events["disconnect"] == 2
		})
		other.expectNothing()
	})
}

func TestRemoteDisconnect_MayForbidToReconnect(t *testing.T) {
	states(t, 123)
	each(t, func(t *testing.T, server *server) {
		if !server.rails.atLeast(t, 7, 1) {
			doesNotApply(t, "disconnect(reconnect:) is there from Rails 7.1 on")
		}
		c := server.connect(t, handshake{})
		awaitRegistered(t, server, "action_cable/ann:"+c.device)
		server.rails.post(t, "/remote_disconnects", url.Values{"user": {"ann"}, "device": {c.device}, "reconnect": {"false"}})
		c.expect(disconnection("remote", false))
		c.expectClose(ws.StatusNormalClosure)
	})
}

func TestRemoteDisconnect_ByAPublishedMessageWorksToo(t *testing.T) {
	states(t, 126)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		awaitRegistered(t, server, "action_cable/ann:"+c.device)
		server.redis.publish(t, "action_cable/ann:"+c.device, `{"type":"something else"}`)
		c.expectNothing()
		server.redis.publish(t, "action_cable/ann:"+c.device, `{"type":"disconnect"}`)
		if server.rails.atLeast(t, 7, 1) {
			c.expect(disconnection("remote", true))
		}
		c.expectClose(ws.StatusNormalClosure)
	})
}

// awaitRegistered waits until Redis knows of a follower: stock sends the welcome without waiting for that.
func awaitRegistered(t *testing.T, server *server, internal string) {
	t.Helper()
	await(t, "a follower of "+internal, func() bool { return server.redis.followers(t, internal) > 0 })
}

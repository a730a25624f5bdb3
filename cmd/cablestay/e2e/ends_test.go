//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// sent is how many of these events the bridge has sent to Rails.
func (b *bridge) sent(t *testing.T, event string) int {
	t.Helper()
	found := regexp.MustCompile(`(?m)^cablestay_rpc_duration_seconds_count\{call="` + event + `"\} (\d+)$`).FindStringSubmatch(b.metrics(t))
	if found == nil {
		t.Fatalf("%s is not in the metrics", event)
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (b *bridge) awaitNobody(t *testing.T) {
	t.Helper()
	await(t, "the end of all connections in the metrics", func() bool {
		metrics := b.metrics(t)
		return regexp.MustCompile(`(?m)^cablestay_connections 0$`).MatchString(metrics) &&
			regexp.MustCompile(`(?m)^cablestay_subscriptions 0$`).MatchString(metrics)
	})
}

// NoticesChannel has no unsubscribed, EchoChannel has one.
func TestEnds_ReachRailsOnlyWhereTheyHaveSomethingToRun(t *testing.T) {
	onlyBridged(t, "it has nothing to send", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{configuration: "plain_connections"})
		notices, echo := identify("NoticesChannel", "room", t.Name()), identify("EchoChannel")
		join := func(c *consumer) {
			c.subscribe(notices)
			c.expect(message(notices, object("hello", t.Name())), confirmation(notices))
		}

		c := server.connect(t, handshake{login: "none"})
		join(c)
		c.perform(notices, "say", "text", "hi")
		c.expect(message(notices, object("said", "hi")))
		c.unsubscribe(notices)
		join(c)
		c.leave()
		server.bridge.awaitNobody(t)
		for _, event := range []string{"unsubscribe", "disconnect"} {
			if got := server.bridge.sent(t, event); got != 0 {
				t.Errorf("%d %s events were sent, want none", got, event)
			}
		}

		c = server.connect(t, handshake{login: "none"})
		join(c)
		c.join(echo)
		c.unsubscribe(echo)
		server.rails.awaitEvent(t, c.device, "unsubscribed")
		c.join(echo)
		c.leave()
		server.bridge.awaitNobody(t)
		await(t, "both unsubscribed in the journal", func() bool { return len(server.rails.happened(t, c.device)) == 4 })
		if got, want := server.rails.happened(t, c.device), []string{"subscribed", "unsubscribed", "subscribed", "unsubscribed"}; !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
		if got := server.bridge.sent(t, "disconnect"); got != 1 {
			t.Errorf("%d disconnect events were sent, want 1", got)
		}
	})
}

func TestEnds_OfConnectionsWithADisconnectRunIt(t *testing.T) {
	onlyBridged(t, "it has nothing to send", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{configuration: "logging_warnings"})
		c := server.connect(t, handshake{})
		notices := identify("NoticesChannel", "room", t.Name())
		c.subscribe(notices)
		c.expect(message(notices, object("hello", t.Name())), confirmation(notices))
		c.leave()
		server.rails.awaitEvent(t, c.device, "disconnect")
	})
}

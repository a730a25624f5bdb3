//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gobwas/ws"
)

func TestLifecycle_BroadcastAfterTheConfirmationIsNeverMissed(t *testing.T) {
	states(t, 83)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		for n := range 20 {
			name := fmt.Sprintf("%s %d", t.Name(), n)
			streams := identify("StreamsChannel", "streams", []string{name + " a", name + " b"})
			c.join(streams)
			server.redis.publish(t, "streams_"+name+" a", `"a"`)
			c.expect(message(streams, `"a"`))
			server.redis.publish(t, "streams_"+name+" b", `"b"`)
			c.expect(message(streams, `"b"`))
		}
	})
}

func TestLifecycle_OneConfirmationHoweverManyStreamsFollow(t *testing.T) {
	states(t, 85)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		a, b, d := t.Name()+" a", t.Name()+" b", t.Name()+" d"
		streams := identify("StreamsChannel", "streams", []string{a, b})
		c.join(streams)
		c.perform(streams, "start", "streams", []string{d})
		c.expect(message(streams, object("started", []string{d})))
		awaitFollowers(t, server, "streams_"+d, 1)
		c.expectNothing()
		server.redis.publish(t, "streams_"+d, `"live"`)
		c.expect(message(streams, `"live"`))
	})
}

// ran is what CallbacksChannel transmits in each of its callbacks.
func ran(identifier string, callbacks ...string) []string {
	var frames []string
	for _, callback := range callbacks {
		frames = append(frames, message(identifier, object("ran", callback)))
	}
	return frames
}

var (
	beforeSubscribe   = []string{"first before_subscribe", "second before_subscribe"}
	afterSubscribe    = []string{"on_subscribe", "first after_subscribe"}
	beforeUnsubscribe = []string{"first before_unsubscribe", "second before_unsubscribe"}
	afterUnsubscribe  = []string{"on_unsubscribe", "first after_unsubscribe"}
)

func TestLifecycle_CallbacksRunInTheirOrderAndAfterOnesInReverse(t *testing.T) {
	states(t, 84, 97, 98)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		callbacks := identify("CallbacksChannel")
		c.subscribe(callbacks)
		c.expect(ran(callbacks, slices.Concat(beforeSubscribe, []string{"subscribed", "accepted"}, afterSubscribe)...)...)
		c.expect(confirmation(callbacks))
		c.unsubscribe(callbacks)
		c.expect(ran(callbacks, slices.Concat(beforeUnsubscribe, []string{"unsubscribed"}, afterUnsubscribe)...)...)
		c.expectNothing()
	})
}

func TestLifecycle_AbortBeforeSubscribeSkipsSubscribedAndConfirms(t *testing.T) {
	states(t, 90)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		callbacks := identify("CallbacksChannel", "abort", "subscribe")
		c.subscribe(callbacks)
		c.expect(ran(callbacks, slices.Concat([]string{"first before_subscribe", "accepted"}, afterSubscribe)...)...)
		c.expect(confirmation(callbacks))
		c.perform(callbacks, "say", "text", "in all the same")
		c.expect(message(callbacks, `{"said":"in all the same"}`))
	})
}

func TestLifecycle_AbortBeforeUnsubscribeSkipsUnsubscribedAndFreesTheIdentifier(t *testing.T) {
	states(t, abortBeforeUnsubscribe)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		callbacks := identify("CallbacksChannel", "abort", "unsubscribe")
		subscribe := func() {
			c.subscribe(callbacks)
			c.expect(ran(callbacks, slices.Concat(beforeSubscribe, []string{"subscribed", "accepted"}, afterSubscribe)...)...)
			c.expect(confirmation(callbacks))
		}
		subscribe()
		c.unsubscribe(callbacks)
		c.expect(ran(callbacks, slices.Concat([]string{"first before_unsubscribe"}, afterUnsubscribe)...)...)
		c.expectNothing()
		subscribe()
	})
}

func TestLifecycle_RejectInAnyCallbackRejectsAtTheEnd(t *testing.T) {
	states(t, 86, 87, 91, rejectInAfterSubscribe)
	unsubscribing := slices.Concat(beforeUnsubscribe, []string{"unsubscribed"}, afterUnsubscribe)
	for where, subscribing := range map[string][]string{
		// Up to Rails 8.1 a reject before subscribed does not keep that from running.
		"before_subscribe": slices.Concat(beforeSubscribe, []string{"subscribed"}, afterSubscribe),
		"subscribed":       slices.Concat(beforeSubscribe, []string{"subscribed"}, afterSubscribe),
		"after_subscribe":  slices.Concat(beforeSubscribe, []string{"subscribed", "accepted"}, afterSubscribe),
	} {
		t.Run(where, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				callbacks := identify("CallbacksChannel", "reject", where)
				for range 2 { // it may try again
					c.subscribe(callbacks)
					c.expect(ran(callbacks, slices.Concat(subscribing, unsubscribing)...)...)
					c.expect(rejection(callbacks))
				}
				c.expectNothing()
			})
		})
	}
}

func TestLifecycle_RejectedSubscriptionCanPerformNothing(t *testing.T) {
	states(t, 88)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		callbacks := identify("CallbacksChannel", "reject", "subscribed")
		c.subscribe(callbacks)
		c.awaitFrame(rejection(callbacks))
		for c.next() != rejection(callbacks) {
		}
		marks := server.marks()
		c.perform(callbacks, "say", "text", "let me in")
		server.awaitLogged(t, marks, `[Uu]nable to find subscription with identifier`)
		c.expectNothing()
	})
}

func TestLifecycle_RejectLeavesTheStreamsThatWereStarted(t *testing.T) {
	states(t, 86)
	each(t, func(t *testing.T, server *server) {
		witness, c := server.connect(t, handshake{}), server.connect(t, handshake{})
		witness.join(identify("StreamsChannel", "streams", []string{t.Name()}))
		rejected := identify("StreamsChannel", "streams", []string{t.Name()}, "reject", true)
		c.subscribe(rejected)
		c.expect(rejection(rejected))
		server.redis.publish(t, "streams_"+t.Name(), `"for those who are in"`)
		witness.expect(message(identify("StreamsChannel", "streams", []string{t.Name()}), `"for those who are in"`))
		if onPurpose(t, server, "stock stops the stream at once and starts it on another thread, often after that: then it is never stopped",
			false, true) {
			c.expectNothing()
		}
		c.alive()
	})
}

func TestLifecycle_CloseInSubscribedIsNotFollowedByAConfirmation(t *testing.T) {
	states(t, 99)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		callbacks := identify("CallbacksChannel", "close", true)
		c.subscribe(callbacks)
		c.expect(ran(callbacks, slices.Concat(beforeSubscribe, []string{"subscribed"})...)...)
		c.expect(disconnection("full", false))
		c.expectClose(ws.StatusNormalClosure)
		server.rails.awaitEvent(t, c.device, "disconnect")
		if got, want := server.rails.happened(t, c.device), []string{"connect", "unsubscribed", "disconnect"}; !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
	})
}

func TestLifecycle_DeferredConfirmationComesWhenAnActionSendsIt(t *testing.T) {
	states(t, 92)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		deferring := identify("DeferringChannel")
		c.subscribe(deferring)
		c.expect(message(deferring, `{"deferred":true}`))
		server.rails.awaitEvent(t, c.device, "subscribed")
		c.perform(deferring, "ask") // which works before the confirmation as after it
		c.expect(message(deferring, `{"sent":false}`))
		c.expectNothing()
		c.perform(deferring, "confirm")
		c.expect(confirmation(deferring))
		c.perform(deferring, "ask")
		c.expect(message(deferring, `{"sent":true}`))
		c.perform(deferring, "confirm")
		c.expectNothing()
	})
}

func TestLifecycle_ParamsAreAllThatTheIdentifierHolds(t *testing.T) {
	states(t, 93)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		channel := identify("ConnectionChannel", "name", "Zoë", "nested", map[string]any{"deep": 5})
		c.join(channel)
		c.perform(channel, "parameters")
		c.expect(message(channel, `{"string":"Zoë","symbol":"Zoë","nested":5,"keys":["channel","name","nested"],`+
			`"class":"ActiveSupport::HashWithIndifferentAccess"}`))
	})
}

func TestLifecycle_CurrentAttributesLeakFromNoCommandAndNoRequest(t *testing.T) {
	states(t, 96)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		channel, other := identify("ConnectionChannel"), identify("ConnectionChannel", "n", 2)
		c.join(channel)
		c.join(other)
		for range 12 { // more often than there are threads
			c.perform(channel, "set_current", "text", "set by an action")
			c.expect(message(channel, `{"current":"set by an action"}`))
			server.rails.ask(t, "GET", "/counts", nil) // sets it too
			c.perform(channel, "ask_current")
			c.expect(message(channel, `{"current":null}`))
		}
		gate := "current " + string(server.kind)
		c.perform(channel, "hold_current", "text", "held", "gate", gate)
		server.rails.awaitEvent(t, c.device, "holding")
		c.perform(other, "ask_current")
		c.expect(message(other, `{"current":null}`))
		server.rails.openGate(t, gate)
		c.expect(message(channel, `{"held":"held"}`))
	})
}

func TestLifecycle_SubscribedThatRaises(t *testing.T) {
	states(t, 89)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		raising := identify("RaisingChannel", "in", "subscribed", "room", t.Name())
		mark := server.rails.process.logSize()
		c.subscribe(raising)
		server.rails.process.awaitLog(t, mark, `Could not execute command.*RuntimeError - subscribed always fails`)
		if onPurpose(t, server, "nobody is helped by a client that waits for ever: it is rejected, and unsubscribed cleans up", false, true) {
			c.expect(rejection(raising))
			server.rails.awaitEvent(t, c.device, "unsubscribed")
			await(t, "its stream to be left", func() bool { return server.redis.followers(t, "raising_"+t.Name()) == 0 })
			mark := server.rails.process.logSize()
			c.subscribe(raising)
			server.rails.process.awaitLog(t, mark, `Could not execute command.*RuntimeError - subscribed always fails`)
			c.expect(rejection(raising))
			return
		}
		awaitFollowers(t, server, "raising_"+t.Name(), 1)
		c.expectNothing() // not even what channels rescue from: that is for actions
		server.redis.publish(t, "raising_"+t.Name(), `"delivered all the same"`)
		c.expect(message(raising, `"delivered all the same"`))
		c.subscribe(raising)
		c.perform(raising, "echo")
		c.expect(message(raising, `{"action":"echo"}`))
		c.unsubscribe(raising)
		server.rails.awaitEvent(t, c.device, "unsubscribed")
		expectTimes(t, server, c.device, raising, "subscribed", 1)
	})
}

func TestLifecycle_UnsubscribedThatRaisesKeepsTheIdentifierTaken(t *testing.T) {
	states(t, raisingUnsubscribed)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		raising := identify("RaisingChannel", "in", "unsubscribed")
		c.join(raising)
		mark := server.rails.process.logSize()
		c.unsubscribe(raising)
		server.rails.process.awaitLog(t, mark, `Could not execute command.*RuntimeError - unsubscribed always fails`)
		c.subscribe(raising)
		c.expectNothing()
		c.perform(raising, "echo")
		c.expect(message(raising, `{"action":"echo"}`))
	})
}

//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestConcurrency_CommandsOfAConnectionStartInTheOrderInWhichTheyCame(t *testing.T) {
	states(t, 131)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		c.expectNothing()
		for n := range 4 { // as many as stock runs at a time
			c.perform(echo, "wait", "gate", fmt.Sprintf("order %d %s", n, server.kind))
		}
		for n := range 4 {
			server.rails.openGate(t, fmt.Sprintf("order %d %s", n, server.kind))
			c.expect(message(echo, object("waited", fmt.Sprintf("order %d %s", n, server.kind))))
		}
	})
}

func TestConcurrency_SlowActionOfOneConnectionDoesNotDelayAnother(t *testing.T) {
	states(t, 134)
	each(t, func(t *testing.T, server *server) {
		slow, quick := server.connect(t, handshake{}), server.connect(t, handshake{})
		echo := identify("EchoChannel")
		slow.join(echo)
		quick.join(echo)
		gate := "slow connection " + string(server.kind)
		slow.perform(echo, "wait", "gate", gate)
		for range 3 {
			quick.perform(echo, "echo")
			quick.expect(message(echo, `{"action":"echo"}`))
		}
		server.rails.openGate(t, gate)
		slow.expect(message(echo, object("waited", gate)))
	})
}

func TestConcurrency_EventsThatRunAtATimeKeepWhatEachSetInTheConnection(t *testing.T) {
	states(t, 95, mergedConnection)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		one, other, third := identify("ConnectionChannel", "n", 1), identify("ConnectionChannel", "n", 2), identify("ConnectionChannel", "n", 3)
		for _, identifier := range []string{one, other, third} {
			c.join(identifier)
		}
		gate := "memory " + string(server.kind)
		c.perform(one, "remember", "name", "red", "value", 1, "gate", gate+" 1")
		c.perform(other, "remember", "name", "blue", "value", 2, "gate", gate+" 2")
		await(t, "both to run", func() bool { return len(server.rails.happened(t, c.device)) == 3 })
		server.rails.openGate(t, gate+" 2")
		c.expect(message(other, `{"remembered":"blue"}`))
		server.rails.openGate(t, gate+" 1")
		c.expect(message(one, `{"remembered":"red"}`))
		for _, identifier := range []string{third, one, other} {
			c.perform(identifier, "memory")
			c.expect(message(identifier, `{"memory":{"blue":2,"red":1}}`))
		}
	})
}

func TestConcurrency_ActionsOfOneSubscription(t *testing.T) {
	states(t, overlappingActions)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		first, second := "overlap 1 "+string(server.kind), "overlap 2 "+string(server.kind)
		c.perform(echo, "wait", "gate", first)
		c.perform(echo, "wait", "gate", second)
		server.rails.openGate(t, second)
		if onPurpose(t, server, "events of one subscription run one after another, so that its instance variables need no lock", true, false) {
			c.expect(message(echo, object("waited", second)))
			server.rails.openGate(t, first)
			c.expect(message(echo, object("waited", first)))
			return
		}
		server.rails.openGate(t, first)
		c.expect(message(echo, object("waited", first)), message(echo, object("waited", second)))
	})
}

func TestConcurrency_WhatAnActionTransmitsBeforeItHasEnded(t *testing.T) {
	states(t, transmitAtOnce)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo, other := identify("EchoChannel"), identify("EchoChannel", "n", 2)
		c.join(echo)
		c.join(other)
		gate := "at once " + string(server.kind)
		c.perform(echo, "announce", "gate", gate)
		server.rails.awaitEvent(t, c.device, "waiting")
		c.expect(message(echo, object("waiting", gate)))
		c.perform(other, "echo")
		c.expect(message(other, `{"action":"echo"}`))
		server.rails.openGate(t, gate)
		c.expect(message(echo, object("waited", gate)))
	})
}

func TestFailure_LostConnectionToRedisIsMadeAgainAndStreamsResume(t *testing.T) {
	states(t, 135)
	eachOwn(t, setup{}, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		room := identify("RoomChannel", "room", "r")
		c.join(room)
		if err := server.redis.client.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
			t.Fatal(err)
		}
		awaitFollowers(t, server, "room_r", 1)
		server.redis.publish(t, "room_r", `"again"`)
		c.expect(message(room, `"again"`))
		c.expectPings(1)
	})
}

func TestFailure_WithoutRedisTheOthersAreServed(t *testing.T) {
	states(t, 136)
	eachOwn(t, setup{}, func(t *testing.T, server *server) {
		if server.kind != bridged && !server.rails.atLeast(t, 7, 1) {
			doesNotApply(t, "on Rails 6.1 the whole process dies")
		}
		c := server.connect(t, handshake{})
		c.join(identify("RoomChannel", "room", "r"))
		server.redis.stop(t)
		c.expectPings(2)
		newcomer := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		newcomer.join(echo)
		newcomer.perform(echo, "echo")
		newcomer.expect(message(echo, `{"action":"echo"}`))
		newcomer.expectPings(1)
		c.alive()
	})
}

func TestNotifications_OfWhatRunsInRubyAreThoseOfStock(t *testing.T) {
	states(t, 140, notificationsHeard)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		notices, rejected := identify("NoticesChannel", "room", t.Name()), identify("NoticesChannel", "room", t.Name(), "reject", true)
		before := len(server.rails.records(t, "notices"))
		wait := func(more int) {
			t.Helper()
			await(t, fmt.Sprintf("%d notifications", more), func() bool { return len(server.rails.records(t, "notices")) >= before+more })
		}
		c.subscribe(notices)
		c.expect(message(notices, object("hello", t.Name())), confirmation(notices))
		wait(2)
		c.perform(notices, "say", "text", "x", "password", "secret")
		c.expect(message(notices, `{"said":"x"}`))
		wait(4)
		c.perform(notices, "tell", "text", "y")
		wait(6)
		c.perform(notices, "fail")
		wait(7)
		c.perform(notices, "unknown") // is no action, and none is notified of
		c.subscribe(rejected)
		c.expect(message(rejected, object("hello", t.Name())), rejection(rejected))
		wait(9)
		server.redis.publish(t, "notices_"+t.Name(), `"streamed"`)
		c.expect(message(notices, `"streamed"`))

		identified := func(identifier string) string { // since Rails 8.0
			return onRails(server, t, 8, 0, `,"identifier":`+quote(identifier), "")
		}
		const class = `"channel_class":"NoticesChannel"`
		want := []string{
			`transmit.action_cable {` + class + `,"data":{"hello":` + quote(t.Name()) + `},"via":null}`,
			`transmit_subscription_confirmation.action_cable {` + class + identified(notices) + `}`,
			`transmit.action_cable {` + class + `,"data":{"said":"x"},"via":"an action"}`,
			`perform_action.action_cable {` + class + `,"action":"say","data":{"action":"say","password":"secret","text":"x"}}`,
			`broadcast.action_cable {"broadcasting":"notices_elsewhere","message":{"told":"y"},"coder":"ActiveSupport::JSON"}`,
			`perform_action.action_cable {` + class + `,"action":"tell","data":{"action":"tell","text":"y"}}`,
			`perform_action.action_cable {` + class + `,"action":"fail","data":{"action":"fail"},"exception":["ArgumentError","this notice always fails"]}`,
			`transmit.action_cable {` + class + `,"data":{"hello":` + quote(t.Name()) + `},"via":null}`,
			`transmit_subscription_rejection.action_cable {` + class + identified(rejected) + `}`,
		}
		want = append(want, onPurpose(t, server, "a broadcast is delivered without Ruby, so transmit.action_cable does not fire for it; there is a metric instead",
			[]string{`transmit.action_cable {` + class + `,"data":"streamed","via":` + quote("streamed from notices_"+t.Name()) + `}`}, nil)...)
		wait(len(want))
		var got []string
		for _, record := range server.rails.records(t, "notices")[before:] {
			got = append(got, fmt.Sprint(record["name"], " ", encode(record["payload"])))
		}
		for n := range want {
			want[n] = sortedPayload(t, want[n])
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("notifications: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestErrors_OfCommandsAreNotReported(t *testing.T) {
	states(t, 142)
	each(t, func(t *testing.T, server *server) {
		if !server.rails.atLeast(t, 7, 0) {
			doesNotApply(t, "Rails.error came with Rails 7.0")
		}
		reported := func(message string) bool {
			for _, record := range server.rails.records(t, "errors") {
				if record["message"] == message {
					return true
				}
			}
			return false
		}
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		mark := server.rails.process.logSize()
		c.perform(echo, "fail")
		server.rails.process.awaitLog(t, mark, `Could not execute command.*this action always fails`)
		c.expectNothing()
		server.rails.post(t, "/errors", url.Values{"message": {"reported by " + t.Name()}})
		if !reported("reported by " + t.Name()) {
			t.Error("the app's subscriber hears nothing at all")
		}
		if reported("this action always fails") {
			t.Error("the error of an action was reported")
		}
	})
}

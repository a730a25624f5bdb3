//go:build e2e

package e2e

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"
)

// awaitFollowers waits until that many connections to Redis follow a broadcasting: on stock, nothing else tells when a
// stream that began in an action is live.
func awaitFollowers(t *testing.T, server *server, broadcasting string, want int64) {
	t.Helper()
	await(t, fmt.Sprintf("%d followers of %s", want, broadcasting), func() bool {
		return server.redis.followers(t, broadcasting) == want
	})
}

// expectInAnyOrder takes as many frames as it is given, each once.
func (c *consumer) expectInAnyOrder(frames ...string) {
	c.t.Helper()
	missing := map[string]int{}
	for _, frame := range frames {
		missing[frame]++
	}
	for range frames {
		got := c.next()
		if missing[got] == 0 {
			c.t.Fatalf("got %s, want one of %v", got, missing)
		}
		missing[got]--
	}
}

func TestStream_ThatIsStoppedIsHeardNoMoreAndTheOthersGoOn(t *testing.T) {
	states(t, 103)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		a, b, d := t.Name()+" a", t.Name()+" b", t.Name()+" d"
		member := "member " + t.Name()
		streams := identify("StreamsChannel", "streams", []string{a, b, d}, "members", []string{member})
		c.join(streams)
		expectHeard := func(heard ...string) {
			t.Helper()
			for _, name := range []string{a, b, d} {
				server.redis.publish(t, "streams_"+name, quote(name))
			}
			server.redis.publish(t, "streams:"+gidParam("Member", member), quote(member))
			var want []string
			for _, name := range heard {
				want = append(want, message(streams, quote(name)))
			}
			c.expectInAnyOrder(want...)
			c.expectNothing()
		}
		expectHeard(a, b, d, member)

		c.perform(streams, "stop", "stream", a)
		c.expect(message(streams, object("stopped", a)))
		awaitFollowers(t, server, "streams_"+a, 0)
		expectHeard(b, d, member)

		c.perform(streams, "stop_member", "member", member)
		c.expect(message(streams, object("stopped", member)))
		awaitFollowers(t, server, "streams:"+gidParam("Member", member), 0)
		expectHeard(b, d)

		c.perform(streams, "stop", "stream", "never started")
		c.expect(message(streams, object("stopped", "never started")))
		expectHeard(b, d)

		c.perform(streams, "stop_all")
		c.expect(message(streams, object("stopped", "all")))
		awaitFollowers(t, server, "streams_"+b, 0)
		awaitFollowers(t, server, "streams_"+d, 0)
		expectHeard()

		c.perform(streams, "start", "streams", []string{a})
		c.expect(message(streams, object("started", []string{a})))
		awaitFollowers(t, server, "streams_"+a, 1)
		expectHeard(a)
	})
}

func TestStream_OfARecordIsNamedAfterChannelAndGlobalID(t *testing.T) {
	states(t, 105)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		member := "1 " + t.Name()
		streams := identify("StreamsChannel", "members", []string{member})
		c.join(streams)
		if got := server.redis.followers(t, "streams:"+gidParam("Member", member)); got != 1 {
			t.Errorf("followers of streams:%s: got %d, want 1", gidParam("Member", member), got)
		}
		c.perform(streams, "tell", "member", member, "text", "hello")
		c.expect(message(streams, `{"told":"hello"}`))
		server.rails.runner(t, fmt.Sprintf("StreamsChannel.broadcast_to(Member.find(%q), { from: :runner })", member))
		c.expect(message(streams, `{"from":"runner"}`))
	})
}

func TestStream_NamesOfBroadcastingsAreThoseOfStock(t *testing.T) {
	states(t, 105, broadcastingNames)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		streams, appearances := identify("StreamsChannel"), identify("Chats::AppearancesChannel", "member", "1")
		c.join(streams)
		c.perform(streams, "names", "member", "1")
		c.expect(message(streams, object("channel", "streams", "string", "streams:a", "list", "streams:a:1:b",
			"record", "streams:"+gidParam("Member", "1"))))
		c.join(appearances)
		c.perform(appearances, "named")
		c.expect(message(appearances, `{"channel":"chats:appearances","broadcasting":"chats:appearances:x"}`))
	})
}

func TestStream_NameMayBeAnythingThatBecomesAString(t *testing.T) {
	states(t, 106)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		streams := identify("StreamsChannel")
		c.join(streams)
		for _, action := range []string{"start_symbol", "start_object"} {
			name := t.Name() + " " + action
			c.perform(streams, action, "stream", name)
			c.expect(message(streams, object("started", name)))
			awaitFollowers(t, server, "streams_"+name, 1)
			server.redis.publish(t, "streams_"+name, quote(action))
			c.expect(message(streams, quote(action)))
		}
	})
}

func TestStream_IsNotStoppedByASymbol(t *testing.T) {
	states(t, stopBySymbol)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		streams := identify("StreamsChannel")
		c.join(streams)
		c.perform(streams, "start_symbol", "stream", t.Name())
		c.expect(message(streams, object("started", t.Name())))
		awaitFollowers(t, server, "streams_"+t.Name(), 1)
		c.perform(streams, "stop_symbol", "stream", t.Name())
		c.expect(message(streams, object("stopped", t.Name())))
		server.redis.publish(t, "streams_"+t.Name(), `"still heard"`)
		c.expect(message(streams, `"still heard"`))
	})
}

func TestStream_StoppedInTheEventThatBroadcasts(t *testing.T) {
	states(t, stopAndTell)
	each(t, func(t *testing.T, server *server) {
		witness, c := server.connect(t, handshake{}), server.connect(t, handshake{})
		streams := identify("StreamsChannel", "streams", []string{t.Name()})
		witness.join(streams)
		c.join(streams)
		c.perform(streams, "stop_and_tell", "stream", t.Name())
		told := message(streams, object("stopped", t.Name()))
		witness.expect(told)
		c.expect(told) // by its own transmission
		c.expectNothing()
		server.redis.publish(t, "streams_"+t.Name(), `"later"`)
		witness.expect(message(streams, `"later"`))
		c.expectNothing()
	})
}

func TestStream_IsHeardFromWhereTheActionThatGoesOnHasStartedIt(t *testing.T) {
	states(t, heardAtOnce)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		streams := identify("StreamsChannel")
		c.join(streams)
		gate := "heard " + string(server.kind)
		c.perform(streams, "start_and_wait", "stream", t.Name(), "gate", gate)
		awaitFollowers(t, server, "streams_"+t.Name(), 1)
		server.redis.publish(t, "streams_"+t.Name(), `"meanwhile"`)
		c.expect(message(streams, `"meanwhile"`))
		server.rails.openGate(t, gate)
		c.expectInAnyOrder(message(streams, object("told", t.Name())), message(streams, object("started", t.Name())))
		server.redis.publish(t, "streams_"+t.Name(), `"later"`)
		c.expect(message(streams, `"later"`))
	})
}

func TestStream_StartedTwiceIsHeardTwice(t *testing.T) {
	states(t, 102)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		streams := identify("StreamsChannel", "streams", []string{t.Name(), t.Name()})
		c.join(streams)
		server.redis.publish(t, "streams_"+t.Name(), `"twice"`)
		c.expect(message(streams, `"twice"`), message(streams, `"twice"`))
		c.unsubscribe(streams)
		server.rails.awaitEvent(t, c.device, "unsubscribed")
		c.expectNothing()
		if onPurpose(t, server, "stock forgets the first of the two handlers: it goes on to deliver after the unsubscribe, and follows in Redis for ever",
			false, true) {
			awaitFollowers(t, server, "streams_"+t.Name(), 0)
			return
		}
		server.redis.publish(t, "streams_"+t.Name(), `"of the handler that stock forgot"`)
		c.expect(message(streams, `"of the handler that stock forgot"`))
	})
}

func TestStream_EveryEndOfASubscriptionLeavesRedis(t *testing.T) {
	states(t, 112)
	for name, end := range map[string]func(c *consumer, streams string){
		"Unsubscribe": func(c *consumer, streams string) { c.unsubscribe(streams) },
		"Close":       func(c *consumer, _ string) { c.leave() },
		"Drop":        func(c *consumer, _ string) { c.drop() },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				streams := identify("StreamsChannel", "streams", []string{t.Name()})
				c.join(streams)
				awaitFollowers(t, server, "streams_"+t.Name(), 1)
				end(c, streams)
				awaitFollowers(t, server, "streams_"+t.Name(), 0)
			})
		})
	}
}

func TestStream_OfTurboIsSignedAndCarriesHTML(t *testing.T) {
	states(t, 113)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		signed := server.rails.ask(t, "GET", "/signed_streams", url.Values{"name": {t.Name()}})
		turbo := identify("SignedStreamChannel", "signed_stream_name", signed)
		c.join(turbo)
		server.rails.post(t, "/signed_streams", url.Values{"name": {t.Name()}})
		c.expect(message(turbo, `"\u003cturbo-stream action=\"append\" target=\"messages\"\u003e\u003ctemplate\u003eé \u0026 \"x\"`+
			`\u003c/template\u003e\u003c/turbo-stream\u003e"`))
		forged := identify("SignedStreamChannel", "signed_stream_name", signed[:len(signed)-1]+"0x")
		c.subscribe(forged)
		c.expect(rejection(forged))
	})
}

func TestStream_OfNothingIsRejected(t *testing.T) {
	states(t, 114)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		nothing, something := identify("Chats::AppearancesChannel"), identify("Chats::AppearancesChannel", "member", t.Name())
		c.subscribe(nothing)
		c.expect(rejection(nothing))
		c.join(something)
		server.redis.publish(t, "chats:appearances:"+gidParam("Member", t.Name()), `"seen"`)
		c.expect(message(something, `"seen"`))
	})
}

func TestStream_PrefixOfRedisNeverReachesAClient(t *testing.T) {
	states(t, 115)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		streams := identify("StreamsChannel", "streams", []string{t.Name()})
		c.join(streams)
		if heard := server.redis.client.Publish(t.Context(), "streams_"+t.Name(), `"without the prefix"`).Val(); heard != 0 {
			t.Errorf("%d connections to Redis follow the name without the prefix, want none", heard)
		}
		if heard := server.redis.publish(t, "streams_"+t.Name(), `"with it"`); heard != 1 {
			t.Errorf("%d connections to Redis follow the name with the prefix, want 1", heard)
		}
		c.expect(message(streams, `"with it"`))
		c.expectNothing()
	})
}

// gidParam is what GlobalID makes of a record of the app for use in a name.
func gidParam(model, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("gid://end-to-end/" + model + "/" + url.QueryEscape(id)))
}

func TestStream_WhatUnsubscribedBroadcastsIsHeardByTheOthers(t *testing.T) {
	states(t, farewell)
	each(t, func(t *testing.T, server *server) {
		witness := server.connect(t, handshake{})
		room := identify("StreamsChannel", "streams", []string{t.Name()})
		witness.join(room)
		for _, end := range []func(c *consumer, identifier string){
			func(c *consumer, identifier string) { c.unsubscribe(identifier) },
			func(c *consumer, _ string) { c.leave() },
			func(c *consumer, _ string) { c.drop() },
		} {
			c := server.connect(t, handshake{})
			parting := identify("StreamsChannel", "farewell", t.Name())
			c.join(parting)
			end(c, parting)
			witness.expect(message(room, object("left", c.device)))
		}
	})
}

func TestStream_BroadcastWithoutACoderIsPublishedAsItIs(t *testing.T) {
	states(t, broadcastForms)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		streams := identify("StreamsChannel", "streams", []string{t.Name()})
		c.join(streams)
		published := server.redis.client.Subscribe(t.Context(), prefix+"streams_"+t.Name())
		defer func() { _ = published.Close() }()
		awaitFollowers(t, server, "streams_"+t.Name(), 2)
		server.rails.runner(t, fmt.Sprintf(`name = %q
			ActionCable.server.broadcast(name, '{"b" : "<", "a":1}', coder: nil)
			ActionCable.server.broadcast(name.to_sym, { "b" => "<", a: 1 })
			ActionCable.server.broadcaster_for(name).broadcast([ "kept" ])`, "streams_"+t.Name()))
		for _, want := range []string{`{"b" : "<", "a":1}`, `{"b":"\u003c","a":1}`, `["kept"]`} {
			got, err := published.ReceiveMessage(t.Context())
			if err != nil || got.Payload != want {
				t.Errorf("published: got %v (%v), want %s", got, err, want)
			}
		}
		c.awaitFrame(message(streams, `{"b":"\u003c","a":1}`))
		c.awaitFrame(message(streams, `["kept"]`))
	})
}

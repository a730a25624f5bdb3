//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"testing"
)

// awkward is what stock Action Cable puts on the wire for the app's Payload::AWKWARD.
const awkward = `{"zulu":9007199254740993,` +
	`"alpha":[9223372036854775807,-9223372036854775808,18446744073709551615],` +
	`"none":null,` +
	`"html":"\u003cscript\u003ealert(\"1 \u0026 2\")\u003c/script\u003e",` +
	`"nested":{"Ünïcode":["naïve","😀",{"\u2028\u2029":"\u0000\u001f\t\\/"}],"":{},"empty":[]},` +
	`"float":1.5,"truth":[true,false,null]}`

func TestBroadcast_FromRunnerControllerAndJobArrivesByteForByteAsInStock(t *testing.T) {
	states(t, 46, 47)
	for source, broadcast := range map[string]func(t *testing.T, server *server, broadcasting string){
		"Runner": func(t *testing.T, server *server, broadcasting string) {
			server.rails.runner(t, fmt.Sprintf("ActionCable.server.broadcast(%q, Payload::AWKWARD)", broadcasting))
		},
		"Controller": func(t *testing.T, server *server, broadcasting string) {
			server.rails.post(t, "/broadcasts", url.Values{"broadcasting": {broadcasting}, "awkward": {"1"}})
		},
		"Job": func(t *testing.T, server *server, broadcasting string) {
			server.rails.post(t, "/broadcasts", url.Values{"broadcasting": {broadcasting}, "awkward": {"1"}, "later": {"1"}})
		},
	} {
		t.Run(source, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				room := identify("RoomChannel", "room", t.Name())
				c.join(room)
				broadcast(t, server, "room_"+t.Name())
				c.expect(message(room, awkward))
				c.expectNothing()
			})
		})
	}
}

func TestBroadcast_OfAChannelsActionReachesEverySubscriptionOnce(t *testing.T) {
	states(t, 100, 101)
	each(t, func(t *testing.T, server *server) {
		ann, bob := server.connect(t, handshake{user: "ann"}), server.connect(t, handshake{user: "bob"})
		room := identify("RoomChannel", "room", t.Name())
		again := identify("RoomChannel", "room", t.Name(), "again", true)
		ann.join(room)
		bob.join(room)
		bob.join(again)
		ann.perform(room, "speak", "text", "<hello>")
		payload := `{"text":"\u003chello\u003e"}`
		ann.expect(message(room, payload))
		want := map[string]bool{message(room, payload): true, message(again, payload): true}
		for range 2 { // one for each of bob's subscriptions, in any order
			frame := bob.next()
			if !want[frame] {
				t.Fatalf("got %s", frame)
			}
			delete(want, frame)
		}
		ann.expectNothing()
		bob.expectNothing()
	})
}

func TestBroadcast_AnyJSONValueIsAMessage(t *testing.T) {
	states(t, 45)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		room := identify("RoomChannel", "room", t.Name())
		c.join(room)
		for _, payload := range []string{`"text"`, `5`, `null`, `true`, `[]`, `{}`, `[1,[2]]`, `"\u003cturbo-stream\u003e"`} {
			server.redis.publish(t, "room_"+t.Name(), payload)
			c.expect(message(room, payload))
		}
	})
}

func TestBroadcast_OfAnotherProgramArrivesAsAnEqualValue(t *testing.T) {
	states(t, 51)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		room := identify("RoomChannel", "room", t.Name())
		c.join(room)
		payload := ` {"b" : [ 1 , 2.50 ], "a":"<\/é\u00e9&" }` // stock normalises it, the bridge may pass it on
		server.redis.publish(t, "room_"+t.Name(), payload)
		var got struct {
			Identifier string
			Message    any
		}
		if err := json.Unmarshal([]byte(c.next()), &got); err != nil {
			t.Fatal(err)
		}
		var want any
		if err := json.Unmarshal([]byte(payload), &want); err != nil {
			t.Fatal(err)
		}
		if got.Identifier != room || !reflect.DeepEqual(got.Message, want) {
			t.Errorf("got %+v, want the message %v", got, want)
		}
	})
}

func TestBroadcast_ThatIsNotJSONIsDroppedAndTheStreamGoesOn(t *testing.T) {
	states(t, 48, 49, 50)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		room := identify("RoomChannel", "room", t.Name())
		c.join(room)
		for _, payload := range []string{``, `plain text`, `{"a":`, `NaN`, "\"raw \t tab\"", "\"invalid \xff utf-8\"", `"\ud800"`, `{} {}`} {
			server.redis.publish(t, "room_"+t.Name(), payload)
		}
		server.redis.publish(t, "room_"+t.Name(), `"good"`)
		c.expect(message(room, `"good"`))
		c.expectNothing()
	})
}

func TestBroadcast_ReachesAStreamJoinedInAnActionAndNoneThatWasLeft(t *testing.T) {
	states(t, 103, 104)
	each(t, func(t *testing.T, server *server) {
		witness, c := server.connect(t, handshake{}), server.connect(t, handshake{})
		home, away := t.Name()+" home", t.Name()+" away"
		room := identify("RoomChannel", "room", home)
		witness.join(room)
		c.join(room)
		c.perform(room, "visit", "room", away)
		c.expect(message(room, object("visiting", away)))
		// No confirmation tells when such a stream is live, but its first follower is one that Redis can count.
		await(t, "a follower of "+away, func() bool { return server.redis.followers(t, "room_"+away) == 1 })
		witness.join(identify("RoomChannel", "room", away))
		c.perform(room, "leave")
		c.expect(message(room, object("left", home)))
		server.redis.publish(t, "room_"+home, `"not for one who left"`)
		witness.expect(message(room, `"not for one who left"`))
		server.redis.publish(t, "room_"+away, `"for the visitor"`)
		c.expect(message(room, `"for the visitor"`))
		c.unsubscribe(room)
		server.rails.awaitEvent(t, c.device, "unsubscribed")
		c.expectNothing()
		server.redis.publish(t, "room_"+away, `"not after unsubscribe"`)
		witness.expect(message(identify("RoomChannel", "room", away), `"for the visitor"`))
		witness.expect(message(identify("RoomChannel", "room", away), `"not after unsubscribe"`))
		c.expectNothing()
	})
}

func TestBroadcast_LastFollowerToLeaveLeavesRedis(t *testing.T) {
	states(t, 112)
	each(t, func(t *testing.T, server *server) {
		broadcasting := "room_" + t.Name()
		room := identify("RoomChannel", "room", t.Name())
		one, other := server.connect(t, handshake{}), server.connect(t, handshake{})
		one.join(room)
		other.join(room)
		most := int64(1)
		if server.kind != bridged {
			most = max(most, int64(server.rails.workers())) // each has its own
		}
		if got := server.redis.followers(t, broadcasting); got < 1 || got > most {
			t.Errorf("connections to Redis that follow: got %d, want 1 for all", got)
		}
		one.unsubscribe(room)
		one.expectNothing()
		other.leave()
		await(t, "nobody to follow "+broadcasting, func() bool { return server.redis.followers(t, broadcasting) == 0 })
	})
}

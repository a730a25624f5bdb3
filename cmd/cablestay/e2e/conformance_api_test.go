//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"
)

func TestAPI_ChannelTellsWhatBecameOfItsSubscription(t *testing.T) {
	states(t, 207)
	each(t, func(t *testing.T, server *server) {
		own := func(identifier string, confirmed, deferred bool) string {
			return message(identifier, object("identifier", identifier, "rejected", false, "confirmed", confirmed, "deferred", deferred))
		}
		for _, api := range []string{identify("ApiChannel"), identify("ApiChannel", "follows", t.Name())} {
			c := server.connect(t, handshake{})
			c.subscribe(api)
			// The counter of deferrals begins at one, which the end of subscribing takes away.
			c.expect(own(api, false, true), own(api, false, true), confirmation(api))
			c.perform(api, "tell")
			c.expect(own(api, true, false))
			c.perform(api, "perform_itself")
			c.expect(message(api, `{"performed":true}`))
		}
	})
}

func TestAPI_LoggerHasEveryLevelAndTheTagsOfTheConnection(t *testing.T) {
	states(t, 208)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		api := joinAPI(c)
		mark := server.rails.process.logSize()
		c.perform(api, "log_on_every_level", "text", c.device)
		tags := regexp.QuoteMeta("[ActionCable] [device=" + c.device + "] ")
		for _, word := range []string{"debug", "info", "warn", "error", "fatal", "unknown", "connection", "tagged"} {
			server.rails.process.awaitLog(t, mark, `(?m)^`+tags+word+` of `+c.device+`$`)
		}
		c.expect(message(api, object("tags", []string{"ActionCable", "device=" + c.device})))
	})
}

func TestAPI_ActionMethodsKnowWhatIsDefinedLater(t *testing.T) {
	states(t, 209)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		api := joinAPI(c)
		c.perform(api, "define_an_action")
		c.expect(message(api, `{"before":false,"after":true,"finally":false,"tell":true}`))
	})
}

func TestAPI_NamesOfBroadcastings(t *testing.T) {
	states(t, 210)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		api := joinAPI(c)
		c.perform(api, "names")
		c.expect(message(api, `{"channel":["api","api"],"string":["api:x","api:x"],"record":["api:Z2lk","api:Z2lk"],"array":["api:Z2lk:x:1","api:Z2lk:x:1"]}`))
	})
}

func TestAPI_BroadcastToByInstanceAndByClass(t *testing.T) {
	states(t, 210)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		api := identify("ApiChannel", "follows", "api:"+t.Name())
		c.subscribe(api)
		c.next()
		c.next()
		c.expect(confirmation(api))
		c.perform(api, "broadcast_both_ways", "to", t.Name())
		got := []string{c.next(), c.next()} // stock promises no order
		slices.Sort(got)
		if want := []string{message(api, `{"by":"class"}`), message(api, `{"by":"instance"}`)}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		c.perform(api, "broadcast_by_broadcaster", "broadcasting", "api:"+t.Name())
		c.expect(message(api, `{"html":"\u003cb\u003e","to":`+quote("api:"+t.Name())+`}`))
	})
}

func TestAPI_BroadcasterPublishes(t *testing.T) {
	states(t, 214)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		room := identify("RoomChannel", "room", t.Name())
		c.join(room)
		api := joinAPI(c)
		c.perform(api, "broadcast_by_broadcaster", "broadcasting", "room_"+t.Name())
		c.expect(message(room, `{"html":"\u003cb\u003e","to":`+quote("room_"+t.Name())+`}`))
	})
}

func TestAPI_ConnectionReachesItsServer(t *testing.T) {
	states(t, 211)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		api := joinAPI(c)
		c.perform(api, "reach")
		c.expect(message(api, object("server", true, "config", true, "pubsub", true, "worker_pool", true, "event_loop", true,
			"identifiers", []string{"user", "device"}, "of_class", []string{"user", "device"}, "subscriptions", []string{api})))
	})
}

func TestAPI_BeatIsAPing(t *testing.T) {
	states(t, 211)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		api := joinAPI(c)
		began := time.Now()
		const beats = 50
		for range beats {
			c.perform(api, "beat")
		}
		c.expectPings(beats)
		if took := time.Since(began); took > beats*3*time.Second/2 {
			t.Errorf("it took %s, in which they may have come by themselves", took)
		}
	})
}

func TestAPI_SendAsyncRunsAMethodOfTheConnection(t *testing.T) {
	states(t, 212)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		api := joinAPI(c)
		c.perform(api, "send_async", "text", "in a while")
		c.expect(`{"type":"notice","text":"in a while"}`)
	})
}

func TestAPI_ConfigurationIsThere(t *testing.T) {
	states(t, 206, 213)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		api := joinAPI(c)
		c.perform(api, "configuration")
		c.expect(message(api, object("meta", `content="/cable"`, "url", nil, "mount_path", "/cable", "workers", 4, "tags", 2,
			"adapter", "ActionCable::SubscriptionAdapter::Redis", "cable", "redis", "prefix", "endtoend_production", "same_origin", true,
			"connection", "ApplicationCable::Connection", "identifiers", []string{"user", "device"},
			"version", []string{server.rails.version, server.rails.version})))
	})
}

func TestAPI_LogOfAnActionIsFiltered(t *testing.T) {
	states(t, 215)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		dispatch := identify("DispatchChannel")
		c.join(dispatch)
		mark := server.rails.process.logSize()
		c.perform(dispatch, "none", "password", "sesame", "name", c.device)
		c.expect(message(dispatch, `{"arguments":[]}`))
		server.rails.process.awaitLog(t, mark, `DispatchChannel#none\(\{"password"=>"\[FILTERED\]", "name"=>"`+c.device+`"\}\)`)
	})
}

func TestAPI_PubsubHearsAndPublishesInRails(t *testing.T) {
	states(t, 216)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		api := joinAPI(c)
		broadcasting := "pubsub " + t.Name()
		c.perform(api, "listen", "broadcasting", broadcasting)
		server.rails.awaitEvent(t, c.device, "listening")
		c.perform(api, "publish", "broadcasting", broadcasting, "payload", "not JSON at all")
		journal := server.rails.awaitEvent(t, c.device, "heard")
		if got := journal[len(journal)-1].Text; got != "not JSON at all" {
			t.Errorf("heard %q", got)
		}
		await(t, "it to listen no more", func() bool { return server.redis.followers(t, broadcasting) == 0 })
	})
}

func TestAPI_HealthCheckAnswers(t *testing.T) {
	states(t, 217)
	eachConfigured(t, "own_mount", func(t *testing.T, server *server) {
		server.get(t, "/t/acme/cable/healthy", http.Header{}).expect(t, http.StatusOK, "as ever")
	})
}

// joinAPI subscribes to ApiChannel, past what that transmits.
func joinAPI(c *consumer) string {
	c.t.Helper()
	api := identify("ApiChannel")
	c.subscribe(api)
	for range 2 {
		var told struct{ Message struct{ Identifier string } }
		if err := json.Unmarshal([]byte(c.next()), &told); err != nil || told.Message.Identifier != api {
			c.t.Fatalf("got %+v and %v", told, err)
		}
	}
	c.expect(confirmation(api))
	return api
}

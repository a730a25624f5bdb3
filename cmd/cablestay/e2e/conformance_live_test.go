//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/gobwas/ws"
)

// heard is what BlockChannel transmits of a payload that reached its block or callback.
func heard(c *consumer, identifier, payload, class string, times int) string {
	return message(identifier, fmt.Sprintf(`{"heard":%s,"class":%q,"times":%d,"by":%q}`, payload, class, times, c.device))
}

func TestLive_BlocksAndCallbacksGetWhatTheirCoderMakesOfThePayload(t *testing.T) {
	states(t, 107, 108)
	const payload = `{"b" : 1,"a":"<x>"}`
	for form, want := range map[string]struct{ heard, class string }{
		"block":              {`"{\"b\" : 1,\"a\":\"\u003cx\u003e\"}"`, "String"},
		"callback":           {`"{\"b\" : 1,\"a\":\"\u003cx\u003e\"}"`, "String"},
		"block and JSON":     {`{"b":1,"a":"\u003cx\u003e"}`, "Hash"},
		"block and coder":    {`{"shout":"{\"B\" : 1,\"A\":\"\u003cX\u003e\"}"}`, "Hash"},
		"callback and coder": {`{"shout":"{\"B\" : 1,\"A\":\"\u003cX\u003e\"}"}`, "Hash"},
	} {
		t.Run(form, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				block := identify("BlockChannel", "form", form, "room", t.Name())
				c.join(block)
				for n := range 3 {
					server.redis.publish(t, "block_"+t.Name(), payload)
					c.expect(heard(c, block, want.heard, want.class, n+1))
				}
				c.expectNothing() // the payload itself is not sent
			})
		})
	}
}

func TestLive_CoderWithoutABlockDecodesWhatIsTransmitted(t *testing.T) {
	states(t, 107)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		block := identify("BlockChannel", "form", "coder", "room", t.Name())
		c.join(block)
		server.redis.publish(t, "block_"+t.Name(), `not JSON <at all>`)
		c.expect(message(block, `{"shout":"NOT JSON \u003cAT ALL\u003e"}`))
		c.expectNothing()
	})
}

func TestLive_BlockForARecordHearsWhatIsBroadcastToIt(t *testing.T) {
	states(t, 105, 107)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		block := identify("BlockChannel", "form", "block for a record", "member", t.Name())
		c.join(block)
		server.redis.publish(t, "block:"+gidParam("Member", t.Name()), `5`)
		c.expect(heard(c, block, `"5"`, "String", 1))
	})
}

func TestLive_BlocksActionsAndUnsubscribedShareInstanceVariables(t *testing.T) {
	states(t, 94, blockAndActions)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		block := identify("BlockChannel", "form", "block and JSON", "room", t.Name())
		c.join(block)
		server.redis.publish(t, "block_"+t.Name(), `"one"`)
		c.expect(heard(c, block, `"one"`, "String", 1))
		c.perform(block, "list")
		c.expect(message(block, `{"listed":["one"]}`))
		c.perform(block, "hush", "quiet", true)
		c.expect(message(block, `{"quiet":true}`))
		server.redis.publish(t, "block_"+t.Name(), `"two"`)
		c.expectNothing() // the block's return value is not sent either
		await(t, "the block to have heard it", func() bool {
			c.perform(block, "list")
			return c.next() == message(block, `{"listed":["one","two"]}`)
		})
		c.perform(block, "hush", "quiet", false)
		c.expect(message(block, `{"quiet":false}`))
		server.redis.publish(t, "block_"+t.Name(), `"three"`)
		c.expect(heard(c, block, `"three"`, "String", 3))
		c.unsubscribe(block)
		if got := fmt.Sprint(server.rails.awaitRecord(t, c.device, "unsubscribed", block)["heard"]); got != "[one two three]" {
			t.Errorf("heard, in unsubscribed: got %s", got)
		}
		awaitFollowers(t, server, "block_"+t.Name(), 0)
	})
}

func TestLive_ErrorInABlockIsLoggedAndTheStreamGoesOn(t *testing.T) {
	states(t, 110)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		block := identify("BlockChannel", "form", "block", "room", t.Name())
		c.join(block)
		mark := server.rails.process.logSize()
		server.redis.publish(t, "block_"+t.Name(), `"unbearable"`)
		server.rails.process.awaitLog(t, mark, `There was an exception - RuntimeError\(this block never wants to hear`)
		c.expectNothing()
		server.redis.publish(t, "block_"+t.Name(), `"fine"`)
		c.expect(heard(c, block, `"\"fine\""`, "String", 1))
	})
}

func TestLive_OverriddenTransmitAppliesToBroadcastsToo(t *testing.T) {
	states(t, 109)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		wrapping := identify("WrappingChannel", "room", t.Name())
		c.join(wrapping)
		c.perform(wrapping, "say", "text", "hello")
		c.expect(message(wrapping, object("wrapped", map[string]string{"said": "hello"}, "via", nil, "sent", 1, "for", c.device)))
		server.redis.publish(t, "wrapping_"+t.Name(), `"filtered out"`)
		c.expectNothing()
		server.redis.publish(t, "wrapping_"+t.Name(), `{"b":1,"a":2}`)
		c.expect(message(wrapping, fmt.Sprintf(`{"wrapped":{"b":1,"a":2},"via":%s,"sent":2,"for":%q}`,
			quote("streamed from wrapping_"+t.Name()), c.device)))
	})
}

func TestLive_OverriddenStreamHandlersHandle(t *testing.T) {
	states(t, overriddenHandlers)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		plain, block := identify("HandlerChannel", "room", t.Name()), identify("HandlerChannel", "room", t.Name()+" block", "block", true)
		def := identify("DefaultHandlerChannel", "room", t.Name())
		for _, identifier := range []string{plain, block, def} {
			c.join(identifier)
		}
		for n := range 2 {
			server.redis.publish(t, "handler_"+t.Name(), `{"n":1}`)
			c.expect(message(plain, object("default", `{"n":1}`, "handled", n+1, "from", "handler_"+t.Name())))
			server.redis.publish(t, "handler_"+t.Name()+" block", `{"n":1}`)
			c.expect(message(block, object("block", map[string]int{"n": 1}, "handled", n+1)))
			server.redis.publish(t, "default_handler_"+t.Name(), `{"n":1}`)
			c.expect(message(def, object("default", `{"n":1}`, "from", "default_handler_"+t.Name())))
		}
	})
}

func TestLive_OverriddenTransmitOfTheConnectionChangesEveryFrame(t *testing.T) {
	states(t, overriddenConnectionTransmit)
	eachConfigured(t, "stamping_connection", func(t *testing.T, server *server) {
		c := server.dial(t, handshake{})
		stamped := func(frame string) string { return strings.TrimSuffix(frame, "}") + `,"stamp":` + quote(c.device) + "}" }
		c.expect(stamped(welcome))
		room := identify("RoomChannel", "room", "r")
		c.subscribe(room)
		c.expect(stamped(confirmation(room)))
		c.perform(room, "visit", "room", "q")
		c.expect(stamped(message(room, `{"visiting":"q"}`)))
		server.redis.publish(t, "room_r", `{"text":"hello"}`)
		c.expect(stamped(message(room, `{"text":"hello"}`)))
		echo := identify("EchoChannel")
		c.subscribe(echo)
		c.expect(stamped(confirmation(echo)))
		c.perform(echo, "leave")
		c.expect(stamped(disconnection("enough", false)))
		c.expectClose(ws.StatusNormalClosure)
	})
}

func TestLive_InstanceVariablesThatCannotTravelAreThereInLaterActions(t *testing.T) {
	states(t, ivarsThatCannotTravel)
	for _, what := range []string{"a proc", "a mutex", "a monitor", "a file", "a thread", "a hash with a block"} {
		t.Run(what, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				keeping := identify("KeepingChannel", "what", what)
				c.join(keeping)
				for n := range 3 {
					c.perform(keeping, "use")
					c.expect(message(keeping, fmt.Sprintf(`{"used":%d}`, n+1)))
				}
				c.unsubscribe(keeping)
				server.rails.awaitEvent(t, c.device, "unsubscribed")
				c.join(keeping) // afresh
				c.perform(keeping, "use")
				c.expect(message(keeping, `{"used":1}`))
			})
		})
	}
}

func TestLive_ProcInAConnectionIsThereForItsChannels(t *testing.T) {
	states(t, procInConnection)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{query: url.Values{"greeter": {"1"}}})
		one, other := identify("ConnectionChannel"), identify("ConnectionChannel", "n", 2)
		c.join(one)
		c.join(other)
		for _, identifier := range []string{one, other, one} {
			c.perform(identifier, "greet")
			c.expect(message(identifier, object("greeting", "hello "+c.device)))
		}
	})
}

func TestLive_DeferredConfirmationComesFromAThread(t *testing.T) {
	states(t, 92, deferredByThread)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		gate := "deferring " + string(server.kind)
		deferring := identify("DeferringChannel", "until", "a thread", "gate", gate)
		c.subscribe(deferring)
		c.expect(message(deferring, `{"deferred":true}`))
		server.rails.awaitEvent(t, c.device, "subscribed")
		c.expectNothing()
		server.rails.openGate(t, gate)
		c.expect(confirmation(deferring))
		c.perform(deferring, "ask")
		c.expect(message(deferring, `{"sent":true}`))
		c.expectNothing()
	})
}

func TestLive_DeferredConfirmationComesFromTheBlockOfAStream(t *testing.T) {
	states(t, 92, deferredByBlock)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		deferring := identify("DeferringChannel", "until", "a broadcast", "room", t.Name())
		c.subscribe(deferring)
		c.expect(message(deferring, `{"deferred":true}`))
		awaitFollowers(t, server, "deferring_"+t.Name(), 1)
		c.expectNothing() // so that stock's own thread has counted the stream down as well
		server.redis.publish(t, "deferring_"+t.Name(), `"go"`)
		c.expect(message(deferring, `{"heard":"\"go\""}`), confirmation(deferring))
		server.redis.publish(t, "deferring_"+t.Name(), `"again"`)
		c.expect(message(deferring, `{"heard":"\"again\""}`))
		c.expectNothing()
	})
}

func TestLive_ThreadsOfTheAppTransmitWhenTheirEventIsOver(t *testing.T) {
	states(t, threadTransmits)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		first, second := "thread 1 "+string(server.kind), "thread 2 "+string(server.kind)
		thread := identify("ThreadChannel", "gate", first)
		c.join(thread)
		c.expectNothing()
		server.rails.openGate(t, first)
		c.expect(message(thread, `{"told":1,"by":"a thread of subscribed"}`))
		c.perform(thread, "told")
		c.expect(message(thread, `{"told_so_far":1}`))
		c.perform(thread, "later", "gate", second)
		c.expect(message(thread, `{"started":true}`))
		c.expectNothing()
		server.rails.openGate(t, second)
		c.expect(message(thread, `{"told":2,"by":"a thread of an action"}`))
	})
}

func TestLive_ThreadOfAnActionOfAnOrdinaryChannelTransmits(t *testing.T) {
	states(t, threadTransmits)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		gate := "late thread " + string(server.kind)
		thread := identify("ThreadChannel") // has given no sign of what it will do
		c.join(thread)
		c.perform(thread, "later", "gate", gate)
		c.expect(message(thread, `{"started":true}`))
		c.expectNothing()
		server.rails.openGate(t, gate)
		c.expect(message(thread, `{"told":1,"by":"a thread of an action"}`))
	})
}

func TestLive_TransmissionToAClientThatHasLeftIsSilentlyLost(t *testing.T) {
	states(t, lateTransmissions)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		gate := "nobody is left " + string(server.kind)
		thread := identify("ThreadChannel", "gate", gate)
		c.join(thread)
		c.leave()
		server.rails.awaitEvent(t, c.device, "disconnect")
		server.rails.openGate(t, gate)
		server.rails.awaitEvent(t, c.device, "told") // so nothing was raised
	})
}

func TestLive_TransmissionAfterAnUnsubscribeStillArrives(t *testing.T) {
	states(t, lateTransmissions)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		gate := "unsubscribed " + string(server.kind)
		thread := identify("ThreadChannel", "gate", gate)
		c.join(thread)
		c.unsubscribe(thread)
		server.rails.awaitEvent(t, c.device, "unsubscribed")
		c.expectNothing()
		server.rails.openGate(t, gate)
		c.expect(message(thread, `{"told":1,"by":"a thread of subscribed"}`))
	})
}

func TestLive_BlockMayDoWhateverAnActionMay(t *testing.T) {
	states(t, blockEffects)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		room, extra := t.Name(), "extra_"+t.Name()
		directed := identify("DirectedChannel", "room", room)
		c.join(directed)
		tell := func(order, name string) {
			t.Helper()
			server.redis.publish(t, "directed_"+room, object("do", order, "name", name))
		}
		done := func(order string) string { return message(directed, object("done", order)) }
		tell("start", extra)
		c.expect(done("start"))
		awaitFollowers(t, server, extra, 1)
		server.redis.publish(t, extra, `"extra"`)
		c.expect(message(directed, `"extra"`))
		tell("tell", extra)
		c.expectInAnyOrder(done("tell"), message(directed, object("told", c.device)))
		tell("stop", extra)
		c.expect(done("stop"))
		awaitFollowers(t, server, extra, 0)
		tell("raw", "")
		c.expect(fmt.Sprintf(`{"type":"custom","device":%q}`, c.device), done("raw"))
		tell("start", extra)
		c.expect(done("start"))
		awaitFollowers(t, server, extra, 1)
		tell("stop all", "")
		c.expect(done("stop all"))
		awaitFollowers(t, server, extra, 0)
		awaitFollowers(t, server, "directed_"+room, 0)
		c.expectNothing()

		other := server.connect(t, handshake{})
		other.join(directed)
		tell("close", "")
		other.expect(disconnection("told to", false))
		other.expectClose(ws.StatusNormalClosure)
		server.rails.awaitEvent(t, other.device, "disconnect")
		if got := server.rails.happened(t, other.device); strings.Join(got, " ") != "connect unsubscribed disconnect" {
			t.Errorf("callbacks: got %q", got)
		}
	})
}

func TestLive_AnotherRequestOfTheProcessMakesAChannelTransmit(t *testing.T) {
	states(t, registry)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		channel := identify("RegistryChannel", "room", t.Name())
		c.join(channel)
		for _, text := range []string{"hello", "still there?"} {
			server.rails.tell(t, t.Name(), text)
			c.expect(message(channel, object("told", text, "size", 1)))
		}
		c.unsubscribe(channel)
		if left := server.rails.awaitRecord(t, c.device, "unsubscribed", channel)["left"]; left != 0.0 {
			t.Errorf("channels in the registry after unsubscribed: got %v, want 0", left)
		}
	})
}

func TestLive_UnsubscribedTakesTheVeryChannelOutOfTheRegistryThatSubscribedPutIn(t *testing.T) {
	states(t, registry)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		for n := range 5 {
			channel := identify("RegistryChannel", "room", fmt.Sprint(t.Name(), n))
			c.join(channel)
			c.unsubscribe(channel)
			if left := server.rails.awaitRecord(t, c.device, "unsubscribed", channel)["left"]; left != 0.0 {
				t.Errorf("channels in the registry after unsubscribed: got %v, want 0", left)
			}
		}
	})
}

// tell makes a controller transmit through the registry. With several workers only the one that holds it has anything in it.
func (r *rails) tell(t *testing.T, room, text string) {
	t.Helper()
	await(t, "a worker that holds a channel of "+room, func() bool {
		return r.ask(t, "POST", "/registry_messages", url.Values{"room": {room}, "text": {text}}) != "0"
	})
}

func TestLive_QueriesOfGraphQLRunAnewForAllWhoAskTheSame(t *testing.T) {
	states(t, graphql)
	each(t, func(t *testing.T, server *server) {
		ann, bob := server.connect(t, handshake{}), server.connect(t, handshake{})
		queries, topic := identify("QueriesChannel", "channelId", "18f"), ":posts:"+t.Name()
		for _, c := range []*consumer{ann, bob} {
			c.join(queries)
			c.perform(queries, "execute", "topic", topic, "query", "latest")
			c.expect(message(queries, `{"result":{"data":null},"more":true}`))
		}
		bob.perform(queries, "execute", "topic", topic, "query", "count")
		bob.expect(message(queries, `{"result":{"data":null},"more":true}`))
		// Streams of an action are live a little later.
		await(t, "every query to be live", func() bool {
			server.rails.post(t, "/live_queries", url.Values{"topic": {topic}, "text": {"ready?"}})
			return ann.countWith(`"latest":{"text":"ready?"}`) > 0 && bob.countWith(`"latest":{"text":"ready?"}`) > 0 && bob.countWith(`"count":{"text":"ready?"}`) > 0
		})
		server.rails.post(t, "/live_queries", url.Values{"topic": {topic}, "text": {"one"}})
		one := func(query string, ranBy *consumer) string {
			return message(queries, fmt.Sprintf(`{"result":{"data":{%q:{"text":"one"}},"ran_by":%q},"more":true}`, query, ranBy.device))
		}
		bob.awaitFrame(one("count", bob))
		for _, c := range []*consumer{ann, bob} {
			c.awaitCount(1, `"latest":{"text":"one"}`)
			// Whoever came first in a process runs it for all of that process.
			if c.countWith(one("latest", ann)[1:])+c.countWith(one("latest", bob)[1:]) != 1 {
				t.Errorf("%s: not exactly one result of the query: %s", c.device, c.history())
			}
		}

		ann.unsubscribe(queries)
		expectCleared(t, server, ann, 1)
		ann.skip()
		server.rails.post(t, "/live_queries", url.Values{"topic": {topic}, "text": {"two"}})
		bob.awaitFrame(message(queries, fmt.Sprintf(`{"result":{"data":{"latest":{"text":"two"}},"ran_by":%q},"more":true}`, bob.device)))
		bob.awaitFrame(message(queries, fmt.Sprintf(`{"result":{"data":{"count":{"text":"two"}},"ran_by":%q},"more":true}`, bob.device)))
		ann.expectNothing()
		bob.drop()
		expectCleared(t, server, bob, 2)
	})
}

// expectCleared checks that unsubscribed found its queries in the map of the process and took them out.
func expectCleared(t *testing.T, server *server, c *consumer, queries int) {
	t.Helper()
	record := server.rails.awaitRecord(t, c.device, "unsubscribed", identify("QueriesChannel", "channelId", "18f"))
	if record["before"] != float64(queries) || record["after"] != 0.0 {
		t.Errorf("queries in the map before and after unsubscribed: got %v and %v, want %d and 0", record["before"], record["after"], queries)
	}
}

func TestLive_EventsReachTheWorkerThatHoldsTheSubscription(t *testing.T) {
	states(t, holdsItsWorker)
	onlyBridged(t, "its sockets live in a worker, with all that belongs to them", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{workers: 2})
		keeping, echo := identify("KeepingChannel", "what", "a proc", "gate", "both"), identify("EchoChannel")
		consumers := heldByBothWorkers(t, server, keeping, "both")
		for _, c := range consumers {
			c.join(echo)
		}
		for n := range 10 {
			for _, c := range consumers {
				c.perform(keeping, "use")
				c.perform(echo, "count", "name", "x")
			}
			for _, c := range consumers {
				c.expectInAnyOrder(message(keeping, fmt.Sprintf(`{"used":%d}`, n+1)),
					message(echo, fmt.Sprintf(`{"count":%d,"names":["x"],"since":"2001-02-03T04:05:06.000Z"}`, n+1)))
			}
		}
		for _, c := range consumers {
			worker := holder(t, server, c, keeping)
			c.unsubscribe(keeping)
			record := server.rails.awaitRecord(t, c.device, "unsubscribed", keeping)
			if record["pid"] != worker || record["count"] != 10.0 {
				t.Errorf("%s: unsubscribed ran in %v with a count of %v, want %v and 10", c.device, record["pid"], record["count"], worker)
			}
		}
	})
}

func TestLive_WorkerThatDiesCostsItsOwnClientsOneReconnectAndNobodyElseAnything(t *testing.T) {
	states(t, workerDies)
	for name, signal := range map[string]syscall.Signal{"Killed": syscall.SIGKILL, "Stopped": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) { workerEnds(t, signal) })
	}
}

func workerEnds(t *testing.T, signal syscall.Signal) {
	t.Helper()
	onlyBridged(t, "its sockets live in a worker and end with it", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{workers: 2})
		keeping, echo, room := identify("KeepingChannel", "what", "a proc", "gate", "both"), identify("EchoChannel"), identify("RoomChannel", "room", "r")
		consumers := heldByBothWorkers(t, server, keeping, "both")
		ordinary := server.connect(t, handshake{})
		ordinary.join(echo)
		for _, c := range append(consumers, ordinary) {
			c.join(room)
		}
		victim := holder(t, server, consumers[0], keeping)
		if err := syscall.Kill(int(victim), signal); err != nil {
			t.Fatal(err)
		}
		var spared []*consumer
		for _, c := range consumers {
			if holder(t, server, c, keeping) != victim {
				spared = append(spared, c)
				continue
			}
			if frame := c.next(); !strings.HasPrefix(frame, `{"type":"disconnect","reason":`) || !strings.HasSuffix(frame, `,"reconnect":true}`) {
				t.Errorf("%s: got %s, want a disconnect with reconnect", c.device, frame)
			}
			c.expectClose(ws.StatusNormalClosure)
			server.rails.awaitEvent(t, c.device, "disconnect")
		}
		server.redis.publish(t, "room_r", `"who is still there?"`)
		for _, c := range spared {
			c.expect(message(room, `"who is still there?"`))
			c.perform(keeping, "use")
			c.expect(message(keeping, `{"used":1}`))
		}
		ordinary.expect(message(room, `"who is still there?"`))
		ordinary.perform(echo, "echo")
		ordinary.expect(message(echo, `{"action":"echo"}`))
		again := server.connect(t, handshake{}) // as the clients would
		again.join(keeping)
		again.perform(keeping, "use")
		again.expect(message(keeping, `{"used":1}`))
	})
}

// heldByBothWorkers makes consumers subscribe at a time, more than Action Cable's four threads of one worker run. The bridge
// spreads them over the links, once it has both.
func heldByBothWorkers(t *testing.T, server *server, identifier, gate string) []*consumer {
	t.Helper()
	await(t, "links with both workers", func() bool { return strings.Contains(server.bridge.metrics(t), "\ncablestay_rpc_links 2\n") })
	consumers := make([]*consumer, 8)
	for n := range consumers {
		consumers[n] = server.connect(t, handshake{})
	}
	for _, c := range consumers {
		c.subscribe(identifier)
	}
	await(t, "both workers to run subscribed", func() bool {
		workers := map[int]bool{}
		for _, c := range consumers {
			for _, e := range server.rails.journal(t, c.device) {
				if e.Event == "subscribed" {
					workers[e.Pid] = true
				}
			}
		}
		return len(workers) == 2
	})
	server.rails.openGate(t, gate)
	for _, c := range consumers {
		c.expect(confirmation(identifier))
	}
	return consumers
}

// holder is the process in which a consumer's channel lives.
func holder(t *testing.T, server *server, c *consumer, identifier string) float64 {
	t.Helper()
	return server.rails.awaitRecord(t, c.device, "subscribed", identifier)["pid"].(float64)
}

func TestLive_LogAndMetricSayWhichChannelsAreLiveAndWhy(t *testing.T) {
	states(t, liveIsVisible)
	onlyBridged(t, "it has no other kind of subscription", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		c := server.connect(t, handshake{})
		mark := server.rails.process.logSize()
		c.join(identify("EchoChannel"))
		block := identify("BlockChannel", "form", "block", "room", "r")
		c.join(block)
		c.join(identify("KeepingChannel", "what", "a proc"))
		server.rails.process.awaitLog(t, mark, `BlockChannel.*lives on in this process: .*block or callback`)
		log := server.rails.process.awaitLog(t, mark, `KeepingChannel.*lives on in this process: .*@increase`)
		if regexp.MustCompile(`EchoChannel.*lives on`).MatchString(log) {
			t.Error("a channel that has no need to is said to live on")
		}
		expectLive := func(blocks, keeping int) {
			t.Helper()
			await(t, fmt.Sprintf("%d and %d live subscriptions in the metrics", blocks, keeping), func() bool {
				metrics := server.bridge.metrics(t)
				count := func(channel, why string, want int) bool {
					return regexp.MustCompile(fmt.Sprintf(`(?m)^cablestay_live_subscriptions\{channel="%s",why=".*%s.*"\} %d$`, channel, why, want)).MatchString(metrics)
				}
				return count("BlockChannel", "block or callback", blocks) && count("KeepingChannel", "@increase", keeping)
			})
		}
		expectLive(1, 1)
		c.unsubscribe(block)
		expectLive(0, 1)
		c.leave()
		expectLive(0, 0)
	})
}

// metrics are all that the bridge counts.
func (b *bridge) metrics(t *testing.T) string {
	t.Helper()
	answer, err := http.Get("http://127.0.0.1:" + b.ops + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	metrics, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(metrics)
}

func TestLive_IsAnErrorWhereTheAppForbidsIt(t *testing.T) {
	states(t, liveForbidden)
	onlyBridged(t, "it has no such setting", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{configuration: "living_forbidden"})
		c := server.connect(t, handshake{})
		mark := server.rails.process.logSize()
		for _, identifier := range []string{
			identify("BlockChannel", "form", "block", "room", "r"), identify("KeepingChannel", "what", "a proc"), identify("WrappingChannel", "room", "r"),
		} {
			c.subscribe(identifier)
			c.expect(rejection(identifier))
		}
		log := server.rails.process.awaitLog(t, mark, `WrappingChannel`)
		for _, channel := range []string{"BlockChannel", "KeepingChannel", "WrappingChannel"} {
			if !regexp.MustCompile(channel + `.*config\.cablestay\.live`).MatchString(log) {
				t.Errorf("no line of the log names %s and the setting:\n%s", channel, log)
			}
		}
		c.join(identify("EchoChannel"))
		c.join(identify("Timers::LambdaChannel"))
	})
}

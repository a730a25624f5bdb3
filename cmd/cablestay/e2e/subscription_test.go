//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/gobwas/ws"
)

func TestSubscription_IdentifierIsEchoedByteForByte(t *testing.T) {
	states(t, 42, 59)
	for name, identifier := range map[string]string{
		"AsTheClientMakesIt": `{"channel":"EchoChannel"}`,
		"OddSpacing":         `  { "channel" :"EchoChannel",   "n":1 }`,
		"Unicode":            `{"channel":"EchoChannel","name":"Zoë 😀 ` + "\u2028" + `"}`,
		"Markup":             `{"channel":"EchoChannel","name":"<b>&amp;</b>"}`,
		"Escapes":            `{"channel":"Echo\u0043hannel","name":"\"\\/\/"}`,
		"BigInteger":         `{"n":9007199254740993,"channel":"EchoChannel"}`,
		"TopLevelName":       `{"channel":"::EchoChannel"}`,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				c.join(identifier)
				c.perform(identifier, "echo", "n", 1)
				c.expect(message(identifier, `{"n":1,"action":"echo"}`))
			})
		})
	}
}

func TestSubscription_AnotherSpellingOfAnIdentifierIsAnotherSubscription(t *testing.T) {
	states(t, 61)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		one, other := `{"channel":"EchoChannel","n":1}`, `{"n":1,"channel":"EchoChannel"}`
		c.join(one)
		c.join(other)
		c.perform(one, "count", "name", "x")
		c.expect(message(one, `{"count":1,"names":["x"],"since":"2001-02-03T04:05:06.000Z"}`))
		c.perform(other, "count", "name", "y")
		c.expect(message(other, `{"count":1,"names":["y"],"since":"2001-02-03T04:05:06.000Z"}`))
	})
}

func TestSubscription_TransmissionsPrecedeTheConfirmationInOrder(t *testing.T) {
	states(t, 82, 84)
	each(t, func(t *testing.T, server *server) {
		for _, steps := range []string{identify("StepsChannel"), identify("StepsChannel", "run", t.Name())} {
			c := server.connect(t, handshake{})
			c.subscribe(steps)
			c.expect(
				message(steps, `{"step":"before"}`), message(steps, `{"step":"subscribed"}`),
				message(steps, `{"step":"streaming"}`), message(steps, `{"step":"after"}`), confirmation(steps))
			c.expectNothing()
		}
	})
}

func TestSubscription_RejectionComesAfterAllThatWasTransmittedAndUnsubscribedHasRun(t *testing.T) {
	states(t, 86, 87)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		steps := identify("StepsChannel", "reject", true)
		for range 2 { // a rejected one may try again
			c.subscribe(steps)
			c.expect(
				message(steps, `{"step":"before"}`), message(steps, `{"step":"subscribed"}`), message(steps, `{"step":"streaming"}`),
				message(steps, `{"step":"after"}`), message(steps, `{"step":"unsubscribed"}`),
				message(steps, `{"step":"after unsubscribed"}`), rejection(steps))
		}
		if got, want := server.rails.happened(t, c.device), []string{"connect", "unsubscribed", "unsubscribed"}; !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
		c.expectNothing()
	})
}

func TestSubscription_RejectedByARoomHearsNothingOfIt(t *testing.T) {
	states(t, 86, 88)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		locked, open := identify("RoomChannel", "room", "locked"), identify("RoomChannel", "room", t.Name())
		c.subscribe(locked)
		c.expect(rejection(locked))
		c.join(open)
		server.redis.publish(t, "room_locked", `{"text":"behind the door"}`)
		server.redis.publish(t, "room_"+t.Name(), `{"text":"in the open"}`)
		c.expect(message(open, `{"text":"in the open"}`))
		c.perform(locked, "speak", "text", "let me in")
		c.expectNothing()
	})
}

func TestSubscription_InstanceVariablesLiveUntilUnsubscribed(t *testing.T) {
	states(t, 94)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel", "name", "Zoë")
		c.join(echo)
		c.perform(echo, "greet")
		c.expect(message(echo, `{"greeting":"hello Zoë"}`))
		for n, names := range []string{`["a"]`, `["a","b"]`, `["a","b","c"]`} {
			c.perform(echo, "count", "name", string(rune('a'+n)))
			c.expect(message(echo, fmt.Sprintf(`{"count":%d,"names":%s,"since":"2001-02-03T04:05:06.000Z"}`, n+1, names)))
		}
		c.unsubscribe(echo)
		journal := server.rails.awaitEvent(t, c.device, "unsubscribed")
		last := journal[len(journal)-1]
		if last.Greeting != "hello Zoë" || last.Count != 3 || last.Since != 2001 || !slices.Equal(last.Names, []string{"a", "b", "c"}) {
			t.Errorf("instance variables in unsubscribed: got %+v", last)
		}
		if last.Identifier != echo {
			t.Errorf("identifier in unsubscribed: got %q, want %q", last.Identifier, echo)
		}
	})
}

func TestSubscription_InstanceVariablesOfTheConnectionAreSharedByItsSubscriptions(t *testing.T) {
	states(t, 95)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		one, other := identify("EchoChannel", "n", 1), identify("EchoChannel", "n", 2)
		c.join(one)
		c.join(other)
		for visit, identifier := range []string{one, other, one} {
			c.perform(identifier, "visit")
			c.expect(message(identifier, fmt.Sprintf(`{"visits":%d}`, visit+1)))
		}
		c.leave()
		journal := server.rails.awaitEvent(t, c.device, "disconnect")
		if last := journal[len(journal)-1]; last.Visits != 3 {
			t.Errorf("visits in disconnect: got %d, want 3", last.Visits)
		}
	})
}

func TestSubscription_InstanceVariablesOutliveTheWorkerThatSetThem(t *testing.T) {
	onlyBridged(t, "its sockets live in a worker and end with it", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{workers: 2})
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		worker := 0
		for n := range 4 {
			c.perform(echo, "count", "name", "x")
			c.expect(message(echo, fmt.Sprintf(`{"count":%d,"names":["x"],"since":"2001-02-03T04:05:06.000Z"}`, n+1)))
			journal := server.rails.journal(t, c.device)
			last := journal[len(journal)-1]
			if last.Pid == worker {
				t.Fatalf("worker %d has ended, and ran an action", worker)
			}
			worker = last.Pid
			if err := syscall.Kill(worker, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			await(t, "the worker to be gone", func() bool { return errors.Is(syscall.Kill(worker, 0), syscall.ESRCH) })
		}
		c.leave()
		journal := server.rails.awaitEvent(t, c.device, "disconnect")
		if unsubscribed := journal[len(journal)-2]; unsubscribed.Event != "unsubscribed" || unsubscribed.Count != 4 {
			t.Errorf("instance variables in unsubscribed: got %+v", unsubscribed)
		}
	})
}

func TestSubscription_SecondSubscribeIsIgnored(t *testing.T) {
	states(t, 60)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		c.subscribe(echo)
		c.expectNothing()
		expectTimes(t, server, c.device, echo, "subscribed", 1)
	})
}

func TestSubscription_RepeatsWhileTheFirstStillRunsAreIgnored(t *testing.T) {
	states(t, 62, 139)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		gate := "slow " + string(server.kind)
		slow := identify("SlowChannel", "gate", gate)
		c.subscribe(slow)
		server.rails.awaitEvent(t, c.device, "subscribed")
		c.subscribe(slow) // as the JavaScript client's guarantor does every 500 ms
		c.subscribe(slow)
		c.expectNothing()
		server.rails.openGate(t, gate)
		c.expect(confirmation(slow))
		c.expectNothing()
		expectTimes(t, server, c.device, slow, "subscribed", 1)
	})
}

func TestSubscription_UnsubscribeIsSilentAndTheIdentifierIsFreeAgain(t *testing.T) {
	states(t, 64, 65, 98)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo, steps := identify("EchoChannel"), identify("StepsChannel")
		c.join(echo)
		c.unsubscribe(echo)
		server.rails.awaitEvent(t, c.device, "unsubscribed")
		c.expectNothing()
		c.join(echo)

		c.subscribe(steps)
		for range 4 {
			c.next()
		}
		c.expect(confirmation(steps))
		c.unsubscribe(steps) // what unsubscribed transmits is delivered
		c.expect(message(steps, `{"step":"unsubscribed"}`), message(steps, `{"step":"after unsubscribed"}`))
	})
}

func TestSubscription_UnsubscribeAndSubscribeBackToBackEndSubscribed(t *testing.T) {
	states(t, 133)
	onlyBridged(t, "it runs the commands of a connection in parallel and may take the two in the wrong order", func(t *testing.T) {
		c := sharedServer(t, bridged).connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		for range 10 {
			c.unsubscribe(echo)
			c.subscribe(echo)
			c.expect(confirmation(echo))
		}
	})
}

func TestSubscription_CloseByAChannelRunsEveryCallback(t *testing.T) {
	states(t, 99, 119)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		c.perform(echo, "leave")
		c.expect(disconnection("enough", false))
		c.expectClose(ws.StatusNormalClosure)
		server.rails.awaitEvent(t, c.device, "disconnect")
		if got, want := server.rails.happened(t, c.device), []string{"connect", "subscribed", "unsubscribed", "disconnect"}; !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
	})
}

func TestSubscription_EveryEndOfASocketRunsUnsubscribedInOrderThenDisconnect(t *testing.T) {
	states(t, 120, 130)
	for name, leave := range map[string]func(c *consumer){
		"Close": func(c *consumer) { c.leave() },
		"Drop":  func(c *consumer) { c.drop() },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				identifiers := []string{identify("EchoChannel", "n", 3), identify("RoomChannel", "room", t.Name()), identify("EchoChannel", "n", 1)}
				for _, identifier := range identifiers {
					c.join(identifier)
				}
				leave(c)
				var got []string
				for _, e := range server.rails.awaitEvent(t, c.device, "disconnect") {
					if e.Event == "unsubscribed" || e.Event == "disconnect" {
						got = append(got, e.Event+" "+e.Identifier)
					}
				}
				want := []string{"unsubscribed " + identifiers[0], "unsubscribed " + identifiers[1], "unsubscribed " + identifiers[2], "disconnect "}
				if !slices.Equal(got, want) {
					t.Errorf("callbacks: got %q, want %q", got, want)
				}
			})
		})
	}
}

// expectTimes checks how often a callback ran for a subscription.
func expectTimes(t *testing.T, server *server, device, identifier, event string, want int) {
	t.Helper()
	got := 0
	for _, e := range server.rails.journal(t, device) {
		if e.Event == event && e.Identifier == identifier {
			got++
		}
	}
	if got != want {
		t.Errorf("%s ran %d times, want %d", event, got, want)
	}
}

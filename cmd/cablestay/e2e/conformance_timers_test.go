//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// Timers tick while a test looks elsewhere, so tests here wait for frames without minding what comes between, and see that a
// timer is still by the ticks of another that is not.

// awaitCount waits until so many frames that hold the text have come.
func (c *consumer) awaitCount(want int, text string) {
	c.t.Helper()
	c.awaitUnder(fmt.Sprintf("%d frames with %s", want, text), func() bool { return c.countWithLocked(text) >= want })
}

func (c *consumer) countWith(text string) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.countWithLocked(text)
}

func (c *consumer) countWithLocked(text string) int {
	count := 0
	for _, frame := range c.frames {
		if strings.Contains(frame, text) {
			count++
		}
	}
	return count
}

// expectStill checks that none of the text's frames comes while another's clock of 0.2 s ticks eight times.
func (c *consumer) expectStill(clock *consumer, text string) {
	c.t.Helper()
	before := c.countWith(text)
	clock.awaitCount(clock.countWith(`"tick"`)+8, `"tick"`)
	if got := c.countWith(text); got != before {
		c.t.Errorf("%d more frames with %s came", got-before, text)
	}
}

func newClock(t *testing.T, server *server) *consumer {
	t.Helper()
	clock := server.connect(t, handshake{})
	clock.subscribe(identify("Timers::SymbolChannel", "name", "clock"))
	clock.awaitCount(1, `"tick"`)
	return clock
}

// sinceStart is what frames are dated with.
func sinceStart() func() int64 {
	start := time.Now()
	return func() int64 { return int64(time.Since(start)) }
}

func TestTimer_FiresFirstAfterAnIntervalAndThenAgainAndAgain(t *testing.T) {
	states(t, 116, 117, timerInterval)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		c.watch(sinceStart())
		timer := identify("Timers::SymbolChannel", "name", "first")
		begun := c.observe()
		c.subscribe(timer)
		c.expect(confirmation(timer))
		for n := range 10 {
			c.expect(message(timer, fmt.Sprintf(`{"tick":%d,"of":"first"}`, n+1)))
		}
		c.mutex.Lock()
		defer c.mutex.Unlock()
		const interval = 200 * time.Millisecond
		for n := range 10 {
			since := time.Duration(c.seen[2+n] - begun) // after welcome and confirmation
			if earliest := time.Duration(n+1) * interval; since < earliest-interval/4 {
				t.Errorf("tick %d came %s after the subscribe, want no less than %s", n+1, since, earliest)
			}
			// A busy machine may be late, but one that forgets every other tick is none.
			if latest := time.Duration(n+1)*2*interval + 5*time.Second; since > latest {
				t.Errorf("tick %d came %s after the subscribe", n+1, since)
			}
		}
	})
}

func TestTimer_LambdaAndBlockRunWithTheChannelAsSelf(t *testing.T) {
	states(t, 117)
	each(t, func(t *testing.T, server *server) {
		for channel, name := range map[string]string{"Timers::LambdaChannel": "lambda", "Timers::BlockChannel": "block"} {
			c := server.connect(t, handshake{})
			timer := identify(channel)
			c.join(timer)
			for n := range 3 {
				c.expect(message(timer, object(name, n+1, "for", c.device)))
			}
		}
	})
}

func TestTimer_IsInheritedAndAppended(t *testing.T) {
	states(t, timerInherited)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		timer := identify("Timers::InheritedChannel", "name", "child")
		c.join(timer)
		c.awaitCount(6, `{"tick":`)
		c.awaitCount(4, `{"tock":true}`)
		ticks, tocks := c.countWith(`"tick"`), c.countWith(`"tock"`)
		if ticks <= tocks {
			t.Errorf("got %d ticks of 0.2 s and %d tocks of 0.3 s", ticks, tocks)
		}
	})
}

func TestTimer_SharesInstanceVariablesWithActionsAndUnsubscribed(t *testing.T) {
	states(t, 94, timerIvars)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		timer := identify("Timers::SymbolChannel")
		c.join(timer)
		c.awaitCount(2, `{"tick":`)
		c.perform(timer, "reset")
		c.awaitCount(1, `"reset"`)
		c.awaitFrame(message(timer, `{"tick":103,"of":null}`))
		c.unsubscribe(timer)
		if ticks := server.rails.awaitRecord(t, c.device, "unsubscribed", timer)["ticks"].(float64); ticks < 103 {
			t.Errorf("ticks in unsubscribed: got %v, want 103 or more", ticks)
		}
	})
}

func TestTimer_SharesInstanceVariablesWithBlocksOfStreams(t *testing.T) {
	states(t, 94, timerIvars)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		timer := identify("Timers::LiveChannel", "room", t.Name())
		c.join(timer)
		server.redis.publish(t, "timers_live_"+t.Name(), `1`)
		c.awaitFrame(message(timer, `{"events":["1"]}`))
		c.perform(timer, "add", "text", "two")
		c.awaitFrame(message(timer, `{"events":["1","two"]}`))
		server.redis.publish(t, "timers_live_"+t.Name(), `3`)
		c.awaitFrame(message(timer, `{"events":["1","two","3"]}`))
	})
}

func TestTimer_StopsWithItsSubscription(t *testing.T) {
	states(t, 116)
	each(t, func(t *testing.T, server *server) {
		clock, c := newClock(t, server), server.connect(t, handshake{})
		timer, echo := identify("Timers::SymbolChannel", "name", "mortal"), identify("EchoChannel")
		c.join(echo)
		for round := range 2 { // also when it began a second time
			c.join(timer)
			ticks := c.countWith(`"mortal"`) // one in the identifier, one in the message
			c.awaitCount(ticks+2, `{"tick":`)
			c.unsubscribe(timer)
			await(t, "unsubscribed", func() bool { return len(server.rails.happened(t, c.device)) == 3+round })
			c.perform(echo, "echo", "text", "fence")
			c.awaitFrame(message(echo, `{"text":"fence","action":"echo"}`))
			c.expectStill(clock, `{"tick":`)
			c.skip()
		}
	})
}

func TestTimer_StopsWithARejectionAndWithTheConnection(t *testing.T) {
	states(t, 116)
	each(t, func(t *testing.T, server *server) {
		clock, c := newClock(t, server), server.connect(t, handshake{})
		rejected := identify("Timers::SymbolChannel", "name", "rejected", "reject", true)
		c.subscribe(rejected)
		c.expect(rejection(rejected))
		c.expectStill(clock, `{"tick":`)
		c.expectNothing()

		gone := server.connect(t, handshake{})
		gone.subscribe(identify("Timers::SymbolChannel", "name", "gone"))
		gone.awaitCount(1, `{"tick":`)
		gone.drop()
		server.rails.awaitEvent(t, gone.device, "disconnect")
		records := server.rails.records(t, gone.device)
		clock.awaitCount(clock.countWith(`"tick"`)+8, `"tick"`)
		if after := server.rails.records(t, gone.device); len(after) != len(records) {
			t.Errorf("ran after disconnect: %v", after[len(records):])
		}
	})
}

func TestTimer_ErrorOfATickIsLoggedAndTheTimerGoesOn(t *testing.T) {
	states(t, 118)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		mark := server.rails.process.logSize()
		timer := identify("Timers::RaisingChannel")
		c.join(timer)
		for _, tick := range []int{1, 3, 5} {
			c.expect(message(timer, object("tick", tick))) // and nothing of the channel's rescue_from
		}
		server.rails.process.awaitLog(t, mark, `There was an exception - RuntimeError\(tick 2 always fails\)`)
		server.rails.process.awaitLog(t, mark, `There was an exception - RuntimeError\(tick 4 always fails\)`)
	})
}

func TestTimer_SlowTicks(t *testing.T) {
	states(t, 118)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		timer := identify("Timers::SlowChannel")
		c.join(timer)
		c.awaitCount(5, `{"running":`)
		overlapped := 0
		c.mutex.Lock()
		defer c.mutex.Unlock()
		for _, frame := range c.frames {
			var tick struct{ Message struct{ Running int } }
			if err := json.Unmarshal([]byte(frame), &tick); err == nil && tick.Message.Running > 1 {
				overlapped++
			}
		}
		if want := onPurpose(t, server, "a tick that finds the last one not done is left out, so that ticks do not pile up", true, false); want != (overlapped > 0) {
			t.Errorf("%d ticks ran while another of the same subscription did; some should: %t", overlapped, want)
		}
	})
}

func TestTimer_MayConfirmStreamAndClose(t *testing.T) {
	states(t, 92, timerEffects)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		deferring := identify("Timers::DeferringChannel")
		c.subscribe(deferring)
		c.expect(message(deferring, `{"tick":1}`), confirmation(deferring), message(deferring, `{"tick":2}`), message(deferring, `{"tick":3}`))
		c.expect(disconnection("three ticks", false))
		c.expectClose(ws.StatusNormalClosure)
		server.rails.awaitEvent(t, c.device, "disconnect")

		c = server.connect(t, handshake{query: url.Values{}})
		streaming := identify("Timers::StreamingChannel", "room", t.Name())
		c.join(streaming)
		awaitFollowers(t, server, "timers_streaming_"+t.Name(), 1)
		server.redis.publish(t, "timers_streaming_"+t.Name(), `"live"`)
		c.expect(message(streaming, `"live"`))
		c.unsubscribe(streaming)
		awaitFollowers(t, server, "timers_streaming_"+t.Name(), 0)
	})
}

// skip takes all frames that have come.
func (c *consumer) skip() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.taken = len(c.frames)
}

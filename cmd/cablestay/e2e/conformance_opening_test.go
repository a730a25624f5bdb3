//go:build e2e

package e2e

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

func TestOpening_NothingIsSentBeforeConnectHasReturned(t *testing.T) {
	states(t, 27, 33)
	each(t, func(t *testing.T, server *server) {
		gate := "connect " + string(server.kind)
		c := dialLater(t, server, handshake{query: url.Values{"connect": {"wait"}, "gate": {gate}}})
		one, other := identify("EchoChannel", "n", 1), identify("EchoChannel", "n", 2)
		if server.kind != bridged { // which has no socket yet
			c.await().subscribe(one)
			c.await().subscribe(other)
			c.await().expectPongTo("connect still runs")
			if got := c.await().history(); got != "\n" {
				t.Errorf("frames while connect runs: got %s, want none", got)
			}
		}
		server.rails.openGate(t, gate)
		consumer := c.await()
		if server.kind == bridged {
			noteDown(t, differing, "the 101 comes when connect has returned, so a client can't send before that")
			consumer.subscribe(one)
			consumer.subscribe(other)
		}
		consumer.expect(welcome)
		got := []string{consumer.next(), consumer.next()} // commands run in parallel in stock
		slices.Sort(got)
		if want := []string{confirmation(one), confirmation(other)}; !slices.Equal(got, want) {
			t.Errorf("after the welcome: got %q, want %q", got, want)
		}
		consumer.expectNothing()
	})
}

func TestOpening_CommandsOfARejectedConnectionAreNeverExecuted(t *testing.T) {
	states(t, 34)
	each(t, func(t *testing.T, server *server) {
		gate := "reject " + string(server.kind)
		c := dialLater(t, server, handshake{query: url.Values{"connect": {"wait and reject"}, "gate": {gate}}})
		echo := identify("EchoChannel")
		if server.kind != bridged {
			c.await().subscribe(echo)
			c.await().expectPongTo("connect still runs")
		}
		server.rails.openGate(t, gate)
		consumer := c.await()
		if server.kind == bridged {
			noteDown(t, differing, "the 101 comes when connect has returned, so a client can't send before that")
			_ = consumer.write(ws.NewTextFrame([]byte(object("command", "subscribe", "identifier", echo)))) // it may be closed already
		}
		consumer.expect(disconnection("unauthorized", false))
		consumer.expectClose(ws.StatusNormalClosure)
		server.rails.awaitEvent(t, consumer.device, "disconnect")
		if got, want := server.rails.happened(t, consumer.device), []string{"disconnect"}; !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
	})
}

func TestOpening_ConnectThatRaisesIsLogged(t *testing.T) {
	states(t, 31)
	each(t, func(t *testing.T, server *server) {
		mark := server.rails.process.logSize()
		c := server.dial(t, handshake{query: url.Values{"connect": {"raise"}}})
		server.rails.process.awaitLog(t, mark, `There was an exception - RuntimeError\(this connection always fails\)`)
		if onPurpose(t, server, "stock leaves the client with an open socket that never says a word; here it is told to come again", false, true) {
			c.expect(`{"type":"disconnect","reason":null,"reconnect":true}`)
			c.expectClose(ws.StatusNormalClosure)
		} else {
			witness := server.connect(t, handshake{})
			witness.expectPings(2) // which the other is not sent
			c.expectPongTo("still open")
			if got := c.history(); got != "\n" || len(c.pings) > 0 {
				t.Errorf("got frames %s and pings %q, want none", got, c.pings)
			}
			c.leave()
		}
		server.rails.awaitEvent(t, c.device, "disconnect")
	})
}

func TestOpening_AppWithoutAConnectionClassIsWelcomed(t *testing.T) {
	states(t, 35)
	eachConfigured(t, "without_channels", func(t *testing.T, server *server) {
		c := server.connect(t, handshake{login: "none"})
		c.expectPings(1)
		marks := server.marks()
		c.subscribe(identify("EchoChannel"))
		server.awaitLogged(t, marks, `Subscription class not found: "EchoChannel"`)
		c.expectPongTo("still open")
		if got := c.history(); got != "\n"+welcome {
			t.Errorf("got frames %s, want no more than the welcome", got)
		}
	})
}

func TestOpening_IdentifiersAreReadInEveryChannel(t *testing.T) {
	states(t, 36)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{user: "cleo"})
		for _, name := range []string{"a", "b"} {
			echo := identify("EchoChannel", "name", name)
			c.join(echo)
			c.perform(echo, "identify")
			c.expect(message(echo, object("user", "cleo", "device", c.device, "name", name, "keys", []string{"channel", "name"})))
		}
	})
}

func TestOpening_TagsOfConnectAreInTheLogOfChannels(t *testing.T) {
	states(t, 37)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{query: url.Values{"connect": {"tag"}}})
		dispatch := identify("DispatchChannel")
		c.join(dispatch)
		mark := server.rails.process.logSize()
		c.perform(dispatch, "log", "text", "a word of "+c.device)
		server.rails.process.awaitLog(t, mark, `\[ActionCable\] \[device=`+c.device+`\] \[tagged by connect\] a word of `+c.device)
	})
}

func TestOpening_FirstPingComesWithinThreeSecondsAndTheOthersEveryThree(t *testing.T) {
	states(t, 38, 39)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		welcomed := time.Now().Unix()
		c.expectPings(3)
		var times []int64
		for _, ping := range c.pings {
			times = append(times, pingTime(t, ping))
		}
		if late := times[0] - welcomed; late > 4 { // both are whole seconds, and the clock may just have ticked
			t.Errorf("the first ping came %d s after the welcome, want at most 3", late)
		}
		for n := range len(times) - 1 {
			if gap := times[n+1] - times[n]; gap < 2 || gap > 5 {
				t.Errorf("pings came %d s apart, want 3", gap)
			}
		}
	})
}

// pendingConsumer is a socket that may not be open yet: on the bridge it opens when connect has returned.
type pendingConsumer struct {
	t        *testing.T
	opened   chan struct{} // closed then
	consumer *consumer     // nil where it failed to open
}

func dialLater(t *testing.T, server *server, hello handshake) *pendingConsumer {
	t.Helper()
	server.rails.login(t, "ann", "cookie") // while there is one goroutine
	p := &pendingConsumer{t: t, opened: make(chan struct{})}
	go func() {
		defer close(p.opened)
		p.consumer = server.dial(t, hello)
	}()
	return p
}

func (p *pendingConsumer) await() *consumer {
	p.t.Helper()
	<-p.opened
	if p.consumer == nil {
		p.t.FailNow()
	}
	return p.consumer
}

// expectPongTo proves that the socket is open, and that all was read that the server sent before.
func (c *consumer) expectPongTo(payload string) {
	c.t.Helper()
	c.sendFrame(ws.NewPingFrame([]byte(payload)))
	c.awaitUnder("pong to "+payload, func() bool { return slices.Contains(c.pongs, payload) })
}

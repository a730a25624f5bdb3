package bridge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
	"github.com/prometheus/client_golang/prometheus"
)

// answers is what a channel of an app does.
type answers func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)

// unheard is the same in an app where nothing is to run at the end of a connection, nor at that of a subscription.
func unheard(app answers) answers {
	return ending(app, rpc.EndNothing, func(string) rpc.End { return rpc.EndNothing })
}

// ending is an app that says this of its ends; of a subscription's by the identifier.
func ending(app answers, connection rpc.End, subscription func(identifier string) rpc.End) answers {
	return func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer, err := app(ctx, request)
		if err == nil {
			answer.ConnectionEnd, answer.End = connection, subscription(request.Identifier)
		}
		return answer, err
	}
}

// onlyRooms have nothing to run at their end.
func onlyRooms(identifier string) rpc.End {
	if strings.HasPrefix(identifier, "room") {
		return rpc.EndNothing
	}
	return ""
}

func connectedUnheard(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
	answer := welcome("ann")
	answer.ConnectionEnd = rpc.EndNothing
	return answer, nil
}

func TestEnds_AreNotSentWhereNothingIsToRun(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		registry := prometheus.NewRegistry()
		rails := &fakeRails{OnConnect: connectedUnheard, OnSubscribe: unheard(following)}
		b := startBridge(t, rails, on(kind), func(s *setup) { s.Registerer = registry })
		c := b.Welcomed()
		c.Subscribe("room")
		c.Subscribe("hall")
		c.Command("unsubscribe", "room", "")
		c.Subscribe("room") // the identifier is free, so the first has ended
		b.PubSub.Publish("room", []byte(`1`))
		c.Expect(transmission("room", "1"))
		c.Hangup()
		eventually(t, func() bool { return counter(t, registry, "cablestay_subscriptions", "") == 0 })
		if got := counter(t, registry, "cablestay_connections", ""); got != 0 {
			t.Errorf("%v connections are counted, want none", got)
		}
		if err := b.Check(); err != nil { // no stream, no ping
			t.Error(err)
		}
		eventually(t, func() bool { return len(b.PubSub.Followed()) == 0 })
		b.Shutdown()
		if got, want := rails.Events(), []string{"connect /cable", "subscribe room", "subscribe hall", "subscribe room"}; !slices.Equal(got, want) {
			t.Errorf("Rails was asked %q, want %q", got, want)
		}
	})
}

func TestEnds_OfARejectedConnectionIsNotSentEither(t *testing.T) {
	rails := &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		return &rpc.ConnectAnswer{ConnectionEnd: rpc.EndNothing, Effects: []rpc.Effect{{Effect: rpc.EffectClose}}}, nil
	}}
	b := startBridge(t, rails)
	b.Dial().ExpectClose(ws.StatusNormalClosure, "")
	b.Shutdown()
	if got := len(rails.Disconnects()); got != 0 {
		t.Errorf("%d disconnects, want none", got)
	}
}

func TestEnds_AreAllSentWhereOneIsToRun(t *testing.T) {
	all := func(string) rpc.End { return rpc.EndNothing }
	for name, test := range map[string]struct {
		connect   func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error)
		subscribe answers
	}{
		"a subscription's":                      {connectedUnheard, ending(following, rpc.EndNothing, onlyRooms)},
		"the connection's":                      {nil, ending(following, "", all)},
		"the connection's, by a later answer":   {connectedUnheard, ending(following, "", all)},
		"all, as a word that is not known says": {connectedUnheard, ending(following, "later", func(string) rpc.End { return "later" })},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBridge(t, &fakeRails{OnConnect: test.connect, OnSubscribe: test.subscribe})
			c := b.Welcomed()
			c.Subscribe("room")
			c.Subscribe("hall")
			c.Hangup()
			want := []string{`anywhere, "connected", "", room "", hall ""`}
			if got := ended(b.AwaitDisconnects(1)); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestEnds_OfSubscriptionsAreSentOneByOneWhatTheConnectionsMayBe(t *testing.T) {
	rails := &fakeRails{OnSubscribe: ending(following, "", onlyRooms)}
	b := startBridge(t, rails)
	c := b.Welcomed()
	for _, identifier := range []string{"room", "hall"} {
		c.Subscribe(identifier)
		c.Command("unsubscribe", identifier, "")
		c.Subscribe(identifier)
	}
	if got, want := rails.Events()[1:], []string{"subscribe room", "subscribe room", "subscribe hall", "unsubscribe hall", "subscribe hall"}; !slices.Equal(got, want) {
		t.Errorf("Rails was asked %q, want %q", got, want)
	}
}

// What an answer said before does not count any more.
func TestEnds_FollowTheLatestAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		perform answers
		want    []string
	}{
		"which says nothing of them": {echo, []string{"unsubscribe room", "disconnect"}},
		"which there was not": {func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			return nil, errors.New("cut off")
		}, []string{"unsubscribe room", "disconnect"}},
		"which says the same": {unheard(echo), nil},
	} {
		t.Run(name, func(t *testing.T) {
			unsubscribe := func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
				return &rpc.CommandAnswer{}, nil
			}
			rails := &fakeRails{OnConnect: connectedUnheard, OnSubscribe: unheard(following), OnPerform: test.perform, OnUnsubscribe: unsubscribe}
			b := startBridge(t, rails)
			c := b.Welcomed()
			c.Subscribe("room")
			c.Command("message", "room", "{}")
			b.AwaitEvents("perform room {}")
			c.Command("unsubscribe", "room", "")
			c.Hangup()
			eventually(t, func() bool { return len(rails.Receiver.Connections(false)) == 0 })
			b.Shutdown()
			if got := rails.Events()[3:]; !slices.Equal(got, test.want) {
				t.Errorf("then Rails was asked %q, want %q", got, test.want)
			}
		})
	}
}

func TestEnds_OfWhatAWorkerHoldsAreSentToIt(t *testing.T) {
	ids := make(chan string, 1)
	rails := &fakeRails{OnConnect: connectedUnheard, OnSubscribe: unheard(lastEvent(ids))}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	event := <-ids
	eventually(t, func() bool { return rails.Receiver.Offered(connectionOf(event), "room", event, live("offered")) })
	b.AwaitEvents("attach w1 offered") // it is not only put aside for when the subscribe has ended here
	c.Hangup()
	want := []string{`w1 offered, "connected", "", partial, room ""`, `anywhere, "connected", ""`}
	if got := ended(b.AwaitDisconnects(2)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEnds_OfAConnectionThatAWorkerHoldsFromItsHandshakeOnIsSentToIt(t *testing.T) {
	rails := &fakeRails{OnConnect: func(ctx context.Context, request *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		answer, err := connectedUnheard(ctx, request)
		answer.Live = live("connection")
		return answer, err
	}}
	b := startBridge(t, rails)
	b.Welcomed().Hangup()
	if got, want := ended(b.AwaitDisconnects(1)), []string{`w1 connection, "connected", ""`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEnds_OfAConnectionThatAWorkerHoldsAreSentToIt(t *testing.T) {
	rails := &fakeRails{OnConnect: connectedUnheard, OnSubscribe: unheard(func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer := confirmed(request)
		if request.Identifier == "hall" {
			answer.Live = live("hall")
			answer.Live.Connection = true
		}
		return answer, nil
	})}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	c.Subscribe("hall")
	c.Command("unsubscribe", "room", "")
	b.AwaitEvents("unsubscribe room")
	c.Hangup()
	want := []string{`w1 hall, "connected", "", hall ""`}
	if got := ended(b.AwaitDisconnects(1)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEnds_ThatAreNotSentStopTheirTimers(t *testing.T) {
	rails := &fakeRails{OnConnect: connectedUnheard, OnSubscribe: unheard(ticking(startTimer(0, 0.01))), OnTimer: unheard(transmitting("tick"))}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Command("subscribe", "room", "")
	b.AwaitEvents("timer room 0")
	c.Command("unsubscribe", "room", "")
	eventually(t, func() bool { return len(rails.Receiver.Connections(false)[0].Subscriptions) == 0 })
	ticks := func() int { return strings.Count(strings.Join(rails.Events(), "\n"), "timer room 0") }
	before := ticks()
	b.Welcomed().Command("subscribe", "other", "")
	b.AwaitEvents("timer other 0", "timer other 0", "timer other 0", "timer other 0", "timer other 0")
	if got := ticks(); got != before {
		t.Errorf("%d ticks after the end, want none", got-before)
	}
	if slices.Contains(rails.Events(), "unsubscribe room") {
		t.Error("the unsubscribe was sent")
	}
}

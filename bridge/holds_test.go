package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cablestay/cablestay/bridge"
	"github.com/cablestay/cablestay/rpc"
)

const reconnect = `{"type":"disconnect","reason":"server_restart","reconnect":true}`

// live is what an answer says whose subscription worker w1 holds under its own identifier.
func live(identifier string) *rpc.Live {
	return &rpc.Live{Worker: "w1", Hold: identifier, Why: "a stream with a block"}
}

// holding is an app in which w1 holds the subscriptions whose identifier begins with "live", and whose states travel.
func holding(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	answer := confirmed(request)
	state := "state of " + request.Identifier
	answer.State = &state
	if strings.HasPrefix(request.Identifier, "live") {
		answer.Live = live(request.Identifier)
	}
	return answer, nil
}

// addressed is where an event went, and with which states.
func addressed(hold *rpc.Hold, connectionState, state string) string {
	if hold == nil {
		return fmt.Sprintf("anywhere, %q, %q", connectionState, state)
	}
	return fmt.Sprintf("%s %s, %q, %q", hold.Worker, hold.ID, connectionState, state)
}

// noting is an app that notes where its performs went and transmits the note.
func noting(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	note := addressed(request.Hold, request.ConnectionState, request.State)
	return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: note}}}, nil
}

// ended says of each disconnect event where it went and what it had.
func ended(disconnects []*rpc.DisconnectRequest) []string {
	var all []string
	for _, d := range disconnects {
		text := addressed(d.Hold, d.ConnectionState, "")
		if d.Partial {
			text += ", partial"
		}
		for _, s := range d.Subscriptions {
			text += fmt.Sprintf(", %s %q", s.Identifier, s.State)
		}
		all = append(all, text)
	}
	return all
}

func TestHolds_EventsGoToWhoHoldsTheirSubscriptionAndTheOthersAnywhere(t *testing.T) {
	rails := &fakeRails{OnSubscribe: holding, OnPerform: noting}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("live 1")
	c.Subscribe("plain")
	b.AwaitEvents("attach w1 live 1")
	c.Command("message", "live 1", "{}")
	c.Expect(`w1 live 1, "connected", ""`)
	c.Command("message", "plain", "{}")
	c.Expect(`anywhere, "connected", "state of plain"`)
	c.Subscribe("live 2")
	c.Hangup()
	want := []string{
		`w1 live 1, "connected", "", partial, live 1 ""`,
		`w1 live 2, "connected", "", partial, live 2 ""`,
		`anywhere, "connected", "", plain "state of plain"`,
	}
	if got := ended(b.AwaitDisconnects(3)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHolds_AHeldConnectionGetsAllEventsThatHaveNoOtherHold(t *testing.T) {
	rails := &fakeRails{OnPerform: noting, OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer, err := holding(ctx, request)
		switch request.Identifier {
		case "live whole":
			answer.Live.Connection = true
		case "live elsewhere":
			answer.Live.Worker = "w2"
		}
		return answer, err
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	for _, identifier := range []string{"before", "live whole", "after", "live elsewhere", "live too"} {
		c.Subscribe(identifier)
	}
	for _, test := range [][2]string{
		{"before", `w1 live whole, "connected", "state of before"`},
		{"live whole", `w1 live whole, "connected", ""`},
		{"after", `w1 live whole, "connected", "state of after"`},
		{"live elsewhere", `w2 live elsewhere, "connected", ""`},
		{"live too", `w1 live too, "connected", ""`},
	} {
		c.Command("message", test[0], "{}")
		c.Expect(test[1])
	}
	c.Hangup()
	want := []string{
		`w2 live elsewhere, "connected", "", partial, live elsewhere ""`,
		`w1 live too, "connected", "", partial, live too ""`,
		`w1 live whole, "connected", "", before "state of before", live whole "", after "state of after"`,
	}
	if got := ended(b.AwaitDisconnects(3)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// gated is a PubSub that follows one broadcasting only when it may.
type gated struct {
	bridge.PubSub
	broadcasting string
	open         chan struct{}
}

func (g *gated) Subscribe(broadcasting string) {
	if broadcasting == g.broadcasting {
		<-g.open
	}
	g.PubSub.Subscribe(broadcasting)
}

func TestHolds_AHeldConnectionIsKnownBeforeItsClientCanAskAnotherSubscription(t *testing.T) {
	pubsub := &gated{broadcasting: "news", open: make(chan struct{})}
	rails := &fakeRails{
		OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			answer, err := holding(ctx, request)
			if request.Identifier == "live" {
				answer.Live.Connection = true
				answer.Effects = []rpc.Effect{
					{Effect: rpc.EffectTransmit, Frame: "held"}, {Effect: rpc.EffectStream, Broadcasting: "news"},
				}
			}
			return answer, err
		},
		OnPerform: noting,
	}
	b := startBridge(t, rails, func(c *setup) { pubsub.PubSub, c.PubSub = c.PubSub, pubsub })
	defer sync.OnceFunc(func() { close(pubsub.open) })()
	c := b.Welcomed()
	c.Subscribe("plain")
	c.Command("subscribe", "live", "")
	c.Expect("held")
	c.Command("message", "plain", "{}") // while the bridge has not done all that the answer says
	c.Expect(`w1 live, "connected", "state of plain"`)
}

func TestHolds_AConnectionMayBeHeldFromItsHandshakeOn(t *testing.T) {
	rails := &fakeRails{
		OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
			answer := welcome("ann")
			answer.Live = &rpc.Live{Worker: "w1", Hold: "h1", Connection: true, Why: "an open file"}
			return answer, nil
		},
		OnPerform: noting,
	}
	b := startBridge(t, rails)
	c := b.Welcomed()
	b.AwaitEvents("attach w1 h1")
	c.Subscribe("room")
	c.Command("message", "room", "{}")
	c.Expect(`w1 h1, "connected", ""`)
	c.Hangup()
	want := []string{`w1 h1, "connected", "", room ""`}
	if got := ended(b.AwaitDisconnects(1)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHolds_WhatAHeldConnectionAnswersIsItsStateWithoutAMerge(t *testing.T) {
	rails := &fakeRails{OnPerform: changing(2), OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer, err := holding(ctx, request)
		answer.Live.Connection = true
		answer.Live.Hold = "all"
		return answer, err
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("live 1")
	c.Subscribe("live 2")
	c.Command("message", "live 1", "1")
	c.Command("message", "live 2", "2")
	nextText(c)
	nextText(c)
	if events := strings.Join(rails.Events(), "\n"); strings.Contains(events, "merge") {
		t.Errorf("Rails was asked\n%s", events)
	}
}

func TestHolds_BeginWhenAnActionMakesItsChannelLive(t *testing.T) {
	rails := &fakeRails{OnPerform: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer, err := noting(ctx, request)
		if request.Hold == nil {
			answer.Live = live("h1")
		}
		return answer, err
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	c.Command("message", "room", "{}")
	c.Command("message", "room", "{}")
	c.Expect(`anywhere, "connected", ""`, `w1 h1, "connected", ""`)
	c.Command("unsubscribe", "room", "")
	c.Subscribe("room")
	c.Command("message", "room", "{}") // another channel object
	c.Expect(`anywhere, "connected", ""`)
}

func TestHolds_TicksGoThereToo(t *testing.T) {
	rails := &fakeRails{OnTimer: noting, OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer, err := holding(ctx, request)
		answer.Effects = append(answer.Effects, startTimer(0, 0.01))
		return answer, err
	}}
	c := startBridge(t, rails).Welcomed()
	c.Subscribe("live")
	c.Expect(`w1 live, "connected", ""`)
}

func TestHolds_EndWithTheirWorkerForItsClientsAlone(t *testing.T) {
	gone := fmt.Errorf("no link: %w", rpc.ErrWorkerGone)
	rails := &fakeRails{
		OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			answer, err := holding(ctx, request)
			if request.Identifier == "live, no state" {
				answer.State = nil
			}
			return answer, err
		},
		OnDisconnect: func(_ context.Context, request *rpc.DisconnectRequest) error {
			if request.Hold != nil {
				return gone
			}
			return nil
		},
	}
	registry := prometheus.NewRegistry()
	b := startBridge(t, rails, func(c *setup) { c.Registerer = registry })
	c, neighbour := b.Welcomed(), b.Welcomed()
	for _, identifier := range []string{"live", "plain", "live, no state"} {
		c.Subscribe(identifier)
	}
	neighbour.Subscribe("plain")
	rails.Receiver.LinkEnded("w2")
	rails.Receiver.LinkEnded("w1")
	c.Expect(reconnect)
	c.ExpectClose(1000, "")
	want := []string{
		`w1 live, "connected", "", partial, live ""`,
		`w1 live, no state, "connected", "", partial, live, no state ""`,
		`anywhere, "connected", "", live "state of live", plain "state of plain"`,
	}
	if got := ended(b.AwaitDisconnects(3)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// It is counted just after the goodbye has gone out.
	eventually(t, func() bool { return counter(t, registry, "cablestay_connections_closed_total", "worker_gone") == 1 })
	if got := counter(t, registry, "cablestay_disconnects_failed_total", ""); got != 0 {
		t.Errorf("%v disconnects were counted as failed, want none", got)
	}
	neighbour.Subscribe("another")
}

func TestHolds_OfAConnectionWhoseWorkerIsGoneEndElsewhereWithoutItsDisconnect(t *testing.T) {
	rails := &fakeRails{
		OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			answer, err := holding(ctx, request)
			switch request.Identifier {
			case "live whole":
				answer.Live.Connection = true
			case "live, no state":
				answer.Live.Hold, answer.State = "live whole", nil
			}
			return answer, err
		},
		OnDisconnect: func(_ context.Context, request *rpc.DisconnectRequest) error {
			if request.Hold != nil {
				return fmt.Errorf("no link: %w", rpc.ErrWorkerGone)
			}
			return nil
		},
	}
	registry := prometheus.NewRegistry()
	b := startBridge(t, rails, func(c *setup) { c.Registerer = registry })
	c := b.Welcomed()
	for _, identifier := range []string{"before", "live whole", "live, no state"} {
		c.Subscribe(identifier)
	}
	rails.Receiver.LinkEnded("w1")
	c.Expect(reconnect)
	want := []string{
		`w1 live whole, "connected", "", before "state of before", live whole "", live, no state ""`,
		`anywhere, "connected", "", partial, before "state of before", live whole "state of live whole"`,
	}
	if got := ended(b.AwaitDisconnects(2)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := counter(t, registry, "cablestay_disconnects_failed_total", ""); got != 1 {
		t.Errorf("%v disconnects were counted as failed, want 1: the connection's own", got)
	}
}

func TestHolds_AnEventWhoseWorkerIsGoneSendsItsClientToReconnect(t *testing.T) {
	for _, command := range []string{"message", "unsubscribe", "subscribe"} {
		t.Run(command, func(t *testing.T) {
			refuse := func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
				if request.Hold != nil {
					return nil, fmt.Errorf("no link: %w", rpc.ErrWorkerGone)
				}
				answer, err := holding(ctx, request)
				answer.Live.Connection = true
				return answer, err
			}
			c := startBridge(t, &fakeRails{OnPerform: refuse, OnUnsubscribe: refuse, OnSubscribe: refuse}).Welcomed()
			c.Subscribe("live")
			identifier := "live"
			if command == "subscribe" {
				identifier = "live too"
			}
			c.Command(command, identifier, "{}")
			c.Expect(reconnect)
			c.ExpectClose(1000, "")
		})
	}
}

func TestHolds_OfAWorkerThatHasNoLinkSendTheClientToReconnect(t *testing.T) {
	rails := &fakeRails{OnSubscribe: holding, OnAttach: func(context.Context, rpc.Hold) error { return rpc.ErrWorkerGone }}
	c := startBridge(t, rails).Welcomed()
	c.Subscribe("live")
	c.Expect(reconnect)
	c.ExpectClose(1000, "")
}

func TestHolds_WhatAnEventDoesBeforeItsEndIsDoneAtOnce(t *testing.T) {
	ids, release := make(chan string, 1), make(chan struct{})
	rails := &fakeRails{OnPerform: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		ids <- request.Connection
		await(ctx, release)
		return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: "an end"}}}, nil
	}, OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer := confirmed(request)
		answer.Effects = append([]rpc.Effect{{Effect: rpc.EffectStream, Broadcasting: "old"}, {Effect: rpc.EffectStream, Broadcasting: "new"}}, answer.Effects...)
		return answer, nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("news")
	c.Command("message", "news", "{}")
	id, to := <-ids, rails.Receiver
	to.Pushed(id, []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: "a beginning"}})
	c.Expect("a beginning")
	to.Pushed(id, []rpc.Effect{{Effect: rpc.EffectStopStream, Broadcasting: "old", Identifier: "news"}})
	b.PubSub.Publish("old", []byte(`1`))
	b.PubSub.Publish("new", []byte(`2`))
	c.Expect(transmission("news", `2`))
	close(release)
	c.Expect("an end")
}

func TestHolds_WhatWorkersDoOutsideOfEventsIsAppliedInItsPlace(t *testing.T) {
	ids := make(chan string, 1)
	rails := &fakeRails{OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		ids <- request.Connection
		answer, err := holding(ctx, request)
		answer.Effects = nil // it confirms later
		return answer, err
	}, OnTimer: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{
			stopTimer(0), {Effect: rpc.EffectTransmit, Frame: "the only tick"},
		}}, nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Command("subscribe", "live", "")
	b.AwaitEvents("attach w1 live")
	id, to := <-ids, rails.Receiver
	to.Pushed(id, []rpc.Effect{
		{Effect: rpc.EffectTransmit, Frame: "early", Identifier: "live"},
		{Effect: rpc.EffectStream, Broadcasting: "news", Identifier: "live"},
		{Effect: rpc.EffectConfirm, Frame: confirmation("live"), Identifier: "live"},
		{Effect: rpc.EffectTransmit, Frame: "the connection's own"},
	})
	got := []string{nextText(c), nextText(c), nextText(c)}
	slices.Sort(got[1:]) // the confirmation waits for its stream
	if want := []string{"early", "the connection's own", confirmation("live")}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	b.PubSub.Publish("news", []byte(`1`))
	c.Expect(transmission("live", `1`))
	to.Pushed(id, []rpc.Effect{startTimerOf("live", 0, 0.01)})
	c.Expect("the only tick")
	to.Pushed(id, []rpc.Effect{{Effect: rpc.EffectStopStream, Broadcasting: "news", Identifier: "live"}})
	b.PubSub.Publish("news", []byte(`2`))
	to.Pushed(id, []rpc.Effect{
		{Effect: rpc.EffectTransmit, Frame: "nobody's", Identifier: "unknown"},
		{Effect: rpc.EffectTransmit, Frame: "last", Identifier: "live"},
	})
	to.Pushed("unknown", []rpc.Effect{{Effect: rpc.EffectClose}})
	c.Expect("last")
	to.Pushed(id, []rpc.Effect{{Effect: rpc.EffectReject, Frame: rejection("live"), Identifier: "live"}})
	c.Expect(rejection("live"))
	to.Pushed(id, []rpc.Effect{{Effect: rpc.EffectClose}})
	c.ExpectClose(1000, "")
	want := []string{`anywhere, "connected", ""`}
	if got := ended(b.AwaitDisconnects(1)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func startTimerOf(identifier string, number int, every float64) rpc.Effect {
	e := startTimer(number, every)
	e.Identifier = identifier
	return e
}

func TestHolds_AnEventMayDoWhatBelongsToAnotherSubscription(t *testing.T) {
	rails := &fakeRails{OnPerform: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{
			{Effect: rpc.EffectStream, Broadcasting: "news", Identifier: "b"},
			{Effect: rpc.EffectConfirm, Frame: "followed", Identifier: "b"},
		}}, nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("a")
	c.Subscribe("b")
	c.Command("message", "a", "{}")
	c.Expect("followed")
	b.PubSub.Publish("news", []byte(`1`))
	c.Expect(transmission("b", `1`))
	c.Command("unsubscribe", "b", "")
	b.AwaitEvents("unsubscribe b")
	eventually(t, func() bool { return len(b.PubSub.Followed()) == 1 }) // the connection's internal channel
}

func TestHolds_AWorkerCanSeeAllOpenConnections(t *testing.T) {
	var mu sync.Mutex
	var ids []string
	rails := &fakeRails{OnConnect: func(_ context.Context, request *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, request.Connection)
		return welcome("ann"), nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("z")
	c.Subscribe("a")
	mu.Lock()
	id := ids[0]
	mu.Unlock()
	for _, states := range []bool{false, true} {
		want := rpc.OpenConnection{Connection: id, ConnectionIdentifier: "ann", Subscriptions: []string{"z", "a"}}
		if states {
			want.ConnectionState = "connected"
		}
		got := rails.Receiver.Connections(states)
		if len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	b.Welcomed()
	if got := len(rails.Receiver.Connections(false)); got != 2 {
		t.Errorf("got %d connections, want 2", got)
	}
	c.Hangup()
	eventually(t, func() bool { return len(rails.Receiver.Connections(false)) == 1 })
}

func TestHolds_OneThatIsNotThereToBeAttachedCostsItsClientOneReconnect(t *testing.T) {
	rails := &fakeRails{OnSubscribe: holding}
	b := startBridge(t, rails)
	c, neighbour := b.Welcomed(), b.Welcomed()
	c.Subscribe("live 1")
	neighbour.Subscribe("live 2")
	b.AwaitEvents("attach w1 live 1", "attach w1 live 2")
	rails.Receiver.HoldGone(rpc.Hold{Worker: "w1", ID: "live 1"})
	c.Expect(reconnect)
	c.ExpectClose(1000, "")
	neighbour.Command("message", "live 2", "{}")
	b.AwaitEvents("perform live 2 {}")
}

func TestHolds_ARestartTellsEveryClientToReconnect(t *testing.T) {
	registry := prometheus.NewRegistry()
	b := startBridge(t, &fakeRails{}, func(c *setup) { c.Registerer = registry })
	var clients []*client
	for range 10 {
		clients = append(clients, b.Welcomed())
	}
	b.Rails.Receiver.Restart()
	for _, c := range clients {
		c.Expect(reconnect)
		c.ExpectClose(1000, "")
	}
	b.AwaitDisconnects(len(clients))
	// It is counted just after the goodbye has gone out.
	eventually(t, func() bool { return counter(t, registry, "cablestay_connections_closed_total", "restart") == 10 })
	b.Welcomed()
}

func TestHolds_AreCountedByChannelAndByWhy(t *testing.T) {
	registry := prometheus.NewRegistry()
	counted := func() []string {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, family := range families {
			if family.GetName() != "cablestay_live_subscriptions" {
				continue
			}
			for _, m := range family.GetMetric() {
				all = append(all, fmt.Sprintf("%s, %s: %v", m.GetLabel()[0].GetValue(), m.GetLabel()[1].GetValue(), m.GetGauge().GetValue()))
			}
		}
		return all
	}
	rails := &fakeRails{OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer := confirmed(request)
		answer.Live = live("h1")
		return answer, nil
	}}
	b := startBridge(t, rails, func(c *setup) { c.Registerer = registry })
	c := b.Welcomed()
	c.Subscribe(`{"channel":"ChatChannel","room":1}`)
	c.Subscribe(`{"channel":"::Object::ChatChannel","room":2}`) // Ruby knows it by this name too
	eventually(t, func() bool { return slices.Equal(counted(), []string{"ChatChannel, a stream with a block: 2"}) })
	c.Command("unsubscribe", `{"channel":"ChatChannel","room":1}`, "")
	eventually(t, func() bool { return slices.Equal(counted(), []string{"ChatChannel, a stream with a block: 1"}) })
	c.Hangup()
	eventually(t, func() bool { return slices.Equal(counted(), []string{"ChatChannel, a stream with a block: 0"}) })

	c = b.Welcomed()
	for i := range 110 {
		c.Subscribe(fmt.Sprintf(`{"channel":"Channel%d"}`, i))
	}
	eventually(t, func() bool {
		all := counted()
		return len(all) == 101 && slices.Contains(all, "other, other: 11")
	})
}

func TestHolds_ADisconnectThatItsWorkerDidNotRunIsCountedAndSentNowhereElse(t *testing.T) {
	registry := prometheus.NewRegistry()
	rails := &fakeRails{OnSubscribe: holding, OnDisconnect: func(_ context.Context, request *rpc.DisconnectRequest) error {
		if request.Hold != nil {
			return errors.New("no answer in time")
		}
		return nil
	}}
	b := startBridge(t, rails, func(c *setup) { c.Registerer = registry })
	c := b.Welcomed()
	c.Subscribe("live")
	c.Hangup()
	want := []string{`w1 live, "connected", "", partial, live ""`, `anywhere, "connected", ""`}
	if got := ended(b.AwaitDisconnects(2)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := counter(t, registry, "cablestay_disconnects_failed_total", ""); got != 1 {
		t.Errorf("%v disconnects were counted as failed, want 1", got)
	}
}

package bridge_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
)

func TestStreams_CarryBroadcastsByteForByte(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind))
		c := b.Welcomed()
		c.Subscribe("room")
		payloads := []string{
			`{"id":9007199254740993,"b":1,"a":null}`, `"\u003cscript\u003e"`, `[ 1,  2 ]`, `null`, `{"face":"😀 \ud83d\ude00"}`,
			`"` + strings.Repeat("x", 70000) + `"`,
		}
		for _, p := range payloads {
			b.PubSub.Publish("room", []byte(p))
			c.Expect(transmission("room", p))
		}
	})
}

func TestStreams_DropWhatIsNotJSONAndNothingElse(t *testing.T) {
	b := startBridge(t, &fakeRails{OnSubscribe: following})
	c := b.Welcomed()
	c.Subscribe("room")
	for _, p := range []string{"", "plain text", "NaN", "\"\xff\"", strings.Repeat("[", 200), `{"a":1`} {
		b.PubSub.Publish("room", []byte(p))
	}
	b.PubSub.Publish("room", []byte(`"good"`))
	c.Expect(transmission("room", `"good"`))
}

func TestStreams_ReachEveryFollowerUnderItsOwnIdentifier(t *testing.T) {
	rails := &fakeRails{OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return confirmed(request, "all", "only "+request.Identifier), nil
	}}
	b := startBridge(t, rails)
	ann, bob := b.Welcomed(), b.Welcomed()
	ann.Subscribe("a")
	bob.Subscribe("b")
	bob.Subscribe("a")
	b.PubSub.Publish("only b", []byte(`1`))
	b.PubSub.Publish("all", []byte(`2`))
	ann.Expect(transmission("a", `2`))
	bob.Expect(transmission("b", `1`))
	got := map[string]bool{nextText(bob): true, nextText(bob): true}
	if !got[transmission("a", `2`)] || !got[transmission("b", `2`)] {
		t.Errorf("got %v", got)
	}
}

func TestStreams_AnEventsOwnBroadcastComesOnceAndInItsPlace(t *testing.T) {
	var b *testBridge
	rails := &fakeRails{OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer := confirmed(request, "room")
		b.PubSub.Publish("room", []byte(`"joined"`)) // what ActionCable.server.broadcast does, before Rails answers
		own := rpc.Effect{Effect: rpc.EffectBroadcast, Broadcasting: "room", Payload: `"joined"`}
		answer.Effects = append([]rpc.Effect{answer.Effects[0], own}, answer.Effects[1:]...)
		return answer, nil
	}}
	b = startBridge(t, rails)
	var before []*client
	for range 10 { // the first is a cold stream, all others are warm
		c := b.Welcomed()
		c.Command("subscribe", "room", "")
		c.Expect(transmission("room", `"joined"`), confirmation("room"))
		for _, other := range before {
			other.Expect(transmission("room", `"joined"`))
		}
		before = append(before, c)
	}
	b.PubSub.Publish("room", []byte(`"end"`))
	for _, c := range before {
		c.Expect(transmission("room", `"end"`))
	}
}

func TestStreams_LoseAndRepeatNothingAfterAConfirmation(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind))
		stop := make(chan struct{})
		var publisher sync.WaitGroup
		publisher.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					b.PubSub.Publish("room", []byte(strconv.Itoa(n)))
				}
			}
		})
		var clients sync.WaitGroup
		for range 50 {
			clients.Go(func() {
				c, err := b.TryDial()
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Hangup()
				checkSequence(c)
			})
		}
		clients.Wait()
		close(stop)
		publisher.Wait()
	})
}

// checkSequence subscribes, and wants each number after the one before it.
func checkSequence(c *client) {
	if err := ws.WriteFrame(c.conn, ws.MaskFrame(ws.NewTextFrame([]byte(`{"command":"subscribe","identifier":"room"}`)))); err != nil {
		c.t.Error(err)
		return
	}
	last := -1
	for received := 0; received < 200; {
		f, err := c.Next()
		if err != nil {
			c.t.Error(err)
			return
		}
		text, ok := strings.CutPrefix(string(f.Payload), `{"identifier":"room","message":`)
		if !ok {
			continue // welcome and confirmation
		}
		n, err := strconv.Atoi(strings.TrimSuffix(text, "}"))
		if err != nil {
			c.t.Errorf("got %q", f.Payload)
			return
		}
		if last >= 0 && n != last+1 {
			c.t.Errorf("got %d after %d", n, last)
			return
		}
		last = n
		received++
	}
}

func TestStreams_StopWhenRailsSaysSo(t *testing.T) {
	rails := &fakeRails{
		OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			return confirmed(request, "one", "two"), nil
		},
		OnPerform: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{
				{Effect: rpc.EffectStopStream, Broadcasting: request.Data},
				{Effect: rpc.EffectStopStream, Broadcasting: "nobody follows this"},
				{Effect: rpc.EffectTransmit, Frame: `"stopped"`},
			}}, nil
		},
	}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	c.Command("message", "room", "one")
	c.Expect(`"stopped"`)
	b.PubSub.Publish("one", []byte(`1`))
	b.PubSub.Publish("two", []byte(`2`))
	c.Expect(transmission("room", `2`))
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}

func TestStreams_EndWithTheirSubscriptionAndLeaveRedisWithTheLast(t *testing.T) {
	var empty atomic.Bool // rooms have nothing to follow any more
	b := startBridge(t, &fakeRails{OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		if empty.Load() {
			return confirmed(request), nil
		}
		return following(ctx, request)
	}})
	ann, bob := b.Welcomed(), b.Welcomed()
	for _, c := range []*client{ann, bob} {
		c.Subscribe("room")
	}
	ann.Subscribe("other")
	empty.Store(true)
	ann.Command("unsubscribe", "room", "")
	ann.Subscribe("room") // in the same line, so that the unsubscribe is done
	b.PubSub.Publish("room", []byte(`1`))
	bob.Expect(transmission("room", `1`))
	b.PubSub.Publish("other", []byte(`2`))
	ann.Expect(transmission("other", `2`))
	bob.Command("unsubscribe", "room", "")
	bob.Subscribe("room")
	for _, name := range b.PubSub.Followed() {
		if name == "room" {
			t.Error("still follows what nobody streams from")
		}
	}
	if err := b.Check(); err != nil {
		t.Error(err)
	}
}

func TestStreams_OfARejectedSubscriptionDeliverNothing(t *testing.T) {
	rails := &fakeRails{OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		if request.Identifier != "locked" {
			return confirmed(request, "room"), nil
		}
		answer := rejected(request)
		answer.Effects = append([]rpc.Effect{{Effect: rpc.EffectStream, Broadcasting: "room"}}, answer.Effects...)
		return answer, nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Command("subscribe", "locked", "")
	c.Expect(rejection("locked"))
	c.Subscribe("room")
	b.PubSub.Publish("room", []byte(`1`))
	b.PubSub.Publish("room", []byte(`2`))
	c.Expect(transmission("room", `1`), transmission("room", `2`))
}

func TestStreams_FollowedTwiceDeliverTwiceAsInStock(t *testing.T) {
	rails := &fakeRails{OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return confirmed(request, "room", "room"), nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	b.PubSub.Publish("room", []byte(`1`))
	c.Expect(transmission("room", `1`), transmission("room", `1`))
}

func TestStreams_SurviveTheComingAndGoingOfManyConnections(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind))
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				for n := range 5 {
					c, err := b.TryDial()
					if err != nil {
						t.Error(err)
						return
					}
					for k := range 3 {
						text := fmt.Sprintf(`{"command":"subscribe","identifier":"room %d"}`, (i+n+k)%7)
						if err := ws.WriteFrame(c.conn, ws.MaskFrame(ws.NewTextFrame([]byte(text)))); err != nil {
							t.Error(err)
						}
						b.PubSub.Publish(fmt.Sprintf("room %d", k), []byte(`1`))
					}
					if n%2 == 0 {
						_, _ = c.Next() // half of them leave at once
					}
					c.Hangup()
				}
			})
		}
		all.Wait()
		b.AwaitDisconnects(200)
	})
}

package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
	"github.com/prometheus/client_golang/prometheus"
)

func TestCommands_OfOneSubscriptionRunInOrder(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		rails := &fakeRails{OnPerform: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: request.Data}}}, nil
		}}
		b := startBridge(t, rails, on(kind))
		c := b.Welcomed()
		c.Subscribe("room")
		var want []string
		for i := range 1000 {
			want = append(want, fmt.Sprintf(`{"n":%d}`, i))
			c.Command("message", "room", want[i])
		}
		c.Expect(want...)
	})
}

func TestCommands_OfDifferentSubscriptionsRunBesideEachOther(t *testing.T) {
	release := make(chan struct{})
	rails := &fakeRails{OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		if request.Identifier == "slow" {
			await(ctx, release)
		}
		return confirmed(request), nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Command("subscribe", "slow", "")
	c.Subscribe("quick")
	close(release)
	c.Expect(confirmation("slow"))
}

func TestCommands_ASecondSubscribeIsIgnoredUntilTheFirstIsRejected(t *testing.T) {
	release := make(chan struct{})
	rails := &fakeRails{OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		await(ctx, release)
		return rejected(request), nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Command("subscribe", "room", "")
	b.AwaitEvents("subscribe room")
	c.Command("subscribe", "room", "")
	c.Command("message", "room", "{}") // finds nothing once its turn comes
	c.Command("subscribe", "other", "")
	b.AwaitEvents("subscribe other") // the second subscribe of room has been read by now
	close(release)
	got := []string{nextText(c), nextText(c)}
	slices.Sort(got)
	if want := []string{rejection("other"), rejection("room")}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	c.Command("subscribe", "room", "")
	c.Expect(rejection("room"))
	if got, want := strings.Count(strings.Join(rails.Events(), "\n"), "subscribe room"), 2; got != want {
		t.Errorf("Rails was asked to subscribe %d times, want %d", got, want)
	}
}

func nextText(c *client) string {
	c.t.Helper()
	f, err := c.Next()
	if err != nil {
		c.t.Fatal(err)
	}
	return string(f.Payload)
}

func TestCommands_UnsubscribeAndSubscribeWhileTheFirstIsUnderWayRunInOrder(t *testing.T) {
	b := startBridge(t, &fakeRails{})
	c := b.Welcomed()
	c.Command("subscribe", "room", "")
	c.Command("unsubscribe", "room", "")
	c.Command("subscribe", "room", "")
	c.Expect(confirmation("room"), confirmation("room"))
	want := []string{"connect /cable", "subscribe room", "unsubscribe room", "subscribe room"}
	if got := b.Rails.Events(); !slices.Equal(got, want) {
		t.Errorf("Rails was asked %q, want %q", got, want)
	}
}

func TestCommands_StateTravels(t *testing.T) {
	set := func(s string) *string { return &s }
	var mu sync.Mutex // guards the following
	var performed, unsubscribed []string
	rails := &fakeRails{
		OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			answer := confirmed(request)
			answer.State, answer.ConnectionState = set("room 1"), set("connection 1")
			return answer, nil
		},
		OnPerform: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			mu.Lock()
			defer mu.Unlock()
			performed = append(performed, request.ConnectionState+", "+request.State)
			answer := &rpc.CommandAnswer{Subscribed: true}
			if request.Data == "change" {
				answer.State = set("room 2")
			}
			return answer, nil
		},
		OnUnsubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			mu.Lock()
			defer mu.Unlock()
			unsubscribed = append(unsubscribed, request.ConnectionState+", "+request.State)
			return &rpc.CommandAnswer{}, nil
		},
	}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	for _, data := range []string{"keep", "change", "keep"} {
		c.Command("message", "room", data)
	}
	c.Command("unsubscribe", "room", "")
	c.Subscribe("room")
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"connection 1, room 1", "connection 1, room 1", "connection 1, room 2"}; !slices.Equal(performed, want) {
		t.Errorf("perform saw %q, want %q", performed, want)
	}
	if want := []string{"connection 1, room 2"}; !slices.Equal(unsubscribed, want) {
		t.Errorf("unsubscribe saw %q, want %q", unsubscribed, want)
	}
}

func TestCommands_NonsenseLeavesTheConnectionAlive(t *testing.T) {
	b := startBridge(t, &fakeRails{})
	c := b.Welcomed()
	for _, nonsense := range []string{
		`not json`, `5`, `[1]`, `null`, `"abc"`, `{}`, `{"command":"dance"}`, `{"command":"subscribe"}`,
		`{"command":"subscribe","identifier":5}`, `{"command":"message","identifier":"nobody","data":"{}"}`,
		`{"command":"unsubscribe","identifier":"nobody"}`, ``,
	} {
		c.Send(nonsense)
	}
	c.Subscribe("room")
	if got, want := b.Rails.Events(), []string{"connect /cable", "subscribe room"}; !slices.Equal(got, want) {
		t.Errorf("Rails was asked %q, want %q", got, want)
	}
}

func TestCommands_ASubscribeThatRailsDoesNotAnswerSendsTheClientToReconnect(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		left int // subscriptions whose unsubscribed is to run
	}{
		{"it never ran", fmt.Errorf("refused: %w", rpc.ErrNotRun), 0},
		{"it may have run", errors.New("cut off"), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			rails := &fakeRails{OnSubscribe: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) { return nil, test.err }}
			b := startBridge(t, rails)
			c := b.Welcomed()
			c.Command("subscribe", "room", "")
			c.Expect(`{"type":"disconnect","reason":"server_restart","reconnect":true}`)
			c.ExpectClose(ws.StatusNormalClosure, "")
			if got := len(b.AwaitDisconnects(1)[0].Subscriptions); got != test.left {
				t.Errorf("disconnect carried %d subscriptions, want %d", got, test.left)
			}
		})
	}
}

func TestCommands_AnUnsubscribeThatNeverRanIsLeftToTheEndOfTheConnection(t *testing.T) {
	rails := &fakeRails{OnUnsubscribe: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return nil, fmt.Errorf("refused: %w", rpc.ErrNotRun)
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	c.Command("unsubscribe", "room", "")
	c.Expect(`{"type":"disconnect","reason":"server_restart","reconnect":true}`)
	c.ExpectClose(ws.StatusNormalClosure, "")
	if left := b.AwaitDisconnects(1)[0].Subscriptions; len(left) != 1 || left[0].Identifier != "room" {
		t.Errorf("disconnect carried %+v, want room", left)
	}
}

func TestCommands_AnUnsubscribeThatMayHaveRunIsNotRepeated(t *testing.T) {
	rails := &fakeRails{OnUnsubscribe: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return nil, errors.New("cut off")
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	c.Command("unsubscribe", "room", "")
	c.Subscribe("room") // the identifier is free again
	c.Hangup()
	if left := b.AwaitDisconnects(1)[0].Subscriptions; len(left) != 1 {
		t.Errorf("disconnect carried %d subscriptions, want the second", len(left))
	}
}

func TestCommands_APerformThatRailsDoesNotAnswerIsAllThatIsLost(t *testing.T) {
	rails := &fakeRails{OnPerform: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		if request.Data == "bad" {
			return nil, errors.New("cut off")
		}
		return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: request.Data}}}, nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	c.Command("message", "room", "bad")
	c.Command("message", "room", `"good"`)
	c.Expect(`"good"`)
}

func TestCommands_TheAppMayClose(t *testing.T) {
	rails := &fakeRails{OnPerform: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{
			{Effect: rpc.EffectTransmit, Frame: `{"type":"disconnect","reason":"bye","reconnect":false}`},
			{Effect: rpc.EffectClose},
			{Effect: rpc.EffectTransmit, Frame: `"too late"`},
			{Effect: rpc.EffectStream, Broadcasting: "too late"},
		}}, nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	c.Command("message", "room", "{}")
	c.Expect(`{"type":"disconnect","reason":"bye","reconnect":false}`)
	c.ExpectClose(ws.StatusNormalClosure, "")
	if got := len(b.AwaitDisconnects(1)[0].Subscriptions); got != 1 {
		t.Errorf("disconnect carried %d subscriptions, want 1", got)
	}
}

func TestCommands_AfterTheCloseFrameAreNotRun(t *testing.T) {
	rails := &fakeRails{OnPerform: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		if request.Data == "too late" {
			t.Error("a command that came after the close frame was run")
		}
		return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectClose}}}, nil
	}}
	b := startBridge(t, rails)
	const times = 100 // it is a race
	for range times {
		c := b.Welcomed()
		c.Subscribe("a")
		c.Subscribe("b")
		c.Command("message", "a", "close")
		if f, err := c.Next(); err != nil || f.Header.OpCode != ws.OpClose {
			t.Fatalf("got %v (%v), want a close frame", f, err)
		}
		c.Command("message", "b", "too late") // instead of an answer to it
		c.Hangup()
	}
	b.AwaitDisconnects(times)
}

func TestCommands_OfAClientThatLeftStillRunAndItsSubscriptionsEndInTheirOrder(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		release := make(chan struct{})
		rails := &fakeRails{OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			if request.Identifier == "a" {
				await(ctx, release)
			}
			answer := confirmed(request, "stream of "+request.Identifier)
			answer.State = &request.Identifier
			return answer, nil
		}}
		b := startBridge(t, rails, on(kind))
		c := b.Welcomed()
		c.Command("subscribe", "a", "")
		c.Subscribe("b")
		c.Subscribe("c")
		c.Command("message", "a", "queued")
		c.Subscribe("d") // what came before has been read
		c.Hangup()
		close(release)
		request := b.AwaitDisconnects(1)[0]
		b.AwaitEvents("perform a queued")
		want := []rpc.SubscriptionState{{Identifier: "a", State: "a"}, {Identifier: "b", State: "b"}, {Identifier: "c", State: "c"}, {Identifier: "d", State: "d"}}
		if !slices.Equal(request.Subscriptions, want) {
			t.Errorf("got %v, want %v", request.Subscriptions, want)
		}
	})
}

func TestCommands_OfAClientFarAheadOfRailsAreNotRead(t *testing.T) {
	long := strings.Repeat("x", 256<<10)
	for _, test := range []struct {
		name string
		text func(i int) string
	}{
		{"message", func(int) string { return `{"command":"message","identifier":"room","data":"` + long + `"}` }},
		{"subscribe", func(i int) string { return `{"command":"subscribe","identifier":"` + strconv.Itoa(i) + long + `"}` }},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachPoller(t, func(t *testing.T, kind polling) { testFarAhead(t, kind, test.name, test.text) })
		})
	}
}

func testFarAhead(t *testing.T, kind polling, name string, text func(i int) string) {
	release := make(chan struct{})
	rails := &fakeRails{
		OnPerform: func(ctx context.Context, _ *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			await(ctx, release)
			return &rpc.CommandAnswer{Subscribed: true}, nil
		},
		OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			if request.Identifier != "room" {
				await(ctx, release)
			}
			return confirmed(request), nil
		},
	}
	registry := prometheus.NewRegistry()
	b := startBridge(t, rails, on(kind), func(c *setup) { c.Registerer = registry })
	c := b.Welcomed()
	c.Subscribe("room")
	const commands = 256 // 64 MB: much more than the kernel holds
	err := c.conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
	sent := 0
	for err == nil && sent < commands {
		var command []byte
		if command, err = ws.CompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(text(sent))))); err != nil {
			t.Fatal(err)
		}
		if _, err = c.conn.Write(command); err == nil {
			sent++
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("sent %d of %d commands, then %v; want the socket to be full", sent, commands, err)
	}
	if got := counter(t, registry, "cablestay_commands_total", name); got > 16 {
		t.Errorf("the bridge has read %v commands, while Rails has done none", got)
	}
	close(release)
}

// counter is a metric's value; label is the value of its only label, if it has one.
func counter(t *testing.T, registry *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && (label == "" || m.GetLabel()[0].GetValue() == label) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

func TestCommands_ThatWaitedAreAllRunOnceRailsGoesOn(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		release := make(chan struct{})
		rails := &fakeRails{OnPerform: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			await(ctx, release)
			return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: request.Data}}}, nil
		}}
		b := startBridge(t, rails, on(kind))
		c := b.Welcomed()
		c.Subscribe("room")
		var want []string
		for i := range 2000 { // many times what may wait
			want = append(want, strconv.Itoa(i))
			c.Command("message", "room", want[i])
		}
		close(release)
		c.Expect(want...)
	})
}

func TestCommands_ToNoSubscriptionAreLoggedInShort(t *testing.T) {
	said := &longestLine{}
	b := startBridge(t, &fakeRails{}, func(c *setup) { c.Logger = slog.New(slog.NewTextHandler(said, nil)) })
	c := b.Welcomed()
	c.Command("message", strings.Repeat("é", 1<<20), "{}")
	c.Command("unsubscribe", strings.Repeat("é", 1<<20), "")
	c.Subscribe("room") // what came before has been read
	if got := said.bytes.Load(); got == 0 || got > 1000 {
		t.Errorf("the longest line has %d bytes, want no more than 1000", got)
	}
}

// longestLine is a log of which only the length of its longest line is kept.
type longestLine struct{ bytes atomic.Int64 }

func (l *longestLine) Write(p []byte) (int, error) {
	for n := int64(len(p)); ; {
		if longest := l.bytes.Load(); n <= longest || l.bytes.CompareAndSwap(longest, n) {
			return len(p), nil
		}
	}
}

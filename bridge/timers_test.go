package bridge_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cablestay/cablestay/rpc"
)

func startTimer(number int, every float64) rpc.Effect {
	return rpc.Effect{Effect: rpc.EffectTimer, Timer: &number, Every: every}
}

func stopTimer(number int) rpc.Effect {
	return rpc.Effect{Effect: rpc.EffectStopTimer, Timer: &number}
}

// ticking is an app whose channels have these timers.
func ticking(timers ...rpc.Effect) func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	return func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer := confirmed(request)
		answer.Effects = append(timers, answer.Effects...)
		return answer, nil
	}
}

// transmitting is an event that transmits one frame.
func transmitting(frame string) func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	return func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: frame}}}, nil
	}
}

func TestTimers_TickFirstAfterOneIntervalAndThenAtTheirRate(t *testing.T) {
	const every = 60 * time.Millisecond
	var began, first atomic.Int64
	rails := &fakeRails{
		OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			began.Store(time.Now().UnixNano())
			return ticking(startTimer(0, every.Seconds()))(ctx, request)
		},
		OnTimer: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			first.CompareAndSwap(0, time.Now().UnixNano())
			if request.Every != every.Seconds() || request.State != "state" || request.Data != "" {
				t.Errorf("got every %v, state %q, data %q", request.Every, request.State, request.Data)
			}
			return transmitting("tick")(ctx, request)
		},
	}
	set := "state"
	subscribe := rails.OnSubscribe
	rails.OnSubscribe = func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer, err := subscribe(ctx, request)
		answer.State = &set
		return answer, err
	}
	c := startBridge(t, rails).Welcomed()
	c.Subscribe("room")
	c.Expect("tick", "tick", "tick", "tick")
	if waited := time.Duration(first.Load() - began.Load()); waited < every {
		t.Errorf("the first tick came after %s, want one interval of %s", waited, every)
	}
	if took := time.Duration(time.Now().UnixNano() - began.Load()); took < 4*every {
		t.Errorf("four ticks took %s, want at least four intervals of %s", took, every)
	}
}

func TestTimers_OfOneSubscriptionTickBesideEachOther(t *testing.T) {
	rails := &fakeRails{OnSubscribe: ticking(startTimer(0, 0.02), startTimer(1, 0.03))}
	b := startBridge(t, rails)
	b.Welcomed().Subscribe("room")
	b.AwaitEvents("timer room 0", "timer room 1", "timer room 0", "timer room 1")
}

// A timer that stopped too late would tick again while the one beside it, of another connection, ticks many times.
func TestTimers_StopWithWhatTheyBelongTo(t *testing.T) {
	answer := func(subscribed bool, effects ...rpc.Effect) func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			return &rpc.CommandAnswer{Subscribed: subscribed, Effects: effects}, nil
		}
	}
	for name, test := range map[string]struct {
		subscribe func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
		perform   func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error)
		stop      func(b *testBridge, c *client)
	}{
		"unsubscribe": {stop: func(b *testBridge, c *client) {
			c.Command("unsubscribe", "room", "")
			b.AwaitEvents("unsubscribe room")
		}},
		"stop_timer": {perform: answer(true, stopTimer(0), rpc.Effect{Effect: rpc.EffectTransmit, Frame: "done"}), stop: func(_ *testBridge, c *client) {
			c.Command("message", "room", "stop")
			c.Expect("done")
		}},
		"close": {perform: answer(true, rpc.Effect{Effect: rpc.EffectClose}), stop: func(b *testBridge, c *client) {
			c.Command("message", "room", "stop")
			b.AwaitDisconnects(1)
		}},
		"hang-up": {stop: func(b *testBridge, c *client) {
			c.Hangup()
			b.AwaitDisconnects(1)
		}},
		"rejection": {subscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			answer := rejected(request)
			answer.Effects = append([]rpc.Effect{startTimer(0, 0.01)}, answer.Effects...)
			return answer, nil
		}, stop: func(_ *testBridge, c *client) { c.Expect(rejection("room")) }},
	} {
		t.Run(name, func(t *testing.T) {
			rails := &fakeRails{OnPerform: test.perform, OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
				if request.Identifier == "room" && test.subscribe != nil {
					return test.subscribe(ctx, request)
				}
				return ticking(startTimer(0, 0.01))(ctx, request)
			}}
			b := startBridge(t, rails)
			c := b.Welcomed()
			c.Command("subscribe", "room", "")
			if test.subscribe == nil {
				b.AwaitEvents("timer room 0", "timer room 0")
				c.Expect(confirmation("room"))
			}
			test.stop(b, c)
			count := func() int { return strings.Count(strings.Join(rails.Events(), "\n"), "timer room 0") }
			before := count()
			b.Welcomed().Subscribe("other")
			b.AwaitEvents("timer other 0", "timer other 0", "timer other 0", "timer other 0", "timer other 0")
			if got := count(); got != before {
				t.Errorf("%d ticks after the end, want none", got-before)
			}
		})
	}
}

func TestTimers_TicksNeitherOverlapNorPileUp(t *testing.T) {
	var running atomic.Int32
	release := make(chan struct{})
	registry := prometheus.NewRegistry()
	rails := &fakeRails{OnSubscribe: ticking(startTimer(0, 0.01)), OnTimer: func(ctx context.Context, _ *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		if running.Add(1) > 1 {
			t.Error("two ticks of one timer run at a time")
		}
		await(ctx, release)
		running.Add(-1)
		return &rpc.CommandAnswer{Subscribed: true}, nil
	}}
	b := startBridge(t, rails, func(c *setup) { c.Registerer = registry })
	c := b.Welcomed()
	c.Subscribe("room")
	eventually(t, func() bool { return counter(t, registry, "cablestay_timer_ticks_total", "skipped") >= 5 })
	if got := counter(t, registry, "cablestay_timer_ticks_total", "sent"); got != 1 {
		t.Errorf("%v ticks wait or run, want 1", got)
	}
	close(release)
	b.AwaitEvents("timer room 0", "timer room 0", "timer room 0")
}

func TestTimers_DoNotCountAgainstWhatAClientMayHaveWaiting(t *testing.T) {
	release := make(chan struct{})
	rails := &fakeRails{OnSubscribe: ticking(startTimer(0, 0.01)), OnTimer: func(ctx context.Context, _ *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		await(ctx, release)
		return &rpc.CommandAnswer{Subscribed: true}, nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	b.AwaitEvents("timer room 0")
	c.Command("message", "room", "1") // behind the tick
	close(release)
	b.AwaitEvents("perform room 1")
}

func TestTimers_ATickThatFailsDoesNotStopThem(t *testing.T) {
	registry := prometheus.NewRegistry()
	var ticks atomic.Int32
	rails := &fakeRails{OnSubscribe: ticking(startTimer(3, 0.01)), OnTimer: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		if ticks.Add(1) == 1 {
			return nil, errors.New("no answer")
		}
		return transmitting("tick")(ctx, request)
	}}
	c := startBridge(t, rails, func(c *setup) { c.Registerer = registry }).Welcomed()
	c.Subscribe("room")
	c.Expect("tick")
	if got := counter(t, registry, "cablestay_commands_failed_total", "timer"); got != 1 {
		t.Errorf("%v ticks were counted as failed, want 1", got)
	}
}

func TestTimers_QuickerThanAClockTickAtTheQuickestRate(t *testing.T) {
	rails := &fakeRails{OnSubscribe: ticking(startTimer(0, 1e-12), startTimer(1, 1e30))}
	b := startBridge(t, rails)
	b.Welcomed().Subscribe("room")
	b.AwaitEvents("timer room 0", "timer room 0")
	if strings.Contains(strings.Join(rails.Events(), "\n"), "timer room 1") {
		t.Error("what is due after the end of the universe has come")
	}
}

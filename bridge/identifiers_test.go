package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cablestay/cablestay/rpc"
)

func TestCommands_OfAClientWithVeryManySubscriptionsStaySmall(t *testing.T) {
	var largest atomic.Int64
	rails := &fakeRails{OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		largest.Store(max(largest.Load(), int64(len(strings.Join(request.Identifiers, "")))))
		return confirmed(request), nil
	}}
	c := startBridge(t, rails).Welcomed()
	for n := range 100 {
		c.Subscribe(fmt.Sprintf("%01000d", n))
	}
	if got := largest.Load(); got < 60_000 || got > 64<<10 {
		t.Errorf("at most %d bytes of identifiers went with an event, want about 64 KiB", got)
	}
}

func TestCommands_TellWhichOtherSubscriptionsThereAre(t *testing.T) {
	var mu sync.Mutex
	got := map[string][]string{}
	note := func(name string, answer func(*rpc.CommandRequest) *rpc.CommandAnswer) func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			mu.Lock()
			defer mu.Unlock()
			got[name+" "+request.Identifier] = request.Identifiers
			return answer(request), nil
		}
	}
	done := []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: "done"}}
	rails := &fakeRails{
		OnSubscribe: note("subscribe", func(r *rpc.CommandRequest) *rpc.CommandAnswer { return confirmed(r) }),
		OnPerform: note("perform", func(*rpc.CommandRequest) *rpc.CommandAnswer {
			return &rpc.CommandAnswer{Subscribed: true, Effects: done}
		}),
		OnUnsubscribe: note("unsubscribe", func(*rpc.CommandRequest) *rpc.CommandAnswer { return &rpc.CommandAnswer{Effects: done} }),
	}
	c := startBridge(t, rails).Welcomed()
	c.Subscribe("z")
	c.Command("message", "z", "{}")
	c.Expect("done")
	c.Subscribe("a")
	c.Command("message", "a", "{}")
	c.Expect("done")
	c.Command("unsubscribe", "z", "")
	c.Expect("done")
	c.Subscribe("m")
	mu.Lock()
	defer mu.Unlock()
	for event, want := range map[string][]string{
		"subscribe z": nil, "perform z": nil, "subscribe a": {"z"}, "perform a": {"z", "a"}, "unsubscribe z": {"z", "a"}, "subscribe m": {"a"},
	} {
		if !slices.Equal(got[event], want) {
			t.Errorf("%s has %q, want %q", event, got[event], want)
		}
	}
}

package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
)

// startLinked is a bridge before an app that runs in one process and holds every subscription.
func startLinked(t *testing.T, app rpctest.Rails) (*testBridge, *rpctest.Worker, func() []string) {
	t.Helper()
	worker := &rpctest.Worker{ID: "w1"}
	app.Workers = []*rpctest.Worker{worker}
	subscribe := app.Subscribe
	if subscribe == nil {
		subscribe = holding
	}
	var mu sync.Mutex
	var connections, ends []string
	app.Subscribe = func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		mu.Lock()
		connections = append(connections, request.Connection)
		mu.Unlock()
		return subscribe(ctx, request)
	}
	app.Disconnect = func(_ context.Context, request *rpc.DisconnectRequest) error {
		mu.Lock()
		defer mu.Unlock()
		ends = append(ends, ended([]*rpc.DisconnectRequest{request})...)
		return nil
	}
	client, err := rpc.NewClient(rpc.Options{RailsURL: rpctest.NewRails(t, app).URL(), Secret: rpctest.Secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	b := startBridge(t, &fakeRails{}, func(c *setup) { c.Rails = client })
	return b, worker, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append(slices.Clone(connections), ends...)
	}
}

func TestLinks_CarryALiveSubscription(t *testing.T) {
	b, worker, seen := startLinked(t, rpctest.Rails{Perform: echo})
	c := b.Welcomed()
	c.Subscribe("live")
	if !worker.AwaitAttached("live") {
		t.Fatal("the worker was not told that its answer is applied")
	}
	worker.PushEffects(seen()[0], rpc.Effect{Effect: rpc.EffectTransmit, Frame: "from a thread", Identifier: "live"})
	c.Expect("from a thread")
	c.Command("message", "live", "from an action")
	c.Expect("from an action")
	c.Hangup()
	eventually(t, func() bool { return len(seen()) == 3 })
	// Its far end sees no hold, which is no member of rpc's messages.
	want := []string{`anywhere, "connection state", "", partial, live ""`, `anywhere, "connection state", ""`}
	if got := seen()[1:]; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLinks_KeepTheOrderOfAnswersAndOfWhatFollowsThem(t *testing.T) {
	const actions = 200
	var worker *rpctest.Worker
	app := rpctest.Rails{Perform: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		worker.PushEffects(request.Connection, rpc.Effect{Effect: rpc.EffectTransmit, Frame: "before " + request.Data, Identifier: "live"})
		return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: "in " + request.Data}}}, nil
	}}
	b, only, _ := startLinked(t, app)
	worker = only
	c := b.Welcomed()
	c.Subscribe("live")
	worker.AwaitAttached("live")
	var want []string
	for i := range actions {
		c.Command("message", "live", fmt.Sprint(i))
		want = append(want, fmt.Sprintf("before %d", i), fmt.Sprintf("in %d", i))
	}
	c.Expect(want...)
}

func TestLinks_AWorkerThatDiesCostsItsClientsOneReconnect(t *testing.T) {
	b, worker, seen := startLinked(t, rpctest.Rails{Perform: echo})
	c := b.Welcomed()
	c.Subscribe("live")
	worker.AwaitAttached("live")
	worker.Drop()
	c.Expect(reconnect)
	c.ExpectClose(1000, "")
	eventually(t, func() bool { return len(seen()) == 2 })
	if got, want := seen()[1], `anywhere, "connection state", "", live "state of live"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c = b.Welcomed()
	c.Subscribe("live")
	c.Command("message", "live", "again")
	c.Expect("again")
}

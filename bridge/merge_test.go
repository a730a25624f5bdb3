package bridge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cablestay/cablestay/rpc"
)

// changing is an app in which each perform changes the connection's state to its data, when all that are expected have begun.
func changing(atATime int) func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	var mu sync.Mutex
	arrived, all := 0, make(chan struct{})
	return func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		mu.Lock()
		if arrived++; arrived == atATime {
			close(all)
		}
		mu.Unlock()
		await(ctx, all)
		state := request.Data
		return &rpc.CommandAnswer{Subscribed: true, ConnectionState: &state, Effects: []rpc.Effect{
			{Effect: rpc.EffectTransmit, Frame: "done " + request.Data},
		}}, nil
	}
}

func TestMerge_OfWhatTwoEventsChangedAtATime(t *testing.T) {
	rails := &fakeRails{OnPerform: changing(2)}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("a")
	c.Subscribe("b")
	c.Command("message", "a", "1")
	c.Command("message", "b", "2")
	done := []string{nextText(c), nextText(c)}
	slices.Sort(done)
	if want := []string{"done 1", "done 2"}; !slices.Equal(done, want) {
		t.Fatalf("got %q, want %q", done, want)
	}
	c.Hangup()
	got := b.AwaitDisconnects(1)[0].ConnectionState
	if got != "1 and 2" && got != "2 and 1" {
		t.Errorf("the connection's state is %q, want what both have made of it", got)
	}
	events := strings.Join(rails.Events(), "\n")
	if !strings.Contains(events, "merge connected, 1, 2") && !strings.Contains(events, "merge connected, 2, 1") {
		t.Errorf("Rails was asked\n%s\nwant to merge what was before, what is and what changed", events)
	}
}

func TestMerge_IsDoneBeforeWhatTheEventTransmittedIsSeen(t *testing.T) {
	merging, release := make(chan struct{}), make(chan struct{})
	rails := &fakeRails{OnPerform: changing(2), OnMerge: func(ctx context.Context, _ *rpc.MergeRequest) (*rpc.MergeAnswer, error) {
		close(merging)
		await(ctx, release)
		return &rpc.MergeAnswer{ConnectionState: "both"}, nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	for _, identifier := range []string{"a", "b"} {
		c.Subscribe(identifier)
	}
	c.Command("message", "a", "1")
	c.Command("message", "b", "2")
	nextText(c) // of the one that found nothing changed
	<-merging
	c.Command("subscribe", "d", "")
	c.Expect(confirmation("d"))
	close(release)
	if got := nextText(c); !strings.HasPrefix(got, "done ") {
		t.Errorf("got %q, want what the other has done", got)
	}
	c.Hangup()
	if got := b.AwaitDisconnects(1)[0].ConnectionState; got != "both" {
		t.Errorf("the connection's state is %q, want both", got)
	}
}

func TestMerge_OfManyLosesNone(t *testing.T) {
	const many = 8
	rails := &fakeRails{OnPerform: changing(many), OnMerge: func(_ context.Context, request *rpc.MergeRequest) (*rpc.MergeAnswer, error) {
		return &rpc.MergeAnswer{ConnectionState: request.Kept + request.Changed}, nil
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	names := strings.Split("abcdefgh", "")
	for _, name := range names {
		c.Subscribe(name)
	}
	for _, name := range names {
		c.Command("message", name, name)
	}
	for range many {
		nextText(c)
	}
	c.Hangup()
	got := strings.Split(b.AwaitDisconnects(1)[0].ConnectionState, "")
	slices.Sort(got)
	if !slices.Equal(got, names) {
		t.Errorf("the connection's state has %q, want %q", got, names)
	}
}

func TestMerge_ThatFailsKeepsTheLaterAnswer(t *testing.T) {
	registry := prometheus.NewRegistry()
	later := make(chan string, 1)
	rails := &fakeRails{OnPerform: changing(2), OnMerge: func(_ context.Context, request *rpc.MergeRequest) (*rpc.MergeAnswer, error) {
		later <- request.Changed
		return nil, errors.New("no answer")
	}}
	b := startBridge(t, rails, func(c *setup) { c.Registerer = registry })
	c := b.Welcomed()
	c.Subscribe("a")
	c.Subscribe("b")
	c.Command("message", "a", "1")
	c.Command("message", "b", "2")
	nextText(c)
	nextText(c)
	if got := counter(t, registry, "cablestay_merges_failed_total", ""); got != 1 {
		t.Errorf("%v merges were counted as failed, want 1", got)
	}
	c.Hangup()
	want := <-later
	if got := b.AwaitDisconnects(1)[0].ConnectionState; got != want {
		t.Errorf("the connection's state is %q, want the later one, %q", got, want)
	}
}

func TestMerge_OfALostStateSendsTheClientToReconnect(t *testing.T) {
	rails := &fakeRails{OnPerform: changing(2), OnMerge: func(context.Context, *rpc.MergeRequest) (*rpc.MergeAnswer, error) {
		return &rpc.MergeAnswer{Lost: true}, nil
	}}
	c := startBridge(t, rails).Welcomed()
	c.Subscribe("a")
	c.Subscribe("b")
	c.Command("message", "a", "1")
	c.Command("message", "b", "2")
	told := nextText(c)
	if strings.HasPrefix(told, "done") { // the other one may come too late for that
		told = nextText(c)
	}
	if told != reconnect {
		t.Errorf("got %s, want %s", told, reconnect)
	}
	c.ExpectClose(1000, "")
}

func TestMerge_IsNotAskedForWhereOneEventFollowsAnother(t *testing.T) {
	rails := &fakeRails{OnPerform: changing(1)}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("a")
	c.Subscribe("b")
	c.Command("message", "a", "1")
	c.Expect("done 1")
	c.Command("message", "b", "1") // the second finds its channel closed already
	c.Expect("done 1")
	if events := strings.Join(rails.Events(), "\n"); strings.Contains(events, "merge") {
		t.Errorf("Rails was asked\n%s", events)
	}
}

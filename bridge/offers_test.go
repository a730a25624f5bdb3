package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/cablestay/cablestay/rpc"
)

// lastEvent is an app that tells the ID of the last event of a subscription.
func lastEvent(ids chan<- string) func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	return func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		ids <- request.ID
		answer := confirmed(request)
		state := "a state"
		answer.State = &state
		return answer, nil
	}
}

func TestOffers_AChannelThatDoesSomethingAfterItsEventIsHeldFromThenOn(t *testing.T) {
	ids := make(chan string, 2)
	rails := &fakeRails{OnSubscribe: lastEvent(ids), OnPerform: noting}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	event := <-ids
	eventually(t, func() bool { return rails.Receiver.Offered(connectionOf(event), "room", event, live("offered")) })
	b.AwaitEvents("attach w1 offered")
	c.Command("message", "room", "{}")
	c.Expect(`w1 offered, "connected", ""`)
}

func TestOffers_OneThatComesBeforeTheAnswerIsTakenWithIt(t *testing.T) {
	ids, goOn := make(chan string, 1), make(chan struct{})
	subscribe := lastEvent(ids)
	rails := &fakeRails{OnPerform: noting, OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer, err := subscribe(ctx, request)
		<-goOn
		return answer, err
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Command("subscribe", "room", "")
	event := <-ids
	if !rails.Receiver.Offered(connectionOf(event), "room", event, live("offered")) {
		t.Error("it was not taken")
	}
	close(goOn)
	c.Expect(confirmation("room"))
	b.AwaitEvents("attach w1 offered")
	c.Command("message", "room", "{}")
	c.Expect(`w1 offered, "connected", ""`)
}

func TestOffers_AreNotTakenFromTheDead(t *testing.T) {
	ids := make(chan string, 2)
	rails := &fakeRails{OnSubscribe: lastEvent(ids), OnPerform: noting}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	event := <-ids
	id := connectionOf(event)
	c.Command("message", "room", "{}")
	c.Expect(`anywhere, "connected", "a state"`) // a copy has run
	for name, offer := range map[string][3]string{
		"an earlier event's": {id, "room", event},
		"another event's":    {id, "room", id + "-99"},
		"no event's":         {id, "room", "event"},
		"a stranger's":       {"stranger", "room", event},
		"of what is gone":    {id, "gone", event},
	} {
		if rails.Receiver.Offered(offer[0], offer[1], offer[2], live("offered")) {
			t.Errorf("%s offer was taken", name)
		}
	}
	c.Command("message", "room", "{}")
	c.Expect(`anywhere, "connected", "a state"`)
}

func TestOffers_AreNotTakenForWhatIsHeldAlready(t *testing.T) {
	ids := make(chan string, 1)
	subscribe := lastEvent(ids)
	rails := &fakeRails{OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer, err := subscribe(ctx, request)
		answer.Live = live("held")
		return answer, err
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Subscribe("room")
	b.AwaitEvents("attach w1 held")
	event := <-ids
	if rails.Receiver.Offered(connectionOf(event), "room", event, live("offered")) {
		t.Error("it was taken")
	}
}

func TestOffers_OneThatComesBeforeTheAnswerIsGivenBackWhereTheClientHasLeftMeanwhile(t *testing.T) {
	ids, goOn := make(chan string, 1), make(chan struct{})
	subscribe := lastEvent(ids)
	rails := &fakeRails{OnSubscribe: func(ctx context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer, err := subscribe(ctx, request)
		<-goOn
		return answer, err
	}}
	b := startBridge(t, rails)
	c := b.Welcomed()
	c.Command("subscribe", "room", "")
	event := <-ids
	if !rails.Receiver.Offered(connectionOf(event), "room", event, live("offered")) {
		t.Error("it was not taken")
	}
	c.Hangup()
	eventually(t, func() bool { return len(rails.Receiver.Connections(false)) == 0 })
	close(goOn)
	want := []string{`anywhere, "connected", "", room "a state"`}
	if got := ended(b.AwaitDisconnects(1)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	b.AwaitEvents("drop w1 offered") // else its worker would run unsubscribed once more
}

// connectionOf is the connection whose event it is.
func connectionOf(event string) string {
	var n int
	for i := len(event) - 1; i >= 0; i-- {
		if event[i] == '-' {
			if _, err := fmt.Sscan(event[i+1:], &n); err == nil {
				return event[:i]
			}
		}
	}
	return ""
}

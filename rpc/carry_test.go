package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
)

// ways is how events came to Rails: "perform along its link", "connect".
type ways struct {
	mu  sync.Mutex // guards the following
	all []string
}

func (w *ways) note(ctx context.Context, event string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if rpctest.AlongLink(ctx) {
		event += " along a link"
	}
	w.all = append(w.all, event)
}

func (w *ways) taken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// noted is an app whose events note the way they came, and then do what is to be done.
func noted(w *ways, perform func(context.Context) error, workers ...*rpctest.Worker) rpctest.Rails {
	command := func(name string) func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		return func(ctx context.Context, _ *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			w.note(ctx, name)
			if name == "perform" && perform != nil {
				if err := perform(ctx); err != nil {
					return nil, err
				}
			}
			return &rpc.CommandAnswer{Subscribed: name != "unsubscribe"}, nil
		}
	}
	return rpctest.Rails{
		Workers:   workers,
		Subscribe: command("subscribe"), Unsubscribe: command("unsubscribe"), Perform: command("perform"), Timer: command("timer"),
		Connect: func(ctx context.Context, _ *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
			w.note(ctx, "connect")
			return &rpc.ConnectAnswer{Accepted: true}, nil
		},
		Merge: func(ctx context.Context, _ *rpc.MergeRequest) (*rpc.MergeAnswer, error) {
			w.note(ctx, "merge")
			return &rpc.MergeAnswer{ConnectionState: "both"}, nil
		},
		Disconnect: func(ctx context.Context, _ *rpc.DisconnectRequest) error {
			w.note(ctx, "disconnect")
			return nil
		},
	}
}

func TestCarry_WhatIsOfAConnectionGoesAlongLinks(t *testing.T) {
	var w ways
	client, _ := linkedClient(t, noted(&w, nil, &rpctest.Worker{ID: "w1", Threads: 1}), nil)
	want := []string{"connect along a link", "subscribe along a link", "perform along a link", "timer along a link", "merge",
		"unsubscribe along a link", "disconnect along a link"}
	for _, way := range want {
		event, _, _ := strings.Cut(way, " ")
		if err := calls(client)[event](t.Context()); err != nil {
			t.Fatalf("%s: %v", event, err)
		}
	}
	if got := w.taken(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCarry_AWorkerThatDoesNotSayHowManyGetsRequests(t *testing.T) {
	var w ways
	client, _ := linkedClient(t, noted(&w, nil, &rpctest.Worker{ID: "w1"}), nil)
	if _, err := client.Perform(t.Context(), newCommand("1")); err != nil {
		t.Fatal(err)
	}
	if got, want := w.taken(), []string{"perform"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCarry_AWorkerThatIsAboutToEndGetsNothingMore(t *testing.T) {
	var w ways
	worker := &rpctest.Worker{ID: "w1", Threads: 1}
	client, to := linkedClient(t, noted(&w, nil, worker), nil)
	worker.Push(`{"ending":true}`)
	worker.Push(`{"restart":true}`)
	to.await(t, "restart") // it has read both
	if _, err := client.Perform(t.Context(), newCommand("1")); err != nil {
		t.Fatal(err)
	}
	answer, err := client.Perform(t.Context(), held("2", "w1"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Applied()
	if got, want := w.taken(), []string{"perform", "perform along a link"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCarry_LargeEventsAreNotInTheWayOfOthers(t *testing.T) {
	var w ways
	client, _ := linkedClient(t, noted(&w, nil, &rpctest.Worker{ID: "w1", Threads: 1}), nil)
	large := newCommand("large")
	large.Data = strings.Repeat("x", 64<<10)
	if _, err := client.Perform(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	if got, want := w.taken(), []string{"perform"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// performing has so many performs under way at a time, and tells the ways that they took.
func performing(t *testing.T, n int, workers ...*rpctest.Worker) map[string]int {
	t.Helper()
	var mu sync.Mutex
	ran := make(map[string]int)
	running, goOn := make(chan struct{}), make(chan struct{})
	app := noted(new(ways), func(ctx context.Context) error {
		mu.Lock()
		if rpctest.AlongLink(ctx) {
			ran[rpctest.WorkerID(ctx)]++
		} else {
			ran["over HTTP"]++
		}
		mu.Unlock()
		running <- struct{}{}
		<-goOn
		return nil
	}, workers...)
	client, _ := linkedClient(t, app, func(o *rpc.Options) { o.Concurrency = n })
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, err := client.Perform(t.Context(), newCommand(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
		<-running
	}
	close(goOn)
	all.Wait()
	return ran
}

func TestCarry_EventsAreSpreadOverTheWorkers(t *testing.T) {
	got := performing(t, 6, &rpctest.Worker{ID: "w1", Threads: 3}, &rpctest.Worker{ID: "w2", Threads: 3})
	if got["w1"] != 3 || got["w2"] != 3 {
		t.Errorf("got %v, want three each", got)
	}
}

func TestCarry_WhatTheThreadsDoNotTakeGoesOverHTTP(t *testing.T) {
	got := performing(t, 3, &rpctest.Worker{ID: "w1", Threads: 2})
	if got["w1"] != 2 || got["over HTTP"] != 1 {
		t.Errorf("got %v, want two along the link and one over HTTP", got)
	}
}

func TestCarry_AnEventWaitsAWhileForRoomInALink(t *testing.T) {
	var w ways
	running, goOn := make(chan struct{}), make(chan struct{})
	app := noted(&w, func(context.Context) error { running <- struct{}{}; <-goOn; return nil }, &rpctest.Worker{ID: "w1", Threads: 1})
	client, _ := linkedClient(t, app, func(o *rpc.Options) { o.Concurrency = 2 })
	client.AwaitRoom(time.Minute)
	var both sync.WaitGroup
	perform := func(id string) {
		if _, err := client.Perform(t.Context(), newCommand(id)); err != nil {
			t.Error(err)
		}
	}
	both.Go(func() { perform("1") })
	<-running
	both.Go(func() { perform("2") })
	eventually(t, func() bool { return client.WaitingForRoom() == 1 })
	goOn <- struct{}{}
	<-running
	goOn <- struct{}{}
	both.Wait()
	if got, want := w.taken(), []string{"perform along a link", "perform along a link"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCarry_WhoWaitsForRoomWaitsAsLongAsEventsEnd(t *testing.T) {
	const others = 20
	var w ways
	running, goOn := make(chan struct{}), make(chan struct{})
	app := noted(&w, func(context.Context) error { running <- struct{}{}; <-goOn; return nil }, &rpctest.Worker{ID: "w1", Threads: 1})
	client, _ := linkedClient(t, app, func(o *rpc.Options) { o.Concurrency = others })
	client.AwaitRoom(10 * time.Second)
	var all sync.WaitGroup
	for i := range others {
		all.Go(func() {
			if _, err := client.Perform(t.Context(), newCommand(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range others {
		<-running
		eventually(t, func() bool { return client.WaitingForRoom() == others-1-i })
		goOn <- struct{}{}
	}
	all.Wait()
	if got, want := w.taken(), slices.Repeat([]string{"perform along a link"}, others); !slices.Equal(got, want) {
		t.Errorf("got %q, want all along the link", got)
	}
}

func TestCarry_WhoWaitsForRoomAndGivesUpIsInNobodysWay(t *testing.T) {
	running, goOn := make(chan struct{}), make(chan struct{})
	app := noted(new(ways), func(context.Context) error { running <- struct{}{}; <-goOn; return nil }, &rpctest.Worker{ID: "w1", Threads: 1})
	client, _ := linkedClient(t, app, func(o *rpc.Options) { o.Concurrency = 3 })
	client.AwaitRoom(time.Minute)
	givesUp, giveUp := context.WithCancel(t.Context())
	var all sync.WaitGroup
	perform := func(ctx context.Context, id string, want error) {
		if _, err := client.Perform(ctx, newCommand(id)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", id, err, want)
		}
	}
	all.Go(func() { perform(t.Context(), "1", nil) })
	<-running
	gone := make(chan struct{})
	all.Go(func() { perform(givesUp, "2", context.Canceled); close(gone) })
	eventually(t, func() bool { return client.WaitingForRoom() == 1 })
	all.Go(func() { perform(t.Context(), "3", nil) })
	eventually(t, func() bool { return client.WaitingForRoom() == 2 })
	giveUp()
	<-gone
	goOn <- struct{}{}
	<-running
	goOn <- struct{}{}
	all.Wait()
}

func TestCarry_WhoGivesUpWhenRoomHasJustBeenMadeIsInNobodysWay(t *testing.T) {
	running, goOn := make(chan struct{}), make(chan struct{})
	app := noted(new(ways), func(context.Context) error { running <- struct{}{}; <-goOn; return nil }, &rpctest.Worker{ID: "w1", Threads: 1})
	client, _ := linkedClient(t, app, func(o *rpc.Options) { o.Concurrency = 3 })
	client.AwaitRoom(time.Minute)
	givesUp, giveUp := context.WithCancel(t.Context())
	var all sync.WaitGroup
	perform := func(ctx context.Context, id string, want error) {
		if _, err := client.Perform(ctx, newCommand(id)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", id, err, want)
		}
	}
	for i := range 2 {
		all.Go(func() { perform(t.Context(), fmt.Sprint(i), nil) })
		if i == 0 {
			<-running
		}
	}
	eventually(t, func() bool { return client.WaitingForRoom() == 1 })
	gone := make(chan struct{})
	all.Go(func() { perform(givesUp, "gives up", context.Canceled); close(gone) })
	eventually(t, func() bool { return client.WaitingForRoom() == 2 })
	goOn <- struct{}{} // room is made, for the first that waits
	<-running
	giveUp()
	<-gone
	if waiting := client.WaitingForRoom(); waiting != 0 {
		t.Errorf("%d wait, want none", waiting)
	}
	goOn <- struct{}{}
	all.Wait()
}

func TestCarry_NobodyWaitsForRoomWhereEventsTakeLong(t *testing.T) {
	var w ways
	running, goOn := make(chan struct{}), make(chan struct{})
	app := noted(&w, func(context.Context) error { running <- struct{}{}; <-goOn; return nil }, &rpctest.Worker{ID: "w1", Threads: 1})
	client, _ := linkedClient(t, app, func(o *rpc.Options) { o.Concurrency = 2 })
	client.AwaitRoom(time.Minute)
	client.EventsUsuallyTake(2 * time.Minute)
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() {
			if _, err := client.Perform(t.Context(), newCommand(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
		<-running
	}
	close(goOn)
	both.Wait()
	if got, want := w.taken(), []string{"perform along a link", "perform"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCarry_AsManyWaitForRoomAsEventsSoonEnd(t *testing.T) {
	var w ways
	running, goOn := make(chan struct{}), make(chan struct{})
	app := noted(&w, func(context.Context) error { running <- struct{}{}; <-goOn; return nil }, &rpctest.Worker{ID: "w1", Threads: 2})
	client, _ := linkedClient(t, app, func(o *rpc.Options) { o.Concurrency = 5 })
	client.AwaitRoom(time.Minute)
	client.EventsUsuallyTake(90 * time.Second) // of two, one ends after 45 s
	var all sync.WaitGroup
	perform := func(id string) {
		all.Go(func() {
			if _, err := client.Perform(t.Context(), newCommand(id)); err != nil {
				t.Error(err)
			}
		})
	}
	for _, id := range []string{"1", "2"} {
		perform(id)
		<-running
	}
	perform("waits")
	eventually(t, func() bool { return client.WaitingForRoom() == 1 })
	perform("would wait for 90 s")
	<-running
	if got, want := w.taken(), []string{"perform along a link", "perform along a link", "perform"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	close(goOn)
	<-running
	all.Wait()
}

func TestCarry_WhoWaitsForRoomInALinkThatEndsGoesOverHTTP(t *testing.T) {
	var w ways
	worker := &rpctest.Worker{ID: "w1", Threads: 1}
	running, goOn := make(chan struct{}), make(chan struct{})
	app := noted(&w, func(ctx context.Context) error {
		if rpctest.AlongLink(ctx) {
			running <- struct{}{}
			<-goOn
		}
		return nil
	}, worker)
	client, _ := linkedClient(t, app, func(o *rpc.Options) { o.Concurrency = 2 })
	client.AwaitRoom(time.Minute)
	var both sync.WaitGroup
	both.Go(func() { _, _ = client.Perform(t.Context(), newCommand("1")) }) // it is cut
	<-running
	both.Go(func() {
		if _, err := client.Perform(t.Context(), newCommand("2")); err != nil {
			t.Error(err)
		}
	})
	eventually(t, func() bool { return client.WaitingForRoom() == 1 })
	worker.Drop()
	close(goOn)
	both.Wait()
	if got, want := w.taken(), []string{"perform along a link", "perform"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCarry_TheEventsOfAConnectionGoToOneWorkerWhileThatHasTime(t *testing.T) {
	var mu sync.Mutex
	ran := make(map[string]bool)
	app := noted(new(ways), func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		ran[rpctest.WorkerID(ctx)] = true
		return nil
	}, &rpctest.Worker{ID: "w1", Threads: 2}, &rpctest.Worker{ID: "w2", Threads: 2})
	client, _ := linkedClient(t, app, nil)
	all := make(map[string]bool)
	for connection := range 30 {
		clear(ran)
		for event := range 5 {
			command := newCommand(fmt.Sprint(connection, " ", event))
			command.Connection = fmt.Sprint("connection ", connection)
			if _, err := client.Perform(t.Context(), command); err != nil {
				t.Fatal(err)
			}
		}
		if len(ran) != 1 {
			t.Errorf("connection %d has had events in %v, want one worker", connection, ran)
		}
		maps.Copy(all, ran)
	}
	if len(all) != 2 {
		t.Errorf("all connections have theirs in %v, want both", all)
	}
}

func TestCarry_WhatAWorkerRefusesGoesOverHTTPAtOnce(t *testing.T) {
	var w ways
	app := noted(&w, func(ctx context.Context) error {
		if rpctest.AlongLink(ctx) {
			return &rpctest.Status{Code: http.StatusServiceUnavailable}
		}
		return nil
	}, &rpctest.Worker{ID: "w1", Threads: 1})
	client, _ := linkedClient(t, app, nil)
	if _, err := client.Perform(t.Context(), newCommand("1")); err != nil {
		t.Fatal(err)
	}
	if got, want := w.taken(), []string{"perform along a link", "perform"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCarry_ALinkThatEndsMidEventIsNoOtherThanARequestThatIsCut(t *testing.T) {
	var w ways
	worker := &rpctest.Worker{ID: "w1", Threads: 1}
	app := noted(&w, func(context.Context) error { worker.Drop(); return nil }, worker)
	var disconnects atomic.Int32
	app.Disconnect = func(ctx context.Context, _ *rpc.DisconnectRequest) error {
		w.note(ctx, "disconnect")
		if disconnects.Add(1) == 1 {
			worker.Drop()
		}
		return nil
	}
	client, to := linkedClient(t, app, nil)
	if err := calls(client)["disconnect"](t.Context()); err != nil {
		t.Errorf("a clean-up is to be tried again: %v", err)
	}
	eventually(t, func() bool { return slices.Contains(to.Said(), "ended w1") })
	// The link that is found next.
	eventually(t, func() bool {
		_, err := client.Perform(t.Context(), newCommand("1"))
		taken := w.taken()
		if taken[len(taken)-1] != "perform along a link" {
			return false
		}
		if err == nil || errors.Is(err, rpc.ErrNotRun) || errors.Is(err, rpc.ErrWorkerGone) {
			t.Errorf("got %v, want that it may have run, and that nothing was held", err)
		}
		return true
	})
	if ran := w.taken()[:2]; !strings.HasPrefix(ran[0], "disconnect along") || !strings.HasPrefix(ran[1], "disconnect") {
		t.Errorf("got %q", ran)
	}
}

func TestCarry_AnErrorInRailsIsThatOfARequest(t *testing.T) {
	app := noted(new(ways), func(context.Context) error { return &rpctest.Status{Code: 500, Body: "oh no"} }, &rpctest.Worker{ID: "w1", Threads: 1})
	client, _ := linkedClient(t, app, nil)
	_, err := client.Perform(t.Context(), newCommand("1"))
	if status := (*rpc.StatusError)(nil); !errors.As(err, &status) || status.Status != 500 || status.Body != "oh no" {
		t.Errorf("got %v", err)
	}
}

func TestCarry_AnAnswerThatIsTooLongFailsItsEventAlone(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1", Threads: 2}
	app := rpctest.Rails{
		Workers: []*rpctest.Worker{worker},
		Perform: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			answer := &rpc.CommandAnswer{Subscribed: true}
			if request.ID == "long" {
				answer.Effects = []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: strings.Repeat("x", 10_000)}}
			}
			return answer, nil
		},
	}
	client, to := linkedClient(t, app, func(o *rpc.Options) { o.AnswerLimit = 10_000 })
	for _, request := range []*rpc.CommandRequest{newCommand("long"), held("long", "w1")} {
		_, err := client.Perform(t.Context(), request)
		if wrong := (*rpc.AnswerError)(nil); !errors.As(err, &wrong) || !strings.Contains(wrong.Problem, "larger than 10000 bytes") {
			t.Errorf("got %v", err)
		}
	}
	answer, err := client.Perform(t.Context(), held("short", "w1"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Applied()
	if said := to.Said(); len(said) > 0 {
		t.Errorf("got %q", said)
	}
}

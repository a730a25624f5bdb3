package rpc_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
)

func TestConcurrency_RailsNeverHasMoreThanItsThreadsOrConnections(t *testing.T) {
	const threads, events = 3, 60
	var mu sync.Mutex
	inRails, most, peers := 0, 0, map[string]bool{}
	full := make(chan struct{})
	rails := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		inRails++
		if most = max(most, inRails); inRails == threads {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		peers[r.RemoteAddr] = true
		mu.Unlock()
		select { // nobody leaves before all the threads have been busy at once
		case <-full:
		case <-r.Context().Done():
		}
		mu.Lock()
		inRails--
		mu.Unlock()
		_, _ = w.Write([]byte(`{"contract":1,"subscribed":true}`))
	})
	client := newClient(t, rails.URL(), func(o *rpc.Options) { o.Concurrency = threads })
	var wg sync.WaitGroup
	for i := range events {
		wg.Go(func() {
			if _, err := client.Perform(t.Context(), newCommand(strconv.Itoa(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most != threads {
		t.Errorf("most events at a time: got %d, want %d", most, threads)
	}
	if len(peers) > threads {
		t.Errorf("connections: got %d, want at most %d, kept alive", len(peers), threads)
	}
}

func TestConcurrency_SetConcurrencyLetsMoreIn(t *testing.T) {
	var arrived counter
	enough := make(chan struct{})
	rails := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		if arrived.add() == 4 {
			close(enough)
		}
		select {
		case <-enough:
		case <-r.Context().Done():
		}
		_, _ = w.Write([]byte(`{"contract":1,"subscribed":true}`))
	})
	client := newClient(t, rails.URL(), func(o *rpc.Options) { o.Concurrency = 2 })
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if _, err := client.Perform(t.Context(), newCommand(strconv.Itoa(i))); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, func() bool { return arrived.value() == 2 && client.Waiting() == 2 })
	client.SetConcurrency(4)
	wg.Wait()
}

func TestConcurrency_ABusyRailsIsWaitedForSoLong(t *testing.T) {
	arrived := make(chan struct{}, 1)
	rails := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		rpctest.Hang(w, r)
	})
	client := newClient(t, rails.URL(), func(o *rpc.Options) {
		o.Concurrency, o.Wait, o.Budget = 1, 20*time.Millisecond, time.Nanosecond
	})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := client.Perform(ctx, newCommand("1"))
		failed <- err
	}()
	<-arrived
	_, err := client.Perform(t.Context(), newCommand("2"))
	if !errors.Is(err, rpc.ErrBusy) || !errors.Is(err, rpc.ErrNotRun) {
		t.Errorf("got %v, want %v that has not run", err, rpc.ErrBusy)
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the one in Rails: got %v, want %v", err, context.Canceled)
	}
}

func TestConcurrency_CleanUpsWaitForTheirTurn(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	rails := rpctest.NewRails(t, rpctest.Rails{
		Perform: func(ctx context.Context, _ *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			close(arrived)
			select {
			case <-leave:
			case <-ctx.Done():
			}
			return &rpc.CommandAnswer{Subscribed: true}, nil
		},
	})
	client := newClient(t, rails.URL(), func(o *rpc.Options) {
		o.Concurrency, o.Wait, o.Budget, o.CleanUpBudget = 1, 50*time.Millisecond, time.Nanosecond, time.Nanosecond
		o.CleanUpWait = time.Minute
	})
	done := make(chan error)
	go func() { _, err := client.Perform(t.Context(), newCommand("1")); done <- err }()
	<-arrived
	go func() { done <- client.Disconnect(t.Context(), &rpc.DisconnectRequest{Event: newEvent("2")}) }()
	eventually(t, func() bool { return client.Waiting() == 1 })
	if _, err := client.Perform(t.Context(), newCommand("3")); !errors.Is(err, rpc.ErrBusy) {
		t.Errorf("perform: got %v, want %v", err, rpc.ErrBusy)
	}
	close(leave)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestConcurrency_PerformsPassConnectsThatHang(t *testing.T) {
	hang := make(chan struct{})
	var connecting counter
	rails := rpctest.NewRails(t, rpctest.Rails{
		Connect: func(ctx context.Context, _ *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
			connecting.add()
			select {
			case <-hang:
			case <-ctx.Done():
			}
			return rpctest.Welcome(""), nil
		},
	})
	client := newClient(t, rails.URL(), func(o *rpc.Options) { o.Concurrency = 3 })
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, err := client.Connect(t.Context(), &rpc.ConnectRequest{Event: newEvent(strconv.Itoa(i))}); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, func() bool { return connecting.value() == 2 && client.Waiting() == 18 })
	if _, err := client.Perform(t.Context(), newCommand("perform")); err != nil {
		t.Error(err)
	}
	if got, want := connecting.value(), 2; got != want {
		t.Errorf("connects in Rails: got %d, want %d", got, want)
	}
	close(hang)
	wg.Wait()
}

func TestMetrics_CountCallsByOutcome(t *testing.T) {
	rails := rpctest.NewRails(t, rpctest.Rails{
		Perform: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			return nil, &rpctest.Status{Code: http.StatusBadRequest}
		},
		Subscribe: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			return nil, &rpctest.Status{Code: http.StatusInternalServerError}
		},
	})
	registry := prometheus.NewRegistry()
	client := newClient(t, rails.URL(), func(o *rpc.Options) { o.Registerer = registry })
	for _, call := range calls(client) {
		_ = call(t.Context())
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetValue())
			}
			value := metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			got[family.GetName()+" "+strings.Join(labels, " ")] = value
		}
	}
	for name, want := range map[string]float64{
		"cablestay_rpc_requests_total connect ok":         1,
		"cablestay_rpc_requests_total perform refused":    1,
		"cablestay_rpc_requests_total perform ok":         0,
		"cablestay_rpc_requests_total subscribe failed":   1,
		"cablestay_rpc_duration_seconds disconnect":       1,
		"cablestay_rpc_in_flight ":                        0,
		"cablestay_rpc_waiting ":                          0,
		"cablestay_rpc_requests_total disconnect not_run": 0,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s: got %v (there: %t), want %v", name, value, ok, want)
		}
	}
	if _, err := rpc.NewClient(rpc.Options{RailsURL: rails.URL(), Secret: "s", Registerer: registry}); err == nil {
		t.Error("a second client on the same registry: got no error")
	}
}

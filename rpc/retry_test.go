package rpc_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
)

func TestRetry_OnlyWhatMayRunTwiceIsSentTwice(t *testing.T) {
	answer := map[string]string{
		"hello":       `{"contract":1,"adapter":"redis","concurrency":5,"remote_disconnect":"close"}`,
		"connect":     `{"contract":1,"accepted":true}`,
		"subscribe":   `{"contract":1,"subscribed":true}`,
		"unsubscribe": `{"contract":1,"subscribed":false}`,
		"perform":     `{"contract":1,"subscribed":true}`,
		"timer":       `{"contract":1,"subscribed":true}`,
		"merge":       `{"contract":1,"connection_state":"both"}`,
		"disconnect":  `{"contract":1}`,
	}
	repeated := map[string]bool{"hello": true, "merge": true, "unsubscribe": true, "disconnect": true}
	for fault, rails := range map[string]http.HandlerFunc{
		"status 500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"status 503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"garbage":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"cut":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		for event := range answer {
			t.Run(fault+" to "+event, func(t *testing.T) {
				var requests counter
				server := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
					if requests.add() < 3 {
						rails(w, r)
						return
					}
					_, _ = w.Write([]byte(answer[event]))
				})
				err := calls(newClient(t, server.URL(), nil))[event](t.Context())
				want := 1
				if repeated[event] {
					want = 3
				}
				if got := requests.value(); got != want {
					t.Errorf("requests: got %d, want %d", got, want)
				}
				if got := err == nil; got != repeated[event] {
					t.Errorf("got error %v", err)
				}
				if errors.Is(err, rpc.ErrNotRun) {
					t.Errorf("%v: is ErrNotRun, but it may have run", err)
				}
			})
		}
	}
}

func TestRetry_EventsWaitForRailsToListen(t *testing.T) {
	for event := range calls(nil) {
		t.Run(event, func(t *testing.T) {
			socket := rpctest.SocketPath(t)
			tried := make(signal)
			client := newClient(t, "unix://"+socket, func(o *rpc.Options) { o.Logger = slog.New(tried) })
			done := make(chan error)
			go func() { done <- calls(client)[event](t.Context()) }()
			<-tried
			rpctest.NewRails(t, rpctest.Rails{Socket: socket})
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRetry_NobodyListensUntilTheBudgetIsSpent(t *testing.T) {
	client := newClient(t, "unix://"+rpctest.SocketPath(t), func(o *rpc.Options) {
		o.Budget, o.CleanUpBudget = 60*time.Millisecond, 60*time.Millisecond
	})
	for event, call := range calls(client) {
		err := call(t.Context())
		if !errors.Is(err, rpc.ErrNotRun) {
			t.Errorf("%s: got %v, want what is ErrNotRun", event, err)
		} else if !strings.Contains(err.Error(), "puma.sock") || !strings.Contains(err.Error(), "tries") {
			t.Errorf("%s: %q does not say where and how often", event, err)
		}
	}
}

func TestRetry_OneTryThatMayHaveRunIsNotForgotten(t *testing.T) {
	var requests counter
	var rails *rpctest.Server
	rails = rpctest.NewServer(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.add()
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusInternalServerError)
		go rails.Close()
	})
	client := newClient(t, rails.URL(), func(o *rpc.Options) { o.CleanUpBudget = 200 * time.Millisecond })
	_, err := client.Unsubscribe(t.Context(), newCommand("1"))
	if err == nil || errors.Is(err, rpc.ErrNotRun) {
		t.Errorf("got %v, want an error that leaves it open", err)
	}
	if requests.value() == 0 {
		t.Error("Rails has seen nothing")
	}
}

func TestRetry_EachTryHasAProofOfItsOwnForTheSameEvent(t *testing.T) {
	var mu sync.Mutex
	var proofs []jwt.MapClaims
	rails := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		claims := jwt.MapClaims{}
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		proofs = append(proofs, claims)
		if len(proofs) < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(`{"contract":1,"subscribed":false}`))
	})
	client := newClient(t, rails.URL(), nil)
	now := time.Unix(1_700_000_000, 0)
	client.SetClock(func() time.Time { now = now.Add(time.Hour); return now })
	if _, err := client.Unsubscribe(t.Context(), newCommand("the event")); err != nil {
		t.Fatal(err)
	}
	for i, proof := range proofs {
		if got, want := proof["iat"], float64(1_700_000_000+3600*(i+1)); got != want {
			t.Errorf("try %d: iat got %v, want %v", i+1, got, want)
		}
		if proof["jti"] != "the event" || proof["event"] != "unsubscribe" || proof["digest"] != proofs[0]["digest"] {
			t.Errorf("try %d is of another event: %v", i+1, proof)
		}
	}
	if got, want := len(proofs), 3; got != want {
		t.Errorf("tries: got %d, want %d", got, want)
	}
}

func TestRetry_NoPlaceIsHeldBetweenTries(t *testing.T) {
	var performed counter
	rails := rpctest.NewRails(t, rpctest.Rails{
		Unsubscribe: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			if performed.value() == 0 {
				return nil, errors.New("not yet")
			}
			return &rpc.CommandAnswer{}, nil
		},
		Perform: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			performed.add()
			return &rpc.CommandAnswer{Subscribed: true}, nil
		},
	})
	tried := make(signal)
	client := newClient(t, rails.URL(), func(o *rpc.Options) { o.Concurrency, o.Logger = 1, slog.New(tried) })
	unsubscribed := make(chan error)
	go func() {
		_, err := client.Unsubscribe(t.Context(), newCommand("1"))
		unsubscribed <- err
	}()
	<-tried
	if _, err := client.Perform(t.Context(), newCommand("2")); err != nil {
		t.Error(err)
	}
	if err := <-unsubscribed; err != nil {
		t.Error(err)
	}
}

// A connection that Rails closes as an event goes out on it: the bytes have left, so the event may have run.
func TestRetry_AStaleConnectionDoesNotPerformTwice(t *testing.T) {
	var requests counter
	rails := rpctest.NewServer(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.add() > 1 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte(`{"contract":1,"subscribed":true}`))
	})
	client := newClient(t, rails.URL(), func(o *rpc.Options) { o.Concurrency = 1 })
	if _, err := client.Perform(t.Context(), newCommand("1")); err != nil {
		t.Fatal(err)
	}
	_, err := client.Perform(t.Context(), newCommand("2"))
	if err == nil || errors.Is(err, rpc.ErrNotRun) {
		t.Errorf("got %v, want an error that leaves it open", err)
	}
	if got, want := requests.value(), 2; got != want {
		t.Errorf("requests: got %d, want %d", got, want)
	}
}

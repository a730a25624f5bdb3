package bridge_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
	"github.com/prometheus/client_golang/prometheus"
)

func TestClosing_RemotelyReachesEveryConnectionOfTheIdentifier(t *testing.T) {
	const disconnect = `{"type":"disconnect","reason":"remote","reconnect":`
	for _, test := range []struct {
		name, does, payload string
		frames              []string
	}{
		{"reconnect", rpc.RemoteDisconnectTransmits, `{"type":"disconnect","reconnect":true}`, []string{disconnect + `true}`}},
		{"no reconnect", rpc.RemoteDisconnectTransmits, `{"type":"disconnect","reconnect":false}`, []string{disconnect + `false}`}},
		{"by default", rpc.RemoteDisconnectTransmits, `{"type":"disconnect"}`, []string{disconnect + `true}`}},
		{"before Rails 7.1", rpc.RemoteDisconnectCloses, `{"type":"disconnect"}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			rails := &fakeRails{OnConnect: func(_ context.Context, request *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
				for _, pair := range decoded(request).Headers {
					if pair[0] == "Sec-Websocket-Protocol" { // bob's, see below
						return welcome("bob"), nil
					}
				}
				return welcome("ann"), nil
			}}
			b := startBridge(t, rails, func(c *setup) { c.RemoteDisconnect = test.does })
			bob := b.Dial("actioncable-v1-json")
			bob.Expect(`{"type":"welcome"}`)
			anns := []*client{b.Dial(), b.Dial()}
			for _, ann := range anns {
				ann.Expect(`{"type":"welcome"}`)
			}
			b.PubSub.Publish("action_cable/ann", []byte(`{"type":"unknown"}`))
			b.PubSub.Publish("action_cable/ann", []byte(test.payload))
			for _, ann := range anns {
				ann.Expect(test.frames...)
				ann.ExpectClose(ws.StatusNormalClosure, "")
			}
			b.AwaitDisconnects(2)
			bob.Subscribe("room")
		})
	}
}

func TestClosing_AtShutdownTellsEveryClientToReconnectAndRunsEveryDisconnect(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind), func(c *setup) { c.Drain = 50 * time.Millisecond })
		var clients []*client
		for range 20 {
			c := b.Welcomed()
			c.Subscribe("room")
			clients = append(clients, c)
		}
		var all sync.WaitGroup
		for _, c := range clients {
			all.Go(func() {
				if f, err := c.Next(); err != nil || string(f.Payload) != `{"type":"disconnect","reason":"server_restart","reconnect":true}` {
					t.Errorf("got %q %v", f.Payload, err)
				}
				f, err := c.Next()
				if err != nil || f.Header.OpCode != ws.OpClose {
					t.Errorf("got %v %q %v, want a close frame", f.Header.OpCode, f.Payload, err)
				}
				c.Hangup()
			})
		}
		b.Shutdown()
		all.Wait()
		disconnects := b.AwaitDisconnects(len(clients))
		for _, d := range disconnects {
			if len(d.Subscriptions) != 1 {
				t.Errorf("got %d subscriptions, want 1", len(d.Subscriptions))
			}
		}
		if response, _ := b.Get("/cable", upgradeHeader()); response.StatusCode != 503 {
			t.Errorf("after the shutdown: got %d, want 503", response.StatusCode)
		}
	})
}

func TestClosing_AtShutdownWaitsForAHandshakeUnderWay(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	rails := &fakeRails{OnConnect: func(ctx context.Context, request *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		if decoded(request).Query == "" { // the request that looks whether the bridge still takes any
			return &rpc.ConnectAnswer{HTTP: &rpc.HTTPAnswer{Status: 404}}, nil
		}
		close(asked)
		await(ctx, release)
		return welcome("ann"), nil
	}}
	b := startBridge(t, rails)
	var late sync.WaitGroup
	late.Go(func() {
		c, err := b.TryDial()
		if err != nil {
			t.Error(err)
			return
		}
		if f, err := c.Next(); err != nil || string(f.Payload) != `{"type":"disconnect","reason":"server_restart","reconnect":true}` {
			t.Errorf("got %q %v", f.Payload, err)
		}
		c.Hangup()
	})
	<-asked
	var shutdown sync.WaitGroup
	shutdown.Go(b.Shutdown)
	for {
		if response, _ := b.Get("/cable", nil); response.StatusCode == http.StatusServiceUnavailable {
			break
		}
	}
	close(release)
	late.Wait()
	shutdown.Wait()
	b.AwaitDisconnects(1)
}

func TestClosing_AtShutdownSaysWhenRailsDidNotAnswerInTime(t *testing.T) {
	rails := &fakeRails{OnDisconnect: func(ctx context.Context, _ *rpc.DisconnectRequest) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	b := startBridge(t, rails)
	b.Welcomed()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	b.shut = true
	if err := b.Server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that the deadline was exceeded", err)
	}
}

func TestClosing_ASlowConsumerAloneIsClosed(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		registry := prometheus.NewRegistry()
		b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind), func(c *setup) { c.Registerer = registry })
		slow, quick := b.Welcomed(), b.Welcomed()
		slow.Subscribe("room")
		quick.Subscribe("room")
		payload := `"` + strings.Repeat("x", 256<<10) + `"`
		want := transmission("room", payload)
		for len(b.Rails.Disconnects()) == 0 {
			b.PubSub.Publish("room", []byte(payload))
			quick.Expect(want)
		}
		if got := counter(t, registry, "cablestay_connections_closed_total", "slow_consumer"); got != 1 {
			t.Errorf("%v slow consumers were closed, want 1", got)
		}
		// Whole frames, then why, then the close.
		last := ""
		for {
			f, err := slow.Next()
			if err != nil {
				t.Fatalf("after %q: %v, want a close frame", last, err)
			}
			if f.Header.OpCode == ws.OpClose {
				break
			}
			if last = string(f.Payload); len(last) > 200 && last != want {
				t.Fatalf("a frame was torn: %d bytes, want %d", len(last), len(want))
			}
		}
		if want := `{"type":"disconnect","reason":"slow_consumer","reconnect":true}`; last != want {
			t.Errorf("the last frame was %.200q, want %q", last, want)
		}
	})
}

func TestClosing_RemotelyAtTheVeryMomentOfTheWelcome(t *testing.T) {
	b := startBridge(t, &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		return welcome("ann"), nil
	}})
	ctx, cancel := context.WithCancel(context.Background())
	var closing sync.WaitGroup
	closing.Go(func() {
		for ctx.Err() == nil {
			b.Receiver().Broadcast("action_cable/ann", []byte(`{"type":"disconnect"}`))
		}
	})
	const connections = 300
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range connections / 4 {
				c, err := b.TryDial()
				if err != nil {
					t.Error(err)
					return
				}
				for f, err := c.Next(); err == nil && f.Header.OpCode != ws.OpClose; f, err = c.Next() {
				}
				c.Hangup()
			}
		})
	}
	clients.Wait()
	b.AwaitDisconnects(connections)
	cancel()
	closing.Wait()
}

func TestClosing_AtShutdownInterruptsAHandshakeThatHangsWhenTimeIsOver(t *testing.T) {
	asked, interrupted := make(chan struct{}), make(chan struct{})
	rails := &fakeRails{OnConnect: func(ctx context.Context, _ *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		close(asked)
		select {
		case <-ctx.Done():
			close(interrupted)
		case <-time.After(patience):
		}
		return nil, errors.New("no answer")
	}}
	b := startBridge(t, rails)
	var handshake sync.WaitGroup
	handshake.Go(func() {
		if response, _ := b.Get("/cable", upgradeHeader()); response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("got %d, want 503", response.StatusCode)
		}
	})
	<-asked
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b.shut = true
	if err := b.Server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	handshake.Wait()
	select {
	case <-interrupted:
	default:
		t.Error("the connect event was not interrupted")
	}
}

func TestClosing_AtShutdownDoesNotWaitForWhoDoesNotReadTheAppsAnswer(t *testing.T) {
	rails := &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		return &rpc.ConnectAnswer{HTTP: &rpc.HTTPAnswer{Status: 200, Body: make([]byte, 64<<20)}}, nil
	}}
	b := startBridge(t, rails)
	conn := b.connect()
	if _, err := conn.Write([]byte("GET /cable HTTP/1.1\r\nHost: example.test\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	b.Shutdown()
}

type lineCounter struct{ lines atomic.Int64 }

func (l *lineCounter) Write(p []byte) (int, error) {
	l.lines.Add(1)
	return len(p), nil
}

func TestClosing_AtShutdownSaysOnceThatItHurries(t *testing.T) {
	said := new(lineCounter)
	b := startBridge(t, &fakeRails{}, func(c *setup) {
		c.Drain, c.Logger = time.Hour, slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	for range 5 {
		b.Welcomed()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b.shut = true
	_ = b.Server.Shutdown(ctx)
	if got := said.lines.Load(); got != 1 {
		t.Errorf("%d lines of warning, want 1", got)
	}
}

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge/freeport"
	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// connect opens a cable and waits for its welcome.
func connect(t *testing.T, bridge *running) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dialer := ws.Dialer{Protocols: []string{"actioncable-v1-json"}}
	socket, early, _, err := dialer.Dial(ctx, "ws://"+bridge.listen+"/cable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	if early != nil {
		socket = earlySocket{Conn: socket, reader: io.MultiReader(early, socket)}
	}
	if got, want := transmission(t, socket), `{"type":"welcome"}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	return socket
}

// earlySocket reads first what came along with the handshake's answer.
type earlySocket struct {
	net.Conn
	reader io.Reader
}

func (s earlySocket) Read(into []byte) (int, error) { return s.reader.Read(into) }

// transmission reads the next that is no ping.
func transmission(t *testing.T, socket net.Conn) string {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		text, err := wsutil.ReadServerText(socket)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), `{"type":"ping"`) {
			return string(text)
		}
	}
}

func TestEnd_ClientsAreToldToReconnectAndEveryDisconnectRuns(t *testing.T) {
	var disconnects atomic.Int64
	underWay, finish := make(chan struct{}, 8), make(chan struct{})
	bridge, _ := startAll(t, func(app *rpctest.Rails, _ *rpc.Hello) {
		app.Disconnect = func(ctx context.Context, _ *rpc.DisconnectRequest) error {
			underWay <- struct{}{}
			select {
			case <-finish:
			case <-ctx.Done():
			}
			disconnects.Add(1)
			return nil
		}
	}, "--drain", "0s")
	one, two := connect(t, bridge), connect(t, bridge)
	bridge.signal(syscall.SIGTERM)
	for _, socket := range []net.Conn{one, two} {
		if got, want := transmission(t, socket), `{"type":"disconnect","reason":"server_restart","reconnect":true}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		_ = socket.Close()
	}
	<-underWay
	if status, body := bridge.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "draining") {
		t.Errorf("readyz while it ends: got %d %q, want 503 for draining", status, body)
	}
	close(finish)
	if code := bridge.exit(); code != exitOK {
		t.Errorf("exit code: got %d, want 0", code)
	}
	if got := disconnects.Load(); got != 2 {
		t.Errorf("disconnects: got %d, want 2", got)
	}
}

func TestEnd_IsOneWhenADisconnectCouldNotRun(t *testing.T) {
	bridge, _ := startAll(t, func(app *rpctest.Rails, _ *rpc.Hello) {
		app.Disconnect = func(ctx context.Context, _ *rpc.DisconnectRequest) error {
			<-ctx.Done()
			return ctx.Err()
		}
	}, "--drain", "0s", "--shutdown-timeout", "300ms")
	socket := connect(t, bridge)
	bridge.signal(syscall.SIGINT)
	transmission(t, socket)
	_ = socket.Close()
	if code := bridge.exit(); code != exitFailed {
		t.Errorf("exit code: got %d, want 1", code)
	}
	if !strings.Contains(bridge.said(), "disconnect") {
		t.Errorf("it does not say what is left undone:\n%s", bridge.said())
	}
}

func TestEnd_SecondSignalEndsAtOnce(t *testing.T) {
	hangs := make(chan struct{}, 8)
	bridge, _ := startAll(t, func(app *rpctest.Rails, _ *rpc.Hello) {
		app.Disconnect = func(ctx context.Context, _ *rpc.DisconnectRequest) error {
			hangs <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
	}, "--shutdown-timeout", "10m")
	socket := connect(t, bridge)
	bridge.signal(syscall.SIGTERM)
	transmission(t, socket)
	_ = socket.Close()
	<-hangs
	bridge.signal(syscall.SIGTERM)
	if code := bridge.exit(); code != exitFailed {
		t.Errorf("exit code: got %d, want 1", code)
	}
}

func TestEnd_DuringTheStartIsPromptAndClean(t *testing.T) {
	bridge := startCablestay(t, secret(), "--rails-url", "http://127.0.0.1:"+freeport.Find(t))
	await(t, "life", func() bool { status, _ := bridge.get("/livez"); return status == http.StatusOK })
	bridge.signal(syscall.SIGTERM)
	if code := bridge.exit(); code != exitOK {
		t.Errorf("exit code: got %d, want 0", code)
	}
}

func TestLogs_JSONHasNoSecret(t *testing.T) {
	bridge, _ := startAll(t, nil, "--log-format", "json", "--log-level", "debug")
	bridge.signal(syscall.SIGTERM)
	bridge.exit()
	if strings.Contains(bridge.said(), rpctest.Secret) {
		t.Errorf("the secret is in\n%s", bridge.said())
	}
	for line := range strings.SplitSeq(strings.TrimSpace(bridge.said()), "\n") {
		if !strings.HasPrefix(line, "{") {
			t.Errorf("not JSON: %s", line)
		}
	}
}

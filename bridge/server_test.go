package bridge_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge"
	"github.com/cablestay/cablestay/bridge/certificatetest"
	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
	"github.com/prometheus/client_golang/prometheus"
)

// patience is how long a test waits for what must come, before it fails.
const patience = 20 * time.Second

// testBridge is a bridge on a port of its own, before a fake Rails and a PubSub in memory.
type testBridge struct {
	*bridge.Server
	t      *testing.T
	Rails  *fakeRails
	PubSub *bridge.MemoryPubSub
	URL    string      // http://127.0.0.1:port, or https://
	tls    *tls.Config // what a client trusts; nil without TLS
	http   *httptest.Server
	shut   bool
}

// onIOURing is for the whole suite: go test ./bridge -args -io-uring.
var onIOURing = flag.Bool("io-uring", false, "have every bridge of the tests write through an io_uring")

// overTLS is as well: go test ./bridge -args -tls.
var overTLS = flag.Bool("tls", false, "have every bridge of the tests speak TLS")

// polling is how a bridge deals with its sockets.
type polling string

const (
	native      polling = "native"
	portable    polling = "portable"
	ioURing     polling = "io_uring" // native, and what goes to many through a ring
	nativeTLS   polling = "native, TLS"
	portableTLS polling = "portable, TLS"
	ioURingTLS  polling = "io_uring, TLS"
)

// eachPoller runs the test on every kind of poller that the system has.
func eachPoller(t *testing.T, test func(t *testing.T, kind polling)) {
	t.Helper()
	for _, kind := range []polling{native, portable, ioURing, nativeTLS, portableTLS} {
		t.Run("poller="+string(kind), func(t *testing.T) { test(t, kind) })
	}
}

// eachTLS runs the test on every kind of poller, with TLS.
func eachTLS(t *testing.T, test func(t *testing.T, kind polling)) {
	t.Helper()
	for _, kind := range []polling{nativeTLS, portableTLS, ioURingTLS} {
		t.Run("poller="+string(kind), func(t *testing.T) { test(t, kind) })
	}
}

// setup is how a test wants its bridge.
type setup struct {
	bridge.Config
	secure bool // it speaks TLS
}

// certificate is one for a bridge, and what its clients trust.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	path, key := certificatetest.Write(t, t.TempDir(), "bridge.test")
	pair, err := tls.LoadX509KeyPair(path, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, &tls.Config{RootCAs: certificatetest.Pool(t, path)}
}

func startBridge(t *testing.T, rails *fakeRails, change ...func(*setup)) *testBridge {
	t.Helper()
	b := &testBridge{t: t, Rails: rails, PubSub: bridge.NewMemoryPubSub()}
	config := setup{Config: bridge.Config{
		Rails: rails, PubSub: b.PubSub, Mounts: []rpc.Mount{{Path: "/cable", Anchored: true}},
		Logger: slog.New(slog.NewTextHandler(&testLog{t}, nil)), Registerer: prometheus.NewRegistry(), IOURing: *onIOURing,
	}, secure: *overTLS}
	for _, c := range change {
		c(&config)
	}
	if err := bridge.CheckIOURing(); err != nil && config.IOURing {
		t.Skip(err)
	}
	server, err := bridge.NewServer(config.Config)
	if err != nil {
		t.Fatal(err)
	}
	b.Server = server
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		b.PubSub.Run(ctx, server.Receiver())
	}()
	b.http = httptest.NewUnstartedServer(server)
	b.http.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn) // of garbage that tests send
	if config.secure {
		var own *tls.Config
		own, b.tls = certificate(t)
		b.http.Listener = bridge.TLSListener(b.http.Listener, own)
	}
	b.http.Start()
	if b.URL = b.http.URL; config.secure {
		b.URL = strings.Replace(b.URL, "http", "https", 1)
	}
	t.Cleanup(func() {
		b.Shutdown()
		cancel()
		<-stopped
		b.http.Close()
		if followed := b.PubSub.Followed(); len(followed) > 0 {
			t.Errorf("still followed after the end: %q", followed)
		}
	})
	return b
}

// on has the bridge deal with its sockets that way.
func on(kind polling) func(*setup) {
	return func(c *setup) {
		poller, _, secure := strings.Cut(string(kind), ", ")
		c.Portable = poller == string(portable)
		c.IOURing = c.IOURing || poller == string(ioURing)
		c.secure = c.secure || secure
	}
}

// Shutdown ends the bridge, and checks that its parts agree.
func (b *testBridge) Shutdown() {
	b.t.Helper()
	if b.shut {
		return
	}
	b.shut = true
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.Server.Shutdown(ctx); err != nil {
		b.t.Error(err)
	}
	if err := b.Check(); err != nil {
		b.t.Error(err)
	}
}

// AwaitEvents waits until Rails has been asked all of these, in any order.
func (b *testBridge) AwaitEvents(want ...string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	met := b.Rails.await(ctx, func(events []string, _ []*rpc.DisconnectRequest) bool {
		return containsAll(events, want)
	})
	if !met {
		b.t.Fatalf("Rails was asked %q, want all of %q", b.Rails.Events(), want)
	}
}

// AwaitDisconnects waits until n connections have been disconnected in Rails.
func (b *testBridge) AwaitDisconnects(n int) []*rpc.DisconnectRequest {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var got []*rpc.DisconnectRequest
	met := b.Rails.await(ctx, func(_ []string, disconnects []*rpc.DisconnectRequest) bool {
		got = append(got[:0], disconnects...)
		return len(got) >= n
	})
	if !met {
		b.t.Fatalf("%d connections were disconnected in Rails, want %d", len(got), n)
	}
	return got
}

func containsAll(all, want []string) bool {
	count := make(map[string]int)
	for _, s := range all {
		count[s]++
	}
	for _, s := range want {
		if count[s]--; count[s] < 0 {
			return false
		}
	}
	return true
}

// eventually waits until condition holds.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come to that within %s", patience)
		}
		time.Sleep(time.Millisecond)
	}
}

// client is a consumer that sees every byte.
type client struct {
	t    *testing.T
	conn net.Conn
	read io.Reader
	// Protocol is the subprotocol that the bridge answered with, Extensions what it answered to those offered to DialRaw.
	Protocol, Extensions string
}

// Dial opens a socket, and fails the test where the bridge does not.
func (b *testBridge) Dial(subprotocols ...string) *client {
	b.t.Helper()
	c, err := b.TryDial(subprotocols...)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *testBridge) TryDial(subprotocols ...string) (*client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dialer := ws.Dialer{
		Protocols: subprotocols, TLSConfig: b.tls,
		Header: ws.HandshakeHeaderHTTP{"Origin": {"http://example.test"}},
	}
	conn, buffered, hs, err := dialer.Dial(ctx, strings.Replace(b.URL, "http", "ws", 1)+"/cable?token=abc")
	if err != nil {
		return nil, err
	}
	c := &client{t: b.t, conn: conn, read: conn, Protocol: hs.Protocol}
	if buffered != nil {
		c.read = io.MultiReader(buffered, conn)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return c, nil
}

// Welcomed dials and takes the welcome.
func (b *testBridge) Welcomed() *client {
	b.t.Helper()
	c := b.Dial("actioncable-v1-json")
	c.Expect(`{"type":"welcome"}`)
	return c
}

// Send sends one text frame.
func (c *client) Send(text string) {
	c.t.Helper()
	c.SendFrame(ws.NewTextFrame([]byte(text)))
}

func (c *client) SendFrame(f ws.Frame) {
	c.t.Helper()
	if err := ws.WriteFrame(c.conn, ws.MaskFrame(f)); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// Command sends a command; data only where it is a message.
func (c *client) Command(name, identifier, data string) {
	c.t.Helper()
	command := map[string]string{"command": name, "identifier": identifier}
	if data != "" {
		command["data"] = data
	}
	encoded, err := json.Marshal(command)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Send(string(encoded))
}

// Subscribe subscribes and takes the confirmation.
func (c *client) Subscribe(identifier string) {
	c.t.Helper()
	c.Command("subscribe", identifier, "")
	c.Expect(confirmation(identifier))
}

func confirmation(identifier string) string {
	encoded, _ := json.Marshal(identifier)
	return `{"identifier":` + string(encoded) + `,"type":"confirm_subscription"}`
}

func rejection(identifier string) string {
	encoded, _ := json.Marshal(identifier)
	return `{"identifier":` + string(encoded) + `,"type":"reject_subscription"}`
}

func transmission(identifier, payload string) string {
	encoded, _ := json.Marshal(identifier)
	return `{"identifier":` + string(encoded) + `,"message":` + payload + `}`
}

// Next is the next frame that is no JSON ping.
func (c *client) Next() (ws.Frame, error) {
	for {
		if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return ws.Frame{}, err
		}
		f, err := readFrame(c.read)
		if err != nil || !strings.HasPrefix(string(f.Payload), `{"type":"ping"`) {
			return f, err
		}
	}
}

// Expect takes the next frames, which must be these texts.
func (c *client) Expect(texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		f, err := c.Next()
		if err != nil {
			c.t.Fatalf("got %v, want the frame %s", err, want)
		}
		if got := string(f.Payload); f.Header.OpCode != ws.OpText || got != want {
			c.t.Fatalf("got frame %d %q, want text %q", f.Header.OpCode, got, want)
		}
	}
}

// ExpectClose takes the next frame, which must be this close, and then the end.
func (c *client) ExpectClose(code ws.StatusCode, reason string) {
	c.t.Helper()
	f, err := c.Next()
	if err != nil {
		c.t.Fatalf("got %v, want a close frame", err)
	}
	gotCode, gotReason := ws.ParseCloseFrameData(f.Payload)
	if f.Header.OpCode != ws.OpClose || gotCode != code || gotReason != reason {
		c.t.Fatalf("got frame %d %q, want close %d %q", f.Header.OpCode, f.Payload, code, reason)
	}
	// The answer may find the socket closed.
	_ = ws.WriteFrame(c.conn, ws.MaskFrame(ws.NewCloseFrame(f.Payload)))
	if f, err := c.Next(); err == nil {
		c.t.Fatalf("got frame %d %q after the close", f.Header.OpCode, f.Payload)
	}
}

// Hangup drops the connection without a word.
func (c *client) Hangup() { _ = c.conn.Close() }

// Get is an ordinary request, with these headers.
func (b *testBridge) Get(path string, header http.Header) (*http.Response, string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: b.tls}
	response, err := transport.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response, string(body)
}

// testLog writes the bridge's log into the test's.
type testLog struct{ t *testing.T }

func (l *testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// DialWith sends bytes together with the handshake, before its answer.
func (b *testBridge) DialWith(early []byte) *client {
	b.t.Helper()
	return b.DialRaw("Host: example.test\r\nConnection: Upgrade\r\n", early)
}

func (b *testBridge) scheme() string {
	scheme, _, _ := strings.Cut(b.URL, ":")
	return scheme
}

// address is where it listens.
func (b *testBridge) address() string { return b.http.Listener.Addr().String() }

// connect is a connection on which nothing has been asked yet.
func (b *testBridge) connect() net.Conn {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.address()) //nolint:noctx // loopback
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	if b.tls == nil {
		return conn
	}
	config := b.tls.Clone()
	config.ServerName, config.DynamicRecordSizingDisabled = "127.0.0.1", true // what is sent at once comes at once
	return tls.Client(conn, config)
}

// DialRaw sends a handshake that has these lines beside those that are always the same.
func (b *testBridge) DialRaw(lines string, early []byte) *client {
	b.t.Helper()
	return b.upgrade(b.connect(), lines, early)
}

func (b *testBridge) upgrade(conn net.Conn, lines string, early []byte) *client {
	b.t.Helper()
	request := "GET /cable HTTP/1.1\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + lines + "\r\n"
	if _, err := conn.Write(append([]byte(request), early...)); err != nil {
		b.t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		b.t.Fatalf("got %v %v, want 101", response, err)
	}
	_ = response.Body.Close()
	return &client{
		t: b.t, conn: conn, read: reader,
		Protocol: response.Header.Get("Sec-WebSocket-Protocol"), Extensions: response.Header.Get("Sec-WebSocket-Extensions"),
	}
}

// readFrame trusts the length, which is the bridge's.
func readFrame(r io.Reader) (ws.Frame, error) {
	header, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	payload := make([]byte, header.Length)
	_, err = io.ReadFull(r, payload)
	return ws.Frame{Header: header, Payload: payload}, err
}

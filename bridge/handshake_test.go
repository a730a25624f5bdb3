package bridge_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/bridge"
	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
)

func upgradeHeader() http.Header {
	return http.Header{
		"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"WebSocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
}

func TestHandshake_WhatTheAppAnswersGoesBackAsItIs(t *testing.T) {
	rails := &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		return &rpc.ConnectAnswer{HTTP: &rpc.HTTPAnswer{
			Status: 302, Body: []byte("moved"),
			Headers: [][2]string{
				{"location", "/login"}, {"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}, {"Content-Length", "99"}, {"Connection", "close"},
			},
		}}, nil
	}}
	b := startBridge(t, rails)
	for _, header := range []http.Header{nil, upgradeHeader()} {
		response, body := b.Get("/cable", header)
		if response.StatusCode != 302 || body != "moved" || response.Header.Get("Location") != "/login" {
			t.Errorf("got %d %q %v", response.StatusCode, body, response.Header)
		}
		if got, want := response.Header.Values("Set-Cookie"), []string{"a=1", "b=2"}; !slices.Equal(got, want) {
			t.Errorf("got cookies %q, want %q", got, want)
		}
		if _, made := response.Header["Content-Type"]; made {
			t.Errorf("a content type was made up: %q", response.Header.Get("Content-Type"))
		}
	}
}

func TestHandshake_AnImpossibleStatusFromTheAppIsABadGateway(t *testing.T) {
	rails := &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		return &rpc.ConnectAnswer{HTTP: &rpc.HTTPAnswer{Status: 0}}, nil
	}}
	b := startBridge(t, rails)
	if response, _ := b.Get("/cable", nil); response.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d, want 502", response.StatusCode)
	}
}

func TestHandshake_OtherPathsNeverReachRails(t *testing.T) {
	b := startBridge(t, &fakeRails{})
	for _, path := range []string{"/", "/cables", "/cable/more", "/_cablestay/connect", "/cable%2Fmore"} {
		if response, _ := b.Get(path, upgradeHeader()); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, response.StatusCode)
		}
	}
	if events := b.Rails.Events(); len(events) > 0 {
		t.Errorf("Rails was asked %q", events)
	}
}

func TestHandshake_MountsMatchAsRailsRoutesDo(t *testing.T) {
	mounts := []rpc.Mount{
		{Path: "/cable"}, {Path: "/t/:tenant/cable", Anchored: true}, {Path: "(/:locale)/live", Anchored: true},
		{Path: "/v-:version/socket", Anchored: true}, {Path: "/*anywhere/socket.io", Anchored: true},
	}
	rails := &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		return &rpc.ConnectAnswer{HTTP: &rpc.HTTPAnswer{Status: 299}}, nil
	}}
	b := startBridge(t, rails, func(c *setup) { c.Mounts = mounts })
	for path, want := range map[string]int{
		"/cable": 299, "/cable/": 299, "//cable": 299, "/c%61ble": 299, "/cable/longer/path": 299,
		"/t/acme/cable": 299, "/t/a%20b/cable/": 299, "/t/cable": 404, "/t/acme/cable/more": 404, "/": 404,
		"/t/a%2Fb/cable": 299, "/t/a/b/cable": 404, "/cablet": 404, "/t/a%0Ab/cable": 299,
		"/en/live": 299, "/live": 299, "/en/us/live": 404, "/en/live/": 299, "/live.more": 404,
		"/v-2/socket": 299, "/v2/socket": 404, "/any/depth/at/all/socket.io": 299, "/x/socketXio": 404,
	} {
		if response, _ := b.Get(path, nil); response.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, response.StatusCode, want)
		}
	}
}

func TestHandshake_MountsThatNoRouterHasAreNamed(t *testing.T) {
	for _, path := range []string{"cable", "", "/(cable", "/cable)"} {
		_, err := bridge.NewServer(bridge.Config{
			Rails: &fakeRails{}, PubSub: bridge.NewMemoryPubSub(), Mounts: []rpc.Mount{{Path: path, Anchored: true}},
		})
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(path)) {
			t.Errorf("%q: got %v, want an error that names it", path, err)
		}
	}
}

func TestHandshake_AMountAtTheRootIsAll(t *testing.T) {
	rails := &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		return &rpc.ConnectAnswer{HTTP: &rpc.HTTPAnswer{Status: 299}}, nil
	}}
	for anchored, want := range map[bool]int{true: 404, false: 299} {
		b := startBridge(t, rails, func(c *setup) { c.Mounts = []rpc.Mount{{Path: "/", Anchored: anchored}} })
		if response, _ := b.Get("/", nil); response.StatusCode != 299 {
			t.Errorf("anchored %v: got %d for the root, want 299", anchored, response.StatusCode)
		}
		if response, _ := b.Get("/more", nil); response.StatusCode != want {
			t.Errorf("anchored %v: got %d for more, want %d", anchored, response.StatusCode, want)
		}
	}
}

func TestHandshake_WhatIsNoRFC6455HandshakeIsRefusedWithoutRails(t *testing.T) {
	b := startBridge(t, &fakeRails{})
	for _, test := range []struct {
		name, header, value, body string
	}{
		{"old version", "Sec-Websocket-Version", "8", "Unsupported WebSocket version: 13"},
		{"no version", "Sec-Websocket-Version", "", "Unsupported WebSocket version: 13"},
		{"no key", "Sec-Websocket-Key", "", "Missing handshake request header: Sec-WebSocket-Key"},
		{"short key", "Sec-Websocket-Key", "abc", "Invalid Sec-WebSocket-Key or HTTP version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := upgradeHeader()
			header.Set(test.header, test.value)
			response, body := b.Get("/cable", header)
			if response.StatusCode != 400 || body != test.body {
				t.Errorf("got %d %q, want 400 %q", response.StatusCode, body, test.body)
			}
		})
	}
	if events := b.Rails.Events(); len(events) > 0 {
		t.Errorf("Rails was asked %q", events)
	}
}

func TestHandshake_WithoutRailsIsUnavailableForAMoment(t *testing.T) {
	rails := &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		return nil, errors.New("connection refused")
	}}
	b := startBridge(t, rails)
	response, _ := b.Get("/cable", upgradeHeader())
	if response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
		t.Errorf("got %d, Retry-After %q", response.StatusCode, response.Header.Get("Retry-After"))
	}
}

func TestHandshake_CarriesTheWholeRequest(t *testing.T) {
	var got *rpc.ConnectRequest
	rails := &fakeRails{OnConnect: func(_ context.Context, request *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		got = request
		return &rpc.ConnectAnswer{HTTP: &rpc.HTTPAnswer{Status: 204}}, nil
	}}
	b := startBridge(t, rails)
	header := upgradeHeader()
	header["Cookie"] = []string{"a=1; b=2"}
	header["X-Twice"] = []string{"one", "two"}
	b.Get("/c%61ble?token=a%20b&x", header)

	h := decoded(got)
	if h.Method != "GET" || h.Scheme != b.scheme() || h.Path != "/c%61ble" || h.Query != "token=a%20b&x" || h.RemoteAddr != "127.0.0.1" {
		t.Errorf("got %+v", h)
	}
	for _, pair := range [][2]string{{"Cookie", "a=1; b=2"}, {"X-Twice", "one"}, {"X-Twice", "two"}, {"Host", b.address()}} {
		if !slices.Contains(h.Headers, pair) {
			t.Errorf("no header %q among %q", pair, h.Headers)
		}
	}
	if got.ID == "" || got.Connection == "" || got.Protocol != nil {
		t.Errorf("got id %q, connection %q, protocol %v", got.ID, got.Connection, got.Protocol)
	}
}

func TestHandshake_TheClientsFirstKnownSubprotocolIsChosen(t *testing.T) {
	for _, test := range []struct {
		offered []string
		want    string
	}{
		{[]string{"actioncable-v1-json", "actioncable-unsupported"}, "actioncable-v1-json"},
		{[]string{"actioncable-unsupported", "actioncable-v1-json"}, "actioncable-unsupported"},
		{[]string{"jwt.abc", "actioncable-v1-json"}, "actioncable-v1-json"},
		{[]string{"foo"}, ""},
		{nil, ""},
	} {
		told := make(chan string, 1)
		rails := &fakeRails{OnConnect: func(_ context.Context, request *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
			protocol := ""
			if request.Protocol != nil {
				protocol = *request.Protocol
			}
			told <- protocol
			return welcome(""), nil
		}}
		b := startBridge(t, rails)
		c := b.Dial(test.offered...)
		c.Expect(`{"type":"welcome"}`)
		if asked := <-told; c.Protocol != test.want || asked != test.want {
			t.Errorf("offered %q: answered %q, told Rails %q, want %q", test.offered, c.Protocol, asked, test.want)
		}
	}
}

// Rack joins repeated headers and websocket-driver splits them on commas; neither wants tokens.
func TestHandshake_IsReadAsLooselyAsStockReadsIt(t *testing.T) {
	const host, upgrade = "Host: example.test\r\n", "Connection: Upgrade\r\n"
	for _, test := range []struct{ name, lines, want string }{
		{"Connection twice", host + "Connection: keep-alive\r\n" + upgrade, ""},
		{"Connection with an odd part", host + "Connection: a b;, Upgrade\r\n", ""},
		{"an empty Host", "Host:\r\n" + upgrade, ""},
		{"a token in Base64", host + upgrade + "Sec-WebSocket-Protocol: a/b+c==, actioncable-v1-json\r\n", "actioncable-v1-json"},
		{"subprotocols in two lines", host + upgrade + "Sec-WebSocket-Protocol: foo bar\r\nSec-WebSocket-Protocol: actioncable-v1-json\r\n", "actioncable-v1-json"},
		{"no subprotocol to speak of", host + upgrade + "Sec-WebSocket-Protocol: ,\r\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := startBridge(t, &fakeRails{})
			c := b.DialRaw(test.lines, nil)
			c.Expect(`{"type":"welcome"}`)
			if c.Protocol != test.want {
				t.Errorf("got subprotocol %q, want %q", c.Protocol, test.want)
			}
		})
	}
}

func TestHandshake_ARejectedConnectionGetsItsFrameAndItsClose(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		frame := `{"type":"disconnect","reason":"unauthorized","reconnect":false}`
		rails := &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
			return &rpc.ConnectAnswer{Effects: []rpc.Effect{
				{Effect: rpc.EffectTransmit, Frame: frame}, {Effect: rpc.EffectClose},
			}}, nil
		}}
		b := startBridge(t, rails, on(kind))
		c := b.Dial()
		c.Expect(frame)
		c.ExpectClose(ws.StatusNormalClosure, "")
		b.AwaitDisconnects(1)
	})
}

func TestHandshake_AClientThatLeftIsDisconnectedInRails(t *testing.T) {
	asked, left := make(chan struct{}), make(chan struct{})
	rails := &fakeRails{OnConnect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
		close(asked)
		<-left
		return welcome("ann"), nil
	}}
	b := startBridge(t, rails)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-asked
		cancel()
		close(left)
	}()
	if conn, _, _, err := (ws.Dialer{TLSConfig: b.tls}).Dial(ctx, "ws"+b.URL[len("http"):]+"/cable"); err == nil {
		_ = conn.Close()
	}
	if state := b.AwaitDisconnects(1)[0].ConnectionState; state != "connected" {
		t.Errorf("got connection state %q", state)
	}
}

// leftSocket is a socket whose client has gone.
type leftSocket struct {
	net.Conn
	closed bool
}

func (s *leftSocket) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func (s *leftSocket) Close() error {
	s.closed = true
	return s.Conn.Close()
}

func (s *leftSocket) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return s, bufio.NewReadWriter(bufio.NewReader(s), bufio.NewWriter(s)), nil
}

func TestHandshake_AClientThatLeftLeavesNoSocketBehind(t *testing.T) {
	b := startBridge(t, &fakeRails{})
	ours, theirs := net.Pipe()
	defer theirs.Close()
	s := &leftSocket{Conn: ours}
	r := httptest.NewRequest(http.MethodGet, "/cable", nil)
	r.Header = upgradeHeader()
	b.ServeHTTP(struct {
		http.ResponseWriter
		http.Hijacker
	}{httptest.NewRecorder(), s}, r)
	b.AwaitDisconnects(1)
	if !s.closed {
		t.Error("the socket is still open")
	}
}

func TestHandshake_CommandsThatComeWithItAreRun(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{}, on(kind))
		frame, err := ws.CompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(`{"command":"subscribe","identifier":"room"}`))))
		if err != nil {
			t.Fatal(err)
		}
		c := b.DialWith(frame)
		c.Expect(`{"type":"welcome"}`, confirmation("room"))
	})
}

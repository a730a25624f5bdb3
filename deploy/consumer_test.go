//go:build e2e

package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// consumer is a client's end of the cable.
type consumer struct {
	socket net.Conn
	reader io.Reader // what came along with the handshake's answer comes first
}

const mirror = `{"channel":"MirrorChannel"}`

// transmission is anything the server sends.
type transmission struct {
	Type      string          `json:"type"`
	Message   json.RawMessage `json:"message"`
	Reason    string          `json:"reason"`
	Reconnect *bool           `json:"reconnect"`
}

func connect(t *testing.T, port, name string, headers http.Header) *consumer {
	t.Helper()
	sent := http.Header{"Origin": {"http://127.0.0.1:" + port}}
	for header, values := range headers {
		sent[header] = values
	}
	dialer := ws.Dialer{Protocols: []string{"actioncable-v1-json", "actioncable-unsupported"}, Header: ws.HandshakeHeaderHTTP(sent)}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	socket, buffered, shake, err := dialer.Dial(ctx, fmt.Sprintf("ws://127.0.0.1:%s/cable?name=%s", port, name))
	if err != nil {
		t.Fatalf("connect %s: %v", name, err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	if shake.Protocol != "actioncable-v1-json" {
		t.Errorf("subprotocol: got %q, want actioncable-v1-json", shake.Protocol)
	}
	c := &consumer{socket: socket, reader: socket}
	if buffered != nil {
		c.reader = buffered
	}
	return c
}

func (c *consumer) send(t *testing.T, command map[string]string) {
	t.Helper()
	frame, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	if err := wsutil.WriteClientText(c.socket, frame); err != nil {
		t.Fatal(err)
	}
}

func (c *consumer) subscribe(t *testing.T) {
	t.Helper()
	c.send(t, map[string]string{"command": "subscribe", "identifier": mirror})
	c.expect(t, "confirm_subscription")
}

func (c *consumer) perform(t *testing.T, data string) {
	t.Helper()
	c.send(t, map[string]string{"command": "message", "identifier": mirror, "data": data})
}

// receive returns the next transmission that the condition takes; pings may lie before it.
func (c *consumer) receive(t *testing.T, what string, wanted func(transmission) bool) transmission {
	t.Helper()
	if err := c.socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		header, err := ws.ReadHeader(c.reader)
		if err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(c.reader, payload); err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		if header.OpCode != ws.OpText {
			t.Fatalf("waiting for %s: got a frame of opcode %#x: %q", what, header.OpCode, payload)
		}
		var got transmission
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatalf("transmission %q: %v", payload, err)
		}
		if wanted(got) {
			return got
		}
		if got.Type != "ping" {
			t.Fatalf("waiting for %s: got %s", what, payload)
		}
	}
}

func (c *consumer) expect(t *testing.T, kind string) transmission {
	t.Helper()
	return c.receive(t, kind, func(got transmission) bool { return got.Type == kind })
}

func (c *consumer) expectMessage(t *testing.T) []byte {
	t.Helper()
	return c.receive(t, "a message", func(got transmission) bool { return got.Type == "" }).Message
}

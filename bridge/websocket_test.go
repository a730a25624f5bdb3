package bridge_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
)

// echo is an app that transmits what is performed.
func echo(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: request.Data}}}, nil
}

func TestWebSocket_PingsAreAnsweredWithTheirPayload(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		c := startBridge(t, &fakeRails{}, on(kind)).Welcomed()
		c.SendFrame(ws.NewPingFrame([]byte("are you there")))
		f, err := c.Next()
		if err != nil || f.Header.OpCode != ws.OpPong || string(f.Payload) != "are you there" {
			t.Fatalf("got %v %q %v, want a pong", f.Header.OpCode, f.Payload, err)
		}
		c.SendFrame(ws.NewPongFrame([]byte("nobody asked")))
		c.Subscribe("room")
	})
}

func TestWebSocket_AMessageMayComeInPieces(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		c := startBridge(t, &fakeRails{}, on(kind)).Welcomed()
		text := `{"command":"subscribe","identifier":"größe"}`
		for i := range len(text) { // also between the bytes of a letter
			code := ws.OpContinuation
			if i == 0 {
				code = ws.OpText
			}
			c.SendFrame(ws.NewPingFrame(nil)) // before the piece: the answer to the whole may overtake a pong
			c.SendFrame(ws.NewFrame(code, i == len(text)-1, []byte{text[i]}))
		}
		for range len(text) {
			if f, err := c.Next(); err != nil || f.Header.OpCode != ws.OpPong {
				t.Fatalf("got %v %q %v, want a pong", f.Header.OpCode, f.Payload, err)
			}
		}
		c.Expect(confirmation("größe"))
	})
}

func TestWebSocket_ABinaryFrameIsTakenForTextAndNeedNotBeAny(t *testing.T) {
	c := startBridge(t, &fakeRails{}).Welcomed()
	c.SendFrame(ws.NewBinaryFrame([]byte("\xff\x00")))
	c.SendFrame(ws.NewFrame(ws.OpBinary, false, []byte("\xff")))
	c.SendFrame(ws.NewFrame(ws.OpContinuation, true, []byte("\xff")))
	c.SendFrame(ws.NewBinaryFrame([]byte(`{"command":"subscribe","identifier":"room"}`)))
	c.Expect(confirmation("room"))
}

func TestWebSocket_LargeMessagesComeThroughBothWays(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		c := startBridge(t, &fakeRails{OnPerform: echo}, on(kind)).Welcomed()
		c.Subscribe("room")
		large := strings.Repeat("large ", 2<<20) // 12 MB
		c.Command("message", "room", large)
		c.Expect(large)
	})
}

func TestWebSocket_ViolationsAreAnsweredAsWebsocketDriverDoes(t *testing.T) {
	text := func(p string) ws.Frame { return ws.NewTextFrame([]byte(p)) }
	header := func(h ws.Header) []byte {
		var b bytes.Buffer
		if err := ws.WriteHeader(&b, h); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	compiled := func(f ws.Frame) []byte {
		b, err := ws.CompileFrame(f)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	closeBody := func(code uint16) []byte { return binary.BigEndian.AppendUint16(nil, code) }
	for _, test := range []struct {
		name   string
		bytes  []byte
		code   ws.StatusCode
		reason string
	}{
		{"unmasked", compiled(text("{}")), 1003, "Received unmasked frame but masking is required"},
		{"not UTF-8", compiled(ws.MaskFrame(text("\xff"))), 1007, "Could not decode a text frame as UTF-8"},
		{"too large", header(ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Length: 1 << 26}), 1009, "WebSocket frame length too large"},
		{"reserved bit", header(ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Rsv: 4}), 1002, ""},
		{"reserved opcode", header(ws.Header{Fin: true, OpCode: 3, Masked: true}), 1002, ""},
		{"fragmented ping", header(ws.Header{OpCode: ws.OpPing, Masked: true}), 1002, ""},
		{"continuation of nothing", header(ws.Header{Fin: true, OpCode: ws.OpContinuation, Masked: true}), 1002, ""},
		{"close with a reserved code", compiled(ws.MaskFrame(ws.NewCloseFrame(closeBody(1005)))), 1002, ""},
		{"close with half a code", compiled(ws.MaskFrame(ws.NewCloseFrame([]byte{3}))), 1002, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachPoller(t, func(t *testing.T, kind polling) {
				b := startBridge(t, &fakeRails{}, on(kind))
				c, neighbour := b.Welcomed(), b.Welcomed()
				if _, err := c.conn.Write(test.bytes); err != nil {
					t.Fatal(err)
				}
				f, err := c.Next()
				if err != nil || f.Header.OpCode != ws.OpClose {
					t.Fatalf("got %v %q %v, want a close frame", f.Header.OpCode, f.Payload, err)
				}
				code, reason := ws.ParseCloseFrameData(f.Payload)
				if code != test.code || test.reason != "" && reason != test.reason {
					t.Errorf("got close %d %q, want %d %q", code, reason, test.code, test.reason)
				}
				c.Hangup()
				b.AwaitDisconnects(1)
				neighbour.Subscribe("room")
			})
		})
	}
}

func TestWebSocket_ACloseFrameIsEchoed(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		for _, test := range []struct {
			sent   []byte
			code   ws.StatusCode
			reason string
		}{
			{ws.NewCloseFrameBody(4001, "bye"), 4001, "bye"},
			{nil, 1000, ""},
		} {
			b := startBridge(t, &fakeRails{}, on(kind))
			c := b.Welcomed()
			c.SendFrame(ws.NewCloseFrame(test.sent))
			c.ExpectClose(test.code, test.reason)
			b.AwaitDisconnects(1)
		}
	})
}

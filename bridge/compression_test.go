package bridge_test

import (
	"context"
	"crypto/tls"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	offer    = "permessage-deflate"
	accepted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	rsv1     = 4
)

func compressing(c *setup) { c.Compression = true }

// Offering dials, offers these extensions and takes the welcome.
func (b *testBridge) Offering(extensions string) *client {
	b.t.Helper()
	c := b.DialRaw("Host: example.test\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: "+extensions+"\r\n", nil)
	c.Expect(`{"type":"welcome"}`)
	return c
}

// Compressed negotiates compression.
func (b *testBridge) Compressed() *client {
	b.t.Helper()
	c := b.Offering(offer)
	if c.Extensions != accepted {
		b.t.Fatalf("got extensions %q, want %q", c.Extensions, accepted)
	}
	return c
}

// ExpectCompressed takes the next frame, which must be this text, compressed.
func (c *client) ExpectCompressed(want string) {
	c.t.Helper()
	f, err := c.Next()
	if err != nil {
		c.t.Fatalf("got %v, want a compressed text", err)
	}
	if f.Header.Rsv != rsv1 || !f.Header.Fin || f.Header.OpCode != ws.OpText || len(f.Payload) >= len(want) {
		c.t.Fatalf("got %+v, want a compressed text in one frame, shorter than %d", f.Header, len(want))
	}
	if got := inflated(c.t, f); got != want {
		c.t.Fatalf("got %.200q, want %.200q", got, want)
	}
}

func inflated(t *testing.T, f ws.Frame) string {
	t.Helper()
	plain, err := wsflate.DecompressFrame(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain.Payload)
}

// compressed is the text in one compressed frame.
func compressed(t testing.TB, text string) ws.Frame {
	t.Helper()
	f, err := wsflate.CompressFrame(ws.NewTextFrame([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// inPieces is the frame's message in as many frames as it has bytes.
func inPieces(f ws.Frame) []ws.Frame {
	var pieces []ws.Frame
	for i := range f.Payload {
		piece := ws.NewFrame(ws.OpContinuation, i == len(f.Payload)-1, f.Payload[i:i+1])
		if i == 0 {
			piece.Header.OpCode, piece.Header.Rsv = f.Header.OpCode, f.Header.Rsv
		}
		pieces = append(pieces, piece)
	}
	return pieces
}

func TestCompression_IsNotNegotiatedUnlessTurnedOn(t *testing.T) {
	b := startBridge(t, &fakeRails{OnSubscribe: following})
	c := b.Offering(offer)
	if c.Extensions != "" {
		t.Errorf("got extensions %q, want none", c.Extensions)
	}
	c.Subscribe("room")
	long := longJSON("plain")
	b.PubSub.Publish("room", []byte(long))
	c.Expect(transmission("room", long))
	c.SendFrame(compressed(t, `{"command":"subscribe","identifier":"other"}`))
	expectCloseCode(c, 1002)
}

func TestCompression_IsNotUsedUnlessOffered(t *testing.T) {
	b := startBridge(t, &fakeRails{OnSubscribe: following}, compressing)
	c := b.DialRaw("Host: example.test\r\nConnection: Upgrade\r\n", nil)
	c.Expect(`{"type":"welcome"}`)
	if c.Extensions != "" {
		t.Errorf("got extensions %q, want none", c.Extensions)
	}
	c.Subscribe("room")
	long := longJSON("plain")
	b.PubSub.Publish("room", []byte(long))
	c.Expect(transmission("room", long))
	c.SendFrame(compressed(t, `{"command":"subscribe","identifier":"other"}`))
	expectCloseCode(c, 1002)
}

func TestCompression_TheFirstOfferThatCanBeKeptIsAccepted(t *testing.T) {
	const full = accepted + "; server_max_window_bits=15"
	b := startBridge(t, &fakeRails{}, compressing)
	for _, test := range []struct{ name, offered, want string }{
		{"plain", "permessage-deflate", accepted},
		{"a browser's", "permessage-deflate; client_max_window_bits", accepted},
		{"a client's window", "permessage-deflate; client_max_window_bits=9", accepted},
		{"a quoted window", `permessage-deflate; client_max_window_bits="10"`, accepted},
		{"no context takeover", "permessage-deflate; server_no_context_takeover; client_no_context_takeover", accepted},
		{"no spaces", "permessage-deflate;client_no_context_takeover;server_max_window_bits=15", full},
		{"the largest window", "permessage-deflate; server_max_window_bits=15", full},
		{"the largest window, quoted", `permessage-deflate; server_max_window_bits="15"`, full},
		{"after another extension", "x-webkit-deflate-frame, permessage-deflate", accepted},
		{"after one with a small window", "permessage-deflate; server_max_window_bits=10, permessage-deflate", accepted},
		{"before one with a window", "permessage-deflate, permessage-deflate; server_max_window_bits=15", accepted},
		{"in two lines", "foo; bar=\"a,b\"\r\nSec-WebSocket-Extensions: permessage-deflate", accepted},

		{"a small window", "permessage-deflate; server_max_window_bits=14", ""},
		{"a window without bits", "permessage-deflate; server_max_window_bits", ""},
		{"no window at all", "permessage-deflate; client_max_window_bits=16", ""},
		{"too small a window", "permessage-deflate; client_max_window_bits=7", ""},
		{"a leading zero", "permessage-deflate; client_max_window_bits=09", ""},
		{"a leading zero for the server", "permessage-deflate; server_max_window_bits=015", ""},
		{"an empty window", `permessage-deflate; client_max_window_bits=""`, ""},
		{"a value for what has none", "permessage-deflate; server_no_context_takeover=1", ""},
		{"an empty value for what has none", `permessage-deflate; client_no_context_takeover=""`, ""},
		{"an unknown parameter", "permessage-deflate; mux", ""},
		{"a parameter twice", "permessage-deflate; client_max_window_bits; client_max_window_bits", ""},
		{"a parameter twice, once with a value", "permessage-deflate; client_max_window_bits; client_max_window_bits=15", ""},
		{"a known extension of another name", "permessage-bzip2", ""},
		{"another case", "Permessage-Deflate", ""},
		{"nothing", "", ""},
		{"what is no list", "permessage-deflate; =15", ""},
		{"a quote without end", `permessage-deflate; client_max_window_bits="15`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := b.Offering(test.offered)
			if c.Extensions != test.want {
				t.Errorf("offered %s: got %q, want %q", test.offered, c.Extensions, test.want)
			}
			c.Subscribe("room") // either way
		})
	}
}

func TestCompression_ABroadcastReachesAllFollowersEachInTheirWay(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		registry := prometheus.NewRegistry()
		b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind), compressing, func(c *setup) { c.Registerer = registry })
		plain, one, other := b.Welcomed(), b.Compressed(), b.Compressed()
		for _, c := range []*client{plain, one, other} {
			c.Subscribe("room")
		}
		short, long := `"short"`, longJSON("größer")
		b.PubSub.Publish("room", []byte(short))
		b.PubSub.Publish("room", []byte(long))
		b.PubSub.Publish("room", []byte(short))
		for _, c := range []*client{one, other} {
			expectPlain(c, transmission("room", short))
			c.ExpectCompressed(transmission("room", long))
			expectPlain(c, transmission("room", short))
		}
		for _, text := range []string{short, long, short} {
			expectPlain(plain, transmission("room", text))
		}
		b.Shutdown() // until then a lane may still count
		saved := counter(t, registry, "cablestay_compression_saved_bytes_total", "")
		if most := float64(2 * len(long)); saved <= 0 || saved >= most {
			t.Errorf("%v bytes were saved, want some, and fewer than %v", saved, most)
		}
	})
}

func TestCompression_FollowersOfDifferentIdentifiersGetTheirOwnFrames(t *testing.T) {
	b := startBridge(t, &fakeRails{OnSubscribe: followingOne}, compressing)
	followers := map[string]*client{}
	for n := range 20 { // more than a message remembers
		identifier := "room " + strings.Repeat("I", n)
		followers[identifier] = b.Compressed()
		followers[identifier].Subscribe(identifier)
	}
	long := longJSON("to all")
	for range 2 {
		b.PubSub.Publish("all", []byte(long))
		for identifier, c := range followers {
			c.ExpectCompressed(transmission(identifier, long))
		}
	}
}

func TestCompression_WhatIsForOneConnectionIsCompressedWhereItIsLong(t *testing.T) {
	long := longJSON("for one")
	identifier := strings.Repeat("room", 200)
	rails := &fakeRails{OnPerform: echo, OnSubscribe: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		answer := confirmed(request, "all")
		answer.Effects = slices.Insert(answer.Effects, 1, rpc.Effect{Effect: rpc.EffectBroadcast, Payload: long, Identifier: request.Identifier})
		return answer, nil
	}}
	b := startBridge(t, rails, compressing)
	c, plain := b.Compressed(), b.Welcomed()
	for _, each := range []*client{c, plain} {
		each.Command("subscribe", identifier, "")
	}
	c.ExpectCompressed(transmission(identifier, long))
	c.ExpectCompressed(confirmation(identifier))
	plain.Expect(transmission(identifier, long), confirmation(identifier))
	for _, each := range []*client{c, plain} {
		each.Command("message", identifier, long)
		each.Command("message", identifier, "short")
	}
	c.ExpectCompressed(long)
	expectPlain(c, "short")
	plain.Expect(long, "short")
}

func TestCompression_PongsAndClosesStayAsTheyAre(t *testing.T) {
	b := startBridge(t, &fakeRails{}, compressing)
	c := b.Compressed()
	c.SendFrame(ws.NewPingFrame([]byte("are you there")))
	f, err := c.Next()
	if err != nil || f.Header.OpCode != ws.OpPong || f.Header.Rsv != 0 || string(f.Payload) != "are you there" {
		t.Fatalf("got %+v %q %v, want a pong", f.Header, f.Payload, err)
	}
	c.SendFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(4001, "bye")))
	c.ExpectClose(4001, "bye")
}

func TestCompression_ACommandMayComeCompressedOrNot(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{OnPerform: echo}, on(kind), compressing)
		c := b.Compressed()
		c.SendFrame(compressed(t, `{"command":"subscribe","identifier":"größe"}`))
		c.Expect(confirmation("größe"))
		c.Command("message", "größe", "plain")
		c.Expect("plain")
		binary := compressed(t, `{"command":"message","identifier":"größe","data":"binary"}`)
		binary.Header.OpCode = ws.OpBinary
		c.SendFrame(binary)
		c.Expect("binary")
		large := strings.Repeat("large ", 2<<20) // 12 MB
		c.SendFrame(compressed(t, `{"command":"message","identifier":"größe","data":"`+large+`"}`))
		c.ExpectCompressed(large)
	})
}

func TestCompression_ACompressedCommandMayComeInPiecesWithPingsBetween(t *testing.T) {
	eachPoller(t, func(t *testing.T, kind polling) {
		c := startBridge(t, &fakeRails{}, on(kind), compressing).Compressed()
		pieces := inPieces(compressed(t, `{"command":"subscribe","identifier":"größe"}`))
		for _, piece := range pieces {
			c.SendFrame(ws.NewPingFrame(nil))
			c.SendFrame(piece)
		}
		for range pieces {
			if f, err := c.Next(); err != nil || f.Header.OpCode != ws.OpPong {
				t.Fatalf("got %v %q %v, want a pong", f.Header.OpCode, f.Payload, err)
			}
		}
		c.Expect(confirmation("größe"))
		c.SendFrame(compressed(t, `{"command":"subscribe","identifier":"whole"}`))
		c.Expect(confirmation("whole"))
	})
}

func TestCompression_ViolationsEndOnlyTheConnectionTheyComeFrom(t *testing.T) {
	marked := func(f ws.Frame, rsv byte) ws.Frame {
		f.Header.Rsv = rsv
		return f
	}
	half := marked(ws.NewFrame(ws.OpText, false, []byte{0xf2}), rsv1)
	text := compressed(t, `{"command":"subscribe","identifier":"room"}`)
	corrupt := ws.NewTextFrame([]byte("\xff\xff this was never compressed"))
	for _, test := range []struct {
		name   string
		frames []ws.Frame
		code   ws.StatusCode
		reason string
	}{
		{"a compressed continuation", []ws.Frame{half, marked(ws.NewFrame(ws.OpContinuation, true, []byte{0}), rsv1)}, 1002, ""},
		{"a compressed text within a message", []ws.Frame{half, text}, 1002, ""},
		{"a compressed ping", []ws.Frame{marked(ws.NewPingFrame([]byte("p")), rsv1)}, 1002, ""},
		{"a compressed close", []ws.Frame{marked(ws.NewCloseFrame(nil), rsv1)}, 1002, ""},
		{"another reserved bit", []ws.Frame{marked(text, 2)}, 1002, ""},
		{"another reserved bit beside", []ws.Frame{marked(text, rsv1|1)}, 1002, ""},
		{"corrupt", []ws.Frame{marked(corrupt, rsv1)}, 1007, "Could not inflate a compressed message"},
		{"corrupt in pieces", inPieces(marked(corrupt, rsv1)), 1007, "Could not inflate a compressed message"},
		{"cut off", []ws.Frame{marked(ws.NewTextFrame(text.Payload[:len(text.Payload)/2]), rsv1)}, 1007, "Could not inflate a compressed message"},
		{"nothing at all", []ws.Frame{marked(ws.NewTextFrame(nil), rsv1)}, 1007, "Could not inflate a compressed message"},
		{"not UTF-8", []ws.Frame{compressed(t, "\xff")}, 1007, "Could not decode a text frame as UTF-8"},
		{"a bomb", []ws.Frame{bomb(t)}, 1009, "WebSocket frame length too large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachPoller(t, func(t *testing.T, kind polling) {
				b := startBridge(t, &fakeRails{}, on(kind), compressing)
				c, neighbour := b.Compressed(), b.Compressed()
				for _, f := range test.frames {
					// It may close before all has been sent.
					_ = ws.WriteFrame(c.conn, ws.MaskFrame(f))
				}
				if reason := expectCloseCode(c, test.code); test.reason != "" && reason != test.reason {
					t.Errorf("got reason %q, want %q", reason, test.reason)
				}
				c.Hangup()
				b.AwaitDisconnects(1)
				neighbour.Subscribe("room")
			})
		})
	}
}

func TestCompression_WorksThroughTLS(t *testing.T) {
	b := startBridge(t, &fakeRails{OnSubscribe: following}, compressing)
	secure := httptest.NewTLSServer(b.Server)
	t.Cleanup(secure.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dialer := ws.Dialer{
		TLSConfig:  &tls.Config{InsecureSkipVerify: true}, // the test's own server
		Extensions: []httphead.Option{wsflate.DefaultParameters.Option()},
	}
	conn, early, _, err := dialer.Dial(ctx, strings.Replace(secure.URL, "https", "wss", 1)+"/cable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &client{t: t, conn: conn, read: conn}
	if early != nil {
		c.read = early
	}
	c.Expect(`{"type":"welcome"}`)
	c.SendFrame(compressed(t, `{"command":"subscribe","identifier":"room"}`))
	c.Expect(confirmation("room"))
	long := longJSON("in secret")
	b.PubSub.Publish("room", []byte(long))
	c.ExpectCompressed(transmission("room", long))
	c.Hangup()
}

// longJSON is long enough to be compressed.
func longJSON(word string) string { return `"` + strings.Repeat(word+" ", 300) + `"` }

// bomb is 64 KB that make a message just too large.
func bomb(t testing.TB) ws.Frame {
	t.Helper()
	const mebibyte = 1 << 20
	one := compressed(t, strings.Repeat("0", mebibyte)).Payload
	block := append(slices.Clone(one), 0, 0, 0xff, 0xff)
	f := ws.NewTextFrame([]byte(strings.Repeat(string(block), 63) + string(one)))
	f.Header.Rsv = rsv1
	return f
}

func expectPlain(c *client, want string) {
	c.t.Helper()
	f, err := c.Next()
	if err != nil || f.Header.Rsv != 0 || f.Header.OpCode != ws.OpText || string(f.Payload) != want {
		c.t.Fatalf("got %+v %.200q %v, want the text %.200q, not compressed", f.Header, f.Payload, err, want)
	}
}

// expectCloseCode takes the next frame, which must be a close with this code, and returns its reason.
func expectCloseCode(c *client, want ws.StatusCode) string {
	c.t.Helper()
	f, err := c.Next()
	if err != nil || f.Header.OpCode != ws.OpClose {
		c.t.Fatalf("got %+v %.200q %v, want a close frame", f.Header, f.Payload, err)
	}
	code, reason := ws.ParseCloseFrameData(f.Payload)
	if code != want {
		c.t.Fatalf("got close %d %q, want %d", code, reason, want)
	}
	return reason
}

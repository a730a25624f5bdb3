package bridge

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// received is what an inbound hands on, in words.
type received []string

func (r *received) takesDeflated() bool     { return false }
func (r *received) receiveMessage(p []byte) { *r = append(*r, "message "+string(p)) }
func (r *received) receivePing(p []byte)    { *r = append(*r, "ping "+string(p)) }
func (r *received) receiveClose(code ws.StatusCode, reason string) {
	*r = append(*r, fmt.Sprintf("close %d %s", code, reason))
}

// readInPieces gives input to a fresh inbound, cut after each of these lengths, over and over.
func readInPieces(input []byte, pieces ...int) received {
	var got received
	return readInPiecesTo(&got, &got, input, pieces...)
}

// readInPiecesTo gives it to a receiver of one's own, which notes what it gets in got.
func readInPiecesTo(to frameReceiver, got *received, input []byte, pieces ...int) received {
	var in inbound
	for i := 0; len(input) > 0; i++ {
		n := min(max(pieces[i%len(pieces)], 1), len(input))
		// A copy, as the poller's buffer is: it is written over after the call.
		piece := bytes.Clone(input[:n])
		wrong := in.read(piece, to)
		clear(piece)
		if wrong != nil {
			return append(*got, fmt.Sprintf("violation %d %s", wrong.code, wrong.reason))
		}
		input = input[n:]
	}
	kept := 0
	if in.begun != nil {
		kept = len(in.begun.partial)
	}
	return append(*got, fmt.Sprintf("%d bytes kept", kept))
}

func masked(t testing.TB, frames ...ws.Frame) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, f := range frames {
		if err := ws.WriteFrame(&b, ws.MaskFrame(f)); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestInbound_FindsTheSameHoweverTheBytesArrive(t *testing.T) {
	input := masked(t,
		ws.NewTextFrame([]byte("one")), ws.NewPingFrame([]byte("p")), ws.NewTextFrame(nil),
		ws.NewFrame(ws.OpText, false, []byte("two ")), ws.NewPongFrame(nil), ws.NewFrame(ws.OpContinuation, true, []byte("halves")),
		ws.NewTextFrame([]byte(strings.Repeat("long ", 20000))), ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye")),
	)
	want := received{
		"message one", "ping p", "message ", "message two halves", "message " + strings.Repeat("long ", 20000), "close 1000 bye", "0 bytes kept",
	}
	for _, pieces := range [][]int{{len(input)}, {1}, {2, 3}, {4096}, {7, 1, 64}} {
		if got := readInPieces(input, pieces...); !slices.Equal(got, want) {
			t.Errorf("in pieces of %d: got %.200q", pieces, got)
		}
	}
}

func TestInbound_KeepsNothingWhileIdle(t *testing.T) {
	var in inbound
	var got received
	whole := masked(t, ws.NewTextFrame([]byte("{}")))
	first, last := ws.NewFrame(ws.OpText, false, []byte("{")), ws.NewFrame(ws.OpContinuation, true, []byte("}"))
	for _, piece := range [][]byte{bytes.Clone(whole), whole[:1], whole[1:], masked(t, first), masked(t, last)} {
		if wrong := in.read(piece, &got); wrong != nil {
			t.Fatal(wrong)
		}
	}
	if len(got) != 3 || in.begun != nil {
		t.Errorf("got %q, and kept %+v", got, in.begun)
	}
}

func TestInbound_TakesNothingAfterACloseOrAViolation(t *testing.T) {
	for name, last := range map[string][]byte{
		"close":     masked(t, ws.NewCloseFrame(ws.NewCloseFrameBody(1000, ""))),
		"violation": {0x81, 0x00}, // not masked
	} {
		var in inbound
		var got received
		command := masked(t, ws.NewTextFrame([]byte("{}")))
		_ = in.read(append(last, command...), &got)
		before := len(got)
		if wrong := in.read(bytes.Repeat([]byte{0x81, 0x00}, 10), &got); wrong != nil {
			t.Errorf("after a %s: a second violation, %s", name, wrong.reason)
		}
		_ = in.read(command[:1], &got)
		if len(got) != before || slices.Contains(got, "message {}") || in.begun != nil {
			t.Errorf("after a %s: got %q, and kept %+v", name, got, in.begun)
		}
	}
}

func TestInbound_BoundsAMessageThatComesInManyFrames(t *testing.T) {
	in := inbound{begun: &begun{fragmented: true, message: make([]byte, maxMessage-3)}}
	var got received
	if wrong := in.read(masked(t, ws.NewFrame(ws.OpContinuation, true, []byte("1234"))), &got); wrong != tooLarge {
		t.Errorf("got %v, want %v", wrong, tooLarge)
	}
}

func FuzzInbound(f *testing.F) {
	f.Add(masked(f, ws.NewTextFrame([]byte(`{"command":"subscribe","identifier":"{}"}`))), uint8(3), uint8(200))
	f.Add(masked(f, ws.NewFrame(ws.OpText, false, []byte("a")), ws.NewFrame(ws.OpContinuation, true, []byte("b"))), uint8(1), uint8(1))
	f.Add([]byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, uint8(5), uint8(9))
	f.Fuzz(func(t *testing.T, input []byte, a, b uint8) {
		whole := readInPieces(input, max(len(input), 1))
		pieces := readInPieces(input, int(a), int(b))
		if !slices.Equal(whole, pieces) {
			t.Errorf("at once: %q\nin pieces: %q", whole, pieces)
		}
	})
}

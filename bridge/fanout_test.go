package bridge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/protocol"
)

// endlessSocket takes all, and forgets it.
type endlessSocket struct{ socket }

func (endlessSocket) tryWrite(p []byte) (int, error) { return len(p), nil }

// longPayload is what Turbo broadcasts: HTML as JSON.
var longPayload = []byte(`"` + strings.Repeat(`\u003cli class=\"message\"\u003e\u003cb\u003eAnn\u003c/b\u003e How are you?\u003c/li\u003e`, 20) + `"`)

// stoppedLane is a lane whose goroutine has ended, so that a test can be it.
func stoppedLane() *lane {
	m, _ := newMetrics(nil, false)
	l := newLane(m)
	l.stop()
	return l
}

// join makes a follower without a socket.
func follow(l *lane, broadcasting string, identifier protocol.Identifier) *stream {
	c := &Connection{server: &Server{metrics: l.metrics}}
	c.outbound.socket = endlessSocket{}
	s := &stream{subscription: &subscription{connection: c, identifier: identifier, joining: 1}, broadcasting: broadcasting}
	l.join(s)
	return s
}

func TestLane_FramesOnceForAllWhoShareAnIdentifier(t *testing.T) {
	l := stoppedLane()
	for range 1000 {
		follow(l, "room", "one identifier")
	}
	m := &message{broadcasting: "room", payload: []byte(`"hello"`)}
	allocated := testing.AllocsPerRun(100, func() { l.transmit(m) })
	if allocated != 0 {
		t.Errorf("%v allocations for 1000 deliveries of a framed message, want none", allocated)
	}
	first := m.frame
	l.transmit(m)
	if &first[0] != &m.frame[0] {
		t.Error("the frame was made again")
	}
}

func TestLane_CompressesOnceForAllWhoNegotiatedIt(t *testing.T) {
	l := stoppedLane()
	for i := range 1000 {
		follow(l, "room", "one identifier").subscription.connection.deflates = i%2 == 0
	}
	m := &message{broadcasting: "room", payload: longPayload}
	allocated := testing.AllocsPerRun(100, func() { l.transmit(m) })
	if allocated != 0 {
		t.Errorf("%v allocations for 1000 deliveries of a compressed message, want none", allocated)
	}
	if len(m.deflated) != 1 || len(m.deflated[0].frame) >= len(m.frame) {
		t.Errorf("got %d compressed frames, want one that is shorter than %d bytes", len(m.deflated), len(m.frame))
	}
}

func TestLane_CompressesForNobodyWhereNobodyNegotiatedIt(t *testing.T) {
	l := stoppedLane()
	follow(l, "room", "one identifier")
	gone := follow(l, "room", "one identifier")
	gone.subscription.connection.deflates = true
	gone.left.Store(true)
	m := &message{broadcasting: "room", payload: longPayload}
	l.transmit(m)
	if m.deflated != nil {
		t.Error("the message was compressed")
	}
}

func TestMessage_RemembersTheCompressedFramesOfFewIdentifiersAlone(t *testing.T) {
	m := &message{payload: longPayload}
	for n := range 3 * keptDeflated {
		identifier := protocol.Identifier(fmt.Sprint(n))
		plain := m.frameFor(identifier, protocol.NewEnvelope(identifier))
		first, again := m.deflatedFor(identifier, plain), m.deflatedFor(identifier, plain)
		if same := &first[0] == &again[0]; same != (n < keptDeflated) {
			t.Errorf("identifier %d: remembered %v", n, same)
		}
	}
}

func TestLane_ForgetsABroadcastingWithItsLastFollower(t *testing.T) {
	l := stoppedLane()
	var streams []*stream
	for i := range 20 {
		streams = append(streams, follow(l, "room", protocol.Identifier(fmt.Sprint(i%3))))
	}
	for i, s := range streams {
		s.left.Store(true)
		l.leave(s)
		l.leave(s)
		if got, want := l.followers["room"] == nil, i == len(streams)-1; got != want {
			t.Fatalf("after %d of %d have left: forgotten %v, want %v", i+1, len(streams), got, want)
		}
	}
}

func BenchmarkBroadcast(b *testing.B) {
	for _, identifiers := range []int{1, 10} {
		b.Run(fmt.Sprintf("subscriptions=1000/identifiers=%d", identifiers), func(b *testing.B) {
			l := stoppedLane()
			for i := range 1000 {
				follow(l, "room", protocol.Identifier(fmt.Sprintf(`{"channel":"RoomChannel","id":%d}`, i%identifiers)))
			}
			payload := []byte(`{"body":"a message of the usual length, as people write them","user":42}`)
			b.ReportAllocs()
			for b.Loop() {
				l.transmit(&message{broadcasting: "room", payload: payload})
			}
		})
	}
}

// BenchmarkBroadcastCompressed is a long broadcast to followers of whom so many negotiated compression.
func BenchmarkBroadcastCompressed(b *testing.B) {
	for _, negotiated := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("subscriptions=1000/negotiated=%d", negotiated), func(b *testing.B) {
			l := stoppedLane()
			for i := range 1000 {
				follow(l, "room", `{"channel":"RoomChannel","id":1}`).subscription.connection.deflates = i < negotiated
			}
			b.ReportAllocs()
			for b.Loop() {
				l.transmit(&message{broadcasting: "room", payload: longPayload})
			}
		})
	}
}

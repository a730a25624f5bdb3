package bridge

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cablestay/cablestay/protocol"
)

// endlessSocket takes all, and forgets it.
type endlessSocket struct{ socket }

func (endlessSocket) tryWrite(p []byte) (int, error) { return len(p), nil }

func (endlessSocket) touch() int { return 0 }

// countingSocket takes all, and counts it.
type countingSocket struct {
	socket
	taken *int
}

func (countingSocket) touch() int { return 0 }

func (s countingSocket) tryWrite(p []byte) (int, error) {
	*s.taken++
	return len(p), nil
}

// longPayload is what Turbo broadcasts: HTML as JSON.
var longPayload = []byte(`"` + strings.Repeat(`\u003cli class=\"message\"\u003e\u003cb\u003eAnn\u003c/b\u003e How are you?\u003c/li\u003e`, 20) + `"`)

// stoppedLane is a lane whose goroutine has ended, so that a test can be it.
func stoppedLane() *lane {
	m, _ := newMetrics(nil, false)
	l := newLane(m, new(atomic.Int32), nil)
	l.stop()
	return l
}

// follow makes a follower without a socket.
func follow(l *lane, broadcasting string, identifier protocol.Identifier) *stream {
	s := unjoined(l, broadcasting, identifier)
	l.join(s)
	return s
}

func unjoined(l *lane, broadcasting string, identifier protocol.Identifier) *stream {
	c := &Connection{server: &Server{metrics: l.metrics}}
	c.outbound.socket = endlessSocket{}
	return &stream{subscription: &subscription{connection: c, identifier: identifier, joining: 1}, broadcasting: broadcasting}
}

// deliverAll delivers the message to the last follower.
func deliverAll(l *lane, m *message) {
	for l.broadcast(m); len(l.busy) > 0; {
		l.goOn()
	}
}

func TestLane_FramesOnceForAllWhoShareAnIdentifier(t *testing.T) {
	l := stoppedLane()
	for range 1000 {
		follow(l, "room", "one identifier")
	}
	m := &message{broadcasting: "room", payload: []byte(`"hello"`)}
	allocated := testing.AllocsPerRun(100, func() { deliverAll(l, m) })
	if allocated != 0 {
		t.Errorf("%v allocations for 1000 deliveries of a framed message, want none", allocated)
	}
	first := m.frame
	deliverAll(l, m)
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
	allocated := testing.AllocsPerRun(100, func() { deliverAll(l, m) })
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
	deliverAll(l, m)
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

// writtenSocket takes all, and notes which payload it was.
type writtenSocket struct {
	socket
	name string
	got  *[]string
}

func (writtenSocket) touch() int { return 0 }

func (s writtenSocket) tryWrite(p []byte) (int, error) {
	_, message, _ := strings.Cut(string(p), `"message":`)
	*s.got = append(*s.got, s.name+" "+strings.TrimSuffix(message, "}"))
	return len(p), nil
}

// noted has the stream's connection note what it gets.
func noted(s *stream, name string, got *[]string) *stream {
	s.subscription.connection.outbound.socket = writtenSocket{name: name, got: got}
	return s
}

func TestLane_AStreamThatManyFollowDoesNotHoldUpAnother(t *testing.T) {
	l := stoppedLane()
	for range 3 * deliverySlice {
		follow(l, "popular", "one identifier")
	}
	var got []string
	noted(follow(l, "popular", "one identifier"), "the last", &got)
	noted(follow(l, "quiet", "one identifier"), "another", &got)
	l.broadcast(&message{broadcasting: "popular", payload: []byte(`1`)})
	l.broadcast(&message{broadcasting: "popular", payload: []byte(`2`)})
	deliverAll(l, &message{broadcasting: "quiet", payload: []byte(`3`)})
	if want := []string{"another 3", "the last 1", "the last 2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLane_WhoJoinsOrLeavesDuringADeliveryDoesSoAtItsPlace(t *testing.T) {
	l := stoppedLane()
	var got []string
	var last *stream
	for range 3 * deliverySlice {
		last = follow(l, "room", "one identifier")
	}
	noted(last, "leaver", &got)
	l.broadcast(&message{broadcasting: "room", payload: []byte(`1`)})
	joiner := unjoined(l, "room", "another identifier")
	noted(joiner, "joiner", &got)
	l.handle(&laneEvent{join: joiner})
	l.broadcast(&message{broadcasting: "room", payload: []byte(`2`)})
	deliverAll(l, &message{broadcasting: "room", payload: []byte(`3`)})
	last.left.Store(true)
	l.handle(&laneEvent{leave: last})
	deliverAll(l, &message{broadcasting: "room", payload: []byte(`4`)})
	if want := []string{"leaver 1", "leaver 2", "joiner 2", "leaver 3", "joiner 3", "joiner 4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLane_WhoLeavesDuringADeliveryGetsNothingMore(t *testing.T) {
	l := stoppedLane()
	var got []string
	var streams []*stream
	for range 3 * deliverySlice {
		streams = append(streams, follow(l, "room", "one identifier"))
	}
	last := noted(streams[len(streams)-1], "the last", &got)
	l.broadcast(&message{broadcasting: "room", payload: []byte(`1`)})
	for _, s := range streams {
		s.left.Store(true)
		l.handle(&laneEvent{leave: s})
	}
	l.handle(&laneEvent{leave: last}) // once more changes nothing
	deliverAll(l, &message{broadcasting: "room", payload: []byte(`2`)})
	if len(got) > 0 || l.followers["room"] != nil {
		t.Errorf("got %q, and the broadcasting is kept: %v", got, l.followers["room"] != nil)
	}
}

// popularLane is a lane with a room that many follow.
func popularLane() *lane {
	m, _ := newMetrics(nil, false)
	l := newLane(m, new(atomic.Int32), nil)
	followed := make(chan struct{})
	l.post(laneEvent{inspect: func(l *lane) {
		for range 3 * deliverySlice {
			follow(l, "room", "one identifier")
		}
		close(followed)
	}})
	<-followed
	return l
}

func TestLane_MakesRoomForAsManyBroadcastsAsItHasDelivered(t *testing.T) {
	l := popularLane()
	for range 2 * laneBacklog {
		l.postMessage(&message{broadcasting: "room", payload: []byte(`1`)})
		l.postMessage(&message{broadcasting: "nobody's", payload: []byte(`1`)})
	}
	l.stop()
	if l.waiting != 0 || len(l.busy) > 0 {
		t.Errorf("%d broadcasts count as waiting, and %d are under way, in a lane that has ended", l.waiting, len(l.busy))
	}
}

func TestLane_IsInspectedWhenNothingIsUnderWay(t *testing.T) {
	l := popularLane()
	busy := -1
	l.postMessage(&message{broadcasting: "room", payload: []byte(`1`)})
	l.post(laneEvent{inspect: func(l *lane) { busy = len(l.busy) }})
	l.stop()
	if busy != 0 {
		t.Errorf("%d deliveries were under way, want none", busy)
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
		l.handle(&laneEvent{leave: s})
		l.handle(&laneEvent{leave: s})
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
				deliverAll(l, &message{broadcasting: "room", payload: payload})
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
				deliverAll(l, &message{broadcasting: "room", payload: longPayload})
			}
		})
	}
}

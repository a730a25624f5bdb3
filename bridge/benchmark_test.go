package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
)

// sizes are those of payloads: a short message, a rendered partial, a page.
var sizes = []int{128, 1 << 10, 64 << 10}

func stringOf(size int) []byte { return []byte(`"` + strings.Repeat("a", size-2) + `"`) }

// BenchmarkFrame is what a transmission to one connection takes: a header in front of its text.
func BenchmarkFrame(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			payload := stringOf(size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				textFrame(payload)
			}
		})
	}
}

// BenchmarkMessageFrame is what each broadcast takes once: its payload spliced into the envelope, and a header.
func BenchmarkMessageFrame(b *testing.B) {
	const identifier protocol.Identifier = `{"channel":"RoomChannel","id":1}`
	envelope := protocol.NewEnvelope(identifier)
	for _, size := range sizes {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			payload := stringOf(size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				m := message{payload: payload}
				m.frameFor(identifier, envelope)
			}
		})
	}
}

// ignoring is a frameReceiver that has no use for messages.
type ignoring struct{ frameReceiver }

func (ignoring) receiveMessage([]byte) {}

// BenchmarkInbound takes a client's frame out of what the socket read.
func BenchmarkInbound(b *testing.B) {
	sent := masked(b, ws.NewTextFrame([]byte(`{"command":"message","identifier":"{\"channel\":\"ChatChannel\",\"room\":1}","data":"{\"action\":\"speak\"}"}`)))
	read := make([]byte, len(sent))
	var in inbound
	b.SetBytes(int64(len(sent)))
	b.ReportAllocs()
	for b.Loop() {
		copy(read, sent) // it is unmasked where it lies
		if wrong := in.read(read, ignoring{}); wrong != nil {
			b.Fatal(wrong.reason)
		}
	}
}

// BenchmarkRooms broadcasts to one after the other of many broadcastings with few followers, where BenchmarkBroadcast has
// one with many. Both deliver a thousand in each round.
func BenchmarkRooms(b *testing.B) {
	const rooms, each = 100, 10
	l := stoppedLane()
	names := make([]string, rooms)
	for i := range names {
		names[i] = fmt.Sprint("room ", i)
		for range each {
			follow(l, names[i], protocol.Identifier(fmt.Sprintf(`{"channel":"RoomChannel","id":%d}`, i)))
		}
	}
	payload := stringOf(sizes[0])
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			deliverAll(l, &message{broadcasting: name, payload: payload})
		}
	}
}

// answering is a Rails that has the same answer for every action.
type answering struct {
	Rails
	answer *rpc.CommandAnswer
}

func (a answering) Perform(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
	return a.answer, nil
}

func withRails(answer *rpc.CommandAnswer) *subscription {
	m, _ := newMetrics(nil, false)
	c := &Connection{id: "c", server: &Server{rails: answering{answer: answer}, metrics: m, log: slog.New(slog.DiscardHandler), background: context.Background()}}
	c.outbound.socket = endlessSocket{}
	s := &subscription{connection: c, identifier: `{"channel":"RoomChannel","id":1}`, subscribed: true}
	c.subscriptions.add(s)
	return s
}

// BenchmarkState is the bridge's own part in an action: the state of both goes to Rails and comes back.
func BenchmarkState(b *testing.B) {
	for _, size := range []int{0, 256, 4 << 10} {
		for _, changed := range []bool{false, true} {
			b.Run(fmt.Sprintf("bytes=%d/changed=%v", size, changed), func(b *testing.B) {
				answer := &rpc.CommandAnswer{Subscribed: true}
				if state := strings.Repeat("s", size); changed {
					answer.State, answer.ConnectionState = &state, &state
				}
				s := withRails(answer)
				s.state, s.connection.state = strings.Repeat("s", size), strings.Repeat("s", size)
				t := task{command: protocol.Command{Name: protocol.Message, Identifier: s.identifier, Data: `{"action":"speak"}`}}
				b.ReportAllocs()
				for b.Loop() {
					s.execute(&t)
				}
			})
		}
	}
}

func TestState_IsKeptWithoutACopy(t *testing.T) {
	before, after := strings.Repeat("a", 1<<10), strings.Repeat("b", 1<<10)
	s := withRails(nil)
	s.connection.state = before
	if n := testing.AllocsPerRun(100, func() {
		s.connection.settleState(s.connection.state, &after)
		s.settle(true, &after)
	}); n != 0 {
		t.Errorf("%v allocations for a state that is kept, want none", n)
	}
	if s.state != after || s.connection.state != after {
		t.Error("the state was not kept")
	}
}

// Frames are made for each identifier, and for nobody in particular.
func TestLane_AllocatesAsMuchForTenFollowersAsForAThousand(t *testing.T) {
	for _, identifiers := range []int{1, 10} {
		allocated := func(followers int) float64 {
			l := stoppedLane()
			for i := range followers {
				follow(l, "room", protocol.Identifier(fmt.Sprint(i%identifiers)))
			}
			return testing.AllocsPerRun(100, func() { deliverAll(l, &message{broadcasting: "room", payload: []byte(`"hello"`)}) })
		}
		if few, many := allocated(10), allocated(1000); few != many {
			t.Errorf("%d identifiers: %v allocations for 10 followers, %v for 1000", identifiers, few, many)
		}
	}
}

func TestBeats_AllocateAsMuchForTenPingsAsForAThousand(t *testing.T) {
	allocated := func(connections int) float64 {
		var b beats
		l := stoppedLane()
		for range connections {
			b.add(follow(l, "room", "one identifier").subscription.connection)
		}
		now := time.Unix(1700000000, 0)
		return testing.AllocsPerRun(10, func() {
			for range beatSlots {
				pingAll(&b, now)
				now = now.Add(beatTick)
			}
		})
	}
	if few, many := allocated(beatSlots), allocated(100*beatSlots); few == 0 || few != many {
		t.Errorf("%v allocations where one of each slot is pinged, %v for a hundred", few, many)
	}
}

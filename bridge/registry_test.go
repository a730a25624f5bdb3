package bridge

import (
	"fmt"
	"log/slog"
	"math/rand"
	"sync/atomic"
	"testing"

	"github.com/cablestay/cablestay/protocol"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// toldPubSub notes what it is asked for, so that a test can be the server that answers.
type toldPubSub struct {
	followed    map[string]bool
	subscribed  []string // to be acknowledged
	barriers    []uint64
	unsubscribe int
}

func (p *toldPubSub) Subscribe(broadcasting string) {
	p.followed[broadcasting] = true
	p.subscribed = append(p.subscribed, broadcasting)
}

func (p *toldPubSub) Unsubscribe(broadcasting string) {
	delete(p.followed, broadcasting)
	p.unsubscribe++
}

func (p *toldPubSub) Barrier(token uint64) { p.barriers = append(p.barriers, token) }

// answer is what Redis says next.
func (p *toldPubSub) answer(r *Streams) {
	for _, name := range p.subscribed {
		r.Subscribed(name)
	}
	for _, token := range p.barriers {
		r.Passed(token)
	}
	p.subscribed, p.barriers = p.subscribed[:0], p.barriers[:0]
}

// registry is a Streams with everything around it that it needs, and streams that have not asked to be followed.
type registry struct {
	*Streams
	told    *toldPubSub
	lanes   []*lane
	streams []*stream
}

// newRegistry spreads connections with ten subscriptions each over lanes, and their streams over broadcastings.
func newRegistry(lanes, connections, broadcastings int, newLane func(*metrics, *atomic.Int32) *lane) *registry {
	m, _ := newMetrics(nil, false)
	r := &registry{told: &toldPubSub{followed: map[string]bool{}}}
	for range lanes {
		r.lanes = append(r.lanes, newLane(m, new(atomic.Int32)))
	}
	r.Streams = newStreams(r.told, r.lanes, slog.New(slog.DiscardHandler), m)
	lane := Connection{}.lane
	for i := range connections {
		if i%lanes == 0 {
			lane = 0
		}
		c := &Connection{server: &Server{metrics: m, streams: r.Streams}, lane: lane}
		lane++
		c.outbound.socket = endlessSocket{}
		for j := range 10 {
			room := (10*i + j) % broadcastings
			s := &subscription{connection: c, identifier: intern(protocol.Identifier(fmt.Sprintf(`{"channel":"RoomChannel","id":%d}`, room)))}
			r.streams = append(r.streams, s.stream(fmt.Sprint("room ", room)))
		}
	}
	return r
}

// leave is what stop_stream_from does.
func (s *stream) leave() {
	c := s.subscription.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	s.subscription.leaveLocked(s)
}

func (r *registry) inLanes(t *testing.T) (joined int) {
	t.Helper()
	for i, l := range r.lanes {
		n, _, err := l.count()
		if err != nil {
			t.Errorf("lane %d: %v", i, err)
		}
		joined += n
	}
	return joined
}

func TestStreams_StayRightWithAHundredThousandSubscriptions(t *testing.T) {
	const connections, broadcastings = 10_000, 1000
	r := newRegistry(4, connections, broadcastings, func(m *metrics, working *atomic.Int32) *lane { return newLane(m, working, nil) })
	for _, l := range r.lanes {
		defer l.stop()
	}
	all := len(r.streams)
	following := func(n int) map[string]int {
		counts := make(map[string]int)
		for _, s := range r.streams[:n] {
			counts[s.broadcasting]++
		}
		return counts
	}
	check := func(when string, n int) {
		t.Helper()
		r.told.answer(r.Streams)
		if joined := r.inLanes(t); joined != n {
			t.Errorf("%s: lanes have %d streams, want %d", when, joined, n)
		}
		if counted := r.Streams.inLanes(); counted != n {
			t.Errorf("%s: %d are counted, want %d", when, counted, n)
		}
		counts := following(n)
		if followed := len(r.told.followed); followed != len(counts) {
			t.Errorf("%s: %d broadcastings are followed, want %d", when, followed, len(counts))
		}
		if gauge := testutil.ToFloat64(r.metrics.broadcastings); int(gauge) != len(counts) {
			t.Errorf("%s: the metric has %v broadcastings, want %d", when, gauge, len(counts))
		}
		for _, err := range r.check(counts) {
			t.Errorf("%s: %v", when, err)
		}
	}

	for _, s := range r.streams {
		r.follow(s)
	}
	check("all have joined", all)
	for _, s := range r.streams {
		if !s.live || s.subscription.joining != 0 {
			t.Fatal("a stream has joined and its subscription does not know")
		}
	}

	rand.New(rand.NewSource(1)).Shuffle(all, func(i, j int) { r.streams[i], r.streams[j] = r.streams[j], r.streams[i] })
	for _, s := range r.streams[all/2:] {
		s.leave()
	}
	check("half have left", all/2)
	for _, s := range r.streams {
		s.leave() // for half of them the second time, which changes nothing
	}
	check("all have left", 0)
	if len(r.broadcastings) != 0 || len(r.acknowledgements) != 0 || len(r.barriers) != 0 {
		t.Errorf("left over: %d broadcastings, %d acknowledgements, %d barriers", len(r.broadcastings), len(r.acknowledgements), len(r.barriers))
	}
	if r.told.unsubscribe != broadcastings {
		t.Errorf("unsubscribed %d times, want once from each of %d", r.told.unsubscribe, broadcastings)
	}
	for i, l := range r.lanes {
		done := make(chan int)
		l.post(laneEvent{inspect: func(l *lane) { done <- len(l.followers) }})
		if n := <-done; n != 0 {
			t.Errorf("lane %d has %d broadcastings that nobody follows", i, n)
		}
	}
}

// BenchmarkStreams is a stream that joins and one that leaves, its lane's part included, beside 100,000 others.
func BenchmarkStreams(b *testing.B) {
	for _, broadcastings := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("subscriptions=100000/broadcastings=%d", broadcastings), func(b *testing.B) {
			r := newRegistry(2, 10_000, broadcastings, func(*metrics, *atomic.Int32) *lane { return stoppedLane() })
			var events []laneEvent
			work := func() { // what the lanes would do
				r.told.answer(r.Streams)
				for _, l := range r.lanes {
					events, _ = l.take(events)
					for i := range events {
						l.handle(&events[i])
					}
					clear(events)
				}
			}
			for _, s := range r.streams {
				r.follow(s)
			}
			work()
			next := 0
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				old := r.streams[next]
				old.leave()
				s := &stream{subscription: old.subscription, broadcasting: old.broadcasting}
				s.subscription.joining++
				r.follow(s)
				work()
				r.streams[next] = s
				next = (next + 1) % len(r.streams)
			}
		})
	}
}

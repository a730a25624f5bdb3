package bridge

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cablestay/cablestay/protocol"
)

// A stream is a subscription that follows a broadcasting (stream_from).
type stream struct {
	subscription *subscription
	broadcasting string
	left         atomic.Bool // it gets nothing more
	asked        bool        // guarded by Streams.mu: it counts as a follower
	live         bool        // guarded by Connection.mu: it gets what is published

	// owned by the subscription's lane
	audience *audience // nil unless it has joined
	place    int       // in audience.members
}

// Streams knows how many follow which broadcasting, and when a new follower begins to get what is published.
//
// A follower joins at an exact place in the order of messages. For the first one that is where Redis acknowledges the
// SUBSCRIBE. For all others it is where Redis answers a PING sent after they asked: whatever was published before
// lies before it, so that what an event itself broadcast can't come to it a second time.
//
// Streams is the Receiver of the PubSub.
type Streams struct {
	pubsub  PubSub
	lanes   []*lane
	log     *slog.Logger
	metrics *metrics
	remote  func(connectionIdentifier string, payload []byte)

	mu            sync.Mutex // guards the following; no PubSub method waits, so they are called under it
	broadcastings map[string]*broadcasting
	// acknowledgements has, for each SUBSCRIBE that is on its way, the stream that it was sent for, or nil.
	acknowledgements map[string][]*stream
	barriers         map[uint64]func()
	barrier          uint64 // the last one
}

// broadcasting is what at least one stream, or one connection's internal channel, follows.
type broadcasting struct {
	followers int
	inLane    []int32 // of the followers, how many each lane has
}

func newStreams(pubsub PubSub, lanes []*lane, log *slog.Logger, m *metrics) *Streams {
	return &Streams{
		pubsub: pubsub, lanes: lanes, log: log, metrics: m,
		broadcastings:    make(map[string]*broadcasting),
		acknowledgements: make(map[string][]*stream),
		barriers:         make(map[uint64]func()),
	}
}

// follow makes s a follower. Its lane calls subscription.joined once it is one.
func (r *Streams) follow(s *stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.left.Load() {
		return // it was stopped, or its connection closed, before it came this far
	}
	s.asked = true
	if r.holdLocked(s.broadcasting, s) {
		r.passedLocked(func() { r.join(s) })
	}
	r.broadcastings[s.broadcasting].inLane[s.subscription.connection.lane]++
}

// passed calls back when all that was followed before is, and all that was published before has come.
func (r *Streams) passed(then func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.passedLocked(then)
}

func (r *Streams) passedLocked(then func()) {
	r.barrier++
	r.barriers[r.barrier] = then
	r.pubsub.Barrier(r.barrier)
}

// leave ends s, now: nothing is transmitted for it any more when leave has returned and a transmission that is under
// way is done.
func (r *Streams) leave(s *stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.left.Swap(true) || !s.asked {
		return
	}
	lane := s.subscription.connection.lane
	r.broadcastings[s.broadcasting].inLane[lane]--
	r.releaseLocked(s.broadcasting)
	r.lanes[lane].post(laneEvent{leave: s})
}

// hold follows a connection identifier's internal channel, on which Rails says whom to disconnect
// (ActionCable::Connection::InternalChannel). Stock does not wait for the acknowledgement either.
func (r *Streams) hold(connectionIdentifier string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holdLocked(internalChannel(connectionIdentifier), nil)
}

func (r *Streams) release(connectionIdentifier string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.releaseLocked(internalChannel(connectionIdentifier))
}

func internalChannel(connectionIdentifier string) string {
	return protocol.InternalPrefix + connectionIdentifier
}

// holdLocked counts one follower more, and tells whether there were any before. s waits for the acknowledgement
// where there were none.
func (r *Streams) holdLocked(name string, s *stream) (followed bool) {
	b := r.broadcastings[name]
	if b != nil {
		b.followers++
		return true
	}
	r.broadcastings[name] = &broadcasting{followers: 1, inLane: make([]int32, len(r.lanes))}
	r.metrics.broadcastings.Inc()
	r.acknowledgements[name] = append(r.acknowledgements[name], s)
	r.pubsub.Subscribe(name)
	return false
}

func (r *Streams) releaseLocked(name string) {
	b := r.broadcastings[name]
	if b.followers--; b.followers > 0 {
		return
	}
	delete(r.broadcastings, name)
	r.metrics.broadcastings.Dec()
	r.pubsub.Unsubscribe(name)
}

// Subscribed implements [Receiver].
func (r *Streams) Subscribed(name string) {
	r.mu.Lock()
	waiting := r.acknowledgements[name]
	if len(waiting) == 0 {
		r.mu.Unlock()
		r.log.Error("the PubSub acknowledged what nobody asked for", "broadcasting", name)
		return
	}
	s := waiting[0]
	if len(waiting) == 1 {
		delete(r.acknowledgements, name)
	} else {
		r.acknowledgements[name] = waiting[1:]
	}
	r.mu.Unlock()
	r.join(s)
}

// Passed implements [Receiver].
func (r *Streams) Passed(token uint64) {
	r.mu.Lock()
	then := r.barriers[token]
	delete(r.barriers, token)
	r.mu.Unlock()
	if then != nil {
		then()
	}
}

func (r *Streams) join(s *stream) {
	if s != nil {
		r.lanes[s.subscription.connection.lane].post(laneEvent{join: s})
	}
}

// Broadcast implements [Receiver].
func (r *Streams) Broadcast(name string, payload []byte) {
	if identifier, ok := strings.CutPrefix(name, protocol.InternalPrefix); ok {
		r.remote(identifier, payload)
	}
	lanes := r.lanesOf(name)
	if len(lanes) == 0 {
		return
	}
	r.metrics.broadcasts.Inc()
	// Stock decodes each payload and drops the one that it can't; a bad text frame would even close the socket.
	if err := protocol.CheckPayload(payload); err != nil {
		r.metrics.broadcastsDropped.Inc()
		r.log.Error("dropped a broadcast that is not JSON", "broadcasting", name, "bytes", len(payload), "error", err)
		return
	}
	m := &message{broadcasting: name, payload: payload}
	for _, l := range lanes {
		l.postMessage(m)
	}
}

// lanesOf is where somebody follows the broadcasting, or is about to.
func (r *Streams) lanesOf(name string) []*lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.broadcastings[name]
	if b == nil {
		return nil
	}
	lanes := make([]*lane, 0, len(r.lanes))
	for i, n := range b.inLane {
		if n > 0 {
			lanes = append(lanes, r.lanes[i])
		}
	}
	return lanes
}

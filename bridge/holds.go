package bridge

import (
	"errors"
	"strings"
	"sync"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
	"github.com/prometheus/client_golang/prometheus"
)

// A hold is what a worker keeps alive because it can't travel: a subscription's channel, or a whole connection. Events go to
// whoever holds their subscription, else to whoever holds their connection, else to any worker, with their state.

// becomeLive takes over what the answer to a subscription's event says of holds, and tells whether there is anything left for them.
func (s *subscription) becomeLive(answer *rpc.CommandAnswer) (taken bool) {
	live := answer.Live
	if live == nil {
		return false
	}
	c := s.connection
	c.mu.Lock()
	if answer.Subscribed {
		s.holdLocked(live)
	}
	whole := live.Connection && c.holdLocked(&rpc.Hold{Worker: live.Worker, ID: live.Hold})
	c.mu.Unlock()
	if live.Connection && !whole {
		c.log().Warn("two workers hold a connection; the first has it", "worker", live.Worker)
	}
	return answer.Subscribed || whole
}

// confirmLive tells the worker what became of the hold that its answer began, or went on with where known is set.
func (s *subscription) confirmLive(answer *rpc.CommandAnswer, taken, known bool) {
	live, c := answer.Live, s.connection
	switch {
	case live == nil:
	case taken && answer.Subscribed:
		s.held(live)
	case taken:
		c.attach(rpc.Hold{Worker: live.Worker, ID: live.Hold})
	case !known:
		c.drop(live)
	}
}

func (s *subscription) holdLocked(live *rpc.Live) {
	s.releaseLocked()
	s.hold = &rpc.Hold{Worker: live.Worker, ID: live.Hold}
	s.live = s.connection.server.metrics.live.of(s.identifier, live.Why)
	s.live.Inc()
}

// held tells whom it concerns.
func (s *subscription) held(live *rpc.Live) {
	c := s.connection
	c.log().Info("a subscription is live: a worker holds its channel", "channel", s.identifier.Channel(), "why", live.Why,
		"worker", live.Worker, "identifier", inShort(s.identifier))
	c.attach(rpc.Hold{Worker: live.Worker, ID: live.Hold})
}

// becomeLive is the same for the answer to the handshake.
func (c *Connection) becomeLive(live *rpc.Live) {
	c.log().Info("a connection is live: a worker holds it", "why", live.Why, "worker", live.Worker)
	c.attach(rpc.Hold{Worker: live.Worker, ID: live.Hold})
}

// holdLocked is false where another worker holds the connection already: that one goes on.
func (c *Connection) holdLocked(hold *rpc.Hold) bool {
	if c.hold != nil && *c.hold != *hold {
		return false
	}
	c.hold = hold
	return true
}

func (c *Connection) attach(hold rpc.Hold) {
	if err := c.server.rails.Attach(c.server.background, hold); err != nil {
		c.workerGone(err)
	}
}

// drop tells a worker that its offer is not taken. Else it would wait for a while, and then run the clean-up that has run without it.
func (c *Connection) drop(live *rpc.Live) {
	c.server.rails.Drop(rpc.Hold{Worker: live.Worker, ID: live.Hold})
}

// workerGone sends the client of something that was held to begin again.
func (c *Connection) workerGone(why error) {
	c.log().Info("the worker that held it is gone; the client is told to reconnect", "error", why)
	c.disconnect(closeWorkerGone, protocol.Disconnect{Reason: protocol.ServerRestart, Reconnect: true})
}

// holds tells whether the connection or one of its subscriptions has such a hold.
func (c *Connection) holds(such func(*rpc.Hold) bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hold != nil && such(c.hold) {
		return true
	}
	for s := range c.subscriptions.each() {
		if s.hold != nil && such(s.hold) {
			return true
		}
	}
	return false
}

// releaseLocked ends the subscription's hold.
func (s *subscription) releaseLocked() {
	if s.hold != nil {
		s.live.Dec()
		s.hold, s.live = nil, nil
	}
}

// addressLocked sets where the subscription's event goes, and leaves out the state of a channel that lives there. It tells
// whether the connection does.
func (s *subscription) addressLocked(request *rpc.CommandRequest) (living bool) {
	c := s.connection
	if request.Hold = s.hold; request.Hold == nil {
		request.Hold = c.hold
	}
	if s.hold != nil {
		request.State = ""
	}
	return c.hold != nil && *request.Hold == *c.hold
}

// part has every unsubscribed run, each where its channel lives, and then disconnect. What a worker held that is gone is
// ended elsewhere from its state, where that could travel; with the connection's own worker its disconnect is gone.
func (c *Connection) part(inOrder []*subscription) {
	c.mu.Lock()
	hold, state := c.hold, c.state
	c.mu.Unlock()
	last := &rpc.DisconnectRequest{Event: c.event(), ConnectionState: state}
	last.Hold = hold
	for _, s := range inOrder {
		one := rpc.SubscriptionState{Identifier: string(s.identifier), State: s.state}
		if s.hold != nil && hold != nil && *s.hold == *hold {
			one.State = ""
		} else if s.hold != nil && (s.partAlone(state) || s.state == "") {
			continue
		}
		last.Subscriptions = append(last.Subscriptions, one)
	}
	err := c.server.rails.Disconnect(c.server.background, last)
	if err != nil {
		c.disconnectFailed(last, err)
	}
	if errors.Is(err, rpc.ErrWorkerGone) {
		c.partWithoutWorker(inOrder, hold, state)
	}
}

// partWithoutWorker has unsubscribed run of what the connection's own worker would have ended, where its state could travel.
func (c *Connection) partWithoutWorker(inOrder []*subscription, hold *rpc.Hold, connectionState string) {
	rest := &rpc.DisconnectRequest{Event: c.event(), ConnectionState: connectionState, Partial: true}
	for _, s := range inOrder {
		if s.state != "" && (s.hold == nil || *s.hold == *hold) {
			rest.Subscriptions = append(rest.Subscriptions, rpc.SubscriptionState{Identifier: string(s.identifier), State: s.state})
		}
	}
	if len(rest.Subscriptions) == 0 {
		return
	}
	if err := c.server.rails.Disconnect(c.server.background, rest); err != nil {
		c.disconnectFailed(rest, err)
	}
}

// partAlone is false where the worker that held the subscription is gone.
func (s *subscription) partAlone(connectionState string) bool {
	c := s.connection
	request := &rpc.DisconnectRequest{
		Event: c.event(), ConnectionState: connectionState, Partial: true,
		Subscriptions: []rpc.SubscriptionState{{Identifier: string(s.identifier)}},
	}
	request.Hold = s.hold
	err := c.server.rails.Disconnect(c.server.background, request)
	if errors.Is(err, rpc.ErrWorkerGone) {
		return false
	}
	if err != nil {
		c.disconnectFailed(request, err)
	}
	return true
}

func (c *Connection) disconnectFailed(request *rpc.DisconnectRequest, err error) {
	c.server.metrics.disconnectsFailed.Inc()
	c.log().Error("disconnect did not run in Rails", "subscriptions", len(request.Subscriptions), "error", err)
}

const (
	// maxLiveKinds bounds the labels of the live subscriptions: clients and apps say what is in them.
	maxLiveKinds = 100
	// maxLabel is how much of a text becomes a label.
	maxLabel = 100
	// whyConnection is why a channel lives that could travel.
	whyConnection = "its connection lives"
	// otherKinds is the label of what is beyond.
	otherKinds = "other"
)

// liveSubscriptions counts what is held, by channel and by why.
type liveSubscriptions struct {
	gauges *prometheus.GaugeVec

	mu    sync.Mutex // guards the following
	known map[[2]string]struct{}
}

func newLiveSubscriptions() *liveSubscriptions {
	return &liveSubscriptions{known: make(map[[2]string]struct{}), gauges: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "cablestay", Name: "live_subscriptions",
		Help: "Subscriptions whose channel a Rails process keeps alive, by channel and by why.",
	}, []string{"channel", "why"})}
}

func (l *liveSubscriptions) of(identifier protocol.Identifier, why string) prometheus.Gauge {
	if why == "" {
		why = whyConnection
	}
	kind := [2]string{label(channelName(identifier)), label(why)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.known[kind]; !ok && len(l.known) >= maxLiveKinds {
		kind = [2]string{otherKinds, otherKinds}
	} else {
		l.known[kind] = struct{}{}
	}
	return l.gauges.WithLabelValues(kind[0], kind[1])
}

func label(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxLabel)], "")
}

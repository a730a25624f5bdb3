package bridge

import (
	"slices"

	"github.com/cablestay/cablestay/protocol"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the bridge's own. Labels name kinds of things, never a broadcasting, an identifier or a person.
type metrics struct {
	connections          prometheus.Gauge
	subscriptions        prometheus.Gauge
	broadcastings        prometheus.Gauge
	handshakes           *prometheus.CounterVec
	commands             *prometheus.CounterVec
	commandsFailed       *prometheus.CounterVec
	live                 *liveSubscriptions
	ticks                *prometheus.CounterVec
	mergesFailed         prometheus.Counter
	disconnectsFailed    prometheus.Counter
	broadcasts           prometheus.Counter
	broadcastsDropped    prometheus.Counter
	transmissions        prometheus.Counter
	transmissionsDropped *prometheus.CounterVec
	deflateSaved         prometheus.Counter
	closed               *prometheus.CounterVec
	channels             *channelCounters // nil where transmissions are not counted by channel
}

// Outcomes of a handshake.
const (
	handshakeAccepted    = "accepted"    // a socket, and a welcome
	handshakeRejected    = "rejected"    // a socket that Rails closed at once
	handshakeRefused     = "refused"     // Rails answered with HTTP instead
	handshakeInvalid     = "invalid"     // no WebSocket handshake of RFC 6455
	handshakeUnavailable = "unavailable" // no answer from Rails, or the bridge is shutting down
	handshakeLost        = "lost"        // the client left before the upgrade
	handshakeNotFound    = "not_found"   // no cable path
)

var handshakeOutcomes = []string{
	handshakeAccepted, handshakeRejected, handshakeRefused, handshakeInvalid, handshakeUnavailable, handshakeLost, handshakeNotFound,
}

var commandNames = []string{string(protocol.Subscribe), string(protocol.Unsubscribe), string(protocol.Message)}

// commandUnrecognized is what is no command.
const commandUnrecognized = "unrecognized"

// What becomes of a timer's tick.
const (
	tickSent    = "sent"    // it is in line
	tickSkipped = "skipped" // the one before was not done
)

// Reasons why a transmission was dropped.
const (
	droppedClosing = "closing" // the connection was on its way out
	droppedSlow    = "slow"    // it was queued for a slow consumer
)

func newMetrics(registerer prometheus.Registerer, byChannel bool) (*metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "cablestay", Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "cablestay", Name: name, Help: help})
	}
	// All are there from the start, so that the first of its kind is an increase too.
	counters := func(name, help, label string, values ...string) *prometheus.CounterVec {
		all := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "cablestay", Name: name, Help: help}, []string{label})
		for _, value := range values {
			all.WithLabelValues(value)
		}
		return all
	}
	m := &metrics{
		connections:   gauge("connections", "Open connections."),
		subscriptions: gauge("subscriptions", "Subscriptions of all connections."),
		broadcastings: gauge("broadcastings", "Broadcastings that at least one stream, or a connection's internal channel, follows."),
		handshakes:    counters("handshakes_total", "Handshakes by what became of them.", "outcome", handshakeOutcomes...),
		commands:      counters("commands_total", "Commands received from clients.", "command", commandNames...),
		commandsFailed: counters("commands_failed_total", "Commands that Rails did not answer, or that nothing could be done with.",
			"command", slices.Concat(commandNames, []string{commandUnrecognized, eventTimer})...),
		live:              newLiveSubscriptions(),
		ticks:             counters("timer_ticks_total", "Ticks of timers (periodically) by what became of them.", "outcome", tickSent, tickSkipped),
		mergesFailed:      counter("merges_failed_total", "Times that Rails could not make one of two states of a connection."),
		disconnectsFailed: counter("disconnects_failed_total", "Connections whose disconnect event Rails did not answer."),
		broadcasts:        counter("broadcasts_total", "Broadcasts received for a broadcasting that somebody here follows."),
		broadcastsDropped: counter("broadcasts_dropped_total", "Broadcasts dropped because their payload was not JSON in UTF-8."),
		transmissions:     counter("transmissions_total", "Transmissions of broadcasts and of what channels transmit; no pings."),
		transmissionsDropped: counters("transmissions_dropped_total", "Transmissions that their connection did not take.", "reason",
			droppedClosing, droppedSlow),
		deflateSaved: counter("compression_saved_bytes_total", "Bytes that broadcasts were shorter for being compressed, over all who got them."),
		closed:       counters("connections_closed_total", "Connections closed by the bridge, by why.", "reason", closeReasons...),
	}
	var transmissions prometheus.Collector = m.transmissions
	if byChannel {
		all := counters("transmissions_total", "Transmissions by the class of the channel whose stream they came from; none for what "+
			"connections and channels transmit by themselves; no pings.", "channel", "")
		m.transmissions, m.channels, transmissions = all.WithLabelValues(""), newChannelCounters(all), all
	}
	if registerer == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.connections, m.subscriptions, m.broadcastings, m.handshakes, m.commands, m.commandsFailed, m.live.gauges, m.ticks,
		m.mergesFailed, m.disconnectsFailed, m.broadcasts, m.broadcastsDropped, transmissions, m.transmissionsDropped,
		m.deflateSaved, m.closed,
	} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// streamed counts what a stream brings to the subscriptions with one identifier.
func (m *metrics) streamed(identifier protocol.Identifier) prometheus.Counter {
	if m.channels == nil {
		return m.transmissions
	}
	return m.channels.of(identifier)
}

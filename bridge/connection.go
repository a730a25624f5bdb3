package bridge

import (
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
)

const (
	// linger is how long a connection that the bridge has closed waits for the client's own close frame.
	linger = 5 * time.Second
	// maxPending bounds the commands of a connection that wait for Rails, and maxPendingBytes what they hold. Beyond
	// either its socket is not read until half of them are done.
	maxPending      = 256
	maxPendingBytes = 1 << 20
)

// Connection is the bridge's half of one consumer's cable. Rails has the other half, in sealed state, between events.
type Connection struct {
	// static after the handshake
	server               *Server
	id                   string
	handshake            *rpc.Handshake
	connectionIdentifier string
	lane                 int
	outbound             outbound

	events atomic.Uint64 // numbers the connection's events

	// owned by the poller's goroutine
	inbound inbound

	// owned by the lane
	beating   bool
	beatSlot  int
	beatPlace int

	mu            sync.Mutex // guards the following
	subscriptions map[protocol.Identifier]*subscription
	made          uint32 // numbers the subscriptions
	state         string // sealed; the last event's to answer
	pending       int    // commands that wait or run
	pendingBytes  int
	paused        bool
	runners       int
	ended         bool // it has left its streams and takes no more commands
	finished      bool // its disconnect event is on its way
	lingering     *time.Timer
}

func (c *Connection) log() *slog.Logger { return c.server.log.With("connection", c.id) }

// event is what the next event of this connection has in common with all others.
func (c *Connection) event() rpc.Event {
	n := c.events.Add(1)
	return rpc.Event{ID: c.id + "-" + strconv.FormatUint(n, 10), Connection: c.id, Handshake: c.handshake}
}

// readable, writable and hangup implement handler.

func (c *Connection) readable(p []byte) {
	wrong := c.inbound.read(p, c)
	if wrong == nil {
		return
	}
	c.log().Info("closed a connection that broke the WebSocket protocol", "code", int(wrong.code), "error", wrong.reason)
	c.close(closeProtocol, nil, closeFrame(wrong.code, wrong.reason))
}

func (c *Connection) writable() { c.outbound.flush() }

func (c *Connection) hangup() {
	c.mu.Lock()
	if c.lingering != nil {
		c.lingering.Stop()
	}
	c.mu.Unlock()
	c.inbound = inbound{}
	c.outbound.abandon()
	c.end(false)
	c.server.sockets.Done()
}

// receivePing, receiveClose and receiveMessage implement frameReceiver.

func (c *Connection) receivePing(p []byte) { c.transmit(frame(ws.OpPong, p)) }

// receiveClose answers a close frame with the same, unless it is itself the answer to ours, and ends the socket.
func (c *Connection) receiveClose(code ws.StatusCode, reason string) {
	c.outbound.finish(false, closeFrame(code, reason))
	c.outbound.endWhenWritten()
	c.lingerAtMost()
	c.end(false)
}

func (c *Connection) receiveMessage(p []byte) {
	command, err := protocol.ParseCommand(p)
	if err != nil {
		c.server.metrics.commandsFailed.WithLabelValues(commandUnrecognized).Inc()
		c.log().Error("could not execute a command", "error", err)
		return
	}
	c.receive(command)
}

// transmit sends a frame, ready made, and tells whether the connection took it. It never waits.
func (c *Connection) transmit(frame []byte) bool {
	switch c.outbound.transmit(frame) {
	case nil:
		return true
	case errSlowConsumer: //nolint:errorlint // outbound wraps nothing
		// A lane may be calling, which must not wait for the locks that an end takes.
		go c.dropSlow()
		c.server.metrics.transmissionsDropped.WithLabelValues(droppedSlow).Inc()
	default:
		c.server.metrics.transmissionsDropped.WithLabelValues(droppedClosing).Inc()
	}
	return false
}

// transmitText sends the bytes as one text frame.
func (c *Connection) transmitText(payload string) {
	if c.transmit(textFrame([]byte(payload))) {
		c.server.metrics.transmissions.Inc()
	}
}

// Reasons why the bridge closes a connection, in the metrics.
const (
	closeByApp    = "app"           // close, or reject_unauthorized_connection
	closeRemote   = "remote"        // remote_connections.disconnect
	closeShutdown = "shutdown"      // the bridge goes
	closeSlow     = "slow_consumer" // the client does not read
	closeProtocol = "protocol"      // the client broke RFC 6455
	closeFailed   = "rails_failed"  // Rails did not answer a subscribe, or never ran an unsubscribe
)

var closeReasons = []string{closeByApp, closeRemote, closeShutdown, closeSlow, closeProtocol, closeFailed}

// disconnect tells the client why, and closes: ActionCable::Connection::Base#close.
func (c *Connection) disconnect(why string, disconnect protocol.Disconnect) {
	c.close(why, textFrame(disconnect.Append(nil)), normalClose)
}

var normalClose = closeFrame(ws.StatusNormalClosure, "")

// close sends the last frames and ends the connection. Commands that wait are dropped, as stock does with those that
// it comes to after its own close. notice may be nil.
func (c *Connection) close(why string, notice, goodbye []byte) {
	last := [][]byte{goodbye}
	if notice != nil {
		last = [][]byte{notice, goodbye}
	}
	dropped, ok := c.outbound.finish(why == closeSlow, last...)
	if !ok {
		return
	}
	c.server.metrics.closed.WithLabelValues(why).Inc()
	c.server.metrics.transmissionsDropped.WithLabelValues(droppedSlow).Add(float64(dropped))
	c.lingerAtMost()
	c.resume() // the client's close frame must be read
	c.end(true)
}

func (c *Connection) dropSlow() {
	c.log().Warn("closed a slow consumer", "bytes", maxOutbound)
	reason := protocol.Reason("slow_consumer")
	c.disconnect(closeSlow, protocol.Disconnect{Reason: reason, Reconnect: true})
}

// lingerAtMost ends the socket of a client that does not answer a close frame.
func (c *Connection) lingerAtMost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lingering == nil {
		c.lingering = time.AfterFunc(linger, c.outbound.socket.close)
	}
}

// end takes the connection out of everything that could still reach it. Its disconnect event follows once no command
// is running.
func (c *Connection) end(discard bool) {
	c.mu.Lock()
	if !c.ended {
		c.ended = true
		c.server.remove(c)
		for _, s := range c.subscriptions {
			s.leaveAllLocked()
		}
	}
	if discard {
		for _, s := range c.subscriptions {
			s.discardLocked()
		}
	}
	finish := c.finishLocked()
	c.mu.Unlock()
	if finish {
		go c.finish()
	}
}

// finishLocked is true once: when the connection has ended and none of its commands runs.
func (c *Connection) finishLocked() bool {
	if !c.ended || c.finished || c.runners > 0 {
		return false
	}
	c.finished = true
	return true
}

// finish has every unsubscribed and then disconnect run.
func (c *Connection) finish() {
	defer c.server.finished(c)
	request := &rpc.DisconnectRequest{Event: c.event()}
	c.mu.Lock()
	request.ConnectionState = c.state
	request.Subscriptions = subscriptionStates(c.subscriptions)
	c.subscriptions = nil
	c.mu.Unlock()
	c.server.metrics.subscriptions.Sub(float64(len(request.Subscriptions)))
	if err := c.server.rails.Disconnect(c.server.background, request); err != nil {
		c.server.metrics.disconnectsFailed.Inc()
		c.log().Error("disconnect did not run in Rails", "subscriptions", len(request.Subscriptions), "error", err)
	}
}

// settleConnectionState keeps what an event has made of the connection's instance variables. Where two events of one
// connection ran at a time, the last to answer wins.
func (c *Connection) settleConnectionState(state *string) {
	if state == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = *state
}

// takePending counts a command in, and stops reading from a client that is far ahead of Rails.
func (c *Connection) takePendingLocked(bytes int) {
	c.pending++
	c.pendingBytes += bytes
	if !c.paused && (c.pending >= maxPending || c.pendingBytes >= maxPendingBytes) {
		c.paused = true
		c.outbound.socket.pauseReading()
	}
}

func (c *Connection) donePendingLocked(bytes int) {
	c.pending--
	c.pendingBytes -= bytes
	if c.paused && c.pending <= maxPending/2 && c.pendingBytes <= maxPendingBytes/2 {
		c.paused = false
		c.outbound.socket.resumeReading()
	}
}

func (c *Connection) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused {
		c.paused = false
		c.outbound.socket.resumeReading()
	}
}

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
	handshake            rpc.EncodedHandshake
	connectionIdentifier string
	outbound             outbound // with deflates on its other side, so that touch reaches all of it
	deflates             bool     // permessage-deflate was negotiated, both ways
	lane                 int32

	events atomic.Uint64 // numbers the connection's events

	// owned by the poller's goroutine
	inbound inbound

	// owned by the lane
	beating   bool
	beatSlot  uint8
	beatPlace int32

	mu            sync.Mutex // guards the following
	subscriptions subscriptions
	made          uint32 // numbers the subscriptions
	paused        bool
	ended         bool      // it has left its streams and takes no more commands
	finished      bool      // its disconnect event is on its way
	endsUnheard   bool      // Rails has said that it has nothing to run at its end, see ends.go
	state         string    // sealed
	hold          *rpc.Hold // the worker that holds it, or nil
	pending       int       // commands that wait or run
	pendingBytes  int
	runners       int
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

// takesDeflated, receivePing, receiveClose and receiveMessage implement frameReceiver.

func (c *Connection) takesDeflated() bool { return c.deflates }

func (c *Connection) receivePing(p []byte) { c.transmit(frame(ws.OpPong, p)) }

// receiveClose answers a close frame with the same, unless it is itself the answer to ours, and ends the socket.
func (c *Connection) receiveClose(code ws.StatusCode, reason string) {
	c.outbound.finish(false, closeFrame(code, reason))
	c.outbound.endWhenWritten()
	c.lingerAtMost()
	c.end(false)
}

// receiveMessage drops what comes after the server's close frame, as stock does. The client may see that frame, and answer
// it with a command, before the connection has ended here.
func (c *Connection) receiveMessage(p []byte) {
	if c.outbound.saidGoodbye() {
		return
	}
	command, err := protocol.ParseCommand(p)
	if err != nil {
		c.server.metrics.commandsFailed.WithLabelValues(commandUnrecognized).Inc()
		c.log().Error("could not execute a command", "error", err)
		return
	}
	c.receive(command)
}

// touch reads what transmit looks at, and does nothing with it: see touchMembers.
func (c *Connection) touch() int {
	n := c.outbound.socket.touch()
	if c.deflates {
		n++
	}
	return n
}

// transmit sends a frame, ready made, and tells whether the connection took it. It never waits.
func (c *Connection) transmit(frame []byte) bool { return c.took(c.outbound.transmit(frame)) }

// transmitIn is transmit in a lane's burst, where it has one: the frame has gone when that ends.
func (c *Connection) transmitIn(b *burst, frame []byte) bool {
	if b == nil {
		return c.transmit(frame)
	}
	return c.took(b.transmit(&c.outbound, frame))
}

func (c *Connection) took(err error) bool {
	switch err {
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
	if c.transmit(c.textFrame([]byte(payload))) {
		c.server.metrics.transmissions.Inc()
	}
}

// textFrame is a frame for this connection alone.
func (c *Connection) textFrame(payload []byte) []byte {
	frame := textFrame(payload)
	if c.deflates {
		frame = deflate(frame)
	}
	return frame
}

// Reasons why the bridge closes a connection, in the metrics.
const (
	closeByApp      = "app"           // close, or reject_unauthorized_connection
	closeRemote     = "remote"        // remote_connections.disconnect
	closeShutdown   = "shutdown"      // the bridge goes
	closeSlow       = "slow_consumer" // the client does not read
	closeProtocol   = "protocol"      // the client broke RFC 6455
	closeRestart    = "restart"       // ActionCable.server.restart
	closeWorkerGone = "worker_gone"   // the process that held it, or one of its subscriptions, has ended
	closeFailed     = "rails_failed"  // Rails did not answer a subscribe, never ran an unsubscribe, or could not read a state
)

var closeReasons = []string{closeByApp, closeRemote, closeShutdown, closeSlow, closeProtocol, closeRestart, closeWorkerGone, closeFailed}

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
		for s := range c.subscriptions.each() {
			s.leaveAllLocked()
			s.stopTimersLocked()
		}
	}
	if discard {
		for s := range c.subscriptions.each() {
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

// finish has every unsubscribed and then disconnect run, unless there are none.
func (c *Connection) finish() {
	defer c.server.finished(c)
	c.mu.Lock()
	inOrder := c.inOrderLocked()
	c.subscriptions = subscriptions{}
	unheard := c.endsUnheardLocked(inOrder)
	c.mu.Unlock()
	c.server.metrics.subscriptions.Sub(float64(len(inOrder)))
	if unheard {
		return
	}
	c.part(inOrder)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range inOrder {
		s.releaseLocked()
	}
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

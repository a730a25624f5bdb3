package bridge

import (
	"context"
	"time"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
)

// restartSpread is over how long a restart of ActionCable.server spreads its goodbyes at most: a millisecond for each client.
const restartSpread = 5 * time.Second

// linkReceiver does what workers say of their own accord.
type linkReceiver struct{ server *Server }

var _ rpc.LinkReceiver = linkReceiver{}

// Pushed applies what was done outside of any event. What it was done for may be gone by now.
func (r linkReceiver) Pushed(connection string, effects []rpc.Effect) {
	c := r.server.connections.find(connection)
	if c == nil {
		r.server.log.Debug("effects for a connection that is gone", "connection", connection, "effects", len(effects))
		return
	}
	for _, j := range c.applyAll(effects, nil) {
		r.server.streams.follow(j)
	}
}

// Live calls back when Redis has acknowledged what was asked of it before.
func (r linkReceiver) Live(done func()) { r.server.streams.passed(done) }

// Connections are those that ActionCable.server.connections is to have.
func (r linkReceiver) Connections(states bool) []rpc.OpenConnection {
	all := r.server.connections.list()
	open := make([]rpc.OpenConnection, len(all))
	for i, c := range all {
		open[i] = c.describe(states)
	}
	return open
}

func (c *Connection) describe(state bool) rpc.OpenConnection {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := rpc.OpenConnection{
		Connection: c.id, ConnectionIdentifier: c.connectionIdentifier, Subscriptions: identifiers(c.inOrderLocked()),
	}
	if state {
		open.ConnectionState = c.state
	}
	return open
}

// Restart is ActionCable.server.restart: every client is told to reconnect.
func (r linkReceiver) Restart() {
	all := r.server.connections.list()
	r.server.log.Info("ActionCable.server.restart: clients are told to reconnect", "connections", len(all))
	go r.server.restart(r.server.background, all)
}

func (s *Server) restart(ctx context.Context, all []*Connection) {
	began := time.Now()
	spread := min(restartSpread, time.Duration(len(all))*time.Millisecond)
	for i, c := range all {
		if !sleepUntil(ctx, began.Add(spread*time.Duration(i)/time.Duration(len(all)))) {
			return // a shutdown has told the others
		}
		c.disconnect(closeRestart, serverRestart)
	}
}

// HoldGone is the same as a link that ended, for one connection.
func (r linkReceiver) HoldGone(hold rpc.Hold) {
	for _, c := range r.server.connections.list() {
		if c.holds(func(h *rpc.Hold) bool { return *h == hold }) {
			c.workerGone(rpc.ErrWorkerGone)
		}
	}
}

// LinkEnded costs those that the worker held something of one reconnect, and nobody else anything.
func (r linkReceiver) LinkEnded(worker string) {
	lost := 0
	for _, c := range r.server.connections.list() {
		if c.holds(func(h *rpc.Hold) bool { return h.Worker == worker }) {
			lost++
			c.disconnect(closeWorkerGone, protocol.Disconnect{Reason: protocol.ServerRestart, Reconnect: true})
		}
	}
	if lost > 0 {
		r.server.log.Info("clients of what a worker held are told to reconnect", "worker", worker, "connections", lost)
	}
}

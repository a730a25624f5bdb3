package bridge

import (
	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
)

// settleState keeps what an event has made of the connection's instance variables. Where another event has changed them
// since this one began, Rails makes one state of both.
func (c *Connection) settleState(before string, changed *string) {
	if changed == nil {
		return
	}
	settled := *changed
	kept, ok := c.exchangeState(before, settled)
	for !ok {
		request := &rpc.MergeRequest{Event: c.event(), Before: before, Kept: kept, Changed: *changed}
		answer, err := c.server.rails.Merge(c.server.background, request)
		switch {
		case err != nil:
			c.server.metrics.mergesFailed.Inc()
			c.log().Error("Rails did not merge two states of a connection; the later is kept", "error", err)
			settled = *changed
		case answer.Lost:
			c.server.metrics.mergesFailed.Inc()
			c.log().Error("Rails can't read a state of a connection; the client is told to reconnect")
			c.disconnect(closeFailed, protocol.Disconnect{Reason: protocol.ServerRestart, Reconnect: true})
			return
		default:
			settled = answer.ConnectionState
		}
		kept, ok = c.exchangeState(kept, settled)
	}
}

// keepState is the same for what has run on the living connection, which is always right.
func (c *Connection) keepState(changed *string) {
	if changed == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = *changed
}

// exchangeState is false where the state is another than expected by now, and says which.
func (c *Connection) exchangeState(expected, state string) (kept string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != expected {
		return c.state, false
	}
	c.state = state
	return state, true
}

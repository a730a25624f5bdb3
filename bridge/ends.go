package bridge

import "github.com/cablestay/cablestay/rpc"

// Where Rails has nothing to run when a connection or a subscription ends, its answers say so, and that end is not sent: of many
// clients that come back at a time, that is a third of the events. What is said last counts.

// heardOf keeps what the answer to an event of the subscription says. Where there was none, that is nothing.
func (s *subscription) heardOf(connection, subscription rpc.End) {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endsUnheard = connection == rpc.EndNothing
	s.endsUnheard = subscription == rpc.EndNothing
}

// endUnheard ends the subscription here alone, as the answer to an unsubscribe would, and is false where Rails has to know.
func (s *subscription) endUnheard() bool {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	if !s.endsUnheardLocked() {
		return false
	}
	s.settleLocked(false, nil)
	return true
}

// endsUnheardLocked is false where a worker holds anything of it, which may have begun since the last answer: see offers.go.
func (s *subscription) endsUnheardLocked() bool {
	return s.endsUnheard && s.hold == nil && s.connection.hold == nil
}

// endsUnheardLocked is true where neither its own end nor those of these subscriptions are to be sent.
func (c *Connection) endsUnheardLocked(subscriptions []*subscription) bool {
	if !c.endsUnheard || c.hold != nil {
		return false
	}
	for _, s := range subscriptions {
		if !s.endsUnheardLocked() {
			return false
		}
	}
	return true
}

package bridge

import (
	"strconv"
	"strings"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
)

// Offered implements [rpc.LinkReceiver]. The channel is the one that the subscription's last event ran on, and no copy of it, only
// if nothing has happened to the subscription since.
func (r linkReceiver) Offered(connection, identifier, event string, live *rpc.Live) bool {
	c := r.server.connections.find(connection)
	if c == nil {
		return false
	}
	s := c.find(protocol.Identifier(identifier))
	return s != nil && s.take(event, live)
}

// take is false where the offer can't be taken.
func (s *subscription) take(event string, live *rpc.Live) bool {
	c := s.connection
	number, ok := c.eventNumber(event)
	c.mu.Lock()
	ok = ok && s.event == number && !c.ended && s.hold == nil && c.hold == nil
	if ok && s.underWay {
		s.offer = live // the answer to that event is still on its way here
		c.mu.Unlock()
		return true
	}
	ok = ok && s.subscribed
	if ok {
		s.holdLocked(live)
	}
	c.mu.Unlock()
	if ok {
		s.held(live)
	}
	return ok
}

// begin says that an event of the subscription is under way.
func (s *subscription) begin(event string) {
	c := s.connection
	number, _ := c.eventNumber(event)
	c.mu.Lock()
	defer c.mu.Unlock()
	s.event, s.underWay = number, true
}

// end says that it no longer is, and takes what was offered meanwhile, if that is still possible.
func (s *subscription) end() {
	c := s.connection
	c.mu.Lock()
	live := s.offer
	s.underWay, s.offer = false, nil
	ok := live != nil && s.subscribed && s.hold == nil && c.hold == nil && !c.ended
	if ok {
		s.holdLocked(live)
	}
	c.mu.Unlock()
	switch {
	case ok:
		s.held(live)
	case live != nil:
		c.drop(live)
	}
}

// eventNumber is false where the ID is none of this connection's. It begins again at 2³², where nobody remembers the first.
func (c *Connection) eventNumber(id string) (uint32, bool) {
	number, ok := strings.CutPrefix(id, c.id+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 64)
	return uint32(n), err == nil //nolint:gosec // as it says
}

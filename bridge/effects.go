package bridge

import (
	"slices"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
)

// applyAll does what an event of own did, or what was done outside of any where own is nil, in its order. It returns the
// streams that are to be followed when all is done.
func (c *Connection) applyAll(effects []rpc.Effect, own *subscription) []*stream {
	var joins []*stream
	for _, e := range effects {
		s := own
		if e.Identifier != "" && (own == nil || e.Identifier != string(own.identifier)) {
			if s = c.find(protocol.Identifier(e.Identifier)); s == nil {
				c.log().Debug("an effect for a subscription that is gone", "effect", string(e.Effect))
				continue
			}
		}
		if s == nil {
			c.apply(e)
			continue
		}
		if j := s.apply(e); j != nil {
			joins = append(joins, j)
		}
	}
	return joins
}

func (c *Connection) find(identifier protocol.Identifier) *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.subscriptions.find(identifier)
}

// apply does one thing that was done for the subscription. Where that is a stream, it is still to be followed.
func (s *subscription) apply(e rpc.Effect) *stream {
	switch e.Effect {
	case rpc.EffectStream:
		return s.stream(e.Broadcasting)
	case rpc.EffectStopStream:
		s.stopStream(e.Broadcasting)
	case rpc.EffectBroadcast:
		s.broadcast(e.Payload)
	case rpc.EffectConfirm:
		s.confirmWhenLive(e.Frame)
	case rpc.EffectTimer:
		s.startTimer(e)
	case rpc.EffectStopTimer:
		s.stopTimer(*e.Timer)
	case rpc.EffectReject:
		s.reject(e)
	default:
		s.connection.apply(e)
	}
	return nil
}

// reject forgets the subscription before its client knows, who may subscribe again at once.
func (s *subscription) reject(e rpc.Effect) {
	s.settle(false, nil)
	c := s.connection
	c.mu.Lock()
	s.forgetLocked()
	c.mu.Unlock()
	c.apply(e)
}

// apply does what concerns the socket alone.
func (c *Connection) apply(e rpc.Effect) {
	switch e.Effect {
	case rpc.EffectTransmit, rpc.EffectReject:
		c.transmitText(e.Frame)
	case rpc.EffectClose:
		c.close(closeByApp, nil, normalClose)
	default:
		// rpc refuses what the contract does not know, and a connect event follows no streams.
		c.log().Error("ignored an effect that has no place here", "effect", string(e.Effect))
	}
}

// stream is stream_from. It is nil where the connection has ended meanwhile.
func (s *subscription) stream(broadcasting string) *stream {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil
	}
	j := &stream{subscription: s, broadcasting: intern(broadcasting)}
	s.streams = append(s.streams, j)
	s.joining++
	return j
}

// stopStream is stop_stream_from. Of several streams from one broadcasting it ends the last, as the table in
// ActionCable::Channel::Streams does.
func (s *subscription) stopStream(broadcasting string) {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, j := range slices.Backward(s.streams) {
		if j.broadcasting == broadcasting {
			s.streams = slices.Delete(s.streams, i, i+1)
			s.leaveLocked(j)
			s.confirmLocked()
			return
		}
	}
}

// broadcast delivers what the event itself published to a stream that it had begun.
func (s *subscription) broadcast(payload string) {
	if err := protocol.CheckPayload([]byte(payload)); err != nil {
		s.connection.log().Error("dropped a broadcast that is not JSON", "identifier", inShort(s.identifier), "error", err)
		return
	}
	envelope := protocol.NewEnvelope(s.identifier)
	if s.connection.transmit(s.connection.textFrame(envelope.Append(nil, []byte(payload)))) {
		s.connection.server.metrics.streamed(s.identifier).Inc()
	}
}

func (s *subscription) confirmWhenLive(frame string) {
	c := s.connection
	confirm := c.textFrame([]byte(frame))
	c.mu.Lock()
	defer c.mu.Unlock()
	s.confirm = confirm
	s.confirmLocked()
}

// joined is called by the lane, from where on the stream gets what is published.
func (s *subscription) joined(j *stream) {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	if j.live {
		return
	}
	j.live = true
	if j.left.Load() {
		return // whoever ended it has counted it out
	}
	s.joining--
	s.confirmLocked()
}

// confirmLocked sends the confirmation as soon as no stream is missing.
func (s *subscription) confirmLocked() {
	if s.confirm == nil || s.joining > 0 || s.connection.ended {
		return
	}
	if s.connection.transmit(s.confirm) {
		s.connection.server.metrics.transmissions.Inc()
	}
	s.confirm = nil
}

func (s *subscription) leaveLocked(j *stream) {
	if !j.live {
		s.joining--
	}
	s.connection.server.streams.leave(j)
}

func (s *subscription) leaveAllLocked() {
	for _, j := range s.streams {
		s.leaveLocked(j)
	}
	s.streams = nil
}

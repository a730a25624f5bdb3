package bridge

import "github.com/cablestay/cablestay/protocol"

// followers are the streams of one lane that follow one broadcasting, by identifier. The lane owns them.
type followers struct {
	audiences    []*audience
	byIdentifier map[protocol.Identifier]*audience
}

// audience is all streams whose subscriptions have the same identifier: they get the same frame.
type audience struct {
	identifier protocol.Identifier
	envelope   protocol.Envelope
	place      int // in followers.audiences
	streams    []*stream
}

func newFollowers() *followers {
	return &followers{byIdentifier: make(map[protocol.Identifier]*audience)}
}

func (f *followers) add(s *stream) {
	identifier := s.subscription.identifier
	a := f.byIdentifier[identifier]
	if a == nil {
		a = &audience{identifier: identifier, envelope: protocol.NewEnvelope(identifier), place: len(f.audiences)}
		f.audiences = append(f.audiences, a)
		f.byIdentifier[identifier] = a
	}
	s.audience, s.place = a, len(a.streams)
	a.streams = append(a.streams, s)
}

func (f *followers) remove(s *stream) {
	a := s.audience
	last := len(a.streams) - 1
	a.streams[s.place] = a.streams[last]
	a.streams[s.place].place = s.place
	a.streams[last] = nil
	a.streams = a.streams[:last]
	s.audience = nil
	if last > 0 {
		return
	}
	delete(f.byIdentifier, a.identifier)
	last = len(f.audiences) - 1
	f.audiences[a.place] = f.audiences[last]
	f.audiences[a.place].place = a.place
	f.audiences[last] = nil
	f.audiences = f.audiences[:last]
}

func (f *followers) isEmpty() bool { return len(f.audiences) == 0 }

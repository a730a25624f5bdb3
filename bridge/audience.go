package bridge

import (
	"github.com/cablestay/cablestay/protocol"
	"github.com/prometheus/client_golang/prometheus"
)

// followers are the streams of one lane that follow one broadcasting, by identifier. The lane owns them.
type followers struct {
	broadcasting string
	audiences    []*audience
	byIdentifier map[protocol.Identifier]*audience
	metrics      *metrics

	delivery delivery
	waiting  []laneEvent // what has come for the broadcasting while a delivery is under way: the order of audiences stays
}

// audience is all streams whose subscriptions have the same identifier: they get the same frame.
type audience struct {
	identifier protocol.Identifier
	envelope   protocol.Envelope
	place      int // in followers.audiences
	members    []member

	transmissions prometheus.Counter
}

// member is a stream with its connection: a delivery looks at nothing else.
type member struct {
	stream     *stream
	connection *Connection
}

func newFollowers(broadcasting string, m *metrics) *followers {
	return &followers{broadcasting: broadcasting, byIdentifier: make(map[protocol.Identifier]*audience), metrics: m}
}

func (f *followers) add(s *stream) {
	identifier := s.subscription.identifier
	a := f.byIdentifier[identifier]
	if a == nil {
		a = &audience{
			identifier: identifier, envelope: protocol.NewEnvelope(identifier), place: len(f.audiences),
			transmissions: f.metrics.streamed(identifier),
		}
		f.audiences = append(f.audiences, a)
		f.byIdentifier[identifier] = a
	}
	s.audience, s.place = a, len(a.members)
	a.members = append(a.members, member{s, s.subscription.connection})
}

func (f *followers) remove(s *stream) {
	a := s.audience
	if a == nil {
		return // it never joined
	}
	last := len(a.members) - 1
	a.members[s.place] = a.members[last]
	a.members[s.place].stream.place = s.place
	a.members[last] = member{}
	a.members = a.members[:last]
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

func (f *followers) isBusy() bool { return f.delivery.message != nil }

func (f *followers) isEmpty() bool { return len(f.audiences) == 0 }

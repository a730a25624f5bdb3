package bridge

import (
	"errors"
	"fmt"
)

// Check compares what the parts of the bridge believe of each other and returns every disagreement. It is exact while
// nothing is under way, and so is for the end of a test; it is safe to call at any time.
func (s *Server) Check() error {
	following := make(map[string]int) // streams and internal channels, by broadcasting
	connections := s.connections.list()
	for _, c := range connections {
		c.countStreams(following)
		if c.connectionIdentifier != "" {
			following[internalChannel(c.connectionIdentifier)]++
		}
	}
	errs := s.streams.check(following)
	joined, beating := 0, 0
	for i, l := range s.lanes {
		streams, beats, err := l.count()
		joined += streams
		beating += beats
		if err != nil {
			errs = append(errs, fmt.Errorf("lane %d: %w", i, err))
		}
	}
	live := s.streams.inLanes()
	if joined > live {
		errs = append(errs, fmt.Errorf("lanes have %d streams, of which only %d are followed", joined, live))
	}
	if beating != len(connections) {
		errs = append(errs, fmt.Errorf("%d connections are pinged, %d are open", beating, len(connections)))
	}
	return errors.Join(errs...)
}

func (c *Connection) countStreams(following map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.subscriptions.each() {
		for _, j := range s.streams {
			following[j.broadcasting]++
		}
	}
}

func (r *Streams) check(following map[string]int) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for name, b := range r.broadcastings {
		if b.followers != following[name] {
			errs = append(errs, fmt.Errorf("broadcasting %q counts %d followers, has %d", name, b.followers, following[name]))
		}
		delete(following, name)
	}
	for name, n := range following {
		errs = append(errs, fmt.Errorf("broadcasting %q has %d followers that it does not know", name, n))
	}
	return errs
}

// inLanes is how many streams count as followers.
func (r *Streams) inLanes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, b := range r.broadcastings {
		for _, followers := range b.inLane {
			n += int(followers)
		}
	}
	return n
}

// count asks the lane itself, after all that was posted before.
func (l *lane) count() (streams, beating int, err error) {
	done := make(chan struct{})
	l.post(laneEvent{inspect: func(l *lane) {
		defer close(done)
		for name, f := range l.followers {
			if f.isEmpty() {
				err = errors.Join(err, fmt.Errorf("broadcasting %q is kept though nobody follows it", name))
			}
			for _, a := range f.audiences {
				streams += len(a.members)
			}
		}
		for _, slot := range l.beats.slots {
			beating += len(slot)
		}
	}})
	select {
	case <-done:
	case <-l.stopped:
	}
	return streams, beating, err
}

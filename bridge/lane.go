package bridge

import (
	"sync"
	"time"
)

// laneBacklog is how many broadcasts may wait in a lane before the one that reads from the PubSub waits too.
const laneBacklog = 4096

// A lane is a goroutine that transmits broadcasts and pings to its share of the connections. It owns who follows
// what among them, so that fan-out takes no lock but each connection's own, and so that what is posted in one order
// happens in that order: a follower that joins after a message does not get it.
//
// A lane never takes a lock that is held while someone waits for it to make room.
type lane struct {
	metrics *metrics
	wake    chan struct{} // holds one token while the inbox may have something
	stopped chan struct{}

	// owned by run
	followers map[string]*followers // by broadcasting
	beats     beats

	mu      sync.Mutex // guards the following
	room    sync.Cond  // the inbox has been emptied
	inbox   []laneEvent
	waiting int // broadcasts in the inbox
	closed  bool
}

// A laneEvent is one of its members.
type laneEvent struct {
	join    *stream
	leave   *stream
	message *message
	beat    *Connection // begin to ping it
	unbeat  *Connection
	inspect func(*lane) // for Check
}

func newLane(m *metrics) *lane {
	l := &lane{
		metrics:   m,
		wake:      make(chan struct{}, 1),
		stopped:   make(chan struct{}),
		followers: make(map[string]*followers),
	}
	l.room.L = &l.mu
	go l.run()
	return l
}

// post never waits.
func (l *lane) post(event laneEvent) {
	l.mu.Lock()
	l.inbox = append(l.inbox, event)
	l.mu.Unlock()
	l.notify()
}

// postMessage waits while the lane is behind, which lets Redis do the queueing.
func (l *lane) postMessage(m *message) {
	l.mu.Lock()
	for l.waiting >= laneBacklog && !l.closed {
		l.room.Wait()
	}
	l.inbox = append(l.inbox, laneEvent{message: m})
	l.waiting++
	l.mu.Unlock()
	l.notify()
}

func (l *lane) notify() {
	select {
	case l.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// stop ends the lane once it has done what is in its inbox.
func (l *lane) stop() {
	l.mu.Lock()
	l.closed = true
	l.room.Broadcast()
	l.mu.Unlock()
	l.notify()
	<-l.stopped
}

func (l *lane) run() {
	defer close(l.stopped)
	ticker := time.NewTicker(beatTick)
	defer ticker.Stop()
	var events []laneEvent
	for {
		select {
		case <-l.wake:
			var closed bool
			events, closed = l.take(events)
			for i := range events {
				l.handle(&events[i])
				l.beatIfDue(ticker) // many broadcasts to many take longer than a client waits for a ping
			}
			clear(events)
			if closed {
				return
			}
		case <-ticker.C:
			l.beats.tick(time.Now())
		}
	}
}

func (l *lane) beatIfDue(ticker *time.Ticker) {
	select {
	case <-ticker.C:
		l.beats.tick(time.Now())
	default:
	}
}

// take exchanges the inbox for an empty one.
func (l *lane) take(empty []laneEvent) (events []laneEvent, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events, l.inbox, l.waiting = l.inbox, empty[:0], 0
	l.room.Broadcast()
	return events, l.closed
}

func (l *lane) handle(event *laneEvent) {
	switch {
	case event.message != nil:
		l.transmit(event.message)
	case event.join != nil:
		l.join(event.join)
	case event.leave != nil:
		l.leave(event.leave)
	case event.beat != nil:
		l.beats.add(event.beat)
	case event.unbeat != nil:
		l.beats.remove(event.unbeat)
	case event.inspect != nil:
		event.inspect(l)
	}
}

func (l *lane) transmit(m *message) {
	f := l.followers[m.broadcasting]
	if f == nil {
		return
	}
	for _, a := range f.audiences {
		transmitted, saved := 0, 0
		plain := m.frameFor(a.identifier, a.envelope)
		var deflated []byte // until somebody takes it
		for i := range a.members {
			to := &a.members[i]
			if to.stream.left.Load() {
				continue
			}
			frame := plain
			if to.connection.deflates {
				if deflated == nil {
					deflated = m.deflatedFor(a.identifier, plain)
				}
				frame = deflated
			}
			if to.connection.transmit(frame) {
				transmitted++
				saved += len(plain) - len(frame)
			}
		}
		a.transmissions.Add(float64(transmitted))
		if saved > 0 {
			l.metrics.deflateSaved.Add(float64(saved))
		}
	}
}

func (l *lane) join(s *stream) {
	if s.left.Load() {
		return
	}
	f := l.followers[s.broadcasting]
	if f == nil {
		f = newFollowers(l.metrics)
		l.followers[s.broadcasting] = f
	}
	f.add(s)
	s.subscription.joined(s)
}

func (l *lane) leave(s *stream) {
	if s.audience == nil {
		return // it never joined
	}
	f := l.followers[s.broadcasting]
	f.remove(s)
	if f.isEmpty() {
		delete(l.followers, s.broadcasting)
	}
}

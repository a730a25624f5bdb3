package bridge

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// laneBacklog is how many broadcasts may wait in a lane before the one that reads from the PubSub waits too.
const laneBacklog = 4096

// lookEvery is how long the network waits for a lane that does not rest. To look costs a few microseconds.
const lookEvery = 500 * time.Microsecond

// nobodyElse is how soon a goroutine that has passed its processor on has it back when no other wants it.
const nobodyElse = 3 * time.Microsecond

// A lane is a goroutine that transmits broadcasts and pings to its share of the connections. It owns who follows
// what among them, so that fan-out takes no lock but each connection's own, and so that what is posted in one order
// happens in that order: a follower that joins after a message does not get it.
//
// A lane never takes a lock that is held while someone waits for it to make room.
type lane struct {
	metrics *metrics
	wake    chan struct{} // holds one token while the inbox may have something
	stopped chan struct{}
	working *atomic.Int32 // how many lanes do not rest

	// owned by run
	burst       *burst                // what has been transmitted and has not gone; nil without io_uring
	followers   map[string]*followers // by broadcasting
	busy        []*followers          // of which a delivery is under way, in the order of their turns
	done        int                   // broadcasts that were delivered since room was made for others
	beats       beats
	lookout     *lookout
	looked      time.Time     // when the scheduler last had reason to look at the network
	touched     int           // keeps what touchMembers does
	inspections []func(*lane) // wait until nothing is under way

	mu      sync.Mutex // guards the following
	room    sync.Cond  // the inbox has been emptied
	inbox   []laneEvent
	waiting int // broadcasts that are not delivered
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

// newLane starts a lane. All lanes of a bridge share working. b is nil without io_uring.
func newLane(m *metrics, working *atomic.Int32, b *burst) *lane {
	l := &lane{
		working:   working,
		lookout:   newLookout(),
		metrics:   m,
		wake:      make(chan struct{}, 1),
		stopped:   make(chan struct{}),
		burst:     b,
		followers: make(map[string]*followers),
		beats:     beats{burst: b},
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
	defer l.burst.close()
	defer l.lookout.close()
	l.working.Add(1)
	defer l.working.Add(-1)
	ticker := time.NewTicker(beatTick)
	defer ticker.Stop()
	var events []laneEvent
	for closed := false; !closed || len(l.busy) > 0; {
		if len(l.busy) == 0 && !l.beats.areDue() {
			l.rest(ticker)
		}
		events, closed = l.take(events)
		for i := range events {
			l.handle(&events[i])
			l.beatIfDue(ticker) // many broadcasts to many take longer than a client waits for a ping
			l.lookUp()
		}
		clear(events)
		l.burst.end()
		l.goOn()
		l.beatIfDue(ticker)
		l.lookUp() // there may have been pings alone
		l.inspectIfIdle()
		l.makeRoom()
	}
}

// rest waits until there is something to do.
func (l *lane) rest(ticker *time.Ticker) {
	l.working.Add(-1)
	select {
	case <-l.wake:
	case <-ticker.C:
		l.beats.tick(time.Now())
	}
	l.working.Add(1)
	l.looked = time.Now()
}

func (l *lane) beatIfDue(ticker *time.Ticker) {
	select {
	case <-ticker.C:
		l.beats.tick(time.Now())
	default:
	}
	l.beats.goOn()
}

// lookUp lets in what has come from the network while lanes have all processors. As long as there is another, that one looks. While others have
// something to do, the lane only passes the processor on: who waits for the scheduler's look waits for all of them, and would not get its share.
func (l *lane) lookUp() {
	now := time.Now()
	if now.Sub(l.looked) < lookEvery {
		return
	}
	l.looked = now
	if int(l.working.Load()) < runtime.GOMAXPROCS(0) {
		return
	}
	l.burst.end()
	runtime.Gosched()
	if time.Since(now) < nobodyElse {
		l.lookout.look()
	}
}

// take exchanges the inbox for an empty one.
func (l *lane) take(empty []laneEvent) (events []laneEvent, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events, l.inbox = l.inbox, empty[:0]
	return events, l.closed
}

// makeRoom lets who waits post as many broadcasts as were delivered.
func (l *lane) makeRoom() {
	if l.done == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting -= l.done
	l.done = 0
	l.room.Broadcast()
}

func (l *lane) handle(event *laneEvent) {
	if event.message == nil {
		l.burst.end()
	}
	switch {
	case event.message != nil:
		l.broadcast(event.message)
	case event.join != nil:
		l.handleStream(event.join.broadcasting, event)
	case event.leave != nil:
		l.handleStream(event.leave.broadcasting, event)
	case event.beat != nil:
		l.beats.add(event.beat)
	case event.unbeat != nil:
		l.beats.remove(event.unbeat)
	case event.inspect != nil && len(l.busy) == 0:
		event.inspect(l)
	case event.inspect != nil:
		l.inspections = append(l.inspections, event.inspect)
	}
}

// handleStream lets one join or leave, or wait until the deliveries before are done.
func (l *lane) handleStream(broadcasting string, event *laneEvent) {
	f := l.followers[broadcasting]
	switch {
	case f != nil && f.isBusy():
		f.waiting = append(f.waiting, *event)
	case event.join != nil:
		l.join(event.join)
	case f != nil:
		f.remove(event.leave)
		l.forgetIfEmpty(f)
	}
}

func (l *lane) inspectIfIdle() {
	if len(l.busy) > 0 {
		return
	}
	for _, inspect := range l.inspections {
		inspect(l)
	}
	l.inspections = nil
}

func (l *lane) join(s *stream) {
	if s.left.Load() {
		return
	}
	f := l.followers[s.broadcasting]
	if f == nil {
		f = newFollowers(s.broadcasting, l.metrics)
		l.followers[s.broadcasting] = f
	}
	f.add(s)
	l.burst.end() // a confirmation comes after what was transmitted before
	s.subscription.joined(s)
}

func (l *lane) forgetIfEmpty(f *followers) {
	if f.isEmpty() {
		delete(l.followers, f.broadcasting)
	}
}

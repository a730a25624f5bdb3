package rpc

import (
	"context"
	"sync"
)

// lane is the queue in which an event waits for a place.
type lane int

// The lanes, with the share each gets of the places that become free while all of them wait. Connections come in
// avalanches, and so do disconnects: after a deploy of the bridge, a restart of the network. Whoever is in already
// must not notice.
const (
	laneCommands    lane = iota // subscribe, unsubscribe, perform, and hello: somebody is in and waits
	laneConnects                // somebody waits to come in
	laneDisconnects             // nobody waits
	lanes
	// laneNone is for merge, which takes no place: an answer waits for it that came along a link, and behind that
	// answer others of events that have places (links.go). It runs none of the app's code.
	laneNone
)

var shares = [lanes]int{laneCommands: 6, laneConnects: 3, laneDisconnects: 1}

// places are what an event needs one of to be in Rails. Each lane is first come, first served; between lanes, a free
// place goes round by shares. One place, if there are several, is only for commands, so that connects that hang can't
// stop them.
type places struct {
	mu sync.Mutex
	// mu guards the following
	all     int
	taken   int
	others  int // taken by other lanes than commands
	waiting [lanes][]*waiter
	credit  [lanes]int
	closed  bool
}

type waiter struct {
	granted chan struct{} // closed with a place, or when the places are closed
	closed  bool          // says which of the two; written before granted is closed
}

func newPlaces(all int) *places { return &places{all: all} }

// take waits for a place; release must be called for each that it returned. When ctx ends first, it returns why.
func (p *places) take(ctx context.Context, l lane) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if l == laneNone {
		return nil
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return ErrClosed
	}
	w := &waiter{granted: make(chan struct{})}
	p.waiting[l] = append(p.waiting[l], w)
	p.grantLocked()
	p.mu.Unlock()

	select {
	case <-w.granted:
	case <-ctx.Done():
		if p.leave(l, w) {
			return context.Cause(ctx)
		}
		<-w.granted
	}
	if w.closed {
		return ErrClosed
	}
	return nil
}

// tryTake is take where nobody has to wait.
func (p *places) tryTake(l lane) bool {
	if l == laneNone {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.taken >= p.all || p.anyWaitingLocked() || !p.openLocked(l) {
		return false
	}
	p.takeLocked(l)
	return true
}

func (p *places) release(l lane) {
	if l == laneNone {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if l != laneCommands {
		p.others--
	}
	p.grantLocked()
}

// resize takes effect at once for who waits; who has a place keeps it.
func (p *places) resize(all int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = all
	p.grantLocked()
}

// close sends away who waits.
func (p *places) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for l := range p.waiting {
		for _, w := range p.waiting[l] {
			w.closed = true
			close(w.granted)
		}
		p.waiting[l] = nil
	}
}

// counts are for metrics.
func (p *places) counts() (taken, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, queue := range p.waiting {
		waiting += len(queue)
	}
	return p.taken, waiting
}

// leave takes w out of its queue, if it is still there.
func (p *places) leave(l lane, w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.waiting[l] {
		if other == w {
			p.waiting[l] = append(p.waiting[l][:i], p.waiting[l][i+1:]...)
			return true
		}
	}
	return false
}

func (p *places) grantLocked() {
	for p.taken < p.all {
		l, ok := p.nextLocked()
		if !ok {
			return
		}
		queue := p.waiting[l]
		w := queue[0]
		queue[0] = nil
		p.waiting[l] = queue[1:]
		p.takeLocked(l)
		close(w.granted)
	}
}

func (p *places) takeLocked(l lane) {
	p.taken++
	if l != laneCommands {
		p.others++
	}
}

func (p *places) anyWaitingLocked() bool {
	for _, queue := range p.waiting {
		if len(queue) > 0 {
			return true
		}
	}
	return false
}

// openLocked says whether a free place may go to the lane.
func (p *places) openLocked(l lane) bool {
	return l == laneCommands || p.all == 1 || p.others < p.all-1
}

// nextLocked is a smooth weighted round robin over the lanes in which somebody waits who may go in.
func (p *places) nextLocked() (lane, bool) {
	next, total := lanes, 0
	for l := range lanes {
		if len(p.waiting[l]) == 0 || !p.openLocked(l) {
			continue
		}
		total += shares[l]
		p.credit[l] += shares[l]
		if next == lanes || p.credit[l] > p.credit[next] {
			next = l
		}
	}
	if next == lanes {
		return 0, false
	}
	p.credit[next] -= total
	return next, true
}

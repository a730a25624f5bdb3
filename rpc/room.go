package rpc

import (
	"context"
	"hash/maphash"
	"time"
)

// roomWithin is how long an event waits for room in a link before it goes as a request. Most events take less than what a request costs
// both sides, and a worker that is full of longer ones has threads for requests beside.
const roomWithin = 3 * time.Millisecond

// room is for events that wait until a link has some.
type room struct {
	within  time.Duration // for so long; static
	waiting int           // how many do
	made    chan struct{} // closed, and replaced, when there may be some for who waits
	seed    maphash.Seed
}

func newRoom() room {
	return room{within: roomWithin, made: make(chan struct{}), seed: maphash.MakeSeed()}
}

// take is a link with the call counted in; nil where none takes it.
func (r *links) take(ctx context.Context, call *linkCall, connection string) *link {
	var patience *time.Timer
	for {
		l, made := r.tryTake(call, connection)
		if l != nil || made == nil {
			return l
		}
		if patience == nil {
			patience = time.NewTimer(r.room.within)
			defer patience.Stop()
		}
		select {
		case <-made:
		case <-patience.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// tryTake is the link that has the fewest events under way, but rather the connection's own: that worker may have at hand what
// the connection's last event left. Where all are full, made says when to ask again.
func (r *links) tryTake(call *linkCall, connection string) (l *link, made <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var idlest, own *link
	var least, ownLoad int
	var highest uint64
	for worker, l := range r.byWorker { // in any order, so that equals take turns
		load, open := l.load()
		if !open {
			continue
		}
		if idlest == nil || load < least {
			idlest, least = l, load
		}
		if rank := r.rank(connection, worker); own == nil || rank > highest {
			own, ownLoad, highest = l, load, rank
		}
	}
	switch {
	case idlest == nil:
		return nil, nil
	case ownLoad <= least+1 && own.take(call):
		return own, nil
	case idlest.take(call):
		return idlest, nil
	}
	r.room.waiting++
	return nil, r.room.made
}

func (r *links) rank(connection, worker string) uint64 {
	var h maphash.Hash
	h.SetSeed(r.room.seed)
	_, _ = h.WriteString(connection)
	_, _ = h.WriteString(worker)
	return h.Sum64()
}

// roomMade has who waits ask again.
func (r *links) roomMade() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.room.waiting == 0 {
		return
	}
	r.room.waiting = 0
	close(r.room.made)
	r.room.made = make(chan struct{})
}

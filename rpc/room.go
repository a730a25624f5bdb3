package rpc

import (
	"context"
	"hash/maphash"
	"slices"
	"time"
)

// roomWithin is for how long no event may have ended before those that wait for room in a link go as requests; and how long nobody may expect
// to wait who does, by what events usually take. Most take less than a request costs both sides, and in a worker that is busy for all its
// threads each takes as much longer as there are others; one that is full of events which wait for something else has threads for requests beside.
const roomWithin = 3 * time.Millisecond

// room is for events that wait until a link has some: who came first goes first.
type room struct {
	within time.Duration // static
	seed   maphash.Seed
	queue  []chan struct{} // of each that waits; closed when it is to ask again
	made   time.Time       // the last time
	usual  time.Duration   // that an event is under way
	places int             // events that all links together have under way at most, when last seen
}

func newRoom() room { return room{within: roomWithin, seed: maphash.MakeSeed()} }

// take is a link with the call counted in; nil where none takes it.
func (r *links) take(ctx context.Context, call *linkCall, connection string) *link {
	l, turn := r.tryTake(call, connection, false)
	if turn == nil {
		return l
	}
	patience := time.NewTimer(r.room.within)
	defer patience.Stop()
	for turn != nil {
		select {
		case <-turn:
			l, turn = r.tryTake(call, connection, true)
			patience.Reset(r.room.within)
		case <-patience.C:
			moved, left := r.leave(turn)
			switch {
			case left:
				return nil
			case moved > 0:
				patience.Reset(moved)
			}
		case <-ctx.Done():
			r.withdraw(turn)
			return nil
		}
	}
	return l
}

// tryTake is the link that has the fewest events under way, but rather the connection's own: that worker may have at hand what
// the connection's last event left. Where all are full, turn says when to ask again. again puts it before those that came later.
func (r *links) tryTake(call *linkCall, connection string, again bool) (l *link, turn chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var idlest, own *link
	var least, ownLoad int
	var highest uint64
	r.room.places = 0
	for worker, l := range r.byWorker { // in any order, so that equals take turns
		load, threads, open := l.load()
		if !open {
			continue
		}
		r.room.places += threads
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
	case len(r.room.queue) > 0 && !again: // others were first
	case ownLoad <= least && own.take(call):
		return own, nil
	case idlest.take(call):
		return idlest, nil
	}
	if r.room.expected() > r.room.within {
		return nil, nil
	}
	turn = make(chan struct{})
	if again {
		r.room.queue = slices.Insert(r.room.queue, 0, turn)
	} else {
		r.room.queue = append(r.room.queue, turn)
	}
	return nil, turn
}

// expected is how long the next one is likely to wait until its turn.
func (r *room) expected() time.Duration {
	return r.usual * time.Duration(len(r.queue)+1) / time.Duration(max(r.places, 1))
}

// leave takes who waits for the turn out of the queue, unless room was made a moment ago: then it says for how long that is to be
// waited for again. Both are zero where the turn has come.
func (r *links) leave(turn chan struct{}) (moved time.Duration, left bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := slices.Index(r.room.queue, turn)
	if at < 0 {
		return 0, false
	}
	if moved = r.room.within - time.Since(r.room.made); moved > 0 {
		return moved, false
	}
	r.room.queue = slices.Delete(r.room.queue, at, at+1)
	return 0, true
}

// withdraw is for who does not wait any more. A turn that has come is another's.
func (r *links) withdraw(turn chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := slices.Index(r.room.queue, turn); at >= 0 {
		r.room.queue = slices.Delete(r.room.queue, at, at+1)
		return
	}
	r.nextLocked()
}

func (r *links) rank(connection, worker string) uint64 {
	var h maphash.Hash
	h.SetSeed(r.room.seed)
	_, _ = h.WriteString(connection)
	_, _ = h.WriteString(worker)
	return h.Sum64()
}

// roomMade is called when an event has ended that was under way for so long. The first that waits has its turn.
func (r *links) roomMade(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	longest := 4 * r.room.within * time.Duration(max(r.room.places, 1))
	r.room.usual += (min(took, longest) - r.room.usual) / 8 // a single long one says little
	r.nextLocked()
}

func (r *links) nextLocked() {
	if len(r.room.queue) == 0 {
		return
	}
	r.room.made = time.Now()
	close(r.room.queue[0])
	r.room.queue = slices.Delete(r.room.queue, 0, 1)
}

// linkGone gives all their turn: they may wait in vain.
func (r *links) linkGone() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.room.queue) > 0 {
		r.nextLocked()
	}
}

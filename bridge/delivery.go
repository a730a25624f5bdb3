package bridge

import "runtime"

// deliverySlice is how many followers of one broadcasting get a message before those of others have their turn: so that a stream that
// thousands follow does not hold up one of two. It is as long as a few hundred microseconds.
const deliverySlice = 64

// delivery is the message that is on its way to the followers of a broadcasting, and how far it has come.
type delivery struct {
	message *message // nil where there is none
	// the next member, and what it gets
	audience, member int
	plain, deflated  []byte
}

// broadcast begins the delivery of a message, or has it wait for the one before it.
func (l *lane) broadcast(m *message) {
	f := l.followers[m.broadcasting]
	switch {
	case f == nil:
		l.done++
	case f.isBusy():
		f.waiting = append(f.waiting, laneEvent{message: m})
	default:
		f.delivery = delivery{message: m}
		if !l.deliver(f) {
			l.busy = append(l.busy, f)
		}
	}
}

// goOn gives each broadcasting that has something under way its turn.
func (l *lane) goOn() {
	if len(l.busy) == 0 {
		return
	}
	still := l.busy[:0]
	for _, f := range l.busy {
		if !l.deliver(f) {
			still = append(still, f)
		}
		l.lookUp()
	}
	l.burst.end()
	clear(l.busy[len(still):])
	l.busy = still
	runtime.Gosched() // who reads from the PubSub may have no other processor
}

// deliver transmits a slice of what is on its way to the followers of one broadcasting, and tells whether that was all. What has come
// meanwhile for the same broadcasting is done in its order: a follower that joins after a message does not get it.
func (l *lane) deliver(f *followers) bool {
	for budget := deliverySlice; ; {
		if budget = l.deliverUpTo(budget, f); f.delivery.message != nil {
			return false
		}
		l.done++
		for f.delivery.message == nil {
			if len(f.waiting) == 0 {
				f.waiting = nil
				l.forgetIfEmpty(f)
				return true
			}
			next := f.waiting[0]
			f.waiting[0] = laneEvent{}
			f.waiting = f.waiting[1:]
			switch {
			case next.message != nil:
				f.delivery = delivery{message: next.message}
			case next.join != nil:
				l.join(next.join)
			case next.leave != nil:
				f.remove(next.leave)
			}
		}
		if budget == 0 {
			return false
		}
	}
}

// deliverUpTo transmits to so many members and returns how many are left of them. The message is nil when all have it.
func (l *lane) deliverUpTo(budget int, f *followers) int {
	d := &f.delivery
	for ; d.audience < len(f.audiences); d.audience++ {
		a := f.audiences[d.audience]
		if d.plain == nil {
			d.plain = d.message.frameFor(a.identifier, a.envelope)
		}
		end := min(len(a.members), d.member+budget)
		budget -= end - d.member
		l.transmit(d, a, a.members[d.member:end])
		if d.member = end; end < len(a.members) {
			return 0
		}
		d.member, d.plain, d.deflated = 0, nil, nil
	}
	f.delivery = delivery{}
	return budget
}

func (l *lane) transmit(d *delivery, a *audience, members []member) {
	l.touched += touchMembers(members)
	transmitted, saved := 0, 0
	for i := range members {
		to := &members[i]
		if to.stream.left.Load() {
			continue
		}
		frame := d.plain
		if to.connection.deflates {
			if d.deflated == nil { // until somebody takes it
				l.burst.end() // it takes a while
				d.deflated = d.message.deflatedFor(a.identifier, d.plain)
			}
			frame = d.deflated
		}
		if to.connection.transmitIn(l.burst, frame) {
			transmitted++
			saved += len(d.plain) - len(frame)
		}
	}
	a.transmissions.Add(float64(transmitted))
	if saved > 0 {
		l.metrics.deflateSaved.Add(float64(saved))
	}
}

// touchMembers reads what a delivery to each of them looks at. Beyond a few thousand connections that is in no cache, and a processor waits
// for many reads from memory in the time of one, but not across the system call that is in each delivery. What it returns says nothing: without it
// the compiler would leave the reads out.
func touchMembers(members []member) (n int) {
	for i := range members {
		if members[i].stream.left.Load() {
			n++
		}
		n += members[i].connection.touch()
	}
	return n
}

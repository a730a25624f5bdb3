package bridge

import (
	"time"

	"github.com/cablestay/cablestay/protocol"
)

const (
	// beatInterval is the time between two pings of a connection: ActionCable::Connection::... BEAT_INTERVAL, which the
	// stock client doubles to find a connection stale.
	beatInterval = 3 * time.Second
	// beatSlots is over how many moments of the interval the pings of all connections are spread, so that they
	// don't all fall on one.
	beatSlots = 30
	beatTick  = beatInterval / beatSlots
)

// beats pings the connections of a lane, which owns it.
type beats struct {
	burst *burst // the lane's, or nil
	slots [beatSlots][]*Connection
	next  int       // the slot that is due next
	due   time.Time // and when
	place uint8     // the slot that the next connection goes to
}

func (b *beats) add(c *Connection) {
	c.beatSlot, c.beatPlace = b.place, int32(len(b.slots[b.place])) //nolint:gosec // fewer than descriptors, which are an int32
	c.beating = true
	b.slots[b.place] = append(b.slots[b.place], c)
	b.place = (b.place + 1) % beatSlots
}

func (b *beats) remove(c *Connection) {
	if !c.beating {
		return
	}
	c.beating = false
	slot := b.slots[c.beatSlot]
	last := len(slot) - 1
	slot[c.beatPlace] = slot[last]
	slot[c.beatPlace].beatPlace = c.beatPlace
	slot[last] = nil
	b.slots[c.beatSlot] = slot[:last]
}

// tick pings the connections whose moment has come, all of a slot with one frame. After a delay that is several slots'
// moment, and a client that waits for two of its pings gives the connection up.
func (b *beats) tick(now time.Time) {
	if b.due.IsZero() {
		b.due = now
	}
	for range beatSlots {
		if b.due.After(now.Add(beatTick / 2)) { // a ticker is never quite on time
			return
		}
		b.due = b.due.Add(beatTick)
		b.ping(b.slots[b.next], now)
		b.next = (b.next + 1) % beatSlots
	}
	b.due = now.Add(beatTick) // everyone has been pinged
}

func (b *beats) ping(due []*Connection, now time.Time) {
	if len(due) == 0 {
		return
	}
	frame := textFrame(protocol.AppendPing(nil, now.Unix()))
	for _, c := range due {
		c.transmitIn(b.burst, frame)
	}
	b.burst.end()
}

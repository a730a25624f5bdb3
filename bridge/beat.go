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
	place uint8     // the slot that the next connection goes to
	due   time.Time // when one slot more is

	// under way
	next   int // the slot whose turn it is
	behind int // how many are due, with it
	left   int // of its connections, how many wait: the first ones
	moment time.Time
	frame  []byte // for that moment, once somebody needs it

	touched int // keeps what touch does
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
	if int(c.beatSlot) == b.next {
		b.left = min(b.left, last) // one that has its ping may have come to wait for another, which does no harm
	}
}

// tick finds the slots whose moment has come. After a delay those are several, and a client that waits for two of its pings gives the
// connection up.
func (b *beats) tick(now time.Time) {
	if b.due.IsZero() {
		b.due = now
	}
	for !b.due.After(now.Add(beatTick / 2)) { // a ticker is never quite on time
		if b.behind == beatSlots {
			b.due = now.Add(beatTick) // everyone is pinged
			return
		}
		b.due = b.due.Add(beatTick)
		b.behind++
		b.moment, b.frame = now, nil
		if b.behind == 1 {
			b.left = len(b.slots[b.next])
		}
	}
}

func (b *beats) areDue() bool { return b.behind > 0 }

// goOn pings a slice of the connections that are due, all with one frame: so that many pings don't hold up a broadcast.
func (b *beats) goOn() {
	for budget := deliverySlice; b.behind > 0; {
		n := min(budget, b.left)
		b.ping(b.slots[b.next][b.left-n : b.left])
		b.left -= n
		if budget -= n; b.left > 0 {
			return
		}
		b.next = (b.next + 1) % beatSlots
		b.behind--
		b.left = len(b.slots[b.next])
	}
}

func (b *beats) ping(due []*Connection) {
	if b.frame == nil && len(due) > 0 {
		b.frame = textFrame(protocol.AppendPing(nil, b.moment.Unix()))
	}
	for _, c := range due {
		b.touched += c.touch() // of all before the first is written to, as touchMembers does
	}
	for _, c := range due {
		c.transmitIn(b.burst, b.frame)
	}
	b.burst.end()
}

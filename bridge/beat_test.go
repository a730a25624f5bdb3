package bridge

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func newTightConnection(room int) (*Connection, *tightSocket) {
	s := &tightSocket{room: room}
	m, _ := newMetrics(nil, false)
	c := &Connection{server: &Server{metrics: m}}
	c.outbound.socket = s
	return c, s
}

// pingAll pings the last that is due.
func pingAll(b *beats, now time.Time) {
	for b.tick(now); b.areDue(); {
		b.goOn()
	}
}

// tickForAnInterval ticks as a ticker would, and returns when the next tick were due.
func tickForAnInterval(b *beats) time.Time {
	now := time.Unix(1700000000, 0)
	for range beatSlots {
		pingAll(b, now)
		now = now.Add(beatTick)
	}
	return now
}

func TestBeats_PingEveryConnectionOncePerInterval(t *testing.T) {
	var b beats
	sockets := make([]*tightSocket, 100)
	for i := range sockets {
		var c *Connection
		c, sockets[i] = newTightConnection(1000)
		b.add(c)
	}
	tickForAnInterval(&b)
	for i, s := range sockets {
		second := 1700000000 + i%beatSlots/10
		want := string(textFrame(fmt.Appendf(nil, `{"type":"ping","message":%d}`, second)))
		if got := s.taken.String(); got != want {
			t.Errorf("connection %d got %q, want %q", i, got, want)
		}
	}
}

func TestBeats_LeaveOutWhoHasGone(t *testing.T) {
	var b beats
	var connections []*Connection
	var sockets []*tightSocket
	for range 3 * beatSlots {
		c, s := newTightConnection(1000)
		b.add(c)
		connections, sockets = append(connections, c), append(sockets, s)
	}
	for i, c := range connections {
		if i%2 == 0 {
			b.remove(c)
			b.remove(c) // a rejected or twice ended one changes nothing
		}
	}
	tickForAnInterval(&b)
	for i, s := range sockets {
		if got, want := s.taken.Len() > 0, i%2 == 1; got != want {
			t.Errorf("connection %d pinged: %v, want %v", i, got, want)
		}
	}
}

func TestBeats_PingASliceAtATime(t *testing.T) {
	var b beats
	pinged := 0
	for range 3 * deliverySlice * beatSlots {
		c, _ := newTightConnection(0)
		c.outbound.socket = countingSocket{taken: &pinged}
		b.add(c)
	}
	b.tick(time.Unix(1700000000, 0))
	for _, want := range []int{1, 2, 3, 3} {
		b.goOn()
		if pinged != want*deliverySlice {
			t.Errorf("%d pings, want %d", pinged, want*deliverySlice)
		}
	}
	if b.areDue() {
		t.Error("there are still some due")
	}
}

func TestBeats_NobodyMissesAPingBecauseOthersLeave(t *testing.T) {
	for _, leaves := range []int{1, 2, deliverySlice, 2*deliverySlice - 1} { // some of those that have theirs, and some that wait
		var b beats
		var connections []*Connection
		var sockets []*tightSocket
		for range 2 * deliverySlice * beatSlots {
			c, s := newTightConnection(1000)
			b.add(c)
			connections, sockets = append(connections, c), append(sockets, s)
		}
		now := time.Unix(1700000000, 0)
		b.tick(now)
		b.goOn()
		for i := range leaves {
			b.remove(connections[(deliverySlice/2+i)%(2*deliverySlice)*beatSlots])
		}
		pingAll(&b, now)
		for i := 0; i < len(sockets); i += beatSlots {
			if connections[i].beating && sockets[i].taken.Len() == 0 {
				t.Errorf("%d leave: connection %d of the slot got no ping", leaves, i/beatSlots)
			}
		}
	}
}

func TestBeats_CatchUpAfterADelay(t *testing.T) {
	var b beats
	sockets := make([]*tightSocket, 2*beatSlots)
	for i := range sockets {
		var c *Connection
		c, sockets[i] = newTightConnection(1000)
		b.add(c)
	}
	pingAll(&b, tickForAnInterval(&b).Add(beatInterval))
	for i, s := range sockets {
		if got := bytes.Count(s.taken.Bytes(), []byte("ping")); got != 2 {
			t.Errorf("connection %d got %d pings, want 2", i, got)
		}
	}
}

func TestBeats_DoNotWaitForALaneThatIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := newMetrics(nil, false)
		l := newLane(m, new(atomic.Int32), nil)
		c, s := newTightConnection(1000)
		l.post(laneEvent{beat: c})
		for range 5 {
			l.post(laneEvent{inspect: func(*lane) {
				before := s.taken.Len()
				l.post(laneEvent{inspect: func(*lane) {
					if s.taken.Len() == before {
						t.Error("no ping in 3 s")
					}
				}})
				time.Sleep(beatInterval) // the broadcasts of so long
			}})
		}
		l.stop()
		if got := bytes.Count(s.taken.Bytes(), []byte("ping")); got < 5 {
			t.Errorf("%d pings in 15 s, want at least 5", got)
		}
	})
}

func TestBeats_ComeAtStocksInterval(t *testing.T) {
	if got := beatTick * beatSlots; got != 3*time.Second {
		t.Errorf("a connection is pinged every %v, want 3s", got)
	}
}

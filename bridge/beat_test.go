package bridge

import (
	"testing"
	"time"
)

func newTightConnection(room int) (*Connection, *tightSocket) {
	s := &tightSocket{room: room}
	m, _ := newMetrics(nil)
	c := &Connection{server: &Server{metrics: m}}
	c.outbound.socket = s
	return c, s
}

func TestBeats_PingEveryConnectionOncePerInterval(t *testing.T) {
	var b beats
	sockets := make([]*tightSocket, 100)
	for i := range sockets {
		var c *Connection
		c, sockets[i] = newTightConnection(1000)
		b.add(c)
	}
	for range beatSlots {
		b.tick(time.Unix(1700000000, 0))
	}
	want := string(textFrame([]byte(`{"type":"ping","message":1700000000}`)))
	for i, s := range sockets {
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
	for range beatSlots {
		b.tick(time.Unix(1700000000, 0))
	}
	for i, s := range sockets {
		if got, want := s.taken.Len() > 0, i%2 == 1; got != want {
			t.Errorf("connection %d pinged: %v, want %v", i, got, want)
		}
	}
}

func TestBeats_ComeAtStocksInterval(t *testing.T) {
	if got := beatTick * beatSlots; got != 3*time.Second {
		t.Errorf("a connection is pinged every %v, want 3s", got)
	}
}

package bridge

import (
	"bytes"
	"errors"
	"net"
	"testing"

	"github.com/gobwas/ws"
)

// tightSocket takes as many bytes as it has room for.
type tightSocket struct {
	socket
	room     int
	taken    bytes.Buffer
	awaiting bool
	closed   bool
}

func (s *tightSocket) tryWrite(p []byte) (int, error) {
	n := min(s.room, len(p))
	s.room -= n
	s.taken.Write(p[:n])
	return n, nil
}

func (s *tightSocket) writeAll(buffers net.Buffers) (int, error) {
	all := 0
	for _, b := range buffers {
		n, _ := s.tryWrite(b)
		all += n
	}
	return all, nil
}

func (s *tightSocket) touch() int     { return 0 }
func (s *tightSocket) awaitWritable() { s.awaiting = true }
func (s *tightSocket) close()         { s.closed = true }

func TestOutbound_GoesStraightToTheSocketWhileThatHasRoom(t *testing.T) {
	s := &tightSocket{room: 100}
	o := outbound{socket: s}
	if err := o.transmit([]byte("one")); err != nil {
		t.Fatal(err)
	}
	if got := s.taken.String(); got != "one" || o.backlog != nil || s.awaiting {
		t.Errorf("the socket got %q, and what waits is %+v", got, o.backlog)
	}
}

func TestOutbound_WritesWhatIsHeldAtOnceWhenItIsReleased(t *testing.T) {
	for room, want := range map[int]string{100: "head first second", 8: "head fir"} {
		s := &tightSocket{room: room}
		o := outbound{socket: s}
		o.hold([]byte("head "))
		for _, frame := range []string{"first ", "second"} {
			if err := o.transmit([]byte(frame)); err != nil {
				t.Fatal(err)
			}
		}
		if s.taken.Len() > 0 || s.awaiting {
			t.Errorf("the socket got %q before the release", s.taken.String())
		}
		o.release()
		if got, whole := s.taken.String(), room == 100; got != want || s.awaiting == whole {
			t.Errorf("room for %d: the socket got %q, want %q; it waits for room: %t", room, got, want, s.awaiting)
		}
	}
}

// What is held is all from one answer, and the client has had no chance to read: it is no slow consumer, and without the head it has
// no WebSocket.
func TestOutbound_TakesAllThatIsHeldHoweverMuchItIs(t *testing.T) {
	s := &tightSocket{room: 1 << 30}
	o := outbound{socket: s}
	o.hold([]byte("head "))
	large := bytes.Repeat([]byte("x"), maxOutbound)
	for range 2 {
		if err := o.transmit(large); err != nil {
			t.Fatal(err)
		}
	}
	o.release()
	if got, want := s.taken.Len(), len("head ")+2*len(large); got != want {
		t.Errorf("the socket got %d bytes, want %d", got, want)
	}
}

// The portable socket takes nothing at once.
func TestOutbound_DropsNoHeadThatIsNotWritten(t *testing.T) {
	s := &tightSocket{}
	o := outbound{socket: s}
	o.hold([]byte("head "))
	if err := o.transmit([]byte("first ")); err != nil {
		t.Fatal(err)
	}
	o.release()
	if err := o.transmit([]byte("second ")); err != nil {
		t.Fatal(err)
	}
	if dropped, _ := o.finish(true, []byte("goodbye")); dropped != 1 {
		t.Errorf("%d frames were dropped, want one", dropped)
	}
	s.room = 100
	o.flush()
	if got, want := s.taken.String(), "head first goodbye"; got != want {
		t.Errorf("the socket got %q, want %q", got, want)
	}
}

func TestOutbound_ReleasesNothingWhereTheSocketHasGone(t *testing.T) {
	s := &tightSocket{room: 100}
	o := outbound{socket: s}
	o.hold([]byte("head "))
	o.abandon()
	o.release()
	if s.taken.Len() > 0 {
		t.Errorf("the socket got %q", s.taken.String())
	}
}

func TestOutbound_KeepsOrderAndFramesWholeWhateverTheRoom(t *testing.T) {
	for step := 1; step < 12; step++ {
		s := &tightSocket{room: step}
		o := outbound{socket: s}
		for _, frame := range []string{"first ", "second ", "third"} {
			if err := o.transmit([]byte(frame)); err != nil {
				t.Fatal(err)
			}
		}
		for range 30 {
			s.room = step
			o.flush()
		}
		if got, want := s.taken.String(), "first second third"; got != want || o.backlog != nil {
			t.Errorf("with room for %d: got %q, and %+v waits, want %q", step, got, o.backlog, want)
		}
	}
}

func TestOutbound_TakesOneFrameOfAnySizeButNoneBeyondTheBound(t *testing.T) {
	s := &tightSocket{}
	o := outbound{socket: s}
	if err := o.transmit(make([]byte, 2*maxOutbound)); err != nil {
		t.Errorf("the first: %v", err)
	}
	if err := o.transmit([]byte("x")); !errors.Is(err, errSlowConsumer) {
		t.Errorf("the second: got %v, want %v", err, errSlowConsumer)
	}
}

func TestOutbound_TellsOfASlowConsumerOnceAndLeavesNoGap(t *testing.T) {
	s := &tightSocket{}
	o := outbound{socket: s}
	_ = o.transmit([]byte("half "))
	if err := o.transmit(make([]byte, maxOutbound)); !errors.Is(err, errSlowConsumer) {
		t.Errorf("what does not fit: got %v, want %v", err, errSlowConsumer)
	}
	if err := o.transmit([]byte("what would")); !errors.Is(err, errClosing) {
		t.Errorf("what comes after it: got %v, want %v", err, errClosing)
	}
	if _, ok := o.finish(true, []byte("close")); !ok {
		t.Error("the close frame was not taken")
	}
}

func TestOutbound_BoundsHowManyFramesWait(t *testing.T) {
	o := outbound{socket: &tightSocket{}}
	pong, taken := frame(ws.OpPong, nil), 0
	for o.transmit(pong) == nil {
		taken++
	}
	if taken != maxQueued {
		t.Errorf("%d frames wait, want %d", taken, maxQueued)
	}
}

func TestOutbound_FinishedEarlyDropsAllButAHalfWrittenFrame(t *testing.T) {
	s := &tightSocket{room: 3}
	o := outbound{socket: s}
	for _, frame := range []string{"half ", "dropped ", "dropped too "} {
		if err := o.transmit([]byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	if dropped, _ := o.finish(true, []byte("why "), []byte("close")); dropped != 2 {
		t.Errorf("dropped %d frames, want 2", dropped)
	}
	if err := o.transmit([]byte("late")); !errors.Is(err, errClosing) {
		t.Errorf("after the close: got %v, want %v", err, errClosing)
	}
	o.endWhenWritten()
	if s.closed {
		t.Error("the socket was closed before all was written")
	}
	s.room = 100
	o.flush()
	if got, want := s.taken.String(), "half why close"; got != want || !s.closed || o.backlog != nil {
		t.Errorf("got %q, closed %v, and %+v waits, want %q", got, s.closed, o.backlog, want)
	}
}

func TestOutbound_CostsNoAllocation(t *testing.T) {
	s := &tightSocket{}
	s.taken.Grow(1 << 20)
	o := outbound{socket: s}
	frame := []byte("frame")
	if n := testing.AllocsPerRun(1000, func() {
		s.room = 10
		_ = o.transmit(frame)
	}); n != 0 {
		t.Errorf("%v allocations for a transmission, want none", n)
	}
}

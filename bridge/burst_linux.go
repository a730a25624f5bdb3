package bridge

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	// burstSize is how many frames go into one call.
	burstSize = deliverySlice
	// burstBytes ends a burst early: Go can't stop a thread during the call, so a garbage collection would wait for all to be copied.
	burstBytes = 256 << 10
)

// burstWorth is from how many frames on a ring is cheaper than as many calls of write.
var burstWorth = 4

// A burst takes frames for many sockets to the kernel in one call, through an io_uring. It belongs to a lane.
//
// From transmit to end it holds the locks that a write holds, of each connection that it has a frame for: its outbound's, so that nothing overtakes the frame,
// and its socket's, so that its descriptor stays what it is. Nobody else holds those of two connections, and no connection is in two
// lanes, so that can't end in a deadlock; but the lane must end a burst before it takes a lock in any other way, and before it waits.
type burst struct {
	ring   *ring
	worth  int // from how many frames on it is used
	frames []burstFrame
	bytes  int // in them
}

type burstFrame struct {
	to     *outbound
	socket *epollSocket
	frame  []byte
}

func newBurst() (*burst, error) {
	r, err := newRing(burstSize)
	if err != nil {
		return nil, err
	}
	return &burst{ring: r, worth: burstWorth, frames: make([]burstFrame, 0, burstSize)}, nil
}

// tried is what CheckIOURing sends. It is not on a stack, which may move while the ring has its address.
var tried = []byte("x")

// CheckIOURing says why the system can't have Config.IOURing. It sends something, because there are those that allow an io_uring and nothing
// in it.
func CheckIOURing() error {
	r, err := newRing(1)
	if err != nil {
		return fmt.Errorf("the kernel refuses io_uring: %w", err)
	}
	defer r.close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("try io_uring: %w", err)
	}
	defer func() { err = errors.Join(unix.Close(pair[0]), unix.Close(pair[1])) }()
	r.prepare(int32(pair[0]), tried) //nolint:gosec // descriptors are an int32
	if result := r.submit()[0]; result < 0 {
		return fmt.Errorf("the kernel refuses to send through io_uring: %w", unix.Errno(-result))
	}
	return nil
}

// transmit is the outbound's, but that the frame goes when the burst is full, or ends.
func (b *burst) transmit(o *outbound, frame []byte) error {
	if o.inBurst {
		b.end() // the connection follows the broadcasting twice
	}
	o.mu.Lock()
	if err := o.admitLocked(frame); err != nil {
		o.mu.Unlock()
		return err
	}
	s, ok := o.socket.(*epollSocket)
	if !ok || o.backlog != nil {
		o.enqueueLocked(frame)
		o.mu.Unlock()
		return nil
	}
	s.mu.Lock()
	if s.shut {
		s.mu.Unlock()
		o.mu.Unlock()
		return nil // as what is written to a broken socket
	}
	o.inBurst = true
	b.frames = append(b.frames, burstFrame{o, s, frame})
	if b.bytes += len(frame); len(b.frames) == burstSize || b.bytes >= burstBytes {
		b.end()
	}
	return nil
}

// end sends what has been transmitted. A nil burst has nothing.
func (b *burst) end() {
	if b == nil || len(b.frames) == 0 {
		return
	}
	if len(b.frames) < b.worth {
		for i := range b.frames {
			each := &b.frames[i]
			n, err := written(send(each.socket.fd, each.frame))
			each.wrote(n, err)
		}
	} else {
		for i := range b.frames {
			b.ring.prepare(b.frames[i].socket.fd, b.frames[i].frame)
		}
		for i, result := range b.ring.submit() {
			n, err := int(result), error(nil)
			if result < 0 {
				n, err = written(-1, unix.Errno(-result))
			}
			b.frames[i].wrote(n, err)
		}
	}
	clear(b.frames)
	b.frames, b.bytes = b.frames[:0], 0
}

func (f *burstFrame) wrote(n int, err error) {
	f.socket.mu.Unlock()
	f.to.inBurst = false
	f.to.wroteLocked(f.frame, n, err)
	f.to.mu.Unlock()
}

func (b *burst) close() {
	if b != nil {
		b.ring.close()
	}
}

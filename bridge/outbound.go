package bridge

import (
	"net"
	"slices"
	"sync"
)

const (
	// maxOutbound is how many bytes may wait for one connection before it counts as a slow consumer.
	maxOutbound = 4 << 20
	// maxQueued is how many frames may wait: a client that pings and does not read would make 4 MiB of pongs cost many times
	// that.
	maxQueued = 1 << 15
	// flushBuffers is how many frames go into one write.
	flushBuffers = 64
)

// outbound is the way to one socket. A frame goes straight to the kernel as long as that takes it. Frames are shared between
// connections and never changed.
type outbound struct {
	socket socket

	mu      sync.Mutex // guards the following; never held while a write waits for the peer
	slow    bool       // a frame did not fit; the close frame is to follow
	closing bool       // the close frame is in; nothing may follow it
	ending  bool       // close the socket when all is written
	gone    bool       // the socket is
	inBurst bool       // the lane's burst has a frame for it, and holds mu until that is written; only the lane looks
	backlog *backlog   // what the kernel has not taken: nil, nearly always
}

// backlog is what waits to be written. There is at least one frame in it.
type backlog struct {
	frames   [][]byte
	written  int // bytes of frames[0]
	bytes    int // still to be written
	inFlight int // how many of the frames an unfinished flush is writing
	held     bool
	headed   bool // frames[0] begins with the handshake's answer
}

// hold has what is transmitted wait, behind these first bytes, until release, however much it is: it comes of one answer, and the peer could
// not have read any of it. Nothing is read by then.
func (o *outbound) hold(first []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.backlog = &backlog{frames: [][]byte{first}, bytes: len(first), held: true}
}

// release writes it all at once, so far as the kernel takes it.
func (o *outbound) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.backlog
	if b == nil {
		return // the socket is gone
	}
	o.backlog = nil
	o.enqueueLocked(slices.Concat(b.frames...))
	if o.backlog != nil {
		o.backlog.headed = true
	}
}

// transmit writes the frame, or queues it behind others. Where it does not fit, it says so once: after a gap nothing more
// goes in.
func (o *outbound) transmit(frame []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.admitLocked(frame); err != nil {
		return err
	}
	o.enqueueLocked(frame)
	return nil
}

// admitLocked says whether the frame may go in.
func (o *outbound) admitLocked(frame []byte) error {
	if o.closing || o.slow {
		return errClosing
	}
	if b := o.backlog; b != nil && !b.held && (b.bytes+len(frame) > maxOutbound || len(b.frames) >= maxQueued) {
		o.slow = true
		return errSlowConsumer
	}
	return nil
}

// finish takes the last frames. Where drop is set they replace all that waits but a frame that is half written.
func (o *outbound) finish(drop bool, last ...[]byte) (dropped int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing {
		return 0, false
	}
	o.closing = true
	if drop {
		dropped = o.dropLocked()
	}
	for _, frame := range last {
		o.enqueueLocked(frame)
	}
	return dropped, true
}

// saidGoodbye is true from before the peer can see the close frame.
func (o *outbound) saidGoodbye() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing && !o.gone
}

// endWhenWritten closes the socket as soon as nothing waits.
func (o *outbound) endWhenWritten() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closing, o.ending = true, true
	if o.backlog == nil {
		o.socket.close()
	}
}

// abandon forgets what waits: the socket is gone.
func (o *outbound) abandon() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.abandonLocked()
}

func (o *outbound) abandonLocked() {
	o.backlog, o.closing, o.gone = nil, true, true
}

func (o *outbound) enqueueLocked(frame []byte) {
	if b := o.backlog; b != nil {
		b.frames = append(b.frames, frame)
		b.bytes += len(frame)
		return
	}
	n, err := o.socket.tryWrite(frame)
	o.wroteLocked(frame, n, err)
}

// wroteLocked queues what the kernel has not taken of a frame.
func (o *outbound) wroteLocked(frame []byte, n int, err error) {
	if err != nil || n == len(frame) {
		return // a broken socket hangs up by itself
	}
	o.backlog = &backlog{frames: [][]byte{frame}, written: n, bytes: len(frame) - n}
	o.socket.awaitWritable()
}

// dropLocked keeps a frame that is half written, what is just being written, and what there is no WebSocket without.
func (o *outbound) dropLocked() int {
	b := o.backlog
	if b == nil {
		return 0
	}
	keep := b.inFlight
	if keep == 0 && (b.written > 0 || b.headed) {
		keep = 1
	}
	dropped := len(b.frames) - keep
	for i := keep; i < len(b.frames); i++ {
		b.bytes -= len(b.frames[i])
		b.frames[i] = nil
	}
	b.frames = b.frames[:keep]
	if keep == 0 {
		o.backlog = nil
	}
	return dropped
}

// flush writes what waits. It is called when the socket has room.
func (o *outbound) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	var buffers [flushBuffers][]byte
	for o.backlog != nil {
		b := o.backlog
		batch := net.Buffers(buffers[:copy(buffers[:], b.frames)])
		batch[0] = batch[0][b.written:]
		asked := 0
		for _, each := range batch {
			asked += len(each)
		}
		b.inFlight = len(batch)
		o.mu.Unlock()
		n, err := o.socket.writeAll(batch)
		o.mu.Lock()
		b.inFlight = 0
		if err != nil {
			o.socket.close() // where nothing is read, a broken socket does not hang up by itself
		}
		if err != nil || o.gone {
			o.abandonLocked()
			return
		}
		if b.advance(n); len(b.frames) == 0 {
			o.backlog = nil
		}
		if n < asked {
			o.socket.awaitWritable()
			return
		}
	}
	if o.ending {
		o.socket.close()
	}
}

func (b *backlog) advance(n int) {
	b.bytes -= n
	b.written += n
	for len(b.frames) > 0 && b.written >= len(b.frames[0]) {
		b.written -= len(b.frames[0])
		b.frames[0] = nil
		b.frames, b.headed = b.frames[1:], false
	}
}

package bridge

import (
	"net"
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

// outbound is what waits to be written to one socket: nothing, nearly always, for a frame goes straight to the kernel
// as long as that takes it. Frames are shared between connections and never changed.
type outbound struct {
	socket socket

	mu       sync.Mutex // guards the following; never held while a write waits for the peer
	queue    [][]byte
	written  int  // bytes of queue[0]
	bytes    int  // still to be written
	inFlight int  // how many of the queue an unfinished flush is writing
	slow     bool // a frame did not fit; the close frame is to follow
	closing  bool // the close frame is in; nothing may follow it
	ending   bool // close the socket when all is written
	gone     bool // the socket is
}

// transmit writes the frame, or queues it behind others. Where it does not fit, it says so once: after a gap nothing more
// goes in.
func (o *outbound) transmit(frame []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing || o.slow {
		return errClosing
	}
	if len(o.queue) > 0 && (o.bytes+len(frame) > maxOutbound || len(o.queue) >= maxQueued) {
		o.slow = true
		return errSlowConsumer
	}
	o.enqueueLocked(frame)
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

// endWhenWritten closes the socket as soon as nothing waits.
func (o *outbound) endWhenWritten() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closing, o.ending = true, true
	if len(o.queue) == 0 {
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
	o.queue, o.bytes, o.written, o.closing, o.gone = nil, 0, 0, true, true
}

func (o *outbound) enqueueLocked(frame []byte) {
	if len(o.queue) == 0 {
		n, err := o.socket.tryWrite(frame)
		if err != nil || n == len(frame) {
			return // a broken socket hangs up by itself
		}
		o.written = n
		o.socket.awaitWritable()
	}
	o.queue = append(o.queue, frame)
	o.bytes += len(frame)
	if len(o.queue) == 1 {
		o.bytes -= o.written
	}
}

func (o *outbound) dropLocked() int {
	keep := o.inFlight
	if keep == 0 && o.written > 0 {
		keep = 1
	}
	dropped := 0
	for i := keep; i < len(o.queue); i++ {
		o.bytes -= len(o.queue[i])
		o.queue[i] = nil
		dropped++
	}
	o.queue = o.queue[:keep]
	if keep == 0 {
		o.queue, o.bytes = nil, 0
	}
	return dropped
}

// flush writes what waits. It is called when the socket has room.
func (o *outbound) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	var buffers [flushBuffers][]byte
	for len(o.queue) > 0 {
		batch := net.Buffers(buffers[:copy(buffers[:], o.queue)])
		batch[0] = batch[0][o.written:]
		asked := 0
		for _, b := range batch {
			asked += len(b)
		}
		o.inFlight = len(batch)
		o.mu.Unlock()
		n, err := o.socket.writeAll(batch)
		o.mu.Lock()
		o.inFlight = 0
		if err != nil || o.gone {
			o.abandonLocked()
			return
		}
		o.advanceLocked(n)
		if n < asked {
			o.socket.awaitWritable()
			return
		}
	}
	if o.ending {
		o.socket.close()
	}
}

func (o *outbound) advanceLocked(n int) {
	o.bytes -= n
	o.written += n
	for len(o.queue) > 0 && o.written >= len(o.queue[0]) {
		o.written -= len(o.queue[0])
		o.queue[0] = nil
		o.queue = o.queue[1:]
	}
	if len(o.queue) == 0 {
		o.queue = nil // an idle connection keeps no queue
	}
}

package bridge

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// longestLook is how long a goroutine waits at most: as long as others have something to do, the scheduler does not look.
const longestLook = time.Millisecond

// A lookout has Go's scheduler look at the network. While there is a goroutine that can run, the scheduler does so every 10 ms only, so that
// with a single core what Redis, Rails and clients send would wait for as long beside a fan-out. Neither Gosched nor a short sleep helps. But
// who waits for a descriptor is found by such a look, and where that descriptor is ready all that is ready beside it is found as well.
type lookout struct {
	file *os.File // an eventfd, or nil where there was none to be had
	wait syscall.RawConn
	ring func(fd uintptr) (done bool)
	rung bool
}

func newLookout() *lookout {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return &lookout{}
	}
	o := &lookout{file: os.NewFile(uintptr(fd), "eventfd")}
	o.ring = o.ringOnce
	if o.wait, err = o.file.SyscallConn(); err != nil {
		o.close()
	}
	return o
}

// look returns when the scheduler has looked, or has found others to run for too long. It is for one goroutine at a time.
func (o *lookout) look() {
	if o.file == nil {
		runtime.Gosched()
		return
	}
	o.rung = false
	_ = o.file.SetReadDeadline(time.Now().Add(longestLook))
	_ = o.wait.Read(o.ring)
}

// ringOnce is called before the wait and after it. Go's poller is told of each write anew, so nobody has to read.
func (o *lookout) ringOnce(fd uintptr) (done bool) {
	o.rung = !o.rung
	if !o.rung {
		return true
	}
	one := [8]byte{1}
	if _, err := write(int32(fd), one[:]); err != nil { //nolint:gosec // descriptors are an int32
		o.rung = false
		return true
	}
	return false
}

func (o *lookout) close() {
	if o.file != nil {
		_ = o.file.Close()
		o.file = nil
	}
}

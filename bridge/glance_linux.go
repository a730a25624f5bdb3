package bridge

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// A glance has Go's scheduler look at the network. While there is a goroutine that can run, the scheduler does so every 10 ms only, so that
// with a single core what Redis, Rails and clients send would wait for as long beside a fan-out. Neither Gosched nor a short sleep helps. But
// who waits for a descriptor is found by such a look, and where that descriptor is ready all that is ready beside it is found as well.
type glance struct {
	file *os.File // an eventfd, or nil where there was none to be had
	wait syscall.RawConn
	ring func(fd uintptr) (done bool)
	rung bool
}

func newGlance() *glance {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return &glance{}
	}
	g := &glance{file: os.NewFile(uintptr(fd), "eventfd")}
	g.ring = g.ringOnce
	if g.wait, err = g.file.SyscallConn(); err != nil {
		g.close()
	}
	return g
}

// look returns when the scheduler has looked. It is for one goroutine at a time.
func (g *glance) look() {
	if g.file == nil || g.wait.Read(g.ring) != nil {
		runtime.Gosched()
	}
}

// ringOnce is called before the wait and after it. Go's poller is told of each write anew, so nobody has to read.
func (g *glance) ringOnce(fd uintptr) (done bool) {
	g.rung = !g.rung
	if !g.rung {
		return true
	}
	one := [8]byte{1}
	if _, err := write(int32(fd), one[:]); err != nil { //nolint:gosec // descriptors are an int32
		g.rung = false
		return true
	}
	return false
}

func (g *glance) close() {
	if g.file != nil {
		_ = g.file.Close()
		g.file = nil
	}
}

package bridge

import (
	"fmt"
	"math/rand"
	"net"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// socketPairs is a lane whose connections have sockets of the kernel's, and the clients' ends of them.
type socketPairs struct {
	lane    *lane
	pollers *pollers
	streams []*stream
	clients []int
}

func newSocketPairs(b *testing.B, n int) *socketPairs {
	b.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Max < uint64(2*n+100) { //nolint:gosec // it is positive
		b.Skipf("%d connections take more descriptors than there are", n)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	pollers, err := newPollers(false)
	if err != nil {
		b.Fatal(err)
	}
	p := &socketPairs{lane: stoppedLane(), pollers: pollers}
	for range n {
		client, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		fd, err := detach(client)
		if err != nil {
			b.Fatal(err)
		}
		if err := unix.SetNonblock(fd, false); err != nil { // the kernel may take a moment to hand on what was written
			b.Fatal(err)
		}
		p.clients = append(p.clients, fd)
		server, err := listener.Accept()
		if err != nil {
			b.Fatal(err)
		}
		s := unjoined(p.lane, "room", `{"channel":"RoomChannel","id":1}`)
		if s.subscription.connection.outbound.socket, err = p.pollers.add(server, unmoved{make(chan struct{})}); err != nil {
			b.Fatal(err)
		}
		p.streams = append(p.streams, s)
	}
	rand.Shuffle(n, func(i, j int) { p.streams[i], p.streams[j] = p.streams[j], p.streams[i] }) // as clients come and go
	return p
}

func (p *socketPairs) close() {
	p.pollers.stop()
	for _, fd := range p.clients {
		_ = unix.Close(fd)
	}
}

// drain reads what has come to the clients.
func (p *socketPairs) drain(b *testing.B) {
	b.Helper()
	var into [4096]byte
	for _, fd := range p.clients {
		if n, err := unix.Read(fd, into[:]); n <= 0 {
			b.Fatalf("read %d bytes: %v", n, err)
		}
	}
}

// processorTime is this thread's.
func processorTime() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return t.Nano()
}

// BenchmarkSockets is a delivery with the kernel's part in it, in processor time: with many connections neither that nor ours is in the caches.
func BenchmarkSockets(b *testing.B) {
	for _, n := range []int{10, 1000, 9000} {
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) {
			p := newSocketPairs(b, n)
			defer p.close()
			for _, s := range p.streams {
				p.lane.join(s)
			}
			payload := stringOf(sizes[0])
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			taken, rounds := int64(0), 0
			for b.Loop() {
				began := processorTime()
				deliverAll(p.lane, &message{broadcasting: "room", payload: payload})
				taken += processorTime() - began
				rounds++
				p.drain(b)
			}
			b.ReportMetric(float64(taken)/float64(rounds*n), "cpu-ns/delivery")
		})
	}
}

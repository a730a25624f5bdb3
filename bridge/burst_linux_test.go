package bridge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/cablestay/cablestay/bridge/iouringtest"
	"golang.org/x/sys/unix"
)

// Tests have the ring write all, however few they are.
func init() { burstWorth = 1 }

func testBurst(t testing.TB) *burst {
	t.Helper()
	b, err := newBurst()
	if err != nil {
		t.Skipf("this kernel has no io_uring for us: %v", err)
	}
	t.Cleanup(b.close)
	return b
}

// peer is a client, and the bridge's end of its socket.
type peer struct {
	net.Conn
	outbound *outbound
	socket   *epollSocket
}

// flushing is a handler that writes what waits.
type flushing struct {
	unmoved
	outbound *outbound
}

func (f flushing) writable() { f.outbound.flush() }

func testPeers(t testing.TB, n int) []peer {
	t.Helper()
	p, err := newEpoll()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	peers := make([]peer, n)
	for i := range peers {
		server, client := connected(t)
		o := new(outbound)
		s, err := p.add(server, flushing{unmoved{make(chan struct{})}, o})
		if err != nil {
			t.Fatal(err)
		}
		o.socket = s
		s.start()
		peers[i] = peer{client, o, s.(*epollSocket)}
	}
	return peers
}

func (p peer) expect(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p, got); err != nil || string(got) != want {
		t.Fatalf("got %.40q, %v, want %.40q", got, err, want)
	}
}

func TestBurst_GivesEachItsOwnFrame(t *testing.T) {
	for _, worth := range []int{1, 2 * burstSize} {
		t.Run(fmt.Sprint("worth=", worth), func(t *testing.T) {
			b := testBurst(t)
			b.worth = worth
			peers := testPeers(t, burstSize+burstSize/2)
			for round := range 5 { // past the end of the ring
				for i, p := range peers {
					if err := b.transmit(p.outbound, fmt.Appendf(nil, "%d for %d.", round, i)); err != nil {
						t.Fatal(err)
					}
				}
				b.end()
				for i, p := range peers {
					p.expect(t, fmt.Sprintf("%d for %d.", round, i))
				}
			}
		})
	}
}

func TestBurst_LetsGoOfEveryConnectionWhenItEnds(t *testing.T) {
	b := testBurst(t)
	peers := testPeers(t, 3)
	for _, p := range peers {
		_ = b.transmit(p.outbound, []byte("frame"))
		if p.outbound.mu.TryLock() {
			t.Fatal("another could have overtaken the frame")
		}
	}
	b.end()
	for _, p := range peers {
		if !p.outbound.mu.TryLock() || !p.socket.mu.TryLock() || p.outbound.inBurst {
			t.Fatal("a connection is still in the burst")
		}
		p.socket.mu.Unlock()
		p.outbound.mu.Unlock()
	}
}

func TestBurst_EndsEarlyWhereFramesAreLong(t *testing.T) {
	b := testBurst(t)
	for i, p := range testPeers(t, 3) {
		_ = b.transmit(p.outbound, make([]byte, burstBytes/2+1))
		if got, want := len(b.frames), (i+1)%2; got != want {
			t.Errorf("after %d: %d are in the burst, want %d", i+1, got, want)
		}
	}
	b.end()
}

func TestBurst_AConnectionThatIsInItTwiceGetsBothInOrder(t *testing.T) {
	b := testBurst(t)
	peers := testPeers(t, 2)
	for _, frame := range []string{"one ", "two ", "three"} {
		for _, p := range peers {
			_ = b.transmit(p.outbound, []byte(frame))
		}
	}
	b.end()
	for _, p := range peers {
		p.expect(t, "one two three")
	}
}

func TestBurst_QueuesWhatTheKernelDoesNotTake(t *testing.T) {
	b := testBurst(t)
	peers := testPeers(t, 2)
	slow, quick := peers[0], peers[1]
	var sent bytes.Buffer
	for n := 0; !backlogged(slow.outbound); n++ {
		frame := fmt.Appendf(nil, "%d ", n)
		frame = append(frame, bytes.Repeat([]byte("x"), 100_000)...)
		sent.Write(frame)
		_ = b.transmit(slow.outbound, frame)
		_ = b.transmit(quick.outbound, []byte("tick"))
		b.end()
		quick.expect(t, "tick")
	}
	for range 3 { // behind it
		sent.WriteString("last")
		_ = b.transmit(slow.outbound, []byte("last"))
		b.end()
	}
	slow.expect(t, sent.String())
	_ = b.transmit(slow.outbound, []byte("once more"))
	b.end()
	slow.expect(t, "once more")
}

func backlogged(o *outbound) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.backlog != nil
}

func TestBurst_TellsOfASlowConsumerAsAWriteDoes(t *testing.T) {
	b := testBurst(t)
	slow := testPeers(t, 1)[0]
	var err error
	for frame := make([]byte, maxOutbound/2); err == nil; b.end() {
		err = b.transmit(slow.outbound, frame)
	}
	if !errors.Is(err, errSlowConsumer) {
		t.Errorf("got %v, want %v", err, errSlowConsumer)
	}
	if err := b.transmit(slow.outbound, []byte("late")); !errors.Is(err, errClosing) {
		t.Errorf("what comes after it: got %v, want %v", err, errClosing)
	}
}

func TestBurst_ABrokenSocketHarmsNobodyElse(t *testing.T) {
	b := testBurst(t)
	peers := testPeers(t, 4)
	peers[0].socket.close()
	// As if a reset had come in the very moment: the write side is gone, and nobody has told the socket.
	if err := unix.Shutdown(int(peers[2].socket.fd), unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		if err := b.transmit(p.outbound, []byte("frame")); err != nil {
			t.Error(err)
		}
	}
	b.end()
	peers[1].expect(t, "frame")
	peers[3].expect(t, "frame")
	for i, p := range peers {
		if backlogged(p.outbound) {
			t.Errorf("something waits for %d", i)
		}
	}
}

// ENOMEM can't be had from a test, but what follows from it can.
func TestBurst_LeavesToThePollerWhatTheRingDoesNotEvenLookAt(t *testing.T) {
	b := testBurst(t)
	fd := b.ring.fd
	peers := testPeers(t, 10)
	for _, frame := range []string{"one ", "two "} {
		b.ring.fd = -1
		for _, p := range peers {
			_ = b.transmit(p.outbound, []byte(frame))
		}
		b.end()
	}
	b.ring.fd = fd
	for _, p := range peers {
		p.expect(t, "one two ")
		_ = b.transmit(p.outbound, []byte("three"))
	}
	b.end()
	for _, p := range peers {
		p.expect(t, "three")
	}
}

func TestBurst_CostsNoAllocation(t *testing.T) {
	b := testBurst(t)
	peers := testPeers(t, 10)
	frame := textFrame([]byte("a short one, so that the kernel takes them all"))
	if n := testing.AllocsPerRun(100, func() {
		for _, p := range peers {
			_ = b.transmit(p.outbound, frame)
		}
		b.end()
	}); n != 0 {
		t.Errorf("%v allocations for a burst, want none", n)
	}
}

func TestCheckIOURing_SaysWhatTheKernelSays(t *testing.T) {
	iouringtest.Refused(t, func() {
		err := CheckIOURing()
		if !errors.Is(err, unix.EPERM) || !strings.Contains(fmt.Sprint(err), "the kernel refuses io_uring") {
			t.Errorf("got %v, want the kernel's EPERM", err)
		}
	})
}

func TestServer_HasNoLanesWhereTheKernelRefusesTheirRings(t *testing.T) {
	m, _ := newMetrics(nil, false)
	s := Server{metrics: m}
	iouringtest.Refused(t, func() {
		if err := s.startLanes(true); !errors.Is(err, unix.EPERM) {
			t.Errorf("got %v, want the kernel's EPERM", err)
		}
	})
}

func TestRing_ItsStructsAreAsTheKernelHasThem(t *testing.T) {
	for name, size := range map[string][2]uintptr{
		"io_uring_params": {unsafe.Sizeof(ioUringParams{}), 120},
		"io_uring_sqe":    {unsafe.Sizeof(ioUringSQE{}), 64},
		"io_uring_cqe":    {unsafe.Sizeof(ioUringCQE{}), 16},
	} {
		if size[0] != size[1] {
			t.Errorf("%s has %d bytes, want %d", name, size[0], size[1])
		}
	}
}

// BenchmarkBurst gives a frame to a thousand sockets, by the ring and by a call for each. What counts is the CPU of the thread that does it: the one
// that reads is another.
func BenchmarkBurst(b *testing.B) {
	for name, worth := range map[string]int{"io_uring": 1, "send": 2 * burstSize} {
		for _, size := range sizes[:2] {
			b.Run(fmt.Sprintf("by=%s/bytes=%d", name, size), func(b *testing.B) {
				burst := testBurst(b)
				burst.worth = worth
				frame := textFrame(stringOf(size))
				peers := testPeers(b, 1000)
				var unread sync.WaitGroup
				for _, p := range peers {
					go func() {
						for buffer := make([]byte, len(frame)); ; unread.Done() {
							if _, err := io.ReadFull(p, buffer); err != nil {
								return
							}
						}
					}()
				}
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				var taken time.Duration
				for b.Loop() {
					unread.Add(len(peers))
					began := threadTime()
					for _, p := range peers {
						_ = burst.transmit(p.outbound, frame)
					}
					burst.end()
					taken += threadTime() - began
					unread.Wait()
				}
				b.ReportMetric(float64(taken.Nanoseconds())/float64(b.N*len(peers)), "cpu-ns/delivery")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func threadTime() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now)
	return time.Duration(now.Nano())
}

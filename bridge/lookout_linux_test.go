package bridge

import (
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// With one processor, and without the lookout, whoever waits for the network waits for the scheduler's next look: those who have something to
// do only pass the processor to and fro.
func TestLane_LetsInWhatHasComeFromTheNetworkWithoutResting(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	reader, writer := connected(t)
	var got atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		var into [1]byte
		for {
			if _, err := reader.Read(into[:]); err != nil {
				return
			}
			got.Add(1)
		}
	}()
	l := stoppedLane()
	l.working.Store(1)
	l.lookout = newLookout()
	defer l.lookout.close()
	l.lookUp() // the reader waits
	const bytes = 100
	late := 0
	for i := range bytes {
		if _, err := writer.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		l.looked = time.Time{}
		l.lookUp()
		runtime.Gosched() // the one that was found may come second
		if int(got.Load()) <= i {
			late++
		}
	}
	if late > bytes/2 {
		t.Errorf("%d of %d were not let in by a lookout", late, bytes)
	}
	_ = writer.Close()
	<-done
}

func TestLookout_WithoutADescriptorLetsOthersRun(t *testing.T) {
	g := newLookout()
	g.close()
	g.look()
	g.close()
}

func TestLookout_CostsNoAllocation(t *testing.T) {
	g := newLookout()
	defer g.close()
	if n := testing.AllocsPerRun(100, g.look); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// BenchmarkLookout is what a lane that does not rest pays every lookEvery.
func BenchmarkLookout(b *testing.B) {
	g := newLookout()
	defer g.close()
	for b.Loop() {
		g.look()
	}
}

// connected is two ends of a connection that ends with the test.
func connected(t testing.TB) (reader, writer net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if writer, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if reader, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []io.Closer{reader, writer} {
		t.Cleanup(func() { _ = end.Close() })
	}
	return reader, writer
}

package bridge

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge/certificatetest"
)

// securePeer is a client, and the bridge's end of its session.
type securePeer struct {
	*tls.Conn
	outbound *outbound
	socket   *secureSocket
}

func testSecurePeer(t testing.TB) securePeer {
	t.Helper()
	path, key := certificatetest.Write(t, t.TempDir(), "bridge.test")
	pair, err := tls.LoadX509KeyPair(path, key)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := TLSListener(plain, &tls.Config{Certificates: []tls.Certificate{pair}})
	defer func() { _ = listener.Close() }()
	conn, err := net.Dial("tcp", plain.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	shaken := make(chan error)
	go func() { shaken <- server.(*tls.Conn).Handshake() }()
	client := tls.Client(conn, &tls.Config{RootCAs: certificatetest.Pool(t, path), ServerName: "127.0.0.1"})
	if err := errors.Join(client.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	p, err := newEpoll()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	o := new(outbound)
	s, err := p.add(server, flushing{unmoved{make(chan struct{})}, o})
	if err != nil {
		t.Fatal(err)
	}
	o.socket = s
	s.start()
	return securePeer{client, o, s.(*secureSocket)}
}

// waiting is how many bytes the session has encrypted and the kernel not taken.
func (p securePeer) waiting() int {
	p.socket.wire.mu.Lock()
	defer p.socket.wire.mu.Unlock()
	return len(p.socket.wire.sealed)
}

// fill transmits until the kernel has not taken all of a record, and returns what was transmitted.
func (p securePeer) fill(t *testing.T) (sent []byte) {
	t.Helper()
	for i := 0; p.socket.wire.isEmpty(); i++ {
		frame := textFrame(bytes.Repeat([]byte{byte('a' + i%26)}, maxRecord-100))
		if err := p.outbound.transmit(frame); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, frame...)
	}
	return sent
}

func (p securePeer) expect(t *testing.T, want []byte) {
	t.Helper()
	got, err := io.ReadAll(p)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, that they are those which were sent is %v, and %v, want %d",
			len(got), bytes.HasPrefix(want, got), err, len(want))
	}
}

func TestSecureSocket_EndsWhenARecordThatIsHalfWrittenIsWhole(t *testing.T) {
	p := testSecurePeer(t)
	sent := p.fill(t)
	p.outbound.endWhenWritten()
	p.expect(t, sent)
}

func TestSecureSocket_KeepsTheFrameWhoseRecordIsHalfWrittenWhereTheOthersAreDropped(t *testing.T) {
	p := testSecurePeer(t)
	sent := p.fill(t)
	for range 3 {
		if err := p.outbound.transmit([]byte("too late")); err != nil {
			t.Fatal(err)
		}
	}
	if dropped, ok := p.outbound.finish(true, []byte("goodbye")); dropped != 3 || !ok {
		t.Errorf("%d frames were dropped, want 3", dropped)
	}
	p.outbound.endWhenWritten()
	p.expect(t, append(sent, "goodbye"...))
}

// crypto/tls takes its buffer from a pool, which forgets now and then under the race detector.
func TestSecureSocket_CostsNoAllocationOfItsOwnForAFrame(t *testing.T) {
	p := testSecurePeer(t)
	frame := textFrame([]byte("a short one, so that the kernel takes them all"))
	_ = p.outbound.transmit(frame)
	if n := testing.AllocsPerRun(100, func() { _ = p.outbound.transmit(frame) }); n > 1 {
		t.Errorf("%v allocations for a frame, want none but crypto/tls' one", n)
	}
	if p.outbound.backlog != nil {
		t.Error("the kernel did not take all")
	}
}

// BenchmarkSecureSocket is what TLS adds to the write of a frame.
func BenchmarkSecureSocket(b *testing.B) {
	for _, size := range []int{128, 1 << 10, 10 << 10} {
		for _, kind := range []string{"plain", "TLS"} {
			b.Run(fmt.Sprintf("size=%d/%s", size, kind), func(b *testing.B) {
				p := testSecurePeer(b)
				if err := p.SetDeadline(time.Time{}); err != nil {
					b.Fatal(err)
				}
				o := p.outbound
				if kind == "plain" {
					o.socket = p.socket.wire.raw
				}
				frame := textFrame(bytes.Repeat([]byte("x"), size))
				into := make([]byte, 64<<10)
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				taken, writes := int64(0), 0
				for b.Loop() {
					began := processorTime()
					_ = o.transmit(frame)
					taken += processorTime() - began
					writes++
					if _, err := p.NetConn().Read(into); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(taken)/float64(writes), "cpu-ns/frame")
			})
		}
	}
}

// A client that asks for new keys is answered by the session, past the outbound.
func TestWire_BoundsWhatASessionWritesByItself(t *testing.T) {
	p := testSecurePeer(t)
	answer, err := make([]byte, 1000), error(nil)
	for err == nil {
		_, err = p.socket.wire.Write(answer)
		if got := p.waiting(); got > maxSealed {
			t.Fatalf("%d bytes wait, want at most %d", got, maxSealed)
		}
	}
	if !errors.Is(err, errSlowConsumer) {
		t.Errorf("got %v, want %v", err, errSlowConsumer)
	}
	if p.socket.wire.raw.isOpen() {
		t.Error("the socket is still open")
	}
}

// Nothing waits in the outbound then, so that nobody else would go on with it.
func TestWire_GoesOnWithWhatASessionHasWrittenByItself(t *testing.T) {
	p := testSecurePeer(t)
	answer, sent := make([]byte, maxRecord), 0
	for p.socket.wire.isEmpty() {
		n, err := p.socket.wire.Write(answer)
		if err != nil {
			t.Fatal(err)
		}
		sent += n
	}
	if _, err := io.CopyN(io.Discard, p.NetConn(), int64(sent)); err != nil {
		t.Error(err)
	}
}

package bridge

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

const (
	// maxRecord is what a TLS record holds (RFC 8446, 5.1).
	maxRecord = 16 << 10
	// maxSealed bounds what a session has encrypted and the kernel not taken: a record, and the answers to a client that asks for new
	// keys again and again and does not read.
	maxSealed = 4 * maxRecord
)

// records are what sessions decrypt into, one after the other.
var records = sync.Pool{New: func() any { return new([maxRecord]byte) }}

// secureSocket is TLS on an epollSocket, whose handler it is. What comes in goes through the session; what goes out is encrypted as
// the kernel takes it, a record at a time, so that what waits stays shared and in the outbound's count.
type secureSocket struct {
	wire    wire
	session *tls.Conn // lies on wire
	handler handler

	mu sync.Mutex // guards the following; held by the one who writes
	// withheld says that one byte more is encrypted than was told: where the kernel has not taken all of a record, its last byte counts
	// as not written. So the frame counts as half written, and whoever has it knows that something waits.
	withheld bool
}

func (p *epoll) addSecure(session *tls.Conn, h handler) (socket, error) {
	under, ok := session.NetConn().(*carrier)
	if !ok {
		_ = session.Close()
		return nil, errors.New("the TLS session does not come from a TLSListener")
	}
	s := &secureSocket{session: session, handler: h}
	raw, err := p.attach(under.Conn, s)
	if err != nil {
		return nil, err
	}
	s.wire.raw = raw
	under.Conn = &s.wire
	return s, nil
}

// start first hands on what the client sent along with its request: the session may have read that, and decrypted it, and epoll
// would not tell of it.
func (s *secureSocket) start() {
	s.decrypt(nil)
	s.wire.raw.start()
}

func (s *secureSocket) pauseReading() { s.wire.raw.pauseReading() }

func (s *secureSocket) resumeReading() { s.wire.raw.resumeReading() }

func (s *secureSocket) awaitWritable() { s.wire.raw.awaitWritable() }

func (s *secureSocket) touch() int { return s.wire.raw.touch() }

// close says goodbye (close_notify), if the kernel takes that at once.
func (s *secureSocket) close() {
	_ = s.session.CloseWrite()
	s.wire.raw.close()
}

func (s *secureSocket) tryWrite(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.encryptLocked(p)
}

func (s *secureSocket) writeAll(buffers net.Buffers) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := 0
	for _, p := range buffers {
		n, err := s.encryptLocked(p)
		all += n
		if err != nil || n < len(p) {
			return all, err
		}
	}
	return all, nil
}

// encryptLocked goes on until the kernel takes no more.
func (s *secureSocket) encryptLocked(p []byte) (int, error) {
	if !s.wire.flush() {
		return 0, nil
	}
	n := 0
	if s.withheld {
		s.withheld, n = false, 1
	}
	for n < len(p) {
		record := p[n:min(len(p), n+maxRecord)]
		if _, err := s.session.Write(record); err != nil {
			return n, err
		}
		n += len(record)
		if !s.wire.isEmpty() {
			s.withheld = true
			return n - 1, nil
		}
	}
	return n, nil
}

// readable, writable and hangup implement handler.

func (s *secureSocket) readable(p []byte) { s.decrypt(p) }

func (s *secureSocket) writable() {
	if s.wire.flush() {
		s.handler.writable()
	}
}

func (s *secureSocket) hangup() { s.handler.hangup() }

// decrypt hands on all that can be read: of what stays in the session but half of a record and half of its own messages nobody would
// tell. A session that is over, or broken, ends the socket.
func (s *secureSocket) decrypt(p []byte) {
	s.wire.incoming = p
	record := records.Get().(*[maxRecord]byte)
	defer records.Put(record)
	for {
		n, err := s.session.Read(record[:])
		if n > 0 {
			s.handler.readable(record[:n])
		}
		switch {
		case err == nil:
		case errors.Is(err, wouldBlock{}):
			s.forgetEmptyBuffers()
			return
		default:
			s.wire.incoming = nil
			s.close()
			return
		}
	}
}

// sessionBuffers are where in a tls.Conn those of its buffers are that keep their memory when they are empty, up to 35 KB of it: what comes in, and
// messages of a handshake. Nothing but crypto/tls can reach them by a name; where it has no such fields they keep it.
var sessionBuffers = findBuffers(reflect.TypeFor[tls.Conn](), "rawInput", "hand")

func findBuffers(in reflect.Type, names ...string) (offsets []uintptr) {
	for _, name := range names {
		if field, ok := in.FieldByName(name); ok && field.Type == reflect.TypeFor[bytes.Buffer]() {
			offsets = append(offsets, field.Offset)
		}
	}
	return offsets
}

// forgetEmptyBuffers puts an empty buffer in the place of an empty one, which to the session is the same. Only who reads from the session, which is
// who calls, looks at them once the handshake is done.
func (s *secureSocket) forgetEmptyBuffers() {
	for _, offset := range sessionBuffers {
		if b := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(s.session), offset)); b.Len() == 0 {
			*b = bytes.Buffer{}
		}
	}
}

// wire is the connection that a session lies on once a poller has its socket. It waits for nothing: what it reads is what the poller
// has read, and what the kernel does not take of what it writes it keeps.
type wire struct {
	raw *epollSocket

	incoming []byte // owned by the one who decrypts

	mu     sync.Mutex // guards the following
	sealed []byte     // waits to be written: nil, nearly always
}

func (w *wire) Read(p []byte) (int, error) {
	if len(w.incoming) == 0 {
		w.incoming = nil
		return 0, wouldBlock{}
	}
	n := copy(p, w.incoming)
	w.incoming = w.incoming[n:]
	return n, nil
}

// Write is called for one record at a time: the session sees to that.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	if len(w.sealed) == 0 {
		var err error
		if n, err = w.raw.tryWrite(p); err != nil || n == len(p) {
			return n, err
		}
		w.raw.awaitWritable()
	}
	if len(w.sealed)+len(p)-n > maxSealed {
		w.raw.close()
		return n, errSlowConsumer
	}
	w.sealed = append(w.sealed, p[n:]...)
	return len(p), nil
}

// flush is false where something still waits; then the poller is to tell when there is room.
func (w *wire) flush() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sealed) == 0 {
		return true
	}
	n, err := w.raw.tryWrite(w.sealed)
	if err == nil && n < len(w.sealed) {
		w.sealed = w.sealed[n:]
		w.raw.awaitWritable()
		return false
	}
	w.sealed = nil // written, or lost with a broken socket, of which the next write tells
	return true
}

func (w *wire) isEmpty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sealed) == 0
}

func (w *wire) Close() error {
	w.raw.close()
	return nil
}

// Nobody asks a session for these any more, nor has it to wait.

func (*wire) LocalAddr() net.Addr              { return nil }
func (*wire) RemoteAddr() net.Addr             { return nil }
func (*wire) SetDeadline(time.Time) error      { return nil }
func (*wire) SetReadDeadline(time.Time) error  { return nil }
func (*wire) SetWriteDeadline(time.Time) error { return nil }

// wouldBlock is an error after which a session can go on: after a temporary one it keeps what it has of a record.
type wouldBlock struct{}

var _ net.Error = wouldBlock{}

func (wouldBlock) Error() string   { return "nothing more has come in" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

const welcome = `{"type":"welcome"}`

// handshake is how a consumer introduces itself; the zero value is what a logged-in browser would send.
type handshake struct {
	query     url.Values
	header    http.Header // beside Origin and Cookie
	protocols []string
	origin    string // "" is the server's own, as for a page of the app
	login     string // "cookie" (the default), "session", "everything" or "none"
	user      string // "" is ann
	device    string // "" is a fresh one
	path      string // "" is /cable
}

// consumer is one WebSocket: it records every frame, in order, exactly as it came.
type consumer struct {
	t        *testing.T
	server   *server
	user     string
	device   string // names the connection in the journal
	protocol string // the subprotocol that the server chose
	socket   net.Conn
	writing  sync.Mutex

	mutex    sync.Mutex // guards the following
	frames   []string   // text frames other than pings
	seen     []int64    // for each frame, what observe said when it came
	taken    int        // how many of them a test has looked at
	pings    []string
	pongs    []string
	closing  *closure        // what the server's close frame said
	keptOpen bool            // the server's close frame is not answered
	granted  map[string]bool // confirmations that came for the subscribes made so far; of stock only
	done     chan struct{}   // closed when the socket is at its end
	arrived  chan struct{}   // holds one token after each arrival

	observe func() int64
}

// closure is a close frame.
type closure struct {
	code   ws.StatusCode
	reason string
}

var devices atomic.Int64

// dial opens a socket and waits for nothing.
func (s *server) dial(t *testing.T, hello handshake) *consumer {
	t.Helper()
	if hello.user == "" {
		hello.user = "ann"
	}
	if hello.device == "" {
		hello.device = fmt.Sprintf("device-%d", devices.Add(1))
	}
	if hello.origin == "" {
		hello.origin = s.scheme() + "://" + s.address()
	}
	query := url.Values{"device": {hello.device}}
	for name, values := range hello.query {
		query[name] = values
	}
	header := hello.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Origin", hello.origin)
	switch hello.login {
	case "", "cookie":
		header.Set("Cookie", s.rails.login(t, hello.user, "cookie"))
	case "session", "everything":
		header.Set("Cookie", s.rails.login(t, hello.user, hello.login))
	}
	if hello.path == "" {
		hello.path = "/cable"
	}
	dialer := ws.Dialer{Protocols: hello.protocols, Header: ws.HandshakeHeaderHTTP(header), Timeout: patience, TLSConfig: s.tls}
	socket, early, chosen, err := dialer.Dial(t.Context(), "ws"+s.scheme()[len("http"):]+"://"+s.address()+hello.path+"?"+query.Encode())
	if err != nil {
		t.Fatalf("open a socket: %v", err)
	}
	c := &consumer{
		t: t, server: s, user: hello.user, device: hello.device, protocol: chosen.Protocol, socket: socket,
		granted: map[string]bool{}, done: make(chan struct{}), arrived: make(chan struct{}, 1),
		observe: func() int64 { return 0 },
	}
	var reader io.Reader = socket
	if early != nil { // frames that came in one packet with the 101
		reader = early
	}
	go c.read(reader)
	t.Cleanup(c.leave)
	return c
}

// connect opens a socket and takes the welcome.
func (s *server) connect(t *testing.T, hello handshake) *consumer {
	t.Helper()
	c := s.dial(t, hello)
	c.expect(welcome)
	return c
}

func (c *consumer) read(reader io.Reader) {
	defer close(c.done)
	defer c.announce()
	for {
		header, err := ws.ReadHeader(reader)
		if err != nil {
			return
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(reader, payload); err != nil {
			return
		}
		switch header.OpCode {
		case ws.OpText:
			c.record(string(payload))
		case ws.OpPong:
			c.mutex.Lock()
			c.pongs = append(c.pongs, string(payload))
			c.mutex.Unlock()
			c.announce()
		case ws.OpPing:
			_ = c.write(ws.NewPongFrame(payload))
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(payload)
			c.mutex.Lock()
			c.closing = &closure{code, reason}
			keptOpen := c.keptOpen
			c.mutex.Unlock()
			if keptOpen {
				c.announce()
				continue
			}
			_ = c.write(ws.NewCloseFrame(payload))
			_ = c.socket.Close()
			return
		default:
			c.record(fmt.Sprintf("unexpected frame %+v", header))
		}
	}
}

func (c *consumer) record(frame string) {
	c.mutex.Lock()
	switch {
	case strings.HasPrefix(frame, `{"type":"ping"`):
		c.pings = append(c.pings, frame)
	case c.grantedBeforeLocked(frame):
	default:
		c.frames = append(c.frames, frame)
		c.seen = append(c.seen, c.observe())
	}
	c.mutex.Unlock()
	c.announce()
}

// grantedBeforeLocked is true of a confirmation that comes a second time, as it now and then does on stock: the thread that
// ran subscribed and the one that heard of Redis both look whether it was sent, and both send it where they look at the
// same time (ActionCable::Channel::Base#transmit_subscription_confirmation). No scenario is about that.
func (c *consumer) grantedBeforeLocked(frame string) bool {
	if c.server.kind == bridged || !strings.HasSuffix(frame, `,"type":"confirm_subscription"}`) {
		return false
	}
	before := c.granted[frame]
	c.granted[frame] = true
	return before
}

func (c *consumer) announce() {
	select {
	case c.arrived <- struct{}{}:
	default:
	}
}

// awaitUnder waits until a condition holds that is true of what c.mutex guards.
func (c *consumer) awaitUnder(what string, condition func() bool) {
	c.t.Helper()
	deadline := time.After(patience)
	over := false
	for {
		c.mutex.Lock()
		holds := condition()
		c.mutex.Unlock()
		if holds {
			return
		}
		if over {
			c.t.Fatalf("%s: the socket ended (%+v) before %s came; frames so far: %s", c.device, c.closing, what, c.history())
		}
		select {
		case <-c.arrived:
		case <-c.done:
			over = true
		case <-deadline:
			c.t.Fatalf("%s: waited %s in vain for %s; frames so far: %s", c.device, patience, what, c.history())
		}
	}
}

func (c *consumer) history() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	frames := c.frames
	if len(frames) > 20 {
		frames = frames[len(frames)-20:]
	}
	return "\n" + strings.Join(frames, "\n")
}

// next takes the next frame that is not a ping.
func (c *consumer) next() string {
	c.t.Helper()
	var frame string
	c.awaitUnder("a frame", func() bool {
		if c.taken == len(c.frames) {
			return false
		}
		frame = c.frames[c.taken]
		c.taken++
		return true
	})
	return frame
}

// expect takes as many frames as it is given; each must be the very next one, byte for byte.
func (c *consumer) expect(frames ...string) {
	c.t.Helper()
	for n, want := range frames {
		var got string
		c.awaitUnder(want, func() bool {
			if c.taken == len(c.frames) {
				return false
			}
			got = c.frames[c.taken]
			c.taken++
			return true
		})
		if got != want {
			c.t.Fatalf("frame %d of %d\n got %s\nwant %s", n+1, len(frames), got, want)
		}
	}
}

// expectNothing proves that nothing was sent: the next frame is the answer to a command made now. On stock, commands
// run in parallel, so tests first wait for the trace that the earlier command left in log or journal.
func (c *consumer) expectNothing() {
	c.t.Helper()
	fence := identify("EchoChannel", "fence", fmt.Sprint(devices.Add(1)))
	c.subscribe(fence)
	c.expect(confirmation(fence))
	c.perform(fence, "echo", "text", "nothing came between")
	c.expect(message(fence, `{"text":"nothing came between","action":"echo"}`))
	c.unsubscribe(fence)
}

// expectPings waits for more pings, which prove that the connection lives.
func (c *consumer) expectPings(more int) {
	c.t.Helper()
	c.mutex.Lock()
	want := len(c.pings) + more
	c.mutex.Unlock()
	c.awaitUnder(fmt.Sprintf("ping number %d", want), func() bool { return len(c.pings) >= want })
}

// expectClose waits for the server's close frame.
func (c *consumer) expectClose(code ws.StatusCode) {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		c.t.Fatalf("%s: the socket was not closed; frames so far: %s", c.device, c.history())
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.closing == nil {
		c.t.Fatalf("%s: the socket ended without a close frame", c.device)
	}
	if c.closing.code != code {
		c.t.Fatalf("%s: closed with %d %q, want %d", c.device, c.closing.code, c.closing.reason, code)
	}
	if c.taken < len(c.frames) {
		c.t.Fatalf("%s: closed after more frames than expected: %s", c.device, strings.Join(c.frames[c.taken:], "\n"))
	}
}

// endsWithoutClose waits for the end of the socket, and says whether the server's close frame was missing.
func (c *consumer) endsWithoutClose() bool {
	select {
	case <-c.done:
	case <-time.After(patience):
		return false
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.closing == nil
}

// alive fails the test where the socket has ended.
func (c *consumer) alive() {
	c.t.Helper()
	select {
	case <-c.done:
		c.t.Fatalf("%s: the socket has ended: %+v", c.device, c.closing)
	default:
	}
}

// keepOpen leaves the server's close frame unanswered from now on, as a client does that is behind.
func (c *consumer) keepOpen() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.keptOpen = true
}

func (c *consumer) write(frame ws.Frame) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.socket.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return ws.WriteFrame(c.socket, ws.MaskFrame(frame))
}

// send sends text as it is.
func (c *consumer) send(text string) {
	c.t.Helper()
	c.sendFrame(ws.NewTextFrame([]byte(text)))
}

func (c *consumer) sendFrame(frame ws.Frame) {
	c.t.Helper()
	if err := c.write(frame); err != nil {
		c.t.Fatalf("%s: send: %v", c.device, err)
	}
}

func (c *consumer) subscribe(identifier string) {
	c.t.Helper()
	c.mutex.Lock()
	delete(c.granted, confirmation(identifier))
	c.mutex.Unlock()
	c.send(`{"command":"subscribe","identifier":` + quote(identifier) + `}`)
}

func (c *consumer) unsubscribe(identifier string) {
	c.t.Helper()
	c.send(`{"command":"unsubscribe","identifier":` + quote(identifier) + `}`)
}

// perform performs an action with pairs of names and values (strings, or anything else that JSON knows).
func (c *consumer) perform(identifier, action string, pairs ...any) {
	c.t.Helper()
	c.performRaw(identifier, object(append(pairs, "action", action)...))
}

func (c *consumer) performRaw(identifier, data string) {
	c.t.Helper()
	c.send(`{"command":"message","identifier":` + quote(identifier) + `,"data":` + quote(data) + `}`)
}

// join subscribes and waits for the confirmation.
func (c *consumer) join(identifier string) {
	c.t.Helper()
	c.subscribe(identifier)
	c.expect(confirmation(identifier))
}

// drop lets the socket break without a word.
func (c *consumer) drop() {
	_ = c.socket.Close()
	<-c.done
}

// leave closes the socket as a browser does, and waits until it is at its end.
func (c *consumer) leave() {
	select {
	case <-c.done:
		return
	default:
	}
	err := c.write(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
	if err == nil {
		select {
		case <-c.done:
		case <-time.After(5 * time.Second):
		}
	} else if !errors.Is(err, net.ErrClosed) && !errors.Is(err, context.Canceled) {
		c.t.Logf("%s: leave: %v", c.device, err)
	}
	c.drop()
}

// identify makes the identifier of a channel with params, as JSON.stringify would.
func identify(channel string, pairs ...any) string {
	return object(append([]any{"channel", channel}, pairs...)...)
}

func confirmation(identifier string) string {
	return `{"identifier":` + quote(identifier) + `,"type":"confirm_subscription"}`
}

func rejection(identifier string) string {
	return `{"identifier":` + quote(identifier) + `,"type":"reject_subscription"}`
}

// message is what a transmission or a broadcast looks like on the wire.
func message(identifier, payload string) string {
	return `{"identifier":` + quote(identifier) + `,"message":` + payload + `}`
}

func disconnection(reason string, reconnect bool) string {
	return fmt.Sprintf(`{"type":"disconnect","reason":%s,"reconnect":%t}`, quote(reason), reconnect)
}

// quote is a JSON string, with < > & and the line separators escaped as Active Support does it.
func quote(text string) string { return encode(text) }

func encode(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// object is a JSON object whose members stay in the order given.
func object(pairs ...any) string {
	var members []string
	for n := 0; n < len(pairs); n += 2 {
		members = append(members, encode(pairs[n])+":"+encode(pairs[n+1]))
	}
	return "{" + strings.Join(members, ",") + "}"
}

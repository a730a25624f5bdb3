package bridge

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
)

// retryAfter is what a client that gets a 503 is asked to wait, in seconds.
const retryAfter = "1"

// keyLength is that of 16 bytes in Base64 (RFC 6455, 4.1).
const keyLength = 24

// ServeHTTP makes a socket of a handshake that Rails takes. Every request for a cable path goes to Rails, an ordinary
// GET or POST too, because what it gets is for the app's middleware to say.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := rawPath(r)
	if !s.mounts.match(path) {
		s.refuse(w, handshakeNotFound, http.StatusNotFound, "Page not found")
		return
	}
	if isWebSocket(r) {
		// websocket-driver's words, and its order.
		if r.Header.Get("Sec-WebSocket-Key") == "" {
			s.refuse(w, handshakeInvalid, http.StatusBadRequest, "Missing handshake request header: Sec-WebSocket-Key")
			return
		}
		if r.Header.Get("Sec-WebSocket-Version") != "13" {
			s.refuse(w, handshakeInvalid, http.StatusBadRequest, "Unsupported WebSocket version: 13")
			return
		}
		if len(r.Header.Get("Sec-WebSocket-Key")) != keyLength || !r.ProtoAtLeast(1, 1) {
			// What gobwas/ws would refuse after Rails had connected the client.
			s.refuse(w, handshakeInvalid, http.StatusBadRequest, "Invalid Sec-WebSocket-Key or HTTP version")
			return
		}
	}
	s.handshake(w, r, path)
}

// handshake does what Rails says.
func (s *Server) handshake(w http.ResponseWriter, r *http.Request, path string) {
	c := &Connection{server: s, id: newConnectionID(), handshake: newHandshake(r, path)}
	answer, err := s.connect(c, w, r)
	switch {
	case err != nil:
		s.unavailable(w)
	case answer != nil:
		s.metrics.handshakes.WithLabelValues(handshakeRefused).Inc()
		relay(w, answer)
	}
}

// connect asks Rails, and opens the connection unless the app has an answer of its own. A shutdown waits for it, but not
// for the client to read that answer. An app that has begun to connect a client is not interrupted when the client leaves.
func (s *Server) connect(c *Connection, w http.ResponseWriter, r *http.Request) (*rpc.HTTPAnswer, error) {
	if !s.begin() {
		return nil, errShuttingDown
	}
	defer s.pending.Done()
	request := &rpc.ConnectRequest{Event: c.event()}
	if chosen, ok := protocol.ChooseSubprotocol(offeredSubprotocols(r)); ok && isWebSocket(r) {
		request.Protocol = &chosen
	}
	answer, err := s.rails.Connect(s.background, request)
	switch {
	case err != nil:
		c.log().Error("Rails did not answer a handshake", "error", err)
		return nil, err
	case answer.HTTP != nil:
		return answer.HTTP, nil
	}
	if answer.ConnectionState != nil {
		c.state = *answer.ConnectionState
	}
	if answer.Live != nil {
		c.hold = &rpc.Hold{Worker: answer.Live.Worker, ID: answer.Live.Hold}
	}
	c.endsUnheard = answer.ConnectionEnd == rpc.EndNothing
	c.connectionIdentifier = intern(answer.ConnectionIdentifier)
	s.open(c, w, r, request.Protocol, answer)
	return nil, nil
}

// open upgrades, and lets the connection begin.
func (s *Server) open(c *Connection, w http.ResponseWriter, r *http.Request, subprotocol *string, answer *rpc.ConnectAnswer) {
	s.live.Add(1)
	extensions := ""
	if s.compression {
		extensions = acceptDeflate(r.Header.Values("Sec-WebSocket-Extensions"))
		c.deflates = extensions != ""
	}
	head := &heldHead{ResponseWriter: w}
	conn, buffered, err := upgrade(head, r, subprotocol, extensions)
	if err == nil {
		s.sockets.Add(1) // until hangup
		if c.outbound.socket, err = s.pollers.add(conn, c); err != nil {
			s.sockets.Done()
		}
	}
	if err != nil {
		s.metrics.handshakes.WithLabelValues(handshakeLost).Inc()
		c.log().Info("client left before the upgrade", "error", err)
		c.mu.Lock()
		c.ended, c.finished = true, true
		c.mu.Unlock()
		go c.finish()
		return
	}
	c.outbound.hold(head.text.Bytes())
	s.register(c, answer.Accepted)
	for _, e := range answer.Effects {
		c.apply(e)
	}
	if !answer.Accepted {
		c.close(closeByApp, nil, normalClose) // where no effect has
	}
	c.outbound.release()
	if answer.Live != nil {
		c.becomeLive(answer.Live)
	}
	if n := buffered.Reader.Buffered(); n > 0 {
		early, _ := buffered.Reader.Peek(n) // it is all there
		c.readable(early)
	}
	c.outbound.socket.start()
}

// heldHead keeps the answer to a handshake, to go out with the welcome: a write for each would cost the kernel twice the work.
type heldHead struct {
	http.ResponseWriter
	text bytes.Buffer
}

// Hijack implements [http.Hijacker].
func (h *heldHead) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err == nil {
		buffered.Writer.Reset(&h.text)
	}
	return conn, buffered, err
}

// upgrade makes the 101. gobwas/ws looks at the request once more, and more narrowly than websocket-driver at one that Rails
// has taken by now; so it gets to see one that says the same in the plainest words.
func upgrade(w *heldHead, r *http.Request, subprotocol *string, extensions string) (net.Conn, *bufio.ReadWriter, error) {
	plain := &http.Request{
		Method: r.Method, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor, Host: "cable",
		Header: http.Header{
			"Upgrade": r.Header["Upgrade"], "Connection": {"Upgrade"},
			"Sec-Websocket-Key": r.Header["Sec-Websocket-Key"], "Sec-Websocket-Version": r.Header["Sec-Websocket-Version"],
		},
	}
	if subprotocol != nil {
		plain.Header.Set("Sec-WebSocket-Protocol", *subprotocol)
	}
	upgrader := ws.HTTPUpgrader{Protocol: func(string) bool { return true }}
	if extensions != "" {
		upgrader.Header = http.Header{"Sec-WebSocket-Extensions": {extensions}}
	}
	conn, buffered, _, err := upgrader.Upgrade(plain, w)
	if err != nil && conn != nil {
		_, _ = conn.Write(w.text.Bytes()) // what is wrong
		_ = conn.Close()                  // it is nobody else's any more
	}
	return conn, buffered, err
}

// register makes the connection known, before its welcome, to all that may want to reach it.
func (s *Server) register(c *Connection, accepted bool) {
	outcome := handshakeAccepted
	if !accepted {
		outcome = handshakeRejected
	}
	s.metrics.handshakes.WithLabelValues(outcome).Inc()
	if !accepted {
		return // its effects close it
	}
	if !s.admit(c) {
		c.disconnect(closeShutdown, serverRestart)
	}
}

// admit is false once the server is shutting down. Whoever finds the connection from then on may end it, and must find
// all of it that an end takes away again: an end waits for mu.
func (s *Server) admit(c *Connection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lane = int32(int(s.nextLane.Add(1)) % len(s.lanes))
	if !s.connections.add(c) {
		return false
	}
	s.metrics.connections.Inc()
	if c.connectionIdentifier != "" {
		s.streams.hold(c.connectionIdentifier)
	}
	s.lanes[c.lane].post(laneEvent{beat: c})
	return true
}

// refuse answers with the bridge's own word.
func (s *Server) refuse(w http.ResponseWriter, outcome string, status int, body string) {
	s.metrics.handshakes.WithLabelValues(outcome).Inc()
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // the client may have left
}

func (s *Server) unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", retryAfter)
	s.refuse(w, handshakeUnavailable, http.StatusServiceUnavailable, "Service unavailable")
}

// isWebSocket mirrors WebSocket::Driver.websocket?, which looks at nothing else.
func isWebSocket(r *http.Request) bool {
	if r.Method != http.MethodGet || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return false
	}
	for _, value := range r.Header.Values("Connection") {
		for option := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(option), "upgrade") {
				return true
			}
		}
	}
	return false
}

func offeredSubprotocols(r *http.Request) []string {
	var offered []string
	for _, value := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(value, ",") {
			offered = append(offered, strings.TrimSpace(name))
		}
	}
	return offered
}

// newHandshake has the headers in an order of its own: Go does not know the client's.
func newHandshake(r *http.Request, path string) rpc.EncodedHandshake {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	h := &rpc.Handshake{
		Method: r.Method, Scheme: scheme, Path: path, Query: r.URL.RawQuery, RemoteAddr: remoteAddr(r),
		Headers: make([][2]string, 0, len(r.Header)+1),
	}
	h.Headers = append(h.Headers, [2]string{"Host", r.Host})
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			h.Headers = append(h.Headers, [2]string{name, value})
		}
	}
	return h.Encode()
}

// rawPath is the path as the client sent it.
func rawPath(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		return path
	}
	return r.URL.EscapedPath()
}

// remoteAddr is the TCP peer. A peer on a Unix socket has no address; Puma calls it 127.0.0.1 too.
func remoteAddr(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

// newConnectionID can't be guessed: sealed state is bound to it.
func newConnectionID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(id[:])
}

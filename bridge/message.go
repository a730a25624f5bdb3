package bridge

import (
	"bytes"
	"sync"

	"github.com/cablestay/cablestay/protocol"
	"github.com/gobwas/ws"
)

// message is one broadcast on its way to all that follow its broadcasting. All lanes share it.
type message struct {
	broadcasting string
	payload      []byte

	mu         sync.Mutex // guards the following: the last frame made
	identifier protocol.Identifier
	frame      []byte
}

// frameFor is the message as a WebSocket frame for subscriptions with this identifier. Nearly always all
// followers have the same one, so remembering the last frame makes it once for all lanes.
func (m *message) frameFor(identifier protocol.Identifier, envelope protocol.Envelope) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.frame == nil || m.identifier != identifier {
		m.identifier, m.frame = identifier, textFrame(envelope.Append(nil, m.payload))
	}
	return m.frame
}

// textFrame is the payload as one unmasked text frame, ready for any number of sockets.
func textFrame(payload []byte) []byte { return frame(ws.OpText, payload) }

func frame(code ws.OpCode, payload []byte) []byte {
	header := ws.Header{Fin: true, OpCode: code, Length: int64(len(payload))}
	var b bytes.Buffer
	b.Grow(ws.HeaderSize(header) + len(payload))
	_ = ws.WriteHeader(&b, header) // a buffer takes all
	b.Write(payload)
	return b.Bytes()
}

// closeFrame is a close frame; reason may be empty.
func closeFrame(code ws.StatusCode, reason string) []byte {
	return frame(ws.OpClose, ws.NewCloseFrameBody(code, reason))
}
